"""What a map gains inside boxes of a `.lic` file, without coding one: from curves of a picture that is coded flat at some levels.

Every latent has its bits and its squared error at each level (`Curves`), read off between them. A map moves latents along these curves,
and the level of all of them falls until the bits are those of the flat file.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pillow_lic import families
from pillow_lic.engine import models
from pillow_lic.exact import pixelwise
from pillow_lic.families import Request
from pillow_lic.families.lic1 import analysis, passes, residuals, scales
from pillow_lic.families.lic1.geometry import geometry
from pillow_lic.fileformat.importance_map import shape_of
from pillow_lic.fileformat.levels import quality_to_level

LATENT = 16
"""Pixels of a latent, each way."""
QUALITIES = (2, 4, 6, 8, 10)
"""The qualities that a picture is coded at."""
SPAN = 2.0
"""Points of quality that a percentile of 1 adds (`pillow_lic.importance.requested`)."""
SMALLEST = 16.0
"""Squared levels added to the error of a latent before its logarithm."""
LOWEST, HIGHEST, HALVINGS = -6.0, 3.0, 11
"""Points of quality between which the fall of the level is sought, and how often the bounds are halved."""
FAINT = 0.02**2
"""The variance of luma at which a place of a JPEG begins to cost bits, in squares of white."""
INSIDE, BYTES = 2.9, 2.15
"""dB that a JPEG of quality 50 gains inside for a mean percentile there of 1, and loses for one over the bits: a fit to 76 pictures and
five maps, correlation 0.82."""


class Curves(NamedTuple):
    """Of every latent, at each of QUALITIES: bits, and the logarithm of the squared error, (...,5,h,w) both."""

    bits: Tensor
    errors: Tensor


def curves(rgb: npt.NDArray[np.uint8]) -> Curves:
    """Return the curves of pixels (H, W, 3) by the codec of today.

    The bits of a latent are what its scales let expect, which is smoother than what its symbols take, times one factor for all, with
    which they add up to those of the file.
    """
    spec = models.choose(None)
    writer = families.writer(spec, rgb, Request(None, 0, search=True, original=b""))
    height, width = rgb.shape[:2]
    rows, columns = shape_of(height, width)
    align = geometry(spec).align
    filled = np.pad(rgb, ((0, -height % align), (0, -width % align), (0, 0)), "edge")
    trunk, grid = analysis.analyse(spec, filled), geometry(spec).grid(*filled.shape[:2])
    bits, errors = [], []
    for quality in QUALITIES:
        level = quality_to_level(quality)
        field = np.full(grid.shape, level, np.float32)
        y, z_hat = analysis.latents(spec, trunk, field)
        chosen, _ = residuals.Choice(spec, z_hat, field, grid).of(y, is_rough=True)
        expected = np.zeros(y.shape, np.float32)
        for t, part in enumerate(chosen):
            passes.scatter(expected, t, grid.inside, entropies()[part.indexes])
        here = expected.sum(0)[:rows, :columns]
        payloads, shown = writer.tried(level)
        bits.append(here * (8 * sum(map(len, payloads)) / here.sum()))
        errors.append(np.log(pixelwise.errors(shown, rgb) + SMALLEST))
    return Curves(*(torch.from_numpy(np.stack(values).astype(np.float32)) for values in (bits, errors)))


@cache
def entropies() -> npt.NDArray[np.float32]:
    """Return the bits that a symbol takes on average, by its scale index."""
    ends = np.arange(-60.5, 61) / math.sqrt(2)
    found = []
    for deviation in scales.deviations().tolist():
        below = torch.erf(torch.from_numpy(ends / deviation)).numpy() / 2
        shares = np.diff(below)
        shares = shares[shares > 1e-12]
        wide = math.log2(deviation * math.sqrt(2 * math.pi * math.e))
        found.append(-float((shares * np.log2(shares)).sum()) if deviation < 15 else wide)
    return np.array(found, np.float32)


def read_off(values: Tensor, quality: Tensor) -> Tensor:
    """Return values (B,h,w) at qualities (B,h,w), from (B,5,h,w) at QUALITIES, linear between two and beyond the last."""
    place = (quality.clamp(1, 10) - QUALITIES[0]) / (QUALITIES[1] - QUALITIES[0])
    low = place.detach().floor().clamp(0, len(QUALITIES) - 2).long()
    ends = [values.gather(1, (low + i)[:, None])[:, 0] for i in range(2)]
    return ends[0] + (ends[1] - ends[0]) * (place - low)


def total(values: Tensor) -> Tensor:
    """Return the sums (B,1,1) of values (B,h,w)."""
    return values.sum((1, 2), keepdim=True)


def in_lic(percentile: Tensor, some: Curves, inside: Tensor, quality: Tensor) -> Tensor:
    """Return dB (B,) that a map (B,h,w) of percentiles, -1..1, gains inside at the bits of a flat file of that quality (B,).

    inside (B,h,w): what share of each latent lies in a box. Latents without bits and error are none of the picture.
    """
    flat = quality[:, None, None].expand_as(percentile)

    def rate(base: Tensor) -> Tensor:
        return total(read_off(some.bits, base + SPAN * percentile).clamp_min(0))

    with torch.no_grad():
        wanted = total(read_off(some.bits, flat).clamp_min(0))
        low, high = (quality[:, None, None] + end for end in (LOWEST, HIGHEST))
        for _ in range(HALVINGS):
            base = (low + high) / 2
            more = rate(base) > wanted
            low, high = torch.where(more, low, base), torch.where(more, base, high)
        steepness = (rate(base + 0.05) - rate(base - 0.05)) / 0.1
    base = base - (rate(base) - wanted) / steepness.clamp_min(1)
    before, after = (read_off(some.errors, q).exp() for q in (flat, base + SPAN * percentile))
    gain: Tensor = 10 * torch.log10(total(before * inside) / total(after * inside))[:, 0, 0]
    return gain


def in_jpeg(percentile: Tensor, variance: Tensor, inside: Tensor) -> Tensor:
    """Return about what dB (B,) a map gains inside a JPEG of quality 50, from the variance of luma of every place, all (B,h,w)."""
    bits = (torch.log2(1 + variance / FAINT) + 0.02) * inside
    cost = variance / (variance + FAINT)
    worth = INSIDE * bits / (total(bits) + 1e-6) - BYTES * cost / (total(cost) + 1e-6)
    return (worth * percentile).sum((1, 2))
