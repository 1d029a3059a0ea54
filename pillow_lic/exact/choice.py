"""The choice of the drawn blocks that a file keeps exactly: those whose bits are fewer than the codec's, its error counted.

What a block costs the codec, in bits and in error at the slope of the aim, is known in two ways. By its contrast, which takes no
time: 0.06 to 0.14 bits a level of contrast at REFERENCE (pages, maps, charts and banners of tests/screens). And by coding the picture
without a layer: the error of the block, and its part of the file's bits, which go by contrast (correlation 0.96 to 0.99 of the
logarithms of that sum with the true one, maps, shops, banners and dashboards). The second is asked where the first leaves doubt.

Blocks are weighed with the colours that the file gives them: at low qualities, and of what is not letters, merged ones.

    estimates by block ─▶ likely ones ─▶ real bits, far below what their contrast is worth? ─yes─▶ kept
                                                     └─no─▶ what the codec spent ─▶ all likely ones, those that pay one by one, or none
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..fileformat import exact_layer
from . import blockwise, merging, pixelwise
from .aims import Aim
from .blockwise import Blocks

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Spent = Callable[[], Floats]
"""Returns what every block of a square costs the codec when it has all of the picture: in bits, its error counted."""

REFERENCE = 0.02
"""Slope at which the constants below hold: that of `lic1` at quality 5.5, of `lic2` at 4.2."""
WORTH, GROWTH = 0.085, 0.39
"""Bits that a level of contrast costs the codec at REFERENCE, and the power of the slope that they grow with."""
CLEAR = 0.6
"""Part of what contrast is worth up to which bits are few beyond doubt."""
CLEAN, MOST_UNCLEAR = 0.038, 0.5
"""Slope at which bits of letters that were not scaled are few beyond doubt, that of `lic2` at quality 5; and the contrast of a page outside
clear letters below it, of all: of scaled ones 0.7 and more, of a terminal 0.5, of documents 0 to 0.15."""
FRINGES, FRINGES_ROWS = 0.9, 4
"""Levels by which red and blue step apart for a level that green steps, from which on letters lie on subpixels: 1.09 where they do, 0 to 0.72
of charts, maps and scaled pages; and of how many rows one is seen."""
LIKELY = 0.16
"""Bits a level of contrast by the estimate of `blockwise`, below which a block may be kept in a square that pays as a whole."""
CLEAR_LETTERS, LETTERS = 0.055, 0.1
"""Bits a level of contrast by that estimate up to which a block is letters beyond doubt, and up to which it is on an even ground.

Up to 0.055 are 0.75 to 1 of the contrast of pages, 0.3 of charts, 0 to 0.3 of what lies on gradients and maps; pale letters, and labels of
maps, are below 0.1 (tests/screens).
"""
FEW = 64
"""Colours, in steps of 8 levels a channel, up to which a block is measured with its colours merged: those of photographs have more."""
EVEN = 0.35
"""Share of a block's pixels that have one colour where its ground is even."""
FAVOUR, FAVOUR_OF_LETTERS, FAVOUR_OF_COLORS = 1.1, 1.2, 1.3
"""Bits that kept blocks may cost for one bit of the codec's: pages are looked at closely; and, as from quality 5 on letters are to be exact,
those that a file with exact letters may cost for one bit of a file without a layer, and of one whose letters have fewer colours."""
SHARE_OF_LETTERS = 0.6
"""Part of what the codec spends on a square up to which exact letters are kept, whatever fewer colours would cost: lines of charts have 0.7. Of
letters on subpixels, which have 0.4 to 0.63 of it and twice the bits of fewer colours, all of it."""
GROWTH_OF_LETTERS = 1.25
"""Bytes that a file of every pixel as it is may have for one byte of what it takes the place of, where its error does not pay for more."""


def by_contrast(contrast: Floats, aim: Aim) -> Floats:
    """Return the bits that blocks of so much contrast are likely to cost the codec in a file of that aim, their error counted."""
    return contrast * np.float32(WORTH * math.pow(aim.slope / REFERENCE, GROWTH))


