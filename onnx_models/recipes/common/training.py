"""One training run of a paper's network on the CPU: schedule, averaged weights, log, and checkpoints from which a killed run goes on.

The loss of a sample is (bits per pixel + weight * squared error) * 6 / sqrt(weight), with the weight of 8-bit levels that its
network's `lambdas` gives its level: so every level weighs about the same.
"""

from __future__ import annotations

import argparse
import copy
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from .data import Patches
from .levels import LEVEL_MAX
from .quantisers import KINDS, quantised
from .schedule import average_in, rate_at, set_rate
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
CHECKPOINT = "checkpoint.pt"
"""The file in the folder of a run from which it goes on."""


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
    a.run.mkdir(parents=True, exist_ok=True)
    if not (a.run / CHECKPOINT).exists():
        if a.weights:
            net.load_state_dict(weights(a.weights))
        else:
            start()
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = Run(a.run, net, optimizer_of(net, fast, a.lr), a.every)
    rng, begun = np.random.default_rng(run.step), time.time() - run.seconds
    torch.manual_seed(run.step)

    def seconds() -> float:
        return time.time() - begun

    while (done := run.step / a.steps if a.steps else seconds() / (60 * a.minutes)) < 1:
        set_rate(run.optimizer, a.lr * rate_at(done, run.step, a.decay_from, a.warm_up))
        with amp:
            loss, figures = batch(rng, done)
        if not loss.isfinite():
            raise FloatingPointError(f"the loss left the numbers at step {run.step}; {run.checkpoint} is from before")
        run.learn(loss, figures, seconds)
        if run.step % a.every == 0:
            run.save(judged(run.average) if run.step % (8 * a.every) == 0 else "")
    run.save(judged(run.average))


def optimizer_of(net: nn.Module, fast: tuple[str, ...], lr: float) -> Soap:
    """Return the optimizer of a network; parameters with one of the words of `fast` in their names learn four times as fast."""
    named = list(net.named_parameters())
    quick = [v for name, v in named if any(word in name for word in fast)]
    others = [v for name, v in named if not any(word in name for word in fast)]
    return Soap([{"params": others}, {"params": quick, "factor": 4.0}], lr=lr)


class Run(Generic[Net]):
    """A run as its checkpoint keeps it: a network, the average of its weights, the optimizer, steps and seconds; and its log.

    kept: steps whose figures are averaged in a line of the log. Where the folder has a checkpoint, the run is that one.
    """

    def __init__(self, folder: Path, net: Net, optimizer: Soap, kept: int) -> None:
        self.folder, self.checkpoint = folder, folder / CHECKPOINT
        self.net, self.average, self.optimizer = net, copy.deepcopy(net), optimizer
        self.step, self.seconds = 0, 0.0
        self._log = deque[dict[str, float]](maxlen=kept)
        if self.checkpoint.exists():
            saved = torch.load(self.checkpoint, weights_only=True)
            for part, state in ((net, "net"), (self.average, "average"), (optimizer, "optimizer")):
                part.load_state_dict(saved[state])
            self.step, self.seconds = saved["step"], saved["seconds"]

    def learn(self, loss: Tensor, figures: dict[str, float], seconds: Callable[[], float]) -> None:
        """Take a step down the slope of a loss, whose figures the log will say; `seconds` tells afterwards how long the run has been."""
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        self.step, self.seconds = self.step + 1, seconds()
        average_in(list(self.average.parameters()), list(self.net.parameters()), self.step)
        self._log.append({"loss": loss.item()} | figures)

    def save(self, verdict: str) -> None:
        """Save a checkpoint and, as `weights.pt`, the averaged weights, and add a line to the log that ends with a verdict."""
        parts = {"net": self.net, "average": self.average, "optimizer": self.optimizer}
        states = {name: part.state_dict() for name, part in parts.items()}
        for name, content in (
            (CHECKPOINT, states | {"step": self.step, "seconds": self.seconds}),
            ("weights.pt", states["average"]),
        ):
            torch.save(content, self.folder / "part")
            (self.folder / "part").replace(self.folder / name)
        figures = self._log[0] if self._log else ()
        means = "".join(f"  {name} {np.mean([row[name] for row in self._log]):.4f}" for name in figures)
        rate = self.optimizer.param_groups[0]["lr"]
        line = f"step {self.step}  {self.seconds / 60:.1f} min  lr {rate:.2e}{means}{verdict}"
        print(line, flush=True)
        with (self.folder / "log.txt").open("a") as f:
            f.write(line + "\n")


def weights(path: Path) -> dict[str, Tensor]:
    """Return the weights of a run, or those beside a recipe, which are in half precision, in single precision, on the CPU."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}


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
