"""Places are not alike: the level as a field over the latents (DESIGN 3.4; Li 2018, Balle-Li, MS-ROI).

A file may carry a map of deltas, one signed byte for every latent (16x16 pixels), in steps of 8 levels. Where it is
positive the quantiser step is finer, as if that place had a higher quality.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .inflate import inflate
from .limits import MAX_LEVEL
from .symbols import STRIDE

Deltas = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
Box = tuple[float, ...]

STEP = 8
"""Levels of one unit of a delta: 127 units are almost the whole scale."""
SPAN = 3.0
"""Points of quality between the least and the most important place of a mask."""


def pack(deltas: Deltas) -> bytes:
    """Deltas (h, w) -> payload of the importance section: zlib of each row's differences from the row above."""
    rows = deltas.view(np.uint8)
    return zlib.compress(np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8)).tobytes(), 9)


def unpack(payload: bytes, shape: tuple[int, int]) -> Deltas:
    """The reverse. LicDamagedError unless the payload holds exactly shape[0] * shape[1] deltas."""
    size = shape[0] * shape[1]
    data = inflate(payload, size, "importance", f"{size} deltas ({shape[1]}x{shape[0]})")
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


def of(roi: Mask | Sequence[Box] | None, wanted: Mask | None, height: int, width: int) -> Deltas | None:
    """Return the deltas an encoder is asked for, or None when all places are alike.

    roi and wanted: a mask (height, width), uint8 0..255 or float 0..1, white being most important; roi also boxes (left,
    upper, right, lower[, weight 0..1]) in pixels, as `EncodeOptions` has checked them. Both together: their product. A full
    span of the mask is SPAN points of quality; their mean over the picture is kept at the quality asked for, so that bits
    move rather than grow. Raises ValueError naming what is wrong and what is legal.
    """
    maps = [_mask(wanted, "importance", height, width)] if wanted is not None else []
    if roi is not None:
        maps.append(_mask(roi, "roi", height, width) if isinstance(roi, np.ndarray) else _boxes(roi, height, width))
    if not maps:
        return None
    mask = _blocks(functools.reduce(np.multiply, maps))
    deltas: Deltas = np.rint((mask - mask.mean()) * SPAN * MAX_LEVEL / 9 / STEP).astype(np.int8)
    return deltas if deltas.any() else None


def _mask(value: object, name: str, height: int, width: int) -> Floats:
    a = np.asarray(value)
    if a.shape != (height, width):
        msg = f"{name} mask must have the shape of the picture, ({height}, {width}), got {a.shape}"
        raise ValueError(msg)
    mask: Floats = a.astype(np.float32) / np.float32(255 if a.dtype == np.uint8 else 1)
    if not (np.isfinite(mask).all() and mask.min() >= 0 and mask.max() <= 1):
        msg = f"{name} mask must be uint8 or numbers 0-1, got {a.dtype} from {a.min()} to {a.max()}"
        raise ValueError(msg)
    return mask


def _boxes(boxes: Sequence[Box], height: int, width: int) -> Floats:
    mask = np.zeros((height, width), np.float32)
    for box in boxes:
        left, upper, right, lower = box[:4]
        weight = box[4] if len(box) > 4 else 1.0
        if left < 0 or upper < 0 or right > width or lower > height:
            msg = f"roi box must lie inside the picture of {width}x{height} pixels, got {tuple(box[:4])}"
            raise ValueError(msg)
        area = mask[int(upper) : math.ceil(lower), int(left) : math.ceil(right)]
        np.maximum(area, weight, out=area)
    return mask


def _blocks(mask: Floats) -> Floats:
    """Mean over the 16x16 pixels of every latent (fewer at the right and bottom edge)."""
    down, right = -mask.shape[0] % STRIDE, -mask.shape[1] % STRIDE
    filled = np.pad(mask, ((0, down), (0, right)), "edge")
    rows, columns = filled.shape[0] // STRIDE, filled.shape[1] // STRIDE
    result: Floats = filled.reshape(rows, STRIDE, columns, STRIDE).mean((1, 3))
    return result
