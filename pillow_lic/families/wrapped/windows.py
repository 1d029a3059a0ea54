"""A network that is run on a large picture square by square, each with a halo around it, several at a time, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...deadlines import check_time
from ...engine import workers
from ...fileformat.areas import Area, padded, with_halo
from ...fileformat.tiling import Tiling
from .views import mean_of

if TYPE_CHECKING:
    from ...engine.models import Model
    from .. import Put

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Windows:
    """A network of a model, which is run on squares of `edge` pixels with a `halo` around them.

    It makes `up` pixels of every `down`, each way. views: as of `views.mean_of`. bytes_per_pixel: memory of a run for each that it sees.
    """

    model: Model
    network: Callable[[Pixels], Pixels]
    edge: int
    halo: int
    up: int = 1
    down: int = 1
    views: int = 1
    bytes_per_pixel: int = workers.BYTES_PER_PIXEL

    def run(
        self,
        pixels: Pixels,
        shape: tuple[int, int],
        put: Put,
        area: Area | None = None,
        *,
        held: int = 0,
        finish: Callable[[Area, Pixels], Pixels] = lambda _, made: made,
    ) -> None:
        """Give the pixels that the network makes of pixels (H, W, 3) to `put`, as far as they lie in `area` (by default all).

        shape: rows and columns of the whole result. held: bytes that are in memory besides. finish: takes the area of a square in the
        result and its pixels, and returns those that are put.
        """
        source, align = Tiling(pixels.shape[1], pixels.shape[0], 0).whole, self.model.constants["align"]
        target = area or Tiling(shape[1], shape[0], 0).whole
        cores = [core for core in self._squares(source) if self._made(core, shape).meets(target)]

        def show(core: Area) -> None:
            check_time()
            window = with_halo(core, self.halo, align, source.width, source.height).area
            missing = [(0, padded(length, align) - length) for length in window.shape]
            seen = np.pad(pixels[window.slices], (*missing, (0, 0)), "edge")
            made = mean_of(self.network, seen, self.views)
            square = self._made(core, shape)
            finished = finish(square, made[square.within(self._made(window, shape)).slices])
            wanted = square.intersection(target)
            put(wanted.within(target), finished[wanted.within(square).slices])

        longest = self.edge + 2 * padded(self.halo, align)
        largest = min(longest, padded(source.height, align)) * min(longest, padded(source.width, align))
        with workers.over_tiles(len(cores), largest, pixels.nbytes + held, self.bytes_per_pixel) as crew:
            for core in cores:
                crew.submit(show, core)

    def _squares(self, source: Area) -> list[Area]:
        """Return the squares, cut off where the area ends, in raster order."""
        return Tiling(source.width, source.height, self.edge).tiles()

    def _made(self, seen: Area, shape: tuple[int, int]) -> Area:
        """Return the pixels that the network makes of an area whose upper left corner is a multiple of `down`."""
        x1, y1 = (min(-(-end * self.up // self.down), most) for end, most in ((seen.x1, shape[1]), (seen.y1, shape[0])))
        return Area(seen.x0 * self.up // self.down, seen.y0 * self.up // self.down, x1, y1)
