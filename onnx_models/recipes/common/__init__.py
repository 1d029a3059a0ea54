"""Shared by the recipes: data, layers, optimiser, quality scale, exact arithmetic, graphs, tables. Imports no recipe of a model."""
