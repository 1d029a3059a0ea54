"""Rates, errors and times beside other formats. Imports anything; only commands and `papers` import this."""
