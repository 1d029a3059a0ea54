"""`lic autoload on|off|status`: .lic known to Pillow in every program of an environment, without importing pillow_lic.

Three small files go beside the package: a copy of `after_import.py`, a `.pth` line that calls it when Python starts, and the
`.start` file that does the same from Python 3.15 on (PEP 829), where Python passes over a `.pth` with a `.start` beside
it. They only wait for `PIL.Image` to be imported. `LIC_AUTOLOAD=0` turns them off for a process.
"""

from __future__ import annotations

import os
import py_compile
import sysconfig
from importlib.util import cache_from_source
from pathlib import Path
from typing import Literal

from ..files import write_atomic
from . import after_import

_MODULE = "_pillow_lic_autoload"


def _contents() -> dict[str, str]:
    return {
        f"{_MODULE}.py": Path(after_import.__file__).read_text("utf-8"),
        "pillow_lic_autoload.pth": f"import {_MODULE}; {_MODULE}.autoload()\n",
        "pillow_lic_autoload.start": f"{_MODULE}:autoload\n",
    }


def site_directory() -> Path:
    """Return where the start-up files go: the site-packages directory of the running Python."""
    return Path(sysconfig.get_path("purelib"))


def turn_on(directory: Path | None = None) -> list[Path]:
    """Write the start-up files and return their paths; OSError if the directory cannot be written."""
    directory = directory or site_directory()
    paths = []
    for name, text in _contents().items():  # the module first: a start-up line must never name one that is missing
        write_atomic(directory / name, text.encode())
        paths.append(directory / name)
    # Compiled now, because not every program that starts may write here, and compiling is most of the cost.
    py_compile.compile(os.fspath(paths[0]), quiet=1)
    return paths


def turn_off(directory: Path | None = None) -> list[Path]:
    """Remove the start-up files and return the paths of those that were there."""
    directory = directory or site_directory()
    gone = []
    for name in reversed(_contents()):
        path = directory / name
        if path.exists():
            path.unlink()
            gone.append(path)
    Path(cache_from_source(directory / f"{_MODULE}.py")).unlink(missing_ok=True)
    return gone


def status(directory: Path | None = None) -> Literal["on", "off", "outdated"]:
    """Tell whether the start-up files are there; "outdated" when some are missing or another release wrote them."""
    directory = directory or site_directory()
    present = {name: (directory / name) for name in _contents() if (directory / name).exists()}
    if not present:
        return "off"
    same = all((directory / name).read_text("utf-8") == text for name, text in _contents().items() if name in present)
    return "on" if same and len(present) == len(_contents()) else "outdated"
