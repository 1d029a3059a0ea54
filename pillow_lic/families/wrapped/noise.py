"""The rule `noise`: noise is shown as the JPEG has it, because a network that learned on photographs would smooth it away.

    luma of decoded blocks ─DCT─▶ those of high frequencies above half a step ─▶ most of them, all around? ─▶ noise

In photographs most coefficients of high frequencies are 0 in the file, and a network does well to make the others smaller. In noise, the
original values are spread evenly over each step of the quantiser, so its middle, which the file gives, is the best guess (FORMAT.md 14.9).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from .held import BLOCK, LUMA, basis, blocks
from .still import by_pixels

if TYPE_CHECKING:
    from ...fileformat.areas import Area

Pixels = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

HIGH: Final = 8
"""A coefficient is of high frequency if its two frequencies, each 0 to 7, add up to this or more."""
REACH: Final = 2
"""A block is judged by the mean over the blocks up to this far from it."""
PERCENT: Final = 55
"""A place is noise if at least this part of its coefficients of high frequency is above half a step. Photographs have hardly any such
places below quality 93, and a network takes away less than a tenth of the error there."""


def keep_noise(shown: Pixels, decoded: Pixels, steps: Floats, area: Area) -> Pixels:
    """Return the shown pixels (h, w, 3) of an area, with the pixels of the decoded picture (H, W, 3) where they are noise.

    steps: of the quantiser of luma, (64,), frequencies in raster order. area: whole blocks, except at the edges of the picture.
    """
    halo = BLOCK * REACH
    top, first = max(0, area.y0 - halo), max(0, area.x0 - halo)
    noisy = noise(decoded[top : area.y1 + halo, first : area.x1 + halo], steps)
    mask = by_pixels(noisy[(area.y0 - top) // BLOCK :, (area.x0 - first) // BLOCK :], area)
    return np.where(mask, decoded[area.slices], shown) if mask.any() else shown


def noise(pixels: Pixels, steps: Floats) -> Flags:
    """Return which blocks of pixels (h, w, 3) are noise; blocks that the right or lower edge cuts are filled by repeating pixels."""
    missing = [(0, -length % BLOCK) for length in pixels.shape[:2]]
    luma = np.pad(pixels @ LUMA, missing, "edge")
    rows, columns = (length // BLOCK for length in luma.shape)
    high, waves = _high()
    found = blocks(luma[:, :, None]).reshape(rows * columns, -1) @ waves
    counts = (2 * np.abs(found) > steps[high]).sum(1).reshape(rows, columns)
    reach = range(2 * REACH + 1)
    for axis in (0, 1):
        width = [(REACH, REACH) if k == axis else (0, 0) for k in (0, 1)]
        wide, length = np.pad(counts, width, "edge"), counts.shape[axis]
        counts = np.sum([wide.take(range(shift, shift + length), axis) for shift in reach], axis=0)
    flags: Flags = 100 * counts >= PERCENT * len(reach) ** 2 * len(high)
    return flags


@cache
def _high() -> tuple[npt.NDArray[np.intp], Floats]:
    """Return the numbers of the high frequencies in raster order, (n,), and what the DCT of a block of 64 samples multiplies for each."""
    k = np.arange(BLOCK)
    high = np.flatnonzero(k[:, None] + k >= HIGH)
    return high, np.kron(basis(), basis())[high].T.copy()
