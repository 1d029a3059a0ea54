"""The cost of exact integers in bits: the scale network trained on, on frozen symbols, in its own arithmetic and in real numbers.

    python -m onnx_models.recipes.lic1.exactness WEIGHTS PATCHES

Both start from the same weights and see the same symbols in the same order, so that the difference of their bits is the price of rounding
weights, activations and scale indexes, which may be 1 %. The clips to 0..255 stay: the network has learned to use them.
"""

from __future__ import annotations

import argparse
import copy
import math
from collections.abc import Sequence
from pathlib import Path
from types import MethodType
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..common.data import Patches
from ..common.exact import ACTIVATION_MAX, UNIT, Convolution, ExactConv
from ..common.gaussian import Clip, gaussian_bits
from ..common.levels import LEVEL_MAX, lambdas
from ..common.soap import Soap
from .entropy_model import Scales, magnitudes, whole_index
from .export import load
from .model import Lic1
from .passes import merged, split
from .scale_tables import SCALES, deviation

LEVELS = (64, 256, 512, 768, 960)
CROP, BATCH, LR = 256, 4, 3e-4


class Symbols(NamedTuple):
    """The symbols of one picture: z_hat (1,Z,h/4,w/4), r (1,M,h,w), and its level (1,)."""

    z_hat: Tensor
    r: Tensor
    base: Tensor


def frozen(
    net: Lic1, pictures: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]], levels: Sequence[int]
) -> list[Symbols]:
    found = []
    for picture, level in zip(pictures, levels, strict=True):
        x = torch.from_numpy(picture[:CROP, :CROP].copy()).permute(2, 0, 1)[None].float() / 255
        base = torch.tensor([float(level)])
        coded = net.coded(x, base.view(1, 1, 1, 1).expand(1, 1, CROP // 16, CROP // 16))
        found.append(Symbols(coded.z_hat, coded.r, base))
    return found


def _in_real_numbers(conv: ExactConv, x: Tensor, convolve: Convolution | None = None) -> Tensor:
    a = (convolve or conv.convolve)(x, conv.weight, conv.bias * UNIT)
    return a if conv.signed else a.clamp(0, ACTIVATION_MAX)


def in_real_numbers(scales: Scales) -> Scales:
    """Return a copy whose convolutions round nothing."""
    result = copy.deepcopy(scales)
    for conv in result.modules():
        if isinstance(conv, ExactConv):
            conv.forward = MethodType(_in_real_numbers, conv)  # type: ignore[method-assign]
    return result


def bits(scales: Scales, batch: Sequence[Symbols], *, whole: bool) -> Tensor:
    """Return the bits of the symbols r of every picture (B,); `whole`: with scales of whole indexes, as the coder has them."""
    z_hat, r, base = (torch.cat(parts) for parts in zip(*batch, strict=True))
    level = base.view(-1, 1, 1, 1).expand(-1, 1, *r.shape[2:])
    features, passes = scales.start(z_hat), split(r)
    seen = [magnitudes(merged(passes[:t])) if t else torch.zeros_like(r) for t in range(len(passes))]
    index = torch.stack([scales.index16(t, features, seen[t], level)[0] for t in range(len(passes))])
    index = whole_index(index) if whole else Clip.apply(index / UNIT, 0.0, SCALES - 1.0)
    return gaussian_bits(torch.stack(passes), deviation(index)).sum((0, 2, 3, 4))


def trained(scales: Scales, data: Sequence[Symbols], steps: int) -> Scales:
    rest = [p for n, p in scales.named_parameters() if "table" not in n]
    optimizer = Soap([{"params": rest}, {"params": [scales.table], "factor": 4.0}], lr=LR)
    rng = np.random.default_rng(0)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = LR * 0.5 * (1 + math.cos(math.pi * step / steps)) * group.get("factor", 1.0)
        batch = [data[i] for i in rng.integers(0, len(data), BATCH)]
        weight = 6 / (lambdas(torch.cat([s.base for s in batch])) * 65025).sqrt()
        optimizer.zero_grad()
        (weight * bits(scales, batch, whole=False) / CROP**2).mean().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(scales.parameters(), 1.0)
        optimizer.step()
    return scales


@torch.no_grad()
def judged(scales: Scales, data: Sequence[Symbols], *, whole: bool) -> list[float]:
    """Return the bits at each of LEVELS, summed over its pictures."""
    return [sum(bits(scales, [s], whole=whole).item() for s in data if s.base == level) for level in LEVELS]


def cost(net: Lic1, patches: Patches, samples: int, steps: int, judges: int) -> list[float]:
    """Return how many percent more bits integers need than real numbers, at each of LEVELS."""
    levels = np.random.default_rng(0).integers(0, LEVEL_MAX + 1, samples).tolist()
    data = frozen(net, patches.some(samples), levels)
    held = [p.numpy() for p in patches.validation()[:judges]]
    judging = [s for level in LEVELS for s in frozen(net, held, [level] * len(held))]
    exact = judged(trained(copy.deepcopy(net.scales), data, steps), judging, whole=True)
    real = judged(trained(in_real_numbers(net.scales), data, steps), judging, whole=False)
    return [100 * (a / b - 1) for a, b in zip(exact, real, strict=True)]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("weights", type=Path)
    p.add_argument("patches", type=Path)
    p.add_argument("--samples", type=int, default=400)
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("--judges", type=int, default=24)
    a = p.parse_args()
    found = cost(load(a.weights), Patches(a.patches), a.samples, a.steps, a.judges)
    print(", ".join(f"level {level}: {percent:+.2f} %" for level, percent in zip(LEVELS, found, strict=True)))


if __name__ == "__main__":
    main()
