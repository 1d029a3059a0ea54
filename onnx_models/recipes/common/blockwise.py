"""Transforms that begin as the PCA of blocks of 8x8 pixels: a linear path, and a network beside it that learns what it lacks.

    x (B,3,H,W) ──linear 8x8 /8──▶ + ──▶ c (B,K,H/8,W/8)          c ──linear 8x8 x8──▶ + ──▶ x_hat
             └──1x1, blocks, 1x1──┘                                  └──1x1, blocks, 1x1──┘

The network's last layer begins near 0, so that the first step sees block PCA: a network without it is not as good after thousands
of steps (`pca.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor, nn

from .depthwise import Pointwise, in_full, pointwise
from .graph import Graph, numpy
from .layer_graphs import blocks as blocks_graph
from .layers import blocks, patchwise
from .pca import block_pca

SIZE = 8
"""Pixels a side of a block."""
VALUES = 3 * SIZE**2


def principal(patches: Iterable[npt.NDArray[np.uint8]]) -> Tensor:
    """Return the components (192,192) of blocks of 8x8 of patches (h,w,3) as rows, strongest first: channel, row, column."""
    components, variance = (torch.from_numpy(v).clone() for v in block_pca(patches))
    covariance = (components.T @ (variance[:, None] * components)).view(3, 16, 16, 3, 16, 16)
    block = covariance[:, :SIZE, :SIZE, :, :SIZE, :SIZE].reshape(VALUES, VALUES)
    return torch.linalg.eigh(block.double()).eigenvectors.flip(1).T.float().contiguous()


class Analysis(nn.Module):
    """x - 0.5 (B,3,H,W), H and W multiples of 8 -> trunk (B,C,H/8,W/8), coefficients (B,K,H/8,W/8)."""

    def __init__(self, coefficients: int, c: int, n: int) -> None:
        """c, n: width and number of the blocks."""
        super().__init__()
        self.linear = nn.Conv2d(3, coefficients, SIZE, SIZE, bias=False)
        self.enter, self.body, self.leave = Pointwise(VALUES, c), blocks(c, n, 5), Pointwise(c, coefficients)
        quieten(self.leave)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        with in_full(x):
            linear = patchwise(x, self.linear)
        trunk = self.body(self.enter(F.pixel_unshuffle(x, SIZE)))
        return trunk, linear + self.leave(trunk).float()


class Synthesis(nn.Module):
    """Coefficients (B,K,h,w) -> x_hat - 0.5 (B,3,8h,8w), not clipped."""

    def __init__(self, coefficients: int, c: int, n: int) -> None:
        super().__init__()
        self.linear = Pointwise(coefficients, VALUES)
        self.enter, self.body, self.leave = Pointwise(coefficients, c), blocks(c, n, 5), Pointwise(c, VALUES)
        nn.init.zeros_(self.linear.bias)
        quieten(self.leave)

    def forward(self, c: Tensor) -> Tensor:
        with in_full(c):
            linear = pointwise(c, self.linear.weight, self.linear.bias)
        return F.pixel_shuffle(linear + self.leave(self.body(self.enter(c))).float(), SIZE)


def quieten(layer: nn.Conv2d) -> None:
    """Let a layer begin with nearly nothing."""
    layer.weight.data.mul_(0.02)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


def begin(analysis: Analysis, synthesis: Synthesis, components: Tensor, unit: float) -> None:
    """Set the linear paths to components (192,192), with coefficients in multiples of `unit` of pixel values 0..1."""
    k = analysis.linear.weight.shape[0]
    analysis.linear.weight.data = (components[:k] / unit).view(k, 3, SIZE, SIZE).clone()
    synthesis.enter.weight.data.mul_(unit)
    synthesis.linear.weight.data = (components[:k].T * unit).reshape(VALUES, k, 1, 1).clone()


def pixels_graph(g: Graph) -> str:
    """Write the input `pixels` (H,W,3) uint8 as x - 0.5 (1,3,H,W)."""
    pixels = g.input("pixels", ["height", "width", 3], TensorProto.UINT8)
    x = g.op("Transpose", g.op("Cast", pixels, to=TensorProto.FLOAT), perm=[2, 0, 1])
    return g.op(
        "Unsqueeze", g.op("Sub", g.op("Mul", x, g.constant(1 / 255)), g.constant(0.5)), g.constant([0], np.int64)
    )


def analysis_graph(g: Graph, x: str, a: Analysis) -> tuple[str, str]:
    """Write trunk and coefficients of x."""
    c = a.enter.weight.shape[0]
    trunk = g.conv(x, numpy(a.enter.weight).reshape(c, 3, SIZE, SIZE), numpy(a.enter.bias), stride=SIZE)
    trunk = blocks_graph(g, trunk, a.body)
    linear = g.conv(x, numpy(a.linear.weight), stride=SIZE)
    return trunk, g.op("Add", linear, g.conv(trunk, numpy(a.leave.weight), numpy(a.leave.bias)))


def synthesis_graph(g: Graph, c: str, s: Synthesis) -> None:
    """Write the output `pixels` (1,8h,8w,3) uint8 of coefficients."""
    trunk = blocks_graph(g, g.conv(c, numpy(s.enter.weight), numpy(s.enter.bias)), s.body)
    bias = 255 * (numpy(s.linear.bias) + numpy(s.leave.bias) + 0.5)
    x = g.op("Add", g.conv(c, 255 * numpy(s.linear.weight), bias), g.conv(trunk, 255 * numpy(s.leave.weight)))
    x = g.op("QuantizeLinear", g.shuffle(x, SIZE), g.constant(1.0), g.constant(0, np.uint8))
    g.output(g.op("Transpose", x, perm=[0, 2, 3, 1]), "pixels", [1, "height", "width", 3], TensorProto.UINT8)
