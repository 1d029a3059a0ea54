"""`balle2018`: Balle, Minnen, Singh, Hwang and Johnston, "Variational image compression with a scale hyperprior" (ICLR 2018, 1802.01436).

    y ──log(1 + |y|)──3x3──5x5 /2──5x5 /2──▶ z,   z_hat = round(z)          one stored table a channel codes z_hat
    z_hat, level ──exact integer network──▶ a scale index for every latent ──▶ one of 64 stored tables codes q = round(y)

The paper's idea: the scales of neighbouring latents rise and fall together, so a second, small latent tells the decoder the standard
deviation of each, and is trained for the bits of both.

Kept: zero-mean Gaussians whose scales come from a hyper-latent at a quarter of the resolution, itself coded by a distribution for each
channel; the kernels of the hyper-analysis.
Changed, and why:
- The transform is that of `balle2017`, number 14, and rests: files of the two have the same pixels, so that bytes alone differ.
- The hyper-synthesis is a network of integers (common/exact.py) that gives an index: no float decides what the range coder reads. It has
  1x1 and depthwise 3x3 convolutions in place of full 5x5, because the sums of those would leave the integers of a float.
- The hyper-analysis sees logarithms of magnitudes: one network for all rates, where the paper has one for each.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.balle2018 train PATCHES_FOLDER RUN_FOLDER --minutes 10 --crop 256 --batch 4
    python -m onnx_models.recipes.balle2018 export RUN_FOLDER/weights.pt PATCHES_FOLDER --id 17
"""

from __future__ import annotations

import argparse
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import balle2017
from .balle2017 import LATENTS, Balle2017
from .common import training
from .common.data import Patches
from .common.exact import ACTIVATION_MAX, UNIT, ExactConv, straight_through, straight_through_round
from .common.factorised import Prior
from .common.gaussian import Clip, gaussian_bits
from .common.levels import ANCHORS, SPACING, hats, nearest_anchor
from .common.tables import scale_levels
from .common.taps import Conv

HYPER_LATENTS, HYPER_STRIDE, HYPER_FEATURES, EXACT_FEATURES = 64, 4, 96, 64
Z_MAX = 127
"""Largest magnitude of a hyper-latent."""
SCALES, SCALE_MIN, SCALE_MAX = 64, 0.08, 200.0
"""Standard deviations that the indexes stand for, log-spaced, in steps."""
SCALE_STEP = math.log(SCALE_MAX / SCALE_MIN) / (SCALES - 1)
FAST = ("log_", "prior", "start_index")
"""Parameters that learn four times as fast."""


def deviation(index: Tensor) -> Tensor:
    """Return the standard deviation, in steps, of a scale index 0..SCALES-1, whole or not."""
    return SCALE_MIN * torch.exp(index * SCALE_STEP)


class HyperAnalysis(nn.Sequential):
    """Latents y (B,LATENTS,h,w) in steps, h and w multiples of 4 -> z (B,HYPER_LATENTS,h/4,w/4)."""

    def __init__(self) -> None:
        super().__init__(
            Conv(LATENTS, HYPER_FEATURES, 3),
            nn.ReLU(),
            Conv(HYPER_FEATURES, HYPER_FEATURES, 5, 2),
            nn.ReLU(),
            Conv(HYPER_FEATURES, HYPER_LATENTS, 5, 2),
        )

    def forward(self, y: Tensor) -> Tensor:
        z: Tensor = super().forward(torch.log1p(y.abs()))
        return z


