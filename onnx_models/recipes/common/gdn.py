"""The layers of Balle's transforms: divisive normalisation, and 5x5 convolutions that halve or double the resolution.

    GDN:  v_i = u_i / sqrt(beta_i + sum_j gamma_ij u_j^2)            IGDN:  u_i = v_i * sqrt(beta_i + sum_j gamma_ij v_j^2)

Source: Balle, Laparra and Simoncelli, "Density modeling of images using a generalized normalization transformation" (ICLR 2016).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .graph import Graph, numpy
from .taps import Taps


class GDN(nn.Module):
    """Generalised divisive normalisation over channels, or its approximate inverse; beta and gamma are kept as logarithms."""

    def __init__(self, c: int, *, inverse: bool = False) -> None:
        super().__init__()
        self.inverse = inverse
        self.log_beta, self.log_gamma = nn.Parameter(torch.zeros(c)), nn.Parameter(torch.zeros(c, c, 1, 1))

    def start(self, power: Tensor) -> None:
        """Begin near the identity: what is added to 1 is a tenth of the power (c,) of the inputs, each in units of its mean."""
        self.log_gamma.data[:] = torch.log(0.1 / (len(power) * power.clamp_min(1e-5)))[None, :, None, None]

    def forward(self, x: Tensor) -> Tensor:
        energy = F.conv2d(x * x, self.log_gamma.exp(), self.log_beta.exp())
        return x * (energy.sqrt() if self.inverse else energy.rsqrt())


class Kernel5(Taps):
    """5x5 convolution with a stride of 2 from `fine` channels to `coarse` ones, or its transpose; weights (coarse, fine, 5, 5)."""

    def __init__(self, fine: int, coarse: int, *, transposed: bool = False) -> None:
        super().__init__(coarse, fine, 5, transposed=transposed)

    def forward(self, x: Tensor) -> Tensor:
        if self.transposed:
            return F.conv_transpose2d(x, self.weight(), self.bias, stride=2, padding=2, output_padding=1)
        return F.conv2d(x, self.weight(), self.bias, stride=2, padding=2)


def gdn(g: Graph, x: str, layer: GDN) -> str:
    """Write the normalisation of (1,c,h,w); gamma stays in single precision, because half has no room for its range."""
    inputs = g.constant(numpy(layer.log_gamma.exp())), g.constant(numpy(layer.log_beta.exp()))
    root = g.op("Sqrt", g.op("Conv", g.op("Mul", x, x), *inputs, kernel_shape=[1, 1]))
    return g.op("Mul" if layer.inverse else "Div", x, root)


def kernel5(g: Graph, x: str, layer: Kernel5) -> str:
    """Write the convolution, (1,fine,2h,2w) <-> (1,coarse,h,w)."""
    weight, bias = numpy(layer.weight()), numpy(layer.bias)
    if layer.transposed:
        return g.doubled(x, weight, bias)
    return g.conv(x, weight, bias, stride=2, pad=2)