class Weighed(NamedTuple):
    """The blocks of a square that may be kept with the colours of an aim, and of every block what it costs so and its share of equal pixels.

    bits: with those that the error is worth. is_sure: whether they are few beyond doubt.
    """

    likely: Mask
    bits: Floats
    equal: Floats
    is_sure: bool

    @property
    def possible(self) -> Mask:
        """The blocks that repeat enough, or have few enough colours, to be kept: together they may pay where each alone does not."""
        repeating: Mask = self.equal >= blockwise.LEAST_EQUAL
        return repeating

    def paying(self, worth: Floats) -> Mask:
        """Return the blocks that pay where the codec spends so many bits on each: all likely ones, those that pay alone, or none."""
        single = self.possible & (self.bits <= worth)
        none = np.zeros_like(self.likely)
        return max((none, self.likely, single), key=lambda chosen: float((worth - self.bits)[chosen].sum()))


def weighed(colors: Pixels, blocks: Blocks, aim: Aim) -> Weighed:
    """Return what the blocks of a square (h, w, 1 or 3) cost where they are kept in a file of that aim."""
    blocks = _as_merged(colors, blocks, aim)
    likely = blocks.within(LIKELY)
    estimate, few = float(blocks.cost[likely].sum()), CLEAR * float(by_contrast(blocks.contrast, aim)[likely].sum())
    if aim.is_exact and estimate > few:
        return Weighed(likely, blocks.cost, blocks.equal, is_sure=False)
    bits, wrong = _bits(colors, likely, aim)
    real = blocks.cost * np.float32(bits / max(1.0, estimate)) + wrong
    return Weighed(likely, real, blocks.equal, bits + float(wrong[likely].sum()) <= few)


def is_clean(weighed: Weighed, blocks: Blocks, aim: Aim) -> bool:
    """Return whether sure blocks of a square were drawn as they are.

    Most are clear letters; or colours are kept, and letters cost little at CLEAN too.
    """
    if not aim.is_exact:
        unclear = float(blocks.contrast[~blocks.within(CLEAR_LETTERS)].sum())
        return unclear <= MOST_UNCLEAR * float(blocks.contrast.sum())
    least = aim._replace(slope=min(aim.slope, CLEAN))
    few = CLEAR * float(by_contrast(blocks.contrast, least)[weighed.likely].sum())
    return float(weighed.bits[weighed.likely].sum()) <= few


def are_on_subpixels(colors: Pixels) -> bool:
    """Return whether letters of a square (h, w, 1 or 3) lie on subpixels: along its rows red and blue step apart as much as green steps."""
    if colors.shape[2] == 1:
        return False
    steps = np.diff(colors[::FRINGES_ROWS].astype(np.int16), axis=1)
    apart = np.abs(steps[:, :, 0] - steps[:, :, 2]).sum(dtype=np.int64)
    return bool(apart >= FRINGES * np.abs(steps[:, :, 1]).sum(dtype=np.int64) > 0)


def _as_merged(colors: Pixels, blocks: Blocks, aim: Aim) -> Blocks:
    """Return what the blocks of a square (h, w, 1 or 3) cost with the colours that exact pixels have in a file of that aim."""
    reach = merging.reach(aim)
    among = (blocks.equal >= blockwise.LEAST_EQUAL) | (blockwise.kinds(colors) <= FEW)
    if not reach or not among.any():
        return blocks
    fewer = blockwise.measured(merging.merged(colors, blockwise.pixels_of(among, colors.shape[:2]), reach))
    return Blocks(fewer.equal * among, blocks.contrast, fewer.cost)


def letters(colors: Pixels, blocks: Blocks) -> Mask:
    """Return which blocks of a square (h, w, 1 or 3) are letters on an even ground."""
    likely = blocks.within(LETTERS)
    even: Mask = blockwise.commonest(colors, likely) >= EVEN
    return likely & even


def _bits(colors: Pixels, chosen: Mask, aim: Aim) -> tuple[float, Floats]:
    """Return the bits of the layer that keeps blocks in a file of that aim, and those that the error of each block is worth."""
    exact = blockwise.pixels_of(chosen, colors.shape[:2])
    shown = merging.merged(colors, exact, merging.reach(aim))
    error = pixelwise.visible_errors(shown, colors)
    return exact_layer.bits(shown, np.where(exact, np.uint8(255), np.uint8(0))), np.float32(aim.slope) * error
