"""One picture on its way into a file, tile by tile."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from . import importance, metrics, residuals, symbols, tiles, transforms, workers
from .importance import Deltas
from .models import ModelSpec
from .reader import Reader
from .symbols import STRIDE, Grid
from .tiles import Tile

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

HALO = 64
"""Pixels around a tile that the analysis sees."""
KEPT_TRUNKS = 16
"""Tiles whose analysis is kept for a rate search (17 bytes a pixel); a larger picture is analysed again."""


class Writer:
    """One picture on its way into a file, at any level.

    With `search` the analysis is kept, so that it runs once for all levels a search tries.
    """

    def __init__(self, spec: ModelSpec, rgb: Pixels, deltas: Deltas | None = None, *, search: bool = False) -> None:
        self.spec, self.rgb, self.deltas = spec, rgb, deltas
        self.height, self.width = rgb.shape[:2]
        self.tile_edge = tiles.choose_tile_edge(self.width, self.height)
        self.grid = tiles.grid(self.width, self.height, self.tile_edge)
        self._keeps = search and len(self.grid) <= KEPT_TRUNKS
        self._trunks: dict[Tile, transforms.Trunk] = {}

    def _trunk(self, tile: Tile) -> transforms.Trunk:
        """The analysis of a tile and its halo, whole blocks of 64 pixels; past the picture its edge is repeated."""
        if tile in self._trunks:
            return self._trunks[tile]
        area = tiles.with_halo(tile, HALO, self.width, self.height).area
        window = self.rgb[area.y0 : area.y1, area.x0 : area.x1]
        down, right = tiles.padded(area.height) - area.height, tiles.padded(area.width) - area.width
        trunk = transforms.analysis(self.spec, np.pad(window, ((0, down), (0, right), (0, 0)), "edge"))
        if self._keeps:
            self._trunks[tile] = trunk
        return trunk

    def _field(self, level: int, tile: Tile, shape: tuple[int, int]) -> Floats:
        """The level field from the tile's first latent on."""
        return importance.level_field(level, self.deltas, shape, tile.y0 // STRIDE, tile.x0 // STRIDE)

    def code(self, level: int, tile: Tile) -> tuple[bytes, Floats]:
        """The payload of a tile, and its y_hat (M, h, w)."""
        window = tiles.with_halo(tile, HALO, self.width, self.height)
        trunk = self._trunk(tile)
        field = self._field(level, window.area, trunk.linear.shape[1:])
        y, z_hat = transforms.latents(self.spec, trunk, field)
        grid = Grid.of(tile.height, tile.width)
        top, left = window.crop.y0 // STRIDE, window.crop.x0 // STRIDE
        y = y[:, top : top + grid.shape[0], left : left + grid.shape[1]]
        z_hat = z_hat[:, top // 4 : top // 4 + grid.hyper[0], left // 4 : left // 4 + grid.hyper[1]]
        field = self._field(level, tile, grid.shape)
        chosen, y_hat = residuals.choose(self.spec, z_hat, y, field, grid)
        return symbols.write(self.spec, z_hat, chosen, level), y_hat

    def payloads(self, level: int) -> list[memoryview]:
        """The payload of every tile; all in one buffer, because kept apart they would split the memory that the networks use."""
        largest = tiles.largest_tile_pixels(self.width, self.height, self.tile_edge)
        stream, ends = bytearray(), [0]
        with workers.over_tiles(len(self.grid), largest) as crew:
            for payload in crew.results(lambda tile: self.code(level, tile)[0], self.grid):
                stream += payload
                ends.append(len(stream))
        return [memoryview(stream)[start:end] for start, end in itertools.pairwise(ends)]

    def psnr(self, level: int) -> float:
        """RGB PSNR in dB of what a reader would see."""
        reader = Reader(self.spec, self.width, self.height, self.tile_edge, level, self.deltas)
        return metrics.psnr(self.rgb, reader.picture(lambda index, _: self.code(level, self.grid[index])[1]))
