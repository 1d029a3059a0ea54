"""The transforms of `lic1`: a picture to latents, and back. Their layers are in `common/layers.py`; `model.py` puts them together.

Both sides have a linear path beside the network, begun as the PCA of blocks of 16x16x3: the network only adds to it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..common.depthwise import SLOPE, Pointwise, activated, in_full, pointwise
from ..common.layers import Block, Halving, blocks, gain_field, interpolated, patchwise, up
from ..common.levels import ANCHORS, LAMBDA_MAX, hats, log_steps

NOISE = (8.6, 7.9, 6.4, 5.4, 4.5, 3.7, 3.0, 2.4, 2.0)
"""Error of a picture at each anchor, rms of 8-bit levels: the unit of the last layers. Measured on number 4."""


class Analysis(nn.Module):
    """x (B,3,H,W) -> trunk t (B,C,H/8,W/8), linear path l (B,M,H/16,W/16). Independent of the level: runs once in a rate search."""

    def __init__(self, pca: Tensor, c: int, m: int, n: int, k: int) -> None:
        super().__init__()
        self.linear = nn.Conv2d(3, m, 16, 16, bias=False)
        self.linear.weight.data = pca[:m].view(m, 3, 16, 16).clone()
        self.enter, self.body = Pointwise(192, c), blocks(c, n, k)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x - 0.5
        # Linear paths and means carry whole amplitudes, hundreds of steps at the top of the scale: bfloat16 would blur them.
        with in_full(x):
            linear = patchwise(x, self.linear)
        return self.body(self.enter(F.pixel_unshuffle(x, 8))), linear


class Latents(nn.Module):
    """t, l, level -> y' (B,M,H/16,W/16) in units of the quantiser step, z (B,Z,H/64,W/64), both before rounding."""

    def __init__(self, c: int, c2: int, m: int, z: int, p: int, k: int, largest: float = LAMBDA_MAX) -> None:
        """p: width of the hyper-analysis; largest: lambda at the top of the scale."""
        super().__init__()
        g = log_steps(largest)
        self.gain_t, self.gain_y = nn.Parameter(torch.zeros(ANCHORS, c)), nn.Parameter(g[:, None].repeat(1, m))
        self.down, self.body, self.leave = Halving(c, c2), blocks(c2, 2, k), Pointwise(c2, m)
        self.leave.weight.data.mul_(0.02)
        nn.init.zeros_(self.leave.bias)
        self.hyper = nn.Sequential(Pointwise(m, p), Block(p, 3), Halving(p, p), nn.LeakyReLU(SLOPE), Halving(p, z))

    def forward(self, t: Tensor, linear: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        hat = hats(level)
        t = t * F.interpolate(gain_field(self.gain_t, hat), scale_factor=2.0, mode="nearest")
        y = (self.leave(self.body(self.down(t))).float() + linear) * gain_field(self.gain_y, hat)
        return y, self.hyper(y).float()


class Detail(nn.Module):
    """Picture (B,3,H,W), the trunk that made it (B,C,H/8,W/8), hats of the level -> correction (B,3,H,W).

    The only layers that see single pixels, at 1/2. Their input is fine structure in units of the error expected at the level:
    in units of the picture all of it is next to zero, where a rectifier bends nothing (measured: 0.01 dB instead of 0.2).
    """

    FINE_MAX = 8.0

    def __init__(self, c: int, d: int, slope: float = SLOPE, last: int = 3) -> None:
        """last: kernel of the last layer, 3 or 1."""
        super().__init__()
        self.slope = slope
        self.gain_noise = nn.Parameter(torch.log(torch.tensor(NOISE) / 255)[:, None])
        self.table = nn.Parameter(torch.zeros(ANCHORS, d))
        self.trunk = Pointwise(c, d)
        self.enter, self.body, self.leave = (
            nn.Conv2d(i, o, k, padding=k // 2) for i, o, k in ((12, d, 3), (d, d, 3), (d, 12, last))
        )
        for v in (self.trunk.weight, self.trunk.bias, self.leave.weight, self.leave.bias):
            nn.init.zeros_(v)

    def forward(self, x: Tensor, t: Tensor, hat: Tensor) -> Tensor:
        noise = F.interpolate(gain_field(self.gain_noise, hat), scale_factor=8.0, mode="nearest")
        x = F.pixel_unshuffle(x, 2)
        colors = x.unflatten(1, (3, 4)).mean(2)
        around = F.avg_pool2d(colors, 3, 1, 1, count_include_pad=False).repeat_interleave(4, 1)
        level = F.interpolate(interpolated(self.table, hat), scale_factor=2.0, mode="nearest")
        fine = ((x - around) / noise).clamp(-self.FINE_MAX, self.FINE_MAX)
        h = activated(self.body(activated(self.enter(fine), self.trunk(t) + level, self.slope)), slope=self.slope)
        return F.pixel_shuffle(self.leave(h).float() * noise, 2)


class Synthesis(nn.Module):
    """y_hat in quantiser steps, level -> x_hat (B,3,H,W), not clipped."""

    def __init__(
        self,
        pca: Tensor,
        c: int,
        c2: int,
        m: int,
        n: int,
        k: int,
        d: int,
        low: int = 2,
        slope: float = SLOPE,
        largest: float = LAMBDA_MAX,
        last: int = 3,
    ) -> None:
        """n, low: blocks at 1/8 and at 1/16; slope: of its LeakyReLUs; largest: lambda at the top of the scale."""
        super().__init__()
        g = log_steps(largest)
        self.gain_y, self.gain_t = nn.Parameter(-g[:, None].repeat(1, m)), nn.Parameter(torch.zeros(ANCHORS, c))
        self.linear = nn.Conv2d(m, 768, 1, bias=False)
        self.linear.weight.data = pca[:m].t().reshape(768, m, 1, 1).clone()
        self.enter, self.low, self.up = Pointwise(m, c2), blocks(c2, low, k, slope), up(c2, c)
        self.body, self.leave = blocks(c, n, k, slope), Pointwise(c, 192)
        self.leave.weight.data.mul_(0.02)
        nn.init.zeros_(self.leave.bias)
        self.detail = Detail(c, d, slope, last)

    def forward(self, y_hat: Tensor, level: Tensor) -> Tensor:
        hat = hats(level)
        y = y_hat * gain_field(self.gain_y, hat)
        t = self.up(self.low(self.enter(y))) * F.interpolate(
            gain_field(self.gain_t, hat), scale_factor=2.0, mode="nearest"
        )
        t = self.body(t)
        with in_full(y):
            linear = pointwise(y, self.linear.weight, None)
        x = F.pixel_shuffle(self.leave(t).float(), 8) + F.pixel_shuffle(linear, 16) + 0.5
        return x + self.detail(x, t, hat)
