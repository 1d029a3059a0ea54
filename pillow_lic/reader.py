"""One picture on its way out of a file: latents tile by tile, and the synthesis one row of tiles behind."""

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
    """One picture on its way out of a file; its tiles come in raster order.

    A row of tiles is synthesised once the row below is there, so that the latents of three rows are held, never of all: a
    halo does not reach farther (HALO latents are the edge of the smallest tile).
    """

    def __init__(
        self, spec: ModelSpec, width: int, height: int, tile_edge: int, level: int, deltas: Deltas | None
    ) -> None:
        self.spec, self.level, self.deltas = spec, level, deltas
        self.grid = tiles.grid(width, height, tile_edge)
        self.inside = Grid.of(height, width).inside
        self._pitch, self._columns = tile_edge // STRIDE, sum(tile.y0 == 0 for tile in self.grid)
        self._rgb = np.empty((height, width, 3), np.uint8)
        self._taken = 0
        self._bands: dict[int, Floats] = {}
        self._missing: set[Tile] = set()

    def read(self, tile: Tile, payload: memoryview | bytes) -> None:
        """Parse and reconstruct the next tile."""
        grid = Grid.of(tile.height, tile.width)
        deltas = importance.window(self.deltas, tile.y0 // STRIDE, tile.x0 // STRIDE, grid.shape)
        field = importance.level_field(self.level, deltas, grid.shape)
        z_hat, r = symbols.read(self.spec, payload, self.level, field, grid)
        self.put(tile, transforms.reconstruct(self.spec, z_hat, r, field, grid.cells))

    def put(self, tile: Tile, y_hat: Floats) -> None:
        """Take the latents (M, h, w) of the next tile; what lies outside the picture is dropped."""
        rows, columns = Grid.of(tile.height, tile.width).inside
        left = tile.x0 // STRIDE
        self._band(tile)[:, :, left : left + columns] = y_hat[:, :rows, :columns]
        self._take()

    def miss(self, tile: Tile) -> None:
        """The next tile is damaged or missing: it will be grey."""
        self._band(tile)
        self._missing.add(tile)
        self._take()

    def picture(self) -> Pixels:
        """Pixels (H, W, 3) uint8, when every tile was read, put or missed."""
        return self._rgb

    def _band(self, tile: Tile) -> Floats:
        """The latents of the row that the tile is in, 0 where none have come."""
        row = self._taken // self._columns
        if row not in self._bands:
            rows = Grid.of(tile.height, tile.width).inside[0]
            self._bands[row] = np.zeros((self.spec.latents, rows, self.inside[1]), np.float32)
        return self._bands[row]

    def _take(self) -> None:
        self._taken += 1
        row, column = divmod(self._taken, self._columns)
        last = self._taken == len(self.grid)
        if column == 0 and row > 1:
            self._show(row - 2)
        if last:
            self._show(row - 1)

    def _show(self, row: int) -> None:
        """Synthesise a row of tiles; the row above it is needed no more."""
        for tile in self.grid[row * self._columns : (row + 1) * self._columns]:
            target = self._rgb[tile.y0 : tile.y1, tile.x0 : tile.x1]
            target[...] = MISSING if tile in self._missing else self._synthesise(tile)
        self._bands.pop(row - 1, None)

    def _synthesise(self, tile: Tile) -> Pixels:
        top, left = tile.y0 // STRIDE, tile.x0 // STRIDE
        rows, columns = Grid.of(tile.height, tile.width).inside
        y0, x0 = max(0, top - HALO), max(0, left - HALO)
        y1, x1 = min(self.inside[0], top + rows + HALO), min(self.inside[1], left + columns + HALO)
        shape = (y1 - y0, x1 - x0)
        field = importance.level_field(self.level, importance.window(self.deltas, y0, x0, shape), shape)
        bands = ((row * self._pitch, band) for row, band in self._bands.items())
        parts = [band[:, max(0, y0 - start) : max(0, y1 - start), x0:x1] for start, band in bands]
        pixels = transforms.synthesis(self.spec, np.concatenate(parts, 1), field)
        down, right = (top - y0) * STRIDE, (left - x0) * STRIDE
        return pixels[down : down + tile.height, right : right + tile.width]
