"""The networks of `balle2018`, and their graphs: hyper-latents of latents, and scale indexes and centres of hyper-latents.

The second computes in integers (`exact.py`). Its tables of the level have whole numbers at anchors, are interpolated and rounded down.
"""

from __future__ import annotations

import math

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor, nn

from .depthwise import pointwise
from .exact import ACTIVATION_MAX, UNIT, ExactConv, exact, proved, straight_through, straight_through_round
from .gains import Gains, gain
from .gains import hats as hats_graph
from .graph import Graph, numpy
from .levels import ANCHORS, SPACING, hats
from .taps import Conv, written

LATENTS = 256
CENTRED = 4
"""Channels, the first, that have centres."""
HYPER_LATENTS, HYPER_STRIDE, HYPER_FEATURES = 64 + CENTRED, 4, 96
COARSE, MIDDLE, FINE = 160, 96, 96
"""Features of the network of the scales at 1/64, 1/32 and 1/16 of the resolution of pixels."""
Z_MAX, Z_UNITS_MAX = 127, 1023
"""Largest magnitudes of a hyper-latent, and of one in the units that the network of the scales takes."""
SCALES, SCALE_MIN, SCALE_MAX = 64, 0.08, 200.0
"""Standard deviations that the indexes stand for, log-spaced, in steps."""
SCALE_STEP = math.log(SCALE_MAX / SCALE_MIN) / (SCALES - 1)
INDEX_UNIT = 10.0
"""Scale indexes that 1 of the table of first guesses stands for: it must be able to move by several in hundreds of steps."""
CENTRE_MAX, CENTRE_PARTS = 4095, 1024
"""Largest magnitude of a centre as the network gives it, and the parts of a step in which it is after its factor of the level."""


def deviation(index: Tensor) -> Tensor:
    """Return the standard deviation, in steps, of a scale index 0..SCALES-1, whole or not."""
    return SCALE_MIN * torch.exp(index * SCALE_STEP)


def whole(index16: Tensor) -> Tensor:
    """Return the scale index 0..SCALES-1 that the coder uses, for one in sixteenths, not clipped."""
    return torch.floor((index16 + UNIT / 2) / UNIT).clamp(0, SCALES - 1)


def nearest_step(centre: Tensor) -> Tensor:
    """Return the centre in whole steps that the coder uses, for one in parts of a step."""
    return torch.floor((centre + CENTRE_PARTS / 2) / CENTRE_PARTS)


def interpolated(table: Tensor, hat: Tensor) -> Tensor:
    """Return the integers of a table (ANCHORS,c) of integers at hats (B,ANCHORS,1,1), (B,c,1,1), rounded down, straight through."""
    value = torch.einsum("ac,bahw->bchw", table, hat) / SPACING
    return straight_through(torch.floor(value), value)


class HyperAnalysis(nn.Module):
    """Latents y (B,LATENTS,h,w) in steps, h and w multiples of 4, those of CENTRED channels in halves of a deviation, levels (B,) -> z."""

    def __init__(self) -> None:
        super().__init__()
        f, plain = HYPER_FEATURES, HYPER_LATENTS - CENTRED
        self.first = Conv(LATENTS, f, 1, gain=math.sqrt(2))
        self.second = Conv(f, f, 5, 2, gain=math.sqrt(2))
        self.third = Conv(f, plain, 5, 2, gain=math.sqrt(2))
        self.means = nn.Parameter(torch.eye(CENTRED)[:, :, None, None].repeat(1, 1, 4, 4) / 16)
        self.at = nn.Parameter(torch.zeros(ANCHORS, f))
        self.gains = Gains(torch.zeros(ANCHORS), HYPER_LATENTS)

    def forward(self, y: Tensor, coloured: Tensor, level: Tensor) -> Tensor:
        x = pointwise(torch.log1p(y.abs()), self.first.weight(), self.first.bias)
        x = torch.relu(x + torch.einsum("ac,bahw->bchw", self.at, hats(level.view(-1, 1, 1, 1))) / SPACING)
        x = self.third(torch.relu(self.second(x)))
        return torch.cat([x, F.conv2d(coloured, self.means, None, HYPER_STRIDE)], 1) * self.gains(level)


