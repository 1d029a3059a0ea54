"""Fewer colours for exact pixels at low qualities: rare ones become the nearest frequent one, grounds stay as they are."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from . import pixelwise
from .aims import Aim

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

WIDEST, COARSEST, FALLS = 48.0, 0.0016, 0.62
"""Reach of a colour, in levels, at slope COARSEST, and the power of the slope that it falls with.

The reach at which the next bit that merging saves costs as much error as one that the codec saves by a coarser step (text and
terminals of tests/screens).
"""
GROUND_SHARE = 1 / 512
"""Share of a square's exact pixels from which on a colour is a ground, which no other colour replaces."""
PALETTE, _NEARLY = 255, 1024
"""Colours, holes aside, up to which VP8L has a palette, and up to which fewer are made for it: a chart of 494 has 18.4 kB at 52.8 dB instead
of 20.1 at 58.9, a page that JPEG has damaged 31.9 at 49.7 instead of 36.6 at 54.1."""
_MOST_COLORS = 2048
"""Colours that may stay; what is left over goes to the nearest of them."""
_WIDER, _WIDEST = 1.2, 4.0
"""The factor by which colours are moved further until a palette holds them, and the most by which, before the rarest ones go.

A word in a colour of its own is rare, and would take that of the letters around it.
"""


def reach(aim: Aim) -> int:
    """Return how far, in levels of each channel, a colour may be moved in a file of that aim; 0 where colours are kept."""
    return 0 if aim.is_exact else round(WIDEST * math.pow(aim.slope / COARSEST, -FALLS))


def merged(colors: Pixels, exact: Mask, within: int, beside: Mask | None = None) -> Pixels:
    """Return colours (h, w, C) whose exact pixels have fewer of them: each moved by at most `within` levels a channel (RMS), as a rule.

    beside: pixels that keep their colours in the same bitstream. A colour that others move to is their mean afterwards, unless it is a
    ground or one of these; and where a few more than PALETTE would be left they are moved further, and the rarest go where that is not enough.
    """
    if not within or not exact.any():
        return colors
    packs = pixelwise.packed(colors)
    numbers, place, count = pixelwise.distinct(packs[exact])
    shifts = 8 * np.arange(colors.shape[2] - 1, -1, -1, dtype=np.uint32)
    kinds = (numbers[:, None] >> shifts & 0xFF).astype(np.uint8)
    order = np.argsort(-count, kind="stable")
    grounds = int((count >= GROUND_SHARE * exact.sum()).sum())
    others = np.zeros(0, np.uint32) if beside is None else np.unique(packs[beside])
    room = PALETTE - len(others) - int((~np.isin(numbers[order[:grounds]], others)).sum())
    for reach_now in _reaches(within):
        limit = int(reach_now * reach_now * kinds.shape[1])
        stay = pixelwise.leaders(kinds, order, grounds, limit, _MOST_COLORS)
        is_fixed = np.isin(numbers[stay], others)
        is_fixed[:grounds] = True
        free = np.flatnonzero(~is_fixed)
        if not 0 < room < len(free) <= _NEARLY - len(others):
            break
    else:
        stay, is_fixed = np.delete(stay, free[room:]), np.delete(is_fixed, free[room:])
    staying = kinds[stay]
    nearest = pixelwise.nearest(kinds, staying)
    weights = np.maximum(np.bincount(nearest, count, len(staying)), 1)
    for channel in range(kinds.shape[1]):
        means = np.bincount(nearest, count * kinds[:, channel], len(staying)) / weights
        staying[~is_fixed, channel] = np.rint(means[~is_fixed])
    result = colors.copy()
    for channel, levels in enumerate(staying[nearest].T):
        result[:, :, channel][exact] = levels[place]
    return result


def _reaches(within: int) -> Iterator[float]:
    """Yield how far colours are moved: as far as is allowed, then further."""
    reach_now = float(within)
    while reach_now <= _WIDEST * within:
        yield reach_now
        reach_now *= _WIDER
