"""The 64 deviations that a scale index stands for, and the tables that Gaussians of them make under dependent quantisation.

index ──edges──▶ where one symbol goes over into the next ──gaussian──▶ mass of each symbol ──scale_table──▶ frequencies
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pillow_lic.engine import entropy
from pillow_lic.families.lic1 import quantiser, scales

from ..common.tables import Table, pack, quantise

SCALE_MIN, SCALE_MAX, SCALES = scales.DEVIATION_MIN, scales.DEVIATION_MAX, quantiser.SCALES
SCALE_STEP = math.log(SCALE_MAX / SCALE_MIN) / (SCALES - 1)
PRIOR_WEIGHT = 2000
"""The weight of the Gaussian (or of the trained prior of z) beside the histogram of the training patches, in observations."""
SYMBOL_MAX, TAIL = 1200, 2.0**-13
"""Largest symbol a table may hold, and the probability outside a table, left to its escape."""
HALF_STEP = entropy.HALF_STEP / entropy.STEP

Counts = npt.NDArray[np.float64]


def deviation(index: Tensor) -> Tensor:
    """Return the standard deviation, in quantiser steps, of a scale index 0..SCALES-1, whole or not."""
    return SCALE_MIN * torch.exp(index * SCALE_STEP)


def edges(index: int, odd: bool) -> Counts:
    """Return the edges between symbols, half way between their values of |residual| in steps, (SYMBOL_MAX + 1,)."""
    k = np.arange(SYMBOL_MAX + 2)
    values = k.astype(float)
    if index >= quantiser.FIRST_DEPENDENT:
        values = HALF_STEP * (2 * k - (odd & (k > 0)))
    middle: Counts = (values[:-1] + values[1:]) / 2
    return middle


def gaussian(index: int, odd: bool) -> Counts:
    """Return the mass of |symbol| = 0..SYMBOL_MAX under the zero-mean Gaussian of a scale index."""
    sigma = deviation(torch.tensor(float(index), dtype=torch.float64))
    above = torch.special.erfc(torch.from_numpy(edges(index, odd)) / (sigma * 2**0.5)).numpy()
    mass: Counts = -np.diff(above, prepend=1.0)
    return mass


def scale_table(index: int, odd: bool, counts: Counts | float = 0.0) -> Table:
    """Return lowest symbol and frequencies (the last is the escape) of a symmetric table: a Gaussian corrected by the counts."""
    p = counts + PRIOR_WEIGHT * gaussian(index, odd)
    p /= p.sum()
    outside = 1 - np.cumsum(p)
    top = max(1, int(np.argmax(outside <= TAIL)))
    side = p[1 : top + 1] / 2
    return -top, quantise(np.concatenate([side[::-1], p[:1], side, [max(outside[top], 2.0**-20)]]))


def gaussian_arrays() -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
    """Return `pack` of the Gaussian tables of all scale indexes, those for the odd half steps last, without counts."""
    even = [scale_table(i, False) for i in range(SCALES)]
    odd = [scale_table(i, True) for i in range(quantiser.FIRST_DEPENDENT, SCALES)]
    return pack(even + odd)


@cache
def gaussian_tables() -> entropy.Tables:
    """Return `gaussian_arrays` as tables of the coder."""
    return entropy.Tables(*gaussian_arrays())


def gaussian_bits() -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Return `gaussian_arrays` for a search: begin, lowest symbol and escape of each table (T,3), and bits of all their symbols (n,)."""
    low, sizes, frequencies = (v.astype(np.int64) for v in gaussian_arrays())
    shapes = np.stack([np.cumsum(sizes) - sizes, low, sizes - 1], 1).astype(np.int32)
    return shapes, (16 - np.log2(frequencies.astype(np.float64))).astype(np.float32)
