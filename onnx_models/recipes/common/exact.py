"""Convolutions whose result is the same integer on every machine (FORMAT.md, section 9).

Activations are integers 0..255 in units of 1/16, weights integers -127..127 times a power of two per output channel. A float32 engine
adds them without rounding in any order while  max|x| * sum|w| + |b| < 2^24  holds for every output channel; `bounds()` proves it.
In training the same arithmetic runs on real numbers, rounding passed straight through. Sources: Balle 2019 (Integer Networks);
ICMEW 2023 ("Stabilizing the convolution").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from .depthwise import depthwise, pointwise
from .graph import Graph, numpy

Convolution = Callable[[Tensor, Tensor, Tensor], Tensor]
"""A convolution: input, weights, biases -> output."""

UNIT = 16
ACTIVATION_MAX = 255
WEIGHT_MAX = 127
EXACT_LIMIT = 2**24


def straight_through(value: Tensor, x: Tensor) -> Tensor:
    """Return `value` with a gradient that passes to x unchanged."""
    return x + (value - x).detach()


def straight_through_round(x: Tensor) -> Tensor:
    return straight_through(x.round(), x)


class _Rescaled(torch.autograd.Function):
    """Sums times factors, clipped and rounded half up, with a gradient that ignores the rounding."""

    @staticmethod
    def forward(ctx, x, factor, low, high):  # type: ignore[no-untyped-def]
        x = x * factor
        ctx.save_for_backward((x >= low) & (x <= high), factor)
        return x.clamp_(low, high).add_(0.5).floor_()

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        inside, factor = ctx.saved_tensors
        return grad * factor * inside, None, None, None


class ExactConv(nn.Module):
    """1x1 or depthwise 3x3 convolution over integers; ReLU and clip to 0..255 after it unless `signed`.

    `limits`: the largest |integer| of every input channel (one number if they are alike).
    """

    def __init__(self, i: int, o: int, kernel: int, limits: int | Sequence[int], *, signed: bool = False) -> None:
        super().__init__()
        self.groups, self.signed = (1 if kernel == 1 else i), signed
        conv = nn.Conv2d(i, o, kernel, padding=kernel // 2, groups=self.groups)
        self.weight, self.bias, self.kernel = conv.weight, conv.bias, kernel
        self.limits = [limits] * i if isinstance(limits, int) else list(limits)

    def exponents(self) -> Tensor:
        """Return (o,) exponents s in 0..16 with which the integer weights round(w * 2^s) are in -127..127."""
        largest = self.weight.detach().abs().amax((1, 2, 3)).clamp_min(1e-6)
        return torch.floor(torch.log2(WEIGHT_MAX / largest)).clamp(0, 16)

    def quantised(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return integer-valued weights (o,i,k,k), integer-valued biases (o,) in units of 2^-s / 16, and scales 2^s (o,)."""
        scale = torch.exp2(self.exponents())
        weight = (self.weight * scale[:, None, None, None]).clamp(-WEIGHT_MAX, WEIGHT_MAX)
        bias = self.bias * scale * UNIT
        return straight_through_round(weight), straight_through_round(bias), scale

    def forward(self, x: Tensor, convolve: Convolution | None = None) -> Tensor:
        """Return integers as float32 for integers as float32. A `convolve` given takes the place of the layer's own."""
        weight, bias, scale = self.quantised()
        ends = (-math.inf, math.inf) if self.signed else (0, ACTIVATION_MAX)
        sums = (convolve or self.convolve)(x, weight, bias)
        y: Tensor = _Rescaled.apply(sums, 1 / scale[:, None, None], *ends)  # type: ignore[no-untyped-call]
        return y

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return pointwise(x, weight, bias) if self.kernel == 1 else depthwise(x, weight, bias)

    def bounds(self) -> Tensor:
        """Return (o,) sum(limit * |w|) + |b| of every output channel, which is exact while below 2^24."""
        with torch.no_grad():
            weight, bias, _ = self.rounded()
            limits = torch.tensor(self.limits, dtype=torch.float64)
            per_input = limits[:, None] if self.groups > 1 else limits[None]
            return (weight.double().abs().sum((2, 3)) * per_input).sum(1) + bias.double().abs()

    def rounded(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return weights, biases (with the half of the rounding folded in) and factors 2^-s for out = floor(conv(x) * 2^-s)."""
        with torch.no_grad():
            weight, bias, scale = self.quantised()
            return weight, bias + torch.floor(scale / 2), 1 / scale


def proved(layer: ExactConv) -> tuple[Tensor, Tensor, Tensor]:
    """Return `layer.rounded()`; ValueError naming the channel where  sum(limit * |w|) + |b| < 2^24  does not hold."""
    bounds = layer.bounds()
    if bounds.max() >= EXACT_LIMIT:
        raise ValueError(f"channel {int(bounds.argmax())}: bound {bounds.max():.0f} must be below {EXACT_LIMIT}")
    return layer.rounded()


def exact(g: Graph, x: str, layer: ExactConv) -> str:
    """Write the convolution of (1,i,h,w), (1,o,h,w); errors as of `proved`."""
    weight, bias, factor = (numpy(v) for v in proved(layer))
    x = g.conv(x, weight, bias, pad=layer.kernel // 2, groups=layer.groups)
    x = g.op("Floor", g.op("Mul", x, g.constant(factor[:, None, None])))
    return x if layer.signed else g.clip(x, 0, ACTIVATION_MAX)
