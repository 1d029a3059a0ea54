"""How installed Pillow plugins behave: questions whose answers are known."""
