"""The places of a picture that matter by themselves: the small network behind importance="auto" (onnx_models/recipes/importance/train.py).

It was trained for fewer bits at equal MS-SSIM. Only the encoder runs it: a file carries the map it gave, as any other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..engine import models, runtime
from ..fileformat.areas import with_halo
from ..fileformat.importance_map import CELL, shape_of
from ..fileformat.tiling import Tiling

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

WINDOW = 1024
"""Edge of the squares the network is run on: the map of a huge picture takes no more memory than theirs."""
ALIGN = 64
"""Pixels that the corner of what the network sees is a multiple of."""
SEEN_AROUND = 2 * ALIGN
"""Pixels around a square that the network sees; it reaches 78."""


def values(rgb: Pixels) -> Floats:
    """Return a value in -1..1 for every 16x16 pixels (H, W, 3): less or more important than the rest of the picture."""
    height, width = rgb.shape[:2]
    result = np.empty(shape_of(height, width), np.float32)
    for square in Tiling(width, height, WINDOW).tiles():
        window = with_halo(square, SEEN_AROUND, ALIGN, width, height)
        pixels = rgb[window.area.y0 : window.area.y1, window.area.x0 : window.area.x1]
        down, right = -pixels.shape[0] % CELL, -pixels.shape[1] % CELL
        feeds = {"pixels": np.pad(pixels, ((0, down), (0, right), (0, 0)), "edge")}
        seen = runtime.run(models.importance(), "importance", feeds)[0][0, 0]
        rows, columns = shape_of(square.height, square.width)
        top, left = window.crop.y0 // CELL, window.crop.x0 // CELL
        part = seen[top : top + rows, left : left + columns]
        result[square.y0 // CELL :, square.x0 // CELL :][:rows, :columns] = part
    return result
