"""The alpha plane, lossless: PNG's row filters and zlib, in one section of the file."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

from .errors import LicDamagedError

Plane = npt.NDArray[np.uint8]

FILTERED, CONSTANT = 0, 1
"""First byte of the payload: filtered rows in a zlib stream, or one value for the whole plane."""
FILTERS = 5


def _predictions(row: Plane, above: Plane) -> list[Plane]:
    """What each PNG filter type 0..4 predicts for a row of the plane."""
    left = np.concatenate([[0], row[:-1]]).astype(np.int16)
    corner = np.concatenate([[0], above[:-1]]).astype(np.int16)
    up = above.astype(np.int16)
    paeth = left + up - corner
    distances = np.abs(paeth - left), np.abs(paeth - up), np.abs(paeth - corner)
    nearest = np.where(distances[1] <= distances[2], up, corner)
    paeth = np.where((distances[0] <= distances[1]) & (distances[0] <= distances[2]), left, nearest)
    return [a.astype(np.uint8) for a in (np.zeros_like(left), left, up, (left + up) // 2, paeth)]


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
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(payload[1:], size + 1)
    except zlib.error as error:
        msg = f"alpha section is damaged: {error}"
        raise LicDamagedError(msg) from error
    if len(data) != size or not inflater.eof:
        msg = f"alpha section must hold {height} rows of {width} values, it does not"
        raise LicDamagedError(msg)
    rows = np.frombuffer(data, np.uint8).reshape(height, width + 1)
    if int(rows[:, 0].max()) >= FILTERS:
        msg = f"alpha section uses filter {int(rows[:, 0].max())}, 0-{FILTERS - 1} are legal"
        raise LicDamagedError(msg)
    plane, above = np.empty(shape, np.uint8), np.zeros(width, np.uint8)
    for y in range(height):
        above = plane[y] = _unfilter(int(rows[y, 0]), rows[y, 1:], above)
    return plane


def _unfilter(kind: int, differences: Plane, above: Plane) -> Plane:
    if kind == 0:
        return differences
    if kind == 1:
        return np.cumsum(differences, dtype=np.uint8)
    if kind == 2:
        return differences + above
    row, left, corner = bytearray(len(differences)), 0, 0
    for x, (difference, up) in enumerate(zip(differences.tolist(), above.tolist(), strict=True)):
        if kind == 3:
            prediction = (left + up) // 2
        else:
            p = left + up - corner
            a, b, c = abs(p - left), abs(p - up), abs(p - corner)
            prediction = left if a <= b and a <= c else up if b <= c else corner
        row[x] = left = (difference + prediction) & 255
        corner = up
    return np.frombuffer(bytes(row), np.uint8)
