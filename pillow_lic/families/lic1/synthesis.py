"""The network `synthesis`, or the same layers in whole numbers in native code.

    y_hat (M, h, w), level (h, w)  ──draw──▶   picture (12, 8h, 8w), context (C, 2h, 2w), for `detail`
                                   ──paint──▶  colours (16h, 16w, 3), what `detail` does as well

Native code (native/synthesis.hpp) needs a file of numbers beside the model, outside its hash; its picture is some hundredths of a level
off. So the `reference` is always the network. Where both have native code they are one: rows go through all layers
one after another (native/canvas.hpp), and a part is that of the whole to the last bit.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...deadlines import check_time
from ...engine.ending import at_work
from ...engine.models import Model
from ...engine.native import Detail, Synthesis
from ...engine.settings import current_settings
from ...fileformat.areas import Area
from . import detail
from .detail import Fine

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
    return _native(model) if current_settings().uses_native_code and not reference else None


class Painter(NamedTuple):
    """The layers of both in native code."""

    trunk: Synthesis
    detail: Detail


def painter(model: Model, *, reference: bool) -> Painter | None:
    """Return the layers of both in native code if they are to paint under the current settings."""
    trunk, last = _layers(model, reference=reference), detail.layers(model, reference=reference)
    return None if trunk is None or last is None else Painter(trunk, last)


def paint(model: Model, layers: Painter, y_hat: Floats, level: Floats, inside: Area, out: Fine) -> None:
    """Write the colours of the latents `inside` of y_hat, at a level field, to `out` (16 rows, 16 columns, 3), by the model's own layers."""
    check_time()
    place = (inside.y0, inside.x0, inside.height, inside.width)
    with at_work:
        layers.trunk.paint(layers.detail, y_hat, level, place, out)


def draw(model: Model, y_hat: Floats, level: Floats, *, reference: bool) -> tuple[Floats, Floats]:
    """Return the picture (12, 8h, 8w) and the context (16, 2h, 2w) of y_hat (M, h, w), at a level field (h, w); errors of `runtime.run`."""
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
