"""Importance maps: the places that deserve more bits, by a user or by a network. Imports `engine` and `fileformat`."""
