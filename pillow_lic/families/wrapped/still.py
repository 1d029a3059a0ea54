"""The rule `still`: areas of one colour are shown as the JPEG has them, because a network could only make them worse.

    decoded blocks of 8x8 ─one colour each?─▶ and all 5x5 around have it? ─▶ still

JPEG keeps the colour of such an area to within half a step, and often exactly; its surroundings tell no more of it (FORMAT.md 14.9).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ...fileformat.areas import Area

Pixels = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Value = TypeVar("Value", bound=np.generic)

BLOCK: Final = 8
"""Pixels of a JPEG block each way."""
REACH: Final = 2
"""A block is still if all blocks up to this far from it have its colour. With less, smooth skies at low quality come out worse."""
PROBES: Final = ((BLOCK - 1, BLOCK - 1), (BLOCK // 2 - 1, BLOCK // 2))
"""Row and column of two pixels of a block that are compared with its first pixel before all are, to be quicker."""


def keep_still(shown: Pixels, decoded: Pixels, area: Area) -> Pixels:
    """Return the shown pixels (h, w, 3) of an area, with the pixels of the decoded picture (H, W, 3) in still blocks.

    area: whole blocks, except at the edges of the picture.
    """
    mask = still_in(decoded, area, lambda pixels: pixels)
    return np.where(mask, decoded[area.slices], shown) if mask.any() else shown


def still_in(pixels: Pixels, area: Area, seen: Callable[[Pixels], npt.NDArray[Any]]) -> Flags:
    """Return which pixels (h, w, 1) of an area of a picture (H, W, 3) lie in still blocks, by the values that `seen` gives for pixels.

    area: whole blocks, except at the edges of the picture.
    """
    halo = BLOCK * REACH
    top, first = max(0, area.y0 - halo), max(0, area.x0 - halo)
    blocks = still(seen(pixels[top : area.y1 + halo, first : area.x1 + halo]))
    return by_pixels(blocks[(area.y0 - top) // BLOCK :, (area.x0 - first) // BLOCK :], area)


def by_pixels(blocks: npt.NDArray[Value], area: Area) -> npt.NDArray[Value]:
    """Return for every pixel of an area, (h, w, 1), the value of its block; `blocks` may have more than those of the area."""
    rows, columns = (-(-length // BLOCK) for length in area.shape)
    pixels = blocks[:rows, :columns].repeat(BLOCK, 0).repeat(BLOCK, 1)
    return pixels[: area.height, : area.width, None]


def still(pixels: npt.NDArray[Any]) -> Flags:
    """Return which blocks of pixels (h, w, C), those at the right and lower edge cut, have one colour with all up to REACH away.

    What lies beyond an edge is as the nearest block inside.
    """
    missing = [(0, -length % BLOCK) for length in pixels.shape[:2]]
    whole = np.pad(pixels, (*missing, (0, 0)), "edge") if any(after for _, after in missing) else pixels
    blocks = whole.reshape(whole.shape[0] // BLOCK, BLOCK, whole.shape[1] // BLOCK, BLOCK, -1)
    colors = blocks[:, 0, :, 0]
    same = [(blocks[:, row, :, column] == colors).all(2) for row, column in PROBES]
    flat: Flags = np.logical_and(*same)
    rows, columns = np.nonzero(flat)  # few: the others are not looked at
    flat[rows, columns] = (blocks[rows, :, columns] == colors[rows, columns][:, None, None]).all((1, 2, 3))
    if not flat.any():
        return flat
    for axis in (0, 1):  # equal to what is around in a column, then in a row: so in the square
        width = [(REACH, REACH) if k == axis else (0, 0) for k in range(3)]
        near, flags = np.pad(colors, width, "edge"), np.pad(flat, width[:2], "edge")
        shifts = [np.arange(flat.shape[axis]) + shift for shift in range(2 * REACH + 1)]
        flat = np.all([flags.take(shift, axis) & (near.take(shift, axis) == colors).all(2) for shift in shifts], axis=0)
    return flat
