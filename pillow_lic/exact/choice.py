"""Which drawn blocks a file of a level keeps exactly: those whose bits are fewer than the codec's, its error counted.

A learned codec spends on a drawn block, in bits and in error at the slope of the level, 0.04 to 0.09 bits a level of contrast at
quality 3.5 and 0.06 to 0.14 at 5.5 (medians 0.055 and 0.085; pages, maps, charts and banners of tests/screens, `lic1`). So all likely
blocks of a tile are kept where their real bits are below that. Where they are not, as on maps and curves, only the cheapest are,
if those pay.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ..fileformat import exact_layer
from ..fileformat.levels import level_to_quality
from ..fileformat.limits import MAX_LEVEL
from . import drawn, merging
from .drawn import Blocks

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

WORTH, GROWTH = 0.1, 1.245
"""Bits that a level of contrast may cost at quality REFERENCE, and how much more it may at the next quality."""
REFERENCE = 5.5
LIKELY = 0.16
"""Bits a level of contrast by the estimate of `drawn`, below which a block may be kept in a tile that pays as a whole."""
CHEAPEST = 0.55
"""Estimate, in parts of what contrast is worth, of the blocks kept in other tiles: their real bits are up to twice as many."""
LEAST_LAMBDA, LARGEST_LAMBDA = 0.0016, 0.25
"""Bits that a squared level of error, the mean of the channels, is worth at the lowest and the highest level; between them in equal ratios."""


def worth(level: int) -> float:
    """Return the bits that a level of contrast may cost in a file of that level."""
    return WORTH * math.pow(GROWTH, level_to_quality(level) - REFERENCE)


def kept(colors: Pixels, blocks: Blocks, level: int) -> Mask | None:
    """Return which blocks of a tile (h, w, 1 or 3) are kept exactly in a file of that level; None where none pay."""
    most = worth(level)
    for chosen in (blocks.within(LIKELY), blocks.within(CHEAPEST * most)):
        if _cost(colors, chosen, level) <= most * blocks.contrast[chosen].sum():
            return chosen
    return None


def _cost(colors: Pixels, chosen: Mask, level: int) -> float:
    """Return what it costs to keep blocks in a file of that level, in bits: those of the layer, and of the error of merged colours."""
    exact = drawn.pixels_of(chosen, colors.shape[:2])
    shown = merging.merged(colors, exact, merging.reach(level))
    streams = exact_layer.written(shown, np.where(exact, np.uint8(255), np.uint8(0))) or []
    squares = np.square(shown.astype(np.float32) - colors).mean(2).sum()
    slope = LEAST_LAMBDA * math.pow(LARGEST_LAMBDA / LEAST_LAMBDA, level / MAX_LEVEL)
    return 8 * sum(map(len, streams)) + slope * float(squares)
