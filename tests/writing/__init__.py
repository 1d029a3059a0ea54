"""How a picture becomes a file: forms that are tried, previews, the level for a size."""
