"""The factorised prior: one distribution for each latent channel near each anchor of the level, and the tables it becomes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from .levels import ANCHORS, LEVEL_MAX, SPACING
from .tables import Table, counted_table

LARGEST = 511
"""Largest magnitude of a symbol that tables have; others are escapes."""
PRIOR_WEIGHT = 500
"""Symbols that the trained prior is worth beside those counted."""
Counts = npt.NDArray[np.float64]


class Distributions(nn.Module):
    """A distribution for each latent channel near each of nine levels, with parameters (ANCHORS, n, C)."""

    def __init__(self, channels: int, components: int) -> None:
        super().__init__()
        self.log_scale, self.logit = (nn.Parameter(torch.zeros(ANCHORS, components, channels)) for _ in range(2))

    def below(self, y: Tensor, anchor: Tensor) -> Tensor:
        """P(Y < y) for y (B,C,h,w); anchor (B,) int64, 0..8."""
        raise NotImplementedError

    def bits(self, y: Tensor, anchor: Tensor) -> Tensor:
        """Bits of each y: those of the mass within half a step of it, at most 20."""
        return -torch.log2((self.below(y + 0.5, anchor) - self.below(y - 0.5, anchor)).clamp_min(1e-6))

    def bits_of_resting(self, y: Tensor, anchor: Tensor) -> Tensor:
        """Return `bits` whose slope is that of y alone."""
        constant = {name: value.detach() for name, value in self.named_parameters()}
        found: Tensor = torch.func.functional_call(
            _Bits(self), {f"of.{k}": v for k, v in constant.items()}, (y, anchor)
        )
        return found

    @torch.no_grad()
    def probabilities(self, anchor: int) -> Counts:
        """Return those of the symbols -LARGEST..LARGEST near an anchor, (C, 2 LARGEST + 1)."""
        ends = torch.arange(-LARGEST, LARGEST + 2, dtype=torch.float64) - 0.5
        y = ends.view(1, 1, 1, -1).expand(1, self.logit.shape[2], 1, -1)
        return copy.deepcopy(self).double().below(y, torch.tensor([anchor]))[0, :, 0].diff(dim=1).numpy()


class _Bits(nn.Module):
    """The bits of distributions as a module, whose parameters may be others."""

    def __init__(self, of: Distributions) -> None:
        super().__init__()
        self.of = of

    def forward(self, y: Tensor, anchor: Tensor) -> Tensor:
        return self.of.bits(y, anchor)


class Prior(Distributions):
    """A mixture of three logistics for each channel and anchor. It becomes the stored tables."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 3)
        self.centre = nn.Parameter(torch.zeros(ANCHORS, 3, channels))

    def below(self, y: Tensor, anchor: Tensor) -> Tensor:
        """P(Y < y) for y (B,C,h,w); anchor (B,) int64, 0..8."""
        centre, scale = (v[anchor][..., None, None] for v in (self.centre, self.log_scale.exp()))
        share = torch.softmax(self.logit, 1)[anchor][..., None, None]
        return (share * torch.sigmoid((y[:, None] - centre) / scale)).sum(1)


class ScaleMixture(Distributions):
    """A Gaussian scale mixture for each channel and anchor: six Gaussians around 0 (Theis et al. 2017, section 2.4)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 6)

    def below(self, y: Tensor, anchor: Tensor) -> Tensor:
        """P(Y < y) for y (B,C,h,w); anchor (B,) int64, 0..8."""
        scale = self.log_scale.exp()[anchor][..., None, None]
        share = torch.softmax(self.logit, 1)[anchor][..., None, None]
        return (share * torch.special.ndtr(y[:, None] / scale)).sum(1)


def counted(symbols: npt.NDArray[np.integer], into: Counts) -> None:
    """Add how often each of the symbols (C,h,w) occurs to counts (C, 2 LARGEST + 1); those too large are not counted."""
    channel = np.arange(len(symbols))[:, None, None] + np.zeros_like(symbols)
    inside = np.abs(symbols) <= LARGEST
    np.add.at(into, (channel[inside], symbols[inside] + LARGEST), 1)


def tables_of(prior: Distributions, seen: Counts) -> list[Table]:
    """Return the table of every channel near anchor 0, then 1, ...; seen: (ANCHORS, C, 2 LARGEST + 1) symbols of training patches."""
    return [
        counted_table(-LARGEST, counts, PRIOR_WEIGHT * shares)
        for anchor in range(ANCHORS)
        for counts, shares in zip(seen[anchor], prior.probabilities(anchor), strict=True)
    ]


@torch.no_grad()
def histograms(
    analysis: Callable[[Tensor], Tensor],
    gains: nn.Module,
    patches: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]],
    symbols: Callable[[Tensor, Tensor], Tensor] = lambda y, anchor: y.round(),
) -> Counts:
    """Return how often symbols occur in patches coded at a random level near every anchor, (ANCHORS, C, 2 LARGEST + 1).

    analysis: pixels - 0.5 (1,3,256,256) -> latents (1,C,h,w). gains: levels (1,) -> factors (1,C,1,1), which turn them into steps.
    symbols: latents in steps, anchors (1,) -> what is written of them.
    """
    found: Counts | None = None
    rng = np.random.default_rng(0)
    for patch in patches:
        x = torch.from_numpy(patch[:256, :256].copy()).permute(2, 0, 1)[None].float() / 255
        y = analysis(x - 0.5)
        found = np.zeros((ANCHORS, y.shape[1], 2 * LARGEST + 1)) if found is None else found
        for anchor, counts in enumerate(found):
            level = torch.tensor([anchor * SPACING + rng.integers(-SPACING // 2, SPACING // 2)]).clamp(0, LEVEL_MAX)
            steps = y * gains(level.float())
            counted(symbols(steps, torch.tensor([anchor]))[0].int().numpy(), counts)
    if found is None:
        raise ValueError("histograms need at least one patch, got none")
    return found
