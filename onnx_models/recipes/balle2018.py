"""`balle2018`: Balle, Minnen, Singh, Hwang and Johnston, "Variational image compression with a scale hyperprior" (ICLR 2018, 1802.01436).

    y ──log(1 + |y|)──1x1──5x5 /2──5x5 /2──┐
    y of CENTRED channels ───────4x4 /4────┴──* gain(level)──▶ z,   z_hat = round(z)     one stored table a channel codes z_hat
    z_hat, level ──exact integer network──▶ a scale index for every latent: one of 64 stored tables codes q = round(y)
                                       └──▶ a centre for latents of CENTRED channels: what is coded of these is q - centre

The paper's idea: the scales of neighbouring latents rise and fall together, so a second, small latent tells the decoder the standard
deviation of each, and is trained for the bits of both.

Kept: Gaussians whose scales come from a hyper-latent at a quarter of the resolution, itself coded by a distribution for each channel.
Changed, and why:
- The transform is that of `balle2017`, number 14, and rests: files of the two have the same pixels, so that bytes alone differ. What it
  gives for the training pictures is computed once (`latents`), and a step of the training costs what the hyperprior costs.
- The hyper-synthesis is a network of integers (common/exact.py) that gives an index: no float decides what the range coder reads. It has
  1x1 and depthwise 3x3 convolutions in place of full 5x5, because the sums of those would leave the integers of a float.
- The hyper-analysis sees logarithms of magnitudes, and adds and multiplies what the level says: one network for all rates, where the
  paper has one for each. Its first kernel is 1x1 instead of 3x3, for a third of the work.
- Four of 256 channels hold the mean colour. Theirs are not centred at zero: hyper-latents give a centre too, as in the paper's successor
  (Minnen, Balle and Toderici 2018). Of the other channels no mean can be told from so far away.
- Tables have the shape that was counted, in training too: what the transform leaves has longer tails than Gaussians.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.balle2018 latents PATCHES_FOLDER LATENTS_FOLDER
    OMP_NUM_THREADS=1 python -m onnx_models.recipes.balle2018 train LATENTS_FOLDER RUN_FOLDER --minutes 40 --lr 1e-3 --decay-from 0.4
    python -m onnx_models.recipes.balle2018 export RUN_FOLDER/weights.pt LATENTS_FOLDER --id 35
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor, nn

from . import balle2017
from .balle2017 import Balle2017
from .common import command, training
from .common.data import Patches
from .common.exact import UNIT
from .common.export import Network, Release
from .common.factorised import LARGEST, Counts, Prior, counted, tables_of
from .common.gaussian import Clip, long_tailed_bits
from .common.hyperprior import (
    CENTRE_PARTS,
    CENTRED,
    HYPER_LATENTS,
    HYPER_STRIDE,
    INDEX_UNIT,
    SCALES,
    Z_MAX,
    HyperAnalysis,
    Scales,
    deviation,
    hyper_analysis_graph,
    nearest_step,
    scales_graph,
    whole,
)
from .common.levels import ANCHORS, LEVEL_MAX, SPACING, nearest_anchor
from .common.quantisers import quantised
from .common.scale_bits import costs, long_tailed_masses, occurrences, table_bits
from .common.tables import Table, counted_table

PRIOR_WEIGHT = 2000
"""Symbols that a Gaussian is worth beside those counted."""
COUNT_EVERY, TABLES_EVERY, KEPT = 8, 200, 0.99
"""Steps between counts of what a batch codes, between tables made anew of them, and the share of older counts that each leaves."""
FAST = ("log_", "prior", "start_index", ".at")
"""Parameters that learn four times as fast."""
CROP, START_DEVIATION = 256, 3.0
"""Pixels a side of a crop whose latents are kept, and the deviation of hyper-latents at the beginning, in steps."""


class Balle2018(nn.Module):
    """The hyperprior; the transform rests and is no part of its state."""

    table: Tensor
    counts: Tensor
    coloured: Tensor

    def __init__(self, transform: Balle2017) -> None:
        super().__init__()
        self._transform = (transform.eval().requires_grad_(False),)
        self.hyper_analysis, self.scales, self.prior = HyperAnalysis(), Scales(), Prior(HYPER_LATENTS)
        self.register_buffer("counts", PRIOR_WEIGHT * long_tailed_masses(deviation(torch.arange(SCALES)), LARGEST))
        self.register_buffer("table", costs(self.counts))
        self.register_buffer("coloured", torch.ones(CENTRED))

    @property
    def transform(self) -> Balle2017:
        return self._transform[0]

    def hyper_analysis_graph(self) -> onnx.ModelProto:
        """Return the graph of the hyper-analysis."""
        return hyper_analysis_graph(self.hyper_analysis, self.transform.encoder_gains.log_gain, self.coloured)

    def hyper_latents(self, y: Tensor, level: Tensor) -> Tensor:
        """Latents y (B,LATENTS,h,w) before gains, levels (B,) -> z (B,HYPER_LATENTS,h/4,w/4), not rounded."""
        coloured = y[:, :CENTRED] * self.coloured[:, None, None]
        z: Tensor = self.hyper_analysis(y * self.transform.encoder_gains(level), coloured, level)
        return z

    def forward(self, y: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """Latents y (B,LATENTS,h,w) before gains, h and w multiples of 4; levels (B,) -> bits of z_hat (B,), bits of q (B,)."""
        q = (y * self.transform.encoder_gains(level)).round()
        z, z_hat = quantised(self.hyper_latents(y, level), "mixed", training=self.training)
        side = self.prior.bits(z, nearest_anchor(level)).sum((1, 2, 3))
        index, centres = self.scales(z_hat, level)
        if not self.training:
            q[:, :CENTRED] -= nearest_step(centres)
            return side, table_bits(whole(index), q.abs().clamp_max(LARGEST), self.table).sum((1, 2, 3))
        index = Clip.apply(index / UNIT, 0.0, SCALES - 1.0)  # type: ignore[no-untyped-call]
        bits = table_bits(index[:, CENTRED:], q[:, CENTRED:].abs().clamp_max(LARGEST), self.table).sum((1, 2, 3))
        moved = long_tailed_bits(q[:, :CENTRED] - centres / CENTRE_PARTS, deviation(index[:, :CENTRED]))
        return side, bits + moved.sum((1, 2, 3))

    @torch.no_grad()
    def count(self, y: Tensor, level: Tensor) -> None:
        """Count what latents as in `forward` are coded as, beside what was counted before."""
        self.counts.mul_(KEPT).add_(self.seen(y, level)[1])

    def seen(self, y: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """Return z_hat, and how often magnitudes occur by index, one sign alone, (SCALES, LARGEST + 1), for latents as in `forward`."""
        z_hat = self.hyper_latents(y, level).round().clamp(-Z_MAX, Z_MAX)
        index, centres = self.scales(z_hat, level)
        q = (y * self.transform.encoder_gains(level)).round()
        q[:, :CENTRED] -= nearest_step(centres)
        found = occurrences(whole(index), q.abs().clamp_max(LARGEST), (SCALES, LARGEST + 1))
        found[:, 1:] /= 2
        return z_hat, found

    @torch.no_grad()
    def tables_anew(self) -> None:
        """Make the table of costs anew, of what was counted."""
        self.table.copy_(costs(self.counts + long_tailed_masses(deviation(torch.arange(SCALES)), LARGEST)))

    @torch.no_grad()
    def start(self, y: Tensor) -> None:
        """Begin with the best scale of every channel at every anchor, and hyper-latents of a few steps; latents y before gains."""
        channels = y.transpose(0, 1).flatten(1)[:, ::5]
        deviations = channels.std(1)[:CENTRED]
        self.coloured.copy_(2 / deviations)
        log_gain = self.transform.encoder_gains.log_gain
        self.scales.log_centre.copy_(torch.log(deviations / 2) + log_gain[:, :CENTRED])
        for anchor, gains in enumerate(log_gain.exp()):
            q = (channels * gains[:, None]).round().abs().clamp_max(LARGEST).long()
            bits = torch.stack([row.take(q).sum(1) for row in self.table])
            self.scales.start_index[anchor] = bits.argmin(0) / INDEX_UNIT
        z = self.hyper_latents(y, torch.full((len(y),), float(LEVEL_MAX // 2)))
        factor = START_DEVIATION / z.std((0, 2, 3))
        plain = HYPER_LATENTS - CENTRED
        for tap in self.hyper_analysis.third.taps:
            tap *= factor[:plain, None, None, None]
        self.hyper_analysis.third.bias[:] = -(z.mean((0, 2, 3)) * factor)[:plain]
        self.hyper_analysis.means *= factor[plain:, None, None, None]
        self.prior.log_scale[:] = math.log(START_DEVIATION / 1.8)


FILES = "train.npy", "validation.npy"


def stored(folder: Path) -> tuple[npt.NDArray[np.float16], ...]:
    """Return the latents before gains of training crops and of validation patches, (n,16,16,LATENTS)."""
    return tuple(np.load(folder / name, mmap_mode="r") for name in FILES)


def as_tensor(latents: npt.NDArray[np.float16]) -> Tensor:
    """Return latents (n,h,w,LATENTS) as (n,LATENTS,h,w)."""
    return torch.from_numpy(latents.astype(np.float32)).permute(0, 3, 1, 2)


@torch.no_grad()
def latents(a: argparse.Namespace) -> None:
    """Write the latents before gains of a crop of every training patch, and of validation patches, to the folder `run`."""
    data, analysis, rng = Patches(a.patches), balle2017.load().analysis, np.random.default_rng(1)
    crops = (data.crop(data[int(i)], CROP, rng) for i in rng.permutation(data.ends[-1]))
    a.run.mkdir(parents=True, exist_ok=True)
    for name, some in zip(FILES, (crops, data.validation().numpy()), strict=True):
        made = [analysis(torch.from_numpy(p.copy()).permute(2, 0, 1)[None] / 255 - 0.5) for p in some]
        np.save(a.run / name, torch.cat(made).permute(0, 2, 3, 1).numpy().astype(np.float16))


def loss_of(net: Balle2018, y: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss, as `training.Codec` weighs levels, the bits of z and those of q per pixel, each (B,)."""
    side, bits = (v / (256 * y.shape[2] * y.shape[3]) for v in net(y, level))
    return (side + bits) * 6 / (net.transform.lambdas(level) * 65025).sqrt(), side, bits


