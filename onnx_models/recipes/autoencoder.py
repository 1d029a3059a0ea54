"""`autoencoder`: the first exercise of learned compression: an autoencoder, rounding, and a table for each channel.

    x ──linear 8x8 and blocks──▶ c,   q = round(c * gain(level))      one stored table a channel codes q
    x_hat ◀──linear 8x8 and blocks── q * gain'(level)

It is what is left of `li2018` without binariser and importance map, and of `balle2017` without its normalisation: the one with
which to compare both. Its training pictures are varied by crops and flips.

Kept of the exercise: convolutions each way, squared error, plain rounding, independent symbols.
Added: factors for each channel at nine levels, so that one model has all rates; a start as block PCA.

    python -m onnx_models.recipes.autoencoder train PATCHES_FOLDER RUN_FOLDER --minutes 5
    python -m onnx_models.recipes.autoencoder export RUN_FOLDER/weights.pt PATCHES_FOLDER --id 23
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor

from .common import command, training
from .common.block_codec import BlockCodec, constants
from .common.data import Patches
from .common.exact import straight_through_round
from .common.export import Network, Release
from .common.factorised import Prior, histograms, tables_of
from .common.levels import nearest_anchor

LATENTS, WIDTH, BLOCKS = 96, 64, 2
FAST = ("log_", "prior")
"""Parameters that learn four times as fast: logarithms and the prior."""


class Autoencoder(BlockCodec):
    def __init__(self) -> None:
        super().__init__(LATENTS, WIDTH, BLOCKS)
        self.prior = Prior(LATENTS)

    def forward(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """X (B,3,H,W), levels (B,) -> x_hat, bits (B,): in training those of latents with uniform noise, else of the integers."""
        y = self.latents(x, level)
        q = straight_through_round(y)
        coded = y + torch.empty_like(y).uniform_(-0.5, 0.5) if self.training else q
        return self.picture(q, level), self.prior.bits(coded, nearest_anchor(level)).sum((1, 2, 3))

    @torch.no_grad()
    def start(self, patches: Patches) -> None:
        """Begin as the principal components of blocks of 8x8."""
        spread = 0.5 * torch.log(self.begin(patches.some(1500))) + self.encoder_gains.log_gain
        self.prior.log_scale[:] = (spread[:, None] + torch.tensor([[-1.6], [-0.8], [0.0]])).clamp_min(-2)


def export(a: argparse.Namespace) -> None:
    """Write graphs, tables and the entry of the manifest."""
    net = Autoencoder().eval()
    net.load_state_dict(training.weights(a.weights))
    release = Release(a.out, a.id, "autoencoder", "autoencoder", constants(LATENTS))
    graphs = {
        "analysis": Network(net.analysis_graph(), "encoder"),
        "synthesis": Network(net.synthesis_graph(), "decoder"),
    }
    seen = histograms(lambda x: net.analysis(x)[1], net.encoder_gains, Patches(a.patches).some(a.samples))
    release.enter(release.networks(graphs) | {"tables": release.tables(tables_of(net.prior, seen))})


def train(a: argparse.Namespace) -> None:
    """Train, or go on with a run that was cut."""
    torch.manual_seed(0)
    training.train(Autoencoder(), FAST, a)


if __name__ == "__main__":
    command.run(__doc__, train, export)
