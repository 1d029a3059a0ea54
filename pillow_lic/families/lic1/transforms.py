"""The synthesis of a decoder, by pieces: `synthesis` and `detail`. Drafts are in `drafting`, the means in `residuals`.

It cannot lose a stream: it runs after the symbols are parsed. Arrays carry no batch axis here; (h, w) are latents of 16x16 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from ...engine import workers
from ...engine.models import Model
from ...engine.settings import current_settings
from ...fileformat.areas import Area
from . import detail
from . import synthesis as trunk
from .detail import Colors
from .geometry import geometry

Floats = npt.NDArray[np.float32]

PIECE = 24
"""Latents of the longer side that a thread has at least, or what it does around its piece would cost too much."""
PAINTED = 12
"""The same in native code, which makes of what is around a piece no more than it needs: as much as two latents on each side."""
PIECE_LATENTS = 600
"""Latents that a piece has, about: of a network so many times the square of the halo, for the feature maps of a larger one leave the
caches, and what is around a smaller one takes too much (lic2 on a shared Zen 3 core: 72x72 latents 216 ms/MP, 36x68 205, the least of
six 181 and 148)."""


def halo(model: Model) -> int:
    """Return the latents around a piece or a tile that the synthesis sees: half of what the format has.

    Of a picture in tiles up to 0.03 % of the samples differ, of lic2 0.02 to 0.24 %, by one level. Whole numbers see one latent more, for
    what they round makes more of a difference.
    """
    return geometry(model).halo // 2 + (trunk.painter(model, reference=False) is not None)


def synthesis(
    model: Model, y_hat: Floats, level: Floats, *, inside: Area | None = None, reference: bool = False
) -> Colors:
    """Return the colours (16 rows, 16 columns, 3) of the latents `inside` a window, by default all of it.

    y_hat (M, h, w), any h and w >= 1, at a level field (h, w). Colours are pixels, uint8; of a model with filters sixteenths of a level,
    uint16.

    They are made in pieces of the longer side, of which every thread has some: layer by layer they would wait for each other. Pieces in
    native code, and the `reference`, are the same with any number of threads.
    """
    sizes, (rows, columns) = geometry(model), level.shape
    inside = inside or Area(0, 0, columns, rows)
    pixels: Colors = np.empty((sizes.stride * inside.height, sizes.stride * inside.width, 3), sizes.color_type)
    length = max(inside.shape)
    if (layers := trunk.painter(model, reference=reference)) is not None:
        y_hat, level = np.ascontiguousarray(y_hat), np.ascontiguousarray(level, np.float32)

        def paint(first: int, last: int) -> None:
            piece = _piece(first, last, inside)
            out = pixels[piece.within(inside).times(sizes.stride).slices]
            trunk.paint(model, layers, y_hat, level, piece, cast(detail.Fine, out))

        workers.in_parts(paint, length, PAINTED)
        return pixels
    around, threads = halo(model), current_settings().threads
    at_once = min(threads, max(length // PIECE, 1))
    count = at_once * max(round(inside.area / (PIECE_LATENTS * around**2 * at_once)), 1)
    if count == 1 or reference:
        _synthesised(model, y_hat, level, inside, pixels, reference=reference)
        return pixels
    pieces = [_piece(first, last, inside) for first, last in workers.parts(length, count)]

    def make(mine: Sequence[Area]) -> None:
        for piece in mine:
            seen = piece.widened(around, columns, rows)
            out = pixels[piece.within(inside).times(sizes.stride).slices]
            _synthesised(model, y_hat[:, *seen.slices], level[seen.slices], piece.within(seen), out, reference=False)

    workers.at_once(make, [pieces[first::at_once] for first in range(at_once)])
    return pixels


def _piece(first: int, last: int, inside: Area) -> Area:
    """Return the part of an area from `first` to `last` of its longer side."""
    if inside.height > inside.width:
        return Area(inside.x0, inside.y0 + first, inside.x1, inside.y0 + last)
    return Area(inside.x0 + first, inside.y0, inside.x0 + last, inside.y1)


def _synthesised(model: Model, y_hat: Floats, level: Floats, inside: Area, out: Colors, *, reference: bool) -> None:
    """Write the colours of the latents `inside` of a window (M, h, w), at a level field (h, w), to `out`."""
    picture, context = trunk.draw(model, y_hat, level, reference=reference)
    detail.draw(model, picture, context, level, inside, out, reference=reference)
