"""Whether a page was damaged before it came here, as by JPEG: no letter on it is as it was drawn, so none need stay as it is.

What was coded by waves has ripples beside every step: pixels that rise and fall by a few levels. Clean letters have next to none there, as
their edges take few of them and what lies beyond is flat.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..fileformat import squares
from .drawn import BLOCK, LEAST_SURE

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_STEP, _SMALL, _BEND = 40, 12, 2
"""Levels from a pixel to the next where something drawn has its edge; those to both sides up to which a pixel may be of a ripple, and the
bend, in levels, from which on it is."""
_LEAST_STEPS: Final = 4
"""Steps of a block that shows what is beside them."""
_RIPPLES: Final = 0.18
"""Share of pixels of ripples in the middle one of such blocks: 0.23 to 0.34 in pages saved as JPEG (quality 75 to 95), 0 to 0.03 in clean
ones, up to 0.09 on maps, 0.09 to 0.15 in scaled ones, 0.28 to 0.36 on cards with gradients and shadows (tests/screens)."""
_MORE: Final = 0.5
"""Pixels of ripples for a step, from which on a block is damaged."""
_MOST_OF_BLOCKS: Final = 0.8
"""Share of blocks that are: 0.87 and more in pages saved as JPEG, up to 0.4 in clean ones with letters on flat grounds."""


def is_seen(colors: Pixels) -> bool:
    """Return whether what is drawn in a tile (h, w, 1 or 3) is damaged."""
    levels = colors[:, :, colors.shape[2] // 2].astype(np.int16)
    steps = np.abs(np.diff(levels, axis=1))
    bends = np.abs(np.diff(levels, 2, axis=1)) >= _BEND
    ripples, edges = np.zeros(levels.shape, np.bool_), np.zeros(levels.shape, np.bool_)
    ripples[:, 1:-1] = bends & (np.maximum(steps[:, 1:], steps[:, :-1]) <= _SMALL)
    edges[:, 1:] = steps >= _STEP
    number = squares.sums(edges, BLOCK)
    shown = number >= _LEAST_STEPS
    if shown.sum() < LEAST_SURE:
        return False
    found, number = squares.sums(ripples, BLOCK)[shown], number[shown]
    return bool(np.median(found) >= _RIPPLES * BLOCK**2 and (found > _MORE * number).mean() >= _MOST_OF_BLOCKS)
