"""Places are not alike: the level as a field over the latents (DESIGN 3.4; Li 2018, Balle-Li, MS-ROI).

A file may carry a map of deltas, one signed byte for every latent (16x16 pixels), in steps of 8 levels. Where it is
positive the quantiser step is finer, as if that place had a higher quality.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

from .errors import LicDamagedError
from .limits import MAX_LEVEL

Deltas = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float32]

STEP = 8
"""Levels of one unit of a delta: 127 units are almost the whole scale."""


def pack(deltas: Deltas) -> bytes:
    """Deltas (h, w) -> payload of the importance section: zlib of each row's differences from the row above."""
    rows = deltas.view(np.uint8)
    return zlib.compress(np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8)).tobytes(), 9)


def unpack(payload: bytes, shape: tuple[int, int]) -> Deltas:
    """The reverse. LicDamagedError unless the payload holds exactly shape[0] * shape[1] deltas."""
    size = shape[0] * shape[1]
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(payload, size + 1)
    except zlib.error as error:
        msg = f"importance section is damaged: {error}"
        raise LicDamagedError(msg) from error
    if len(data) != size or not inflater.eof:
        msg = f"importance section must hold {size} deltas ({shape[1]}x{shape[0]}), it does not"
        raise LicDamagedError(msg)
    return np.cumsum(np.frombuffer(data, np.uint8).reshape(shape), axis=0, dtype=np.uint8).view(np.int8)


def window(deltas: Deltas | None, top: int, left: int, shape: tuple[int, int]) -> Deltas | None:
    """The deltas of a tile whose first latent is (top, left)."""
    return None if deltas is None else deltas[top : top + shape[0], left : left + shape[1]]


def level_field(level: int, deltas: Deltas | None, shape: tuple[int, int]) -> Floats:
    """The level of every latent, integers 0..1024 as float32; `shape` may be larger than the deltas (padding: no delta)."""
    field = np.full(shape, level, np.float32)
    if deltas is not None:
        field[: deltas.shape[0], : deltas.shape[1]] += STEP * deltas.astype(np.float32)
    return field.clip(0, MAX_LEVEL)


def of(roi: object, wanted: object, inside: tuple[int, int]) -> Deltas | None:
    """The deltas an encoder is asked for, or None for a picture whose places are alike."""
    if roi is None and wanted is None:
        return None
    msg = "roi= and importance= are not supported by this release: leave them out"
    raise ValueError(msg)
