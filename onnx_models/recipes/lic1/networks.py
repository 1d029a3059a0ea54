"""Trained weights of `lic1`, or of `lic2`, -> ONNX graphs. Each function mirrors a class of transforms.py or entropy_model.py, layer by layer.

| graph | in | out |
|---|---|---|
| analysis | pixels (H,W,3) uint8 | trunk t (1,C,H/8,W/8), linear path l (1,M,H/16,W/16) |
| latents | t, l, level | y (1,M,h,w) in quantiser steps, z_hat (1,Z,h/4,w/4) integers |
| means_z | z_hat, level | features (1,P,h,w) |
| means_0..n-1 | features, y_hat (not means_0) | means of what the passes of a stage code (1,M*passes,h/2,w/2) |
| synthesis | y_hat, level | picture (1,12,H/2,W/2) in 8-bit levels, context (1,D,H/8,W/8) |
| detail | picture, context, level | pixels by their place in cells of 2x2 (1,12,H/2,W/2) uint8: color, row, column |
| scales_z | z_hat | features (1,S,h,w) integers; exact |
| scales_0..n-1 | features, magnitudes (not scales_0), level | index of what they code (1,M*passes,h/2,w/2) uint8 in 0..63; exact |

There are n = 4 stages of one pass each (lic1), or 3, the last of two passes (lic2). y_hat of means_t: latents of earlier
stages, 0 elsewhere. level (1,1,h,w): integers 0..1024 as float32.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto

from pillow_lic.families.lic1.passes import ORDER, of_stage
from pillow_lic.families.lic1.symbols import Z_MAX

from ..common.exact import UNIT, ExactConv, exact, proved
from ..common.gains import gain, hats
from ..common.graph import Array, Graph, numpy
from ..common.layer_graphs import bent, block, blocks, conv
from ..common.levels import SPACING
from .model import Lic1
from .scale_tables import SCALES
from .transforms import Analysis


def analysis(net: Lic1, a: Analysis | None = None, role: str = "analysis") -> onnx.ModelProto:
    """Return the graph of the analysis of the model, or of another with the same outputs; its body may end in a layer that widens it."""
    g, a = Graph(role), a or net.analysis
    pixels = g.input("pixels", ["height", "width", 3], TensorProto.UINT8)
    x = g.op("Transpose", g.op("Cast", pixels, to=TensorProto.FLOAT), perm=[2, 0, 1])
    x = g.op("Unsqueeze", g.op("Sub", g.op("Mul", x, g.constant(1 / 255)), g.constant(0.5)), g.constant([0], np.int64))
    c = a.enter.weight.shape[0]
    t = g.conv(x, numpy(a.enter.weight).reshape(c, 3, 8, 8), numpy(a.enter.bias), stride=8)
    g.output(blocks(g, t, a.body), "trunk", [1, net.sizes.a, "h8", "w8"])
    g.output(conv(g, x, a.linear), "linear", [1, net.sizes.m, "h", "w"])
    return g.model()


def latents(net: Lic1) -> onnx.ModelProto:
    g, a, s = Graph("latents"), net.latents, net.sizes
    t, linear = g.input("trunk", [1, s.a, "h8", "w8"]), g.input("linear", [1, s.m, "h", "w"])
    hat = hats(g, g.input("level", [1, 1, "h", "w"]))
    t = g.op("Mul", t, g.enlarged(gain(g, hat, a.gain_t), 2))
    y = g.op("Add", conv(g, blocks(g, conv(g, t, a.down), a.body), a.leave), linear)
    y = g.op("Mul", y, gain(g, hat, a.gain_y))
    z = block(g, conv(g, y, a.hyper[0]), a.hyper[1])
    z = conv(g, bent(g, conv(g, z, a.hyper[2])), a.hyper[4])
    g.output(g.clip(g.op("Round", z), -Z_MAX, Z_MAX), "z_hat", [1, s.z, "h4", "w4"])
    g.output(y, "y", [1, s.m, "h", "w"])
    return g.model()


def mean_features(g: Graph, net: Lic1, z_hat: str, level: str) -> str:
    """Add the features of the means (1,P,h,w), which depend on z_hat and the level alone."""
    a = net.means
    x = g.shuffle(conv(g, z_hat, a.enter[0][0]), 2)
    x = g.shuffle(conv(g, bent(g, x), a.enter[2][0]), 2)
    hat = g.op("Mul", hats(g, level), g.constant(1 / SPACING))
    return block(g, g.blocked(g.op("Add", x, conv(g, hat, a.level)), net.sizes.p), a.first)


def means_z(net: Lic1) -> onnx.ModelProto:
    g, s = Graph("means_z"), net.sizes
    z_hat, level = g.input("z_hat", [1, s.z, "h4", "w4"]), g.input("level", [1, 1, "h", "w"])
    g.output(mean_features(g, net, z_hat, level), "features", [1, s.p, "h", "w"])
    return g.model()


def by_place(ts: Sequence[int], weight: Array) -> Array:
    """Return rows (M,...), a quarter for each channel group, as the quarters of the groups that the passes code at each place."""
    groups = weight.reshape(4, -1, *weight.shape[1:])
    order = np.argsort([[order[t] for order in ORDER] for t in ts], 1).T.ravel()
    return groups[order].reshape(-1, *weight.shape[1:])


def of_passes(g: Graph, ts: Sequence[int], x: str, weight: Array, bias: Array) -> str:
    """Add a 1x1 convolution (M,C,1,1) of (1,C,h,w) for the latents of some passes alone: (1,M*len(ts),h/2,w/2), in the order of `by_place`."""
    return g.conv(g.op("SpaceToDepth", x, blocksize=2), by_place(ts, weight), by_place(ts, bias), groups=4)


def by_group(g: Graph, ts: Sequence[int], x: str, m: int) -> str:
    """Reorder (1,M*len(ts),h/2,w/2) from the order of `by_place` to one pass after another, a quarter for each channel group."""
    starts = [m // 4 * (order[t] * len(ts) + i) for i, t in enumerate(ts) for order in ORDER]
    return g.op("Concat", *(g.slice(x, [start], [start + m // 4], [1], [1]) for start in starts), axis=1)


def means(net: Lic1, stage: int) -> onnx.ModelProto:
    g, a, s = Graph(f"means_{stage}"), net.means, net.sizes
    ts = of_stage(stage, s.stages)
    known = [g.input("features", [1, s.p, "h", "w"])] + ([g.input("y_hat", [1, s.m, "h", "w"])] if stage else [])
    x = conv(g, g.op("Concat", *known, axis=1), a.context[stage - 1]) if stage else g.blocked(*known, s.p)
    leave = a.leave[stage]
    x = of_passes(g, ts, block(g, x, a.body), numpy(leave.weight), numpy(leave.bias))
    g.output(by_group(g, ts, x, s.m), "means", [1, s.m * len(ts), "h_2", "w_2"])
    return g.model()


def synthesis(net: Lic1) -> onnx.ModelProto:
    g, a, s = Graph("synthesis"), net.synthesis, net.sizes
    y_hat = g.input("y_hat", [1, s.m, "h", "w"])
    hat = hats(g, g.input("level", [1, 1, "h", "w"]))
    y = g.op("Mul", y_hat, gain(g, hat, a.gain_y))
    t = g.shuffle(conv(g, blocks(g, conv(g, y, a.enter), a.low), a.up[0]), 2)
    t = blocks(g, g.blocked(g.op("Mul", t, g.enlarged(gain(g, hat, a.gain_t), 2)), s.c), a.body)
    # Rows in the order (color, row % 2, column % 2, places at 1/8): both paths meet there, and one shuffle of 4 makes them 1/2.
    leave = numpy(a.leave.weight).reshape(3, 4, 2, 4, 2, s.c).transpose(0, 2, 4, 1, 3, 5).reshape(192, s.c, 1, 1)
    bias = (numpy(a.leave.bias) + 0.5).reshape(3, 4, 2, 4, 2).transpose(0, 2, 4, 1, 3).reshape(192)
    linear = numpy(a.linear.weight).reshape(3, 2, 4, 2, 2, 4, 2, s.m).transpose(7, 0, 3, 6, 2, 5, 1, 4)
    x = g.op("Add", g.conv(t, 255 * leave, 255 * bias), g.unfolded(y, 255 * linear.reshape(s.m, 192, 2, 2)))
    g.output(g.shuffle(x, 4), "picture", [1, 12, "h2", "w2"])
    level = g.conv(g.op("Mul", hat, g.constant(1 / SPACING)), numpy(a.detail.table).T[:, :, None, None])
    g.output(g.op("Add", conv(g, t, a.detail.trunk), g.enlarged(level, 2)), "context", [1, s.d, "h8", "w8"])
    return g.model()


def detail(net: Lic1) -> onnx.ModelProto:
    g, a = Graph("detail"), net.synthesis.detail
    x, context = g.input("picture", [1, 12, "h2", "w2"]), g.input("context", [1, net.sizes.d, "h8", "w8"])
    hat = hats(g, g.input("level", [1, 1, "h", "w"]))
    one_to_four = np.repeat(np.eye(3, dtype=np.float32), 4, 0)[:, :, None, None]
    colors = g.conv(x, one_to_four.transpose(1, 0, 2, 3) / 4)
    around = g.conv(g.op("AveragePool", colors, kernel_shape=[3, 3], pads=[1] * 4), one_to_four)
    per_noise = g.enlarged(gain(g, hat, -a.gain_noise, 1 / 255), 8)
    fine = g.clip(g.op("Mul", g.op("Sub", x, around), per_noise), -a.FINE_MAX, a.FINE_MAX)
    context = g.enlarged(g.blocked(context, net.sizes.d), 4)
    h = g.blocked(g.op("Add", conv(g, fine, a.enter), context), net.sizes.d)
    h = bent(g, conv(g, bent(g, h, a.slope), a.body), a.slope)
    correction = g.op("Mul", conv(g, h, a.leave), g.enlarged(gain(g, hat, a.gain_noise, 255), 8))
    x = g.op("Add", x, correction)
    if net.sizes.fraction:
        g.output(x, "cells", [1, 12, "h2", "w2"])
    else:
        whole = g.op("QuantizeLinear", x, g.constant(1.0), g.constant(0, np.uint8))
        g.output(whole, "cells", [1, 12, "h2", "w2"], TensorProto.UINT8)
    return g.model()


def exact_of_passes(g: Graph, x: str, m: ExactConv, ts: Sequence[int]) -> str:
    """Add an exact signed 1x1 convolution for the latents of some passes alone, in the order of `by_place`; errors as of `exact`."""
    weight, bias, factor = (numpy(v) for v in proved(m))
    x = of_passes(g, ts, x, weight, bias)
    return g.op("Floor", g.op("Mul", x, g.constant(by_place(ts, factor)[:, None, None])))


def scales_z(net: Lic1) -> onnx.ModelProto:
    g, a = Graph("scales_z"), net.scales
    x = g.op("Mul", g.clip(g.input("z_hat", [1, net.sizes.z, "h4", "w4"]), -Z_MAX, Z_MAX), g.constant(4.0))
    x = exact(g, exact(g, x, a.enter[0]), a.enter[1])
    x = exact(g, g.shuffle(exact(g, x, a.enter[2]), 2), a.enter[3])
    g.output(g.shuffle(exact(g, x, a.enter[4]), 2), "features", [1, net.sizes.s, "h", "w"])
    return g.model()


def scales(net: Lic1, stage: int) -> onnx.ModelProto:
    g, s = Graph(f"scales_{stage}"), net.sizes
    ts = of_stage(stage, s.stages)
    inputs = [g.input("features", [1, s.s, "h", "w"])]
    if stage:
        magnitudes = g.input("magnitudes", [1, s.m, "h", "w"])
    hat = hats(g, g.input("level", [1, 1, "h", "w"]))
    inputs += [hat] + ([g.op("Mul", magnitudes, g.constant(float(UNIT)))] if stage else [])
    x = g.op("Concat", *inputs, axis=1)
    *inner, last = net.scales.passes[stage]
    for m in inner:
        x = exact(g, x, m)
    x = exact_of_passes(g, x, last, ts)
    # In single precision: half has no integers beyond 2048.
    table = g.constant(by_place(ts, numpy(net.scales.start_table())))
    start = g.op("Conv", g.op("SpaceToDepth", hat, blocksize=2), table, kernel_shape=[1, 1], group=4)
    start = g.op("Floor", g.op("Mul", start, g.constant(1 / SPACING)))
    index = g.op("Floor", g.op("Mul", g.op("Add", g.op("Add", x, start), g.constant(UNIT / 2)), g.constant(1 / UNIT)))
    index = g.op("Cast", g.clip(index, 0, SCALES - 1), to=TensorProto.UINT8)
    g.output(by_group(g, ts, index, s.m), "index", [1, s.m * len(ts), "h_2", "w_2"], TensorProto.UINT8)
    return g.model()


def graphs(net: Lic1) -> dict[str, onnx.ModelProto]:
    """Return every graph of the model by its role, in manifest order."""
    made = {
        "analysis": analysis(net),
        "latents": latents(net),
        "means_z": means_z(net),
        **{f"means_{t}": means(net, t) for t in range(net.sizes.stages)},
        "synthesis": synthesis(net),
        "detail": detail(net),
        "scales_z": scales_z(net),
    }
    return made | {f"scales_{t}": scales(net, t) for t in range(net.sizes.stages)}
