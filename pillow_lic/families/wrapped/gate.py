"""How much of what a network changes in a JPEG picture is shown, in each block: a small network of its own says so.

    decoded picture, what would be shown ─gate─▶ 0..1 of luma, 0..1 of colours, by blocks ─▶ that much of the change

The large one learned on photographs, and what it makes of some gradients, screens and strong colours is farther from the original than
the JPEG was. From what it changes that can be told better than beforehand (FORMAT.md 14.9). Models without a gate show all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from .calm import LEVEL, SHARES, levels, lightened, luma
from .still import BLOCK, by_pixels

if TYPE_CHECKING:
    from ...engine.models import Model
    from ...fileformat.areas import Area

Pixels = npt.NDArray[np.uint8]
Shares = npt.NDArray[np.float32]

ROLE: Final = "gate"
"""The role of the network, and with `_margin` the constant that says how many pixels around a block it sees."""


def gated(model: Model, shown: Pixels, decoded: Pixels, told: Mapping[str, npt.NDArray[Any]], area: Area) -> Pixels:
    """Return shown pixels (h, w, 3) of an area of a picture, changed from the decoded one (H, W, 3) as far as the gate is open.

    told: what networks are told of the JPEG file. area: whole blocks, but where the picture ends. Luma is mixed in whole levels: rounding
    three channels would move it where both pictures have it nearly right.
    """
    if ROLE not in model.files:
        return shown
    before = decoded[area.slices]
    opened = shares(model, shown, decoded, told, area)
    partly: npt.NDArray[np.bool_] = np.any(opened < 1, axis=0)
    near = by_pixels(partly, area)[:, :, 0]
    if not near.any():
        return shown
    of_luma, of_colors = (by_pixels(share, area)[near] for share in opened)
    old, new = before[near], shown[near]
    change = new.astype(np.float32) - old
    lighter = change @ (np.array(SHARES, np.float32) / LEVEL)
    moved = old + (of_luma * lighter[:, None] + of_colors * (change - lighter[:, None]))
    mixed = np.rint(moved).clip(0, 255).astype(np.uint8)
    first, last = levels(luma(old)), levels(luma(new))
    wanted = first + np.rint(of_luma[:, 0] * (last - first)).astype(np.int32)
    mixed = lightened(mixed, LEVEL * wanted - luma(mixed))
    shut = (of_luma[:, 0] == 0) & (of_colors[:, 0] == 0)
    mixed[shut] = old[shut]
    result = shown.copy()
    result[near] = mixed
    return result


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
    return opened[:, (area.y0 - top) // BLOCK :, (area.x0 - first) // BLOCK :]
