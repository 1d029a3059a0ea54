"""One published system, one family. Families import `engine` and `fileformat`, never each other."""
