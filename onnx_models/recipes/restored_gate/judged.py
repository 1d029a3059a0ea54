"""What the gate decides on, and how it is judged: dB gained of luma and of RGB by what it shows, those that are lost many times."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from ..common.pairs import KINDS, Pairs
from ..common.restoring import BLOCK
from .network import STEPS, Gate, edged

LEVELS = 0.02
"""Squared levels that are added to every error before it is counted in dB: what is nearer than 65 dB is as good as right."""
LOST, LOST_IN_PARTS, PARTS = 300.0, 0.75, 2
"""Weights of a dB that is lost, of a picture and in one of PARTS x PARTS of it, beside one that a photograph gains."""
WORTH, WORTH_OF_OTHERS = {"photograph": 1.0, "cloth": 0.5, "treated": 0.5, "screen": 0.4, "drawing": 0.3}, 0.15
"""Weights of a dB that is gained, by kinds of pairs: what loses is left more often where little would be gained that is of use."""
CLEAR = (46, 50)
"""dB of a JPEG file from which on what is gained counts less, and at which it counts nothing."""
NOISE = 0.05
"""Deviation of noise that is added to what the gate sees while it learns, so that it knows fewer pictures by heart."""
SHUT = 0.03
"""Weight of how far the gate is shut, in the mean, beside a dB: what is shown as it is takes no time."""
LOSES = (0.05, 10.0)
"""dB gained without a gate, by luma or RGB, below which a picture is drawn so many times as often."""
MOST = 6.0
"""dB gained by a picture, or lost by a part of one, from which on more count nothing."""


def gains(gate: Tensor, errors: Tensor, parts: int = 1) -> Tensor:
    """Return the dB gained, (B * parts^2,2): of luma in whole levels, and of RGB, in each of parts x parts of the pictures.

    gate (B,2,h,w), multiples of 1 / STEPS; errors (B,h,w,STEPS+1,STEPS+1,2) as in `Judged`. The gradient is that of the errors at the
    shares next to these.
    """
    places = gate.movedim(1, 3) * STEPS
    at = places.detach().round().long()

    def found(shift_luma: int, shift_colors: int) -> tuple[Tensor, Tensor]:
        moved = (at + torch.tensor([shift_luma, shift_colors])).clamp(0, STEPS)
        index = moved[..., 0] * (STEPS + 1) + moved[..., 1]
        return moved, errors.flatten(3, 4).gather(3, index[..., None, None].expand(*index.shape, 1, 2))[..., 0, :]

    made = found(0, 0)[1]
    for axis, shift in enumerate(((1, 0), (0, 1))):
        (high, after), (low, before) = found(*shift), found(-shift[0], -shift[1])
        slope = (after - before) / (high - low)[..., axis, None]
        made = made + (places - places.detach())[..., axis, None] * slope
    scale = torch.tensor([1, 3]) * BLOCK**2

    def decibels(squares: Tensor) -> Tensor:
        means = F.avg_pool2d((squares / scale).movedim(3, 1), squares.shape[1] // parts)
        return 10 * torch.log10(means.movedim(1, 3).flatten(0, 2) + LEVELS)

    return decibels(errors[:, :, :, 0, 0]) - decibels(made)


def loss_of(gate: Tensor, errors: Tensor, worth: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss of a batch, and the dB gained (B,2); worth (B,): weights of a dB that is gained.

    A dB lost of whole pictures weighs LOST times what one gained weighs that is worth 1; one lost in a part of it, LOST_IN_PARTS times.
    """
    gain, parts = gains(gate, errors), gains(gate, errors, PARTS)
    lost = LOST * (-gain).clamp(min=0).mean() + LOST_IN_PARTS * (-parts).clamp(min=0, max=MOST).mean()
    first, last = CLEAR
    counted = worth[:, None] * ((last - quality(errors)) / (last - first)).clamp(0, 1)
    shut = SHUT * (worth * (1 - gate).mean((1, 2, 3))).mean()
    return lost - (counted * gain.clamp(max=MOST)).mean() + shut, gain


