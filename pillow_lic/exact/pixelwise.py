"""What is done pixel by pixel, in native code (native/pixelwise.hpp): grounds continued, colours counted and replaced, steps, errors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import _native

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

BLOCK = 16
"""Side of a block in pixels: that of a latent, so that whole latents lie under kept pixels."""
_SHIFT = 2.0
"""How much more the mean error of a cell counts: smooth grounds of one colour show as squares, ripples of as much error hardly at all."""


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
    """Return which pixels of a square (h, w, C) differ by at most so many levels from their four neighbours."""
    return _native.flat(np.ascontiguousarray(colors), within).reshape(colors.shape[:2])


def contrast(colors: Pixels) -> Floats:
    """Return the contrast of every block of a square (h, w, C): steps to left and upper neighbours, in levels, the mean of the channels."""
    return _native.contrast(np.ascontiguousarray(colors)).reshape(_blocks_of(colors))


def errors(shown: Pixels, wanted: Pixels) -> Floats:
    """Return the squared differences of pixels (h, w, C), the mean of their channels, summed over every block."""
    return _native.squared_errors(np.ascontiguousarray(shown), np.ascontiguousarray(wanted)).reshape(_blocks_of(wanted))


def visible_errors(shown: Pixels, wanted: Pixels) -> Floats:
    """Return the same with what shows most counted _SHIFT times more: that cells of 8x8 pixels are lighter, darker or of another tone."""
    both = np.ascontiguousarray(shown), np.ascontiguousarray(wanted)
    shifts: Floats = _native.squared_shifts(*both).reshape(_blocks_of(wanted))
    return errors(*both) + np.float32(_SHIFT) * shifts


def errors_of_marked(marked: Mask, shown: Pixels, wanted: Pixels) -> Floats:
    """Return the same of the marked pixels (h, w) alone."""
    given = np.ascontiguousarray(marked), np.ascontiguousarray(shown), np.ascontiguousarray(wanted)
    return _native.errors_of_marked(*given).reshape(_blocks_of(wanted))


def chosen(marked: Mask, one: Pixels, other: Pixels) -> Pixels:
    """Return the pixels (h, w, C) of one picture where they are marked (h, w), those of the other elsewhere."""
    given = np.ascontiguousarray(marked), np.ascontiguousarray(one), np.ascontiguousarray(other)
    return _native.chosen(*given).reshape(one.shape)


def packed(colors: Pixels) -> npt.NDArray[np.uint32]:
    """Return every pixel (h, w, C) as one number, the last channel in its lowest bits."""
    return _native.packed(np.ascontiguousarray(colors)).reshape(colors.shape[:2])


def sums_of_others(colors: Pixels, gone: Mask) -> tuple[Floats, Floats]:
    """Return the sums of every block's pixels (h, w, C) that are not gone, and how many these are (rows, columns, 1)."""
    sums, counts = _native.sums_of_others(np.ascontiguousarray(colors), np.ascontiguousarray(gone))
    blocks = _blocks_of(gone)
    return sums.reshape(*blocks, colors.shape[2]), counts.reshape(*blocks, 1)


def _blocks_of(colors: npt.NDArray[Any]) -> tuple[int, int]:
    """Return how many rows and columns of blocks pixels (h, w, ...) have."""
    return -(-colors.shape[0] // BLOCK), -(-colors.shape[1] // BLOCK)


def marked(flags: Mask) -> Floats:
    """Return how many pixels of every block are marked in flags (h, w)."""
    return _native.marked(np.ascontiguousarray(flags)).reshape(_blocks_of(flags))


def strokes(colors: Pixels, sides: int, away: int, step: int) -> tuple[Mask, Mask]:
    """Return which pixels (h, w, C) have at least so many equal neighbours of four, and which a step of levels to one so far along an axis."""
    found = _native.strokes(np.ascontiguousarray(colors), sides, away, step).reshape(colors.shape[:2])
    return (found & 1).astype(np.bool_), found > 1


def near_planes(colors: Pixels, places: Rows, planes: Floats, most: float) -> tuple[Mask, Floats]:
    """Return which pixels (n, 256) of blocks are within so many levels of their planes, and the mean square of their distances (n).

    places: raster indexes (n) of whole blocks of a square (h, w, C). planes (n, 3, C): at the middle, from the first row to the row after the
    last, and as much for columns.
    """
    near, noise = _native.near_planes(np.ascontiguousarray(colors), places, np.ascontiguousarray(planes), most)
    return near.reshape(len(places), BLOCK**2), noise


def fitted_planes(colors: Pixels, places: Rows, among: Mask, prior: Floats | None = None, trust: float = 0) -> Floats:
    """Return the planes (n, 3, C) through the marked pixels (n, 256) of blocks, by least squares; of a prior, with so much weight a pixel."""
    flags, before = np.ascontiguousarray(among), None if prior is None else np.ascontiguousarray(prior)
    return _native.fit_planes(np.ascontiguousarray(colors), places, flags, before, trust).reshape(
        len(places), 3, colors.shape[2]
    )


def beside_kinds(
    colors: Pixels, within: Mask, kinds: Pixels, near: int, far: int
) -> tuple[npt.NDArray[np.uint32], Rows]:
    """Return the kind of every pixel (h, w), as a bit, 0 for none, and of kinds (m, C) the pixels beside them of another colour (m, 3).

    within: which pixels of colours (h, w, C) may be of a kind, of 32 at most. Beside them, aslant too, are so many pixels, so many within
    `near` levels of theirs in the channel that differs most, and within `far`.
    """
    own, counts = _native.beside_kinds(np.ascontiguousarray(colors), within, np.ascontiguousarray(kinds), near, far)
    return own.reshape(within.shape), counts.reshape(len(kinds), 3)


def blended_inks(
    pixels: Floats,
    ground: Floats,
    foreground: Mask,
    contrasts: Floats,
    inks: Floats,
    *,
    tolerance: float,
    explained: float,
    seen: int,
    most: int,
) -> tuple[Pixels, Pixels, Mask, Rows]:
    """Return ink (n, 256, C) and cover (n, 256), 0 none to 255, of blocks, which are explained, and how many of their pixels are all ink.

    A block of pixels (n, 256, C) over a ground has at most `most` of the inks (m, C), each of which explains most of what is left of its
    contrasts (n, 256), by one of so many pixels that are seen. foreground: which pixels are no ground. A blend explains a pixel that it
    misses by the tolerance at most, in every channel; a block is explained where so large a part of its contrasts is. The cover of others is 0.
    """
    ink, cover, is_explained, cores = _native.blended_inks(
        pixels, ground, foreground, contrasts, np.ascontiguousarray(inks), tolerance, explained, seen, most
    )
    return ink.reshape(pixels.shape), cover.reshape(foreground.shape), is_explained, cores


def varying(pixels: Floats, ground: Floats, side: int, least: float) -> Mask:
    """Return which pixels (n, 256, C) are in a cell of so many a side whose distances from the ground differ by so many levels or more."""
    return _native.varying(pixels, ground, side, least).reshape(pixels.shape[:2])
