"""Fewer colours for exact pixels at low qualities: rare ones become the nearest frequent one, grounds stay as they are."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .aims import Aim
from .drawn import packed

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

WIDEST, COARSEST, FALLS = 48.0, 0.0016, 0.62
"""Reach of a colour, in levels, at slope COARSEST, and the power of the slope that it falls with.

The reach at which the next bit that merging saves costs as much error as one that the codec saves by a coarser step (text and
terminals of tests/screens).
"""
GROUND_SHARE = 1 / 512
"""Share of a tile's exact pixels from which on a colour is a ground, which no other colour replaces."""
_MOST_COLORS = 2048
"""Colours that may stay; what is left over goes to the nearest of them."""
_ROWS = 2048
"""Colours whose nearest one is looked for in one go."""


def reach(aim: Aim) -> int:
    """Return how far, in levels of each channel, a colour may be moved in a file of that aim; 0 where colours are kept."""
    return 0 if aim.is_exact else round(WIDEST * math.pow(aim.slope / COARSEST, -FALLS))


def merged(colors: Pixels, exact: Mask, within: int) -> Pixels:
    """Return colours (h, w, C) whose exact pixels have fewer of them: each moved by at most `within` levels a channel (RMS).

    A colour that others move to is their mean afterwards, unless it is a ground.
    """
    if not within or not exact.any():
        return colors
    numbers, place, count = np.unique(packed(colors)[exact], return_inverse=True, return_counts=True)
    shifts = 8 * np.arange(colors.shape[2] - 1, -1, -1, dtype=np.uint32)
    kinds = (numbers[:, None] >> shifts & 0xFF).astype(np.float32)
    order = np.argsort(-count, kind="stable")
    limit = within * within * kinds.shape[1]
    grounds = int((count >= GROUND_SHARE * exact.sum()).sum())
    stay, left = list(order[:grounds]), order[grounds:]
    for one in stay:
        left = left[np.square(kinds[left] - kinds[one]).sum(1) > limit]
    while len(left) and len(stay) < _MOST_COLORS:
        one = left[0]
        stay.append(one)
        left = left[np.square(kinds[left] - kinds[one]).sum(1) > limit]
    staying = kinds[stay]
    nearest = np.concatenate([_nearest(kinds[y : y + _ROWS], staying) for y in range(0, len(kinds), _ROWS)])
    weights = np.maximum(np.bincount(nearest, count, len(staying)), 1)
    for channel in range(kinds.shape[1]):
        means = np.bincount(nearest, count * kinds[:, channel], len(staying)) / weights
        staying[grounds:, channel] = np.rint(means[grounds:])
    result = colors.copy()
    result[exact] = staying[nearest][place].astype(np.uint8)
    return result


def _nearest(kinds: npt.NDArray[np.float32], staying: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """Return, for every colour (n, C), the row of the nearest of those that stay (m, C)."""
    products = kinds @ staying.T
    distances = np.square(staying).sum(1) - 2 * products
    rows: npt.NDArray[np.intp] = np.argmin(distances, 1)
    return rows
