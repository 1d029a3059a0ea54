"""Parts that recipes share: data, layers, optimiser, quality scale, exact arithmetic, graphs, tables. Imports no recipe of a model."""