class Scales(nn.Module):
    """z_hat (B,HYPER_LATENTS,h/4,w/4), levels (B,) -> scale indexes in sixteenths (B,LATENTS,h,w) and centres (B,CENTRED,h,w).

    Neither is clipped; centres are in parts of a step. Integers throughout.
    """

    def __init__(self) -> None:
        super().__init__()
        limits = [Z_UNITS_MAX] * HYPER_LATENTS + [SPACING] * ANCHORS
        self.coarse = nn.Sequential(
            ExactConv(HYPER_LATENTS + ANCHORS, COARSE, 1, limits),
            ExactConv(COARSE, COARSE, 3, ACTIVATION_MAX),
            ExactConv(COARSE, 4 * MIDDLE, 1, ACTIVATION_MAX),
        )
        self.middle = nn.Sequential(
            ExactConv(MIDDLE, MIDDLE, 3, ACTIVATION_MAX), ExactConv(MIDDLE, 4 * FINE, 1, ACTIVATION_MAX)
        )
        self.fine = nn.Sequential(
            ExactConv(FINE, FINE, 3, ACTIVATION_MAX),
            ExactConv(FINE, FINE, 1, ACTIVATION_MAX),
            ExactConv(FINE, LATENTS + CENTRED, 1, ACTIVATION_MAX, signed=True),
        )
        for layer in self.modules():
            if isinstance(layer, ExactConv):  # so that what enters is not rounded to 0 on its way
                nn.init.normal_(layer.weight, std=math.sqrt(2 / layer.weight[0].numel()))
        self.coarse[0].weight.data[:, HYPER_LATENTS:].mul_(0.1)
        self.fine[-1].weight.data.mul_(0.1)
        self.start_index = nn.Parameter(torch.zeros(ANCHORS, LATENTS))
        self.log_units = nn.Parameter(torch.zeros(ANCHORS, HYPER_LATENTS))
        self.log_centre = nn.Parameter(torch.zeros(ANCHORS, CENTRED))

    def starts(self) -> Tensor:
        """Return the first guess of the index in sixteenths at every anchor, (ANCHORS,LATENTS); integers, straight through."""
        return straight_through_round(self.start_index * (UNIT * INDEX_UNIT))

    def units(self) -> Tensor:
        """Return the units that a step of z stands for at every anchor, (ANCHORS,HYPER_LATENTS), 1..255; integers, straight through."""
        return straight_through_round(8 * torch.exp(self.log_units)).clamp(1, 255)

    def factors(self) -> Tensor:
        """Return the factors of centres at every anchor, (ANCHORS,CENTRED); integers, straight through."""
        return straight_through_round(64 * torch.exp(self.log_centre))

    def forward(self, z_hat: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        hat = hats(level.view(-1, 1, 1, 1))
        z = (z_hat.clamp(-Z_MAX, Z_MAX) * interpolated(self.units(), hat)).clamp(-Z_UNITS_MAX, Z_UNITS_MAX)
        a = self.coarse(torch.cat([z, hat.expand(-1, -1, *z.shape[2:])], 1))
        a = self.fine(F.pixel_shuffle(self.middle(F.pixel_shuffle(a, 2)), 2))
        centres = a[:, LATENTS:].clamp(-CENTRE_MAX, CENTRE_MAX) * interpolated(self.factors(), hat)
        return a[:, :LATENTS] + interpolated(self.starts(), hat), centres


def hyper_analysis_graph(own: HyperAnalysis, log_gain: Tensor, coloured: Tensor) -> onnx.ModelProto:
    """Latents y (1,LATENTS,h,w) in steps, h and w multiples of 4; level (1,1,1,1) -> z (1,HYPER_LATENTS,h/4,w/4), whole, -Z_MAX..Z_MAX.

    log_gain: logarithms of the gains that y has at anchors, (ANCHORS,LATENTS). coloured: factors of y before them, (CENTRED,).
    """
    g = Graph("hyper_analysis", in_bytes=True)
    y, hat = g.input("y", [1, LATENTS, "h", "w"]), hats_graph(g, g.input("level", [1, 1, 1, 1]))
    x = g.op("Log", g.op("Add", g.op("Abs", y), g.constant(1.0)))
    shift = g.op("Conv", hat, g.constant(numpy(own.at).T[:, :, None, None] / SPACING), kernel_shape=[1, 1])
    x = g.op("Relu", g.op("Add", written(g, x, own.first), shift))
    x = written(g, g.op("Relu", written(g, x, own.second)), own.third)
    factors = gain(g, hat, torch.log(coloured) - log_gain[:, :CENTRED])
    colours = g.op("Mul", g.slice(y, [0], [CENTRED], [1], [1]), factors)
    x = g.op("Concat", x, g.conv(colours, numpy(own.means), stride=HYPER_STRIDE), axis=1)
    x = g.op("Round", g.op("Mul", x, gain(g, hat, own.gains.log_gain)))
    g.output(g.clip(x, -Z_MAX, Z_MAX), "z", [1, HYPER_LATENTS, "h4", "w4"])
    return g.model(named=True)


def scales_graph(scales: Scales) -> onnx.ModelProto:
    """Hyper-latents z_hat (1,HYPER_LATENTS,h/4,w/4); level (1,1,1,1) -> scale index (1,LATENTS,h,w) uint8, centre (1,CENTRED,h,w); exact."""
    g = Graph("scales")
    z_hat = g.input("z_hat", [1, HYPER_LATENTS, "h4", "w4"])
    hat = hats_graph(g, g.input("level", [1, 1, 1, 1]))

    def at_level(table: Tensor) -> str:
        # In single precision: half has no integers beyond 2048.
        weight = g.constant(np.ascontiguousarray(numpy(table).T[:, :, None, None]))
        return g.op("Floor", g.op("Mul", g.op("Conv", hat, weight, kernel_shape=[1, 1]), g.constant(1 / SPACING)))

    x = g.op("Mul", g.clip(z_hat, -Z_MAX, Z_MAX), at_level(scales.units()))
    x = g.clip(x, -Z_UNITS_MAX, Z_UNITS_MAX)
    # The level is alike everywhere: what it adds to the first sums is computed once.
    weight, bias, factor = (numpy(v) for v in proved(scales.coarse[0]))
    level = g.conv(hat, weight[:, HYPER_LATENTS:])
    x = g.op("Add", g.conv(x, weight[:, :HYPER_LATENTS], bias), level)
    x = g.clip(g.op("Floor", g.op("Mul", x, g.constant(factor[:, None, None]))), 0, ACTIVATION_MAX)
    for layer in scales.coarse[1:]:
        x = exact(g, x, layer)
    x = g.shuffle(x, 2)
    for layer in scales.middle:
        x = exact(g, x, layer)
    x = g.shuffle(x, 2)
    for layer in scales.fine:
        x = exact(g, x, layer)
    index, centre = (g.slice(x, [a], [b], [1], [1]) for a, b in ((0, LATENTS), (LATENTS, LATENTS + CENTRED)))
    index = g.op("Add", g.op("Add", index, at_level(scales.starts())), g.constant(UNIT / 2))
    index = g.clip(g.op("Floor", g.op("Mul", index, g.constant(1 / UNIT))), 0, SCALES - 1)
    g.output(g.op("Cast", index, to=TensorProto.UINT8), "index", [1, LATENTS, "h", "w"], TensorProto.UINT8)
    centre = g.op("Mul", g.clip(centre, -CENTRE_MAX, CENTRE_MAX), at_level(scales.factors()))
    centre = g.op("Mul", g.op("Add", centre, g.constant(CENTRE_PARTS / 2)), g.constant(1 / CENTRE_PARTS))
    g.output(g.op("Floor", centre), "centre", [1, CENTRED, "h", "w"])
    return g.model(named=True)
