"""The encoder's choice of a filter: least squares against the picture, then the numbers that are worth their bits.

    colours, picture ──▶ G = sum of f f', b = sum of f e ──▶ coefficients c that lower c'Gc - 2 c'b + price * bits(c)

f are the 108 differences of a pixel (`filtering`), e is what its colours lack. Both are whole numbers and so are their sums: the
choice is the same with any number of threads.

In shapes P are the coefficients of a colour, of which a filter may have the first alone, and S the shifts that are tried side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...engine import workers
from ...engine.native import filter_sums, filter_sweep
from ...fileformat.areas import Area
from ...fileformat.limits import MAX_LEVEL
from . import filtering, scales
from .filtering import COLORS, GROUPS, MORE_GROUPS, MORE_SHIFTS, PLAIN, SHIFTS, TAPS, UNIT, Coded, Filter, Fine, Pixels

Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SAMPLES = 2**16
"""Pixels that are looked at, at least, in rows all over the tile: with three quarters of them a file is 0.1 % larger, with those of
some windows half of the gain is left."""
LEAST_ROWS = 16
"""Rows that a thread looks at, at least."""
BAND = 32
"""Rows of a band that is filtered to see what that gains."""
PRICES = (20.0, 2.0)
"""Squared error, in units of the mean one, that a bit is worth at both ends of the scale: about as between two qualities of a picture."""
SWEEPS = 2
"""Times that every coefficient is reconsidered."""
HEAD_BITS = 12.0
"""Bits of a filter before the tables of its groups."""
NAMED_BITS = 10.0
"""Bits of the name of a fixed filter."""
TABLE_BITS = 4.0
"""Bits of the table of a group."""
KINDS = ((PLAIN, GROUPS, SHIFTS), (TAPS, MORE_GROUPS, MORE_SHIFTS))
"""Plain filters and extended ones: how many coefficients a colour has, their groups, and the shifts that they may have."""
RIDGE = 2e-4
"""The addition to the diagonal of G, for each squared unit of the price: where bits are dear, small coefficients are worth none."""

AT_ONCE = 64
"""Equations that numpy solves at once: from 100 on OpenBLAS takes more than 2 MB of the stack, which ends a process in a thread with less."""


class _Sums(NamedTuple):
    """G (P, P), b (P, 3), the squared error that a bit is worth, and the part of the diagonal that is added to it."""

    gram: Reals
    products: Reals
    price: float
    ridge: float


class _Fit(NamedTuple):
    """Coefficients (P, 3) with the tables of their groups and the shift, and what they cost beside no filter; negative is good."""

    cost: float
    taps: Integers
    tables: tuple[int, ...]
    shift: int


def rows_apart(pixels: int) -> int:
    """Return how far the rows that are looked at lie apart: an odd number, as networks err differently in both rows of a 2x2 cell."""
    return max(1, pixels // SAMPLES - 1) | 1


def fit(fine: Fine, picture: Pixels, level: int, fixed: Sequence[Filter] = ()) -> tuple[Filter, Coded]:
    """Return the filter of a tile, for colours (h, w, 3) in sixteenths that should be a picture (h, w, 3) uint8.

    It may be one of the model's fixed filters, and is `NONE` where none is worth its bits at the level.
    """
    fine, every = np.ascontiguousarray(fine), rows_apart(fine[..., 0].size)
    sums, threshold = _sums(fine, picture, level, every)
    best = min((_fitted(sums, *kind) for kind in KINDS), key=lambda fit: fit.cost)
    if fixed:
        named, said = filtering.named(fixed, level)
        if sums.price * NAMED_BITS - _gain(named, fine, picture, every) < min(best.cost, 0):
            return named, said
    if best.cost >= 0:
        return filtering.nothing()
    chosen = _filter(best.taps, threshold, best.shift)
    return chosen, filtering.coded(chosen, best.tables)


def _sums(fine: Fine, picture: Pixels, level: int, every: int) -> tuple[_Sums, int]:
    """Return the sums over every so many rows of colours (h, w, 3) and a picture (h, w, 3), and the filter's threshold."""
    lacking = UNIT * picture[::every].astype(np.int32) - fine[::every]
    error = float(np.square(lacking, dtype=np.float64).mean())
    threshold = int(np.clip(round(math.sqrt(error) / filtering.THRESHOLD_UNIT), 1, filtering.THRESHOLDS))
    threshold *= filtering.THRESHOLD_UNIT
    wanted, rows, parts = np.ascontiguousarray(picture), len(lacking), list[Integers]()

    def add(first: int, last: int) -> None:
        parts.append(filter_sums(fine, wanted, first * every, min(last * every, len(fine)), every, threshold))

    workers.in_parts(add, rows, LEAST_ROWS)
    found = sum(parts[1:], parts[0]).astype(np.float64)
    upper, products = found[:, :TAPS], found[:, TAPS:]
    gram = upper + np.triu(upper, 1).T
    lowest, highest = PRICES
    units = lowest * (highest / lowest) ** (level / MAX_LEVEL)
    price = units * error * lacking[..., 0].size / fine[..., 0].size
    return _Sums(gram, products, price, RIDGE * units**2), threshold


def _ridged(gram: Reals, ridge: float) -> Reals:
    """Return G (P, P) with so large a part of its diagonal added to that, and 1, without which a flat tile has no solution."""
    ridged: Reals = gram + np.diag(ridge * gram.diagonal() + 1)
    return ridged


