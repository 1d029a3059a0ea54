"""Bits of integers under Gaussians, with long tails or without, and a clip that lets a value come back inside."""

from __future__ import annotations

import math

import torch
from torch import Tensor


class Clip(torch.autograd.Function):
    """Clip with a gradient that still passes where it moves the value back inside."""

    @staticmethod
    def forward(ctx, x, low, high):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x)
        ctx.ends = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        (x,), (low, high) = ctx.saved_tensors, ctx.ends
        return grad * ~(((x < low) & (grad > 0)) | ((x > high) & (grad < 0))), None, None


def gaussian_bits(r: Tensor, sigma: Tensor) -> Tensor:
    """Return -log2 of the mass of [r - 1/2, r + 1/2] under N(0, sigma^2), at most about 23 bits."""
    r, c = r.abs(), math.sqrt(0.5) / sigma
    return -torch.log2((0.5 * (torch.erfc((r - 0.5) * c) - torch.erfc((r + 0.5) * c))).clamp_min(1e-7))


TAIL_SHARE, TAIL_SCALE = 0.1, 3.0
"""The share of a long-tailed distribution that is a wider Gaussian, and how many times as wide."""


def long_tailed_bits(r: Tensor, sigma: Tensor) -> Tensor:
    """Return -log2 of the mass of [r - 1/2, r + 1/2] under a Gaussian of which a part is wider, at most about 23 bits."""
    r, c = r.abs(), math.sqrt(0.5) / sigma
    mass = sum(
        share * 0.5 * (torch.erfc((r - 0.5) * (c / scale)) - torch.erfc((r + 0.5) * (c / scale)))
        for share, scale in ((1 - TAIL_SHARE, 1.0), (TAIL_SHARE, TAIL_SCALE))
    )
    return -torch.log2(mass.clamp_min(1e-7))
