"""The place of every value of a map among all of them, which is what MS-ROI goes by (Prakash and others 2017, arXiv 1612.08712)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def percentiles(cells: Floats) -> Floats:
    """Return the place of every value (h, w) among all in -1..+1, 0 in the middle; equal values have one place."""
    ordered, which, counts = np.unique(cells, return_inverse=True, return_counts=True)
    if len(ordered) == 1:
        return np.zeros(cells.shape, np.float32)
    middle = np.cumsum(counts) - counts / 2
    return (2 * middle[which].reshape(cells.shape) / cells.size - 1).astype(np.float32)
