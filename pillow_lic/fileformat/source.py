"""File objects that have no more than Pillow asks of them: read, seek, tell, or write; the standard library only.

`seek` may return nothing (`mmap` before Python 3.13, SFTP clients) and know no end to count from (streams over HTTP), and `read`
give less than was asked for although there is more (unbuffered files, objects that fetch in blocks); `write` may take less than it
was given, and nothing but bytes (WSGI).
"""

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from ..errors import Ignoring, let_pass

BLOCK = 2**20
"""Bytes that are read to count them, or given at once to a `write` that takes less than all."""


def as_file(source: bytes | bytearray | memoryview | IO[bytes]) -> IO[bytes]:
    """Return a file object over the bytes of a file, or the file object that was given."""
    return io.BytesIO(source) if isinstance(source, (bytes, bytearray, memoryview)) else source


class Fetched(io.BytesIO):
    """All bytes of a file that came from somewhere else, which messages (Pillow's, too) call by its name there."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self._shown = name

    def __repr__(self) -> str:
        """Return the name."""
        return self._shown


@contextmanager
def opened(source: Any) -> Iterator[IO[bytes]]:
    """Open a file by its path, by its bytes (any buffer but one that can be read itself), or as the file object that it is, for a `with` block.

    What cannot go back (a pipe, an answer of a server) is read first, as Pillow does. A file object stays open. TypeError for
    anything else: a number would be the descriptor of a file that is somebody's.
    """
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as file:
            yield _sought(file)
    elif isinstance(source, (bytes, bytearray, memoryview)) or has_bytes(source, "read"):
        yield _sought(as_file(source))
    else:
        raise not_a_file(source)


def _sought(fp: IO[bytes]) -> IO[bytes]:
    """Return a file object that goes back to where it is: the one given, or what is left of it."""
    try:
        fp.seek(fp.tell())
    except (AttributeError, OSError) as error:
        let_pass(error)
        return io.BytesIO(read_all(fp))
    return fp


def has_bytes(value: object, method: str) -> bool:
    """Whether this is an object with that method of a file (`read`, `write`), and none that was opened as text."""
    return hasattr(value, method) and not isinstance(value, io.TextIOBase)


def not_a_file(value: object) -> TypeError:
    """Return the error for what can be no file: neither a path, nor bytes, nor a file object."""
    return TypeError(f"a file must be a path, bytes, or a binary file object, got {type(value).__name__}")


def read_all(fp: IO[bytes]) -> bytes:
    """Return all of a file from its position on, however little each `read` gives."""
    parts = []
    while part := fp.read(BLOCK):
        parts.append(part)
    return b"".join(parts)


def size_from(fp: IO[bytes], start: int) -> int:
    """Return the bytes of a file from `start` on, 0 or more; of one that cannot seek from its end they are read and counted."""
    try:
        fp.seek(0, io.SEEK_END)
    except (TypeError, ValueError, OSError) as error:
        let_pass(error)
        fp.seek(start)
        count = 0
        while part := fp.read(BLOCK):
            count += len(part)
        return count
    return max(0, fp.tell() - start)


def read_at(fp: IO[bytes], start: int, length: int) -> bytes:
    """Return the bytes of a file from `start` on: `length` of them, or fewer where the file ends."""
    if length <= 0:
        return b""
    fp.seek(start)
    part = fp.read(length)
    if len(part or b"") == length:
        return bytes(part)
    parts = []
    while part:
        parts.append(part)
        length -= len(part)
        part = fp.read(length) if length > 0 else b""
    return b"".join(parts)


def write_all(fp: IO[bytes], data: bytes) -> None:
    """Write all of the data to a file object, whose `write` returns how many bytes it took, or nothing when it took all.

    Past the buffer of an ordinary file: a full disk is noticed here, where Pillow takes a new file away again, and not when the
    file is closed. OSError where not all is taken; what is at the end of an ordinary file then is cut off.
    """
    if isinstance(fp, (io.BufferedWriter, io.BufferedRandom)):
        fp.flush()
        fp = cast("IO[bytes]", fp.raw)
    end = _end_of(fp)
    try:
        _write(fp, data)
    except BaseException:
        if end is not None:
            with Ignoring(OSError):
                fp.truncate(end)
                fp.seek(end)
        raise


def _write(fp: IO[bytes], data: bytes) -> None:
    view, part = memoryview(data), data
    while len(part):
        taken: Any = fp.write(part)
        if taken is None and (isinstance(fp, io.RawIOBase) or len(view) < len(data)):
            code = errno.EAGAIN  # one that does not wait, and is full
            raise BlockingIOError(code, os.strerror(code))
        if isinstance(taken, bool) or not hasattr(taken, "__index__") or taken >= len(view):
            return
        if taken <= 0:
            msg = f"the file object took none of the last {len(view)} of {len(data)} bytes"
            raise OSError(msg)
        view = view[taken:]
        part = bytes(view[:BLOCK])


def _end_of(fp: IO[bytes]) -> int | None:
    """Return the position of an ordinary file that is at its end, None for any other."""
    with Ignoring(OSError):
        if isinstance(fp, io.FileIO) and stat.S_ISREG(os.fstat(fp.fileno()).st_mode):
            position = fp.tell()
            return position if position == os.fstat(fp.fileno()).st_size else None
    return None
