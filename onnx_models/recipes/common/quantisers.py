"""Stand-ins for rounding while a network learns: rounding itself has no slope.

| kind | what is coded | what the synthesis sees | source |
|---|---|---|---|
| noise | y + u, u uniform in -1/2..1/2 | the same | Balle, Laparra and Simoncelli 2017 |
| straight | round(y), gradient passed straight through | the same | Theis et al. 2017 (for the error) |
| mixed | y + u | round(y), gradient passed straight through | Minnen and Singh 2020 |
| soft | s(y) + u, s a soft rounding that hardens | the mean of y given that | Agustsson and Theis 2020 |
| dither | round(y - u) + u, which is distributed as y + u | the same | Agustsson and Theis 2020, Ziv 1985 |

With `dither` a codec shares u between writer and reader, so that evaluation is what training was; with all others evaluation rounds.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .exact import straight_through_round

KINDS = ("noise", "straight", "mixed", "soft", "dither")
HARDNESS = 0.1, 4.0
"""The slope of soft rounding at the beginning and at the end of the schedule; 0 is no rounding, infinity is rounding."""


def softly_rounded(y: Tensor, hardness: float) -> Tensor:
    """Return y moved towards the nearest whole number; whole numbers and those half between stay."""
    middle = torch.floor(y) + 0.5
    scale = torch.tanh(torch.tensor(hardness / 2))
    return middle + torch.tanh(hardness * (y - middle)) / (2 * scale)


def mean_before(v: Tensor, hardness: float) -> Tensor:
    """Return the mean of what `softly_rounded` and uniform noise make v of, where y is uniform within a step."""
    middle = torch.floor(v - 0.5) + 0.5
    scale = torch.tanh(torch.tensor(hardness / 2))
    inverse = torch.atanh((2 * scale * (v - 0.5 - middle)).clamp(-1 + 1e-6, 1 - 1e-6)) / hardness
    return middle + inverse + 0.5


def quantised(y: Tensor, kind: str, *, training: bool, progress: float = 1.0) -> tuple[Tensor, Tensor]:
    """Return what is coded of y, in steps, and what the synthesis sees; ValueError for a kind that is not one of KINDS.

    progress: the share of the training that is over, 0 to 1.
    """
    if kind not in KINDS:
        raise ValueError(f"quantiser must be one of {', '.join(KINDS)}, got {kind!r}")
    noise = torch.empty_like(y).uniform_(-0.5, 0.5)
    if kind == "dither":
        coded = y + noise if training else torch.round(y - noise) + noise
        return coded, coded
    rounded = straight_through_round(y)
    if kind == "straight" or not training:
        return rounded, rounded
    if kind == "soft":
        hardness = HARDNESS[0] + (HARDNESS[1] - HARDNESS[0]) * progress
        coded = softly_rounded(y, hardness) + noise
        return coded, mean_before(coded, hardness)
    coded = y + noise
    return coded, rounded if kind == "mixed" else coded
