"""Colours of damaged pages that VP8L writes in few bits: each pixel takes one near its own, of a palette, of its row or of rows above.

A page that was saved as JPEG has a new colour in nearly every pixel beside a letter, and no two letters alike. Which colour a pixel takes
is weighed by bits and error, whole rows at a time (native/snapping.hpp). Letters come out sharp, without most of the ripples.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from .._native import snap
from ..fileformat import squares
from . import pixelwise
from .aims import Aim
from .blockwise import BLOCK

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

COARSEST: Final = 0.0115
FINEST: Final = 1.6
"""Slopes up to which pixels are weighed as at the first, as coarser ones cost more than they save, and from which on colours stay as they are.

Five pages at slope 0.0035, bits and error: weighed at 0.0035 10.1, at 0.006 9.4, at 0.0115 9.2.
"""
FEW: Final = 160
"""Colours, in steps of 8 levels a channel, up to which a block is tried."""
_STEPS: Final = 4
"""Steps in which the slope doubles: levels of one step have the same pixels."""
LOOK, BEST = 2, 4
"""Passes of a look at what blocks cost, and of colours that are written: bits and error of eight pages at three
slopes 8.8, 10.2, 11.3, 11.3 and 10.4 % less with 2 to 6 than with one."""
_UNIT: Final = 256
"""Parts of a bit that costs are counted in."""
_MOST_NEW: Final = 1 / 32
"""Part of the pixels that passes may be new to where they go on: margins, which have the colour of a ground."""
_NONE: Final = 255
"""Index of a pixel that has no colour of the palette."""


def step(aim: Aim) -> int | None:
    """Return what decides the colours of pixels in files of an aim; None where they stay as they are."""
    return None if aim.slope >= FINEST else round(_STEPS * math.log2(max(aim.slope, COARSEST)))


class Course(NamedTuple):
    """What more passes over a square go on from: of each pixel the index (h, w) of its colour (n, 1 or 3), 255 for none; and counts."""

    indexes: Pixels
    palette: Pixels
    counts: npt.NDArray[np.uint32]

    def covers(self, among: Mask) -> bool:
        """Return whether next to all of the marked pixels (h, w) have colours; else the palette lacks theirs."""
        return bool((self.indexes[among] == _NONE).mean() <= _MOST_NEW) if among.any() else True

    def over(self, colors: Pixels, among: Mask) -> Pixels:
        """Return colours (h, w, 1 or 3) with those that the marked pixels (h, w) have by the passes so far."""
        whole = np.concatenate([self.palette, np.zeros((256 - len(self.palette), self.palette.shape[1]), np.uint8)])
        return pixelwise.chosen(among & (self.indexes != _NONE), whole[self.indexes], colors)


def snapped(
    colors: Pixels, exact: Mask, step: int, passes: int = BEST, before: Course | None = None
) -> tuple[Pixels, Floats, Course]:
    """Return colours (h, w, 1 or 3) whose exact pixels have those of a step, and the bits that every block is likely to cost so.

    And what more passes go on from. before: that of passes of the same step, over these pixels or more of them.
    """
    result = np.array(colors, order="C")
    slope = math.pow(2, step / _STEPS) / colors.shape[2]
    given = result, np.ascontiguousarray(exact), round(slope * _UNIT * 2**16), passes
    bits, indexes, palette, counts = snap(*given, before if before is not None and len(before.palette) else None)
    spent = squares.sums(bits.reshape(exact.shape), BLOCK).astype(np.float32) / np.float32(_UNIT)
    return result, spent, Course(indexes.reshape(exact.shape), palette.reshape(-1, colors.shape[2]), counts)
