"""Colours of damaged pages that VP8L writes in few bits: each pixel takes one near its own, of a palette, of its row or of rows above.

A page that was saved as JPEG has a new colour in nearly every pixel beside a letter, and no two letters alike. Which colour a pixel takes
is weighed by bits and error, whole rows at a time (native/snapping.hpp). Letters come out sharp, without most of the ripples.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from .._native import snap
from ..fileformat import squares
from .aims import Aim
from .drawn import BLOCK

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

COARSEST: Final = 0.0115
FINEST: Final = 0.6
"""Slopes up to which pixels are weighed as at the first, as coarser ones cost more than they save, and from which on colours stay as they are.

Five pages at slope 0.0035, bits and error: weighed at 0.0035 10.1, at 0.006 9.4, at 0.0115 9.2.
"""
FEW: Final = 160
"""Colours, in steps of 8 levels a channel, up to which a block is tried."""
_STEPS: Final = 4
"""Steps in which the slope doubles: levels of one step have the same pixels."""
LOOK, BEST = 2, 5
"""Passes of a look at what blocks cost, and of colours that are written: bits and error of three pages with 2, 3 and 5 14.7, 14.3, 14.0."""
_UNIT: Final = 256
"""Parts of a bit that costs are counted in."""


def step(aim: Aim) -> int | None:
    """Return what decides the colours of pixels in files of an aim; None where they stay as they are."""
    return None if aim.slope >= FINEST else round(_STEPS * math.log2(max(aim.slope, COARSEST)))


def snapped(colors: Pixels, exact: Mask, step: int, passes: int = BEST) -> tuple[Pixels, Floats]:
    """Return colours (h, w, 1 or 3) whose exact pixels have those of a step, and the bits that every block is likely to cost so."""
    result = np.array(colors, order="C")
    slope = math.pow(2, step / _STEPS) / colors.shape[2]
    bits = snap(result, np.ascontiguousarray(exact), round(slope * _UNIT * 2**16), passes).reshape(exact.shape)
    spent = squares.sums(bits, BLOCK).astype(np.float32)
    return result, spent / np.float32(_UNIT)
