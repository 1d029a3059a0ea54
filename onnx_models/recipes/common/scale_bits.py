"""What symbols cost by the tables of scale indexes, with a slope along the index, and how often symbols occur by index.

Between two whole indexes the cost is that of a straight line. So training sees the stored tables as they are, with the shape that
counting gives them, and a step reads two numbers for a symbol instead of computing four error functions.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .gaussian import TAIL_SCALE, TAIL_SHARE


def long_tailed_masses(sigma: Tensor, largest: int) -> Tensor:
    """Return the masses of symbols 0..largest under long-tailed distributions of deviations (n,), (n, largest + 1), float64."""
    r, c = torch.arange(largest + 1.0).double(), math.sqrt(0.5) / sigma.double()[:, None]
    wide = ((1 - TAIL_SHARE, 1.0), (TAIL_SHARE, TAIL_SCALE))
    parts = (s * 0.5 * (torch.erfc((r - 0.5) * c / k) - torch.erfc((r + 0.5) * c / k)) for s, k in wide)
    return torch.stack(list(parts)).sum(0)


def costs(masses: Tensor) -> Tensor:
    """Return the bits, at most 23, of symbols of magnitudes 0, 1, ... whose masses or counts, one sign alone, are in rows."""
    whole = 2 * masses.sum(1, keepdim=True) - masses[:, :1]
    return -torch.log2((masses / whole).clamp_min(2.0**-23)).float()


class TableBits(torch.autograd.Function):
    """Indexes from 0 to the last, whole or not; magnitudes of symbols, whole, both (B,...); costs (indexes, magnitudes) -> bits like these."""

    @staticmethod
    def forward(ctx, index, magnitude, table):  # type: ignore[no-untyped-def]
        count, width = table.shape
        low = index.floor().clamp_max_(count - 2)
        at, flat = torch.add(magnitude, low, alpha=width).long(), table.view(-1)
        bits = flat.take(at)
        slope = flat[width:].take(at).sub_(bits)
        ctx.save_for_backward(slope)
        return bits.addcmul_(low.sub_(index), slope, value=-1)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        (slope,) = ctx.saved_tensors
        return grad * slope, None, None


def table_bits(index: Tensor, magnitude: Tensor, table: Tensor) -> Tensor:
    """Return the bits of symbols of these magnitudes by the tables of these indexes."""
    bits: Tensor = TableBits.apply(index, magnitude, table)  # type: ignore[no-untyped-call]
    return bits


def occurrences(index: Tensor, magnitude: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return how often each magnitude occurs with each whole index, float64 of that shape: (indexes, magnitudes)."""
    at = torch.add(magnitude, index, alpha=shape[1]).long()
    return torch.bincount(at.flatten(), minlength=shape[0] * shape[1]).view(shape).double()
