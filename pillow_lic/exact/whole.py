"""Whether every pixel as it is may cost less than a coded picture: a look that costs a photograph next to nothing, then a quick coding."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..fileformat import vp8l

Pixels = npt.NDArray[np.uint8]

_ROWS = 8
"""One of so many rows is looked at."""
_BAND_ROWS = 64
"""Of these so many are counted at a time: numpy counts bytes as numbers eight times as large."""
_REPEATS = 2.0
"""Bits by the differences of neighbours for a bit of the file, up to which a quick coding is tried of what shows no drawing.

Photographs have 8 to 15 such bits a pixel, and files of up to a third of that at the highest quality.
"""
SHRINKS = 0.9
"""Bits of the longest search for one of the quick coding, at the least (pages and charts of tests/screens)."""


def may_be_within(pixels: Pixels, most: float, *, is_drawn: bool) -> bool:
    """Return whether pixels (H, W, C) as they are may cost at most so many bits; is_drawn: something in them is known to be drawn."""
    return (is_drawn or _by_neighbours(pixels) <= _REPEATS * most) and SHRINKS * vp8l.bits(pixels) <= most


def _by_neighbours(pixels: Pixels) -> float:
    """Return the information of the differences to the left or the upper pixel, whichever has less, of some rows, scaled to all."""
    height, width = pixels.shape[:2]
    rows = pixels[min(1, height - 1) :: _ROWS]
    above = pixels[::_ROWS][: len(rows)]
    left = np.concatenate([np.zeros_like(rows[:, :1]), rows[:, :-1]], 1)
    least = min(_information(rows - left), _information(rows - above))
    return least * float(height) / len(rows)


def _information(differences: Pixels) -> float:
    """Return the bits of differences (h, w, C) modulo 256, those of the channels apart, the middle one taken off the others."""
    channels = differences.shape[2]
    counts = np.zeros((channels, 256), np.int64)
    for band in np.array_split(differences, max(len(differences) // _BAND_ROWS, 1)):
        for channel in range(channels):
            taken_off = 0 if channel == channels // 2 else band[:, :, channels // 2]
            counts[channel] += np.bincount((band[:, :, channel] - taken_off).ravel(), minlength=256)
    shares = np.maximum(counts, 1) / counts[0].sum()
    return -float((counts * np.log2(shares)).sum())
