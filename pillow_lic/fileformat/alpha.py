"""The alpha plane, lossless: row filters and zlib, in one section of the file."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

from ..errors import LicDamagedError
from .inflate import inflate

Plane = npt.NDArray[np.uint8]

FILTERED, CONSTANT = 0, 1
"""First byte of the payload: filtered rows in a zlib stream, or one value for the whole plane."""
FILTERS = 3
"""None, Left, Up, as PNG has them. Its other two need a loop over pixels to undo and gain little on alpha planes."""


def _predictions(row: Plane, above: Plane) -> list[Plane]:
    """Return what filter types 0..2 predict for a row of the plane: nothing, the value to the left, the value above."""
    return [np.zeros_like(row), np.concatenate([[np.uint8(0)], row[:-1]]), above]


def pack(plane: Plane) -> bytes:
    """Plane (H, W) -> payload. Each row takes the filter with the smallest sum of absolute differences (PNG's heuristic)."""
    if (plane == plane[0, 0]).all():
        return bytes([CONSTANT, plane[0, 0]])
    rows, above = [], np.zeros(plane.shape[1], np.uint8)
    for row in plane:
        differences = [row - p for p in _predictions(row, above)]
        kind = min(range(FILTERS), key=lambda k: int(np.abs(differences[k].view(np.int8).astype(np.int16)).sum()))
        rows.append(bytes([kind]) + differences[kind].tobytes())
        above = row
    return bytes([FILTERED]) + zlib.compress(b"".join(rows), 9)


def unpack(payload: bytes, shape: tuple[int, int]) -> Plane:
    """The reverse. LicDamagedError unless the payload holds exactly that plane."""
    height, width = shape
    size = height * (width + 1)
    if len(payload) == 2 and payload[0] == CONSTANT:
        return np.full(shape, payload[1], np.uint8)
    if not payload or payload[0] != FILTERED:
        msg = f"alpha section must be {FILTERED} and rows, or {CONSTANT} and a value, got {payload[:2].hex() or 'nothing'}"
        raise LicDamagedError(msg)
    data = inflate(payload[1:], size, "alpha", f"{height} rows of {width} values")
    rows = np.frombuffer(data, np.uint8).reshape(height, width + 1)
    if int(rows[:, 0].max()) >= FILTERS:
        msg = f"alpha section uses filter {int(rows[:, 0].max())}, 0-{FILTERS - 1} are legal"
        raise LicDamagedError(msg)
    plane, above = np.empty(shape, np.uint8), np.zeros(width, np.uint8)
    for y in range(height):
        above = plane[y] = _unfilter(int(rows[y, 0]), rows[y, 1:], above)
    return plane


def averaged(plane: Plane, scale: int) -> Plane:
    """The rounded mean of every square of so many pixels, fewer at the right and bottom edge."""
    rows, columns = (np.arange(0, length, scale) for length in plane.shape)
    sums = np.add.reduceat(np.add.reduceat(plane, rows, 0, np.uint32), columns, 1)
    areas = np.minimum(scale, plane.shape[0] - rows)[:, None] * np.minimum(scale, plane.shape[1] - columns)
    result: Plane = ((sums + areas // 2) // areas).astype(np.uint8)
    return result


def _unfilter(kind: int, differences: Plane, above: Plane) -> Plane:
    if kind == 1:
        return np.cumsum(differences, dtype=np.uint8)
    return differences + above if kind == 2 else differences
