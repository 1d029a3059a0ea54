"""The engine under every family: models, sessions, settings, threads, the range coder. Imports `fileformat`."""
