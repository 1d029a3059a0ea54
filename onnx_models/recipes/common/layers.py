"""Layers of the networks: blocks, changes of resolution, and gains that depend on the level."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .depthwise import SLOPE, Depthwise, Pointwise, block, in_full, pointwise, takes_block
from .levels import SPACING


def patchwise(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """Return a convolution whose stride is its kernel, computed as one matrix product."""
    weight, k = conv.weight, conv.kernel_size[0]
    return pointwise(F.pixel_unshuffle(x, k), weight.flatten(1)[..., None, None], conv.bias)


def interpolated(table: Tensor, hat: Tensor) -> Tensor:
    """Return the table (ANCHORS, C) interpolated at the level of every position, (B, C, h, w)."""
    with in_full(hat):
        return pointwise(hat / SPACING, table.t()[:, :, None, None], None)


def gain_field(table: Tensor, hat: Tensor) -> Tensor:
    """Return the gains (B, C, h, w) of a table (ANCHORS, C) of log-gains, interpolated at the level of every position."""
    return torch.exp(interpolated(table, hat))


class Block(nn.Module):
    """1x1, LeakyReLU, depthwise, 1x1, + skip; then 1x1, LeakyReLU, 1x1, + skip: one resolution, no normalisation."""

    def __init__(self, c: int, k: int, slope: float = SLOPE) -> None:
        super().__init__()
        self.slope = slope
        self.a, self.dw, self.b = Pointwise(c, c), Depthwise(c, k), Pointwise(c, c)
        self.f1, self.f2 = Pointwise(c, 2 * c), Pointwise(2 * c, c)
        for m in (self.b, self.f2):
            nn.init.zeros_(m.bias)
            m.weight.data.mul_(0.3)

    def forward(self, x: Tensor) -> Tensor:
        if takes_block(x):
            return block(x, list(self.parameters()), self.slope)
        x = x + self.b(self.dw(F.leaky_relu(self.a(x), self.slope)))
        return x + self.f2(F.leaky_relu(self.f1(x), self.slope))


def blocks(c: int, n: int, k: int, slope: float = SLOPE) -> nn.Sequential:
    return nn.Sequential(*[Block(c, k, slope) for _ in range(n)])


class Halving(nn.Conv2d):
    """Convolution of 2x2 with stride 2."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__(i, o, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return patchwise(x, self)


def up(i: int, o: int, r: int = 2) -> nn.Sequential:
    return nn.Sequential(Pointwise(i, o * r * r), nn.PixelShuffle(r))
