"""The gate: a second, small network that says for each block how much of the first one's change is shown.

    decoded picture, what would be shown ─gate─▶ 0..1 of luma, 0..1 of colours, by blocks ─▶ that much of the change

The restoring network learned on photographs. It moves some gradients, screens and strong colours away from the original, and that is
easier to tell once its result is there (FORMAT.md 14.9). Models without a gate show the whole change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from .calm import LEVEL, levels, lightened, luma
from .still import BLOCK

if TYPE_CHECKING:
    from ...engine.models import Model
    from ...fileformat.areas import Area

Pixels = npt.NDArray[np.uint8]
Shares = npt.NDArray[np.float32]

ROLE: Final = "gate"
"""The role of the network. The constant `gate_margin` says how many pixels around a block it sees."""


def gated(model: Model, shown: Pixels, decoded: Pixels, told: Mapping[str, npt.NDArray[Any]], area: Area) -> Pixels:
    """Return the pixels (h, w, 3) of an area between the decoded picture (H, W, 3), gate closed, and the shown ones, gate open.

    told: as of `restoration.told`. area: whole blocks, except at the edges of the picture. Luma is mixed in whole levels: rounding three
    channels would move it where both pictures have it nearly right.
    """
    if ROLE not in model.files:
        return shown
    opened = shares(model, shown, decoded, told, area)
    rows, columns = np.nonzero(np.any(opened < 1, axis=0))
    if not rows.size:
        return shown
    missing = [(0, -length % BLOCK) for length in area.shape]
    old, new = decoded[area.slices], shown
    if any(after for _, after in missing):
        old, new = (np.pad(pixels, (*missing, (0, 0)), "edge") for pixels in (old, new))
    result = new.copy()
    _blocks(result)[rows, :, columns] = mixed(
        _blocks(old)[rows, :, columns], _blocks(new)[rows, :, columns], *opened[:, rows, columns, None, None]
    )
    return result[: area.height, : area.width]


def _blocks(pixels: Pixels) -> Pixels:
    """Return a view (rows, 8, columns, 8, 3) of whole blocks."""
    return pixels.reshape(pixels.shape[0] // BLOCK, BLOCK, -1, BLOCK, 3)


def mixed(old: Pixels, new: Pixels, of_luma: Shares, of_colors: Shares) -> Pixels:
    """Return blocks (n, 8, 8, 3) between old and new ones: of_luma, of_colors (n, 1, 1) are the parts, 0 to 1, that are as in the new."""
    before, after = luma(old), luma(new)
    moved = new.astype(np.float32)
    moved -= old
    moved *= of_colors[..., None]
    moved += ((of_luma - of_colors) / LEVEL * (after - before))[..., None]
    moved += old
    result = np.rint(moved, out=moved).clip(0, 255).astype(np.uint8)
    first = levels(before)
    wanted = first + np.rint(of_luma * (levels(after) - first)).astype(np.int32)
    change = LEVEL * wanted - luma(result)
    far = levels(change) != 0
    result[far] = lightened(result[far], change[far])
    return np.where(((of_luma == 0) & (of_colors == 0))[..., None], old, result)


def shares(model: Model, shown: Pixels, decoded: Pixels, told: Mapping[str, npt.NDArray[Any]], area: Area) -> Shares:
    """Return how far the gate is open, 0 to 1, for luma and for colours in every block of an area, (2, rows, columns)."""
    halo = model.constants[f"{ROLE}_margin"]
    top, first = max(0, area.y0 - halo), max(0, area.x0 - halo)
    seen = decoded[top : area.y1 + halo, first : area.x1 + halo]
    change = seen.copy()
    change[area.y0 - top : area.y1 - top, area.x0 - first : area.x1 - first] = shown
    missing = [(0, -length % BLOCK) for length in seen.shape[:2]] + [(0, 0)]
    pictures = {"decoded": np.pad(seen, missing, "edge"), "shown": np.pad(change, missing, "edge")}
    opened: Shares = model.run(ROLE, **pictures, **told)[0][0]
    row, column = (area.y0 - top) // BLOCK, (area.x0 - first) // BLOCK
    rows, columns = (-(-length // BLOCK) for length in area.shape)
    return opened[:, row : row + rows, column : column + columns]
