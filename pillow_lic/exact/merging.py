"""Fewer colours for exact pixels at low qualities: rare ones become the nearest frequent one, grounds stay as they are."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .aims import Aim
from .drawn import packed

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

WIDEST, COARSEST, FALLS = 48.0, 0.0016, 0.62
"""Reach of a colour, in levels, at slope COARSEST, and the power of the slope that it falls with.

The reach at which the next bit that merging saves costs as much error as one that the codec saves by a coarser step (text and
terminals of tests/screens).
"""
GROUND_SHARE = 1 / 512
"""Share of a tile's exact pixels from which on a colour is a ground, which no other colour replaces."""
PALETTE, _NEARLY = 255, 1024
"""Colours, holes aside, up to which VP8L has a palette, and up to which fewer are made for it: a chart of 494 has 18.4 kB at 52.8 dB instead
of 20.1 at 58.9, a page that JPEG has damaged 31.9 at 49.7 instead of 36.6 at 54.1."""
_MOST_COLORS = 2048
"""Colours that may stay; what is left over goes to the nearest of them."""
_ROWS = 1024
"""Colours whose nearest one is looked for in one go."""


def reach(aim: Aim) -> int:
    """Return how far, in levels of each channel, a colour may be moved in a file of that aim; 0 where colours are kept."""
    return 0 if aim.is_exact else round(WIDEST * math.pow(aim.slope / COARSEST, -FALLS))


def merged(colors: Pixels, exact: Mask, within: int, beside: Mask | None = None) -> Pixels:
    """Return colours (h, w, C) whose exact pixels have fewer of them: each moved by at most `within` levels a channel (RMS), as a rule.

    beside: pixels that keep their colours in the same bitstream. A colour that others move to is their mean afterwards, unless it is a
    ground or one of these; and where a few more than PALETTE would be left the rarest go too.
    """
    if not within or not exact.any():
        return colors
    packs = packed(colors)
    numbers, place, count = np.unique(packs[exact], return_inverse=True, return_counts=True)
    shifts = 8 * np.arange(colors.shape[2] - 1, -1, -1, dtype=np.uint32)
    kinds = (numbers[:, None] >> shifts & 0xFF).astype(np.float32)
    order = np.argsort(-count, kind="stable")
    limit = within * within * kinds.shape[1]
    grounds = int((count >= GROUND_SHARE * exact.sum()).sum())
    chosen, left = list(order[:grounds]), order[grounds:]
    planes = kinds[left].T
    for one in chosen:
        far = _distances(planes, kinds[one]) > limit
        left, planes = left[far], planes[:, far]
    while len(left) and len(chosen) < _MOST_COLORS:
        chosen.append(left[0])
        far = _distances(planes, planes[:, 0]) > limit
        left, planes = left[far], planes[:, far]
    others = np.zeros(0, np.uint32) if beside is None else np.unique(packs[beside])
    stay = np.array(chosen)
    is_fixed = np.isin(numbers[stay], others)
    is_fixed[:grounds] = True
    room = PALETTE - len(others) - int((~np.isin(numbers[stay[:grounds]], others)).sum())
    free = np.flatnonzero(~is_fixed)
    if 0 < room < len(free) <= _NEARLY - len(others):
        stay, is_fixed = np.delete(stay, free[room:]), np.delete(is_fixed, free[room:])
    staying = kinds[stay]
    nearest = _nearest(kinds, staying, float(limit))
    weights = np.maximum(np.bincount(nearest, count, len(staying)), 1)
    for channel in range(kinds.shape[1]):
        means = np.bincount(nearest, count * kinds[:, channel], len(staying)) / weights
        staying[~is_fixed, channel] = np.rint(means[~is_fixed])
    packs[exact] = packed(staying[None].astype(np.uint8))[0][nearest][place]
    result: Pixels = (packs[:, :, None] >> shifts).astype(np.uint8)
    return result


def _distances(planes: Floats, one: Floats) -> Floats:
    """Return the squares of the distances (n) of colours (C, n) from one (C): in a loop, five times as fast as along an axis."""
    total: Floats = np.square(planes[0] - one[0])
    for plane, level in zip(planes[1:], one[1:], strict=True):
        total += np.square(plane - level)
    return total


def _nearest(kinds: Floats, staying: Floats, limit: float) -> npt.NDArray[np.intp]:
    """Return, for every colour (n, C), the row of the nearest of those that stay (m, C); most have one within that squared distance.

    Colours that are near in the middle channel are taken together, and compared with those that may be near enough.
    """
    middle, within = kinds.shape[1] // 2, math.sqrt(limit)
    rows = np.empty(len(kinds), np.intp)
    order = np.argsort(kinds[:, middle], kind="stable")
    for some in np.array_split(order, -(-len(order) // _ROWS)):
        low, high = kinds[some[0], middle] - within, kinds[some[-1], middle] + within
        near = np.flatnonzero((staying[:, middle] >= low) & (staying[:, middle] <= high))
        rows[some], far = _nearest_of(kinds[some], staying, near, limit)
        if far.any():
            rows[some[far]], _ = _nearest_of(kinds[some[far]], staying, np.arange(len(staying)), limit)
    return rows


def _nearest_of(
    kinds: Floats, staying: Floats, among: npt.NDArray[np.intp], limit: float
) -> tuple[npt.NDArray[np.intp], Mask]:
    """Return the row of the nearest of some of those that stay, 0 where there are none, and for which colours it is beyond the limit."""
    if not len(among):
        return np.zeros(len(kinds), np.intp), np.ones(len(kinds), np.bool_)
    chosen = staying[among]
    distances = np.square(chosen).sum(1) - 2 * (kinds @ chosen.T)
    place = np.argmin(distances, 1)
    least = distances[np.arange(len(kinds)), place] + np.square(kinds).sum(1)
    return among[place], least > limit