def _filter(taps: Reals | Integers, threshold: int, shift: int) -> Filter:
    """Return the filter of the first coefficients (P, 3); the others are 0. threshold: in sixteenths. shift: bits behind the point."""
    whole = np.zeros((COLORS, TAPS), np.int16)
    whole[:, : len(taps)] = taps.T
    return Filter(whole, threshold, shift)


def _gain(found: Filter, fine: Fine, picture: Pixels, every: int) -> float:
    """Return the squared error, in squared sixteenths, that a filter takes from as many rows as are looked at, as bands all over have it."""
    height, width = fine.shape[:2]
    apart = BAND * max(1, height * width // SAMPLES)
    bands = [Area(0, top, width, min(top + BAND, height)) for top in range(0, height, apart)]

    def error(one: Filter) -> float:
        shown = ((picture[band.slices].astype(np.int32), filtering.applied(fine, band, one)) for band in bands)
        return sum(float(np.square(wanted - seen, dtype=np.float64).sum()) for wanted, seen in shown)

    gained = error(filtering.NONE) - error(found)
    return UNIT**2 * gained * len(range(0, height, every)) / sum(band.height for band in bands)


def _solved(matrix: Reals, sides: Reals) -> Reals:
    """Return x of matrix (n, n) @ x (n, m) = sides (n, m), for a positive definite matrix: by halves where it is large."""
    if len(matrix) <= AT_ONCE:
        return np.asarray(np.linalg.solve(matrix, sides), np.float64)
    half = len(matrix) // 2
    upper, lower = np.vsplit(matrix, [half])
    across, begun = np.hsplit(_solved(upper[:, :half], np.hstack([upper[:, half:], sides[:half]])), [len(lower)])
    rest = _solved(lower[:, half:] - lower[:, :half] @ across, sides[half:] - lower[:, :half] @ begun)
    return np.vstack([begun - across @ rest, rest])


def _fitted(sums: _Sums, count: int, groups: tuple[filtering.Mask, ...], shifts: tuple[int, ...]) -> _Fit:
    """Return the cheapest of the first `count` coefficients (P, 3), which are in these groups, among all shifts, fitted side by side."""
    numbers = np.argmax([group.T[:count] for group in groups], axis=0)
    gram, products = np.ascontiguousarray(sums.gram[:count, :count]), sums.products[:count]
    steps = 2.0 ** np.array(shifts)[:, None, None]
    largest = filtering.LARGEST
    taps = np.rint(_solved(_ridged(gram, sums.ridge), products) * steps).clip(-largest, largest)
    tables = _tables(taps, numbers, len(groups))
    for _ in range(SWEEPS):
        taps = _swept(taps, gram, products, sums.price, steps, tables, numbers)
        tables = _tables(taps, numbers, len(groups))
    real = taps / steps
    gains = (2 * real * products - real * (gram @ real)).sum((1, 2))
    bits = np.take_along_axis(_bits()[tables[:, numbers]], np.abs(taps).astype(int)[..., None], -1).sum((1, 2, 3))
    costs = sums.price * (bits + HEAD_BITS + TABLE_BITS * len(groups)) - gains
    best = int(costs.argmin())
    return _Fit(float(costs[best]), taps[best].astype(np.int64), tuple(tables[best].tolist()), shifts[best])


@cache
def _bits() -> Reals:
    """Return the bits of a coefficient of magnitude 0..127 by the tables of a group, (16, 128): of a Gaussian; table 0 knows 0 alone."""
    values = np.arange(filtering.LARGEST + 1)
    result = np.full((filtering.TABLES, len(values)), 40.0)
    result[0, 0] = 0
    for table in range(1, filtering.TABLES):
        width = float(scales.deviations()[filtering.TABLE_STEP * table]) * math.sqrt(2)
        edges = np.array([math.erf(v / width) for v in (values[:, None] + (-0.5, 0.5)).ravel()]).reshape(-1, 2)
        result[table] = np.minimum(-np.log2(np.maximum(np.diff(edges, axis=1)[:, 0] / 2, 1e-9)), 30)
    return result


def _tables(taps: Reals, numbers: Integers, groups: int) -> Integers:
    """Return the cheapest table of each group, (S, groups), for coefficients (S, P, 3); numbers (P, 3): the group of each."""
    sizes = np.abs(taps).astype(int)
    found = [_bits()[:, sizes[:, numbers == group]].sum(2).argmin(0) for group in range(groups)]
    return np.stack(found, 1)


def _swept(
    taps: Reals, gram: Reals, products: Reals, price: float, steps: Reals, tables: Integers, numbers: Integers
) -> Reals:
    """Return coefficients (S, P, 3) after each has moved to the cheapest of its neighbours and 0, one place of all colours at a time.

    price: squared error for a bit. tables (S, groups), numbers (P, 3) as of `_tables`. A group that its table says is absent may
    come back: it is priced by the narrowest table.
    """
    taps = taps.copy()
    slopes = (products - gram @ (taps / steps)) / steps
    narrowest = np.ascontiguousarray(np.maximum(tables, 1)[:, numbers])
    filter_sweep(taps, slopes, gram, steps.ravel(), price * _bits(), narrowest)
    return taps
