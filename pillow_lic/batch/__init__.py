"""Conversion of many files: plan, workers, stores, budgets. Imports anything; the way of a pixel imports nothing of it."""
