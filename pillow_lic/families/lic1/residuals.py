"""The residuals of y, pass by pass: its difference from the means that z_hat and earlier passes predict.

    write:  y, z_hat ──▶ for each pass: index (scales), mean ──▶ y - mean ──quantiser──▶ symbols; y_hat = mean + their values
    read:   z_hat, values ──▶ for each pass: mean ──▶ y_hat = mean + values

The means are floating point, and nothing here decides what a reader parses: all values have been read when `reconstruct` runs.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ...engine import entropy
from ...engine.models import Model
from . import means, passes
from .geometry import Grid
from .quantiser import Chosen, Quantiser
from .scales import Scales

Floats = npt.NDArray[np.float32]
Values = npt.NDArray[np.int32]


class Means:
    """The means of the latents of a window, and its y_hat as far as it is known, pass by pass (`passes.Context`).

    z_hat (Z, h/4, w/4); field: the level of every latent (h, w); inside: rows and columns that hold pixels. `y_hat` (M, h, w)
    is 0 where there are none. The corner of the window lies at an even row and column of its tile.
    """

    def __init__(self, model: Model, z_hat: Floats, field: Floats, inside: tuple[int, int]) -> None:
        self._model, self._inside = model, inside
        self._features = means.begin(model, z_hat, field)
        self.y_hat = np.zeros((model.constants["latents"], *field.shape), np.float32)
        self._shared = passes.Shared(model.constants["stages"])

    def _run(self, stage: int) -> Floats:
        return means.find(self._model, stage, self._features, self.y_hat)

    def find(self, t: int) -> None:
        """Find the means of the latents that pass t codes."""
        self._means = np.ascontiguousarray(self._shared.of_pass(t, self._run))

    def before(self, t: int) -> Floats:
        """Return the means of the latents that pass t codes, in coding order, in steps."""
        self.find(t)
        return passes.gather_cells(self._means, t, self._inside, np.float32)

    def after(self, t: int, values: Values) -> None:
        """Take the values of pass t."""
        entropy.scatter_sums(self.y_hat, passes.places(t), self._inside, values, self._means)


def choose(model: Model, z_hat: Floats, y: Floats, field: Floats, grid: Grid) -> tuple[list[Chosen], Floats]:
    """Return the symbols of every pass and y_hat (M, h, w), for z_hat, y (M, h, w) in steps and the level field (h, w).

    LicRuntimeError when y or its means are no numbers.
    """
    scales, predicted = Scales(model, z_hat, field, grid), Means(model, z_hat, field, grid.inside)
    chooser, chosen = Quantiser(model.tables), list[Chosen]()

    def code(t: int) -> Values:
        indexes = scales.before(t)
        chosen.append(chooser.choose(passes.gather(y, t, grid.inside) - predicted.before(t), indexes))
        return chosen[-1].values

    passes.each(code, scales, predicted)
    return chosen, predicted.y_hat


def reconstruct(
    model: Model, z_hat: Floats, values: Iterable[Values], field: Floats, inside: tuple[int, int]
) -> Floats:
    """Return y_hat (M, h, w), as `Means` has it, for z_hat and the parsed values of every pass, in coding order, in twentieths of a step.

    Those of a pass are taken when the means before them are found: they may still be being parsed.
    """
    predicted, coming = Means(model, z_hat, field, inside), iter(values)

    def code(t: int) -> Values:
        predicted.find(t)
        return next(coming)

    passes.each(code, predicted)
    return predicted.y_hat
