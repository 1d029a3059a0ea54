"""Variants of a codec after equal runs: PSNR and MS-SSIM of held-out patches after every step, as a Markdown table.

python -m onnx_models.recipes.recurrent.compare PATCHES RUN RUN ...      folders that `train` has written
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from pillow_lic import metrics

from ..common import training
from ..common.data import Patches
from .network import Paper, Recurrent

PICTURES = 24


@torch.no_grad()
def judged(run: Path, patches: Patches) -> Iterator[tuple[float, float]]:
    """Yield the mean PSNR and MS-SSIM (dB) of held-out patches after every step."""
    net = Recurrent(Paper(**json.loads((run / "paper.json").read_text()))).eval()
    net.load_state_dict(training.weights(run / "weights.pt"))
    pictures = patches.validation()[:: max(1, len(patches.validation()) // PICTURES)][:PICTURES]
    found = []
    for part in pictures.split(8):
        steps = net.pictures(part.permute(0, 3, 1, 2).float() / 255 - 0.5)
        for i, original in enumerate(part.numpy()):
            shown = [((s[i] + 0.5) * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy() for s in steps]
            found.append([(metrics.psnr(original, s), metrics.decibels(metrics.ms_ssim(original, s))) for s in shown])
    yield from (tuple(row) for row in np.mean(found, 0))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("patches", type=Path)
    p.add_argument("runs", type=Path, nargs="+")
    a = p.parse_args()
    patches = Patches(a.patches)
    for run in a.runs:
        cells = [f"{psnr:.2f} / {similarity:.2f}" for psnr, similarity in judged(run, patches)]
        print(f"| {run.name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
