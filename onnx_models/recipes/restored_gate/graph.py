"""The gate as a graph of ONNX, operation by operation what `network` computes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto
from torch import nn

from ..common.depthwise import SLOPE
from ..common.graph import Array, Graph, numpy
from ..common.restoring import BLOCK, COEFFICIENTS, FROM_RGB
from .network import COARSE, LARGEST, LOW, ORDER, SPAN, STEEP, STEPS, UNLIKE, WIDE, WIDE_FROM, Gate


class Seen(NamedTuple):
    """What the gate sees, by names of the graph.

    around, own: what `Gate.seen` returns. luma: the first coefficient of every block (1,1,h,w); symbols: how many steps its luma's
    coefficients are (1,64,h,w), without their signs; steps: of these (1,64,1,1).
    """

    around: str
    own: str
    luma: str
    symbols: str
    steps: str


def gate_graph(net: Gate) -> onnx.ModelProto:
    """Pixels decoded and shown (H,W,3) uint8, H and W multiples of 8; steps (1,128,1,1), halved (1,2,1,1) -> open (1,2,H/8,W/8) in 0..1."""
    g = Graph("gate", in_bytes=True)
    decoded, shown = (
        _levels(g, g.input(name, ["height", "width", 3], TensorProto.UINT8)) for name in ("decoded", "shown")
    )
    steps, halved = g.input("steps", [1, 2 * COEFFICIENTS, 1, 1]), g.input("halved", [1, 2, 1, 1])
    seen = seen_layers(g, net, decoded, shown, steps)
    opened, edged = decided_layers(g, net, seen, steps, halved), edged_layers(g, seen)
    opened = g.op("Mul", opened, g.op("Sub", g.constant(1.0), edged))
    stepped = g.op("Round", g.op("Mul", opened, g.constant(STEPS)))
    g.output(g.op("Mul", stepped, g.constant(1 / STEPS)), "open", [1, 2, "rows", "columns"])
    return g.model(named=True)


def _levels(g: Graph, pixels: str) -> str:
    """Turn pixels (H,W,3) uint8 into levels (1,3,H,W)."""
    levels = g.op("Cast", g.op("Transpose", pixels, perm=[2, 0, 1]), to=TensorProto.FLOAT)
    return g.op("Unsqueeze", levels, g.constant([0], np.int64))


def seen_layers(g: Graph, net: Gate, decoded: str, shown: str, steps: str) -> Seen:
    """Levels (1,3,H,W) decoded and shown, steps (1,128,1,1) -> what `Gate.seen` returns, and parts of it."""
    chosen = np.eye(2 * COEFFICIENTS, dtype=np.float32)[[*ORDER, *(2 * [COEFFICIENTS + k for k in LOW])]]
    ordered = g.conv(steps, chosen[:, :, None, None], fine=True)
    steps_y, steps_c = _part(g, ordered, 0, COEFFICIENTS), _part(g, ordered, COEFFICIENTS, COEFFICIENTS + 2 * COARSE)
    basis = numpy(net.dct).reshape(-1, 1, BLOCK, BLOCK)
    planes = np.array(FROM_RGB, np.float32)[[*([0] * COEFFICIENTS), *([1] * COARSE), *([2] * COARSE)], :, None, None]
    kernel = g.op("Mul", g.constant(planes), g.constant(np.concatenate([basis, basis[:COARSE], basis[:COARSE]])))
    middle = np.zeros(len(planes), np.float32)
    middle[0] = -128 * BLOCK

    def coefficients(rgb: str, bias: Array) -> tuple[str, str]:
        found = g.op("Conv", rgb, kernel, g.constant(bias), kernel_shape=[BLOCK] * 2, strides=[BLOCK] * 2)
        return _part(g, found, 0, COEFFICIENTS), _part(g, found, COEFFICIENTS, len(planes))

    def steps_of(x: str, step: str, most: float) -> str:
        return g.clip(g.op("Div", x, step), -most, most)

    def log(x: str, share: float) -> str:
        return g.op("Mul", g.op("Log", g.op("Add", g.op("Abs", x), g.constant(1.0))), g.constant(share))

    def low(x: str) -> str:
        return _part(g, x, 0, COARSE)

    luma, colors = coefficients(decoded, middle)
    symbols, symbols_c = steps_of(luma, steps_y, 2.5), steps_of(colors, steps_c, 2.5)
    firsts = [_part(g, x, i, i + 1) for x, i in ((luma, 0), (colors, 0), (colors, COARSE))]
    means = g.op("Mul", g.op("Concat", *firsts, axis=1), g.constant(1 / 512))
    dark = g.clip(g.op("Sub", g.constant(1.0), decoded), 0, 1)
    bright = g.clip(g.op("Sub", decoded, g.constant(254.0)), 0, 1)
    ends = [g.op("AveragePool", x, kernel_shape=[BLOCK] * 2, strides=[BLOCK] * 2) for x in (dark, bright)]
    sizes = [g.op("Abs", symbols), g.op("Abs", symbols_c), log(low(luma), 1 / 4), log(colors, 1 / 4)]
    around = g.op("Concat", *sizes, means, *ends, axis=1)
    change, change_c = coefficients(g.op("Sub", shown, decoded), 0 * middle)
    q, q_c = steps_of(change, steps_y, 1.5), steps_of(change_c, steps_c, 1.5)
    same = [g.op("Mul", x, g.clip(s, -1, 1)) for x, s in ((low(q), low(symbols)), (q_c, symbols_c))]
    own = g.op("Concat", g.op("Abs", q), *same, log(low(change), 1 / 2), log(change_c, 1 / 2), axis=1)
    return Seen(around, own, firsts[0], sizes[0], steps_y)


def decided_layers(g: Graph, net: Gate, seen: Seen, steps: str, halved: str) -> str:
    """Return how much is shown of every block, (1,2,h,w), as `Gate.decided` but not in whole STEPS."""

    def conv(x: str, m: nn.Module, rows: slice = slice(None), offset: float = 0.0, **words: Any) -> str:
        assert isinstance(m, nn.Conv2d)
        assert m.bias is not None
        return g.conv(x, numpy(m.weight[rows]), numpy(m.bias[rows]) + np.float32(offset), **words)

    def leaky(x: str) -> str:
        return g.op("LeakyRelu", x, alpha=SLOPE)

    logs = g.op("Sub", g.op("Mul", g.op("Log", steps), g.constant(0.5)), g.constant(1.0))
    described = leaky(conv(g.op("Concat", logs, halved, axis=1), net.told))
    width = net.joined.out_channels
    films = [conv(described, net.films, slice(i * width, (i + 1) * width), 1.0 - i % 2) for i in range(4)]
    t = leaky(g.op("Add", g.op("Mul", conv(seen.around, net.around), films[0]), films[1]))
    for layer, (spread, mixed) in enumerate(zip(net.spread, net.mixed, strict=True)):
        if layer == WIDE_FROM:
            mean = _mean_around(g, t)
            alike = g.clip(conv(leaky(conv(mean, net.like)), net.likeness, fine=True), 0, 1)
            t = g.op("Add", t, leaky(conv(mean, net.wide)))
        t = g.op("Add", t, leaky(conv(conv(t, spread, pad=2, groups=width), mixed)))
    o = leaky(g.op("Add", g.op("Mul", conv(seen.own, net.own), films[2]), films[3]))
    joined = leaky(conv(g.op("Concat", t, o, axis=1), net.joined))
    wide = g.op("Mul", g.op("Sigmoid", conv(joined, net.leave)), g.constant(SPAN))
    opened = g.clip(g.op("Sub", wide, g.constant((SPAN - 1) / 2)), 0, 1)
    return g.op("Mul", opened, g.op("Add", g.op("Mul", alike, g.constant(1 - UNLIKE)), g.constant(UNLIKE)))


def _mean_around(g: Graph, x: str) -> str:
    """Return the means over the blocks up to WIDE away each way, as far as there are any: of rows, then of these."""
    for across in (False, True):
        kernel, pad = [1, 1], [0, 0]
        kernel[across], pad[across] = 2 * WIDE + 1, WIDE
        x = g.op("AveragePool", x, kernel_shape=kernel, strides=[1, 1], pads=[*pad, *pad], count_include_pad=0)
    return x


def edged_layers(g: Graph, seen: Seen) -> str:
    """Return 1 for the blocks that are `edged`, else 0, (1,1,h,w)."""

    def is_none(x: str) -> str:
        """Return 1 where a sum that is not negative is 0, else 0."""
        return g.op("Sub", g.constant(1.0), g.clip(g.op("Mul", x, g.constant(LARGEST)), 0, 1))

    def larger(x: str, y: str) -> str:
        return g.op("Add", x, g.op("Relu", g.op("Sub", y, x)))

    every = g.constant(np.ones((1, COEFFICIENTS - 1, 1, 1), np.float32))
    coded = g.op("Relu", g.op("Sub", _part(g, seen.symbols, 1, COEFFICIENTS), g.constant(0.5)))
    flat = is_none(g.op("Conv", coded, every, kernel_shape=[1, 1]))
    first, second, third = (_part(g, seen.steps, i, i + 1) for i in (0, 1, LOW.index(BLOCK)))
    far = larger(larger(first, second), third)
    around_one = np.eye(9, dtype=np.float32)[[0, 1, 2, 3, 5, 6, 7, 8]].reshape(8, 1, 3, 3)
    own_too = around_one.copy()
    own_too[:, :, 1, 1] = -1
    words = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    away = g.op("Abs", g.op("Conv", seen.luma, g.constant(own_too), **words))
    beyond = g.op("Relu", g.op("Sub", away, g.op("Mul", far, g.constant(float(STEEP)))))
    steep = g.op("Sub", g.constant(1.0), is_none(beyond))
    both = g.op("Mul", g.op("Mul", steep, g.op("Conv", flat, g.constant(around_one), **words)), flat)
    near = g.op("Conv", both, g.constant(np.ones((1, 8, 3, 3), np.float32)), **words)
    return g.op("Mul", g.clip(near, 0, 1), flat)


def _part(g: Graph, x: str, first: int, end: int) -> str:
    """Return channels first..end-1."""
    return g.slice(x, [first], [end], [1], [1])
