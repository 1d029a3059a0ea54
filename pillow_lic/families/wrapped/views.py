"""The mean of what a network makes of several views of a picture: as it is, and mirrored.

    pixels ─▶ as they are, left to right, upside down, both ─restore─▶ turned back ─▶ mean

The network errs differently on each view, so the mean is nearer to the original, for as many times the work. A mirrored picture still
begins with a whole block of 8x8 pixels if all of its blocks are whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

TURNS: Final = ((1, 1), (1, -1), (-1, 1), (-1, -1))
"""Steps down and across by which each view goes through the pixels; -1 mirrors."""


def mean_of(run: Callable[[Pixels], Pixels], pixels: Pixels, views: int) -> Pixels:
    """Return the mean of what `run` makes, (k h, k w, 3), of that many views of pixels (h, w, 3)."""
    if views == 1:
        return run(pixels)
    made = [run(np.ascontiguousarray(pixels[::down, ::across]))[::down, ::across] for down, across in TURNS[:views]]
    total: npt.NDArray[np.uint16] = np.stack(made).sum(0, np.uint16)
    return ((total + views // 2) // views).astype(np.uint8)
