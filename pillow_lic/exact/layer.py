"""The exact layer of a picture on its way into a file: which pixels it keeps, the ground beneath them, its section at a level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..fileformat import exact_layer
from ..fileformat.areas import Area
from ..fileformat.tiling import Tiling
from . import drawn, merging
from .drawn import BLOCK

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_SQUARES = 1024
"""Side in pixels of the squares that are searched for drawn blocks, each alone."""


def found(colors: Pixels) -> Layer | None:
    """Return the layer that the content of a picture (H, W, 1 or 3) asks for; None for one like a photograph."""
    height, width = colors.shape[:2]
    kept = np.zeros((-(-height // BLOCK), -(-width // BLOCK)), np.bool_)
    for area in Tiling(width, height, _SQUARES).tiles():
        blocks = drawn.blocks(colors[area.slices])
        if blocks is not None:
            kept[area.over(BLOCK).slices] = blocks
    if not kept.any():
        return None

    def exact(area: Area) -> Mask:
        return drawn.pixels_of(kept[area.over(BLOCK).slices], area.over(BLOCK).times(BLOCK).shape)[
            area.within(area.over(BLOCK).times(BLOCK)).slices
        ]

    return Layer(colors, exact, float(kept.mean()))


def named(colors: Pixels, places: Mask) -> Layer | None:
    """Return the layer of pixels that a caller marks (H, W), whose colours are never merged; None if none are marked."""
    if not places.any():
        return None
    return Layer(colors, lambda area: places[area.slices], float(places.mean()), merges=False)


class Layer:
    """Exact pixels of a picture of colours (H, W, 1 or 3).

    exact: returns the flags of the pixels of an area. share: how much of the picture is exact, 0..1.
    """

    def __init__(self, colors: Pixels, exact: Callable[[Area], Mask], share: float, *, merges: bool = True) -> None:
        self.colors, self.exact, self.share = colors, exact, share
        self._merges = merges
        self._payloads: dict[int, bytes] = {}

    def payload(self, level: int, tiling: Tiling) -> bytes:
        """Return the payload of the exact section of a file of that level, which has these tiles."""
        reach = self.reach(level)
        if reach not in self._payloads:
            streams = []
            for area in tiling.tiles():
                exact, colors = self.exact(area), self.colors[area.slices]
                streams.append(exact_layer.written(merging.merged(colors, exact, reach), exact))
            self._payloads[reach] = exact_layer.pack(streams, tiling)
        return self._payloads[reach]

    def laid_over(self, decoded: Pixels, level: int, tiling: Tiling) -> Pixels:
        """Return decoded colours (H, W, C) with the exact pixels of a file of that level in their place."""
        shown = decoded.copy()
        for area in tiling.tiles():
            exact, colors = self.exact(area), self.colors[area.slices]
            shown[area.slices][exact] = merging.merged(colors, exact, self.reach(level))[exact]
        return shown

    def whole(self, level: int) -> Pixels:
        """Return all colours of the picture as a file of that level has exact ones."""
        result = np.empty_like(self.colors)
        for area in Tiling(result.shape[1], result.shape[0], _SQUARES).tiles():
            result[area.slices] = merging.merged(
                self.colors[area.slices], np.ones(area.shape, np.bool_), self.reach(level)
            )
        return result

    def reach(self, level: int) -> int:
        """Return how far colours are moved in a file of that level; files of one reach have the same exact pixels."""
        return merging.reach(level) if self._merges else 0
