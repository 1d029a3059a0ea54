"""What can be said of a file, or taken from it, without drawing it."""
