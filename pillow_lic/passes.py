"""Which latents each of the four passes codes, and in which order.

Pass t codes, in every 2x2 cell, one place of each of four channel groups, so that every pass has spatial and channel
neighbours that are known already (DCVC-RT). Arrays are (M, h, w); only the h_in x w_in latents inside the picture are coded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

PASSES = 4
ORDER = ((0, 3, 1, 2), (3, 0, 2, 1), (1, 2, 0, 3), (2, 1, 3, 0))
"""ORDER[group][pass]: the place 2 * (row % 2) + col % 2 that is coded."""


def _views(a: Array, t: int, inside: tuple[int, int]) -> Iterator[Array]:
    size = a.shape[0] // 4
    for group in range(4):
        row, column = divmod(ORDER[group][t], 2)
        yield a[group * size : (group + 1) * size, row : inside[0] : 2, column : inside[1] : 2]


def gather(a: Array, t: int, inside: tuple[int, int], dtype: npt.DTypeLike | None = None) -> Array:
    """The latents of pass t in coding order: group, channel, row, column; one-dimensional, of another type if one is given."""
    views = list(_views(a, t, inside))
    values = np.empty(sum(view.size for view in views), dtype or a.dtype)
    start = 0
    for view in views:
        values[start : start + view.size].reshape(view.shape)[...] = view
        start += view.size
    return values


def scatter(a: Array, t: int, inside: tuple[int, int], values: Array) -> None:
    """Write values, in coding order, to the latents of pass t."""
    start = 0
    for view in _views(a, t, inside):
        view[...] = values[start : start + view.size].reshape(view.shape)
        start += view.size


def cells(shape: tuple[int, int], inside: tuple[int, int]) -> npt.NDArray[np.float32]:
    """(4, h, w): 1 where a latent inside the picture has place 0, 1, 2 or 3 of its cell, else 0."""
    result = np.zeros((4, *shape), np.float32)
    for place in range(4):
        row, column = divmod(place, 2)
        result[place, row : inside[0] : 2, column : inside[1] : 2] = 1
    return result
