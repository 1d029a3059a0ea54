"""How much a picture is like a photograph, learned after the gate: what is unlike shows less of its changes."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..common.depthwise import SLOPE
from ..common.pairs import KINDS
from .judged import Judged
from .network import LIKE, Gate

LEFT_OUT = {"cloth", "treated", "parts"}
"""Kinds that are neither photographs nor plainly something else."""
PLACES, STEPS, BATCH, RATE, NOISE = 4, 1500, 512, 1e-2, 0.2
"""Blocks of a picture that are learned from; steps of Adam, blocks in each, its rate, and the deviation of noise in features."""
NONE, ALL = -5.0, -2.5
"""Logits of a photograph at which a block counts as of none, and from which on as of one: nine of ten blocks of photographs are above."""


@torch.no_grad()
def _features(net: Gate, judged: Judged, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return mean features of some blocks (n,C), and whether they are of photographs (n,)."""
    chosen = np.flatnonzero([list(KINDS)[kind] not in LEFT_OUT for kind in judged.kinds])
    rows = []
    for index in np.array_split(chosen, -(-len(chosen) // 50)):
        means = net.surveyed(judged.around[index].float(), judged.steps[index], judged.halved[index]).flatten(2)
        places = torch.from_numpy(rng.integers(0, means.shape[2], PLACES))
        rows.append(means[:, :, places].movedim(1, 2).flatten(0, 1))
    photographs = (judged.kinds[chosen] == list(KINDS).index("photograph")).float()
    return torch.cat(rows), photographs.repeat_interleave(PLACES)


def fit(net: Gate, judged: Judged) -> None:
    """Set the layers of a gate that tell photographs from other pictures."""
    rng = np.random.default_rng(0)
    x, wanted = _features(net, judged, rng)
    mean, deviation = x.mean(0), x.std(0) + 1e-3
    x = (x - mean) / deviation
    weight = torch.where(wanted > 0, (1 - wanted.mean()) / wanted.mean(), torch.ones(()))
    first, last = torch.nn.Linear(x.shape[1], LIKE), torch.nn.Linear(LIKE, 1)
    optimizer = torch.optim.Adam([*first.parameters(), *last.parameters()], RATE, weight_decay=1e-4)

    def logits(x: Tensor) -> Tensor:
        return last(F.leaky_relu(first(x), SLOPE)).squeeze(1)  # type: ignore[no-any-return]

    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / STEPS)
        some = torch.from_numpy(rng.integers(0, len(x), BATCH))
        noisy = x[some] + NOISE * torch.randn(BATCH, x.shape[1])
        loss = F.binary_cross_entropy_with_logits(logits(noisy), wanted[some], weight=weight[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        net.like.weight.copy_((first.weight / deviation)[:, :, None, None])
        net.like.bias.copy_(first.bias - first.weight @ (mean / deviation))  # type: ignore[union-attr]
        net.likeness.weight.copy_(last.weight[:, :, None, None] / (ALL - NONE))
        net.likeness.bias.copy_((last.bias - NONE) / (ALL - NONE))  # type: ignore[union-attr]
