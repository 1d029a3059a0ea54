"""The layers that see single pixels: the network `detail`, in strips, or the same layers and what follows them in native code.

    picture (12, 8h, 8w), context (C, 2h, 2w), level (h, w)  ──▶  colours (16h, 16w, 3)

Native code (native/detail.hpp) needs a file of numbers beside the model, outside its hash; its colours are a sixteenth of a level off here
and there, the same on every processor. So the `reference` is always the network.
"""

from __future__ import annotations

from functools import cache
from typing import cast

import numpy as np
import numpy.typing as npt

from ...engine.ending import at_work
from ...engine.models import Model
from ...engine.native import Detail, spread
from ...engine.settings import current_settings
from ...fileformat.areas import Area
from .geometry import geometry

Floats = npt.NDArray[np.float32]
Fine = npt.NDArray[np.uint16]
Colors = npt.NDArray[np.uint8 | np.uint16]

NUMBERS = "detail_numbers"
"""The role of the file of a model that has native layers: little-endian float32, as `Detail` takes them."""
STRIP_ROWS = 16
"""Rows of latents whose pixels the network makes in one go: at once its layers would take more memory than all the others."""


@cache
def _native(model: Model) -> Detail | None:
    """Return the layers in native code, None where there are none or the network is as quick."""
    numbers = model.numbers(NUMBERS) if Detail.fast() else None
    return None if numbers is None else Detail(numbers.view("<f4").astype(np.float32))


def layers(model: Model, *, reference: bool) -> Detail | None:
    """Return the layers in native code if they are to draw under the current settings."""
    return _native(model) if current_settings().uses_native_code and not reference else None


def draw(
    model: Model, picture: Floats, context: Floats, level: Floats, inside: Area, out: Colors, *, reference: bool
) -> None:
    """Write the colours of the latents `inside` of a window to `out` (16 rows, 16 columns, 3), of the geometry's `color_type`.

    picture (12, 8h, 8w) and context (C, 2h, 2w) are what the synthesis gives of the window, at a level field (h, w).
    """
    native = layers(model, reference=reference)
    if native is None:
        _draw_strips(model, picture, context, level, inside, out)
    else:
        place = (inside.y0, inside.x0, inside.height, inside.width)
        with at_work:
            native.draw(picture, context, np.ascontiguousarray(level), place, cast(Fine, out))


def _draw_strips(model: Model, picture: Floats, context: Floats, level: Floats, inside: Area, out: Colors) -> None:
    """`draw` by the network."""
    sizes, (rows, columns) = geometry(model), level.shape
    fine, coarse = picture.shape[1] // rows, context.shape[1] // rows
    for top in range(inside.y0, inside.y1, STRIP_ROWS):
        strip = Area(inside.x0, top, inside.x1, min(top + STRIP_ROWS, inside.y1))
        seen = strip.widened(sizes.detail_reach, columns, rows)
        cells = model.run(
            "detail",
            picture=picture[None, :, *seen.times(fine).slices],
            context=context[None, :, *seen.times(coarse).slices],
            level=level[None, None, *seen.slices],
        )[0][0]
        place = strip.within(seen).times(fine)
        made = out[sizes.stride * (top - inside.y0) : sizes.stride * (strip.y1 - inside.y0)]
        if sizes.fraction:
            whole = np.empty((made.shape[0], 2 * cells.shape[2], 3), np.uint16)
            spread(cells, place.y0, place.y1, whole)
            made[...] = whole[:, 2 * place.x0 : 2 * place.x1]
        else:
            _spread(cells[:, *place.slices], made)


def _spread(cells: npt.NDArray[np.uint8], pixels: Colors) -> None:
    """Write cells (12, h, w), channels by colour, row and column in a cell of 2x2, to pixels (2h, 2w, 3), a plane at a time for speed."""
    for channel, plane in enumerate(cells):
        color, row, column = channel // 4, channel // 2 % 2, channel % 2
        pixels[row::2, column::2, color] = plane
