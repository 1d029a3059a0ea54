"""The part that networks for JPEG pictures share: what a JPEG file shows -> features of its blocks and of pairs of blocks.

    pixels ─windows of 16x16 around each block of 8x8, and its coefficients in steps─▶ blocks ─┬────────────────── + ─blocks─▶ at 1/8
                                                                                               └─2x2─blocks─▶ x2 ──┘        ▶ at 1/16

All errors are counted in the deviation that a JPEG of those tables has: of a coefficient of frequency f, with the step s and the
deviation d of such coefficients in pictures, 1 / sqrt(12 / s^2 + 1 / d^2). So one network serves every quality: coarse and fine
tables look alike to it, and what differs it learns from the steps, which scale and shift its features.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor, nn

from .data import Patches
from .depthwise import SLOPE, Pointwise, pointwise
from .graph import Array, Graph, numpy
from .layers import Block, Halving, blocks, up

BLOCK, COEFFICIENTS = 8, 64
FROM_RGB = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
"""Y, Cb and Cr of JFIF, without their offsets, as rows."""
CLIPPED = 2.5
"""Steps beyond which a coefficient is no more told apart: what is 0 and what is 1 matters most."""
CALM = 0.2
"""Factor of what windows show, which is up to a hundred expected errors."""
TOLD = 2 * COEFFICIENTS + 2
"""Numbers that describe a JPEG file: the steps of two tables, and whether chroma is halved each way."""


def dct() -> Tensor:
    """Return the orthonormal DCT of 8x8 pixels as a matrix (64, 64): frequencies by row, both in raster order."""
    k, n = torch.arange(8.0)[:, None], torch.arange(8.0)
    basis = torch.cos((2 * n + 1) * k * torch.pi / 16) * torch.where(k > 0, 0.5, 0.5**1.5)
    return torch.kron(basis, basis)


class Windows(nn.Module):
    """Windows of 2n x 2n pixels around each cell of n x n -> features: a convolution that does not see the mean of a window.

    Its weights (c,4,3,n,n) are one part for each of the quarters of a window, kept as a matrix.
    """

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.size = size
        self.matrix = nn.Parameter(torch.randn(channels, 12 * size**2, 1, 1) * (12 * size**2) ** -0.5)
        self.bias = nn.Parameter(torch.zeros(channels))

    def weight(self) -> Tensor:
        """Return the matrix as it is used, (c, 12 n^2, 1, 1)."""
        parts = self.matrix.view(-1, 4, 3, self.size**2)
        return CALM * (parts - parts.mean((1, 3), keepdim=True)).view_as(self.matrix)

    def kernel(self) -> Tensor:
        """Return the matrix as the kernel of a convolution, (c,3,2n,2n)."""
        n = self.size
        return self.weight().view(-1, 2, 2, 3, n, n).permute(0, 3, 1, 4, 2, 5).reshape(-1, 3, 2 * n, 2 * n)

    def forward(self, x: Tensor) -> Tensor:
        """X (B,3,H,W) -> (B,c,H/n,W/n); beyond the edges the picture is repeated."""
        n = self.size
        h, w = x.shape[2] // n, x.shape[3] // n
        cells = F.pixel_unshuffle(F.pad(x, [n // 2] * 4, mode="replicate"), n)
        quarters = [cells[:, :, i : i + h, j : j + w] for i in (0, 1) for j in (0, 1)]
        return pointwise(torch.cat(quarters, 1), self.weight(), self.bias)


class Features(NamedTuple):
    """The features that the trunk finds in a JPEG picture, and the units that they are in.

    blocks, pairs: features at 1/8 (B,c,h,w) and at 1/16. units, scale: the deviations expected of coefficients (B,2,64), and of pixels
    of Y, Cb and Cr (B,3,1,1). symbols: coefficients of luma in steps (B,64,h,w), up to CLIPPED.
    """

    blocks: Tensor
    pairs: Tensor
    units: Tensor
    scale: Tensor
    symbols: Tensor


class Trunk(nn.Module):
    def __init__(self, c: int, low: int, depth: Sequence[int]) -> None:
        """depth: numbers of blocks at 1/8, at 1/16, and at 1/8 again."""
        super().__init__()
        self.dct: Tensor
        self.register_buffer("dct", dct(), persistent=False)
        self.log_spread = nn.Parameter(torch.zeros(2, COEFFICIENTS))
        self.windows, self.coefficients = Windows(BLOCK, c), Pointwise(COEFFICIENTS, c)
        self.widths = (c, low, c)
        self.told, self.films = Pointwise(TOLD, 64), Pointwise(64, 2 * sum(self.widths))
        self.films.weight.data.mul_(0.1)
        self.films.bias.data.zero_()  # type: ignore[union-attr]
        self.first, self.down = blocks(c, depth[0], 5), Halving(c, low)
        self.low, self.up, self.last = blocks(low, depth[1], 3), up(low, c), blocks(c, depth[2], 5)

    @torch.no_grad()
    def start(self, patches: Patches) -> None:
        """Take the deviations of coefficients from pictures, with their means, which weigh nothing beside a step."""
        x = torch.from_numpy(np.stack([p[:256, :256] for p in patches.some(300)])).permute(0, 3, 1, 2).float()
        planes = F.pixel_unshuffle(ycc(x), BLOCK).unflatten(1, (3, COEFFICIENTS)).flatten(3)
        squares = torch.einsum("fp,bcpn->bcfn", self.dct, planes).square().mean((0, 3))
        self.log_spread.copy_(0.5 * torch.stack([squares[0], squares[1:].mean(0)]).log())

    def units(self, steps: Tensor) -> Tensor:
        """Steps (B,2,64) -> the deviations expected of the errors of coefficients."""
        return (12 / steps.square() + torch.exp(-2 * self.log_spread)).rsqrt()

    def basis(self) -> Array:
        """Return the DCT as kernels of 8x8 pixels, (64,1,8,8)."""
        return numpy(self.dct).reshape(COEFFICIENTS, 1, BLOCK, BLOCK)

    def forward(self, x: Tensor, steps: Tensor, halved: Tensor) -> Features:
        """X (B,3,H,W) of Y, Cb, Cr around 0, in levels, H and W multiples of 16."""
        units = self.units(steps)
        scale = units.square().mean(2).sqrt()[:, [0, 1, 1], None, None]
        with torch.autocast("cpu", enabled=False):
            luma = pointwise(F.pixel_unshuffle(x[:, :1], BLOCK), self.dct[:, :, None, None], None)
        symbols = (luma / steps[:, 0, :, None, None]).clamp(-CLIPPED, CLIPPED)
        described = torch.cat([steps.log().flatten(1) / 2 - 1, halved], 1)[:, :, None, None]
        films = self.films(F.leaky_relu(self.told(described), SLOPE)).split([v for c in self.widths for v in (c, c)], 1)
        t = self.windows(x / scale) + self.coefficients(symbols)
        t = self.first(t * (1 + films[0]) + films[1])
        d = self.low(self.down(t) * (1 + films[2]) + films[3])
        t = t + self.up(d)
        return Features(self.last(t * (1 + films[4]) + films[5]), d, units, scale, symbols)


def ycc(rgb: Tensor) -> Tensor:
    """Levels of R, G, B (B,3,H,W) -> Y around 128, Cb and Cr around 0."""
    return torch.einsum("ij,bjhw->bihw", torch.tensor(FROM_RGB), rgb)


def centred(pixels: Tensor) -> Tensor:
    """Pixels (B,H,W,3) uint8 -> Y, Cb and Cr around 0."""
    return ycc(pixels.permute(0, 3, 1, 2).float()) - torch.tensor([128.0, 0, 0]).view(3, 1, 1)


class Names(NamedTuple):
    """The parts of a graph under construction, by their names.

    rgb, ycc: the input picture in levels, (1,3,H,W), as R, G, B and as Y, Cb, Cr around 0. blocks, pairs: features at 1/8 and at 1/16.
    units, scale: deviations expected of coefficients (1,128,1,1), and of pixels of Y, Cb and Cr (1,3,1,1). symbols: coefficients of luma
    in steps, at 1/8.
    """

    rgb: str
    ycc: str
    blocks: str
    pairs: str
    units: str
    scale: str
    symbols: str


def exact_conv(g: Graph, x: str, weight: Array, bias: Array | None = None, stride: int = 1) -> str:
    """Convolve with a weight that is kept in single precision."""
    inputs = [x, g.constant(weight), *([] if bias is None else [g.constant(bias)])]
    return g.op("Conv", *inputs, kernel_shape=list(weight.shape[2:]), strides=[stride] * 2)


def pointwise_rows(g: Graph, x: str, m: Pointwise, start: int, end: int, offset: float = 0.0) -> str:
    """Convolve with some of the rows of a 1x1 convolution, and add an offset."""
    assert m.bias is not None
    return g.conv(x, numpy(m.weight[start:end]), numpy(m.bias[start:end]) + np.float32(offset))


def pointwise_layer(g: Graph, x: str, m: Pointwise) -> str:
    return pointwise_rows(g, x, m, 0, len(m.weight))


def windows_layer(g: Graph, x: str, m: Windows) -> str:
    """Write a `Windows`."""
    return g.conv(g.repeated(x, m.size // 2), numpy(m.kernel()), numpy(m.bias), stride=m.size, fine=True)


def block_layers(g: Graph, x: str, body: nn.Sequential) -> str:
    """Write blocks of `layers.py`, at one resolution."""
    for b in body:
        assert isinstance(b, Block)
        depthwise = g.conv(
            g.op("LeakyRelu", pointwise_layer(g, x, b.a), alpha=b.slope),
            numpy(b.dw.weight),
            None if b.dw.bias is None else numpy(b.dw.bias),
            pad=b.dw.weight.shape[2] // 2,
            groups=len(b.dw.weight),
        )
        x = g.op("Add", pointwise_layer(g, depthwise, b.b), x)
        wide = g.op("LeakyRelu", pointwise_layer(g, x, b.f1), alpha=b.slope)
        x = g.op("Add", pointwise_layer(g, wide, b.f2), x)
    return x


def levels_layers(g: Graph, pixels: str) -> tuple[str, str]:
    """Turn pixels (H,W,3) uint8 into levels (1,3,H,W), as R, G, B and as Y, Cb, Cr around 0."""
    rgb = g.op("Transpose", g.op("Cast", pixels, to=TensorProto.FLOAT), perm=[2, 0, 1])
    rgb = g.op("Unsqueeze", rgb, g.constant([0], np.int64))
    return rgb, exact_conv(g, rgb, np.array(FROM_RGB, np.float32)[:, :, None, None], np.array([-128, 0, 0], np.float32))


def units_layers(g: Graph, net: Trunk, steps: str) -> tuple[str, str]:
    """Write the deviations expected of coefficients (1,128,1,1), and of pixels of Y, Cb and Cr (1,3,1,1), of steps (1,128,1,1)."""
    spread = np.exp(-2 * numpy(net.log_spread)).reshape(1, -1, 1, 1)
    variance = g.op("Add", g.op("Div", g.constant(12.0), g.op("Mul", steps, steps)), g.constant(spread))
    units = g.op("Div", g.constant(1.0), g.op("Sqrt", variance))
    mean = np.kron([[1, 0], [0, 1], [0, 1]], np.full(COEFFICIENTS, 1 / COEFFICIENTS)).astype(np.float32)
    return units, g.op("Sqrt", exact_conv(g, g.op("Mul", units, units), mean[:, :, None, None]))


def trunk_layers(g: Graph, net: Trunk) -> Names:
    """Write a `Trunk`, and its inputs: pixels (H,W,3) uint8, H and W multiples of 16, steps (1,128,1,1) and halved (1,2,1,1)."""
    pixels = g.input("pixels", ["height", "width", 3], TensorProto.UINT8)
    steps, halved = g.input("steps", [1, 2 * COEFFICIENTS, 1, 1]), g.input("halved", [1, 2, 1, 1])
    rgb, ycc = levels_layers(g, pixels)
    units, scale = units_layers(g, net, steps)
    luma = exact_conv(g, g.slice(ycc, [0], [1], [1], [1]), net.basis(), stride=BLOCK)
    luma_steps = g.slice(steps, [0], [COEFFICIENTS], [1], [1])
    symbols = g.clip(g.op("Div", luma, luma_steps), -CLIPPED, CLIPPED)
    logs = g.op("Sub", g.op("Mul", g.op("Log", steps), g.constant(0.5)), g.constant(1.0))
    described = g.op("LeakyRelu", pointwise_layer(g, g.op("Concat", logs, halved, axis=1), net.told), alpha=SLOPE)
    ends = np.cumsum([0, *(width for c in net.widths for width in (c, c))]).tolist()
    films = [
        pointwise_rows(g, described, net.films, start, end, offset=1.0 - number % 2)
        for number, (start, end) in enumerate(pairwise(ends))
    ]

    def filmed(x: str, number: int) -> str:
        return g.op("Add", g.op("Mul", x, films[2 * number]), films[2 * number + 1])

    t = g.op(
        "Add", windows_layer(g, g.op("Div", ycc, scale), net.windows), pointwise_layer(g, symbols, net.coefficients)
    )
    t = block_layers(g, filmed(t, 0), net.first)
    assert net.down.bias is not None
    down = g.conv(t, numpy(net.down.weight), numpy(net.down.bias), stride=2)
    d = block_layers(g, filmed(down, 1), net.low)
    t = g.op("Add", t, g.shuffle(pointwise_layer(g, d, net.up[0]), 2))  # type: ignore[arg-type]
    return Names(rgb, ycc, block_layers(g, filmed(t, 2), net.last), d, units, scale, symbols)


def to_rgb(g: Graph, change: str) -> str:
    """Turn changes of Y, Cb and Cr into changes of R, G and B."""
    inverse = np.linalg.inv(np.array(FROM_RGB)).astype(np.float32)
    return exact_conv(g, change, inverse[:, :, None, None])


def rounded(g: Graph, levels: str) -> str:
    """Turn levels (1,3,h,w) into pixels (1,h,w,3) uint8."""
    x = g.op("QuantizeLinear", levels, g.constant(1.0), g.constant(0, np.uint8))
    return g.op("Transpose", x, perm=[0, 2, 3, 1])
