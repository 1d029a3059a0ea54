"""Whole numbers in as few bytes as they need: unsigned LEB128 of at most 5 bytes; the standard library only."""

from ..errors import LicDamagedError, LicTruncatedError
from .limits import MAX_VARINT

__all__ = ["parse_varint", "write_varint"]


def parse_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return an unsigned LEB128 number of at most 5 bytes and the position after it."""
    value = 0
    for shift in range(0, 35, 7):
        if position >= len(data):
            msg = f"file ends after {len(data)} bytes, inside a number"
            raise LicTruncatedError(msg)
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    if byte >= 0x80 or value > MAX_VARINT or (byte == 0 and shift):
        msg = "number is not written in its shortest form of at most 5 bytes"
        raise LicDamagedError(msg)
    return value, position


def write_varint(value: int) -> bytes:
    """Return `value` (0..2**32 - 1) in its shortest form."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
