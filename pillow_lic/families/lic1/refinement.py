"""The steps of `effort`: the encoder moves the latents of this picture along the gradient of its bits and error.

    y ──residuals.Choice──▶ y_hat ──error's gradient──▶ target = y_hat - (slope of error + slope of bits) / curvature
    └───────────────────────── y + part of the way to the target ◀──────────────┘       and again, by a smaller part

The analysis was trained to be right on average over pictures; gradient steps improve its latents for one (Campos et al. 2019, Yang et al.
2020, with hundreds of steps and more). The file is decoded like any other.

The gradient is taken at y_hat, and so it contains the rounding of y_hat: if the synthesis were an orthonormal transform,
y_hat - slope / curvature would be y again, whatever the rounding. That is therefore the target. With y - slope / curvature as the target
the rounding would be added to y, and a step gains two thirds as much (measured: LEVERS.md).

If a filter follows the synthesis, the error is that of filtered pixels. The filter is fitted before the first step: after the last one it
would be no better, and the picture would have to be drawn once more.

lic1 has a graph for the gradient of all layers, and no filter. For lic2 the gradient of the linear path (`gradient`) is as good and takes a
tenth of the time, and the gradient of the bits gains nothing; so it takes one step even at effort 0. Until the last step its y_hat is
chosen roughly: as the rounding cancels out, a better choice gains nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...engine.models import Model
from ...fileformat.limits import MAX_LEVEL
from . import passes, quantiser, scales
from .geometry import Grid, geometry
from .quantiser import Chosen

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

ROLE = "error_gradient"
FIRST_PARTS = (0.16, 0.16)
"""The part of the way that the first step goes, at both ends of the scale; the others shrink evenly towards 0."""
FIRST_OF_PATH = (0.22, 0.4)
"""The same for the gradient of the linear path, of a single step; of n that of each is smaller by the fourth root of n.

Longer steps gain squared error and lose structure (MS-SSIM), most at low levels (measured: LEVERS.md)."""
CURVATURE = 2 * quantiser.ERROR_BITS
"""The second derivative of the bits that an error of y is worth, by steps."""
ROUNDING = 1 / 12
"""Variance of a symbol's rounding, in squared steps: bits of a symbol grow as those of a Gaussian that much wider."""

STRIP_LATENTS = 2400
"""Latents whose gradient is taken in one go, if a few rows and their halo are no more: 480 bytes for each of their pixels."""
BYTES_PER_PIXEL = 310
"""Memory of a thread for every pixel of the largest tile, as `workers.BYTES_PER_PIXEL`: 300 measured."""
STRIP_HALO = 4
"""Rows of latents around a strip that are seen; the networks reach further, but the step is a part of the way."""


def has_graph(model: Model) -> bool:
    """Return whether steps of a model go along the gradient of all its layers, and that of bits; else along `gradient.find`'s."""
    return ROLE in model.extras


def steps(model: Model, effort: int) -> int:
    """Return how many steps an effort means."""
    return effort if has_graph(model) else max(effort, 1)


def parts(model: Model, count: int, level: Floats) -> list[Floats]:
    """Return the part of the way to the target that each of so many steps goes, at a level field (h, w)."""
    lowest, highest = FIRST_PARTS if has_graph(model) else FIRST_OF_PATH
    first = np.float32(lowest) + np.float32((highest - lowest) / MAX_LEVEL) * level
    if not has_graph(model):
        first /= np.float32(max(count, 1) ** 0.25)
    return [first * np.float32(1 - k / count) for k in range(count)]


def moved(y: Floats, y_hat: Floats, slope: Floats, part: Floats) -> Floats:
    """Return y (M, h, w) after a part (h, w) of the way to the target, which follows from y_hat and the slope at it."""
    result: Floats = slope / np.float32(-CURVATURE)
    result += y_hat
    result -= y
    result *= part
    result += y
    return result


def bits_gradient(lost: Floats, chosen: Sequence[Chosen], grid: Grid) -> Floats:
    """Return the gradient (M, h, w) of the bits of y, for y - y_hat and the choices."""
    slope, deviations = np.zeros_like(lost), scales.deviations()
    for t, coded in enumerate(chosen):
        residuals = passes.gather(lost, t, grid.inside) + quantiser.steps(coded.values)
        variances = deviations[coded.indexes] ** 2 + np.float32(ROUNDING)
        passes.scatter(slope, t, grid.inside, residuals / (variances * np.float32(math.log(2))))
    return slope


def error_gradient(model: Model, y_hat: Floats, level: Floats, pixels: Pixels) -> Floats:
    """Return the gradient (M, h, w) of the error, in bits for a step: y_hat (M, h, w), level field (h, w), pixels (16 h, 16 w, 3) uint8."""
    rows, columns = level.shape
    stride = geometry(model).stride
    strips = -(-rows // max(STRIP_LATENTS // columns - 2 * STRIP_HALO, STRIP_HALO))
    height = -(-rows // strips)
    result = np.empty(y_hat.shape, np.float32)
    for top in range(0, rows, height):
        bottom = min(top + height, rows)
        first, last = max(top - STRIP_HALO, 0), min(bottom + STRIP_HALO, rows)
        found = model.run(
            ROLE,
            y_hat=y_hat[None, :, first:last],
            level=level[None, None, first:last],
            pixels=pixels[stride * first : stride * last],
        )[0][0]
        result[:, top:bottom] = found[:, top - first : bottom - first]
    return result
