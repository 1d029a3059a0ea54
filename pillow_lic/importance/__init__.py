"""Which places of a picture get more bits: what a caller names, and what a network finds. Imports `engine` and `fileformat`."""
