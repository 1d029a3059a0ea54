"""Channels: from the pixels of a mode to the colours that families code, and from decoded colours to pixels of the mode."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .families import Put
from .fileformat.areas import Area
from .fileformat.header import Header

Pixels = npt.NDArray[np.uint8]


def as_rgb(pixels: Pixels, mode: str) -> Pixels:
    """Return pixels (H, W, C) of a mode as (H, W, 3); grey becomes three equal channels."""
    return np.repeat(pixels[:, :, :1], 3, 2) if mode in ("L", "LA") else pixels[:, :, :3]


_BAND_ROWS = 64
"""Rows that are compared at a time: most colour pictures differ from grey ones in the first of these bands."""


def are_equal(pixels: Pixels, mode: str) -> bool:
    """Whether the three channels of pixels (H, W, C) of mode RGB or RGBA are equal."""
    if mode in ("L", "LA"):
        return False
    bands = (pixels[top : top + _BAND_ROWS] for top in range(0, len(pixels), _BAND_ROWS))
    return all(np.array_equal(band[:, :, :2], band[:, :, 1:3]) for band in bands)


def in_mode(put: Put, header: Header, plane: Pixels | None) -> Put:
    """Return a function that takes decoded colours, and passes on pixels of the picture's mode with their part of the alpha plane.

    Colours are (h, w, 1), (h, w, 3), or (h, w, 4) with alpha in the tile.
    """

    def put_decoded(area: Area, decoded: Pixels) -> None:
        shown = decoded[:, :, :3]
        if shown.shape[2] == 3 and (header.is_grey or header.mode in ("L", "LA")):
            shown = ((shown.sum(2, dtype=np.uint16, keepdims=True) + 1) // 3).astype(np.uint8)
        if shown.shape[2] == 1 and header.mode in ("RGB", "RGBA"):
            shown = as_rgb(shown, "L")
        if header.has_alpha:
            if plane is not None:
                opacity = plane[area.slices][:, :, None]
            else:
                opacity = decoded[:, :, 3:] if decoded.shape[2] == 4 else np.full_like(decoded[:, :, :1], 255)
            shown = np.concatenate([shown, opacity], 2)
        put(area, shown)

    return put_decoded
