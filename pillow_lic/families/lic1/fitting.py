"""The encoder's choice of a filter: least squares against the picture, then the numbers that are worth their bits.

    colours, picture ──▶ G = sum of f f', b = sum of f e ──▶ coefficients c that lower c'Gc - 2 c'b + price * bits(c)

f are the 48 differences of a pixel (`filtering`), e is what its colour lacks. Both are whole numbers and so are their sums: the choice
is the same with any number of threads.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from ...engine.filters import filter_sums
from ...fileformat.limits import MAX_LEVEL
from . import filtering, scales
from .detail import Colours
from .filtering import COLOURS, GROUPS, TAPS, UNIT, Coded, Filter, Pixels

Reals = npt.NDArray[np.float64]

SAMPLES = 2**16
"""Pixels that are looked at, in rows all over the tile: of a quarter of them, or of some windows, half of the gain is left."""
PRICES = (12.0, 2.0)
"""Squared error, in units of the mean one, that a bit is worth at both ends of the scale: so it is between two qualities of Kodak."""
SWEEPS = 3
"""Times that every coefficient is reconsidered."""
HEAD_BITS = 30.0
"""What a filter costs before its first coefficient."""
RIDGE = 1e-6


def fit(fine: Colours, picture: Pixels, level: int) -> tuple[Filter, Coded]:
    """Return the filter of a tile, for colours (h, w, 3) in sixteenths that should be a picture (h, w, 3) uint8.

    `NONE` where none is worth its bits at the level.
    """
    pixels = fine[..., 0].size
    every = max(1, pixels // SAMPLES)
    lacking = UNIT * picture[::every].astype(np.int32) - fine[::every]
    error = float(np.square(lacking, dtype=np.float64).mean())
    threshold = int(np.clip(round(math.sqrt(error) / filtering.THRESHOLD_UNIT), 1, filtering.THRESHOLDS))
    threshold *= filtering.THRESHOLD_UNIT
    sums = filter_sums(np.ascontiguousarray(fine), np.ascontiguousarray(picture), every, threshold).astype(np.float64)
    upper, products = sums[:, : COLOURS * TAPS], sums[:, COLOURS * TAPS :]
    gram = upper + np.triu(upper, 1).T
    count = lacking[..., 0].size
    lowest, highest = PRICES
    price = lowest * (highest / lowest) ** (level / MAX_LEVEL) * error * count / pixels
    shift = _shift(gram, error * count)
    taps = _solution(gram, products, shift)
    tables = _tables(taps)
    for _ in range(SWEEPS):
        taps = _swept(taps, gram / 4.0**shift, products / 2.0**shift, price, tables)
        tables = _tables(taps)
    found = Filter(taps, threshold, shift)
    flat = taps.transpose(1, 2, 0).reshape(COLOURS * TAPS, COLOURS).astype(np.float64)
    gain = float((2 * flat * products / 2.0**shift - flat * (gram @ flat) / 4.0**shift).sum())
    if gain <= price * (HEAD_BITS + _bits_of(taps, tables)):
        return filtering.nothing()
    return found, filtering.coded(found, tables)


def _shift(gram: Reals, error: float) -> int:
    """Return the shift whose rounding of all coefficients adds at most a 200th of the squared error to a colour, or the largest."""
    spread = float(np.trace(gram)) / 12
    return next((s for s in filtering.SHIFTS if spread / 4.0**s <= error / 200), filtering.SHIFTS[-1])


def _solution(gram: Reals, products: Reals, shift: int) -> filtering.Taps:
    """Return the coefficients (3, 3, 16) of least squares, rounded."""
    ridged = gram + np.diag(RIDGE * gram.diagonal() + 1)
    found = np.linalg.solve(ridged, products) * 2.0**shift
    whole = np.rint(found).clip(-filtering.LARGEST, filtering.LARGEST).astype(np.int16)
    return np.ascontiguousarray(whole.reshape(COLOURS, TAPS, COLOURS).transpose(2, 0, 1))


@cache
def _bits() -> Reals:
    """Return the bits of a coefficient of magnitude 0..128 by the tables of a group, (16, 129): of a Gaussian; table 0 knows 0 alone."""
    values = np.arange(filtering.LARGEST + 2)
    result = np.full((filtering.TABLES, len(values)), 40.0)
    result[0, 0] = 0
    for table in range(1, filtering.TABLES):
        width = float(scales.deviations()[filtering.TABLE_STEP * table]) * math.sqrt(2)
        edges = np.array([math.erf(v / width) for v in (values[:, None] + (-0.5, 0.5)).ravel()]).reshape(-1, 2)
        result[table] = np.minimum(-np.log2(np.maximum(np.diff(edges, axis=1)[:, 0] / 2, 1e-9)), 30)
    return result


def _tables(taps: filtering.Taps) -> tuple[int, ...]:
    """Return the cheapest table of each group."""
    sizes = (np.abs(filtering.members(taps, *group)) for group in filtering.groups())
    return tuple(int(_bits()[:, size].sum(1).argmin()) for size in sizes)


def _bits_of(taps: filtering.Taps, tables: tuple[int, ...]) -> float:
    found = zip(tables, filtering.groups(), strict=True)
    return float(sum(_bits()[table, np.abs(filtering.members(taps, *group))].sum() for table, group in found))


def _swept(taps: filtering.Taps, gram: Reals, products: Reals, price: float, tables: tuple[int, ...]) -> filtering.Taps:
    """Return coefficients after each has moved to the cheapest of its neighbours and 0, one place of all three colours at a time.

    A group that its table says is absent may come back: it is priced by the narrowest table.
    """
    flat = taps.transpose(1, 2, 0).reshape(COLOURS * TAPS, COLOURS).astype(np.float64)
    slope = products - gram @ flat
    priced = np.array([max(table, 1) for table in tables]).reshape(2, len(GROUPS))
    group_of = np.repeat(np.arange(len(GROUPS)), [places.stop - places.start for places in GROUPS])
    for place in range(COLOURS * TAPS):
        colour, tap = divmod(place, TAPS)
        here = flat[place]
        rows = priced[(np.arange(COLOURS) != colour).astype(int), group_of[tap]]
        # The optimum of the place alone, beside where it is: the error is a parabola.
        best = here + slope[place] / max(gram[place, place], 1e-12)
        options = np.stack([here, np.rint(best), np.rint(best) - 1, np.rint(best) + 1, np.zeros(COLOURS)])
        options = options.clip(-filtering.LARGEST, filtering.LARGEST)
        moves = options - here
        costs = gram[place, place] * moves**2 - 2 * moves * slope[place]
        costs += price * _bits()[rows, np.abs(options).astype(int)]
        move = np.take_along_axis(moves, costs.argmin(0)[None], 0)[0]
        flat[place] += move
        slope -= gram[:, place : place + 1] * move
    return np.ascontiguousarray(flat.reshape(COLOURS, TAPS, COLOURS).transpose(2, 0, 1).astype(np.int16))
