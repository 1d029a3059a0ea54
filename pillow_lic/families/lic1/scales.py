"""The scale indexes, from z_hat and the magnitudes of decoded symbols: the one exact path (FORMAT.md, sections 8.3 and 9).

Integers carried in float32, on the CPU provider, the same on every machine; or the same integers in native code (native/scales.hpp),
which needs a file of numbers beside the model, made of its graphs. Writer and reader both call this module, and nothing else decides
what the range coder reads.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from ...deadlines import check_time
from ...engine import entropy, native, workers
from ...engine.ending import at_work
from ...engine.models import Model
from . import passes, quantiser
from .geometry import Grid

Floats = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.uint16]
Values = npt.NDArray[np.int32]

DEVIATION_MIN, DEVIATION_MAX = 0.11, 148.0
"""Standard deviation, in quantiser steps, that the first and the last index stand for; those between in equal ratios."""
NUMBERS = "scale_numbers"
"""The role of the file of a model that has native layers, as `native.Scales` takes it."""
ANCHOR_SPACING = 128
"""Levels between two anchors: hyper-latents have tables at each anchor."""


@cache
def deviations() -> Floats:
    """Return the standard deviation of each scale index, (COUNT,), in quantiser steps."""
    return np.geomspace(DEVIATION_MIN, DEVIATION_MAX, quantiser.SCALES).astype(np.float32)


@cache
def _native(model: Model) -> native.Scales | None:
    """Return the networks of all stages in native code, None where there are none or the graphs are as quick."""
    numbers = model.numbers(NUMBERS) if native.Scales.fast() else None
    return None if numbers is None else native.Scales(numbers, model.constants["stages"])


def begin(model: Model, z_hat: Floats) -> Floats:
    """Return what is known of every place before any symbol is, features (C, 4h, 4w) of z_hat (Z, h, w); errors of `runtime.run`."""
    layers = _native(model)
    if layers is None:
        made: Floats = model.run("scales_z", z_hat=z_hat[None])[0][0]
        return made
    check_time()
    _, rows, columns = z_hat.shape
    features = np.empty((layers.FEATURES, 4 * rows, 4 * columns), np.float32)
    with at_work:
        layers.begin(np.ascontiguousarray(z_hat), features)
    return features


def find(
    model: Model, stage: int, features: Floats, level: Floats, magnitudes: npt.NDArray[np.uint8] | None
) -> npt.NDArray[np.uint8]:
    """Return the scale indexes of a stage's passes, (passes * M, h/2, w/2), one pass after another; errors of `runtime.run`.

    features (C, h, w) of the hyper-latents, level (h, w), magnitudes (M, h, w) of earlier passes, None in the first stage: whole numbers.
    """
    layers = _native(model)
    if layers is None:
        feeds = {"features": features[None], "level": level[None, None]}
        if magnitudes is not None:
            feeds["magnitudes"] = magnitudes[None].astype(np.float32)
        found: npt.NDArray[np.uint8] = model.run(f"scales_{stage}", **feeds)[0][0]
        return found
    check_time()
    rows, columns = level.shape
    latents, turns = model.constants["latents"], passes.of_stage(stage, model.constants["stages"])
    index = np.empty((len(turns) * latents, rows // 2, columns // 2), np.uint8)
    level = np.ascontiguousarray(level, np.float32)
    given = stage, np.ascontiguousarray(features), level, magnitudes, index
    workers.in_rows(layers.find, *given, rows=rows // 2, least=passes.LEAST_ROWS)
    return index


class Scales:
    """The scale indexes of one tile, pass by pass (`passes.Context`).

    z_hat (Z, h/4, w/4); field: the level of every latent (h, w), integers; keeps: as of `passes.Shared`, for one that will `forget`.
    """

    def __init__(self, model: Model, z_hat: Floats, field: Floats, grid: Grid, *, keeps: bool = False) -> None:
        self._model, self._field, self._inside = model, field, grid.inside
        self._features, self._shape = begin(model, z_hat), grid.shape
        self._shared = passes.Shared(model.constants["stages"], keeps=keeps)
        self.forget()

    def forget(self) -> None:
        """Begin anew: no symbol is known."""
        self._magnitudes = np.zeros((self._model.constants["latents"], *self._shape), np.uint8)

    def _run(self, stage: int) -> npt.NDArray[np.uint8]:
        return find(self._model, stage, self._features, self._field, self._magnitudes if stage else None)

    def before(self, t: int) -> Indexes:
        """Return the scale index 0..63 of the latents that pass t codes, uint16 (n,) in coding order."""
        return passes.gather_cells(self._shared.of_pass(t, self._run), t, self._inside, np.uint16)

    def after(self, t: int, values: Values) -> None:
        """Take the values of pass t: later stages see their magnitudes."""
        if t + 1 >= self._model.constants["stages"]:
            return
        most = quantiser.MAGNITUDE_MAX
        entropy.scatter_magnitudes(self._magnitudes, passes.places(t), self._inside, values, most)


def z_indexes(level: int, shape: tuple[int, int, int]) -> Indexes:
    """Return the table of each hyper-latent of that shape, (n,) in coding order: its channel's at the anchor nearest to the picture's level."""
    channels, h, w = shape
    anchor = (level + ANCHOR_SPACING // 2) // ANCHOR_SPACING
    first = quantiser.SCALES + anchor * channels
    return np.repeat(np.arange(first, first + channels, dtype=np.uint16), h * w)
