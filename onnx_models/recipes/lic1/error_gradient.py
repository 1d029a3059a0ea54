"""The graph behind `effort` of lic1: the gradient of a picture's squared error by its latents.

    python -m onnx_models.recipes.lic1.error_gradient WEIGHTS --id N

| graph | in | out |
|---|---|---|
| error_gradient | y_hat (1,M,h,w), level (1,1,h,w), pixels (16h,16w,3) uint8 | gradient (1,M,h,w), in bits for a step |

It is the synthesis and the layers at 1/2, as `networks.py` has them, then the same backwards, layer by layer: from the gradient by
the picture, 2/3 lambda (x_hat - x) for each colour with the level's lambda, to that by y_hat. A convolution backwards is one with its
matrix transposed, which the session does when it loads; a LeakyReLU backwards is a product with its slope at its output.

It is an `extra` of the model in the manifest, outside its hash: an encoder may do without, no decoder reads it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto
from torch import nn

from ..common.export import ONNX_MODELS, Network, add_extras
from ..common.gains import gain, hats
from ..common.graph import Array, Graph, numpy
from ..common.layer_graphs import bent, conv
from ..common.layers import Block
from ..common.levels import LAMBDA_MIN, LEVEL_MAX, SPACING
from .export import load
from .model import Lic1
from .transforms import Detail

Back = Callable[[str], str]
"""A layer backwards: name of the gradient by its output -> name of the gradient by its input."""
SURE = 6e4
"""The factor that turns a value further from 0 than 1 / SURE into one beyond -1 or 1; half precision has no larger number."""


def transposed(g: Graph, grad: str, weight: Array) -> str:
    """Add a 1x1 convolution (o,i,1,1) backwards; the weight is stored once."""
    turned = g.op("Transpose", g.weight(weight), perm=[1, 0, 2, 3])
    return g.op("Conv", grad, turned, kernel_shape=[1, 1])


def flipped(g: Graph, grad: str, m: nn.Conv2d) -> str:
    """Add a convolution of stride 1 that keeps the size, backwards; depthwise or of all channels."""
    weight = numpy(m.weight)[:, :, ::-1, ::-1]
    if m.groups == 1:
        weight = weight.transpose(1, 0, 2, 3)
    return g.conv(grad, weight, pad=int(m.padding[0]), groups=m.groups)


def kept(g: Graph, x: str, channels: int, low: float) -> str:
    """Add the slope of a LeakyReLU at x, 1 where x is positive, else `low`; as a convolution's output, so that no layout changes."""
    return g.clip(g.conv(x, np.full((channels, 1, 1, 1), SURE, np.float32), groups=channels), low, 1.0)


def leaky(g: Graph, x: str, channels: int, low: float) -> tuple[str, Back]:
    y = bent(g, x, low)
    slope = kept(g, y, channels, low)
    return y, lambda grad: g.op("Mul", grad, slope)


def block(g: Graph, x: str, b: Block) -> tuple[str, Back]:
    c = b.a.weight.shape[0]
    first, back_first = leaky(g, conv(g, x, b.a), c, b.slope)
    x = g.op("Add", conv(g, conv(g, first, b.dw), b.b), x)
    second, back_second = leaky(g, conv(g, x, b.f1), 2 * c, b.slope)
    x = g.op("Add", conv(g, second, b.f2), x)

    def back(grad: str) -> str:
        inner = transposed(g, back_second(transposed(g, grad, numpy(b.f2.weight))), numpy(b.f1.weight))
        grad = g.op("Add", inner, grad)
        inner = flipped(g, transposed(g, grad, numpy(b.b.weight)), b.dw)
        return g.op("Add", transposed(g, back_first(inner), numpy(b.a.weight)), grad)

    return x, back


def blocks(g: Graph, x: str, body: nn.Sequential) -> tuple[str, Back]:
    backs = []
    for b in body:
        x, back = block(g, x, b)
        backs.append(back)

    def back_all(grad: str) -> str:
        for back in reversed(backs):
            grad = back(grad)
        return grad

    return x, back_all


def places_outside(rows: Array, r: int) -> Array:
    """Return rows (c*r*r,...), ordered by channel, then place as in torch's PixelShuffle, ordered by place, then channel as in DepthToSpace."""
    apart = rows.reshape(-1, r, r, *rows.shape[1:])
    return np.moveaxis(apart, 0, 2).reshape(rows.shape)


def enlarged(g: Graph, x: str, weight: Array, bias: Array, r: int) -> tuple[str, Back]:
    """Add a 1x1 convolution and a PixelShuffle; return its result and the way backwards."""
    weight = places_outside(weight, r)
    y = g.op("DepthToSpace", g.conv(x, weight, places_outside(bias, r)), blocksize=r)
    return y, lambda grad: transposed(g, g.op("SpaceToDepth", grad, blocksize=r), weight)


