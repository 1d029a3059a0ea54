"""Handing a file to the program with which the desktop opens its kind, and a private folder to make such files in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ..errors import Ignoring
from . import directories

_KEPT_SECONDS = 86_400
"""A viewer may read its file late, and nobody tells when it has closed it."""


def opened(path: Path) -> bool:
    """Open a file with the desktop's program for it; False where there is no desktop or it has none.

    Under a window manager without a desktop xdg-open runs that program itself, and this waits for its end.
    """
    if sys.platform == "win32":
        os.startfile(path)
        return True
    if sys.platform != "darwin" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if program is None:
        return False
    quiet = subprocess.DEVNULL
    return not subprocess.run([program, path], stdin=quiet, stdout=quiet, stderr=quiet, check=False).returncode


def folder_for_viewing() -> Path:
    """Return a new folder that this user alone can read; those of earlier days are removed first.

    Where nothing can be kept for the user (who has no home, or may not write there), it is among the system's temporary files.
    """
    with Ignoring(OSError, RuntimeError):
        around = directories.cache_home() / "pillow-lic" / "view"
        around.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in around.iterdir():
            with Ignoring(OSError):  # another `lic view` may have removed it
                if time.time() - old.stat().st_mtime > _KEPT_SECONDS:
                    shutil.rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=around))
    return Path(tempfile.mkdtemp())
