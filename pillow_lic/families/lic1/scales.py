"""z_hat and the magnitudes of decoded symbols -> scale indexes: the one exact path (DESIGN 3.1).

Integers carried in float32, on the CPU provider, the same on every machine. Writer and reader both call this module, and
nothing else decides what the range coder reads.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from ...engine import runtime
from ...engine.models import ModelSpec
from . import passes

Floats = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.uint16]

COUNT = 64
"""Scale indexes; more is more deviation."""
DEVIATION_MIN, DEVIATION_MAX = 0.11, 148.0
"""Standard deviation, in quantiser steps, that the first and the last index stand for; those between in equal ratios."""
MAGNITUDE_MAX = 8
ANCHOR_SPACING = 128


@cache
def deviations() -> Floats:
    """Standard deviation of each scale index, (COUNT,), in quantiser steps."""
    return np.geomspace(DEVIATION_MIN, DEVIATION_MAX, COUNT).astype(np.float32)


def features(spec: ModelSpec, z_hat: Floats) -> Floats:
    """z_hat (Z, h/4, w/4) -> features (S, h, w), integers 0..255; computed once a tile."""
    result: Floats = runtime.run(spec, "scales_z", {"z_hat": z_hat[None]}, exact=True)[0][0]
    return result


def indexes(
    spec: ModelSpec, t: int, features: Floats, magnitudes: Floats, level: Floats, inside: tuple[int, int]
) -> Indexes:
    """Scale index 0..63 of the latents that pass t = 0..3 codes, in coding order, uint16.

    magnitudes (M, h, w): `quantiser.magnitudes` of earlier passes, 0 elsewhere; level: the level field (h, w), integers;
    inside: rows and columns that hold pixels.
    """
    feeds = {"features": features[None], "level": level[None, None]}
    if t:
        feeds["magnitudes"] = magnitudes[None]
    return passes.gather_cells(runtime.run(spec, f"scales_{t}", feeds, exact=True)[0][0], t, inside, np.uint16)


def z_indexes(level: int, shape: tuple[int, int, int]) -> Indexes:
    """Table of every hyper-latent, in coding order: its channel's at the anchor nearest to the picture's level."""
    channels, h, w = shape
    anchor = (level + ANCHOR_SPACING // 2) // ANCHOR_SPACING
    first = COUNT + anchor * channels
    return np.repeat(np.arange(first, first + channels, dtype=np.uint16), h * w)
