"""Trains `lic2`, beginning with the weights of `lic1`: one process, resumable by the same command. Run it as

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.lic2.train PATCHES_FOLDER RUN_FOLDER --minutes 120

First the new decoder and entropy model learn on the latents of lic1; then what turns the trunk of the analysis into latents moves with
them, and at last everything does. Where the mean loss of some steps jumps, the run goes back to its last checkpoint at 0.7 of the rate.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from pathlib import Path

import torch
from torch import Tensor, nn

from pillow_lic.errors import LicRuntimeError

from ..common.data import Patches
from ..common.pca import block_pca
from ..common.soap import Soap
from ..lic1.export import load as load_lic1
from ..lic1.model import Lic1
from ..lic1.train import FAST, Samples, has_bfloat16, judgement, loss_of, report, save
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


def rate_at(done: float, step: int, decay_from: float) -> float:
    """Factor on the learning rate: rising over the first 200 steps, falling by cosine to a hundredth at the end."""
    late = max(0.0, (done - decay_from) / (1 - decay_from))
    return min(1.0, (step + 1) / 200) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, late))))


def main() -> None:
    a = arguments()
    torch.set_num_threads(1)
    amp = torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bfloat16(torch.device("cpu")))
    data = Patches(a.patches)
    held = data.validation()
    judges = [held[:: max(1, len(held) // JUDGED_PATCHES)][:JUDGED_PATCHES]]
    a.run.mkdir(parents=True, exist_ok=True)
    checkpoint = a.run / "checkpoint.pt"
    net = load(a.start).train().to(memory_format=torch.channels_last) if a.start else begun(data, a.weights)
    groups = groups_of(net, a.linear, a.encoder)
    optimizer = Soap(groups, lr=a.lr)
    ema = {k: v.detach().clone() for k, v in net.state_dict().items()}
    step, before, rate, guard = 0, 0.0, 1.0, Guard()

    def restore() -> tuple[int, float, float]:
        """The state of the checkpoint in the networks, their average and the optimizer; its step, seconds and rate."""
        saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
        net.load_state_dict(saved["net"])
        optimizer.load_state_dict(saved["optimizer"])
        for group, asked in zip(optimizer.param_groups, groups, strict=True):
            group["factor"] = asked["factor"]
        for k, v in saved["ema"].items():
            ema[k].copy_(v)
        return saved["step"], saved["seconds"], saved["rate"]

    if checkpoint.exists():
        step, before, rate = restore()
    else:
        save(checkpoint, net, ema, optimizer, step, before, rate=rate)
    torch.manual_seed(step)
    start, log = time.time(), list[Tensor]()
    latest = net.state_dict()
    averaged = [ema[k] for k in latest]
    for pictures, base, level in Samples(data, [a.crop], a.batch, (step,)):
        spent = before + time.time() - start
        done = spent / (a.minutes * 60)
        if done >= 1:
            break
        freeze(net, done, a.encoder_from, a.trunk_from)
        lr = a.lr * rate * rate_at(done, step, a.decay_from)
        for group in optimizer.param_groups:
            group["lr"] = lr * group["factor"]
        x = (pictures.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last)
        try:
            with amp:
                losses, bpp, mse = loss_of(net, x, base, level, a.structure, LIC2.largest)
        except LicRuntimeError:
            # The trellis refuses latents that have left the range of symbols.
            report(a.run, step, spent, lr, log)
            step, _, _ = restore()
            rate, log = rate * guard.BACK, []
            continue
        optimizer.zero_grad()
        losses.mean().backward()  # type: ignore[no-untyped-call]
        log.append(torch.stack([losses.mean(), bpp.mean(), -10 * mse.mean().log10()]).detach())
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(averaged, list(latest.values()), 1 - min(0.999, (1 + step) / (10 + step)))
        if step % a.every == 0:
            if guard.jumped(torch.stack(log)[:, 0].mean().item()):
                report(a.run, step, spent, lr, log)
                step, _, _ = restore()
                rate *= guard.BACK
            else:
                save(checkpoint, net, ema, optimizer, step, spent, rate=rate)
                due = step % a.judge == 0
                report(
                    a.run, step, spent, lr, log, judgement(net, ema, judges, amp, a.structure, JUDGED) if due else ""
                )
            log = []
    save(checkpoint, net, ema, optimizer, step, before + time.time() - start, rate=rate)
    report(a.run, step, before + time.time() - start, 0.0, log, judgement(net, ema, judges, amp, a.structure, JUDGED))


if __name__ == "__main__":
    main()
