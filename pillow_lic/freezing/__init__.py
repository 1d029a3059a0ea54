"""For PyInstaller, which finds its hook by the entry point `pyinstaller40`. Imports nothing of the package."""

import os


def hook_directories() -> list[str]:
    """Return the folders in which PyInstaller finds hooks."""
    return [os.path.dirname(__file__)]
