"""Variants of `agustsson2017` or `rippel2017` after equal runs: bits and MS-SSIM of held-out patches, as the models would code them.

    python -m onnx_models.recipes.variants agustsson2017 PATCHES RUN RUN ...      folders that `train` has written, the first to compare with

Symbols are whole ones, and their tables or start values are counted anew for each variant from the same training patches, as an export
does. The log of a run says less: its bits are those of soft assignments, or of a regularisation.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pillow_lic.engine import bits
from pillow_lic.families.shared import bitplanes
from pillow_lic.metrics import bd_rate, decibels

from . import agustsson2017, rippel2017
from .common import contexts, training
from .common.data import Patches
from .common.levels import nearest_anchor
from .common.similarity import ms_ssim

LEVELS = (64, 256, 512, 768, 960)
Coded = Callable[[Tensor, Tensor], tuple[Tensor, float]]
"""Of pictures (1,3,H,W) and a level (1,): what is shown, and how many bits were needed."""


def agustsson(weights: Path, samples: list[np.ndarray]) -> Coded:
    """Return how a run of `agustsson2017` codes: nearest centres, by histograms of the samples."""
    net = agustsson2017.Agustsson2017().eval()
    net.load_state_dict(training.weights(weights))
    net.centres.data = net.centres.data.sort().values
    counts = torch.from_numpy(agustsson2017.counts(net, samples)).float() + 0.5
    lengths = -torch.log2(counts / counts.sum(-1, keepdim=True))
    middles = (net.centres[1:] + net.centres[:-1]) / 2

    def coded(x: Tensor, level: Tensor) -> tuple[Tensor, float]:
        number = torch.bucketize(net.latents(x, level).contiguous(), middles)
        of_centre = lengths[nearest_anchor(level)[0]]
        needed = of_centre.gather(1, number[0].flatten(1)).sum().item()
        return net.picture(net.centres[number], level), needed

    return coded


def rippel(weights: Path, samples: list[np.ndarray]) -> Coded:
    """Return how a run of `rippel2017` codes: streams, in contexts that begin with the counts of the samples and adapt."""
    state = training.weights(weights)
    net = rippel2017.Rippel2017(None if any("down" in name for name in state) else "pyramid").eval()
    net.load_state_dict(state)
    counts = np.zeros((bitplanes.CONTEXTS, 2))
    for symbols, _ in rippel2017.samples(net, samples):
        for values, of in bitplanes.parts(symbols):
            np.add.at(counts, (of, values), 1)
    starts = bits.stored_starts(contexts.stored(counts))

    def coded(x: Tensor, level: Tensor) -> tuple[Tensor, float]:
        y = net.latents(x, level)
        q = torch.minimum(torch.floor(y.abs() + 0.42), torch.tensor(float(bitplanes.LARGEST))) * y.sign()
        return net.picture(q, level), 8 * len(bitplanes.pack(starts, q[0].to(torch.int8).numpy()))

    return coded


@torch.no_grad()
def curve(coded: Coded, pictures: Tensor) -> list[tuple[float, float]]:
    """Return mean bits per pixel and mean MS-SSIM (dB) of pictures (N,H,W,3) uint8 at LEVELS."""
    points = []
    for level in LEVELS:
        found = []
        for picture in pictures:
            x = picture[None].permute(0, 3, 1, 2).float() / 255
            shown, needed = coded(x, torch.tensor([float(level)]))
            similarity = ms_ssim((shown.clamp(0, 1) * 255).round() / 255, x).item()
            found.append((needed / x[0, 0].numel(), decibels(similarity)))
        bpp, reached = np.mean(found, 0)
        points.append((float(bpp), float(reached)))
    return points


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", choices=("agustsson2017", "rippel2017"))
    p.add_argument("patches", type=Path)
    p.add_argument("runs", type=Path, nargs="+")
    p.add_argument("--samples", type=int, default=150, help="training patches that are counted")
    p.add_argument("--pictures", type=int, default=40, help="held-out patches that are judged, at most")
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    data, codec = Patches(a.patches), agustsson if a.model == "agustsson2017" else rippel
    pictures = data.validation()
    pictures = pictures[:: max(1, len(pictures) // a.pictures)][: a.pictures]
    first: list[tuple[float, float]] = []
    for run in a.runs:
        points = curve(codec(run / "weights.pt", data.some(a.samples)), pictures)
        first = first or points
        said = " ".join(f"{bpp:.3f}/{reached:.2f}" for bpp, reached in points)
        print(f"| {run.name} | {bd_rate(first, points):+.1f} % | {said} |", flush=True)


if __name__ == "__main__":
    main()
