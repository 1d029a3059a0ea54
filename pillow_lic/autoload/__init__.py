"""Registration without any import of ours: `after_import` is copied beside the package by `installation`. Imports `files`."""
