"""The importance section: the level as a field over the picture, one signed delta for every 16x16 pixels (Li 2018, Balle-Li).

Where a delta is positive the quantiser step is finer, as if that place had a higher quality.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .inflate import inflate
from .limits import MAX_LEVEL

Deltas = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float32]

CELL = 16
"""Pixels of one delta, each way."""
STEP = 8
"""Levels of one unit of a delta: 127 units are almost the whole scale."""


def shape_of(height: int, width: int) -> tuple[int, int]:
    """Return the rows and columns of deltas of a picture of so many pixels."""
    return (-(-height // CELL), -(-width // CELL))


@dataclass(frozen=True)
class Map:
    """The importance map of a file, as `Image.info["importance"]` has it: `numpy.asarray` of it gives the deltas.

    They are int8 (rows, columns), one for every 16x16 pixels: 1 is a finer step by 8/1024 of the quality scale, 9/128 of a
    point. Given to save as `importance`, it is written again as it is. LicDamagedError from `asarray` if it holds none.
    """

    shape: tuple[int, int]
    payload: bytes = field(repr=False)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            msg = "the map is inflated, so it cannot be had without a copy"
            raise ValueError(msg)
        return unpack(self.payload, self.shape).astype(dtype or np.int8, copy=False)


def pack(deltas: Deltas) -> bytes:
    """Return the payload of the importance section of deltas (h, w): zlib of each row's differences from the row above."""
    rows = deltas.view(np.uint8)
    data = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8)).tobytes()
    return min((_deflated(data, strategy) for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_RLE)), key=len)


def _deflated(data: bytes, strategy: int) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, strategy)
    return stream.compress(data) + stream.flush()


def unpack(payload: bytes, shape: tuple[int, int]) -> Deltas:
    """Return the deltas of a payload; LicDamagedError unless it holds exactly shape[0] * shape[1] of them."""
    size = shape[0] * shape[1]
    data = inflate(payload, size, "importance", f"{size} deltas ({shape[1]}x{shape[0]})")
    return np.cumsum(np.frombuffer(data, np.uint8).reshape(shape), axis=0, dtype=np.uint8).view(np.int8)


def level_field(level: int, deltas: Deltas | None, shape: tuple[int, int], top: int = 0, left: int = 0) -> Floats:
    """Return the level of every latent of a window of that shape that begins at latent (top, left), integers 0..1024 as float32.

    The window may reach over the end of the deltas (padding: no delta).
    """
    field = np.full(shape, level, np.float32)
    if deltas is not None:
        inside = deltas[top : top + shape[0], left : left + shape[1]]
        field[: inside.shape[0], : inside.shape[1]] += STEP * inside.astype(np.float32)
    return field.clip(0, MAX_LEVEL)