class Scales(nn.Module):
    """z_hat (B,HYPER_LATENTS,h/4,w/4), levels (B,) -> scale indexes in sixteenths (B,LATENTS,h,w), not clipped; integers throughout."""

    def __init__(self) -> None:
        super().__init__()
        c = EXACT_FEATURES
        self.coarse = nn.Sequential(
            ExactConv(HYPER_LATENTS, 2 * c, 1, 4 * Z_MAX),
            ExactConv(2 * c, 2 * c, 3, ACTIVATION_MAX),
            ExactConv(2 * c, 4 * c, 1, ACTIVATION_MAX),
        )
        self.middle = nn.Sequential(ExactConv(c, c, 3, ACTIVATION_MAX), ExactConv(c, 4 * c, 1, ACTIVATION_MAX))
        self.fine = nn.Sequential(
            ExactConv(c, c, 3, ACTIVATION_MAX),
            ExactConv(c, c, 1, ACTIVATION_MAX),
            ExactConv(c, LATENTS, 1, ACTIVATION_MAX, signed=True),
        )
        self.fine[-1].weight.data.mul_(0.1)
        self.start_index = nn.Parameter(torch.zeros(ANCHORS, LATENTS))

    def table(self) -> Tensor:
        """Return the first guess of the index in sixteenths at every anchor, (LATENTS,ANCHORS,1,1); integer-valued, straight through."""
        return straight_through_round(self.start_index.t()[:, :, None, None] * UNIT)

    def forward(self, z_hat: Tensor, level: Tensor) -> Tensor:
        a = self.coarse(4 * z_hat.clamp(-Z_MAX, Z_MAX))
        a = self.fine(F.pixel_shuffle(self.middle(F.pixel_shuffle(a, 2)), 2))
        start = F.conv2d(hats(level.view(-1, 1, 1, 1)) / SPACING, self.table())
        return a + straight_through(torch.floor(start), start)


class Balle2018(training.Codec):
    """The hyperprior; the transform rests and is no part of its state."""

    def __init__(self, transform: Balle2017) -> None:
        super().__init__()
        self._transform = (transform.eval().requires_grad_(False),)
        self.hyper_analysis, self.scales, self.prior = HyperAnalysis(), Scales(), Prior(HYPER_LATENTS)

    @property
    def transform(self) -> Balle2017:
        return self._transform[0]

    def lambdas(self, level: Tensor) -> Tensor:
        """Return the weight of the squared error of 8-bit levels against bits per pixel."""
        return self.transform.lambdas(level)

    def coded(self, y: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """Latents y (B,LATENTS,h,w) in steps, levels (B,) -> bits of z_hat (B,), scale indexes (B,LATENTS,h,w), whole in evaluation."""
        z, z_hat = self.quantised(self.hyper_analysis(y).float())
        bits = self.prior.bits(z, nearest_anchor(level)).sum((1, 2, 3))
        with torch.autocast("cpu", enabled=False):
            index: Tensor = self.scales(z_hat, level) / UNIT
        if self.training:
            return bits, Clip.apply(index, 0.0, SCALES - 1.0)  # type: ignore[no-untyped-call]
        return bits, torch.floor(index + 0.5).clamp(0, SCALES - 1)

    def forward(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """X (B,3,H,W), H and W multiples of 64, levels (B,) -> x_hat, bits (B,). In training x_hat is x: its error rests."""
        with torch.no_grad():
            y = self.transform.latents(x, level)
        bits, index = self.coded(y, level)
        bits = bits + gaussian_bits(y.round(), deviation(index)).sum((1, 2, 3))
        return x if self.training else self.transform.picture(y.round(), level), bits

    @torch.no_grad()
    def start(self, patches: Patches) -> None:
        """Begin with the mean scale of every channel at every anchor."""
        some = torch.stack([torch.from_numpy(p[:256, :256].copy()) for p in patches.some(60)])
        y = self.transform.analysis(some.permute(0, 3, 1, 2) / 255 - 0.5)
        spread = torch.log(y.abs().mean((0, 2, 3)) * 1.25 + 1e-6) + self.transform.encoder_gains.log_gain
        self.scales.start_index[:] = ((spread - math.log(SCALE_MIN)) / SCALE_STEP).clamp(0, SCALES - 1)
        self.prior.log_scale[:] = 0.7


def deviations() -> list[float]:
    """Return the standard deviation of each scale index, in steps."""
    return scale_levels(SCALES, SCALE_MIN, SCALE_MAX)


def train(a: argparse.Namespace) -> None:
    """Train the hyperprior, or go on with a run that was cut."""
    torch.manual_seed(0)
    training.train(Balle2018(balle2017.load()), FAST, a)
