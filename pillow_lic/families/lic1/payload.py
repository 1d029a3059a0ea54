"""The payload of a tile: its stream, or the beginning of one and how many values that gives (FORMAT.md, 8.8).

The standard library only: `check` and `cut` ask before anything is computed.
"""

from __future__ import annotations

from ...errors import LicTruncatedError
from ...fileformat.varint import parse_varint, write_varint

CUT = 0x80
"""Bit of the first byte: a number of values follows the prefix, and the stream ends early."""
PREFIX = 3
"""Bytes of the prefix of a stream: lanes, check."""
LONGEST = 5
"""Bytes that the number of values has at most."""


def parse(payload: bytes | memoryview) -> tuple[bytes | memoryview, int | None]:
    """Return the stream of a payload, and how many residuals it gives, None for all of them. LicDamagedError for a broken number."""
    if not len(payload) or not payload[0] & CUT:
        return payload, None
    view = memoryview(payload)
    head = bytes(view[: PREFIX + LONGEST])
    try:
        count, position = parse_varint(head, PREFIX)
    except LicTruncatedError:
        return bytes([head[0] ^ CUT]) + head[1:PREFIX], 0
    return b"".join([bytes([head[0] ^ CUT]), head[1:PREFIX], view[position:]]), count


def cut(stream: bytes | memoryview, count: int, check: int) -> bytes:
    """Return the payload of the beginning of a stream that gives `count` residuals, and with which the check is another one."""
    view = memoryview(stream)
    return b"".join([bytes([view[0] | CUT]), check.to_bytes(2, "little"), write_varint(count), view[PREFIX:]])
