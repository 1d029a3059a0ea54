"""`lic autoload on|off|status`: .lic known to Pillow in every program of an environment, without importing pillow_lic.

Three small files go beside the package: a copy of `after_import.py`, a `.pth` line that calls it when Python starts, and the
`.start` file that does the same from Python 3.15 on (PEP 829), where Python passes over a `.pth` with a `.start` beside
it. They only wait for `PIL.Image` to be imported. `LIC_AUTOLOAD=0` turns them off for a process.
"""

from __future__ import annotations

import contextlib
import os
import py_compile
import sysconfig
from importlib.util import cache_from_source
from pathlib import Path

from ..installed_files import FileSet, Status
from . import after_import

_MODULE = "_pillow_lic_autoload"


def _file_set(directory: Path | None) -> FileSet:
    """Return the start-up files, the module first: a start-up line must never name one that is missing."""
    contents = {
        f"{_MODULE}.py": Path(after_import.__file__).read_text("utf-8"),
        "pillow_lic_autoload.pth": f"import {_MODULE}; {_MODULE}.autoload()\n",
        "pillow_lic_autoload.start": f"{_MODULE}:autoload\n",
    }
    return FileSet(directory or site_directory(), contents)


def site_directory() -> Path:
    """Return where the start-up files go: the site-packages directory of the running Python."""
    return Path(sysconfig.get_path("purelib"))


def turn_on(directory: Path | None = None) -> list[Path]:
    """Write the start-up files and return their paths; OSError if the directory cannot be written."""
    paths = _file_set(directory).write()
    # Compiled now, because not every program that starts may write here, and compiling is most of the cost.
    with contextlib.suppress(OSError):
        py_compile.compile(os.fspath(paths[0]), quiet=1)
    return paths


def turn_off(directory: Path | None = None) -> list[Path]:
    """Remove the start-up files and return the paths of those that were there."""
    found = _file_set(directory)
    gone = found.remove()
    Path(cache_from_source(found.directory / f"{_MODULE}.py")).unlink(missing_ok=True)
    return gone


def status(directory: Path | None = None) -> Status:
    """Return whether the start-up files are there; "outdated" when some are missing or another release wrote them."""
    return _file_set(directory).status()
