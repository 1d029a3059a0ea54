"""Test pictures that look like what people see on screens; `python -m tests.screens FOLDER` makes them."""
