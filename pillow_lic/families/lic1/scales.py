"""The scale indexes, from z_hat and the magnitudes of decoded symbols: the one exact path (FORMAT.md, sections 8.3 and 9).

Integers carried in float32, on the CPU provider, the same on every machine. Writer and reader both call this module, and
nothing else decides what the range coder reads.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from ...engine import entropy
from ...engine.models import Model
from . import passes, quantiser
from .geometry import Grid

Floats = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.uint16]
Values = npt.NDArray[np.int32]

DEVIATION_MIN, DEVIATION_MAX = 0.11, 148.0
"""Standard deviation, in quantiser steps, that the first and the last index stand for; those between in equal ratios."""
ANCHOR_SPACING = 128
"""Levels between two anchors: hyper-latents have tables at each anchor."""


@cache
def deviations() -> Floats:
    """Return the standard deviation of each scale index, (COUNT,), in quantiser steps."""
    return np.geomspace(DEVIATION_MIN, DEVIATION_MAX, quantiser.SCALES).astype(np.float32)


class Scales:
    """The scale indexes of one tile, pass by pass (`passes.Context`).

    z_hat (Z, h/4, w/4); field: the level of every latent (h, w), integers.
    """

    def __init__(self, model: Model, z_hat: Floats, field: Floats, grid: Grid) -> None:
        self._model, self._field, self._inside = model, field, grid.inside
        self._features = model.run("scales_z", z_hat=z_hat[None])[0]
        self._magnitudes = np.zeros((model.constants["latents"], *grid.shape), np.float32)
        self._shared = passes.Shared(model.constants["stages"])

    def _run(self, stage: int) -> npt.NDArray[np.uint8]:
        feeds = {"features": self._features, "level": self._field[None, None]}
        if stage:
            feeds["magnitudes"] = self._magnitudes[None]
        indexes: npt.NDArray[np.uint8] = self._model.run(f"scales_{stage}", **feeds)[0][0]
        return indexes

    def before(self, t: int) -> Indexes:
        """Return the scale index 0..63 of the latents that pass t codes, in coding order, uint16."""
        return passes.gather_cells(self._shared.of_pass(t, self._run), t, self._inside, np.uint16)

    def after(self, t: int, values: Values) -> None:
        """Take the values of pass t: later passes see their magnitudes."""
        most = quantiser.MAGNITUDE_MAX
        entropy.scatter_magnitudes(self._magnitudes, passes.places(t), self._inside, values, most)


def z_indexes(level: int, shape: tuple[int, int, int]) -> Indexes:
    """Return the table of every hyper-latent, in coding order: its channel's at the anchor nearest to the picture's level."""
    channels, h, w = shape
    anchor = (level + ANCHOR_SPACING // 2) // ANCHOR_SPACING
    first = quantiser.SCALES + anchor * channels
    return np.repeat(np.arange(first, first + channels, dtype=np.uint16), h * w)
