"""The rule `calm`: where the network changes luma by next to nothing, the luma of the JPEG is shown.

    luma of what is shown, less that of the decoded picture ─by blocks─▶ small? or one luma all around? ─▶ the decoded picture's luma

On a smooth gradient, JPEG at high quality is within half a level of the original. A change of luma that is smaller than that loses more
by rounding to whole levels than it gains; chroma is coarser, and worth mending (FORMAT.md 14.9). Luma is counted in whole thousandths of
a level, so that every machine decides alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from .still import BLOCK, by_pixels, still_in

if TYPE_CHECKING:
    from ...fileformat.areas import Area

Pixels = npt.NDArray[np.uint8]
Thousandths = npt.NDArray[np.int32]

LEVEL: Final = 1000
"""One level of 8 bits, in thousandths."""
SHARES: Final = (299, 587, 114)
"""Shares of R, G and B in luma (ITU-T T.871, 7)."""
SMALL: Final = 500
"""A block whose root mean square change is below this keeps its luma: by such changes photographs gain less than gradients lose."""
LARGE: Final = 8 * SMALL
"""A block of 64 pixels in which one changes by this or more is not below SMALL, whatever the others do."""


def calmed(shown: Pixels, decoded: Pixels, area: Area) -> Pixels:
    """Return the shown pixels (h, w, 3) of an area, with the luma of the decoded picture (H, W, 3) in some of the blocks.

    These are the blocks whose luma the network changes by less than SMALL, and those that `still_in` finds to have one luma all around.
    Their luma in whole levels becomes that of the decoded picture: G takes the first level of the change, all three channels the rest,
    as far as 0 and 255 allow. If such a block also has one tint all around, its decoded pixels are taken. area: whole blocks, except
    at the edges of the picture.
    """
    change = LEVEL * levels(luma(decoded[area.slices])) - luma(shown)
    near = by_pixels(_small(change), area) | still_in(decoded, area, lambda p: levels(luma(p))[:, :, None])
    if not near.any():
        return shown
    chosen, result = near[:, :, 0], shown.copy()
    result[chosen] = lightened(shown[chosen], change[chosen])
    tinted = (near & still_in(decoded, area, _tints))[:, :, 0]
    result[tinted] = decoded[area.slices][tinted]
    return result


def _tints(pixels: Pixels) -> npt.NDArray[np.uint16]:
    """Return R - G and B - G of pixels (h, w, 3), modulo 256, as one number each, (h, w, 1)."""
    red, green, blue = np.moveaxis(pixels, 2, 0)
    tints: npt.NDArray[np.uint16] = (red - green).astype(np.uint16) << 8
    tints |= blue - green
    return tints[:, :, None]


def lightened(pixels: Pixels, change: Thousandths) -> Pixels:
    """Return pixels (n, 3) whose luma in whole levels is changed by changes (n,): G takes the first level, and all three the rest."""
    green = levels(change).clip(-1, 1)
    moved = pixels + levels(change - SHARES[1] * green)[:, None]
    moved[:, 1] += green
    return moved.clip(0, 255).astype(np.uint8)


def luma(pixels: Pixels) -> Thousandths:
    """Return the luma (h, w) of pixels (h, w, 3)."""
    found: Thousandths = pixels.astype(np.int32) @ np.array(SHARES, np.int32)
    return found


def levels(thousandths: Thousandths) -> Thousandths:
    """Return the nearest whole levels, halves upwards."""
    return (thousandths + LEVEL // 2) // LEVEL


def _small(change: Thousandths) -> npt.NDArray[np.bool_]:
    """Return the blocks of changes (h, w), those at the right and lower edge cut, whose root mean square is below SMALL."""
    squares = change.clip(-LARGE, LARGE) ** 2
    whole = np.pad(squares, [(0, -length % BLOCK) for length in change.shape])
    sums = whole.reshape(whole.shape[0] // BLOCK, BLOCK, -1, BLOCK).sum((1, 3))
    rows, columns = ((length - np.arange(0, length, BLOCK)).clip(max=BLOCK) for length in change.shape)
    flags: npt.NDArray[np.bool_] = sums < SMALL**2 * rows[:, None] * columns
    return flags
