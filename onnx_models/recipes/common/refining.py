"""A second network behind one that enlarges a JPEG picture by 2: what that one shows, and the file's coefficients -> a better picture.

    coefficients of a block in steps ─blocks at 1/8─▶ change of the small picture ─bicubic─▶ + what the first one shows
                                          └─────────▶ features of every place ─┐               │
    small picture less the shown one made small ───────────────────────────────┴─ + ─◀─ windows of 4x4
                                                                                  └─blocks at the small size─▶ + four pixels each

The first network rests: it is a model of its own, which others have trained with other tables.
"""

from __future__ import annotations

import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor, nn

from .depthwise import Pointwise
from .graph import Graph, numpy
from .layers import blocks
from .resizing import SCALE, enlarged, enlarged_layers
from .restoring import (
    BLOCK,
    COEFFICIENTS,
    Trunk,
    Windows,
    block_layers,
    dct,
    exact_conv,
    levels_layers,
    pointwise_layer,
    pointwise_rows,
    rounded,
    to_rgb,
    units_layers,
    windows_layer,
)

WIDTH, DEPTH = 128, 2
"""Features at 1/8 of the small picture, and blocks."""
FINE, FINE_DEPTH = 32, 4
"""Features at the small size, and blocks."""
GIVEN = 8
"""Features that a block gives each of its places."""
CLIPPED = 2.5
"""Steps beyond which a coefficient is no more told apart."""


class Refine(nn.Module):
    """What the first network shows (B,3,2h,2w), the small picture (B,3,h,w), both of Y, Cb and Cr around 0 -> a better one."""

    def __init__(self) -> None:
        super().__init__()
        self.dct: Tensor
        self.register_buffer("dct", dct(), persistent=False)
        self.coefficients, self.told = Pointwise(COEFFICIENTS, WIDTH), Pointwise(COEFFICIENTS, 2 * WIDTH)
        self.trunk = blocks(WIDTH, DEPTH, 5)
        self.leave_blocks = Pointwise(WIDTH, COEFFICIENTS)
        self.up, self.spread = Pointwise(WIDTH, BLOCK**2 * GIVEN), Pointwise(GIVEN, FINE)
        self.windows, self.inner = Windows(SCALE, FINE), Pointwise(3, FINE)
        self.body, self.leave = blocks(FINE, FINE_DEPTH, 5), Pointwise(FINE, 3 * SCALE**2)
        for layer, size in ((self.leave, 0.05), (self.leave_blocks, 0.05), (self.told, 0.1)):
            layer.weight.data.mul_(size)
            layer.bias.data.zero_()  # type: ignore[union-attr]

    def forward(self, shown: Tensor, inner: Tensor, scale: Tensor, steps: Tensor) -> Tensor:
        """Return it; scale (B,3,1,1): the deviations expected of pixels; steps (B,64): of luma; h and w are multiples of 8."""
        luma = torch.einsum("fp,bphw->bfhw", self.dct, F.pixel_unshuffle(inner[:, :1], BLOCK))
        symbols = (luma / steps[:, :, None, None]).clamp(-CLIPPED, CLIPPED)
        factor, offset = self.told((steps.log() / 2 - 1)[:, :, None, None]).chunk(2, 1)
        t = self.trunk(self.coefficients(symbols) * (1 + factor) + offset)
        change = torch.einsum("fp,bfhw->bphw", self.dct, self.leave_blocks(t))
        lighter = enlarged(F.pixel_shuffle(change, BLOCK) * scale[:, :1])
        base = torch.cat([shown[:, :1] + lighter, shown[:, 1:]], 1)
        f = self.windows(base / scale) + self.inner((inner - F.avg_pool2d(shown, SCALE)) / scale)
        f = f + self.spread(F.pixel_shuffle(self.up(t), BLOCK))
        return base + F.pixel_shuffle(self.leave(self.body(f)), SCALE) * scale


def refine_graph(net: Refine, trunk: Trunk) -> onnx.ModelProto:
    """Shown (2h,2w,3) uint8, pixels (h,w,3) uint8, h and w multiples of 8, steps (1,128,1,1) -> refined (1,2h,2w,3) uint8.

    trunk: of the first network, whose expected deviations are the scale.
    """
    g = Graph("refine", in_bytes=True)
    first = g.input("shown", ["height", "width", 3], TensorProto.UINT8)
    pixels = g.input("pixels", ["h2", "w2", 3], TensorProto.UINT8)
    steps = g.input("steps", [1, 2 * COEFFICIENTS, 1, 1])
    (rgb, shown), (_, inner) = levels_layers(g, first), levels_layers(g, pixels)
    _, scale = units_layers(g, trunk, steps)
    basis = numpy(net.dct).reshape(COEFFICIENTS, 1, BLOCK, BLOCK)
    luma_steps = g.slice(steps, [0], [COEFFICIENTS], [1], [1])
    luma = exact_conv(g, g.slice(inner, [0], [1], [1], [1]), basis, stride=BLOCK)
    symbols = g.clip(g.op("Div", luma, luma_steps), -CLIPPED, CLIPPED)
    logs = g.op("Sub", g.op("Mul", g.op("Log", luma_steps), g.constant(0.5)), g.constant(1.0))
    factor = pointwise_rows(g, logs, net.told, 0, WIDTH, offset=1.0)
    offset = pointwise_rows(g, logs, net.told, WIDTH, 2 * WIDTH)
    t = g.op("Add", g.op("Mul", pointwise_layer(g, symbols, net.coefficients), factor), offset)
    t = block_layers(g, t, net.trunk)
    change = g.op(
        "ConvTranspose",
        pointwise_layer(g, t, net.leave_blocks),
        g.constant(basis),
        kernel_shape=[BLOCK] * 2,
        strides=[BLOCK] * 2,
    )
    lighter = enlarged_layers(g, g.op("Mul", change, g.slice(scale, [0], [1], [1], [1])), 1)
    base = g.op(
        "Concat",
        g.op("Add", g.slice(shown, [0], [1], [1], [1]), lighter),
        g.slice(shown, [1], [3], [1], [1]),
        axis=1,
    )
    small = g.op("AveragePool", shown, kernel_shape=[SCALE] * 2, strides=[SCALE] * 2)
    f = g.op(
        "Add",
        windows_layer(g, g.op("Div", base, scale), net.windows),
        pointwise_layer(g, g.op("Div", g.op("Sub", inner, small), scale), net.inner),
    )
    f = g.op("Add", f, pointwise_layer(g, g.shuffle(pointwise_layer(g, t, net.up), BLOCK), net.spread))
    detail = g.op("Mul", g.shuffle(pointwise_layer(g, block_layers(g, f, net.body), net.leave), SCALE), scale)
    better = g.op("Add", g.op("Add", rgb, lighter), to_rgb(g, detail))
    g.output(rounded(g, better), "refined", [1, "height", "width", 3], TensorProto.UINT8)
    return g.model(named=True)
