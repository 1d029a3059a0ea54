"""The quality scale of `lic1`: integer level 0..1024, its lambda, and the hat functions that interpolate per-level tables.

quality = 1 + 9 * level / 1024; lambda is log-spaced, R[bpp] + lambda * 255^2 * MSE. Tables hold a row at each of 9 anchors, 128 levels
apart; between two anchors a row is their weighted mean, written as a sum over hat functions so that it is one 1x1 convolution.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

LEVEL_MAX, ANCHORS, SPACING = 1024, 9, 128
LAMBDA_MIN, LAMBDA_MAX = 0.0016, 0.25


def lambdas(level: Tensor, largest: float = LAMBDA_MAX) -> Tensor:
    """Return the weight of the 255-scale RGB MSE at each level, of any shape; `largest` at the top of the scale."""
    return LAMBDA_MIN * torch.exp(level * (math.log(largest / LAMBDA_MIN) / LEVEL_MAX))


def anchor_lambdas(largest: float = LAMBDA_MAX) -> Tensor:
    """Return the lambdas of the anchors, (ANCHORS,)."""
    return lambdas(torch.arange(ANCHORS) * float(SPACING), largest)


def log_steps(largest: float = LAMBDA_MAX) -> Tensor:
    """Return the logarithm of 1 / step at each anchor, (ANCHORS,), for the best step: step^2 = 18 / (ln 2 * lambda * 255^2)."""
    return 0.5 * torch.log(math.log(2) * anchor_lambdas(largest) * 65025 / 18)


def hats(level: Tensor) -> Tensor:
    """Return the hat functions (B,ANCHORS,h,w), 0..128 with sum 128, of a level field (B,1,h,w) in 0..1024; integers at integer levels."""
    centres = torch.arange(ANCHORS, dtype=level.dtype, device=level.device).view(1, -1, 1, 1) * SPACING
    return torch.relu(SPACING - (level - centres).abs())


def nearest_anchor(level: Tensor) -> Tensor:
    """Return the index 0..8 of the anchor whose table of z an integer level uses."""
    return torch.div(level + SPACING // 2, SPACING, rounding_mode="floor").long()
