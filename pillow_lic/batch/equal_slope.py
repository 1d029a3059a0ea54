"""Sharing a number of bytes among pictures so that they lose least together: equal slope.

At the optimum one byte more would help every picture by the same amount (Everett 1963; Shoham and Gersho 1988). Each
picture is measured at a few levels of the quality scale; between them the logarithms of bytes and of error are interpolated
by a monotone cubic.

What is minimised is the root of each picture's mean squared error, summed with the pictures' pixels as weights: the usual
error in levels of 8 bits, over all pixels. The root is taken because the same error shows less in a busy picture than in a
smooth one (XPSNR weighs blocks by their activity to the same power, Helmrich et al. 2019). With the squared error itself
nearly the same quality comes out for all, because the networks were trained for equal slope of that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arguments import positive
from ..fileformat.limits import MAX_LEVEL
from ..metrics import pchip

LEVELS = (0, 256, 512, 768, 1024)
"""The levels at which a picture is measured."""
TIGHT = 0.99
"""The part of its share that a file must have at least, and so the least part of the budget that is used."""
AIM = 0.997
"""The part of its share that a file is aimed at."""
_GRID = np.linspace(0, MAX_LEVEL, 129)
_LEAST_ERROR = 1e-6
"""The error of a picture that comes back exactly; 0 has no logarithm."""
_LEAST_GROWTH = 1e-4
"""The least growth of the logarithm of bytes per level; usual is 2e-3, but a flat picture has one size at all levels."""

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """The costs of a picture: its pixels, and at each of `LEVELS` the bytes of the whole file and the mean squared error."""

    pixels: int
    sizes: tuple[int, ...]
    errors: tuple[float, ...]


class Share(NamedTuple):
    """The bytes a file may have, the level, 0..1024, that is expected to take `AIM` of them, and how its bytes grow.

    growth: of the logarithm of the bytes, per level.
    """

    size: int
    level: int
    growth: float

    def corrected(self, level: int, size: int) -> int:
        """Return a better level after one that gave a file of `size` bytes."""
        return min(max(round(level + math.log(AIM * self.size / size) / self.growth), 0), MAX_LEVEL)


def check_budget(budget: object) -> float:
    """Return a budget in bytes; ValueError unless it is a positive number."""
    return positive("budget", budget, "a positive number of bytes")


def allot(curves: Sequence[Curve], budget: float) -> list[Share]:
    """Return for every picture its share of `budget` bytes.

    The shares add up to the budget, or to less when every picture has its largest file. ValueError naming the smallest
    total when that is more.
    """
    if not curves:
        return []
    sizes, distortions = _interpolated(curves)
    least = sum(curve.sizes[0] for curve in curves)
    if least > budget:
        msg = f"budget must be at least {least:,} bytes, the total of {len(curves)} pictures at quality 1, got {budget:,.0f}"
        raise ValueError(msg)
    shares = (
        _equal_slope(sizes, distortions, budget) + 1e-6
    )  # what is a whole number must not fall below it by rounding
    return [_share(share, row) for share, row in zip(shares, sizes, strict=True)]


def _share(size: float, sizes: Float) -> Share:
    level = float(MAX_LEVEL if size >= sizes[-1] else np.interp(AIM * size, sizes, _GRID))
    growth = np.interp(level, _GRID, np.gradient(np.log(sizes), _GRID))
    return Share(int(size), round(level), max(float(growth), _LEAST_GROWTH))


def _interpolated(curves: Sequence[Curve]) -> tuple[Float, Float]:
    """Bytes and distortions at the levels of the grid, both (pictures, levels), bytes not falling along a row."""
    levels = np.array(LEVELS, np.float64)
    sizes = np.empty((len(curves), len(_GRID)))
    distortions = np.empty_like(sizes)
    for row, curve in enumerate(curves):
        sizes[row] = np.exp(pchip(levels, np.log(curve.sizes), _GRID))
        errors = np.exp(pchip(levels, np.log(np.maximum(curve.errors, _LEAST_ERROR)), _GRID))
        distortions[row] = curve.pixels * np.sqrt(errors)
    return np.maximum.accumulate(sizes, axis=1), distortions


def _equal_slope(sizes: Float, distortions: Float, budget: float) -> Float:
    """The bytes of each picture at the slope whose total is the budget.

    A slope (distortion per byte) picks for every picture the point of its grid with the least distortion + slope * bytes.
    Between two neighbouring slopes, of which one gives a total above the budget and one does not, the shares are blended.
    """
    rows = np.arange(len(sizes))

    def picked(slope: float) -> Float:
        chosen: Float = sizes[rows, np.argmin(distortions + slope * sizes, axis=1)]
        return chosen

    fewest, most = sizes[:, 0], sizes[:, -1]
    if most.sum() <= budget:
        return most
    if fewest.sum() >= budget:  # by more only in the last digit: less than the smallest files has been refused
        return fewest
    gentle, steep = -40.0, 80.0  # natural logarithms of slopes at which all pictures take their most and their least
    for _ in range(50):
        middle = (gentle + steep) / 2
        shares = picked(math.exp(middle))
        if shares.sum() > budget:
            gentle, most = middle, shares
        else:
            steep, fewest = middle, shares
    part = (budget - fewest.sum()) / (most.sum() - fewest.sum())
    blended: Float = fewest + part * (most - fewest)
    return blended
