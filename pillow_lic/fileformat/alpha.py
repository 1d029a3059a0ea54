"""The alpha plane, lossless: row filters and zlib, in one section of the file."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

from ..errors import LicDamagedError
from . import squares
from .inflate import inflated

Plane = npt.NDArray[np.uint8]

FILTERED, CONSTANT, IN_TILES = 0, 1, 2
"""First byte of the payload: filtered rows in a zlib stream, one value for the whole plane, or nothing: the tiles have it."""
BAND_BYTES = 2**20
"""Bytes of rows that are unpacked at a time."""
FILTERS = 3
"""None, Left, Up, as PNG has them. Its other two need a loop over pixels to undo and gain little on alpha planes."""


def _predictions(row: Plane, above: Plane) -> list[Plane]:
    """Return the predictions of filter types 0..2 for a row of the plane: nothing, the value to the left, the value above."""
    return [np.zeros_like(row), np.concatenate([[np.uint8(0)], row[:-1]]), above]


def pack(plane: Plane) -> bytes:
    """Return the payload of a plane (H, W); each row takes the filter with the smallest sum of absolute differences, as in PNG."""
    if all((row == plane[0, 0]).all() for row in plane):
        return bytes([CONSTANT, plane[0, 0]])
    deflater, above = zlib.compressobj(9), np.zeros(plane.shape[1], np.uint8)
    parts = [bytes([FILTERED])]
    for row in plane:
        differences = [row - p for p in _predictions(row, above)]
        kind = min(range(FILTERS), key=lambda k: int(np.abs(differences[k].view(np.int8).astype(np.int16)).sum()))
        parts.append(deflater.compress(bytes([kind]) + differences[kind].tobytes()))
        above = row
    return b"".join([*parts, deflater.flush()])


def in_tiles(payload: bytes) -> bool:
    """Whether a payload says that the plane is coded with the colours, in the tiles."""
    return payload == bytes([IN_TILES])


def unpack(payload: bytes, shape: tuple[int, int], scale: int = 1) -> Plane:
    """Payload -> plane (H, W), or (ceil(H / scale), ceil(W / scale)) of the rounded means of so many values each way.

    The plane alone is in memory; one of a single value takes none. LicDamagedError unless the payload holds exactly a plane
    of that shape.
    """
    height, width = shape
    if len(payload) == 2 and payload[0] == CONSTANT:
        return np.broadcast_to(np.uint8(payload[1]), (-(-height // scale), -(-width // scale)))
    if not payload or payload[0] != FILTERED:
        msg = f"alpha section must be {FILTERED} and rows, or {CONSTANT} and a value, got {payload[:2].hex() or 'nothing'}"
        raise LicDamagedError(msg)
    plane = np.empty((-(-height // scale), -(-width // scale)), np.uint8)
    above = np.zeros(width, np.uint8)
    rows = max(1, BAND_BYTES // (width + 1) // scale) * scale
    data = inflated(
        memoryview(payload)[1:], height * (width + 1), rows * (width + 1), "alpha", f"{height} rows of {width} values"
    )
    for number, block in enumerate(data):
        filtered = np.frombuffer(block, np.uint8).reshape(-1, width + 1)
        if int(filtered[:, 0].max()) >= FILTERS:
            msg = f"alpha section uses filter {int(filtered[:, 0].max())}, 0-{FILTERS - 1} are legal"
            raise LicDamagedError(msg)
        band = np.empty((len(filtered), width), np.uint8)
        for y, row in enumerate(filtered):
            above = band[y] = _unfilter(int(row[0]), row[1:], above)
        place = number * rows // scale
        seen = band if scale == 1 else averaged(band, scale)
        plane[place : place + len(seen)] = seen
    return plane


def averaged(plane: Plane, scale: int) -> Plane:
    """Return the rounded mean of every square of so many pixels, fewer at the right and bottom edge."""
    areas = squares.counts(plane.shape, scale)
    result: Plane = ((squares.sums(plane, scale, np.uint32) + areas // 2) // areas).astype(np.uint8)
    return result


def _unfilter(kind: int, differences: Plane, above: Plane) -> Plane:
    if kind == 1:
        return np.cumsum(differences, dtype=np.uint8)
    return differences + above if kind == 2 else differences
