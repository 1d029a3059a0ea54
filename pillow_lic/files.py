"""Whole files, written so that a reader never sees half of one; the standard library only."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import IO

StrPath = str | os.PathLike[str]


def write_atomic(path: StrPath, data: bytes | memoryview) -> None:
    """Write `data` as the file `path`; at any moment the old file is there whole, or the new one.

    The bytes go to a temporary file in the same directory, reach the disk, and then take the name. An existing file
    keeps its permission bits, a symbolic link its aim. What is not a regular file (a pipe, `/dev/stdout`) is written to,
    not replaced. OSError as from `open`, and then nothing has changed.
    """
    if not _is_regular_or_missing(path):
        with open(path, "wb") as stream:
            stream.write(data)
        return
    target = Path(os.path.realpath(path))
    try:
        temporary, fp = _create_beside(target)
    except OSError as error:
        error.filename = os.fspath(path)  # not the temporary one, which the caller knows nothing of
        raise
    try:
        with fp:
            fp.write(data)
            fp.flush()
            os.fsync(fp.fileno())
        with contextlib.suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_directory(target.parent)


def _is_regular_or_missing(path: StrPath) -> bool:
    """Asked of the path as it is given: the real one of `/dev/stdout` may be no path at all."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return True


def copy_times(source: StrPath, target: StrPath) -> None:
    """Give `target` the access and modification times of `source`, in nanoseconds."""
    times = os.stat(source)
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))


TEMPORARY_MARK = ".lic-part"
"""Ends the name of every temporary file, so that what a killed process left is found and known for what it is."""


def _create_beside(target: Path) -> tuple[Path, IO[bytes]]:
    """Create a new file in the target's directory, with the permissions `open` would give it.

    `tempfile` makes files that only their owner may read, and the umask cannot be asked without setting it.
    """
    start = os.fsencode(target.name)[:100].decode("utf-8", "ignore")  # file systems count bytes, 255 at most
    while True:
        temporary = target.with_name(f".{start}.{secrets.token_hex(6)}{TEMPORARY_MARK}")
        try:
            return temporary, open(temporary, "xb")
        except FileExistsError:
            continue


def _sync_directory(directory: Path) -> None:
    """Make a rename durable where the system has a way to; the rename itself has already happened."""
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