@torch.no_grad()
def judgement(net: Balle2018, y: Tensor) -> str:
    """Return the mean loss, and bpp with the share of z at five levels, of latents before gains, as the log says it."""
    net.eval()
    found = [
        torch.stack(loss_of(net, y, torch.full((len(y),), level))).mean(1)
        for level in (64.0, 256.0, 512.0, 768.0, 960.0)
    ]
    net.train()
    rows = " ".join(f"{side + bits:.4f}/{100 * side / (side + bits):.1f}" for _, side, bits in found)
    return f"  validation {torch.stack(found).mean(0)[0]:.5f} {rows}"


def train(a: argparse.Namespace) -> None:
    """Train the hyperprior on the files of `latents`, or go on with a run that was cut."""
    torch.manual_seed(0)
    net, (crops, held) = Balle2018(balle2017.load()), stored(a.patches)
    taken = 0

    def batch(rng: np.random.Generator, done: float) -> tuple[Tensor, dict[str, float]]:
        nonlocal taken
        y = as_tensor(crops[np.sort(rng.integers(0, len(crops), a.batch))])
        # One level from each n-th of the scale, so that batches are alike.
        level = torch.from_numpy(np.floor((rng.permutation(a.batch) + rng.random(a.batch)) * (LEVEL_MAX + 1) / a.batch))
        taken += 1
        if taken % COUNT_EVERY == 0:
            net.count(y, level.float())
        if taken % TABLES_EVERY == 0:
            net.tables_anew()
        loss, side, bits = loss_of(net, y, level.float())
        return loss.mean(), {"bpp": (side + bits).mean().item(), "side": side.mean().item()}

    def judged(average: Balle2018) -> str:
        for name in ("counts", "table"):
            getattr(average, name).copy_(getattr(net, name))
        return judgement(average, as_tensor(held))

    training.loop(net, FAST, a, lambda: net.start(as_tensor(crops[:100])), batch, judged)


