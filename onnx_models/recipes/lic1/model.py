"""The networks of `lic1` in torch, trained by `train.py` and exported by `export.py`.

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
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pillow_lic.families.lic1.passes import PASSES, of_stage
from pillow_lic.families.lic1.symbols import Z_MAX

from ..common.depthwise import SLOPE, in_full
from ..common.exact import UNIT, straight_through, straight_through_round
from ..common.gaussian import Clip, gaussian_bits
from ..common.levels import LAMBDA_MAX, log_steps, nearest_anchor
from .entropy_model import FactorizedPrior, Means, Scales, magnitudes, quantised, whole_index
from .passes import merged, split
from .scale_tables import SCALE_MIN, SCALE_STEP, SCALES, deviation
from .transforms import Analysis, Latents, Synthesis


@dataclass(frozen=True)
class Sizes:
    """Widths, depths in blocks, and how often the entropy model looks.

    a at 1/8 and a2 at 1/16 of the encoder; d at 1/2, c at 1/8 and c2 at 1/16 of the decoder; m latents, z hyper-latents, h of the
    hyper-analysis, p mean and s scale features; k depthwise kernel; slope of the LeakyReLUs of the synthesis; largest: lambda at level
    1024; last: kernel of the last layer at 1/2; fraction: bits after the point of what the runtime filters, 0 without filters.
    """

    a: int = 192
    a2: int = 256
    d: int = 32
    c: int = 128
    c2: int = 192
    m: int = 320
    z: int = 64
    h: int = 160
    p: int = 160
    s: int = 96
    k: int = 5
    analysis: int = 6
    synthesis: int = 6
    low: int = 2
    stages: int = PASSES
    slope: float = SLOPE
    largest: float = LAMBDA_MAX
    last: int = 3
    fraction: int = 0


class Coded(NamedTuple):
    """The symbols of pictures: r in steps and scale index (B,M,h,w), z_hat (B,Z,h/4,w/4); and y_hat."""

    r: Tensor
    index: Tensor
    z_hat: Tensor
    y_hat: Tensor


class Lic1(nn.Module):
    def __init__(self, pca: Tensor, variance: Tensor, sizes: Sizes = Sizes()) -> None:
        """pca: (768,768) rows are components of 16x16x3 blocks (channel, row, column) of x - 0.5; variance: (768,)."""
        super().__init__()
        v = self.sizes = sizes
        self.analysis = Analysis(pca, v.a, v.m, v.analysis, v.k)
        self.latents = Latents(v.a, v.a2, v.m, v.z, v.h, v.k, v.largest)
        log_scale = 0.5 * torch.log(variance[: v.m])[None] + log_steps(v.largest)[:, None] - 0.3
        self.scales = Scales((log_scale - math.log(SCALE_MIN)) / SCALE_STEP, v.z, v.s, v.stages)
        self.means = Means(v.m, v.z, v.p, v.stages)
        self.synthesis = Synthesis(pca, v.c, v.c2, v.m, v.synthesis, v.k, v.d, v.low, v.slope, v.largest, v.last)
        self.prior = FactorizedPrior(v.z)

    def passes(self, y: Tensor, z_hat: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return r, y - mu and scale index in sixteenths of y (B,M,h,w), each in four passes (4,B,M,h/2,w/2); and y_hat (B,M,h,w).

        The quantiser passes gradients straight through.
        """
        with in_full(y):
            features = self.scales.start(z_hat)
        mean_features = self.means.start(z_hat, level)
        rs, residuals, y_hats = [], [], []
        indexes: list[Tensor] = []
        parts = split(y)
        none = [torch.zeros_like(parts[0])]
        for stage in range(self.sizes.stages):
            means = self.means.means(stage, mean_features, merged(y_hats or none))
            with in_full(y):
                indexes += self.scales.index16(stage, features, magnitudes(merged(rs or none)), level)
            for t, mu in zip(of_stage(stage, self.sizes.stages), means, strict=True):
                residuals.append(parts[t] - mu)
                rs.append(straight_through(quantised(residuals[t], indexes[t]), residuals[t]))
                y_hats.append(rs[t] + mu)
        return torch.stack(rs), torch.stack(residuals), torch.stack(indexes), merged(y_hats)

    @torch.no_grad()
    def coded(self, x: Tensor, level: Tensor) -> Coded:
        """Return the symbols that the runtime's encoder would code of x (B,3,H,W) at a level field."""
        y, z = self.latents(*self.analysis(x), level)
        z_hat = z.round().clamp(-Z_MAX, Z_MAX)
        r, _, index, y_hat = self.passes(y, z_hat, level)
        return Coded(merged(list(r)), whole_index(merged(list(index))), z_hat, y_hat)

    def forward(self, x: Tensor, level: Tensor, base: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return x_hat, bits of y (B,), bits of z (B,) for x (B,3,H,W), a level field and the level of the header (B,).

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
