"""The directories of a user's files: data that programs of the desktop read, and what may be lost."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def data_home() -> Path:
    """Return XDG_DATA_HOME (XDG Base Directory Specification 0.8)."""
    return _named("XDG_DATA_HOME") or Path.home() / ".local" / "share"


def cache_home() -> Path:
    """Return XDG_CACHE_HOME, and on Windows and macOS what is like it there."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return _named("XDG_CACHE_HOME") or Path.home() / ".cache"


def _named(variable: str) -> Path | None:
    """Return the folder a variable names; a relative path counts as none, as the specification says."""
    found = os.environ.get(variable, "")
    return Path(found) if os.path.isabs(found) else None
