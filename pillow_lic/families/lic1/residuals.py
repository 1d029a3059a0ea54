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
    is 0 where there are none. The corner of the window lies at an even row and column of its tile. keeps: as of `passes.Shared`, for one
    that will `forget`.
    """

    def __init__(
        self, model: Model, z_hat: Floats, field: Floats, inside: tuple[int, int], *, keeps: bool = False
    ) -> None:
        self._model, self._inside = model, inside
        self._features, self._shape = means.begin(model, z_hat, field), field.shape
        self._shared = passes.Shared(model.constants["stages"], keeps=keeps)
        self.forget()

    def forget(self) -> None:
        """Begin anew, in another y_hat: none of it is known."""
        self.y_hat = np.zeros((self._model.constants["latents"], *self._shape), np.float32)

    def _run(self, stage: int) -> Floats:
        return means.find(self._model, stage, self._features, self.y_hat)

    def find(self, t: int) -> None:
        """Find the means of the latents that pass t codes."""
        self._means = np.ascontiguousarray(self._shared.of_pass(t, self._run))

    def before(self, t: int) -> Floats:
        """Return the means (n,) of the latents that pass t codes, in coding order, in steps."""
        self.find(t)
        return passes.gather_cells(self._means, t, self._inside, np.float32)

    def after(self, t: int, values: Values) -> None:
        """Take the values of pass t."""
        entropy.scatter_sums(self.y_hat, passes.places(t), self._inside, values, self._means)


class Choice:
    """The choice of the symbols of a tile, as often as y changes, for z_hat and the level field (h, w)."""

    def __init__(self, model: Model, z_hat: Floats, field: Floats, grid: Grid) -> None:
        self._tables, self._grid = model.tables, grid
        self._scales = Scales(model, z_hat, field, grid, keeps=True)
        self._predicted = Means(model, z_hat, field, grid.inside, keeps=True)

    def of(self, y: Floats, *, is_rough: bool = False) -> tuple[list[Chosen], Floats]:
        """Return the symbols of every pass and y_hat (M, h, w), for y (M, h, w) in steps; is_rough: as of `Quantiser`.

        LicRuntimeError when y or its means are no numbers.
        """
        self._scales.forget()
        self._predicted.forget()
        quantiser, chosen = Quantiser(self._tables, is_rough=is_rough), list[Chosen]()

        def code(t: int) -> Values:
            indexes = self._scales.before(t)
            lacking = passes.gather(y, t, self._grid.inside) - self._predicted.before(t)
            chosen.append(quantiser.choose(lacking, indexes))
            return chosen[-1].values

        passes.each(code, self._scales, self._predicted)
        return chosen, self._predicted.y_hat


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
