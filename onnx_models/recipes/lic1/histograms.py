"""The stored tables, from counts of the symbols that the encoder codes on training patches.

    scale indexes                   tables 0..63: whole steps below `quantiser.FIRST_DEPENDENT`, the even half steps from there on
    hyper-latents near an anchor    the next 9 * Z
    scale indexes again             the last 64 - FIRST_DEPENDENT: the odd half steps

The quantiser weighs bits, so tables decide what is counted: the first ones come from Gaussians alone (`tables_of` with no counts).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from pillow_lic.engine.models import Model
from pillow_lic.families.lic1 import analysis, quantiser, residuals
from pillow_lic.families.lic1.geometry import geometry

from ..common.levels import ANCHORS, LEVEL_MAX, nearest_anchor
from ..common.tables import Table, counted_table
from .model import Lic1
from .scale_tables import PRIOR_WEIGHT, SCALES, SYMBOL_MAX, Counts, scale_table

SIDE = 256
"""Pixels each way of the part of a patch that is coded."""


class Histograms(NamedTuple):
    """Counts of |symbol| 0..SYMBOL_MAX for the tables of `even` (64,...) and `odd` (64 - FIRST_DEPENDENT,...); of z + 127 (ANCHORS,Z,255)."""

    even: Counts
    odd: Counts
    z: Counts


def empty(hyper_latents: int) -> Histograms:
    even, odd = (np.zeros((count, SYMBOL_MAX + 1)) for count in (SCALES, SCALES - quantiser.FIRST_DEPENDENT))
    return Histograms(even, odd, np.zeros((ANCHORS, hyper_latents, 255)))


def count(spec: Model, patches: list[npt.NDArray[np.uint8]]) -> Histograms:
    """Count the symbols that the runtime's encoder chooses on patches, each at a random level."""
    found = empty(spec.constants["hyper_latents"])
    grid, rng = geometry(spec).grid(SIDE, SIDE), np.random.default_rng(0)
    for patch in patches:
        level = int(rng.integers(0, LEVEL_MAX + 1))
        field = np.full(grid.shape, level, np.float32)
        y, z_hat = analysis.latents(spec, analysis.analyse(spec, patch[:SIDE, :SIDE]), field)
        for part in residuals.Choice(spec, z_hat, field, grid).of(y)[0]:
            sizes = np.minimum(np.abs(part.symbols), SYMBOL_MAX)
            odd = part.numbers >= SCALES
            np.add.at(found.even, (part.numbers[~odd], sizes[~odd]), 1)
            np.add.at(
                found.odd, (part.numbers[odd] - SCALES - ANCHORS * spec.constants["hyper_latents"], sizes[odd]), 1
            )
        anchor = int(nearest_anchor(torch.tensor(float(level))))
        for c, z in enumerate(z_hat.astype(int)):
            found.z[anchor, c] += np.bincount(z.ravel() + 127, minlength=255)
    return found


def z_table(net: Lic1, anchor: int, channel: int, counts: Counts) -> Table:
    """Return the table of one channel of z_hat near one anchor: the trained prior corrected by the counts, without its empty ends."""
    values = torch.arange(-127, 128).float().view(1, 1, 1, -1).expand(1, net.sizes.z, 1, -1)
    with torch.no_grad():
        prior = torch.exp2(-net.prior.bits(values, torch.tensor([anchor])))[0, channel, 0].numpy().astype(np.float64)
    return counted_table(-127, counts, PRIOR_WEIGHT / 10 * prior / prior.sum())


def tables_of(net: Lic1, seen: Histograms) -> list[Table]:
    """Return every table of a model, in the order in which they are stored."""
    even = [scale_table(i, False, counts) for i, counts in enumerate(seen.even)]
    hyper = [z_table(net, a, c, counts) for a, channels in enumerate(seen.z) for c, counts in enumerate(channels)]
    odd = [scale_table(i, True, counts) for i, counts in enumerate(seen.odd, quantiser.FIRST_DEPENDENT)]
    return even + hyper + odd
