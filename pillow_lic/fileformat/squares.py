"""Sums over the squares of a plane, and the pixels in each; fewer at the right and bottom edge."""

from typing import Any

import numpy as np
import numpy.typing as npt


def sums(values: npt.NDArray[np.generic], side: int, dtype: npt.DTypeLike = np.float32) -> npt.NDArray[Any]:
    """Return the sums, of that type, over squares of `side` pixels of an array (H, W) or (H, W, C)."""
    rows, columns = (np.arange(0, length, side) for length in values.shape[:2])
    result: npt.NDArray[Any] = np.add.reduceat(np.add.reduceat(values, rows, 0, dtype), columns, 1)
    return result


def counts(shape: tuple[int, ...], side: int) -> npt.NDArray[np.intp]:
    """Return how many pixels each square of `side` has in a plane of that shape."""
    rows, columns = (np.minimum(side, length - np.arange(0, length, side)) for length in shape[:2])
    return rows[:, None] * columns
