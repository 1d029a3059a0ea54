"""`lic autoload on|off|status`: .lic known to Pillow in every program of an environment, without importing pillow_lic.

Three small files go beside the package: a copy of `after_import.py`, a `.pth` line that calls it when Python starts, and the
`.start` file that does the same from Python 3.15 on (PEP 829), where Python passes over a `.pth` with a `.start` beside
it. They only wait for `PIL.Image` to be imported. `LIC_AUTOLOAD=0` turns them off for a process.
"""

from __future__ import annotations

import marshal
import struct
import sysconfig
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path

from ..errors import Ignoring
from ..files import write_atomic
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
    compiled = Path(cache_from_source(paths[0]))
    with Ignoring(OSError):
        compiled.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(compiled, _compiled(paths[0]))
    return paths


def _compiled(path: Path) -> bytes:
    """Return what Python keeps of a module (PEP 552). `py_compile` leaves half of it on a full disk, which each start of Python then reads."""
    state = path.stat()
    code = compile(path.read_bytes(), path, "exec", dont_inherit=True)
    time_and_size = (number & 0xFFFFFFFF for number in (int(state.st_mtime), state.st_size))
    return MAGIC_NUMBER + struct.pack("<3I", 0, *time_and_size) + marshal.dumps(code)


def turn_off(directory: Path | None = None) -> list[Path]:
    """Remove the start-up files and return the paths of those that were there."""
    found = _file_set(directory)
    gone = found.remove()
    with Ignoring(OSError):  # a file system that is only read refuses it where nothing is there, too
        Path(cache_from_source(found.directory / f"{_MODULE}.py")).unlink()
    return gone


def status(directory: Path | None = None) -> Status:
    """Return whether the start-up files are there; "outdated" when some are missing or another release wrote them."""
    return _file_set(directory).status()