def detail(g: Graph, x: str, t: str, hat: str, a: Detail) -> tuple[str, Callable[[str], tuple[str, str]]]:
    """Add `networks.detail`, picture (1,12,H/2,W/2) in 8-bit levels and trunk -> corrected picture; return it and the way backwards.

    Backwards the mean around a pixel is taken to be what it is inside the picture.
    """
    d = a.trunk.weight.shape[0]
    one_to_four = np.repeat(np.eye(3, dtype=np.float32), 4, 0)[:, :, None, None]

    def around(v: str) -> str:
        means = g.op("AveragePool", g.conv(v, one_to_four.transpose(1, 0, 2, 3) / 4), kernel_shape=[3, 3], pads=[1] * 4)
        return g.conv(means, one_to_four)

    per_noise = g.enlarged(gain(g, hat, -a.gain_noise, 1 / 255), 8)
    noise = g.enlarged(gain(g, hat, a.gain_noise, 255), 8)
    fine = g.op("Mul", g.op("Sub", x, around(x)), per_noise)
    within = kept(g, g.op("Sub", g.constant(a.FINE_MAX), g.op("Abs", fine)), 12, 0.0)
    level = g.conv(g.op("Mul", hat, g.constant(1 / SPACING)), numpy(a.table).T[:, :, None, None])
    context = g.enlarged(g.op("Add", conv(g, t, a.trunk), g.enlarged(level, 2)), 4)
    h = g.op("Add", conv(g, g.clip(fine, -a.FINE_MAX, a.FINE_MAX), a.enter), g.blocked(context, d))
    first, back_first = leaky(g, h, d, a.slope)
    second, back_second = leaky(g, conv(g, first, a.body), d, a.slope)
    result = g.op("Add", x, g.op("Mul", conv(g, second, a.leave), noise))

    def back(grad: str) -> tuple[str, str]:
        inner = back_second(flipped(g, g.op("Mul", grad, noise), a.leave))
        inner = back_first(flipped(g, inner, a.body))
        sums = g.conv(inner, np.ones((d, 1, 4, 4), np.float32), stride=4, groups=d)
        inner = g.op("Mul", g.op("Mul", flipped(g, inner, a.enter), within), per_noise)
        return g.op("Add", grad, g.op("Sub", inner, around(inner))), transposed(g, sums, numpy(a.trunk.weight))

    return result, back


def error_gradient(net: Lic1) -> onnx.ModelProto:
    g, a, s = Graph("error_gradient"), net.synthesis, net.sizes
    y_hat = g.input("y_hat", [1, s.m, "h", "w"])
    hat = hats(g, level := g.input("level", [1, 1, "h", "w"]))
    pixels = g.input("pixels", ["height", "width", 3], TensorProto.UINT8)

    gain_y, gain_t = gain(g, hat, a.gain_y), g.enlarged(gain(g, hat, a.gain_t), 2)
    y = g.op("Mul", y_hat, gain_y)
    low, back_low = blocks(g, conv(g, y, a.enter), a.low)
    upper, back_upper = enlarged(g, low, numpy(a.up[0].weight), numpy(a.up[0].bias), 2)
    t, back_body = blocks(g, g.blocked(g.op("Mul", upper, gain_t), s.c), a.body)

    # Rows by color and place in a cell of 2x2, and these by place of 4x4: both paths meet in one shuffle of 4.
    leave = numpy(a.leave.weight).reshape(3, 4, 2, 4, 2, s.c).transpose(1, 3, 0, 2, 4, 5).reshape(192, s.c, 1, 1)
    bias = (numpy(a.leave.bias) + 0.5).reshape(3, 4, 2, 4, 2).transpose(1, 3, 0, 2, 4).reshape(192)
    linear = numpy(a.linear.weight).reshape(3, 2, 4, 2, 2, 4, 2, s.m).transpose(7, 2, 5, 0, 3, 6, 1, 4)
    linear = 255 * linear.reshape(s.m, 192, 2, 2)
    x = g.op("Add", g.conv(t, 255 * leave, 255 * bias), g.unfolded(y, linear))
    x, back_detail = detail(g, g.op("DepthToSpace", x, blocksize=4), t, hat, a.detail)

    cells = np.zeros((3, 2, 2, 3, 2, 2), np.float32)
    for color, row, column in np.ndindex(3, 2, 2):
        cells[color, row, column, color, row, column] = 1
    wanted = g.op(
        "Unsqueeze",
        g.op("Transpose", g.op("Cast", pixels, to=TensorProto.FLOAT), perm=[2, 0, 1]),
        g.constant([0], np.int64),
    )
    wanted = g.conv(wanted, cells.reshape(12, 3, 2, 2), stride=2)
    error = g.op("Sub", g.clip(x, 0.0, 255.0), wanted)
    growth = math.log(s.largest / LAMBDA_MIN) / LEVEL_MAX
    weight = g.op("Mul", g.op("Exp", g.op("Mul", level, g.constant(growth))), g.constant(2 / 3 * LAMBDA_MIN))
    grad, to_trunk = back_detail(g.op("Mul", error, g.enlarged(weight, 8)))

    grad = g.op("SpaceToDepth", grad, blocksize=4)
    to_linear = g.conv(grad, linear, stride=2)
    to_trunk = g.op("Add", transposed(g, grad, 255 * leave), to_trunk)
    inner = back_low(back_upper(g.op("Mul", back_body(to_trunk), gain_t)))
    grad = g.op("Add", transposed(g, inner, numpy(a.enter.weight)), to_linear)
    g.output(g.op("Mul", grad, gain_y), "gradient", [1, s.m, "h", "w"])
    return g.model(named=True)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("weights", type=Path)
    p.add_argument("--id", type=int, required=True, help="a model that is in the manifest")
    p.add_argument("--out", type=Path, default=ONNX_MODELS)
    a = p.parse_args()
    graph = error_gradient(load(a.weights))
    add_extras(a.out, a.id, {"error_gradient": Network(graph, "encoder")})


if __name__ == "__main__":
    main()
