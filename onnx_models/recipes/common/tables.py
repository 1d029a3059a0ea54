"""Probabilities -> the integer frequency tables of the range coder. Run once, at export; the result is stored.

Tables must not be computed where they are used: a last-bit difference in `erf` between two machines would lose the
stream (Balle et al., Integer Networks for Data Compression, ICLR 2019).

    sigma -> gaussian_table -> (lo, uint16[n])     n - 1 values from lo on, then the escape symbol
    list of those -> pack -> the three arrays that pillow_lic._native.Tables takes
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

TOTAL = 1 << 16
"""Sum of the frequencies of every table."""

RARE = 2e-5
"""Probability below which a value at the end of a table is left to the escape."""

Table = tuple[int, NDArray[np.uint16]]
"""Smallest value, and the frequencies of the values from there on with the escape symbol last."""


def scale_levels(count: int = 64, smallest: float = 0.11, largest: float = 148.0) -> list[float]:
    """Return `count` standard deviations, log-spaced from `smallest` to `largest`, in quantisation steps."""
    return [smallest * (largest / smallest) ** (i / (count - 1)) for i in range(count)]


def quantise(probabilities: Sequence[float] | NDArray[np.float64]) -> NDArray[np.uint16]:
    """Return integer frequencies >= 1 with sum 65536 that cost the fewest extra bits: the exact minimum.

    `probabilities`: 2 to 65535 finite numbers >= 0 with a positive sum; they are normalised. Minimises
    -sum p log2(f / 65536): the sum is concave in every f, so single units moved to where they gain most, until no move
    gains, end in the optimum. Equal gains go to the lower symbol. Raises ValueError for anything else.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 1 or not 2 <= p.size < TOTAL:
        message = f"a table has 2 to 65535 symbols in one dimension, got shape {p.shape}"
        raise ValueError(message)
    if not np.isfinite(p).all() or p.min() < 0 or not p.sum() > 0:
        message = "probabilities must be finite, >= 0 and not all 0"
        raise ValueError(message)
    p = p / p.sum()
    f = np.maximum(1, np.floor(p * TOTAL)).astype(np.int64)
    missing = TOTAL - int(f.sum())
    while True:
        gain = p * np.log1p(1 / f)
        loss = np.where(f > 1, -p * np.log1p(-1 / np.maximum(f, 2)), np.inf)
        best, cheapest = int(gain.argmax()), int(loss.argmin())
        if missing > 0:
            f[best] += 1
            missing -= 1
        elif missing < 0:
            f[cheapest] -= 1
            missing += 1
        elif gain[best] > loss[cheapest] * (1 + 1e-12):
            f[best] += 1
            f[cheapest] -= 1
        else:
            frequencies: NDArray[np.uint16] = f.astype(np.uint16)
            return frequencies


def gaussian_probabilities(sigma: float, largest: int, mean: float = 0.0) -> NDArray[np.float64]:
    """Return the masses of the unit intervals around -largest..largest under a Gaussian, (2 largest + 1,); the rest is outside."""
    ends = [0.5 * math.erfc(-(v - 0.5 - mean) / (sigma * math.sqrt(2))) for v in range(-largest, largest + 2)]
    return np.diff(ends)


def gaussian_table(sigma: float, tail: float = 2.0**-12) -> Table:
    """Return the table of a zero-mean Gaussian with deviation `sigma`, integrated over unit intervals.

    Holds -h..h for the smallest h >= 1 that leaves at most `tail` (0..1) outside, which becomes the escape's
    probability. Residuals have longer tails than a Gaussian: `tail` should not be much smaller than their share.
    """
    if not (sigma > 0 and math.isfinite(sigma) and 0 < tail < 1):
        message = f"sigma must be positive and tail within 0..1, got {sigma} and {tail}"
        raise ValueError(message)

    def above(x: float) -> float:
        return 0.5 * math.erfc(x / (sigma * math.sqrt(2)))

    h = 1
    while 2 * above(h + 0.5) > tail:
        h += 1
    one_side = [above(v - 0.5) - above(v + 0.5) for v in range(1, h + 1)]
    return -h, quantise([*reversed(one_side), 1 - 2 * above(0.5), *one_side, 2 * above(h + 0.5)])


def counted_table(lowest: int, counts: NDArray[np.float64], prior: NDArray[np.float64]) -> Table:
    """Return the table of values that were counted, from `lowest` on, on top of a prior in counts, both (n,).

    Values at either end that are rarer than RARE are left to the escape.
    """
    p = counts + prior
    inside = np.flatnonzero(p > p.sum() * RARE)
    low, high = int(inside[0]), int(inside[-1])
    escape = max(p.sum() - p[low : high + 1].sum(), 1e-3)
    kept = np.append(p[low : high + 1], escape)
    return lowest + low, quantise(kept / kept.sum())


def pack(tables: Iterable[Table]) -> tuple[NDArray[np.int16], NDArray[np.uint16], NDArray[np.uint16]]:
    """Return lo int16[T], sizes uint16[T] and all frequencies uint16[sum of sizes], as stored and as the coder takes."""
    tables = list(tables)
    lo = np.array([low for low, _ in tables], dtype=np.int16)
    sizes = np.array([f.size for _, f in tables], dtype=np.uint16)
    return lo, sizes, np.concatenate([f for _, f in tables])
