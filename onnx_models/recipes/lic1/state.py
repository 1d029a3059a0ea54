"""A run of `train` as its checkpoint keeps it, and its log."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor
from torch.distributed.optim import ZeroRedundancyOptimizer

from ..common.schedule import average_in
from ..common.training import CHECKPOINT
from .model import Lic1


class State:
    """The networks of a run, the average of their weights, their optimizer, and how far the run has come.

    step: steps that are done. seconds: those spent. rate: a factor on the learning rate, which is below 1 in a run that went back.
    The state is that of the checkpoint in the folder of the run, where there is one.
    """

    def __init__(self, folder: Path, net: Lic1, optimizer: torch.optim.Optimizer) -> None:
        self.folder, self.net, self.optimizer = folder, net, optimizer
        self.checkpoint = folder / CHECKPOINT
        self._latest = net.state_dict()
        self.average = {name: v.detach().clone() for name, v in self._latest.items()}
        self.step, self.seconds, self.rate = 0, 0.0, 1.0
        if self.checkpoint.exists():
            self.restore()

    def restore(self) -> None:
        """Go back to the checkpoint. Groups of parameters keep the factors on their learning rates that they have now."""
        device = next(self.net.parameters()).device
        saved = torch.load(self.checkpoint, map_location=device, weights_only=True)
        factors = [group.get("factor", 1.0) for group in self.optimizer.param_groups]
        self.net.load_state_dict(saved["net"])
        self.optimizer.load_state_dict(saved["optimizer"])
        for group, factor in zip(self.optimizer.param_groups, factors, strict=True):
            group["factor"] = factor
        for name, v in saved["ema"].items():
            self.average[name].copy_(v)
        self.step, self.seconds, self.rate = saved["step"], saved["seconds"], saved.get("rate", 1.0)

    def count_step(self) -> None:
        """Take the weights that a step has left into the average."""
        self.step += 1
        average_in(list(self.average.values()), list(self._latest.values()), self.step)

    def save(self) -> None:
        """Save a checkpoint, and the averaged weights alone as `weights.pt` in float32; a run killed meanwhile keeps the last one."""
        state = {
            "net": self.net.state_dict(),
            "ema": self.average,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "rate": self.rate,
        }
        for content, path in ((state, self.checkpoint), (self.average, self.folder / "weights.pt")):
            torch.save(content, path.with_suffix(".part"))
            path.with_suffix(".part").replace(path)

    def gather(self) -> None:
        """Bring the parts of the optimizer's state that other processes keep to the first one, which saves it."""
        if isinstance(self.optimizer, ZeroRedundancyOptimizer):
            self.optimizer.consolidate_state_dict(0)

    def report(self, lr: float, log: Iterable[Tensor], more: str = "") -> None:
        """Append a line to the log of the run; `log` has (3,) loss, bpp and PSNR of each of the last steps."""
        steps = list(log)
        loss, bpp, psnr = torch.stack(steps).mean(0).tolist() if steps else [math.nan] * 3
        done = f"step {self.step}  {self.seconds / 60:.1f} min  lr {lr:.2e}"
        line = f"{done}  loss {loss:.4f}  bpp {bpp:.3f}  psnr {psnr:.2f}{more}"
        print(line, flush=True)
        with (self.folder / "log.txt").open("a") as f:
            f.write(line + "\n")
