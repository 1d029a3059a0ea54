"""What holds for every family or for many, and a file for each published system that has more to say; ours are in rooms."""
