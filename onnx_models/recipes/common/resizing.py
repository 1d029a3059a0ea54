"""Bicubic enlargement by 2 as Pillow has it (a = -1/2), but with repeated edges: in torch, and in a graph."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .graph import Graph, numpy

SCALE = 2
REACH = 2
"""Pixels each way that the enlargement sees."""


def cubic() -> Tensor:
    """Return the enlargement as four kernels (4,5,5), for the rows and columns of 2x2 pixels."""
    distance = torch.tensor([1.75, 0.75, 0.25, 1.25])
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    taps = F.pad(torch.where(distance < 1, near, far), (0, 1))
    lines = torch.stack([taps, taps.flip(0)])
    return torch.einsum("iy,jx->ijyx", lines, lines).reshape(4, 5, 5)


def enlarged(x: Tensor) -> Tensor:
    """Return pictures (B,c,h,w) enlarged by bicubic interpolation, (B,c,2h,2w)."""
    channels = x.shape[1]
    kernels = cubic()[:, None].repeat(channels, 1, 1, 1)
    return F.pixel_shuffle(F.conv2d(F.pad(x, [REACH] * 4, mode="replicate"), kernels, groups=channels), SCALE)


def enlarged_layers(g: Graph, x: str, channels: int) -> str:
    """Write `enlarged`."""
    kernels = np.tile(numpy(cubic())[:, None], (channels, 1, 1, 1))
    made = g.op("Conv", g.repeated(x, REACH), g.constant(kernels), kernel_shape=[5, 5], group=channels)
    return g.shuffle(made, SCALE)
