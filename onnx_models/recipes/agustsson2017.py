"""`agustsson2017`: Agustsson et al., "Soft-to-Hard Vector Quantization for End-to-End Learning Compressible Representations" (NIPS 2017).

    x ──analysis──▶ y,   w = softmax(-sigma * (y - centres)^2),   q = sum of w * centres        sigma grows: q becomes the nearest centre
    x_hat ◀──synthesis── q                                        bits = -sum of w * log2(histogram of w)

The paper's ideas: values are rounded to centres that are learnt with the network; a soft assignment that hardens by and by stands
for the choice of one, so that the network learns for what it will meet; and the entropy is that of the histogram of assignments,
without a model of the distribution (arXiv 1704.00648).

Kept: scalar centres for all channels, annealing, the histogram, a loss by MS-SSIM.
Changed, and why:
- Factors for each latent at nine levels, so that one model has all rates, and a histogram for each latent near each of them, a
  moving mean over the steps.
- Blocks at an eighth of the resolution instead of a network like that of Theis et al.: a fifth of the work.
- It begins as block PCA, with centres at equal distances that grow outwards: minutes of training instead of days.

    python -m onnx_models.recipes.agustsson2017 train PATCHES_FOLDER RUN_FOLDER --minutes 8
    python -m onnx_models.recipes.agustsson2017 export RUN_FOLDER/weights.pt PATCHES_FOLDER --id 24

`--assignment fixed` keeps sigma as it begins; `--assignment straight` rounds to the nearest centre and passes the gradient through.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import Tensor, nn

from .common import command, training
from .common.block_codec import BlockCodec, constants, log_spaced
from .common.data import Patches
from .common.exact import straight_through
from .common.export import Network, Release
from .common.levels import ANCHORS, SPACING, nearest_anchor
from .common.similarity import ms_ssim
from .common.tables import counted_table

LATENTS, WIDTH, BLOCKS, CENTRES = 64, 64, 2, 65
SIGMA = 2.0, 60.0
"""Sigma at the beginning and at the end of the schedule, for distances in steps."""
WEIGHT_MIN, WEIGHT_MAX = 5.0, 200.0
"""Weight of 1 - MS-SSIM against bits per pixel, at levels 0 and 1024."""
MEMORY = 0.98
"""Share of a histogram that stays when a picture joins it."""
ASSIGNMENTS = ("annealed", "fixed", "straight")
FAST = ("log_", "centres")
"""Parameters that learn four times as fast: logarithms and centres."""


class Agustsson2017(BlockCodec):
    def __init__(self, assignment: str = "annealed") -> None:
        """assignment: one of ASSIGNMENTS."""
        super().__init__(LATENTS, WIDTH, BLOCKS)
        self.assignment = assignment
        steps = torch.arange(CENTRES) - CENTRES // 2
        self.centres = nn.Parameter(steps * (1 + 0.01 * steps.abs() ** 1.5))
        self.histogram: Tensor
        self.register_buffer("histogram", torch.full((ANCHORS, LATENTS, CENTRES), 1 / CENTRES))

    def shares(self, y: Tensor, sigma: float) -> Tensor:
        """Return how much of each centre y (B,C,h,w) is, (B,C,h,w,CENTRES): the softmax of -sigma * distance^2."""
        return torch.softmax(-sigma * (y[..., None] - self.centres) ** 2, -1)

    def forward(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """X (B,3,H,W), levels (B,) -> x_hat, bits (B,); in evaluation of the nearest centres."""
        with torch.autocast(x.device.type, enabled=False):
            y = self.latents(x, level).float()
            soft = self.training and self.assignment != "straight"
            sigma = SIGMA[0]
            if self.assignment == "annealed":
                sigma *= (SIGMA[1] / SIGMA[0]) ** self.progress
            w = self.shares(y, sigma)
            nearest = (y[..., None] - self.centres).abs().argmin(-1)
            q = w @ self.centres if soft else straight_through(self.centres[nearest], y)
            anchor = nearest_anchor(level)
            if self.training:
                self.remember(w.detach(), anchor)
            else:
                w = torch.nn.functional.one_hot(nearest, CENTRES).float()
            bits = -(w * torch.log2(self.histogram[anchor].clamp_min(1e-6))[:, :, None, None]).sum((1, 2, 3, 4))
        return self.picture(q, level), bits

    @torch.no_grad()
    def remember(self, w: Tensor, anchor: Tensor) -> None:
        """Let the shares of pictures join the histograms of their anchors, one after another."""
        for shares, a in zip(w.mean((2, 3)), anchor.tolist(), strict=True):
            self.histogram[a].lerp_(shares, 1 - MEMORY)

    def losses(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss, bits per pixel and 1 - MS-SSIM of each sample; of crops below 176 pixels without the coarsest scale."""
        x_hat, bits = self(x, level)
        bpp = bits / (x.shape[2] * x.shape[3])
        error = 1 - ms_ssim(x_hat.float(), x, range(5 if min(x.shape[2:]) >= 176 else 4))
        weight = log_spaced(level, WEIGHT_MIN, WEIGHT_MAX)
        return (bpp + weight * error) * 3 / weight.sqrt(), bpp, error.clamp_min(1e-6)

    @torch.no_grad()
    def start(self, patches: Patches) -> None:
        """Begin as the principal components of blocks of 8x8, with the histograms of some patches."""
        some = patches.some(1500)
        # Of a coefficient nearly all is to lie between the outermost centres.
        most = torch.log(self.centres[-1] / (3 * self.begin(some).sqrt()))
        self.encoder_gains.log_gain[:] = torch.minimum(self.encoder_gains.log_gain, most)
        self.decoder_gains.log_gain[:] = -self.encoder_gains.log_gain
        self.histogram[:] = torch.from_numpy(counts(self, some[::25])).float() + 0.5
        self.histogram /= self.histogram.sum(-1, keepdim=True)


