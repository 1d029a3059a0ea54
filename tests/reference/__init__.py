"""Decoders in plain Python, written from FORMAT.md and not from the code that they are compared with."""
