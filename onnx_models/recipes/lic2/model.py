"""The networks of `lic2`: those of `lic1` with a small decoder, three stages of the entropy model and a longer scale.

| | lic1 | lic2 |
|---|---|---|
| latents of a place | 320 | 384: the linear path alone reaches 46 dB (lic1 43 dB) |
| lambda at level 1024 | 0.25 | 2.0 |
| looks of the entropy model | 4, of one pass each | 3, the last of two passes |
| synthesis | 192 at 1/16, 128 at 1/8, 32 at 1/2 | 128, 64, 16, with ReLU |

Every quarter of the latents, which is a group of the passes, holds those of lic1's quarter and then a share of the others.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ..common import training
from ..lic1.model import Lic1, Sizes

LIC2 = Sizes(
    d=16, c=64, c2=128, m=384, p=96, s=80, synthesis=3, low=1, stages=3, slope=0.0, largest=2.0, last=1, fraction=4
)
GROUPS, KNOWN = 4, 320
"""Channel groups; latents that lic1 has."""


def component_order(m: int, known: int = KNOWN) -> Tensor:
    """(m,) the component of the block PCA, strongest first, that each latent begins as; `known` of them lic1 has too."""
    both = torch.arange(known).view(GROUPS, -1), torch.arange(known, m).view(GROUPS, -1)
    return torch.cat(both, 1).flatten()


def untrained(components: Tensor, variance: Tensor, sizes: Sizes = LIC2) -> Lic1:
    """The networks begun from a block PCA: components (768,768) as rows and their variances (768,), strongest first."""
    order = component_order(sizes.m, min(KNOWN, sizes.m))
    return Lic1(components[order], variance[order].clamp_min(1e-8), sizes)


def load(weights: Path, sizes: Sizes = LIC2) -> Lic1:
    """Return the networks with the weights of a run, on the CPU, in evaluation mode."""
    net = Lic1(torch.zeros(768, 768), torch.ones(768), sizes)
    net.load_state_dict(training.weights(weights))
    return net.eval()
