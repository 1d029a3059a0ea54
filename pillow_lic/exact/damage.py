"""Whether a page was damaged before it came here, as by JPEG, a scanner or scaling: its letters are not as they were drawn, so none need stay.

What was coded by waves has ripples beside every step: pixels that rise and fall by a few levels. Clean letters have next to none there, as
their edges take few of them and what lies beyond is flat. Photographs have as many, but nothing flat.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..fileformat import squares
from .blockwise import BLOCK, LEAST_SURE

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_ROWS = 8
"""One of so many rows is seen by the quick look."""
_LEAST_FLAT, _LEAST_FLAT_BESIDE = 0.35, 0.05
"""Share of pixels that equal the one before them, and of those that equal the one above too, and that where something is known to be drawn.

In pages saved as JPEG 0.47 and more, in dense sheets 0.2, beside photographs 0.07; in one photograph of a hundred that was never saved so
0.27, in one of twenty saved at quality 85 (tests/screens).
"""
_STEP, _LEAST_STEPS = 40, 4
"""Levels from a pixel to the next where something drawn has its edge, and the edges of a block that shows what is beside them."""
_LEAST, _MOST, _BEND = 2, 12, 2
"""Levels to one side at the least, and to both at the most, of a pixel of a ripple, and the bend there: dithered gradients have steps of 1."""
_RIPPLES = 0.13
"""Share of pixels of ripples in the middle one of such blocks: 0.14 to 0.37 in pages saved as JPEG (quality 60 to 95), 0 to 0.09 in clean ones
and on maps, 0.05 to 0.14 in scaled ones, 0.25 where half of a page is photographs."""
_DAMAGED, _CLEAN, _SURELY_CLEAN = 0.5, 0.15, 0.05
"""Pixels of ripples for an edge from which on a block is damaged, and up to which it is clean, or clean beyond doubt."""
_LEAST_DAMAGED, _MOST_CLEAN = 0.7, 0.06
"""Share of blocks that are damaged at the least and clean at the most: 0.76 to 1 and 0 to 0.05 in pages saved as JPEG; clean are 0.19 to 1 of
clean pages, with photographs or without."""
_STEPS_OF_GROUND, _LEAST_GROUND, _ON_GROUND = 8, 0.5, 0.72
"""Levels of a step, three of which in a row hold a ground, the part of a block that it is at the least, and the share of blocks with an edge
that have one: 0.76 to 1 in pages saved as JPEG, up to 0.56 in photographs with flat parts that were never saved so."""

_LEAST_PAPER, _WIDE, _NARROW, _PAPER = 0.65, 24, 9, 128
"""Share of pixels within so many levels that are one ground, give or take some noise: of scaled pages, 0.78 to 0.9; of clean scans, whose paper
is lit evenly, 0.75 and 0.81, of notes and boards in photographs 0.33 to 0.77. And the levels of paper at the least: paintings have black."""
_SOFT, _MOST_SOFT = 2, 0.12
"""Levels to the next pixel up to which it is a soft step, and their share at the most: 0.03 to 0.07 in scaled pages, 0.2 to 0.45 where
gradients or photographs are, which few colours would give bands."""
_LEAST_INKED, _ON_PAPER = 0.35, 0.75
"""Share of the blocks of a scan that have edges, and of these that have a ground: 0.43 and 0.67, 0.83 and 0.98; where photographs have such
paper 0.2 to 0.25, 0.43 in one of 4,000."""


def may_be_scaled(colors: Pixels) -> bool:
    """Return whether most of a square (h, w, 1 or 3) is one ground, and little of it smooth, as of a page that was scaled."""
    seen = colors[_ROWS // 2 :: _ROWS, :, colors.shape[2] // 2]
    steps = np.abs(np.diff(seen.astype(np.int16), axis=1))
    return _has_paper(seen, _WIDE) and int(((steps > 0) & (steps <= _SOFT)).sum()) <= _MOST_SOFT * steps.size


def _has_paper(levels: Pixels, within: int) -> bool:
    """Return whether most of some rows of a plane (h, w) are within so many levels."""
    counts = np.bincount(levels.ravel(), minlength=256)
    return bool(np.convolve(counts, np.ones(within)).max() >= _LEAST_PAPER * max(1, levels.size))


def is_scanned(colors: Pixels) -> bool:
    """Return whether a square (h, w, 1 or 3) is a scanned page: ink nearly everywhere on paper of one colour."""
    levels = colors[:, :, colors.shape[2] // 2]
    seen = levels[_ROWS // 2 :: _ROWS]
    if min(levels.shape) < BLOCK or not _has_paper(seen, _NARROW) or np.median(seen) < _PAPER:
        return False
    edges = np.zeros(levels.shape, np.bool_)
    edges[:, 1:] = np.abs(np.diff(levels.astype(np.int16), axis=1)) >= _STEP
    shown = squares.sums(edges, BLOCK) >= _LEAST_STEPS
    return bool(shown.mean() >= _LEAST_INKED and _on_ground(levels, shown) >= _ON_PAPER)


def found(colors: Pixels, *, is_drawn: bool) -> Mask | None:
    """Return which blocks of a square (h, w, 1 or 3) that is damaged may be so: all but those that are clean beyond doubt; None for others.

    is_drawn: something in it is known to be drawn. Else most of what has edges must have a ground.
    """
    levels = colors[:, :, colors.shape[2] // 2]
    looked_at = levels[_ROWS // 2 :: _ROWS] if len(levels) > _ROWS // 2 else levels
    least_flat = _LEAST_FLAT_BESIDE if is_drawn else _LEAST_FLAT
    if min(levels.shape) < BLOCK or (looked_at[:, 1:] == looked_at[:, :-1]).mean() < least_flat:
        return None
    steps, steps_down = np.diff(levels.astype(np.int16), axis=1), np.diff(levels.astype(np.int16), axis=0)
    if ((steps[1:] == 0) & (steps_down[:, 1:] == 0)).mean() < least_flat:
        return None
    bends = np.abs(np.diff(steps, axis=1)) >= _BEND
    steps = np.abs(steps)
    most = np.maximum(steps[:, 1:], steps[:, :-1])
    edges, ripples = np.zeros(levels.shape, np.bool_), np.zeros(levels.shape, np.bool_)
    edges[:, 1:] = steps >= _STEP
    ripples[:, 1:-1] = bends & (most >= _LEAST) & (most <= _MOST)
    number, rippled = squares.sums(edges, BLOCK), squares.sums(ripples, BLOCK)
    shown = number >= _LEAST_STEPS
    if shown.sum() < LEAST_SURE or np.median(rippled[shown]) < _RIPPLES * BLOCK**2:
        return None
    shares = rippled[shown] / number[shown]
    if (shares > _DAMAGED).mean() < _LEAST_DAMAGED or (shares <= _CLEAN).mean() > _MOST_CLEAN:
        return None
    if not is_drawn and _on_ground(levels, shown) < _ON_GROUND:
        return None
    damaged: Mask = ~(shown & (rippled <= _SURELY_CLEAN * number))
    return damaged


def _on_ground(levels: Pixels, shown: Mask) -> float:
    """Return the share of marked blocks of a plane (h, w), of whole ones, that have a ground."""
    rows, columns = (side // BLOCK for side in levels.shape)
    cut = levels[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)
    blocks = cut[shown[:rows, :columns]].reshape(-1, BLOCK**2) // np.uint8(_STEPS_OF_GROUND)
    bins = 256 // _STEPS_OF_GROUND + 2
    places = blocks + 1 + bins * np.arange(len(blocks))[:, None]
    counts = np.bincount(places.ravel(), minlength=bins * len(blocks)).reshape(-1, bins)
    most = (counts[:, :-2] + counts[:, 1:-1] + counts[:, 2:]).max(1, initial=0)
    return float((most > _LEAST_GROUND * BLOCK**2).mean()) if len(blocks) else 0.0
