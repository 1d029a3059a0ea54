"""Many files: plans, workers, stores, clusters, budgets, and conversion with all that belongs to a picture."""
