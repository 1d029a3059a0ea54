"""What matters in a picture by itself: the small network behind importance="auto" (onnx_models/recipes/importance.py).

It was trained for fewer bits at equal MS-SSIM. Only the encoder runs it: a file carries the map it gave, as any other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import models, runtime, tiles
from .limits import TILE_ALIGN
from .symbols import STRIDE, Grid

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

WINDOW = 1024
"""Edge of the squares the network is run on: the map of a huge picture takes no more memory than theirs."""
HALO = 2 * TILE_ALIGN
"""Pixels around a square that the network sees; it reaches 78."""


def values(rgb: Pixels) -> Floats:
    """Pixels (H, W, 3) -> one value in -1..1 for every latent: less or more important than the rest of the picture."""
    height, width = rgb.shape[:2]
    result = np.empty(Grid.of(height, width).inside, np.float32)
    for square in tiles.grid(width, height, WINDOW):
        window = tiles.with_halo(square, HALO, width, height)
        pixels = rgb[window.area.y0 : window.area.y1, window.area.x0 : window.area.x1]
        down, right = -pixels.shape[0] % STRIDE, -pixels.shape[1] % STRIDE
        feeds = {"pixels": np.pad(pixels, ((0, down), (0, right), (0, 0)), "edge")}
        seen = runtime.run(models.importance(), "importance", feeds)[0][0, 0]
        rows, columns = Grid.of(square.height, square.width).inside
        top, left = window.crop.y0 // STRIDE, window.crop.x0 // STRIDE
        part = seen[top : top + rows, left : left + columns]
        result[square.y0 // STRIDE :, square.x0 // STRIDE :][:rows, :columns] = part
    return result
