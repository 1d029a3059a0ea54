"""The picture without some of its pixels: a smooth continuation of the others takes their place, which costs next to no bits.

Pull and push (Gortler 1996): means of the pixels that stay over squares of 2, 4, 8 ... pixels; then, from the coarsest on, every
square without any takes the value between its neighbours one level up. The means over squares of 16 are made of the whole
picture first, so that parts can be continued apart and still fit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..fileformat import squares
from ..fileformat.areas import Area
from . import pixelwise

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

COARSE = 16
"""Side in pixels of the squares whose means are made of the whole picture."""
_EDGE = 1024
"""Side in pixels of the squares that are continued in one go."""
_EMPTY = 128
"""Level of a picture without any pixel that stays."""


def without_hidden(pixels: Pixels) -> Pixels:
    """Return pixels (H, W, C) whose colours are 0 where alpha is: nobody sees them, and what they were costs bits."""
    if pixels.shape[2] % 2 or pixels[:, :, -1].all():
        return pixels
    return pixels * (pixels[:, :, -1:] > 0)


def beneath(pixels: Pixels, exact: Callable[[Area], Mask] | None) -> Pixels:
    """Return pixels (H, W, C) whose colours are continued where they are exact, or hidden by an alpha of 0.

    C is 1 or 3, or 2 or 4 with alpha last; `exact` gives the flags of an area, None: nothing is exact.
    """
    hidden = None if pixels.shape[2] % 2 or pixels[:, :, -1].all() else pixels[:, :, -1] == 0
    if exact is None and hidden is None:
        return pixels

    def removed(area: Area) -> Mask:
        gone = np.zeros(area.shape, np.bool_) if exact is None else exact(area)
        return gone if hidden is None else gone | hidden[area.slices]

    return continued(pixels, removed)


def continued(colors: Pixels, removed: Callable[[Area], Mask]) -> Pixels:
    """Return colours (H, W, C) in which removed pixels are continued from the others; `removed` gives the flags of an area."""
    height, width = colors.shape[:2]
    areas = [
        Area(x, y, min(x + _EDGE, width), min(y + _EDGE, height))
        for y in range(0, height, _EDGE)
        for x in range(0, width, _EDGE)
    ]
    rows, columns = -(-height // COARSE), -(-width // COARSE)
    sums, counts = np.zeros((rows, columns, colors.shape[2]), np.float32), np.zeros((rows, columns, 1), np.float32)
    for area in areas:
        here = area.over(COARSE).slices
        sums[here], counts[here] = pixelwise.sums_of_others(colors[area.slices], removed(area))
    coarse = _filled(sums, counts)
    result = colors.copy()
    for area in areas:
        gone = removed(area)
        if gone.any():
            window = Area(
                max(0, area.x0 - COARSE), max(0, area.y0 - COARSE), area.x1 + COARSE, area.y1 + COARSE
            ).intersection(Area(0, 0, width, height))
            fine = pixelwise.continued(colors[window.slices], removed(window), coarse[window.over(COARSE).slices])
            result[area.slices] = fine[area.within(window).slices]
    return result


def _filled(sums: Floats, counts: Floats) -> Floats:
    """Return the means (h, w, C) of all squares, those without a pixel continued from the others."""
    means: Floats = (sums / np.maximum(counts, 1)).astype(np.float32)
    if counts.shape[0] * counts.shape[1] == 1:
        return means if counts.any() else np.full_like(sums, _EMPTY)
    if counts.all():
        return means
    has = (counts > 0).astype(np.float32)
    above = _filled(squares.sums(means * has, 2), squares.sums(has, 2))
    return np.where(counts > 0, means, _doubled(above)[: sums.shape[0], : sums.shape[1]])


def _doubled(values: Floats) -> Floats:
    """Return values (h, w, C) at twice the size, bilinear between the middles of the squares."""
    for axis in (0, 1):
        before = np.concatenate([values.take([0], axis), values], axis).take(range(values.shape[axis]), axis)
        after = np.concatenate([values, values.take([-1], axis)], axis).take(range(1, values.shape[axis] + 1), axis)
        pair = np.stack([0.75 * values + 0.25 * before, 0.75 * values + 0.25 * after], axis + 1)
        shape = list(values.shape)
        shape[axis] *= 2
        values = pair.reshape(shape).astype(np.float32)
    return values
