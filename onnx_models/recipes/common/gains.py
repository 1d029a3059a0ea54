"""Factors for each channel that depend on the level, interpolated between anchors in the log domain: one model for all rates."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from .graph import Graph, numpy
from .levels import ANCHORS, SPACING
from .levels import hats as hats_of


class Gains(nn.Module):
    """A factor for each of some channels at every level."""

    def __init__(self, start: Tensor, channels: int) -> None:
        """start: (ANCHORS,) logarithms, alike for all channels."""
        super().__init__()
        self.log_gain = nn.Parameter(start[:, None].repeat(1, channels))

    def forward(self, level: Tensor) -> Tensor:
        """Levels (B,) -> factors (B,C,1,1)."""
        # No matrix product: autocast would round the logarithms to bfloat16.
        share = hats_of(level.view(-1, 1, 1, 1)) / SPACING
        return torch.exp((share.flatten(2) * self.log_gain).sum(1))[..., None, None]


def hats(g: Graph, level: str) -> str:
    """(1,1,h,w) -> (1,ANCHORS,h,w) in 0..128."""
    centres = np.arange(ANCHORS, dtype=np.float32).reshape(1, -1, 1, 1) * SPACING
    distance = g.op("Abs", g.op("Sub", level, g.constant(centres)))
    return g.op("Relu", g.op("Sub", g.constant(float(SPACING)), distance))


def gain(g: Graph, hat: str, table: Tensor, factor: float = 1.0) -> str:
    """Write the factors (1,C,h,w) of log-gains (ANCHORS,C) at hats (1,ANCHORS,h,w), times another factor."""
    weight = numpy(table).T[:, :, None, None]
    scaled = g.op("Mul", hat, g.constant(1 / SPACING))
    result = g.op("Exp", g.op("Conv", scaled, g.constant(weight), kernel_shape=[1, 1]))
    return result if factor == 1.0 else g.op("Mul", result, g.constant(factor))
