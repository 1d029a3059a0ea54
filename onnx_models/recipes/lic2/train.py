"""Trains `lic2`, beginning with the weights of `lic1`: one process, resumable by the same command. Run it as

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.lic2.train PATCHES_FOLDER RUN_FOLDER --minutes 120

First the new decoder and entropy model learn on the latents of lic1; then what turns the trunk of the analysis into latents moves with
them, and at last everything does. Where the mean loss of some steps jumps, the run goes back to its last checkpoint at 0.7 of the rate.
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from pillow_lic.errors import LicRuntimeError

from ..common.data import Patches
from ..common.pca import block_pca
from ..common.schedule import rate_at, set_rate
from ..common.soap import Soap
from ..lic1.export import load as load_lic1
from ..lic1.model import Lic1
from ..lic1.state import State
from ..lic1.train import FAST, Samples, gradients, has_bfloat16, judgement, loss_of
from .guard import Guard
from .model import LIC2, load, untrained
from .teacher import taught

LIC1_WEIGHTS = Path(__file__).resolve().parent.parent / "lic1" / "lic1.pt"
JUDGED = (45, 181, 363, 544, 680, 900, 1024)
"""Levels of the judgements: the first five have the lambdas of levels 64, 256, 512, 768 and 960 of lic1."""
JUDGED_PATCHES = 24
WATCHED, WATCHED_CROP = 40, 192
"""Crops on which lic1 is watched before its entropy model is made narrower, and their pixels a side."""
ENCODER = ("analysis.", "latents.")
TRUNK = ("analysis.enter.", "analysis.body.")


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("patches", type=Path)
    p.add_argument("run", type=Path)
    p.add_argument("--minutes", type=float, default=120, help="wall-clock length of the schedule")
    p.add_argument("--weights", type=Path, default=LIC1_WEIGHTS, help="of lic1, to begin with")
    p.add_argument(
        "--start", type=Path, help="weights of lic2 to begin with instead, when the run has no checkpoint yet"
    )
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--crop", type=int, default=192, help="pixels a side, a multiple of 64")
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--linear", type=float, default=0.1, help="factor on the learning rate of the linear paths")
    p.add_argument("--encoder", type=float, default=0.4, help="factor on the learning rate of the encoder")
    p.add_argument("--encoder-from", type=float, default=0.1, help="share of the schedule before the encoder moves")
    p.add_argument("--trunk-from", type=float, default=0.6, help="share of the schedule before its trunk moves")
    p.add_argument("--decay-from", type=float, default=0.5, help="share after which the rate falls (cosine)")
    p.add_argument("--structure", type=float, default=0.4, help="share of 1 - MS-SSIM in what counts as error")
    p.add_argument("--every", type=int, default=100, help="steps between reports and checkpoints")
    p.add_argument("--judge", type=int, default=500, help="steps between judgements of the averaged weights")
    return p.parse_args()


def begun(patches: Patches, weights: Path) -> Lic1:
    """The networks as training begins: from the block PCA of the patches and the weights of lic1."""
    torch.manual_seed(0)
    components, variance = block_pca(patches.some(1500))
    net = untrained(torch.from_numpy(components), torch.from_numpy(variance), LIC2)
    crops = itertools.islice(Samples(patches, [WATCHED_CROP], 4, (0,)), WATCHED // 4)
    watched = ((pictures.permute(0, 3, 1, 2).float() / 255, level) for pictures, _, level in crops)
    net.load_state_dict(taught(net, load_lic1(weights), watched))
    return net.to(memory_format=torch.channels_last)


def groups_of(net: nn.Module, linear: float, encoder: float) -> list[dict[str, object]]:
    """Parameters by the factor on their learning rate: that of their kind, and `encoder` for those of the encoder."""
    by_factor: dict[float, list[nn.Parameter]] = {}
    for name, v in net.named_parameters():
        factor = 4.0 if any(f in name for f in FAST) else linear if "linear" in name else 1.0
        by_factor.setdefault(factor * (encoder if name.startswith(ENCODER) else 1.0), []).append(v)
    return [{"params": params, "factor": factor} for factor, params in by_factor.items()]


def freeze(net: nn.Module, done: float, encoder_from: float, trunk_from: float) -> None:
    """Lets the parameters move whose time has come, at a share of the schedule in 0..1."""
    for name, v in net.named_parameters():
        start = trunk_from if name.startswith(TRUNK) else encoder_from if name.startswith(ENCODER) else 0.0
        v.requires_grad_(done >= start)
        if done < start:
            v.grad = None


def train(a: argparse.Namespace) -> None:
    """Train for `a.minutes`, or what is left of them, and go back where the loss jumps."""
    amp = torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bfloat16(torch.device("cpu")))
    data = Patches(a.patches)
    held = data.validation()
    judges = [held[:: max(1, len(held) // JUDGED_PATCHES)][:JUDGED_PATCHES]]
    a.run.mkdir(parents=True, exist_ok=True)
    net = load(a.start).train().to(memory_format=torch.channels_last) if a.start else begun(data, a.weights)
    optimizer = Soap(groups_of(net, a.linear, a.encoder), lr=a.lr)
    state, guard, log = State(a.run, net, optimizer), Guard(), list[Tensor]()
    if not state.checkpoint.exists():
        state.save()
    torch.manual_seed(state.step)
    start, before = time.time(), state.seconds

    def go_back(lr: float) -> None:
        state.report(lr, log)
        rate = state.rate * guard.BACK
        state.restore()
        state.rate = rate

    def keep(lr: float, *, judged: bool) -> None:
        state.save()
        state.report(lr, log, judgement(net, state.average, judges, amp, a.structure, JUDGED) if judged else "")

    for pictures, base, level in Samples(data, [a.crop], a.batch, (state.step,)):
        state.seconds = before + time.time() - start
        done = state.seconds / (a.minutes * 60)
        if done >= 1:
            break
        freeze(net, done, a.encoder_from, a.trunk_from)
        lr = a.lr * state.rate * rate_at(done, state.step, a.decay_from)
        set_rate(optimizer, lr)
        x = (pictures.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last)
        try:
            with amp:
                losses, bpp, mse = loss_of(net, x, base, level, a.structure, LIC2.largest)
        except LicRuntimeError:
            # The trellis refuses latents that have left the range of symbols.
            go_back(lr)
            log = []
            continue
        log.append(gradients(optimizer, losses, bpp, mse))
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        state.count_step()
        if state.step % a.every == 0:
            if guard.jumped(torch.stack(log)[:, 0].mean().item()):
                go_back(lr)
            else:
                keep(lr, judged=state.step % a.judge == 0)
            log = []
    keep(0.0, judged=True)


def main() -> None:
    a = arguments()
    torch.set_num_threads(1)
    train(a)


if __name__ == "__main__":
    main()
