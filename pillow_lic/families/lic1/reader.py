"""One picture, or a part of it, on its way out of a file: latents tile by tile, the synthesis as soon as they allow it."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...engine import workers
from ...engine.models import ModelSpec
from ...fileformat import importance_map, tiles
from ...fileformat.importance_map import Deltas
from ...fileformat.tiles import Tile
from . import transforms
from .symbols import STRIDE, Grid

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Latents = Callable[[int, Tile], "Floats | None"]
Put = Callable[[Tile, Pixels], None]
"""Takes a place, in pixels from the corner of what is read, and its pixels (h, w, 3) or of more channels, from any thread."""

HALO = 8
"""Latents around a tile that the synthesis sees: the network reaches 11, and the last ones weigh next to nothing."""
REACH = 11
"""Latents around a box that decide its pixels: two blocks of 5x5 at 1/16, six at 1/8, and four layers of 3x3 at 1/2."""
MEANS_REACH = 9
"""Latents around one that decide its mean: four passes of 5x5 and one 3x3, all behind z_hat."""
DRAFT_HALO = 1
"""Latents around a tile that decide a draft of it."""
MISSING = 128
"""Grey level of a tile that could not be read."""


def onto(picture: Pixels) -> Put:
    """What writes pixels into an array (H, W, C)."""

    def put(place: Tile, pixels: Pixels) -> None:
        picture[place.y0 : place.y1, place.x0 : place.x1] = pixels

    return put


class _Part(NamedTuple):
    """What is synthesised in one go: pixels `target` of one `tile`, out of the latents `window`, which lie in `needs`."""

    tile: int
    target: Tile
    window: Tile
    needs: list[int]


class Reader:
    """The pixels of a `box` of a picture, of all of it by default; or a draft of all of it, whose pixels are `scale` wide.

    latents(index, area) gives y_hat (M, h, w) of the tile with that raster index, None for one that cannot be read: it will
    be grey. Of the tile only `area` is asked for, in latents of the picture, which begins at a multiple of 4 and ends at one
    or where the tile does; those within MEANS_REACH of an edge inside the tile may be wrong. It is called once for every tile
    in `needed`, in any order and from several threads.

    Tiles are taken in raster order; a tile is synthesised once those around it are there, and latents are dropped after
    their last use, so that those of little more than two rows of tiles are held. Every thread but one takes another tile
    first, or it would wait for the last of the latents, which a neighbour is still computing.
    """

    def __init__(
        self,
        spec: ModelSpec,
        width: int,
        height: int,
        tile_edge: int,
        level: int,
        deltas: Deltas | None = None,
        box: Tile | None = None,
        scale: int = 1,
    ) -> None:
        self.spec, self.level, self.deltas, self.scale = spec, level, deltas, scale
        self.grid = tiles.grid(width, height, tile_edge)
        self.inside = Grid.of(height, width).inside
        self.box = box or Tile(0, 0, width, height)
        self._size = (width, height, tile_edge)
        touched = tiles.tiles_touching(self.box.corners, width, height, tile_edge)
        self._parts = [self._part(index) for index in touched]
        self._uses = Counter(index for part in self._parts for index in part.needs)
        self._areas = self._asked()
        self._held: dict[int, workers.Job[Floats | None]] = {}
        self._lock = threading.Lock()

    @property
    def needed(self) -> list[int]:
        """Raster indexes of the tiles whose latents decide the box, ascending."""
        return sorted(self._uses)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the pixels that are read."""
        return (-(-self.box.height // self.scale), -(-self.box.width // self.scale))

    def picture(self, latents: Latents, bytes_per_pixel: int = workers.BYTES_PER_PIXEL) -> Pixels:
        """Pixels (h, w, 3) uint8 of the box; raises what `latents` raises, which takes so much memory."""
        rgb = np.empty((*self.shape, 3), np.uint8)
        self.draw(latents, onto(rgb), bytes_per_pixel=bytes_per_pixel)
        return rgb

    def draw(self, latents: Latents, put: Put, held: int = 0, bytes_per_pixel: int = workers.BYTES_PER_PIXEL) -> None:
        """Give the RGB pixels of every part of the box to `put`; raises what `latents` raises.

        `held` bytes of the file are in memory; a thread takes `bytes_per_pixel` of the largest tile.
        """
        ready = defaultdict(list)
        for part in self._parts:
            ready[part.needs[-1]].append(part)
        largest = tiles.largest_tile_pixels(*self._size)
        columns = len({self.grid[index].x0 for index in self.needed})
        held += 2 * columns * largest // STRIDE**2 * self.spec.latents * np.dtype(np.float32).itemsize
        with workers.over_tiles(len(self.needed), largest, held, bytes_per_pixel) as crew:
            after: deque[list[_Part]] = deque()
            for index in self.needed:
                future = crew.submit(latents, index, self._areas[index])
                with self._lock:
                    self._held[index] = future
                after.append(ready[index])
                if len(after) == crew.count:
                    self._submit(crew, after.popleft(), put)
            for parts in after:
                self._submit(crew, parts, put)

    def field(self, window: Tile, shape: tuple[int, int] | None = None) -> Floats:
        """The level field of a window of latents, of another shape where the networks want padding."""
        shape = shape or (window.height, window.width)
        return importance_map.level_field(self.level, self.deltas, shape, window.y0, window.x0)

    def _submit(self, crew: workers.Workers, parts: list[_Part], put: Put) -> None:
        for part in parts:
            crew.submit(self._show, part, put)

    def _part(self, index: int) -> _Part:
        tile = self.grid[index]
        target = tile.intersection(self.box)
        rows, columns = self.inside
        seen, reached = (
            tile.over(STRIDE).widened(HALO, columns, rows),
            target.over(STRIDE).widened(REACH, columns, rows),
        )
        window = seen.intersection(reached)
        width, height, edge = self._size
        pixels = Tile(window.x0 * STRIDE, window.y0 * STRIDE, window.x1 * STRIDE, window.y1 * STRIDE)
        around = pixels.intersection(Tile(0, 0, width, height))
        return _Part(index, target, window, tiles.tiles_touching(around.corners, width, height, edge))

    def _asked(self) -> dict[int, Tile]:
        """Of every tile the latents that parts see, with those that decide their means, in whole hyper-latents."""
        seen: dict[int, Tile] = {}
        for part in self._parts:
            for index in part.needs:
                here = part.window.intersection(self.grid[index].over(STRIDE))
                seen[index] = seen[index].hull(here) if index in seen else here
        rows, columns = self.inside
        return {index: self._area(index, area.widened(MEANS_REACH, columns, rows)) for index, area in seen.items()}

    def _area(self, index: int, area: Tile) -> Tile:
        whole = Tile(area.x0 // 4 * 4, area.y0 // 4 * 4, -(-area.x1 // 4) * 4, -(-area.y1 // 4) * 4)
        return whole.intersection(self.grid[index].over(STRIDE))

    def _show(self, part: _Part, put: Put) -> None:
        """Synthesise a part and drop the latents that nobody else needs."""
        found = {index: self._held[index].result() for index in part.needs}
        window, origin = part.window, self.box.over(self.scale)
        target = part.target.over(self.scale)
        if found[part.tile] is None:
            pixels = np.full((target.height, target.width, 3), MISSING, np.uint8)
        else:
            pixels = self._synthesis(self._window(window, found), self.field(window))
            stride = STRIDE // self.scale
            top, left = target.y0 - window.y0 * stride, target.x0 - window.x0 * stride
            pixels = pixels[top : top + target.height, left : left + target.width]
        x, y = target.x0 - origin.x0, target.y0 - origin.y0
        put(Tile(x, y, x + target.width, y + target.height), pixels)
        with self._lock:
            for index in part.needs:
                self._uses[index] -= 1
                if not self._uses[index]:
                    del self._held[index]

    def _synthesis(self, y_hat: Floats, field: Floats) -> Pixels:
        if self.scale == 1:
            return transforms.synthesis(self.spec, y_hat, field)
        return transforms.draft(self.spec, self.scale, y_hat, field)

    def _window(self, window: Tile, found: dict[int, Floats | None]) -> Floats:
        """The latents of a window; what lies outside their tile is dropped, and missing ones are 0."""
        result = np.zeros((self.spec.latents, window.height, window.width), np.float32)
        for index, y_hat in found.items():
            place = self._areas[index]
            both = place.intersection(window)
            if y_hat is not None:
                result[:, both.y0 - window.y0 : both.y1 - window.y0, both.x0 - window.x0 : both.x1 - window.x0] = y_hat[
                    :, both.y0 - place.y0 : both.y1 - place.y0, both.x0 - place.x0 : both.x1 - place.x0
                ]
        return result
