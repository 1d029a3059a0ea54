"""What every family stands on: models, sessions, settings, threads, the range coder. Imports `fileformat`."""
