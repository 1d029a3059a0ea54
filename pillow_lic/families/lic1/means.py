"""The networks of the means, `means_z` and one for each stage, or the same layers in native code.

    z_hat (Z, h/4, w/4), level (h, w)  ──begin──▶  features  ──find(stage), y_hat (M, h, w)──▶  means (passes * M, h/2, w/2)

Native code (native/means.hpp) needs a file of numbers beside the model, outside its hash. Its means are some thousandths of a step beside
the networks', the same ones on every processor and with any number of threads. Writers use it as readers do.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...deadlines import check_time
from ...engine import native, workers
from ...engine.ending import at_work
from ...engine.models import Model
from ...engine.settings import current_settings
from . import passes

Floats = npt.NDArray[np.float32]

NUMBERS = "mean_numbers"
"""The role of the file of a model that has native layers, as `native.Means` takes it."""


@cache
def _native(model: Model) -> native.Means | None:
    """Return the networks in native code, None where there are none, or no kernels for this processor."""
    numbers = model.numbers(NUMBERS) if native.Means.fast() else None
    if numbers is None:
        return None
    return native.Means(numbers, *(model.constants[name] for name in ("hyper_latents", "latents", "stages")))


def layers(model: Model) -> native.Means | None:
    """Return the networks in native code if it is to find means under the current settings."""
    return _native(model) if current_settings().uses_native_code else None


class Features(NamedTuple):
    """What is known of every place before y is: an array of the layers in native code, or, where there are none, of the networks."""

    array: Floats
    layers: native.Means | None


def begin(model: Model, z_hat: Floats, level: Floats) -> Features:
    """Return the features of a window, from z_hat (Z, h/4, w/4) and the level field (h, w); errors of `runtime.run`."""
    known = layers(model)
    if known is None:
        return Features(model.run("means_z", z_hat=z_hat[None], level=level[None, None])[0], None)
    check_time()
    features = np.empty((*level.shape, known.features), np.float32)
    with at_work:
        known.begin(np.ascontiguousarray(z_hat), np.ascontiguousarray(level, np.float32), features)
    return Features(features, known)


def find(model: Model, stage: int, features: Features, y_hat: Floats) -> Floats:
    """Return the means of a stage's passes (passes * M, h/2, w/2) in steps, one pass after another; errors of `runtime.run`.

    y_hat (M, h, w): the latents of earlier stages, 0 elsewhere.
    """
    if features.layers is None:
        feeds = {"features": features.array}
        if stage:
            feeds["y_hat"] = y_hat[None]
        means: Floats = model.run(f"means_{stage}", **feeds)[0][0]
        return means
    check_time()
    found = _room(model, stage, y_hat, len(y_hat))
    work, rows = features.layers.find, found.shape[1]
    workers.in_rows(work, stage, features.array, y_hat, found, rows=rows, least=passes.LEAST_ROWS)
    return found


def find_first(model: Model, stage: int, features: Features, y_hat: Floats) -> Floats:
    """Return the means of the first of four groups of channels, (passes * M/4, h/2, w/2), by those of the first two: good enough for drafts.

    By native code, whose `features` these must be.
    """
    assert features.layers is not None
    check_time()
    found = _room(model, stage, y_hat, len(y_hat) // 4)
    work, rows = features.layers.draft, found.shape[1]
    workers.in_rows(work, stage, features.array, y_hat, found, rows=rows, least=passes.LEAST_ROWS)
    return found


def _room(model: Model, stage: int, y_hat: Floats, channels: int) -> Floats:
    """Return an array (passes * channels, h / 2, w / 2) for the means of a stage's passes over y_hat (M, h, w)."""
    _, rows, columns = y_hat.shape
    turns = passes.of_stage(stage, model.constants["stages"])
    return np.empty((len(turns) * channels, rows // 2, columns // 2), np.float32)
