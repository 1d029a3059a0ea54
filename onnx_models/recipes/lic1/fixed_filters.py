"""Training patches -> the fixed filters of a model, one for each part of its scale (`families.lic1.fixed`, FORMAT.md, section 8.7).

    python -m onnx_models.recipes.lic1.fixed_filters PATCHES_FOLDER --id 16

    patches ──quick analysis, trellis, synthesis──▶ colours ──native sums──▶ sum of G / e, of b / e ──least squares──▶ coefficients

Each patch counts by the inverse of its squared error e, so that all of them gain the same decibels. Coefficients that alternate stay 0:
fitted to many pictures they gain nothing. The file is an extra of the entry, outside its hash; a model that has one keeps it for ever,
because files name its filters.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pillow_lic.engine import models
from pillow_lic.engine.models import Model
from pillow_lic.engine.native import filter_sums
from pillow_lic.families.lic1 import analysis, filtering, fixed, residuals, transforms
from pillow_lic.families.lic1.filtering import COLORS, DIRECTED, LARGEST, MORE_SHIFTS, PLAIN, TAPS, UNIT, Filter
from pillow_lic.families.lic1.geometry import geometry
from pillow_lic.fileformat.limits import MAX_LEVEL

from ..common.data import Patches
from ..common.export import add_destination, add_extras

FILTERS = 8
"""Filters of a scale: neighbours differ by a few hundredths of a decibel."""
SEEN = PLAIN + DIRECTED
"""Coefficients that are fitted."""
RIDGE = 1e-3
"""Part of every feature's power that is added to it."""
LEAST_ERROR = 0.5
"""The error of a patch that counts at least, as a part of the (geometric) mean one."""
SWEEPS = 6
"""Times that every coefficient is rounded anew."""
ROWS_APART = 3
"""Of a patch every third row is looked at, an odd number, as in `fitting`."""
FIRST = 24
"""Patches whose error decides the threshold of a filter."""

Colors = npt.NDArray[np.uint16]
Pixels = npt.NDArray[np.uint8]
Reals = npt.NDArray[np.float64]


def levels(count: int) -> list[int]:
    """Return the middle level of each part of the scale."""
    return [MAX_LEVEL * (2 * k + 1) // (2 * count) for k in range(count)]


def drawn(model: Model, pixels: Pixels, wanted: list[int]) -> Iterator[Colors]:
    """Give what a decoder makes of a patch (H, W, 3) at each of these levels before any filter, in sixteenths; sides of whole 64 pixels."""
    grid = geometry(model).grid(*pixels.shape[:2])
    trunk = analysis.analyse(model, pixels, analysis.QUICK)
    for level in wanted:
        field = np.full(grid.shape, level, np.float32)
        y, z_hat = analysis.latents(model, trunk, field)
        y_hat = residuals.Choice(model, z_hat, field, grid).of(y)[1]
        yield np.ascontiguousarray(transforms.synthesis(model, y_hat, field, reference=True))


def error(fine: Colors, pixels: Pixels) -> float:
    """Return the mean squared error of colours, in squared sixteenths."""
    return float(np.square(UNIT * pixels.astype(np.int32) - fine, dtype=np.float64).mean())


def threshold(errors: list[float]) -> int:
    """Return the threshold that `fitting` would take for the geometric mean of these errors."""
    steps = round(math.exp(np.log(errors).mean() / 2) / filtering.THRESHOLD_UNIT)
    return filtering.THRESHOLD_UNIT * int(np.clip(steps, 1, filtering.THRESHOLDS))


def solved(sums: Reals, edge: int) -> Filter:
    """Return the filter of weighed sums (108, 111) of the features, and of what is lacking, found with that threshold."""
    upper, products = sums[:SEEN, :SEEN], sums[:SEEN, TAPS:]
    gram = upper + np.triu(upper, 1).T
    real = np.linalg.solve(gram + np.diag(RIDGE * gram.diagonal() + 1e-12), products)
    shift = max(s for s in MORE_SHIFTS if np.abs(real).max() * 2**s <= LARGEST)
    taps = np.zeros((COLORS, TAPS), np.int16)
    taps[:, :SEEN] = rounded(real * 2**shift, gram, products * 2**shift).T
    return Filter(taps, edge, shift)


def rounded(real: Reals, gram: Reals, products: Reals) -> Reals:
    """Return whole numbers (P, 3) beside real ones, each the best for all the others: rounded alone they lose a fifth of the gain."""
    taps = np.rint(real)
    for _ in range(SWEEPS):
        slope = products - gram @ taps
        for place in range(len(taps)):
            best = np.rint(taps[place] + slope[place] / gram[place, place]).clip(-LARGEST, LARGEST)
            slope -= np.outer(gram[:, place], best - taps[place])
            taps[place] = best
    return taps


def fitted(model: Model, patches: list[Pixels]) -> tuple[Filter, ...]:
    """Return the filters of a model, lowest levels first."""
    wanted = levels(FILTERS)
    begun = [list(drawn(model, pixels, wanted)) for pixels in patches[:FIRST]]
    first = [[error(fines[k], pixels) for fines, pixels in zip(begun, patches, strict=False)] for k in range(FILTERS)]
    edges = [threshold(errors) for errors in first]
    least = [LEAST_ERROR * math.exp(np.log(errors).mean()) for errors in first]
    sums = np.zeros((FILTERS, TAPS, TAPS + COLORS))
    for i, pixels in enumerate(patches):
        for k, fine in enumerate(begun[i] if i < len(begun) else drawn(model, pixels, wanted)):
            weight = ROWS_APART / (pixels.size * (error(fine, pixels) + least[k]))
            sums[k] += weight * filter_sums(fine, pixels, 0, len(fine), ROWS_APART, edges[k])
        if i % 20 == 19:
            print(f"{i + 1} of {len(patches)} patches", flush=True)
    return tuple(solved(sums[k], edges[k]) for k in range(FILTERS))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("patches", type=Path, help="folder of the training patches")
    p.add_argument("--patches", type=int, default=400, dest="count", help="how many of them (default: %(default)s)")
    add_destination(p)
    a = p.parse_args()
    found = fitted(models.choose(a.id), Patches(a.patches).some(a.count))
    add_extras(a.out, a.id, {fixed.ROLE: fixed.packed(found)}, side="both")


if __name__ == "__main__":
    main()