@torch.no_grad()
def histograms(net: Balle2018, crops: npt.NDArray[np.float16]) -> tuple[Counts, Counts]:
    """Return how often symbols occur by scale index, (SCALES, 2 LARGEST + 1), and hyper-latents near anchors, (ANCHORS,HYPER_LATENTS,...)."""
    of_scale = torch.zeros(SCALES, LARGEST + 1).double()
    of_z, rng = np.zeros((ANCHORS, HYPER_LATENTS, 2 * LARGEST + 1)), np.random.default_rng(0)
    for crop in crops:
        for anchor, counts in enumerate(of_z):
            level = torch.tensor([anchor * SPACING + rng.integers(-SPACING // 2, SPACING // 2)]).clamp(0, LEVEL_MAX)
            z, found = net.seen(as_tensor(crop[None]), level.float())
            counted(z[0].int().numpy(), counts)
            of_scale += found
    both = of_scale.numpy()
    return np.concatenate([both[:, :0:-1], both], 1), of_z


def scale_tables(seen: Counts) -> list[Table]:
    """Return the table of every scale index: a Gaussian with a long tail corrected by what was counted, (SCALES, 2 LARGEST + 1)."""
    masses = long_tailed_masses(deviation(torch.arange(SCALES)), LARGEST).numpy()
    priors = PRIOR_WEIGHT * np.concatenate([masses[:, :0:-1], masses], 1)
    return [counted_table(-LARGEST, counts, prior) for counts, prior in zip(seen, priors, strict=True)]


def export(a: argparse.Namespace) -> None:
    """Write the graphs of the hyperprior, tables and the entry of the manifest; the transform is that of number 14."""
    net = Balle2018(balle2017.load()).eval()
    net.load_state_dict(training.weights(a.weights))
    constants = balle2017.CONSTANTS | {"hyper_latents": HYPER_LATENTS, "hyper_stride": HYPER_STRIDE}
    release = Release(a.out, a.id, "balle2018", "balle2018", constants)
    files = release.shared(14, ("analysis", "synthesis")) | release.networks(
        {
            "hyper_analysis": Network(net.hyper_analysis_graph(), "encoder"),
            "scales": Network(scales_graph(net.scales), "both", exact=True),
        }
    )
    crops, _ = stored(a.patches)
    of_scale, of_z = histograms(net, crops[:: max(1, len(crops) // a.samples)])
    tables = release.tables(scale_tables(of_scale) + tables_of(net.prior, of_z))
    release.enter(files | {"tables": tables})


if __name__ == "__main__":
    command.run(__doc__, train, export, further={"latents": latents})