def quality(errors: Tensor) -> Tensor:
    """Return the PSNR of the decoded pictures, of luma and of RGB (B,2)."""
    means = errors[:, :, :, 0, 0].mean((1, 2)) / torch.tensor([1, 3]) / BLOCK**2
    return 20 * math.log10(255) - 10 * torch.log10(means + LEVELS)


@dataclass(frozen=True)
class Judged:
    """What the gate decides on, and what comes of it, of N pairs.

    around, own: what `Gate.seen` returns, (N,C,h,w) in half precision. errors (N,h,w,STEPS+1,STEPS+1,2): `errors_of`. steps (N,2,64),
    halved (N,2), kinds (N,).
    """

    around: Tensor
    own: Tensor
    errors: Tensor
    steps: Tensor
    halved: Tensor
    kinds: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, pairs: Pairs, errors: npt.NDArray[np.float32]) -> Judged:
        net, parts = Gate(), list[tuple[Tensor, Tensor]]()
        for index in np.array_split(np.arange(len(pairs)), -(-len(pairs) // 50)):
            _, decoded, shown = pairs.pictures(index)
            around, own = net.seen(decoded, shown, pairs.told(index)[0])
            parts.append((around.half(), own.half()))
        around, own = (torch.cat(some) for some in zip(*parts, strict=True))
        told = pairs.told(np.arange(len(pairs)))
        return cls(around, own, torch.from_numpy(errors), *told, torch.from_numpy(pairs.kinds))

    def decided(self, net: Gate, index: npt.NDArray[np.int64]) -> Tensor:
        """Return what a gate decides of some pairs."""
        around, steps = self.around[index].float(), self.steps[index]
        return net.decided(around, self.own[index].float(), steps, self.halved[index]) * ~edged(around, steps)

    def loss(self, net: Gate, index: npt.NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return `loss_of` of some pairs, half of them turned over each way, with noise in what the gate sees."""
        axes = [axis for axis in (1, 2) if rng.random() < 0.5]
        seen = [x[index].float().flip([axis + 1 for axis in axes]) for x in (self.around, self.own)]
        open_ones = ~edged(seen[0], self.steps[index])
        seen = [(x + NOISE * torch.randn_like(x)).contiguous(memory_format=torch.channels_last) for x in seen]
        decided = net.decided(*seen, self.steps[index], self.halved[index]) * open_ones
        worth = torch.tensor([WORTH.get(kind, WORTH_OF_OTHERS) for kind in KINDS])[self.kinds[index]]
        return loss_of(decided, self.errors[index].flip(axes), worth)

    def shares(self) -> npt.NDArray[np.float64]:
        """Return how often pairs are drawn, (N,): those that lose without a gate more, those that restoring left as they were seldom."""
        n, rows, columns = self.errors.shape[:3]
        gain = gains(torch.ones(1, 2, 1, 1).expand(n, 2, rows, columns), self.errors)
        least, most = gain.aminmax(dim=1)
        below, times = LOSES
        found = torch.where(least < below, times, 1.0)
        found[(least.abs() < 1e-6) & (most.abs() < 1e-6)] = 0.1
        return found.double().numpy()


@torch.no_grad()
def judgement(net: Gate, judged: Judged, held: npt.NDArray[np.int64]) -> str:
    """Return what the log says of held-out pairs: dB gained by photographs, share of all that lose more than 0.05, and the most lost."""
    found = [
        gains(judged.decided(net, index), judged.errors[index]) for index in np.array_split(held, -(-len(held) // 50))
    ]
    gain = torch.cat(found)
    photographs = judged.kinds[held] == 0
    rows = [gain[photographs].mean(0), gain[~photographs].mean(0), 100 * (gain < -0.05).float().mean(0), gain.amin(0)]
    words = ("photographs", "others", "lose, %", "least")
    return "".join(f"  {word} {luma:.3f}/{rgb:.3f}" for word, (luma, rgb) in zip(words, rows, strict=True))
