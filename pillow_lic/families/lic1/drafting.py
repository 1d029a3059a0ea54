"""Pictures at 1/2, 1/4 and 1/8: the networks `draft_means`, `draft_2` and so on, or the same layers in native code.

    z_hat (Z, h/4, w/4), values, level (h, w)  ──latents──▶  y_hat (M, h, w)  ──draw──▶  pixels (16h/scale, 16w/scale, 3)

A smaller picture depends mostly on the first channels. So means are found for the first of the four groups of channels only, and the
others are taken to be their residuals. In native code, means come from the weights of the decoder (native/means.hpp, `draft`), and pixels
from those of the draft's graphs (native/draft.hpp). These pixels are the same on every processor and with any number of threads; here and
there they differ by one level from the networks'.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import numpy.typing as npt

from ...deadlines import check_time
from ...engine import entropy, graphs, workers
from ...engine.models import Model
from ...engine.native import Draft
from ...engine.settings import current_settings
from . import means, passes, quantiser, whole_numbers
from .geometry import geometry

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.int32]

REACH = 1
"""Latents around a window that decide its pixels."""
LEAST_ROWS = 4
"""Rows of latents that a thread draws at least."""
LATENT, MOST = 11, 10
"""Bits after the point of a latent in units of the picture, up to 16 (no latent of a picture is over 14); and before that of a sum, in
levels."""


def latents(model: Model, z_hat: Floats, values: Iterable[Values], level: Floats, inside: tuple[int, int]) -> Floats:
    """Return an estimate of y_hat (M, h, w) as `residuals.reconstruct` gives it, good enough for `draw`, in half the time."""
    size = geometry(model).latents
    if means.layers(model) is None:
        v = quantiser.steps(passes.spread(list(values), (size, *level.shape), inside))
        cells = passes.cells(level.shape, inside)
        first = model.run("draft_means", z_hat=z_hat[None], v=v[None], level=level[None, None], cells=cells[None])[0][0]
        return np.concatenate([first, v[len(first) :]])
    features, shared = means.begin(model, z_hat, level), passes.Shared(model.constants["stages"])
    y_hat = np.zeros((size, *level.shape), np.float32)
    coming = iter(values)
    for t in range(passes.PASSES):
        found = shared.of_pass(t, lambda stage: means.find_first(model, stage, features, y_hat))
        entropy.scatter_sums(y_hat, passes.places(t), inside, next(coming), found)
    return y_hat


def draw(model: Model, scale: int, y_hat: Floats, level: Floats) -> Pixels:
    """Return pixels (16 h / scale, 16 w / scale, 3) uint8 of y_hat (M, h, w) at a level field (h, w), near the mean of the full ones."""
    head = _head(model, scale) if Draft.fast() and current_settings().uses_native_code else None
    if head is None:
        pixels: Pixels = model.run(f"draft_{scale}", y_hat=y_hat[None], level=level[None, None])[0][0]
        return pixels
    check_time()
    side, (rows, columns) = geometry(model).stride // scale, level.shape
    made = np.empty((side * rows, side * columns, 3), np.uint8)
    given = np.ascontiguousarray(y_hat), np.ascontiguousarray(level, np.float32)
    workers.in_rows(head.draw, *given, made, rows=rows, least=LEAST_ROWS)
    return made


def drafts(model: Model) -> tuple[int, ...]:
    """Return how many pixels each way one of a draft may stand for, largest first."""
    return tuple(scale for scale in (8, 4, 2) if f"draft_{scale}" in model.extras)


@cache
def _head(model: Model, scale: int) -> Draft | None:
    """Return the head of a scale in native code, None where that has no layers of such shapes."""
    side, size = geometry(model).stride // scale, geometry(model).latents
    outputs = 3 * side**2
    weights = graphs.weights(model.stored(f"draft_{scale}").read())
    factors, here, bias, around = (array for array in weights if array.size > whole_numbers.ANCHORS)
    near = around.shape[1]
    known = [(size, whole_numbers.ANCHORS, 1, 1), (outputs, size, 1, 1), (outputs,), (outputs, near, 3, 3)]
    if [array.shape for array in (factors, here, bias, around)] != known or near % 2:
        return None
    places = whole_numbers.by_row(around).reshape(outputs, 9, near)
    flat = here.reshape(outputs, size).copy()
    flat[:, :near] += places[:, 4]
    flat = np.concatenate([flat, np.delete(places, 4, 1).reshape(outputs, -1)], 1)
    by_pixel = np.arange(outputs).reshape(3, side, side).transpose(1, 2, 0).ravel()
    fill = -outputs % whole_numbers.OUTPUTS
    weight, start = np.pad(flat[by_pixel], ((0, fill), (0, 0))), np.pad(bias[by_pixel], (0, fill))
    parts = [whole_numbers.logs(factors, LATENT), whole_numbers.layer(weight, start, LATENT, 0, MOST)]
    return Draft(np.frombuffer(b"".join(parts), np.uint8), size, near, side)
