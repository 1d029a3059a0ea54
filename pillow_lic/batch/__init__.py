"""Conversion of many files: plan, workers, stores, budgets. Imports anything; what codes one picture imports nothing of this."""
