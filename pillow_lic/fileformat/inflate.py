"""Decompressing a section of known size: no payload makes it allocate more.

`inflate` returns a small one whole, `inflated` gives a large one in blocks, so that it is never in memory twice.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from ..errors import LicDamagedError


def inflate(stream: bytes, size: int, section: str, content: str) -> bytes:
    """Return exactly `size` bytes of a zlib stream; LicDamagedError naming the section, and its content if the size is another."""
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(stream, size + 1)
    except zlib.error as error:
        msg = f"{section} section is damaged: {error}"
        raise LicDamagedError(msg) from error
    if len(data) != size or not inflater.eof:
        msg = f"{section} section must hold {content}, it does not"
        raise LicDamagedError(msg)
    return data


_FED = 2**16
"""Bytes that are decompressed at a time: what is not used of them is copied for every block."""


def inflated(stream: bytes | memoryview, size: int, block: int, section: str, content: str) -> Iterator[bytes]:
    """Yield exactly `size` bytes of a zlib stream, `block` at a time, the last time fewer; errors as of `inflate`."""
    inflater, view = zlib.decompressobj(), memoryview(stream)
    position, waiting = 0, b""

    def more(most: int) -> bytes:
        """Return up to `most` bytes, none at the end of the stream."""
        nonlocal position, waiting
        while not inflater.eof:
            if not waiting:
                waiting = bytes(view[position : position + _FED])
                position += len(waiting)
            ended = not waiting
            try:
                part = inflater.decompress(waiting, most)
            except zlib.error as error:
                msg = f"{section} section is damaged: {error}"
                raise LicDamagedError(msg) from error
            waiting = inflater.unconsumed_tail
            if part or ended:
                return part
        return b""

    wrong = f"{section} section must hold {content}, it does not"
    while size:
        found = bytearray()
        wanted = min(block, size)
        while len(found) < wanted:
            part = more(wanted - len(found))
            if not part:
                raise LicDamagedError(wrong)
            found += part
        size -= wanted
        yield bytes(found)
    if more(1) or not inflater.eof:
        raise LicDamagedError(wrong)
