"""The reader of one picture or an area of it: latents are read tile by tile, and synthesised as soon as their neighbours are there."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from ...engine import workers
from ...engine.models import Model
from ...errors import LicDamagedError, LicDesyncError
from ...fileformat import importance_map
from ...fileformat.areas import Area
from ...fileformat.container import CutPayload
from ...fileformat.importance_map import Deltas
from ...fileformat.tiling import Tiling
from .. import MISSING
from . import detail, drafting, filtering, passes, residuals, symbols, transforms
from .filtering import Filter
from .geometry import geometry

if TYPE_CHECKING:
    from .. import Payloads, Put

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


class Found(NamedTuple):
    """The latents y_hat (M, h, w) of that part of a tile that was asked for, and the filter of the tile."""

    y_hat: Floats
    filter: Filter = filtering.NONE


Latents = Callable[[int, Area], "Found | None"]
"""Returns the latents of the part of an area in the tile with that raster index (`Reader.synthesise`)."""


TOGETHER = 1024
"""Edge, in pixels, of the areas that are synthesised in one go: tiles that are smaller, which no encoder here writes, would take
four times as long each with a halo of its own."""


class _Part(NamedTuple):
    """An area that is synthesised in one go: pixels `target` of whole `tiles`, out of the latents `window`, which lie in the tiles `needs`."""

    tiles: list[int]
    target: Area
    window: Area
    needs: list[int]


class Reader:
    """The pixels of an `area` of a picture, of all of it by default; or a draft of all of it, whose pixels are `scale` wide.

    Tiles are parsed in raster order. A tile, or several small ones, is synthesised once those around it are parsed. Latents are dropped
    after their last use, so that those of little more than two rows of tiles are in memory. Every thread but one parses another tile
    before it synthesises: else it would wait for latents that a neighbour is still computing.

    reference: pixels are exactly those of FORMAT.md, tile by tile, with any number of threads; else a few may be one level off, and
    decoding is quicker.
    """

    def __init__(
        self,
        model: Model,
        tiling: Tiling,
        level: int,
        deltas: Deltas | None = None,
        area: Area | None = None,
        scale: int = 1,
        *,
        reference: bool = False,
    ) -> None:
        self._model, self._tiling, self._level, self._deltas, self._scale = model, tiling, level, deltas, scale
        self._geometry, self._reference = geometry(model), reference
        self._area = area or tiling.whole
        self._inside = self._geometry.grid(tiling.height, tiling.width).inside
        together = tiling.edge if reference or not tiling.edge else max(tiling.edge, TOGETHER)
        self._squares = Tiling(tiling.width, tiling.height, together)
        self._parts = [self._part(self._squares.tile(index)) for index in self._squares.touching(self._area)]
        self._uses = Counter(index for part in self._parts for index in part.needs)
        self._asked = self._areas_asked()
        self._held: dict[int, workers.Job[Found | None]] = {}
        self._lock = threading.Lock()

    @property
    def needed(self) -> list[int]:
        """Raster indexes of the tiles whose latents decide the area, ascending."""
        return sorted(self._uses)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the pixels that are read."""
        return (-(-self._area.height // self._scale), -(-self._area.width // self._scale))

    @property
    def work(self) -> int:
        """Pixels that the networks see to read them, those of halos and padding included."""
        sizes = self._geometry
        parsed = (sizes.grid(*self._tiling.tile(index).shape).shape for index in self.needed)
        seen = (part.window.shape for part in self._parts)
        return int(sizes.stride**2) * max(sum(h * w for h, w in parsed), sum(h * w for h, w in seen))

    def draw(self, payloads: Payloads, put: Put, *, strict: bool, held: int) -> None:
        """Give the RGB pixels of every part of the area to `put` (`families.Reader.draw`)."""

        def latents(index: int, area: Area) -> Found | None:
            payload = payloads[index]
            try:
                return None if payload is None else self._parsed(payload, self._tiling.tile(index), area)
            except (LicDamagedError, LicDesyncError):
                if strict:
                    raise
                return None

        self.synthesise(latents, put, held)

    def _parsed(self, payload: bytes | memoryview, tile: Area, area: Area) -> Found:
        """Return what a tile holds of an area, in latents of the picture, whose corner is a whole hyper-latent.

        The means of a pass are found while the next one is parsed, where there is a thread for that.
        """
        sizes = self._geometry
        grid = sizes.grid(*tile.shape)
        place = tile.over(sizes.stride)
        field = self._field(place, grid.shape)
        read = symbols.read_cut if isinstance(payload, CutPayload) else symbols.read
        means = residuals.reconstruct if self._scale == 1 else drafting.latents
        inside = area.within(place)
        hyper = inside.over(sizes.hyper_stride)
        seen = hyper.times(sizes.hyper_stride).slices

        def parse(told: symbols.Told) -> symbols.Parsed:
            return read(self._model, payload, self._level, field, grid, told)

        def compute(parsed: Iterator[npt.NDArray[Any]]) -> Floats:
            z_hat = next(parsed)
            here = (passes.of_window(part, t, grid.inside, inside) for t, part in enumerate(parsed))
            return means(self._model, z_hat[:, *hyper.slices], here, field[seen], area.shape)

        found, y_hat = workers.in_line(parse, compute)
        return Found(y_hat, found.filter)

    def synthesise(
        self, latents: Latents, put: Put, held: int = 0, bytes_per_pixel: int = workers.BYTES_PER_PIXEL
    ) -> None:
        """Give the RGB pixels of every part of the area to `put`; raises what `latents` raises.

        latents(index, area) gives what the tile with that raster index holds, None for one that cannot be read: it
        will be grey. Of the tile only `area` is asked for, in latents of the picture, which begins at a whole hyper-latent and
        ends at one or where the tile does; those within `means_reach` of an edge inside the tile may be wrong. It is called
        once for every tile in `needed`, in any order and from several threads.

        `held` bytes of the file are in memory; a thread takes `bytes_per_pixel` of the largest area synthesised in one go.
        """
        ready = defaultdict(list)
        for part in self._parts:
            ready[part.needs[-1]].append(part)
        largest = self._squares.largest_padded(self._geometry.align)
        across = len({self._tiling.tile(index).x0 // (self._squares.edge or 1) for index in self.needed})
        latent_bytes = self._geometry.latents * np.dtype(np.float32).itemsize
        held += 2 * across * largest // self._geometry.stride**2 * latent_bytes
        with workers.over_tiles(len(self.needed), largest, held, bytes_per_pixel) as crew:
            after: deque[list[_Part]] = deque()
            for index in self.needed:
                future = crew.submit(latents, index, self._asked[index])
                with self._lock:
                    self._held[index] = future
                after.append(ready[index])
                if len(after) == crew.count:
                    self._submit(crew, after.popleft(), put)
            for parts in after:
                self._submit(crew, parts, put)

    def _field(self, window: Area, shape: tuple[int, int]) -> Floats:
        """Return the level field (h, w) of a window of latents, of a larger shape where the networks want padding."""
        return importance_map.level_field(self._level, self._deltas, shape, window.y0, window.x0)

    def _submit(self, crew: workers.Workers, parts: list[_Part], put: Put) -> None:
        for part in parts:
            crew.submit(self._show, part, put)

    def _part(self, square: Area) -> _Part:
        sizes, (rows, columns) = self._geometry, self._inside
        target = square.intersection(self._area)
        halo = sizes.halo if self._reference else transforms.halo(self._model)
        if self._scale > 1:
            halo = drafting.REACH
        seen = square.over(sizes.stride).widened(halo, columns, rows)
        reached = target.over(sizes.stride).widened(sizes.reach, columns, rows)
        window = seen.intersection(reached)
        around = window.times(sizes.stride).intersection(self._tiling.whole)
        return _Part(self._tiling.touching(target), target, window, self._tiling.touching(around))

    def _areas_asked(self) -> dict[int, Area]:
        """Return, of every tile, the latents that parts see and those that decide their means, in whole hyper-latents."""
        seen: dict[int, Area] = {}
        for part in self._parts:
            for index in part.needs:
                here = part.window.intersection(self._tiling.tile(index).over(self._geometry.stride))
                seen[index] = seen[index].hull(here) if index in seen else here
        return {index: self._whole(index, area) for index, area in seen.items()}

    def _whole(self, index: int, area: Area) -> Area:
        sizes, (rows, columns) = self._geometry, self._inside
        wide = area.widened(sizes.means_reach, columns, rows)
        tile = self._tiling.tile(index).over(sizes.stride)
        return wide.over(sizes.hyper_stride).times(sizes.hyper_stride).intersection(tile)

    def _show(self, part: _Part, put: Put) -> None:
        """Synthesise a part and drop the latents that nobody else needs."""
        found = {index: self._held[index].result() for index in part.needs}
        target = part.target.over(self._scale)
        tiles = [(index, found[index]) for index in part.tiles]
        if all(tile is None for _, tile in tiles):
            pixels = np.full((*target.shape, 3), MISSING, np.uint8)
        else:
            window = self._made(part)
            seen = self._synthesis(part, self._latents_of(part.window, found))
            inside = window.intersection(self._tiling.whole.over(self._scale)).within(window)
            colours = seen[inside.slices]
            pixels = np.empty((*target.shape, 3), np.uint8)
            for index, tile in tiles:
                here = self._tiling.tile(index).intersection(part.target).over(self._scale)
                self._finish(colours, here.within(window), tile, pixels[here.within(target).slices])
        put(target.within(self._area.over(self._scale)), pixels)
        with self._lock:
            for index in part.needs:
                self._uses[index] -= 1
                if not self._uses[index]:
                    del self._held[index]

    def _finish(self, colours: detail.Colors, inside: Area, tile: Found | None, out: Pixels) -> None:
        """Write the pixels of an area of colours (h, w, 3), of which none lie outside the picture and all in one tile."""
        if tile is None:
            out[...] = MISSING
        elif colours.dtype == np.uint8:
            out[...] = colours[inside.slices]
        else:
            filtering.apply(cast(filtering.Fine, colours), inside, tile.filter, out)

    def _wanted(self, part: _Part) -> Area:
        """Return the latents whose pixels are made for a part: its own, and those that its filter looks at."""
        if self._reference:  # in strips that begin where its window does
            return part.window
        rows, columns = self._inside
        return part.target.over(self._geometry.stride).widened(1, columns, rows).intersection(part.window)

    def _made(self, part: _Part) -> Area:
        """Return the pixels that `_synthesis` makes for a part."""
        latents = part.window if self._scale > 1 else self._wanted(part)
        return latents.times(self._geometry.stride // self._scale)

    def _synthesis(self, part: _Part, y_hat: Floats) -> detail.Colors:
        field = self._field(part.window, part.window.shape)
        if self._scale == 1:
            inside = self._wanted(part).within(part.window)
            return transforms.synthesis(self._model, y_hat, field, inside=inside, reference=self._reference)
        return drafting.draw(self._model, self._scale, y_hat, field)

    def _latents_of(self, window: Area, found: dict[int, Found | None]) -> Floats:
        """Return the latents (M, h, w) of a window; what lies outside their tile is dropped, and missing ones are 0."""
        if len(found) == 1:
            ((index, only),) = found.items()
            if only is not None and self._asked[index] == window:
                return only.y_hat[:, : window.height, : window.width]
        result = np.zeros((self._geometry.latents, *window.shape), np.float32)
        for index, tile in found.items():
            place = self._asked[index]
            both = place.intersection(window)
            if tile is not None:
                result[:, *both.within(window).slices] = tile.y_hat[:, *both.within(place).slices]
        return result
