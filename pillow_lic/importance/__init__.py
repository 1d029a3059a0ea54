"""The importance of places: those that a caller names, and those that a network finds. Imports `engine` and `fileformat`."""
