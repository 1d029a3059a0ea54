"""The entropy model of `lic1` made narrower and cut to three stages, so that it predicts nearly what it did before.

    hidden channels    those that weigh most stay, and what read all of them is fitted anew to read these (least squares)
    streams of sums    turned into their principal axes, of which the first stay: nothing bends between two blocks' sums

Both follow from second moments of what `lic1` computes on some patches. A stage sees what the first of its passes sees in lic1.
Sources: ThiNet (Luo et al. 2017), SliceGPT (Ashkboos et al. 2024).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from pillow_lic.families.lic1.passes import of_stage

from ..lic1.model import Lic1

Moments = Mapping[str, Tensor]
"""Second moments (i,i) of the input of layers, by the layer's name."""

STREAMS = ("first.a", "first.f1", "body.a", "body.f1", "context.0")
"""Layers of the means that read their streams of sums: of features, and of what a stage knows."""


def moments(net: Lic1, samples: Iterable[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """Return the second moments of what layers of the entropy model are given; samples: pictures (B,3,H,W) and level fields."""
    found: dict[str, Tensor] = {}

    def watch(name: str, layer: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def see(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            rows = inputs[0].transpose(0, 1).flatten(1).float()
            found[name] = found.get(name, torch.zeros(())) + (rows @ rows.t()).double()

        return layer.register_forward_pre_hook(see)

    parts = {"means": net.means, "scales": net.scales}
    named = ((f"{top}.{name}", layer) for top, part in parts.items() for name, layer in part.named_modules())
    layers = {name: layer for name, layer in named if getattr(layer, "groups", 0) == 1}
    hooks = [watch(name, layer) for name, layer in layers.items()]
    for x, level in samples:
        net.coded(x, level)
    for hook in hooks:
        hook.remove()
    return found


def kept(weight: Tensor, moment: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return which of the inputs of a weight (o,i) stay, ascending (count,), and the weight (o,count) that reads them instead of all."""
    weight = weight.double()
    stay = (weight.square().sum(0) * moment.diagonal()).topk(count).indices.sort().values
    inner = moment[stay][:, stay]
    inner = inner + 1e-4 * inner.diagonal().mean() * torch.eye(count, dtype=inner.dtype)
    return stay, torch.linalg.solve(inner, moment[stay] @ weight.t()).t().float()


def matrix(state: Mapping[str, Tensor], name: str) -> Tensor:
    """Return the weight of a 1x1 convolution as (o,i)."""
    return state[f"{name}.weight"].flatten(1)


class Narrowed:
    """Builds the state of narrower `means` and `scales` out of lic1's.

    state: of lic1, float32. seen: its `moments`. columns: for each of its latents the one of lic2; m: how many lic2 has.
    """

    def __init__(self, state: Mapping[str, Tensor], seen: Moments, columns: Tensor, m: int) -> None:
        self._from, self._seen, self._columns, self._m = state, seen, columns, m
        self.state: dict[str, Tensor] = {}

    def _put(self, name: str, weight: Tensor, bias: Tensor) -> None:
        self.state[f"{name}.weight"], self.state[f"{name}.bias"] = weight[..., None, None].contiguous(), bias.clone()

    def _latents(self, weight: Tensor, axis: int) -> Tensor:
        """Put what belongs to lic1's latents along an axis where lic2 has them; 0 for others."""
        shape = list(weight.shape)
        shape[axis] = self._m
        return weight.new_zeros(shape).index_copy_(axis, self._columns, weight)

    def means(self, p: int, stages: int) -> None:
        """Add the means with p features."""
        old, width = self._from, len(self._from["means.level.bias"])
        self._read = self._axes(p, width)
        self._write = self._read.t()

        def bias(name: str) -> Tensor:
            return old[f"means.{name}.bias"]

        stay, inner = kept(matrix(old, "means.enter.2.0"), self._seen["means.enter.2.0"], p)
        rows = (4 * stay[:, None] + torch.arange(4)).flatten()
        self._put("means.enter.0.0", matrix(old, "means.enter.0.0")[rows], bias("enter.0.0")[rows])
        turned = torch.einsum("pc,cqi->pqi", self._write, inner.view(width, 4, p)).reshape(4 * p, p)
        self._put("means.enter.2.0", turned, (self._write @ bias("enter.2.0").view(width, 4)).flatten())
        self._put("means.level", self._write @ matrix(old, "means.level"), self._write @ bias("level"))
        for name in ("first", "body"):
            self._block(f"means.{name}", p)
        for stage in range(stages):
            first = of_stage(stage, stages)[0]
            leave = matrix(old, f"means.leave.{first}") @ self._read
            self._put(f"means.leave.{stage}", self._latents(leave, 0), self._latents(bias(f"leave.{first}"), 0))
            if stage:
                context = self._write @ matrix(old, f"means.context.{first - 1}")
                seen = torch.cat([context[:, :width] @ self._read, self._latents(context[:, width:], 1)], 1)
                self._put(f"means.context.{stage - 1}", seen, self._write @ bias(f"context.{first - 1}"))

    def _axes(self, p: int, width: int) -> Tensor:
        """Return the p principal axes of the streams (width,p), whose moments all count the same."""
        streams = [self._seen[f"means.{name}"][:width, :width] for name in STREAMS]
        total = torch.stack([v / v.trace() for v in streams]).sum(0)
        return torch.linalg.eigh(total).eigenvectors[:, -p:].float()

    def _block(self, name: str, p: int) -> None:
        old = self._from
        for enter, leave, count in (("a", "b", p), ("f1", "f2", 2 * p)):
            stay, weight = kept(matrix(old, f"{name}.{leave}"), self._seen[f"{name}.{leave}"], count)
            into = matrix(old, f"{name}.{enter}")[stay] @ self._read
            self._put(f"{name}.{enter}", into, old[f"{name}.{enter}.bias"][stay])
            self._put(f"{name}.{leave}", self._write @ weight, self._write @ old[f"{name}.{leave}.bias"])
            if enter == "a":
                self._select(f"{name}.dw", stay)

    def _select(self, name: str, stay: Tensor) -> None:
        for part in ("weight", "bias"):
            self.state[f"{name}.{part}"] = self._from[f"{name}.{part}"][stay].clone()

    def scales(self, s: int, stages: int) -> None:
        """Add the scales with s features: those of all stages are the same."""
        old, width = self._from, self._from["scales.passes.0.0.weight"].shape[0]
        firsts = [of_stage(stage, stages)[0] for stage in range(stages)]
        readers = torch.cat([matrix(old, f"scales.passes.{t}.0")[:, :width] for t in firsts])
        seen = sum(self._seen[f"scales.passes.{t}.0"][:width, :width] for t in firsts)
        assert isinstance(seen, Tensor)
        stay, refitted = kept(readers, seen, s)
        for layer in range(4):
            self._select(f"scales.enter.{layer}", torch.arange(len(old[f"scales.enter.{layer}.bias"])))
        self._select("scales.enter.4", (4 * stay[:, None] + torch.arange(4)).flatten())
        for stage, (t, features) in enumerate(zip(firsts, refitted.chunk(stages), strict=True)):
            there, here = f"scales.passes.{t}", f"scales.passes.{stage}"
            enter = matrix(old, f"{there}.0")
            level, known = enter[:, width : width + 9], enter[:, width + 9 :]
            known = self._latents(known, 1) if known.shape[1] else known
            first, middle = kept(matrix(old, f"{there}.2"), self._seen[f"{there}.2"], s)
            second, last = kept(matrix(old, f"{there}.4"), self._seen[f"{there}.4"], s)
            self._put(f"{here}.0", torch.cat([features, level, known], 1)[first], old[f"{there}.0.bias"][first])
            self._put(f"{here}.2", middle[second], old[f"{there}.2.bias"][second])
            self._put(f"{here}.4", self._latents(last, 0), self._latents(old[f"{there}.4.bias"], 0))
            for layer, some in ((1, first), (3, second)):
                for part in ("weight", "bias"):
                    self.state[f"{here}.{layer}.{part}"] = old[f"{there}.{layer}.{part}"][some].clone()
