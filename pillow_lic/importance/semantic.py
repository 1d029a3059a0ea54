"""The things that a picture is of, for importance="semantic": found by what tells things from their ground, without a network.

After MS-ROI (Prakash and others 2017, arXiv 1612.08712), which weighs every place by its percentile among those of the picture,
several objects at once; its network has learned 257 classes from labels. Three cues stand in its place: how unlike a cell is to
what lies along the border of the picture (Wei and others 2012), how rare it is in the picture (Cheng and others 2011), and how
near the middle. The picture is looked at in one small size, so one of any size takes the same work.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..fileformat.importance_map import shape_of
from .percentiles import percentiles

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

LONGEST = 192
"""Pixels of the longer side that is looked at."""
CELL = 4
"""Pixels of a cell, each way, at that size."""
LIKE = 0.12
"""The difference of colours, 1 being white against black, and of textures at which two cells are no longer alike."""
FLOOR = 1e-4
"""Mean likeness below which all cells are unlike."""
MIDDLE_WEIGHT = 2
"""Of nearness to the middle, against 1 of each of the other two cues: alone it finds as much as both of them."""


def values(rgb: Pixels) -> Floats:
    """Return a value in -1..1 for every 16x16 pixels (H, W, 3): its percentile among those of the picture, 1 the most salient."""
    height, width = rgb.shape[:2]
    scale = min(1.0, LONGEST / max(height, width)) / CELL
    rows, columns = (max(1, round(length * scale)) for length in (height, width))
    looks = _looks(rgb, rows, columns)
    border = np.concatenate([looks[0], looks[-1], looks[:, 0], looks[:, -1]])
    some = looks[::2, ::2].reshape(-1, looks.shape[2])
    y, x = (np.linspace(-1, 1, length, dtype=np.float32) ** 2 for length in (rows, columns))
    cells = percentiles(_smoothed(_unlikeness(looks, border))) + percentiles(_smoothed(_unlikeness(looks, some)))
    cells += MIDDLE_WEIGHT * percentiles(-(y[:, None] + x))
    return percentiles(resampled(cells[:, :, None], *shape_of(height, width))[:, :, 0])


def _looks(rgb: Pixels, rows: int, columns: int) -> Floats:
    """Return colours and twice the deviation of luma in every cell, (rows, columns, 4), of pixels (H, W, 3)."""
    small = resampled(rgb.astype(np.float32), CELL * rows, CELL * columns) / 255
    cells = small.reshape(rows, CELL, columns, CELL, 3)
    return np.concatenate([cells.mean((1, 3)), 2 * cells.mean(4).std((1, 3))[:, :, None]], 2)


def _unlikeness(looks: Floats, others: Floats) -> Floats:
    """Return how unlike each cell (h, w, 4) is to others (n, 4): minus the logarithm of its mean likeness to them."""
    squares = (looks**2).sum(2)[:, :, None] + (others**2).sum(1) - 2 * (looks @ others.T)
    result: Floats = -np.log(np.exp(-squares / (2 * LIKE**2)).mean(2) + FLOOR)
    return result


def _smoothed(cells: Floats) -> Floats:
    """Return cells (h, w) averaged with their 8 neighbours, twice."""
    height, width = cells.shape
    for _ in range(2):
        wide = np.pad(cells, 1, "edge")
        around = np.stack([wide[y : y + height, x : x + width] for y in range(3) for x in range(3)])
        cells = around.mean(0, dtype=np.float32)
    return cells


def resampled(values: Floats, rows: int, columns: int) -> Floats:
    """Return values (H, W, C) at another size: means where it is smaller, repeated where it is larger."""
    for axis, length in enumerate((rows, columns)):
        edges = np.arange(length + 1) * values.shape[axis] // length
        if length == values.shape[axis]:
            continue
        if length < values.shape[axis]:
            shape = [1, 1, 1]
            shape[axis] = length
            values = np.add.reduceat(values, edges[:-1], axis) / np.diff(edges).reshape(shape).astype(np.float32)
        else:
            values = values.take(edges[:-1], axis)
    return values
