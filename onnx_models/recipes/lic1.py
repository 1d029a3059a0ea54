"""The `lic1` networks in torch: what is trained, and what `export.py` turns into ONNX graphs.

    x ──Analysis──▶ t, l ──Latents(level)──▶ y' = y * gain(level)      z_hat = round(h_a(y'))
    Scales: z_hat, |r| of earlier passes, level   ──▶ scale index      integers only, exact (exact.py)
    Means:  z_hat, y_hat of earlier passes, level ──▶ mu;  r = quantised(y' - mu);  y_hat = r + mu
    x_hat ◀──Synthesis(level)── y_hat / gain(level)

x is (B, 3, H, W) in [0, 1] with H and W multiples of 64; `level` is a field (B, 1, H/16, W/16) of reals in 0..1024 (the format's unit:
quality = 1 + 9 * level / 1024), constant over a picture unless an importance field shifts it.
Sources: Minnen 2018 (mean and scale hyperprior), DCVC-RT (one scale, four passes), Cui 2021 (gain units), JPEG AI (parse before means).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pillow_lic.entropy import STEP
from pillow_lic.quantiser import Quantiser, steps
from pillow_lic.scales import MAGNITUDE_MAX
from pillow_lic.symbols import Z_MAX

from .depthwise import SLOPE, Depthwise, Pointwise, activated, block, in_full, pointwise, takes_block
from .exact import ACTIVATION_MAX, UNIT, ExactConv, straight_through, straight_through_round
from .levels import ANCHORS, SPACING, anchor_lambdas, hats, nearest_anchor
from .passes import merged, of_pass, split
from .scale_tables import SCALE_MIN, SCALE_STEP, SCALES, deviation, gaussian_tables

NOISE = (8.6, 7.9, 6.4, 5.4, 4.5, 3.7, 3.0, 2.4, 2.0)
"""Error of a picture at each anchor, rms of 8-bit levels: what is large or small to the last layers. Measured on number 4."""


def whole_index(index16: Tensor) -> Tensor:
    """Scale index in sixteenths, not clipped -> the whole one, 0..SCALES-1, that the coder uses."""
    return torch.floor((index16 + UNIT / 2) / UNIT).clamp(0, SCALES - 1)


@torch.no_grad()
def quantised(residual: Tensor, index16: Tensor) -> Tensor:
    """Residuals (B,M,h/2,w/2) of the latents of a pass -> what the encoder's trellis chooses for them, in steps.

    It weighs bits by the tables of Gaussians, and every pass begins in state 0.
    """
    residuals = residual.float().contiguous().cpu().flatten(1).numpy()
    indexes = whole_index(index16).to(torch.int32).contiguous().cpu().flatten(1).numpy().astype(np.uint16)
    chosen = [Quantiser(gaussian_tables()).choose(r, i).values for r, i in zip(residuals, indexes, strict=True)]
    return torch.from_numpy(steps(np.stack(chosen))).view(residual.shape).to(residual)


def magnitudes(r: Tensor) -> Tensor:
    """What later passes' scales see of residuals in steps: `pillow_lic.quantiser.magnitudes`."""
    return torch.floor(((STEP * r.detach().abs()).round() + STEP // 2) / STEP).clamp(max=MAGNITUDE_MAX)


def patchwise(x: Tensor, conv: nn.Conv2d) -> Tensor:
    """A convolution with a stride of its kernel, as one matrix product."""
    weight, k = conv.weight, conv.kernel_size[0]
    return pointwise(F.pixel_unshuffle(x, k), weight.flatten(1)[..., None, None], conv.bias)


def interpolated(table: Tensor, hat: Tensor) -> Tensor:
    """Table (ANCHORS, C) at the level of every place -> (B, C, h, w)."""
    with in_full(hat):
        return pointwise(hat / SPACING, table.t()[:, :, None, None], None)


def gain_field(table: Tensor, hat: Tensor) -> Tensor:
    """Exp of the (ANCHORS, C) log-gain table interpolated at every place -> (B, C, h, w)."""
    return torch.exp(interpolated(table, hat))


class Block(nn.Module):
    """1x1, LeakyReLU, depthwise, 1x1, + skip; then 1x1, LeakyReLU, 1x1, + skip: one resolution, no normalisation."""

    def __init__(self, c: int, k: int) -> None:
        super().__init__()
        self.a, self.dw, self.b = Pointwise(c, c), Depthwise(c, k), Pointwise(c, c)
        self.f1, self.f2 = Pointwise(c, 2 * c), Pointwise(2 * c, c)
        for m in (self.b, self.f2):
            nn.init.zeros_(m.bias)
            m.weight.data.mul_(0.3)

    def forward(self, x: Tensor) -> Tensor:
        if takes_block(x):
            return block(x, list(self.parameters()))
        x = x + self.b(self.dw(F.leaky_relu(self.a(x), SLOPE)))
        return x + self.f2(F.leaky_relu(self.f1(x), SLOPE))


def blocks(c: int, n: int, k: int) -> nn.Sequential:
    return nn.Sequential(*[Block(c, k) for _ in range(n)])


class Halving(nn.Conv2d):
    """2x2, stride 2."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__(i, o, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return patchwise(x, self)


def up(i: int, o: int, r: int = 2) -> nn.Sequential:
    return nn.Sequential(Pointwise(i, o * r * r), nn.PixelShuffle(r))


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

    def __init__(self, c: int, c2: int, m: int, z: int, p: int, k: int) -> None:
        super().__init__()
        g = 0.5 * torch.log(math.log(2) * anchor_lambdas() * 65025 / 18)
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


class Means(nn.Module):
    """z_hat, level and y_hat of earlier passes -> mu of pass t (B,M,h/2,w/2)."""

    def __init__(self, m: int, z: int, p: int) -> None:
        super().__init__()
        self.m = m
        self.enter = nn.Sequential(up(z, p), nn.LeakyReLU(SLOPE), up(p, p))
        self.level = Pointwise(ANCHORS, p)
        self.first = Block(p, 3)
        self.context = nn.ModuleList([Pointwise(p + m, p) for _ in range(3)])
        self.body = Block(p, 5)
        self.leave = nn.ModuleList([Pointwise(p, m) for _ in range(4)])
        for v in self.leave:
            v.weight.data.mul_(0.1)
            nn.init.zeros_(v.bias)

    def start(self, z_hat: Tensor, level: Tensor) -> Tensor:
        with in_full(z_hat):
            return self.first(self.enter(z_hat) + self.level(hats(level) / SPACING))

    def mean(self, t: int, features: Tensor, y_hat: Tensor) -> Tensor:
        with in_full(y_hat):
            h = features if t == 0 else self.context[t - 1](torch.cat([features, y_hat], 1))
            return of_pass(t, self.body(h), self.leave[t].weight, self.leave[t].bias)


class Detail(nn.Module):
    """Picture (B,3,H,W), the trunk that made it (B,C,H/8,W/8), hats of the level -> correction (B,3,H,W).

    The only layers that see single pixels, at 1/2. What they see is fine structure in units of the error expected at the level:
    in units of the picture all of it is next to zero, where a rectifier bends nothing (measured: 0.01 dB instead of 0.2).
    """

    FINE_MAX = 8.0

    def __init__(self, c: int, d: int) -> None:
        super().__init__()
        self.gain_noise = nn.Parameter(torch.log(torch.tensor(NOISE) / 255)[:, None])
        self.table = nn.Parameter(torch.zeros(ANCHORS, d))
        self.trunk = Pointwise(c, d)
        self.enter, self.body, self.leave = (nn.Conv2d(i, o, 3, padding=1) for i, o in ((12, d), (d, d), (d, 12)))
        for v in (self.trunk.weight, self.trunk.bias, self.leave.weight, self.leave.bias):
            nn.init.zeros_(v)

    def forward(self, x: Tensor, t: Tensor, hat: Tensor) -> Tensor:
        noise = F.interpolate(gain_field(self.gain_noise, hat), scale_factor=8.0, mode="nearest")
        x = F.pixel_unshuffle(x, 2)
        colors = x.unflatten(1, (3, 4)).mean(2)
        around = F.avg_pool2d(colors, 3, 1, 1, count_include_pad=False).repeat_interleave(4, 1)
        level = F.interpolate(interpolated(self.table, hat), scale_factor=2.0, mode="nearest")
        fine = ((x - around) / noise).clamp(-self.FINE_MAX, self.FINE_MAX)
        h = activated(self.body(activated(self.enter(fine), self.trunk(t) + level)))
        return F.pixel_shuffle(self.leave(h).float() * noise, 2)


class Synthesis(nn.Module):
    """y_hat in quantiser steps, level -> x_hat (B,3,H,W), not clipped."""

    def __init__(self, pca: Tensor, c: int, c2: int, m: int, n: int, k: int, d: int) -> None:
        super().__init__()
        g = 0.5 * torch.log(math.log(2) * anchor_lambdas() * 65025 / 18)
        self.gain_y, self.gain_t = nn.Parameter(-g[:, None].repeat(1, m)), nn.Parameter(torch.zeros(ANCHORS, c))
        self.linear = nn.Conv2d(m, 768, 1, bias=False)
        self.linear.weight.data = pca[:m].t().reshape(768, m, 1, 1).clone()
        self.enter, self.low, self.up = Pointwise(m, c2), blocks(c2, 2, k), up(c2, c)
        self.body, self.leave = blocks(c, n, k), Pointwise(c, 192)
        self.leave.weight.data.mul_(0.02)
        nn.init.zeros_(self.leave.bias)
        self.detail = Detail(c, d)

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


class Scales(nn.Module):
    """The exact path: z_hat, magnitudes, level -> scale index. Integers throughout (exact.py); 1x1 and depthwise convolutions only."""

    def __init__(self, start: Tensor, z: int, s: int) -> None:
        super().__init__()
        m = start.shape[1]
        self.enter = nn.ModuleList(
            [
                ExactConv(z, 64, 1, 4 * Z_MAX),
                ExactConv(64, 64, 3, ACTIVATION_MAX),
                ExactConv(64, 256, 1, ACTIVATION_MAX),
                ExactConv(64, 64, 3, ACTIVATION_MAX),
                ExactConv(64, 4 * s, 1, ACTIVATION_MAX),
            ]
        )
        self.passes = nn.ModuleList()
        for t in range(4):
            limits = [ACTIVATION_MAX] * s + [SPACING] * ANCHORS + [UNIT * MAGNITUDE_MAX] * (m if t else 0)
            self.passes.append(
                nn.ModuleList(
                    [
                        ExactConv(len(limits), s, 1, limits),
                        ExactConv(s, s, 3, ACTIVATION_MAX),
                        ExactConv(s, s, 1, ACTIVATION_MAX),
                        ExactConv(s, s, 3, ACTIVATION_MAX),
                        ExactConv(s, m, 1, ACTIVATION_MAX, signed=True),
                    ]
                )
            )
            self.passes[t][0].weight.data[:, s : s + ANCHORS] *= 0.1
            self.passes[t][-1].weight.data.mul_(0.1)
        self.table = nn.Parameter(start)

    def start(self, z_hat: Tensor) -> Tensor:
        """(B,Z,h/4,w/4) integers -> features (B,S,h,w), integers 0..255."""
        a = self.enter[1](self.enter[0](4 * z_hat.clamp(-Z_MAX, Z_MAX)))
        a = self.enter[3](F.pixel_shuffle(self.enter[2](a), 2))
        return F.pixel_shuffle(self.enter[4](a), 2)

    def index16(self, t: int, features: Tensor, magnitudes: Tensor, level: Tensor) -> Tensor:
        """Scale index in sixteenths, not clipped, of the latents of pass t (B,M,h/2,w/2); magnitudes (B,M,h,w): 0 if not coded yet."""
        hat = hats(level)
        a = torch.cat([features, hat, UNIT * magnitudes] if t else [features, hat], 1)
        *inner, last = self.passes[t]
        for conv in inner:
            a = conv(a)
        table = self.start_table()
        start = of_pass(t, hat / SPACING, table, table.new_zeros(len(table)))
        return last(a, partial(of_pass, t)) + straight_through(torch.floor(start), start)

    def start_table(self) -> Tensor:
        """(M,ANCHORS,1,1) first guess of the index in sixteenths at every anchor; integer-valued, straight through."""
        table = self.table.t()[:, :, None, None] * UNIT
        return straight_through_round(table)


class FactorizedPrior(nn.Module):
    """Per anchor and channel a mixture of three logistics for z: becomes one stored table each."""

    def __init__(self, z: int) -> None:
        super().__init__()
        self.mu = nn.Parameter((torch.randn(1, z, 3) * 0.5).repeat(ANCHORS, 1, 1))
        self.log_s = nn.Parameter(torch.full((ANCHORS, z, 3), 0.7))
        self.w = nn.Parameter(torch.zeros(ANCHORS, z, 3))

    def cdf(self, x: Tensor, anchor: Tensor) -> Tensor:
        """X (B,Z,h,w), anchor (B,) -> P(z <= x)."""
        mu, log_s, w = (p[anchor][:, :, None, None] for p in (self.mu, self.log_s, self.w))
        return (torch.softmax(w, -1) * torch.sigmoid((x.unsqueeze(-1) - mu) * torch.exp(-log_s))).sum(-1)

    def bits(self, z: Tensor, anchor: Tensor) -> Tensor:
        return -torch.log2((self.cdf(z + 0.5, anchor) - self.cdf(z - 0.5, anchor)).clamp_min(1e-6))


class Clip(torch.autograd.Function):
    """Clip whose gradient still passes where it moves the value back inside."""

    @staticmethod
    def forward(ctx, x, low, high):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(x)
        ctx.ends = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        (x,), (low, high) = ctx.saved_tensors, ctx.ends
        return grad * ~(((x < low) & (grad > 0)) | ((x > high) & (grad < 0))), None, None


def gaussian_bits(r: Tensor, sigma: Tensor) -> Tensor:
    """-log2 of the mass of [r - 1/2, r + 1/2] under N(0, sigma^2), at most about 23 bits."""
    r, c = r.abs(), math.sqrt(0.5) / sigma
    return -torch.log2((0.5 * (torch.erfc((r - 0.5) * c) - torch.erfc((r + 0.5) * c))).clamp_min(1e-7))


@dataclass(frozen=True)
class Sizes:
    """Widths and depths: d at 1/2, c at 1/8, c2 at 1/16, m latents, z hyper-latents, p mean and s scale features, k depthwise kernel."""

    d: int = 32
    c: int = 128
    c2: int = 192
    m: int = 320
    z: int = 64
    p: int = 160
    s: int = 96
    k: int = 5
    analysis: int = 6
    synthesis: int = 6


class Coded(NamedTuple):
    """What an encoder writes of pictures: r in steps and scale index (B,M,h,w), z_hat (B,Z,h/4,w/4); and y_hat."""

    r: Tensor
    index: Tensor
    z_hat: Tensor
    y_hat: Tensor


class Lic1(nn.Module):
    def __init__(self, pca: Tensor, variance: Tensor, sizes: Sizes = Sizes()) -> None:
        """pca: (768,768) rows are components of 16x16x3 blocks (channel, row, column) of x - 0.5; variance: (768,)."""
        super().__init__()
        v = self.sizes = sizes
        self.analysis = Analysis(pca, v.c, v.m, v.analysis, v.k)
        self.latents = Latents(v.c, v.c2, v.m, v.z, v.p, v.k)
        log_step = 0.5 * torch.log(math.log(2) * anchor_lambdas() * 65025 / 18)
        log_scale = 0.5 * torch.log(variance[: v.m])[None] + log_step[:, None] - 0.3
        self.scales = Scales((log_scale - math.log(SCALE_MIN)) / SCALE_STEP, v.z, v.s)
        self.means = Means(v.m, v.z, v.p)
        self.synthesis = Synthesis(pca, v.c, v.c2, v.m, v.synthesis, v.k, v.d)
        self.prior = FactorizedPrior(v.z)

    def passes(self, y: Tensor, z_hat: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What is coded of y (B,M,h,w): r, y - mu and scale index in sixteenths, each of four passes (4,B,M,h/2,w/2); and y_hat (B,M,h,w).

        The quantiser passes gradients straight through.
        """
        with in_full(y):
            features = self.scales.start(z_hat)
        mean_features = self.means.start(z_hat, level)
        rs, residuals, indexes, y_hats = [], [], [], []
        for t, y_t in enumerate(split(y)):
            none = [torch.zeros_like(y_t)]
            mu = self.means.mean(t, mean_features, merged(y_hats or none))
            with in_full(y):
                index = self.scales.index16(t, features, magnitudes(merged(rs or none)), level)
            indexes.append(index)
            residuals.append(y_t - mu)
            rs.append(straight_through(quantised(residuals[t], index), residuals[t]))
            y_hats.append(rs[t] + mu)
        return torch.stack(rs), torch.stack(residuals), torch.stack(indexes), merged(y_hats)

    @torch.no_grad()
    def coded(self, x: Tensor, level: Tensor) -> Coded:
        """X (B,3,H,W), level field -> what the runtime's encoder would make of it."""
        y, z = self.latents(*self.analysis(x), level)
        z_hat = z.round().clamp(-Z_MAX, Z_MAX)
        r, _, index, y_hat = self.passes(y, z_hat, level)
        return Coded(merged(list(r)), whole_index(merged(list(index))), z_hat, y_hat)

    def forward(self, x: Tensor, level: Tensor, base: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """X (B,3,H,W), level field, base (B,) level of the header -> x_hat, bits of y (B,), bits of z (B,).

        Training: the quantiser straight through for the picture; for the rate symbols as the scales see them, noise as y and mu do,
        because symbols have no slope (mixed quantisation, Minnen and Singh 2020). Evaluation: symbols throughout. Bits are those of a
        quantiser with steps of 1: the real ones are fewer, 0.38 where deviations are large, which moves no gradient.
        """
        rate: Callable[[Tensor], Tensor] = (
            (lambda v: v + torch.empty_like(v).uniform_(-0.5, 0.5)) if self.training else torch.round
        )
        y, z = self.latents(*self.analysis(x), level)
        z_bits, z_hat = self.prior.bits(rate(z), nearest_anchor(base)), straight_through_round(z)
        r, residual, index, y_hat = self.passes(y, z_hat, level)
        sigma = deviation(Clip.apply(index / UNIT, 0.0, SCALES - 1.0))
        y_bits = gaussian_bits(r.detach(), sigma)
        if self.training:
            noisy = gaussian_bits(rate(residual), sigma.detach())
            y_bits = noisy - noisy.detach() + y_bits
        return self.synthesis(y_hat, level), y_bits.sum((0, 2, 3, 4)), z_bits.sum((1, 2, 3))
