"""The streams of one tile in one payload: their number, their lengths, then their bytes; the standard library only."""

from collections.abc import Sequence

from ..errors import LicDamagedError, LicTruncatedError
from .varint import parse_varint, write_varint

MAX_STREAMS = 255
"""Most streams of a tile: the number is one byte."""


def pack(streams: Sequence[bytes | memoryview]) -> bytes:
    """Return the payload of a tile of 1 to MAX_STREAMS streams; of the last the length is what is left."""
    if not 1 <= len(streams) <= MAX_STREAMS:
        msg = f"a tile must have 1-{MAX_STREAMS} streams, got {len(streams)}"
        raise ValueError(msg)
    lengths = [write_varint(len(stream)) for stream in streams[:-1]]
    return b"".join([bytes([len(streams)]), *lengths, *streams])


def unpack(payload: bytes | memoryview) -> list[memoryview]:
    """Return the streams of a payload, as views into it. LicDamagedError unless they fill it."""
    view = memoryview(payload)
    lengths, position = _lengths(view)
    left = len(view) - position - sum(lengths)
    if left < 0:
        msg = f"tile payload of {len(view)} bytes is {-left} bytes short of its {view[0]} streams"
        raise LicDamagedError(msg)
    return _split(view, position, (*lengths, left))


def unpack_cut(payload: bytes | memoryview) -> list[memoryview]:
    """Return the streams of the beginning of a payload, as far as they are there: the last one may end early.

    LicDamagedError unless their lengths are whole and the first one has begun.
    """
    view = memoryview(payload)
    lengths, position = _lengths(view)
    streams = _split(view, position, (*lengths, len(view)))
    begun = [stream for stream in streams if len(stream)]
    if not begun:
        msg = f"tile payload ends after {len(view)} bytes, before its first stream"
        raise LicDamagedError(msg)
    return begun


def _lengths(view: memoryview) -> tuple[list[int], int]:
    """Return the lengths of all streams but the last one, and where the first one begins."""
    if not len(view) or not view[0]:
        msg = "tile payload must say how many streams it has, at least one"
        raise LicDamagedError(msg)
    head = bytes(view[: 1 + 5 * MAX_STREAMS])
    lengths, position = [], 1
    try:
        for _ in range(view[0] - 1):
            length, position = parse_varint(head, position)
            lengths.append(length)
    except LicTruncatedError:
        msg = f"tile payload of {len(view)} bytes ends inside the lengths of its {view[0]} streams"
        raise LicDamagedError(msg) from None
    return lengths, position


def _split(view: memoryview, position: int, lengths: Sequence[int]) -> list[memoryview]:
    streams = []
    for length in lengths:
        streams.append(view[position : position + length])
        position += length
    return streams
