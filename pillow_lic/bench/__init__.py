"""Rates, errors and times beside other formats. Imports anything; nothing but commands imports it."""
