"""The weights that `lic2` begins with, those of `lic1`: all but the network of the synthesis.

encoder, prior of z, linear paths    as they are; 0 for the latents that lic1 has not, which begin as block PCA
means, scales                        narrower and of three stages (narrowing.py)
tables of the level                  level of lic2 ──same lambda──▶ level of lic1; above its scale its last row, steps going on as
theory says
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from ..common.layers import interpolated
from ..common.levels import ANCHORS, LAMBDA_MAX, LAMBDA_MIN, LEVEL_MAX, SPACING, hats, nearest_anchor
from ..lic1.model import Lic1
from ..lic1.scale_tables import SCALE_STEP
from .model import component_order
from .narrowing import Narrowed, moments

ENCODER = ("analysis.", "latents.down.", "latents.body.", "latents.hyper.", "latents.leave.")


class Scale:
    """A scale of levels that ends at lambda `largest`, seen from that of lic1."""

    def __init__(self, largest: float) -> None:
        anchors = self.level_of_lic1(torch.arange(ANCHORS) * float(SPACING), largest)
        self._seen = anchors.clamp_max(LEVEL_MAX)
        per_level = 0.5 * math.log(LAMBDA_MAX / LAMBDA_MIN) / LEVEL_MAX
        self.finer = (anchors - LEVEL_MAX).clamp_min(0)[:, None] * per_level
        """(ANCHORS,1) logarithm by which steps are finer at the anchors than at the end of lic1's scale; 0 within it."""
        self.nearest = nearest_anchor(self._seen)
        """(ANCHORS,) anchor of lic1 that is nearest to each."""

    @staticmethod
    def level_of_lic1(level: Tensor, largest: float) -> Tensor:
        """Return the level of lic1 whose lambda is that of a level; above 1024 where lic1's scale ends before."""
        return level * (math.log(largest / LAMBDA_MIN) / math.log(LAMBDA_MAX / LAMBDA_MIN))

    def rows(self, table: Tensor) -> Tensor:
        """Return a table (ANCHORS,C) of lic1 at the lambdas of our anchors."""
        return interpolated(table, hats(self._seen.view(-1, 1, 1, 1)))[:, :, 0, 0]

    def columns(self, weight: Tensor, first: int) -> Tensor:
        """Return a weight (o,i,1,1) of lic1 whose inputs from `first` on are the hats of its level, for the hats of ours."""
        weight = weight.clone()
        some = slice(first, first + ANCHORS)
        weight[:, some, 0, 0] = self.rows(weight[:, some, 0, 0].t()).t()
        return weight


def taught(net: Lic1, lic1: Lic1, samples: Iterable[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """Return the state of `net`, an untrained `lic2`, with what `lic1` has learned in it.

    samples: pictures (B,3,H,W) in 0..1 and level fields, on which it is watched.
    """
    state, sizes = {k: v.clone() for k, v in net.state_dict().items()}, net.sizes
    old = {k: v.float() for k, v in lic1.state_dict().items()}
    scale, known = Scale(sizes.largest), lic1.sizes.m
    order = component_order(sizes.m, known)
    ours, theirs = torch.nonzero(order < known)[:, 0], order[order < known]
    narrowed = Narrowed(old, moments(lic1, samples), ours[theirs.argsort()], sizes.m)
    narrowed.means(sizes.p, sizes.stages)
    narrowed.scales(sizes.s, sizes.stages)
    state.update(narrowed.state)
    for name in state:
        if name.startswith(ENCODER) and state[name].shape == old[name].shape:
            state[name] = old[name].clone()
    for name in ("analysis.linear.weight", "latents.leave.weight", "latents.leave.bias"):
        state[name][ours] = old[name][theirs]
    for name in ("latents.hyper.0.weight", "synthesis.linear.weight"):
        state[name][:, ours] = old[name][:, theirs]
    state["latents.leave.weight"][order >= known] = 0
    state["latents.hyper.0.weight"][:, order >= known] = 0
    tables = {"latents.gain_t": 0.0, "latents.gain_y": 1.0, "synthesis.gain_y": -1.0, "scales.table": 1 / SCALE_STEP}
    for name, growth in tables.items():
        found = scale.rows(old[name]) + growth * scale.finer
        if name == "latents.gain_t":
            state[name] = found
        else:
            state[name][:, ours] = found[:, theirs]
    state["synthesis.detail.gain_noise"] = scale.rows(old["synthesis.detail.gain_noise"]) - 0.8 * scale.finer
    for name in ("prior.mu", "prior.log_s", "prior.w"):
        state[name] = old[name][scale.nearest]
    state["means.level.weight"] = scale.columns(state["means.level.weight"], 0)
    for stage in range(sizes.stages):
        name = f"scales.passes.{stage}.0.weight"
        state[name] = scale.columns(state[name], sizes.s)
    return state
