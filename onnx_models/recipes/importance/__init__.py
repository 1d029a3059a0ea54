"""The recipe of the network behind importance="auto"."""
