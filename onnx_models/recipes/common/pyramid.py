"""Networks over three scales of a picture, whose features are aligned at an eighth and summed (Rippel and Bourdev 2017)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import blockwise
from .depthwise import Pointwise, in_full, pointwise
from .graph import Graph
from .layer_graphs import conv
from .layers import Halving, blocks, patchwise, up

LATENTS, JOINT, JOINT_BLOCKS = 96, 96, 2
WIDTHS, BLOCKS = (32, 48, 64), (1, 1, 1)
"""Features of each scale, finest first, and blocks over them."""
CELL = 4
"""Pixels of a scale a side that its features stand for."""
SLOPE = 0.2
KERNEL = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
"""What kernels of 4x4 begin as, each way: linear interpolation."""


class Analysis(nn.Module):
    """x - 0.5 (B,3,H,W), H and W multiples of 16 -> y (B,LATENTS,H/8,W/8)."""

    def __init__(self, scales: int) -> None:
        super().__init__()
        self.linear = nn.Conv2d(3, LATENTS, blockwise.SIZE, blockwise.SIZE, bias=False)
        self.down = nn.ParameterList(smooth() for _ in range(scales - 1))
        self.enter = nn.ModuleList(Pointwise(3 * CELL**2, c) for c in WIDTHS[:scales])
        self.body = nn.ModuleList(blocks(c, n, 5, SLOPE) for c, n in zip(WIDTHS[:scales], BLOCKS, strict=False))
        aligned = (Halving(WIDTHS[0], JOINT), Pointwise(WIDTHS[1], JOINT), up(WIDTHS[2], JOINT))
        self.aligned = nn.ModuleList(aligned[:scales])
        self.joint, self.leave = blocks(JOINT, JOINT_BLOCKS, 5, SLOPE), Pointwise(JOINT, LATENTS)
        blockwise.quieten(self.leave)

    def forward(self, x: Tensor) -> Tensor:
        with in_full(x):
            linear = patchwise(x, self.linear)
        total: Tensor | float = 0.0
        for scale, (enter, body, aligned) in enumerate(zip(self.enter, self.body, self.aligned, strict=True)):
            if scale:
                x = F.conv2d(x, self.down[scale - 1], stride=2, padding=1)
            total = total + aligned(body(enter(F.pixel_unshuffle(x, CELL))))
        return linear + self.leave(self.joint(total)).float()


class Synthesis(nn.Module):
    """Coefficients (B,LATENTS,h,w) -> x_hat - 0.5 (B,3,8h,8w), not clipped."""

    def __init__(self, scales: int) -> None:
        super().__init__()
        self.linear = Pointwise(LATENTS, blockwise.VALUES)
        self.enter, self.joint = Pointwise(LATENTS, JOINT), blocks(JOINT, JOINT_BLOCKS, 5, SLOPE)
        aligned = (up(JOINT, WIDTHS[0]), Pointwise(JOINT, WIDTHS[1]), Halving(JOINT, WIDTHS[2]))
        self.aligned = nn.ModuleList(aligned[:scales])
        self.body = nn.ModuleList(blocks(c, n, 5, SLOPE) for c, n in zip(WIDTHS[:scales], BLOCKS, strict=False))
        self.leave = nn.ModuleList(Pointwise(c, 3 * CELL**2) for c in WIDTHS[:scales])
        self.up = nn.ParameterList(smooth() for _ in range(scales - 1))
        nn.init.zeros_(self.linear.bias)
        for leave in self.leave:
            blockwise.quieten(leave)

    def forward(self, c: Tensor) -> Tensor:
        with in_full(c):
            linear = pointwise(c, self.linear.weight, self.linear.bias)
        h = self.joint(self.enter(c))
        x: Tensor | None = None
        for scale in range(len(self.leave) - 1, -1, -1):
            here = F.pixel_shuffle(self.leave[scale](self.body[scale](self.aligned[scale](h))).float(), CELL)
            x = here if x is None else here + 4 * F.conv_transpose2d(x, self.up[scale], stride=2, padding=1)
        assert x is not None
        return F.pixel_shuffle(linear, blockwise.SIZE) + x


def smooth() -> nn.Parameter:
    """Return a kernel (3,3,4,4) that halves or doubles each colour by itself."""
    return nn.Parameter(torch.eye(3)[:, :, None, None] * torch.outer(KERNEL, KERNEL))


def aligned_graph(g: Graph, x: str, layer: nn.Module) -> str:
    """Write the layer that brings features to another resolution: a convolution of 2x2 or 1x1, or 1x1 and a shuffle."""
    return g.shuffle(conv(g, x, layer[0]), 2) if isinstance(layer, nn.Sequential) else conv(g, x, layer)
