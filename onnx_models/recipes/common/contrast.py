"""Coefficients over the root of the contrast of their block, as a module and as parts of a graph: MS-SSIM compares relative to contrast.

With E the sum of the squares of all channels but the first, which is the mean of the block and stays as it is,

    z = c / (floor + E)^(1/4)        and back, by Z = the sum of z^2 = E / (floor + E)^(1/2):    E = (Z^2 + (Z^4 + 4 floor Z^2)^(1/2)) / 2
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from .graph import Graph

FLOOR = 0.1
"""The contrast of a block, in squared pixel values of 0..1, up to which steps are alike."""
LEAST = 1e-6
"""Added to Z^2: the root has no slope at 0."""


class Contrast(nn.Module):
    """Coefficients c (B,channels,h,w) -> z of the same shape, and back; a floor for each way is learnt."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.log_floor, self.log_floor_back = (
            nn.Parameter(torch.tensor(FLOOR).log()),
            nn.Parameter(torch.tensor(FLOOR).log()),
        )

    def forward(self, c: Tensor) -> Tensor:
        energy = c[:, 1:].square().sum(1, keepdim=True)
        return torch.cat([c[:, :1], c[:, 1:] * (self.log_floor.exp() + energy) ** -0.25], 1)

    def back(self, z: Tensor) -> Tensor:
        floor, square = self.log_floor_back.exp(), z[:, 1:].square().sum(1, keepdim=True) + LEAST
        energy = (square**2 + torch.sqrt(square**4 + 4 * floor * square**2)) / 2
        return torch.cat([z[:, :1], z[:, 1:] * (floor + energy) ** 0.25], 1)


def forward_graph(g: Graph, c: str, net: Contrast) -> str:
    """Write `Contrast.forward`."""
    power = g.op("Sqrt", g.op("Sqrt", g.op("Add", _energy(g, c, net), g.constant(net.log_floor.exp().item()))))
    return _scaled(g, c, g.op("Div", g.constant(1.0), power), net)


def back_graph(g: Graph, z: str, net: Contrast) -> str:
    """Write `Contrast.back`."""
    floor = net.log_floor_back.exp().item()
    square = g.op("Add", _energy(g, z, net), g.constant(LEAST))
    fourth = g.op("Mul", square, square)
    root = g.op("Sqrt", g.op("Mul", fourth, g.op("Add", fourth, g.constant(4 * floor))))
    total = g.op("Mul", g.op("Add", fourth, root), g.constant(0.5))
    return _scaled(g, z, g.op("Sqrt", g.op("Sqrt", g.op("Add", total, g.constant(floor)))), net)


def _energy(g: Graph, c: str, net: Contrast) -> str:
    """Write the sum of the squares of all channels but the first, (1,1,h,w)."""
    ones = np.ones((1, net.channels, 1, 1), np.float32)
    ones[0, 0] = 0
    return g.conv(g.op("Mul", c, c), ones)


def _scaled(g: Graph, c: str, factor: str, net: Contrast) -> str:
    """Write all channels but the first times a factor (1,1,h,w)."""
    chosen = np.ones((1, net.channels, 1, 1), np.float32)
    chosen[0, 0] = 0
    return g.op("Mul", c, g.op("Add", g.op("Mul", factor, g.constant(chosen)), g.constant(1 - chosen)))
