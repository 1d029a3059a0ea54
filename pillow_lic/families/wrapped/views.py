"""What a network makes of a picture as it is and turned over, averaged: nearer to the original for as many times the work.

    pixels ─▶ as they are, left to right, upside down, both ─restore─▶ turned back ─▶ mean

Its errors of one view are not quite those of another. Blocks of 8x8 stay whole in all of them, if the picture has whole ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

TURNS: Final = ((1, 1), (1, -1), (-1, 1), (-1, -1))
"""Steps down and across of each view."""


def mean_of(run: Callable[[Pixels], Pixels], pixels: Pixels, views: int) -> Pixels:
    """Return what `run` makes of pixels (h, w, 3), (k h, k w, 3), or the mean of what it makes of several views of them."""
    if views == 1:
        return run(pixels)
    made = [run(np.ascontiguousarray(pixels[::down, ::across]))[::down, ::across] for down, across in TURNS[:views]]
    total: npt.NDArray[np.uint16] = np.stack(made).sum(0, np.uint16)
    return ((total + views // 2) // views).astype(np.uint8)
