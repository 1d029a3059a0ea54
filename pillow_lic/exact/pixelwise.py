"""What is done pixel by pixel, in native code (native/drawn_pixels.hpp): grounds continued, colours counted and replaced, steps, errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _native

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

BLOCK = 16
"""Side of a block in pixels: that of a latent, so that whole latents lie under kept pixels."""


class Distinct(NamedTuple):
    """The numbers (m) uint32 of an array that differ, ascending; which of them each of the array is (n), and how often each is there (m)."""

    kinds: npt.NDArray[np.uint32]
    places: Rows
    counts: Rows


def distinct(numbers: npt.NDArray[np.uint32]) -> Distinct:
    """Return the numbers (n) that differ."""
    return Distinct(*_native.distinct(np.ascontiguousarray(numbers)))


def continued(colors: Pixels, gone: Mask, means: Floats) -> Pixels:
    """Return colours (h, w, C) whose pixels that are gone are continued by the others, and by the means over blocks of all that stay."""
    given = np.ascontiguousarray(colors), np.ascontiguousarray(gone), np.ascontiguousarray(means)
    return _native.continued(*given).reshape(colors.shape)


def leaders(colors: Pixels, order: Rows, fixed: int, limit: int, most: int) -> Rows:
    """Return the rows of colours (n, C) that stay: in that order the first `fixed`, and each beyond a squared distance of all before.

    At most `most` stay where there are not so many fixed ones.
    """
    return _native.leaders(np.ascontiguousarray(colors), order, fixed, limit, most)


def nearest(colors: Pixels, staying: Pixels) -> Rows:
    """Return, for every colour (n, C), the row of the nearest of those that stay (m, C), the first of several; 0 where none stay."""
    return _native.nearest(np.ascontiguousarray(colors), np.ascontiguousarray(staying))


def flat(colors: Pixels, within: int) -> Mask:
    """Return which pixels of a tile (h, w, C) differ by at most so many levels from their four neighbours."""
    return _native.flat(np.ascontiguousarray(colors), within).reshape(colors.shape[:2])


def contrast(colors: Pixels) -> Floats:
    """Return the contrast of every block of a tile (h, w, C): steps to left and upper neighbours, in levels, the mean of the channels."""
    return _native.contrast(np.ascontiguousarray(colors)).reshape(_blocks_of(colors))


def errors(shown: Pixels, wanted: Pixels) -> Floats:
    """Return the squared differences of pixels (h, w, C), the mean of their channels, summed over every block."""
    return _native.squared_errors(np.ascontiguousarray(shown), np.ascontiguousarray(wanted)).reshape(_blocks_of(wanted))


def _blocks_of(colors: Pixels) -> tuple[int, int]:
    """Return how many rows and columns of blocks pixels (h, w, C) have."""
    return -(-colors.shape[0] // BLOCK), -(-colors.shape[1] // BLOCK)
