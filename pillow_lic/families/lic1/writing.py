"""The writer of one picture, which codes it tile by tile."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from ...engine import workers
from ...engine.models import Model
from ...fileformat import importance_map
from ...fileformat.areas import Area, Window, onto, padded, with_halo
from ...fileformat.limits import MAX_LEVEL
from ...fileformat.tiling import Tiling
from .. import Guess, Trial
from . import (
    analysis,
    filtering,
    fitting,
    fixed,
    gradient,
    quantiser,
    refinement,
    residuals,
    symbols,
    synthesis,
    transforms,
)
from .geometry import Grid, geometry
from .reading import Found, Reader

if TYPE_CHECKING:
    from ...fileformat.importance_map import Deltas
    from .. import Request

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

ONE_TILE_PIXELS = 2**21
"""Largest padded picture written as one tile: 1920x1080 is one; encoding takes some 120 bytes a pixel of a tile."""
TILE_EDGE = 1024
"""Edge of the tiles of a picture too large for one: 1 MP each, so two cores share even a 5 MP picture evenly."""
KEPT_TRUNKS = 16
"""Tiles whose analysis is kept for a rate search (17 bytes a pixel); a larger picture is analysed again."""
GUESSED_BITS: Final = (0.99, 1.11)
"""Bits of a guess for a bit of a file without effort, at both ends of the scale: 1.00, 1.03, 1.05, 1.06 at qualities 2, 3.5, 5, 7, with a
deviation of 2 to 6 % (57 screens of two sets)."""
GUESSED_ERROR: Final = (1.27, 1.9)
"""The same for squared error: 1.31, 1.43, 1.54, 1.64, with a deviation of 13 to 32 %."""


class _Begun(NamedTuple):
    """A tile before its symbols are chosen: the window around it, its latents (M, h, w) and level field, those of the tile alone, and z_hat.

    choice: what chooses symbols for y.
    """

    window: Window
    seen: Floats
    around: Floats
    grid: Grid
    y: Floats
    z_hat: Floats
    field: Floats
    choice: residuals.Choice


class _Rough(NamedTuple):
    """A tile whose symbols are chosen roughly, for its latents as they are: they, y_hat (M, h, w), and what is drawn of it without a filter."""

    begun: _Begun
    chosen: list[quantiser.Chosen]
    y_hat: Floats
    made: filtering.Fine


def chosen_tiling(width: int, height: int, align: int) -> Tiling:
    """Return one tile for a picture of at most ONE_TILE_PIXELS when padded to `align`, else tiles of TILE_EDGE."""
    whole = padded(width, align) * padded(height, align) <= ONE_TILE_PIXELS
    return Tiling(width, height, 0 if whole else TILE_EDGE)


class Writer:
    """One picture (H, W, 3) on its way into a file, at any level, its latents refined in steps (`refinement`).

    At effort 0 a model that has a quick analysis uses that one.

    With `search` the analysis is kept, so that it runs once for all levels that a search tries. Of a picture of one tile, the latents of the
    last level are kept too, so that a file goes on where a guess ended.
    """

    def __init__(self, model: Model, rgb: Pixels, request: Request) -> None:
        has_quick = analysis.QUICK in model.extras
        self._model, self._rgb, self._steps = model, rgb, refinement.steps(model, request.effort)
        self._analysis = analysis.QUICK if has_quick and not request.effort else "analysis"
        self._geometry = geometry(model)
        self.deltas = request.deltas
        self.tiling = chosen_tiling(rgb.shape[1], rgb.shape[0], self._geometry.align)
        self._keeps = request.search and self.tiling.count <= KEPT_TRUNKS
        self._trunks: dict[Area, analysis.Trunk] = {}
        self._last: tuple[int, Deltas | None, _Begun] | None = None
        self._rough: _Rough | None = None

    def payloads(self, level: int) -> list[memoryview]:
        """Return the payload of every tile; all in one buffer, because kept apart they would split the memory of the networks."""
        stream, ends = bytearray(), [0]
        largest = self.tiling.largest_padded(self._geometry.align)
        with workers.over_tiles(self.tiling.count, largest, bytes_per_pixel=self._bytes_per_pixel) as crew:
            for payload in crew.results(lambda tile: self.code(level, tile)[0], self.tiling.tiles()):
                stream += payload
                ends.append(len(stream))
        return [memoryview(stream)[start:end] for start, end in itertools.pairwise(ends)]

    def tried(self, level: int) -> Trial:
        """Return the payloads, and the colours (H, W, 3) that a reader would see, the same with any number of threads: files depend on them."""
        reader = Reader(self._model, self.tiling, level, self.deltas, reference=self._reference)
        seen, payloads = np.empty_like(self._rgb), [b""] * self.tiling.count

        def latents(index: int, _: Area) -> Found:
            payloads[index], found = self.code(level, self.tiling.tile(index))
            return found

        reader.synthesise(latents, onto(seen), bytes_per_pixel=self._bytes_per_pixel)
        return Trial(payloads, seen)

    @property
    def _reference(self) -> bool:
        """Whether only the reference is the same with any number of threads: native code always is, and paints what readers will see."""
        return synthesis.painter(self._model, reference=False) is None

    @property
    def _bytes_per_pixel(self) -> int:
        has_graph = self._steps and refinement.has_graph(self._model)
        return refinement.BYTES_PER_PIXEL if has_graph else workers.BYTES_PER_PIXEL

    def code(self, level: int, tile: Area) -> tuple[bytes, Found]:
        """Return the payload of a tile, and what it holds."""
        begun = self._begun(level, tile)
        window, seen, around, grid, y, z_hat, field, choice = begun
        found: filtering.Filter | None = None
        coded: filtering.Coded | None = None
        for part in refinement.parts(self._model, self._steps, field):
            if refinement.has_graph(self._model):
                chosen, y_hat = choice.of(y)
                slope = self._error_gradient(window, grid, seen, y_hat, around)
                slope += refinement.bits_gradient(y - y_hat, chosen, grid)
            else:
                _, _, y_hat, made = self._roughly(tile, begun._replace(y=y) if found else begun)
                if found is None:
                    found, coded = fitting.fit(made, self._rgb[tile.slices], level, fixed.stored(self._model))
                slope = self._path_gradient(tile, made, found, field, grid)
            y = refinement.moved(y, y_hat, slope, part)
        chosen, y_hat = choice.of(y)
        return symbols.write(self._model, z_hat, chosen, level, coded), Found(y_hat, found or filtering.NONE)

    def guessed(self, level: int) -> Guess:
        """Return about what a file of a level holds: no step, symbols chosen roughly, and a fixed filter."""
        if refinement.has_graph(self._model):
            payloads, colors = self.tried(level)
            return Guess(sum(map(len, payloads)), colors, 1.0)
        colors, size = np.empty_like(self._rgb), 0
        found, coded = filtering.named(fixed.stored(self._model), level)
        for tile in self.tiling.tiles():
            rough = self._roughly(tile, self._begun(level, tile))
            size += len(symbols.write(self._model, rough.begun.z_hat, rough.chosen, level, coded))
            filtering.apply(rough.made, Area(0, 0, tile.width, tile.height), found, colors[tile.slices])
        return Guess(size / _between(GUESSED_BITS, level), colors, 1 / _between(GUESSED_ERROR, level))

    def _begun(self, level: int, tile: Area) -> _Begun:
        """Return a tile whose symbols are to be chosen."""
        if self._last is not None and self._last[0] == level and self._last[1] is self.deltas:
            return self._last[2]
        sizes = self._geometry
        window = with_halo(tile, sizes.analysis_halo, sizes.align, self.tiling.width, self.tiling.height)
        trunk = self._trunk(window)
        around = self._field(level, window.area, trunk.shape)
        seen, seen_z = analysis.latents(self._model, trunk, around)
        grid = sizes.grid(*tile.shape)
        hyper = window.crop.over(sizes.stride * sizes.hyper_stride)
        y, z_hat = seen[:, *hyper.times(sizes.hyper_stride).slices], seen_z[:, *hyper.slices]
        field = self._field(level, tile, grid.shape)
        begun = _Begun(window, seen, around, grid, y, z_hat, field, residuals.Choice(self._model, z_hat, field, grid))
        if self._keeps and self.tiling.count == 1:
            self._last = level, self.deltas, begun
        return begun

    def _roughly(self, tile: Area, begun: _Begun) -> _Rough:
        """Return a tile with its symbols chosen roughly."""
        if self._rough is not None and self._rough.begun is begun:
            return self._rough
        chosen, y_hat = begun.choice.of(begun.y, is_rough=True)
        rough = _Rough(begun, chosen, y_hat, self._synthesised(tile, y_hat, begun.field, begun.grid))
        if self._last is not None and self._last[2] is begun:
            self._rough = rough
        return rough

    def _synthesised(self, tile: Area, y_hat: Floats, field: Floats, grid: Grid) -> filtering.Fine:
        """Return the colours (H, W, 3) of a tile without a filter, whose y_hat (M, h, w) and level field (h, w) are these."""
        whole = transforms.synthesis(self._model, y_hat[:, *grid.slices], field[grid.slices], reference=self._reference)
        return np.ascontiguousarray(cast(filtering.Fine, whole)[: tile.height, : tile.width])

    def _trunk(self, window: Window) -> analysis.Trunk:
        """Return the analysis of a window, which the model pads to whole blocks by repeating the picture's edge."""
        if window.area in self._trunks:
            return self._trunks[window.area]
        height, width = (padded(length, self._geometry.align) for length in window.area.shape)
        trunk = analysis.analyse(self._model, self._pixels(window.area, height, width), self._analysis)
        if self._keeps:
            self._trunks[window.area] = trunk
        return trunk

    def _pixels(self, area: Area, height: int, width: int) -> Pixels:
        """Return the pixels (height, width, 3) of an area, whose right and bottom edges are repeated up to that size."""
        missing = ((0, height - area.height), (0, width - area.width), (0, 0))
        return np.pad(self._rgb[area.slices], missing, "edge")

    def _field(self, level: int, area: Area, shape: tuple[int, int]) -> Floats:
        """Return the level field of that shape from the area's first latent on."""
        first = area.over(self._geometry.stride)
        return importance_map.level_field(level, self.deltas, shape, first.y0, first.x0)

    def _error_gradient(self, window: Window, grid: Grid, seen: Floats, y_hat: Floats, field: Floats) -> Floats:
        """Return the gradient of the error to y_hat of a tile, 0 where it has no pixels; its neighbours are taken to lose nothing of y."""
        stride = self._geometry.stride
        rows, columns = window.area.over(stride).shape
        here = window.crop.over(stride).slices
        shown = seen[:, :rows, :columns].copy()
        shown[:, *here] = y_hat[:, *grid.slices]
        pixels = self._pixels(window.area, stride * rows, stride * columns)
        found = refinement.error_gradient(self._model, shown, field[:rows, :columns], pixels)
        result = np.zeros(y_hat.shape, np.float32)
        result[:, *grid.slices] = found[:, *here]
        return result

    def _path_gradient(
        self, tile: Area, made: filtering.Fine, found: filtering.Filter, field: Floats, grid: Grid
    ) -> Floats:
        """Return the gradient (M, h, w) of the error of a tile's colours (H, W, 3) once they are filtered, 0 where it has no pixels."""
        shown = filtering.applied(made, Area(0, 0, tile.width, tile.height), found)
        result = np.zeros((self._geometry.latents, *grid.shape), np.float32)
        result[:, *grid.slices] = gradient.find(self._model, shown, self._rgb[tile.slices], field[grid.slices])
        return result


def _between(ends: tuple[float, float], level: int) -> float:
    """Return the number at a level between those at both ends of the scale, in equal ratios."""
    lowest, highest = ends
    return lowest * math.pow(highest / lowest, level / MAX_LEVEL)
