"""What is coded of y, pass by pass: its difference from means that z_hat and the passes before predict.

    write:  y, z_hat ──▶ for each pass: index (scales), mean ──▶ y - mean ──quantiser──▶ symbols; y_hat = mean + their values
    read:   z_hat, v ──▶ for each pass: mean ──▶ y_hat = mean + v

The means are floating point, and nothing here decides what a reader parses: v has been read when `reconstruct` runs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...engine import runtime
from ...engine.models import ModelSpec
from . import passes, quantiser, scales
from .passes import gather, scatter
from .quantiser import Chosen, Quantiser
from .symbols import Grid, tables

Floats = npt.NDArray[np.float32]


def _features(spec: ModelSpec, z_hat: Floats, level: Floats) -> Floats:
    """z_hat (Z, h/4, w/4), level field (h, w) -> what the means know before the first pass, (P, h, w)."""
    result: Floats = runtime.run(spec, "means_z", {"z_hat": z_hat[None], "level": level[None, None]})[0][0]
    return result


def _means(spec: ModelSpec, t: int, features: Floats, y_hat: Floats, inside: tuple[int, int]) -> Floats:
    """Means of the latents of pass t in coding order; y_hat (M, h, w): latents of earlier passes, 0 elsewhere."""
    feeds = {"features": features[None]}
    if t:
        feeds["y_hat"] = y_hat[None]
    return passes.gather_cells(runtime.run(spec, f"means_{t}", feeds)[0][0], t, inside, np.float32)


def choose(spec: ModelSpec, z_hat: Floats, y: Floats, level: Floats, grid: Grid) -> tuple[list[Chosen], Floats]:
    """Writer: z_hat, y (M, h, w) in steps and the level field (h, w) -> the symbols of every pass, and y_hat (M, h, w).

    LicRuntimeError when y or its means are no numbers.
    """
    known, seen = scales.features(spec, z_hat), _features(spec, z_hat, level)
    y_hat, magnitudes = np.zeros(y.shape, np.float32), np.zeros(y.shape, np.float32)
    chooser, chosen = Quantiser(tables(spec)), []
    for t in range(passes.PASSES):
        indexes = scales.indexes(spec, t, known, magnitudes, level, grid.inside)
        means = _means(spec, t, seen, y_hat, grid.inside)
        chosen.append(chooser.choose(gather(y, t, grid.inside) - means, indexes))
        values = chosen[-1].values
        scatter(y_hat, t, grid.inside, means + quantiser.steps(values))
        scatter(magnitudes, t, grid.inside, quantiser.magnitudes(values))
    return chosen, y_hat


def reconstruct(spec: ModelSpec, z_hat: Floats, v: Floats, level: Floats, inside: tuple[int, int]) -> Floats:
    """Reader: what was parsed, v (M, h, w) in steps -> y_hat (M, h, w), 0 where there are no pixels.

    inside: rows and columns that hold pixels. The corner lies at an even row and column of its tile.
    """
    seen, y_hat = _features(spec, z_hat, level), np.zeros(v.shape, np.float32)
    for t in range(passes.PASSES):
        scatter(y_hat, t, inside, _means(spec, t, seen, y_hat, inside) + gather(v, t, inside))
    return y_hat
