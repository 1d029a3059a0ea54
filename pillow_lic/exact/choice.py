"""Which drawn blocks a file of a level keeps exactly: those whose bits are fewer than the codec's, its error counted.

What a block costs the codec, in bits and in error at the slope of the level, is known in two ways. By its contrast, which takes no
time: 0.04 to 0.09 bits a level of contrast at quality 3.5 and 0.06 to 0.14 at 5.5 (medians 0.055 and 0.085; pages, maps, charts and
banners of tests/screens, `lic1`). And by the error of the picture when the codec has all of it, which takes another coding: error is 43 to 55 %
of the cost at quality 3.5 and 30 to 48 % at 5.5. The second is asked where the first leaves doubt.

    estimates by block ─▶ likely ones ─▶ real bits, far below what their contrast is worth? ─yes─▶ kept
                                                     └─no─▶ error of the codec ─▶ all likely ones, those that pay one by one, or none
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..fileformat import exact_layer
from ..fileformat.levels import level_to_quality
from ..fileformat.limits import MAX_LEVEL
from . import drawn, merging
from .drawn import Blocks

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Lost = Callable[[], Floats]
"""Returns the squared error of every block of a tile, summed over its pixels, when the codec has all of it: the mean of the channels."""

WORTH, GROWTH, REFERENCE = 0.085, 1.245, 5.5
"""Bits that a level of contrast costs the codec at quality REFERENCE, and how much more they are at the next quality."""
CLEAR = 0.6
"""Part of what contrast is worth up to which bits are few beyond doubt."""
LIKELY = 0.16
"""Bits a level of contrast by the estimate of `drawn`, below which a block may be kept in a tile that pays as a whole."""
ESTIMATED = 1.5
"""Real bits for one that `drawn` estimates, where blocks are kept one by one: 1.3 to 2."""
FAVOUR, FAVOUR_OF_LETTERS = 1.1, 1.25
"""What exact blocks may cost for one bit of the codec's: pages are looked at closely, and from quality 5 on letters are to be exact."""
LEAST_LAMBDA, LARGEST_LAMBDA = 0.0016, 0.25
"""Bits that a squared level of error, the mean of the channels, is worth at the lowest and the highest level; between them in equal ratios."""
SHARE, SHARE_FALLS = 0.4, 0.05
"""Error's part of what drawn blocks cost the codec at quality REFERENCE, and how much less it is at the next quality."""
LEAST_SHARE = 0.25


def by_contrast(contrast: Floats, level: int) -> Floats:
    """Return the bits that blocks of so much contrast are likely to cost the codec in a file of that level, their error counted."""
    return contrast * np.float32(WORTH * math.pow(GROWTH, level_to_quality(level) - REFERENCE))


def by_error(error: Floats, level: int) -> Floats:
    """Return the bits that blocks of so much squared error cost the codec in a file of that level, their error counted."""
    share = max(LEAST_SHARE, SHARE - SHARE_FALLS * (level_to_quality(level) - REFERENCE))
    return error * np.float32(slope(level) / share)


def slope(level: int) -> float:
    """Return the bits that a squared level of error of a pixel, the mean of the channels, is worth in a file of that level."""
    return LEAST_LAMBDA * math.pow(LARGEST_LAMBDA / LEAST_LAMBDA, level / MAX_LEVEL)


def kept(colors: Pixels, blocks: Blocks, level: int, lost: Lost) -> Mask | None:
    """Return which blocks of a tile (h, w, 1 or 3) are kept exactly in a file of that level; None where none pay."""
    likely = blocks.within(LIKELY)
    bits = _bits(colors, likely, level)
    if bits <= CLEAR * by_contrast(blocks.contrast, level)[likely].sum():
        return likely
    is_exact = not merging.reach(level)
    worth = (FAVOUR_OF_LETTERS if is_exact else FAVOUR) * by_error(lost(), level)
    gain = worth[likely].sum() - bits
    if is_exact and gain > 0:
        return likely
    single = likely & (ESTIMATED * blocks.cost <= worth)
    gain_of_single = worth[single].sum() - _bits(colors, single, level)
    best = likely if gain >= gain_of_single else single
    return best if max(gain, gain_of_single) > 0 else None


def _bits(colors: Pixels, chosen: Mask, level: int) -> float:
    """Return what it costs to keep blocks in a file of that level, in bits: those of the layer, and of the error of merged colours."""
    exact = drawn.pixels_of(chosen, colors.shape[:2])
    shown = merging.merged(colors, exact, merging.reach(level))
    error = np.square(shown.astype(np.float32) - colors).mean(2).sum()
    return layer_bits(shown, np.where(exact, np.uint8(255), np.uint8(0))) + slope(level) * float(error)


def layer_bits(pixels: Pixels, cover: Pixels) -> int:
    """Return the bits of the layer of a tile of colours (h, w, 1 or 3) and cover (h, w)."""
    return 8 * sum(map(len, exact_layer.written(pixels, cover) or []))
