"""The small analysis behind `effort=0`: its own narrow trunk, then the latents network of the large one. Run it as

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.lic2.quick PATCHES_FOLDER LIC2_WEIGHTS RUN_FOLDER --steps 2000

First it learns to find the latents that the large analysis finds: an error of d steps counts 6 d^2 / ln 2 bits, which is what it costs
where the step is the best for its lambda. Then, with `--structure 0.4`, it learns by the loss of lic2 itself, through entropy model and
synthesis as they are. Decoders do not know which analysis made a file.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import time
from pathlib import Path

import onnx
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..common.data import Patches
from ..common.depthwise import Pointwise
from ..common.layers import blocks
from ..common.levels import lambdas
from ..common.schedule import rate_at, set_rate
from ..common.soap import Soap
from ..common.training import weights
from ..lic1.model import Lic1
from ..lic1.networks import analysis
from ..lic1.train import Samples, has_bfloat16, loss_of, validate
from ..lic1.transforms import Analysis
from .model import load

WIDTH, DEPTH = 112, 3
JUDGED, JUDGED_PATCHES = (45, 181, 363, 544, 680, 900, 1024), 12
ERROR_BITS = 6 / math.log(2)
WEIGHTS = "quick.pt"
"""The file in the folder of a run from which it goes on."""


class QuickAnalysis(Analysis):
    """`Analysis` with a narrow body, whose last layer makes as many features as the large one has."""

    def __init__(self, large: Analysis, width: int = WIDTH, depth: int = DEPTH, kernel: int = 5) -> None:
        """large: whose linear path it shares."""
        nn.Module.__init__(self)
        features = large.enter.weight.shape[0]
        self.linear, self.enter = large.linear, Pointwise(large.enter.weight.shape[1], width)
        self.body = nn.Sequential(*blocks(width, depth, kernel), Pointwise(width, features))


def graph(net: Lic1, quick: QuickAnalysis) -> onnx.ModelProto:
    """Return the graph of role "analysis_quick": in and out as "analysis"."""
    return analysis(net, quick, "analysis_quick")


def weights_of(quick: QuickAnalysis) -> dict[str, Tensor]:
    """Return its own tensors: the linear path is the large analysis'."""
    return {k: v for k, v in quick.state_dict().items() if not k.startswith("linear.")}


def load_quick(net: Lic1, path: Path) -> QuickAnalysis:
    """Return the small analysis of `net` with the weights of a file."""
    quick = QuickAnalysis(net.analysis)
    quick.load_state_dict(weights(path) | {"linear.weight": net.analysis.linear.weight})
    return quick.eval()


def error(net: Lic1, quick: QuickAnalysis, x: Tensor, base: Tensor, level: Tensor) -> Tensor:
    """Return what the latents of the small analysis cost, (B,), in bits a pixel, every level weighing about the same."""
    with torch.no_grad():
        wanted, _ = net.latents(*net.analysis(x), level)
    found, _ = net.latents(*quick(x), level)
    bits = ERROR_BITS * F.huber_loss(found, wanted, reduction="none", delta=2.0).mul(2).sum((1, 2, 3))
    return bits / (x.shape[2] * x.shape[3]) * 6 / (lambdas(base, net.sizes.largest) * 65025).sqrt()


def judged(net: Lic1, patches: Patches, structure: float, amp: contextlib.AbstractContextManager[object]) -> str:
    """Return the words of the log on patches held out: loss, then bpp/PSNR at some levels."""
    held = patches.validation()
    loss, rows = validate(net, [held[:: max(1, len(held) // JUDGED_PATCHES)][:JUDGED_PATCHES]], amp, structure, JUDGED)
    return f"  validation {loss:.4f} " + " ".join(f"{b:.3f}/{p:.2f}" for b, p in rows)


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("patches", type=Path)
    p.add_argument("weights", type=Path, help="of lic2")
    p.add_argument("run", type=Path)
    p.add_argument("--start", type=Path, help="weights of a small analysis to begin with, when the run has none yet")
    p.add_argument("--structure", type=float, help="learn by the loss of lic2, with this share of 1 - MS-SSIM")
    p.add_argument("--steps", type=int, default=2000)
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--crop", type=int, default=192)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--every", type=int, default=100, help="steps between reports and weights")
    p.add_argument("--judge", type=int, default=500, help="steps between judgements, with --structure")
    return p.parse_args()


def train(net: Lic1, quick: QuickAnalysis, a: argparse.Namespace) -> None:
    """Train the small analysis beside the networks of lic2, which rest; its weights and log are kept in the folder of the run."""
    amp = torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bfloat16(torch.device("cpu")))
    own = [v for v in quick.parameters() if v.requires_grad]
    optimizer, log, start = Soap(own, lr=a.lr), list[float](), time.time()
    patches = Patches(a.patches)
    if a.structure is not None:
        net.train().analysis = quick
    samples = Samples(patches, [a.crop], a.batch, (int(start),))
    for step, (pictures, base, level) in zip(range(a.steps), samples, strict=False):
        set_rate(optimizer, a.lr * rate_at(step / a.steps, step, 0.3))
        x = (pictures.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last)
        with amp:
            if a.structure is None:
                loss = error(net, quick, x, base, level).mean()
            else:
                loss = loss_of(net, x, base, level, a.structure, net.sizes.largest)[0].mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(own, 1.0)
        optimizer.step()
        log.append(loss.item())
        if (step + 1) % a.every == 0:
            line = f"quick {step + 1}  {(time.time() - start) / 60:.1f} min  loss {sum(log) / len(log):.5f}"
            if a.structure is not None and (step + 1) % a.judge == 0:
                line += judged(net, patches, a.structure, amp)
            keep(quick, line, a.run)
            log = []


def keep(quick: QuickAnalysis, line: str, run: Path) -> None:
    """Write a line of the log, and the weights, whole or not at all, into the folder of a run."""
    print(line, flush=True)
    with (run / "quick.txt").open("a") as f:
        f.write(line + "\n")
    torch.save(weights_of(quick), run / "quick.part")
    (run / "quick.part").replace(run / WEIGHTS)


def main() -> None:
    a = arguments()
    torch.set_num_threads(1)
    a.run.mkdir(parents=True, exist_ok=True)
    net = load(a.weights).to(memory_format=torch.channels_last)
    net.requires_grad_(False)
    torch.manual_seed(0)
    begin = a.run / WEIGHTS if (a.run / WEIGHTS).exists() else a.start
    quick = load_quick(net, begin) if begin else QuickAnalysis(net.analysis)
    train(net, quick.to(memory_format=torch.channels_last).train(), a)


if __name__ == "__main__":
    main()
