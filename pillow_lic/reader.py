"""One picture on its way out of a file: the latents of all tiles, then the synthesis tile by tile."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import importance, symbols, tiles, transforms
from .importance import Deltas
from .models import ModelSpec
from .symbols import STRIDE, Grid
from .tiles import Tile

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

HALO = 8
"""Latents around a tile that the synthesis sees: the network reaches 10, and the last ones weigh next to nothing."""
MISSING = 128
"""Grey level of a tile that could not be read."""


class Reader:
    """One picture on its way out of a file: latents of all tiles, then the synthesis tile by tile."""

    def __init__(
        self, spec: ModelSpec, width: int, height: int, tile_edge: int, level: int, deltas: Deltas | None
    ) -> None:
        self.spec, self.width, self.height, self.level, self.deltas = spec, width, height, level, deltas
        self.grid = tiles.grid(width, height, tile_edge)
        self.inside = Grid.of(height, width).inside
        self._y_hat = np.zeros((spec.latents, *self.inside), np.float32)
        self._missing: set[Tile] = set()

    def read(self, tile: Tile, payload: memoryview | bytes) -> None:
        """Parse and reconstruct one tile."""
        grid = Grid.of(tile.height, tile.width)
        deltas = importance.window(self.deltas, tile.y0 // STRIDE, tile.x0 // STRIDE, grid.shape)
        field = importance.level_field(self.level, deltas, grid.shape)
        z_hat, r = symbols.read(self.spec, payload, self.level, field, grid)
        self.put(tile, transforms.reconstruct(self.spec, z_hat, r, field, grid.cells))

    def put(self, tile: Tile, y_hat: Floats) -> None:
        """Take the latents (M, h, w) of one tile; what lies outside the picture is dropped."""
        top, left = tile.y0 // STRIDE, tile.x0 // STRIDE
        rows, columns = Grid.of(tile.height, tile.width).inside
        self._y_hat[:, top : top + rows, left : left + columns] = y_hat[:, :rows, :columns]

    def miss(self, tile: Tile) -> None:
        """The tile is damaged or missing: it will be grey."""
        self._missing.add(tile)

    def picture(self) -> Pixels:
        """Pixels (H, W, 3) uint8."""
        rgb = np.empty((self.height, self.width, 3), np.uint8)
        for tile in self.grid:
            target = rgb[tile.y0 : tile.y1, tile.x0 : tile.x1]
            target[...] = MISSING if tile in self._missing else self._synthesise(tile)
        return rgb

    def _synthesise(self, tile: Tile) -> Pixels:
        top, left = tile.y0 // STRIDE, tile.x0 // STRIDE
        rows, columns = Grid.of(tile.height, tile.width).inside
        y0, x0 = max(0, top - HALO), max(0, left - HALO)
        y1, x1 = min(self.inside[0], top + rows + HALO), min(self.inside[1], left + columns + HALO)
        shape = (y1 - y0, x1 - x0)
        field = importance.level_field(self.level, importance.window(self.deltas, y0, x0, shape), shape)
        pixels = transforms.synthesis(self.spec, self._y_hat[:, y0:y1, x0:x1], field)
        down, right = (top - y0) * STRIDE, (left - x0) * STRIDE
        return pixels[down : down + tile.height, right : right + tile.width]
