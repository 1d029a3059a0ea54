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
- A tenth of each Gaussian is three times as wide: what the transform leaves has longer tails, and the stored tables have them too.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.balle2018 train PATCHES_FOLDER RUN_FOLDER --minutes 10 --crop 256 --batch 4
    python -m onnx_models.recipes.balle2018 export RUN_FOLDER/weights.pt PATCHES_FOLDER --id 17
"""

from __future__ import annotations

import argparse
import math

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor, nn

from . import balle2017
from .balle2017 import LATENTS, Balle2017
from .common import command, training
from .common.data import Patches
from .common.exact import ACTIVATION_MAX, UNIT, ExactConv, exact, straight_through, straight_through_round
from .common.export import Network, Release
from .common.factorised import LARGEST, Counts, Prior, counted, tables_of
from .common.gains import hats as hats_graph
from .common.gaussian import TAIL_SCALE, TAIL_SHARE, Clip, long_tailed_bits
from .common.graph import Graph, numpy
from .common.levels import ANCHORS, LEVEL_MAX, SPACING, hats, nearest_anchor
from .common.tables import Table, counted_table, gaussian_probabilities, scale_levels
from .common.taps import Conv, written

HYPER_LATENTS, HYPER_STRIDE, HYPER_FEATURES, EXACT_FEATURES = 64, 4, 96, 64
Z_MAX = 127
"""Largest magnitude of a hyper-latent."""
SCALES, SCALE_MIN, SCALE_MAX = 64, 0.08, 200.0
"""Standard deviations that the indexes stand for, log-spaced, in steps."""
SCALE_STEP = math.log(SCALE_MAX / SCALE_MIN) / (SCALES - 1)
INDEX_UNIT = 10.0
"""Scale indexes that 1 of the table of first guesses stands for: it must be able to move by several in hundreds of steps."""
START_DEVIATION = 3.0
"""Of hyper-latents at the beginning, in steps."""
PRIOR_WEIGHT = 2000
"""Symbols that a Gaussian is worth beside those counted."""
FAST = ("log_", "prior", "start_index")
"""Parameters that learn four times as fast."""


def deviation(index: Tensor) -> Tensor:
    """Return the standard deviation, in steps, of a scale index 0..SCALES-1, whole or not."""
    return SCALE_MIN * torch.exp(index * SCALE_STEP)


def whole(index16: Tensor) -> Tensor:
    """Return the scale index 0..SCALES-1 that the coder uses, for one in sixteenths, not clipped."""
    return torch.floor((index16 + UNIT / 2) / UNIT).clamp(0, SCALES - 1)


class HyperAnalysis(nn.Sequential):
    """Latents y (B,LATENTS,h,w) in steps, h and w multiples of 4 -> z (B,HYPER_LATENTS,h/4,w/4)."""

    def __init__(self) -> None:
        super().__init__(
            Conv(LATENTS, HYPER_FEATURES, 3, gain=math.sqrt(2)),
            nn.ReLU(),
            Conv(HYPER_FEATURES, HYPER_FEATURES, 5, 2, gain=math.sqrt(2)),
            nn.ReLU(),
            Conv(HYPER_FEATURES, HYPER_LATENTS, 5, 2, gain=math.sqrt(2)),
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
        for layer in self.modules():
            if isinstance(layer, ExactConv):  # so that what enters is not rounded to 0 on its way
                nn.init.normal_(layer.weight, std=math.sqrt(2 / layer.weight[0].numel()))
        self.fine[-1].weight.data.mul_(0.1)
        self.start_index = nn.Parameter(torch.zeros(ANCHORS, LATENTS))

    def table(self) -> Tensor:
        """Return the first guess of the index in sixteenths at every anchor, (LATENTS,ANCHORS,1,1); integer-valued, straight through."""
        return straight_through_round(self.start_index.t()[:, :, None, None] * (UNIT * INDEX_UNIT))

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
        return bits, whole(index * UNIT)

    def forward(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """X (B,3,H,W), H and W multiples of 64, levels (B,) -> x_hat, bits (B,). In training x_hat is x: its error rests."""
        with torch.no_grad():
            y = self.transform.latents(x, level)
        bits, index = self.coded(y, level)
        bits = bits + long_tailed_bits(y.round(), deviation(index)).sum((1, 2, 3))
        return x if self.training else self.transform.picture(y.round(), level), bits

    @torch.no_grad()
    def start(self, patches: Patches) -> None:
        """Begin with the best scale of every channel at every anchor, and hyper-latents of a few steps."""
        some = torch.stack([torch.from_numpy(p[:256, :256].copy()) for p in patches.some(60)])
        y = self.transform.analysis(some.permute(0, 3, 1, 2) / 255 - 0.5)
        channels = y.transpose(0, 1).flatten(1)[:, ::17]
        for anchor, log_gain in enumerate(self.transform.encoder_gains.log_gain):
            q = (channels * log_gain.exp()[:, None]).round()
            bits = torch.stack([long_tailed_bits(q, deviation(index)).sum(1) for index in torch.arange(0.0, SCALES, 2)])
            self.scales.start_index[anchor] = 2.0 * bits.argmin(0) / INDEX_UNIT
        z = self.hyper_analysis(y * self.transform.encoder_gains(torch.tensor([512.0])))
        for tap in self.hyper_analysis[-1].taps:
            tap *= START_DEVIATION / z.std()
        self.hyper_analysis[-1].bias[:] = -z.mean((0, 2, 3)) * START_DEVIATION / z.std()
        self.prior.log_scale[:] = math.log(START_DEVIATION / 1.8)


def train(a: argparse.Namespace) -> None:
    """Train the hyperprior, or go on with a run that was cut."""
    torch.manual_seed(0)
    training.train(Balle2018(balle2017.load()), FAST, a)


def hyper_analysis_graph(net: Balle2018) -> onnx.ModelProto:
    """Latents y (1,LATENTS,h,w) in steps, h and w multiples of 4 -> z (1,HYPER_LATENTS,h/4,w/4), whole numbers -Z_MAX..Z_MAX."""
    g = Graph("hyper_analysis")
    x = g.op("Log", g.op("Add", g.op("Abs", g.input("y", [1, LATENTS, "h", "w"])), g.constant(1.0)))
    for layer in net.hyper_analysis:
        x = written(g, x, layer) if isinstance(layer, Conv) else g.op("Relu", x)
    g.output(g.clip(g.op("Round", x), -Z_MAX, Z_MAX), "z", [1, HYPER_LATENTS, "h4", "w4"])
    return g.model(named=True)


def scales_graph(net: Balle2018) -> onnx.ModelProto:
    """Hyper-latents z_hat (1,HYPER_LATENTS,h/4,w/4); level (1,1,1,1) -> scale index (1,LATENTS,h,w) uint8; exact."""
    g, scales = Graph("scales"), net.scales
    z_hat = g.input("z_hat", [1, HYPER_LATENTS, "h4", "w4"])
    hat = hats_graph(g, g.input("level", [1, 1, 1, 1]))
    x = g.op("Mul", g.clip(z_hat, -Z_MAX, Z_MAX), g.constant(4.0))
    for layer in scales.coarse:
        x = exact(g, x, layer)
    x = g.shuffle(x, 2)
    for layer in scales.middle:
        x = exact(g, x, layer)
    x = g.shuffle(x, 2)
    for layer in scales.fine:
        x = exact(g, x, layer)
    # In single precision: half has no integers beyond 2048.
    start = g.op("Conv", hat, g.constant(numpy(scales.table())), kernel_shape=[1, 1])
    start = g.op("Floor", g.op("Mul", start, g.constant(1 / SPACING)))
    index = g.op("Floor", g.op("Mul", g.op("Add", g.op("Add", x, start), g.constant(UNIT / 2)), g.constant(1 / UNIT)))
    index = g.op("Cast", g.clip(index, 0, SCALES - 1), to=TensorProto.UINT8)
    g.output(index, "index", [1, LATENTS, "h", "w"], TensorProto.UINT8)
    return g.model(named=True)


@torch.no_grad()
def histograms(net: Balle2018, patches: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]) -> tuple[Counts, Counts]:
    """Return how often symbols occur by scale index, (SCALES, 2 LARGEST + 1), and hyper-latents near anchors, (ANCHORS,HYPER_LATENTS,...)."""
    of_scale = np.zeros((SCALES, 2 * LARGEST + 1))
    of_z, rng = np.zeros((ANCHORS, HYPER_LATENTS, 2 * LARGEST + 1)), np.random.default_rng(0)
    for patch in patches:
        x = torch.from_numpy(patch[:256, :256].copy()).permute(2, 0, 1)[None].float() / 255
        y = net.transform.analysis(x - 0.5)
        for anchor, counts in enumerate(of_z):
            level = torch.tensor([anchor * SPACING + rng.integers(-SPACING // 2, SPACING // 2)]).clamp(0, LEVEL_MAX)
            scaled = y * net.transform.encoder_gains(level.float())
            z = net.hyper_analysis(scaled).round().clamp(-Z_MAX, Z_MAX)
            counted(z[0].int().numpy(), counts)
            index = whole(net.scales(z, level.float())).numpy().astype(int)
            symbols = np.clip(scaled.round().numpy().astype(int), -LARGEST, LARGEST)
            codes = index * (2 * LARGEST + 1) + symbols + LARGEST
            of_scale += np.bincount(codes.ravel(), minlength=of_scale.size).reshape(of_scale.shape)
    return (of_scale + of_scale[:, ::-1]) / 2, of_z


def scale_tables(seen: Counts) -> list[Table]:
    """Return the table of every scale index: a Gaussian with a long tail corrected by what was counted, (SCALES, 2 LARGEST + 1)."""
    scales = scale_levels(SCALES, SCALE_MIN, SCALE_MAX)
    priors = (
        (1 - TAIL_SHARE) * gaussian_probabilities(sigma, LARGEST)
        + TAIL_SHARE * gaussian_probabilities(TAIL_SCALE * sigma, LARGEST)
        for sigma in scales
    )
    return [counted_table(-LARGEST, counts, PRIOR_WEIGHT * prior) for counts, prior in zip(seen, priors, strict=True)]


def export(a: argparse.Namespace) -> None:
    """Write the graphs of the hyperprior, tables and the entry of the manifest; the transform is that of number 14."""
    net = Balle2018(balle2017.load()).eval()
    net.load_state_dict(training.weights(a.weights))
    constants = balle2017.CONSTANTS | {"hyper_latents": HYPER_LATENTS, "hyper_stride": HYPER_STRIDE}
    release = Release(a.out, a.id, "balle2018", "balle2018", constants)
    files = release.shared(14, ("analysis", "synthesis")) | release.networks(
        {
            "hyper_analysis": Network(hyper_analysis_graph(net), "encoder"),
            "scales": Network(scales_graph(net), "both", exact=True),
        }
    )
    of_scale, of_z = histograms(net, Patches(a.patches).some(a.samples))
    tables = release.tables(scale_tables(of_scale) + tables_of(net.prior, of_z))
    release.enter(files | {"tables": tables})


if __name__ == "__main__":
    command.run(__doc__, train, export)
