"""The steps of `effort`: the encoder moves latents along the gradient of bits and error of this picture; the file is like any other.

    y ──residuals.choose──▶ y_hat ──error_gradient──▶ target = y_hat - (slope of error + slope of bits) / curvature
    └───────────────────────── y + part of the way to the target ◀──────────────┘       and again, by a smaller part

The analysis was trained to be right on average; the slope itself finds what it leaves of every picture (Campos et al. 2019,
Yang et al. 2020, with hundreds of steps and more). Seen from y_hat, the slope holds the rounding of y_hat too: were the
synthesis an orthonormal transform, y_hat - slope / curvature would be y again, whatever the rounding. So this is where y is
drawn to: y - slope / curvature would add the rounding to y, and wins two thirds as much (measured: LEVERS.md). Where a filter follows
the synthesis, the error is that of filtered pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...engine.models import Model
from ...fileformat.areas import Area
from . import analysis, filtering, passes, quantiser, scales
from .filtering import Filter, Fine
from .geometry import Grid, geometry
from .quantiser import Chosen

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

ROLE = "error_gradient"
FIRST_PART = 0.16
"""The part of the way that the first step goes; the others shrink evenly towards 0."""
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


def steps(model: Model, effort: int) -> int:
    """Return how often latents are refined: of a model with a quick analysis the first step of effort is the large one."""
    return max(effort - (analysis.QUICK in model.extras), 0)


def parts(count: int) -> list[float]:
    """Return the part of the way to the target that each of so many steps goes."""
    return [FIRST_PART * (1 - k / count) for k in range(count)]


def moved(y: Floats, chosen: Sequence[Chosen], y_hat: Floats, error: Floats, grid: Grid, part: float) -> Floats:
    """Return y (M, h, w) after a part of the way to the target, which follows from the choices for y, y_hat and the slope of the error."""
    slope, lost = error.copy(), y - y_hat
    deviations = scales.deviations()
    for t, coded in enumerate(chosen):
        residuals = passes.gather(lost, t, grid.inside) + quantiser.steps(coded.values)
        variances = deviations[coded.indexes] ** 2 + np.float32(ROUNDING)
        bits = residuals / (variances * np.float32(math.log(2)))
        passes.scatter(slope, t, grid.inside, passes.gather(slope, t, grid.inside) + bits)
    target = y_hat - slope / np.float32(CURVATURE)
    result: Floats = y + np.float32(part) * (target - y)
    return result


def before(found: Filter, made: Fine, picture: Pixels) -> Pixels:
    """Return what colours (h, w, 3) in sixteenths should become so that their filter makes a picture (h, w, 3) of them.

    The filter is taken to change them by as much as it does now.
    """
    changed = filtering.applied(made, Area(0, 0, made.shape[1], made.shape[0]), found)
    wanted = picture - (changed - made / np.float32(filtering.UNIT))
    result: Pixels = np.rint(wanted).clip(0, 255).astype(np.uint8)
    return result


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
