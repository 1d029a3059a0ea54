"""The schedule of a training: the learning rate at each step, and the average of the weights that is exported."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

WARM_UP = 200
"""Steps in which the learning rate rises, where a run says nothing else."""


def rate_at(done: float, step: int, decay_from: float, warm_up: int = WARM_UP) -> float:
    """Return the factor on the learning rate at a share `done` of the schedule, 0..1, after so many steps.

    It rises over the first steps, and from the share `decay_from` on falls by cosine to a hundredth.
    """
    late = min(1.0, max(0.0, (done - decay_from) / (1 - decay_from)))
    return min(1.0, (step + 1) / warm_up) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * late)))


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Give every group of parameters the learning rate times the group's own `factor`."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)


@torch.no_grad()
def average_in(averaged: Sequence[Tensor], latest: Sequence[Tensor], step: int) -> None:
    """Move averaged weights towards the latest, those after `step` steps: a thousandth of the way, at first more."""
    torch._foreach_lerp_(list(averaged), list(latest), 1 - min(0.999, (1 + step) / (10 + step)))
