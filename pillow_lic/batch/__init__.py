"""Many files: what is to be made of which, where, by whom. Imports anything; the way of a pixel imports nothing of it."""
