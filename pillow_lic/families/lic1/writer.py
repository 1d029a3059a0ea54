"""One picture on its way into a file, tile by tile."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from ... import metrics
from ...engine import workers
from ...engine.models import ModelSpec
from ...fileformat import importance_map, tiles
from ...fileformat.importance_map import Deltas
from ...fileformat.tiles import Tile, Window
from . import refinement, residuals, symbols, transforms
from .reader import Reader
from .symbols import STRIDE, Grid

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

HALO = 64
"""Pixels around a tile that the analysis sees."""
KEPT_TRUNKS = 16
"""Tiles whose analysis is kept for a rate search (17 bytes a pixel); a larger picture is analysed again."""


class Writer:
    """One picture on its way into a file, at any level, its latents refined in `effort` steps.

    With `search` the analysis is kept, so that it runs once for all levels a search tries.
    """

    def __init__(
        self, spec: ModelSpec, rgb: Pixels, deltas: Deltas | None = None, *, search: bool = False, effort: int = 0
    ) -> None:
        self.spec, self.rgb, self.deltas, self.effort = spec, rgb, deltas, effort
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
        trunk = transforms.analysis(self.spec, self._pixels(area, tiles.padded(area.height), tiles.padded(area.width)))
        if self._keeps:
            self._trunks[tile] = trunk
        return trunk

    def _pixels(self, area: Tile, height: int, width: int) -> Pixels:
        """The pixels of an area, whose right and bottom edges are repeated up to that size."""
        missing = ((0, height - area.height), (0, width - area.width), (0, 0))
        return np.pad(self.rgb[area.y0 : area.y1, area.x0 : area.x1], missing, "edge")

    def _field(self, level: int, tile: Tile, shape: tuple[int, int]) -> Floats:
        """The level field from the tile's first latent on."""
        return importance_map.level_field(level, self.deltas, shape, tile.y0 // STRIDE, tile.x0 // STRIDE)

    def code(self, level: int, tile: Tile) -> tuple[bytes, Floats]:
        """The payload of a tile, and its y_hat (M, h, w)."""
        window = tiles.with_halo(tile, HALO, self.width, self.height)
        trunk = self._trunk(tile)
        around = self._field(level, window.area, trunk.linear.shape[1:])
        seen, seen_z = transforms.latents(self.spec, trunk, around)
        grid = Grid.of(tile.height, tile.width)
        top, left = window.crop.y0 // STRIDE, window.crop.x0 // STRIDE
        y = seen[:, top : top + grid.shape[0], left : left + grid.shape[1]]
        z_hat = seen_z[:, top // 4 : top // 4 + grid.hyper[0], left // 4 : left // 4 + grid.hyper[1]]
        field = self._field(level, tile, grid.shape)
        chosen, y_hat = residuals.choose(self.spec, z_hat, y, field, grid)
        for part in refinement.parts(self.effort):
            error = self._error_gradient(window, grid, seen, y_hat, around)
            y = refinement.moved(y, chosen, y_hat, error, grid, part)
            chosen, y_hat = residuals.choose(self.spec, z_hat, y, field, grid)
        return symbols.write(self.spec, z_hat, chosen, level), y_hat

    def _error_gradient(self, window: Window, grid: Grid, seen: Floats, y_hat: Floats, field: Floats) -> Floats:
        """Gradient of the error to y_hat of a tile, 0 where it has no pixels; its neighbours are taken to lose nothing of y."""
        rows, columns = Grid.of(window.area.height, window.area.width).inside
        top, left = window.crop.y0 // STRIDE, window.crop.x0 // STRIDE
        down, right = slice(top, top + grid.inside[0]), slice(left, left + grid.inside[1])
        shown = seen[:, :rows, :columns].copy()
        shown[:, down, right] = y_hat[:, : grid.inside[0], : grid.inside[1]]
        pixels = self._pixels(window.area, STRIDE * rows, STRIDE * columns)
        result = np.zeros(y_hat.shape, np.float32)
        result[:, : grid.inside[0], : grid.inside[1]] = refinement.error_gradient(
            self.spec, shown, field[:rows, :columns], pixels
        )[:, down, right]
        return result

    @property
    def _bytes_per_pixel(self) -> int:
        return refinement.BYTES_PER_PIXEL if self.effort else workers.BYTES_PER_PIXEL

    def payloads(self, level: int) -> list[memoryview]:
        """The payload of every tile; all in one buffer, because kept apart they would split the memory that the networks use."""
        largest = tiles.largest_tile_pixels(self.width, self.height, self.tile_edge)
        stream, ends = bytearray(), [0]
        with workers.over_tiles(len(self.grid), largest, bytes_per_pixel=self._bytes_per_pixel) as crew:
            for payload in crew.results(lambda tile: self.code(level, tile)[0], self.grid):
                stream += payload
                ends.append(len(stream))
        return [memoryview(stream)[start:end] for start, end in itertools.pairwise(ends)]

    def psnr(self, level: int) -> float:
        """RGB PSNR in dB of what a reader would see."""
        reader = Reader(self.spec, self.width, self.height, self.tile_edge, level, self.deltas)

        def latents(index: int, _: Tile) -> Floats:
            return self.code(level, self.grid[index])[1]

        return metrics.psnr(self.rgb, reader.picture(latents, self._bytes_per_pixel))
