"""Decompressing a section of known size: no payload makes it allocate more."""

from __future__ import annotations

import zlib

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
