"""The network `synthesis`, or the same layers in whole numbers in native code.

    y_hat (M, h, w), level (h, w)  ──▶  picture (12, 8h, 8w), context (C, 2h, 2w), for `detail`

Native code (native/synthesis.hpp) needs a file of numbers beside the model, outside its hash; its picture is some hundredths of a level
off. So the `reference`, which files depend on, is always the network.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from ...engine.ending import at_work
from ...engine.filters import Synthesis
from ...engine.models import Model
from ...engine.runtime import CPU
from ...engine.settings import check_time, current_settings

Floats = npt.NDArray[np.float32]

NUMBERS = "synthesis_numbers"
"""The role of the file of a model that has native layers, as `Synthesis` takes it."""


@cache
def _native(model: Model) -> Synthesis | None:
    """Return the layers in native code, None where there are none or the network is as quick."""
    numbers = model.numbers(NUMBERS) if Synthesis.fast() else None
    return None if numbers is None else Synthesis(numbers)


def _layers(model: Model, *, reference: bool) -> Synthesis | None:
    """Return the layers in native code if it is to draw under the current settings."""
    return None if reference or current_settings().providers != (CPU,) else _native(model)


def in_rows(model: Model, *, reference: bool) -> bool:
    """Whether rows go through all layers one after another, so that a large picture stays in the caches as well as a small one."""
    return _layers(model, reference=reference) is not None


def draw(model: Model, y_hat: Floats, level: Floats, *, reference: bool) -> tuple[Floats, Floats]:
    """Return the picture and the context of y_hat, at a level field; errors of `runtime.run`."""
    layers = _layers(model, reference=reference)
    if layers is None:
        picture, context = model.run("synthesis", y_hat=y_hat[None], level=level[None, None])
        return picture[0], context[0]
    check_time()
    rows, columns = level.shape
    made = np.empty((12, 8 * rows, 8 * columns), np.float32), np.empty((16, 2 * rows, 2 * columns), np.float32)
    with at_work:
        layers.draw(np.ascontiguousarray(y_hat), np.ascontiguousarray(level, np.float32), *made)
    return made
