"""Whether every pixel as it is may cost less than a coded picture: a look that costs a photograph next to nothing, then a quick coding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from . import pixelwise
from .merging import PALETTE

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_ROWS = 8
"""One of so many rows is looked at."""
_BAND = 2**16
"""Pixels that are counted at a time: numpy counts bytes as numbers eight times as large."""
_RUN, _LEAST_NEW = 16, 0.8
"""Pixels of a run, and the part of them that must equal neither neighbour in a photograph."""
_SAMPLE = 2**14
"""Of its pixels about so many tell whether they have few colours."""
_REPEATS = 2.0
"""Bits by the differences of neighbours for a bit of the file, up to which a quick coding is tried of what shows no drawing.

Photographs have 8 to 15 such bits a pixel, and files of up to a third of that at the highest quality.
"""
SHRINKS = 0.9
"""Bits of the longest search for one of the quick coding, at the least (pages and charts of tests/screens)."""


def may_be_within(pixels: Pixels, most: float, bits: Callable[[], int], *, is_drawn: bool) -> bool:
    """Return whether pixels (H, W, C) as they are may cost at most so many bits.

    bits: returns those of a quick coding. is_drawn: something in them is known to be drawn.
    Of what is drawn in part, the photographs alone may be too many.
    """
    return _by_neighbours(pixels, is_drawn=is_drawn) <= _REPEATS * most and SHRINKS * bits() <= most


def _by_neighbours(pixels: Pixels, *, is_drawn: bool) -> float:
    """Return the information of the differences to the left or the upper pixel, whichever has less, of some rows, scaled to all.

    is_drawn: of those alone that are in runs with few equal neighbours, where they have more colours than a palette has room for.
    """
    height, width = pixels.shape[:2]
    rows = pixels[min(1, height - 1) :: _ROWS]
    above = pixels[::_ROWS][: len(rows)]
    left = np.concatenate([np.zeros_like(rows[:, :1]), rows[:, :-1]], 1)
    across, down = rows - left, rows - above
    if is_drawn:
        busy = _busy(across, down)
        among = rows[busy][:: max(1, int(busy.sum()) // _SAMPLE), None]
        if len(np.unique(pixelwise.packed(among))) <= PALETTE:
            return 0.0
        across, down = across[busy][:, None], down[busy][:, None]
    least = min(_information(across), _information(down))
    return least * float(height) / len(rows)


def _busy(across: Pixels, down: Pixels) -> Mask:
    """Return which pixels, by their differences (h, w, C), lie in runs of _RUN most of which equal no neighbour."""
    height, width = across.shape[:2]
    new = across.any(2) & down.any(2)
    runs = np.add.reduceat(new, np.arange(0, width, _RUN), 1, np.intp) > _LEAST_NEW * _RUN
    busy: Mask = runs.repeat(_RUN, 1)[:, :width]
    return busy


def _information(differences: Pixels) -> float:
    """Return the bits of differences (h, w, C) modulo 256, those of the channels apart, the middle one taken off the others."""
    channels = differences.shape[2]
    counts = np.zeros((channels, 256), np.int64)
    for band in np.array_split(differences, max(differences[:, :, 0].size // _BAND, 1)):
        for channel in range(channels):
            taken_off = 0 if channel == channels // 2 else band[:, :, channels // 2]
            counts[channel] += np.bincount((band[:, :, channel] - taken_off).ravel(), minlength=256)
    shares = np.maximum(counts, 1) / counts[0].sum()
    return -float((counts * np.log2(shares)).sum())
