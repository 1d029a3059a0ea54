"""The four passes over the latents of a tile: which latents each codes, in which order, and what is known of them before.

Pass t codes, in every 2x2 cell, one place of each of four channel groups, so that every pass has spatial and channel
neighbours that are known already (DCVC-RT). Arrays are (M, h, w), those of a pass by cells (M, h/2, w/2); only the h_in x w_in
latents inside the picture are coded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ...fileformat.areas import Area

Array = npt.NDArray[Any]

PASSES = 4
ORDER = ((0, 3, 1, 2), (3, 0, 2, 1), (1, 2, 0, 3), (2, 1, 3, 0))
"""ORDER[group][pass]: the place 2 * (row % 2) + col % 2 that is coded."""

LEAST_ROWS = 8
"""Rows of cells of a pass that a thread finds at least: the first layers of native code look at a row of cells above and below."""


class Context(Protocol):
    """A prediction of the latents of every pass, made from those of earlier passes."""

    def before(self, t: int) -> Array:
        """Return what is known of the latents that pass t codes, in coding order."""

    def after(self, t: int, values: Array) -> None:
        """Take the values that pass t coded, in coding order."""


def each(code: Callable[[int], Array], *contexts: Context) -> None:
    """Run all passes: `code(t)` returns the values that pass t codes, and the contexts learn them before the next."""
    for t in range(PASSES):
        values = code(t)
        for context in contexts:
            context.after(t, values)


def of_stage(stage: int, stages: int) -> range:
    """Return the passes whose means and scales the networks of a stage find in one go: one each, all that are left in the last."""
    return range(stage, PASSES if stage == stages - 1 else stage + 1)


class Shared:
    """The outputs of networks that each serve all passes of a stage: (passes * M, h/2, w/2), one pass after another.

    keeps: those of the first stage, which know no values, are found once, however often the passes begin anew.
    """

    def __init__(self, stages: int, *, keeps: bool = False) -> None:
        self._stages, self._keeps = stages, keeps
        self._begun: Array | None = None

    def of_pass(self, t: int, run: Callable[[int], Array]) -> Array:
        """Return what the network found of pass t, (M, h/2, w/2); passes come in their order.

        run: runs the network of a stage, when its first pass comes. It is not kept: a method of the owner would keep the owner,
        and its arrays, until Python looks for cycles.
        """
        coded = of_stage(min(t, self._stages - 1), self._stages)
        if t == coded[0]:
            self._found = run(min(t, self._stages - 1)) if t or self._begun is None else self._begun
            if not t and self._keeps:
                self._begun = self._found
        channels, turn = len(self._found) // len(coded), t - coded[0]
        return self._found[channels * turn : channels * (turn + 1)]


def _groups(a: Array, t: int) -> Iterator[tuple[Array, int, int]]:
    """Yield each group's channels, and the row and column of its place in a cell."""
    size = a.shape[0] // 4
    for group in range(4):
        yield a[group * size : (group + 1) * size], *divmod(ORDER[group][t], 2)


def _views(a: Array, t: int, inside: tuple[int, int]) -> list[Array]:
    return [part[:, row : inside[0] : 2, column : inside[1] : 2] for part, row, column in _groups(a, t)]


def _in_order(views: Sequence[Array], dtype: npt.DTypeLike) -> Array:
    values = np.empty(sum(view.size for view in views), dtype)
    start = 0
    for view in views:
        values[start : start + view.size].reshape(view.shape)[...] = view
        start += view.size
    return values


def gather(a: Array, t: int, inside: tuple[int, int]) -> Array:
    """Return the latents of pass t in coding order: group, channel, row, column; one-dimensional."""
    return _in_order(_views(a, t, inside), a.dtype)


def gather_cells(a: Array, t: int, inside: tuple[int, int], dtype: npt.DTypeLike) -> Array:
    """Return a network's output for the latents of pass t, (M, h/2, w/2), each in the row and column of its cell, in coding order."""
    h, w = inside
    views = [part[:, : (h + 1 - row) // 2, : (w + 1 - column) // 2] for part, row, column in _groups(a, t)]
    return _in_order(views, dtype)


def scatter(a: Array, t: int, inside: tuple[int, int], values: Array) -> None:
    """Write values, in coding order, to the latents of pass t."""
    start = 0
    for view in _views(a, t, inside):
        view[...] = values[start : start + view.size].reshape(view.shape)
        start += view.size


def of_window(values: Array, t: int, inside: tuple[int, int], window: Area) -> Array:
    """Return those values of pass t that lie in a window, in coding order; the window begins at an even row and column.

    values: those of all latents inside the picture, in coding order.
    """
    if window.shape == inside:
        return values
    corners = [divmod(place, 2) for place in places(t)]
    sizes = [((inside[0] + 1 - row) // 2, (inside[1] + 1 - column) // 2) for row, column in corners]
    channels = len(values) // sum(rows * columns for rows, columns in sizes)
    start, views = 0, list[Array]()
    for (row, column), (rows, columns) in zip(corners, sizes, strict=True):
        part = values[start : start + channels * rows * columns].reshape(channels, rows, columns)
        start += part.size
        seen_rows = slice(window.y0 // 2, (window.y1 + 1 - row) // 2)
        views.append(part[:, seen_rows, window.x0 // 2 : (window.x1 + 1 - column) // 2])
    return _in_order(views, values.dtype)


def spread(parts: Sequence[Array], shape: tuple[int, int, int], inside: tuple[int, int]) -> Array:
    """Return the values of all passes, each in coding order, at their latents (M, h, w); 0 outside the picture."""
    result = np.zeros(shape, parts[0].dtype)
    for t, values in enumerate(parts):
        scatter(result, t, inside, values)
    return result


def places(t: int) -> tuple[int, int, int, int]:
    """Return the place in a cell that pass t codes of each channel group."""
    first, second, third, last = (order[t] for order in ORDER)
    return first, second, third, last


def cells(shape: tuple[int, int], inside: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return (4, h, w): 1 where a latent inside the picture has place 0, 1, 2 or 3 of its cell, else 0."""
    result = np.zeros((4, *shape), np.float32)
    for place in range(4):
        row, column = divmod(place, 2)
        result[place, row : inside[0] : 2, column : inside[1] : 2] = 1
    return result