@torch.no_grad()
def counts(net: Agustsson2017, patches: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]) -> np.ndarray:
    """Return how often each centre is the nearest in patches near every anchor, (ANCHORS, LATENTS, CENTRES)."""
    found = np.zeros((ANCHORS, LATENTS, CENTRES))
    middles = (net.centres[1:] + net.centres[:-1]) / 2
    for patch in patches:
        x = torch.from_numpy(patch[:256, :256].copy()).permute(2, 0, 1)[None].float() / 255
        c = net.analysis(x - 0.5)[1]
        for anchor in range(ANCHORS):
            y = c * net.encoder_gains(torch.tensor([float(anchor * SPACING)]))
            q = torch.bucketize(y[0].contiguous(), middles)
            for channel, values in enumerate(q.flatten(1).numpy()):
                found[anchor, channel] += np.bincount(values, minlength=CENTRES)
    return found


def export(a: argparse.Namespace) -> None:
    """Write graphs, tables, centres and the entry of the manifest."""
    net = Agustsson2017().eval()
    net.load_state_dict(training.weights(a.weights))
    net.centres.data = net.centres.data.sort().values
    release = Release(a.out, a.id, "agustsson2017", "agustsson2017", constants(LATENTS))
    graphs = {
        "analysis": Network(net.analysis_graph(), "encoder"),
        "synthesis": Network(net.synthesis_graph(), "decoder"),
    }
    prior = np.full(CENTRES, 0.5)
    seen = counts(net, Patches(a.patches).some(a.samples)).reshape(-1, CENTRES)
    tables = release.tables(counted_table(0, counted, prior) for counted in seen)
    centres = release.data("centres.bin", net.centres.detach().numpy().astype("<f4").tobytes())
    release.enter(release.networks(graphs) | {"tables": tables, "centres": centres})


def train(a: argparse.Namespace) -> None:
    """Train, or go on with a run that was cut."""
    torch.manual_seed(0)
    training.train(Agustsson2017(a.assignment), FAST, a)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what `train` knows beside the words of every recipe."""
    parser.add_argument("--assignment", choices=ASSIGNMENTS, default="annealed")


if __name__ == "__main__":
    command.run(__doc__, train, export, add_words)
