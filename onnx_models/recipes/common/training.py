"""One training run of a paper's network on the CPU: schedule, averaged weights, log, and checkpoints from which a killed run goes on.

The loss of a sample is (bits per pixel + weight * squared error) * 6 / sqrt(weight), with the weight of 8-bit levels that its
network's `lambdas` gives its level: so every level weighs about the same.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from .data import Patches
from .levels import LEVEL_MAX
from .quantisers import KINDS, quantised
from .soap import Soap


class Codec(nn.Module):
    """A network that codes pictures at any level.

    quantiser: what stands for rounding while it learns, one of `quantisers.KINDS`. progress: the share of the schedule that is
    over, 0 to 1; 1 outside of training.
    """

    quantiser = "mixed"
    progress = 1.0

    def forward(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """X (B,3,H,W) in 0..1, levels (B,) -> x_hat, bits (B,)."""
        raise NotImplementedError

    def lambdas(self, level: Tensor) -> Tensor:
        """Return the weight of the squared error of 8-bit levels against bits per pixel."""
        raise NotImplementedError

    def start(self, patches: Patches) -> None:
        """Set the weights that a run begins with."""
        raise NotImplementedError

    def quantised(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is coded of latents in steps, and what the synthesis sees, by the network's quantiser."""
        return quantised(y, self.quantiser, training=self.training, progress=self.progress)

    def losses(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss, bits per pixel and squared error of each sample."""
        x_hat, bits = self(x, level)
        bpp, error = bits / (x.shape[2] * x.shape[3]), ((x_hat - x) ** 2).mean((1, 2, 3))
        weight = self.lambdas(level) * 65025
        return (bpp + weight * error) * 6 / weight.sqrt(), bpp, error


@torch.no_grad()
def judgement(net: Codec, pictures: Tensor) -> str:
    """Return the mean loss, and bpp/PSNR at five levels, of pictures (N,H,W,3) uint8, as the log says it."""
    net.eval()
    rows, losses = [], []
    for level in (64, 256, 512, 768, 960):
        parts = []
        for some in pictures.split(8):
            x = some.permute(0, 3, 1, 2).float() / 255
            parts.append(torch.stack(net.losses(x, torch.full((len(x),), float(level)))))
        loss, bpp, error = torch.cat(parts, 1)
        losses.append(loss.mean().item())
        rows.append(f"{bpp.mean():.3f}/{-10 * error.log10().mean():.2f}")
    net.train()
    return f"  validation {np.mean(losses):.4f} {' '.join(rows)}"


def train(net: Codec, fast: tuple[str, ...], a: argparse.Namespace) -> None:
    """Train a codec as `loop` does, on crops at levels spread over the scale."""
    data = Patches(a.patches)
    net.quantiser = a.quantiser

    def batch(rng: np.random.Generator, done: float) -> tuple[Tensor, dict[str, float]]:
        x = data.batch(a.batch, a.crop, rng).permute(0, 3, 1, 2).float().div_(255)
        x = x.contiguous(memory_format=torch.channels_last)
        # One level from each n-th of the scale, so that batches are alike.
        level = torch.from_numpy(np.floor((rng.permutation(a.batch) + rng.random(a.batch)) * (LEVEL_MAX + 1) / a.batch))
        net.progress = done
        losses, bpp, error = net.losses(x, level.float())
        return losses.mean(), {"bpp": bpp.mean().item(), "psnr": -10 * error.mean().log10().item()}

    loop(net, fast, a, lambda: net.start(data), batch, lambda average: judgement(average, data.validation()))


Net = TypeVar("Net", bound=nn.Module)


def loop(
    net: Net,
    fast: tuple[str, ...],
    a: argparse.Namespace,
    start: Callable[[], None],
    batch: Callable[[np.random.Generator, float], tuple[Tensor, dict[str, float]]],
    judged: Callable[[Net], str],
) -> None:
    """Train for `a.steps`, or, if that is 0, for `a.minutes`, or what is left of them.

    `weights.pt` in the folder of the run are the averaged weights. Parameters with one of the words of `fast` in their names learn
    four times as fast. `start` sets the weights that a run begins with. `batch` returns, at a share of the schedule in 0..1, the
    loss of a batch and the figures that the log says of it; `judged` returns what the log says of averaged weights.
    """
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    amp = torch.autocast("cpu", dtype=torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported())
    checkpoint = a.run / "checkpoint.pt"
    a.run.mkdir(parents=True, exist_ok=True)
    if not checkpoint.exists() and a.weights:
        net.load_state_dict(torch.load(a.weights, weights_only=True))
    elif not checkpoint.exists():
        start()
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    named = list(net.named_parameters())
    quick = [v for name, v in named if any(word in name for word in fast)]
    others = [v for name, v in named if not any(word in name for word in fast)]
    optimizer = Soap([{"params": others}, {"params": quick, "factor": 4.0}], lr=a.lr)
    average = copy.deepcopy(net)
    step, spent, log = 0, 0.0, deque[dict[str, float]](maxlen=a.every)
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        for part, state in ((net, "net"), (average, "average"), (optimizer, "optimizer")):
            part.load_state_dict(saved[state])
        step, spent = saved["step"], saved["seconds"]
    rng, begun = np.random.default_rng(step), time.time() - spent
    torch.manual_seed(step)

    def report(verdict: str = "") -> None:
        states = {"net": net.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict()}
        for name, content in (
            ("checkpoint.pt", states | {"step": step, "seconds": spent}),
            ("weights.pt", states["average"]),
        ):
            torch.save(content, a.run / "part")
            (a.run / "part").replace(a.run / name)
        means = "".join(f"  {name} {np.mean([row[name] for row in log]):.4f}" for name in (log[0] if log else ()))
        line = f"step {step}  {spent / 60:.1f} min  lr {optimizer.param_groups[0]['lr']:.2e}{means}{verdict}"
        print(line, flush=True)
        with (a.run / "log.txt").open("a") as f:
            f.write(line + "\n")

    while (done := step / a.steps if a.steps else spent / (60 * a.minutes)) < 1:
        late = max(0.0, (done - a.decay_from) / (1 - a.decay_from))
        for group in optimizer.param_groups:
            rate = a.lr * min(1, (step + 1) / a.warm_up) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * late)))
            group["lr"] = rate * group.get("factor", 1.0)
        with amp:
            loss, figures = batch(rng, done)
        if not loss.isfinite():
            raise FloatingPointError(f"the loss left the numbers at step {step}; {checkpoint} is from before")
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step, spent = step + 1, time.time() - begun
        with torch.no_grad():
            torch._foreach_lerp_(
                list(average.parameters()), list(net.parameters()), 1 - min(0.999, (1 + step) / (10 + step))
            )
        log.append({"loss": loss.item()} | figures)
        if step % a.every == 0:
            report(judged(average) if step % (8 * a.every) == 0 else "")
    report(judged(average))


def weights(path: Path) -> dict[str, Tensor]:
    """Return the weights of a run, or those beside a recipe, which are in half precision, in single precision."""
    return {k: v.float() if v.is_floating_point() else v for k, v in torch.load(path, weights_only=True).items()}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folders, the length and the settings of a run."""
    parser.add_argument("patches", type=Path, help="files of common/data.py")
    parser.add_argument("run", type=Path, help="folder of checkpoint, weights and log")
    parser.add_argument(
        "--minutes", type=float, default=100, help="wall-clock length of the schedule, all stretches together"
    )
    parser.add_argument(
        "--steps",
        type=int,
        default=0,
        help="length of the schedule in steps instead: equal for variants that are compared",
    )
    parser.add_argument("--weights", type=Path, help="what a new run begins with; the network's own start if left out")
    parser.add_argument(
        "--quantiser", choices=KINDS, default="mixed", help="what stands for rounding while the network learns"
    )
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=128, help="pixels a side, a multiple of 16")
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument(
        "--decay-from", type=float, default=0.3, help="share of the schedule after which the learning rate falls"
    )
    parser.add_argument("--warm-up", type=int, default=200, help="steps in which the learning rate rises")
    parser.add_argument("--every", type=int, default=500, help="steps between reports and checkpoints")
