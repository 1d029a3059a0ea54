"""The exported networks and their manifest."""
