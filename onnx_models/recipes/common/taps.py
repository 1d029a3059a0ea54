"""Convolutions whose weights are kept as one matrix for each place of the kernel, which `Soap` takes."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .graph import Graph, numpy


class Taps(nn.Module):
    """The weights (o,i,k,k) of a convolution as k^2 matrices (o,i,1,1), in raster order, and its bias (o,), or (i,) of a transpose.

    gain: of the random start; small beside a transform that is put in, sqrt(2) where a rectifier follows and nothing else is known.
    """

    def __init__(self, o: int, i: int, k: int, *, transposed: bool = False, gain: float = 0.03) -> None:
        super().__init__()
        self.size, self.transposed = k, transposed
        self.taps = nn.ParameterList(torch.randn(o, i, 1, 1) * gain / math.sqrt(k**2 * i) for _ in range(k**2))
        self.bias = nn.Parameter(torch.zeros(i if transposed else o))

    def weight(self) -> Tensor:
        return torch.cat(list(self.taps), 3).unflatten(3, (self.size, self.size)).squeeze(2)


class Conv(Taps):
    """k x k convolution from i to o channels, k odd, with zeros around and a stride."""

    def __init__(self, i: int, o: int, k: int, stride: int = 1, gain: float = 0.03) -> None:
        super().__init__(o, i, k, gain=gain)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight(), self.bias, self.stride, self.size // 2)


def written(g: Graph, x: str, layer: Conv) -> str:
    """Write the convolution of (1,i,h,w)."""
    return g.conv(x, numpy(layer.weight()), numpy(layer.bias), stride=layer.stride, pad=layer.size // 2)
