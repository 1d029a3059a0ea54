"""What tells the things that a picture is of from their ground, found without a network: what `semantic`'s network sees.

Three cues: how unlike a cell is to what lies along the border of the picture (Wei and others 2012), how rare it is in the picture
(Cheng and others 2011), and how near the middle. The picture is looked at in one small size, so one of any size takes the same work.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .percentiles import percentiles

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

LONGEST = 384
"""Pixels of the longer side that is looked at."""
CELL = 8
"""Pixels of a cell, each way, at that size."""
OCTAVES = 3
"""Scales of contrast in a cell: between pixels, pairs and fours of them, each way."""
LIKE = 0.12
"""The difference of colours, 1 being white against black, and of textures at which two cells are no longer alike."""
FLOOR = 1e-4
"""Mean likeness below which all cells are unlike."""
DARK = 1e-6
"""Added to a contrast, a square of shares of white, before its logarithm: half of an eighth of a level's."""
MIDDLE_WEIGHT = 2
"""Of nearness to the middle, against 1 of each of the other two cues: alone it finds as much as both of them."""
PLACES, COLORS = 8, 6
"""Features that come first, of place and unlikeness, and those of colour after them; contrasts are last."""
FEATURES = PLACES + COLORS + 2 * OCTAVES


def features(rgb: Pixels, rows: int, columns: int) -> Floats:
    """Return what tells pairs of cells of pixels (H, W, 3) from others, as (FEATURES, rows, columns): means over two of them each way.

    First the cues as percentiles, unlike the border, rare, near the middle, and the percentile of their weighted sum; the place and that
    place squared, -1..1 (of columns the distance from the middle); red, green and blue less their means, luma, red and blue less luma;
    the logarithms of the contrasts of each octave, and the same less their means.
    """
    colours, contrasts = _looks(rgb, 2 * rows, 2 * columns)
    looks = np.concatenate([colours, 2 * np.sqrt(contrasts.sum(2, keepdims=True))], 2)
    border = np.concatenate([looks[0], looks[-1], looks[:, 0], looks[:, -1]])
    some = looks[::2, ::2].reshape(-1, looks.shape[2])
    y, x = np.meshgrid(*(np.linspace(-1, 1, 2 * n, dtype=np.float32) for n in (rows, columns)), indexing="ij")
    cues = [percentiles(_smoothed(_unlikeness(looks, others))) for others in (border, some)]
    cues.append(percentiles(-(y**2 + x**2)))
    places = [*cues, percentiles(cues[0] + cues[1] + MIDDLE_WEIGHT * cues[2]), y, np.abs(x), x**2, y**2]
    luma, logs = colours.mean(2, keepdims=True), np.log(contrasts + DARK)
    of_color = [colours - colours.mean((0, 1)), luma, colours[:, :, ::2] - luma]
    parts = np.concatenate([np.stack(places, 2), *of_color, logs, logs - logs.mean((0, 1))], 2, dtype=np.float32)
    return np.ascontiguousarray(resampled(parts, rows, columns).transpose(2, 0, 1))


def _looks(rgb: Pixels, rows: int, columns: int) -> tuple[Floats, Floats]:
    """Return the mean colours (rows, columns, 3) of the cells of pixels (H, W, 3), and the variance of luma that each octave adds.

    The second has the shape (rows, columns, OCTAVES), from between single pixels on; their sum is the variance in the cell.
    """
    small = resampled(rgb.astype(np.float32), CELL * rows, CELL * columns) / 255
    luma, contrasts = small.mean(2), []
    for octave in range(OCTAVES):
        side = CELL >> (octave + 1)
        means = luma.reshape(side * rows, 2, side * columns, 2).mean((1, 3))
        squares = (luma - means.repeat(2, 0).repeat(2, 1)) ** 2
        contrasts.append(squares.reshape(rows, 2 * side, columns, 2 * side).mean((1, 3)))
        luma = means
    return small.reshape(rows, CELL, columns, CELL, 3).mean((1, 3)), np.stack(contrasts, 2)


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
