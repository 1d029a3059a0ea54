"""The gradient of a picture's squared error by its latents, as far as the linear path of the synthesis tells.

    pixels shown and wanted (H, W, 3), level (h, w)  ──▶  gradient (M, h, w), in bits for a step

What the layers beside that path do to it is left out, but for one thing: the last ones take away some of the fine structure that they
do not believe in, and so a part of the error's is left out too (native/gradient.hpp). Steps along the gradient of all layers gain
less (LEVERS.md). Whole numbers: the same on every processor and with any number of threads.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from ...deadlines import check_time
from ...engine import graphs, workers
from ...engine.models import Model
from ...engine.native import ErrorGradient
from ...fileformat.limits import MAX_LEVEL
from . import whole_numbers
from .geometry import geometry

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

LEFT_OUT = (0.35, 0.15)
"""The part of what stands out of the mean error around a pixel that is left out, at both ends of the scale: lic2's last layers leave out
0.31, 0.22, 0.15, 0.10, 0.09 at levels 0, 363, 680, 900, 1024, by least squares."""
ERROR, MOST = 4, 22
"""Bits after the point of an error, as native/gradient.hpp has them, and before it of a sum: of an error of 255 in all pixels that a latent
moves the sums are below 2^22."""


def find(model: Model, shown: Pixels, wanted: Pixels, level: Floats) -> Floats:
    """Return the gradient (M, h, w) of the error of pixels (H, W, 3), at a level field (h, w) that covers them."""
    check_time()
    gradient = np.empty((geometry(model).latents, *level.shape), np.float32)
    pixels = np.ascontiguousarray(shown), np.ascontiguousarray(wanted)
    field = np.ascontiguousarray(level, np.float32)
    workers.in_rows(_layer(model).run, *pixels, field, gradient, rows=len(level), least=1)
    return gradient


@cache
def _layer(model: Model) -> ErrorGradient:
    latents = geometry(model).latents
    arrays = graphs.weights(model.stored("synthesis").read())
    (gains,) = (array for array in arrays if array.shape == (latents, whole_numbers.ANCHORS, 1, 1))
    (path,) = (array for array in arrays if array.shape == (latents, 192, 2, 2))
    levels = np.linspace(0, MAX_LEVEL, whole_numbers.ANCHORS)
    # The error of a latent's 16x16 pixels is worth a third of the slope for each colour.
    worth = [math.log(2 / 3 * model.slope(round(level))) for level in levels]
    left_out = np.interp(levels, (0, MAX_LEVEL), LEFT_OUT).astype("<f4")
    factors = gains.reshape(latents, -1) + np.array(worth, np.float32)
    none = np.zeros(latents, np.float32)
    layer = whole_numbers.layer(_by_pixel(path), none, ERROR, None, MOST)
    return ErrorGradient(np.frombuffer(left_out.tobytes() + whole_numbers.logs(factors) + layer, np.uint8), latents)


def _by_pixel(path: Floats) -> Floats:
    """Return what a latent adds to pixels, (M, 16, 16, 3), from the weights of the linear path.

    These are (M, 192, 2, 2): colour, row and column in a cell of 2x2, row and column of 4x4 cells; rows and columns of 2x2 such squares.
    """
    squares = path.reshape(len(path), 3, 2, 2, 4, 4, 2, 2)
    return squares.transpose(0, 6, 4, 2, 7, 5, 3, 1).reshape(len(path), 16, 16, 3)
