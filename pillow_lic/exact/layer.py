"""The exact layer of a picture on its way into a file: which pixels it keeps, the ground beneath them, its section at a level."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..fileformat import exact_layer
from ..fileformat.areas import Area
from ..fileformat.tiling import Tiling
from . import choice, drawn, glyphs, merging
from .aims import Aim
from .choice import Spent
from .drawn import BLOCK
from .glyphs import Glyphs

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

WHOLE = 0.9
"""Share of exact pixels from which on a file without networks may be the smaller one."""
_SQUARES = 1024
"""Side in pixels of the squares that are searched for drawn blocks, each alone."""


class _Part(NamedTuple):
    """What is kept of an area: its exact blocks, and its glyphs."""

    kept: Mask
    glyphs: Glyphs | None


def found(colors: Pixels, level: int, aim: Callable[[int], Aim], spent: Spent) -> Layer | None:
    """Return the layer that pays for the content of a picture (H, W, 1 or 3) in files near a level; None for one like a photograph.

    aim: returns that of files of a level. spent: of the whole picture; asked where there is doubt.
    """
    height, width = colors.shape[:2]
    kept = np.zeros((-(-height // BLOCK), -(-width // BLOCK)), np.bool_)
    blends: tuple[Pixels, Pixels] | None = None
    for area in Tiling(width, height, _SQUARES).tiles():
        part = _chosen(colors[area.slices], aim(level), partial(_here, spent, area))
        kept[area.over(BLOCK).slices] = part.kept
        if part.glyphs is not None:
            if blends is None:
                blends = np.zeros_like(colors), np.zeros((height, width), np.uint8)
            blends[0][area.slices], blends[1][area.slices] = part.glyphs.ink, part.glyphs.cover
    if not kept.any() and blends is None:
        return None
    if blends is None and kept.mean() >= WHOLE and not kept.all() and _fills(colors, kept, aim(level)):
        kept[:] = True

    def exact(area: Area) -> Mask:
        return drawn.pixels_of(kept[area.over(BLOCK).slices], area.over(BLOCK).times(BLOCK).shape)[
            area.within(area.over(BLOCK).times(BLOCK)).slices
        ]

    return Layer(colors, exact, float(kept.mean()), aim, blends=blends)


def _chosen(colors: Pixels, aim: Aim, spent: Spent) -> _Part:
    """Return what is kept of an area (h, w, 1 or 3).

    Where colours are kept, letters on one colour that pay beyond doubt are exact. Else they are glyphs too where that saves more, but
    not on a page of them, whose file needs no networks.
    """
    blocks = drawn.found(colors)
    kept = None if blocks is None else choice.kept(colors, blocks, aim, spent)
    exact = np.zeros((-(-colors.shape[0] // BLOCK), -(-colors.shape[1] // BLOCK)), np.bool_)
    if kept is not None:
        exact = kept.blocks
    if not aim.is_exact:
        taken = exact if exact.mean() >= WHOLE else None
        return _with_glyphs(exact, glyphs.paying(glyphs.searched(colors, taken), colors, taken, aim, spent))
    if kept is None or kept.is_sure:
        return _with_glyphs(exact, glyphs.paying(glyphs.searched(colors, exact), colors, exact, aim, spent))
    candidates = glyphs.searched(colors, kept.sure)
    parts = (_with_glyphs(exact, glyphs.paying(candidates, colors, taken, aim, spent)) for taken in (exact, kept.sure))
    saved = choice.favour(aim) * spent() - kept.bits
    return max(parts, key=lambda part: _saved(part, saved, spent()))


def _with_glyphs(exact: Mask, found: Glyphs | None) -> _Part:
    """Return what is kept where glyphs take the place of exact blocks."""
    return _Part(exact if found is None else exact & ~found.blocks, found)


def _saved(part: _Part, by_block: Floats, spent: Floats) -> float:
    """Return the bits that an area saves: those of exact blocks, and what the codec spent on those of glyphs without what these cost."""
    by_glyphs = 0.0 if part.glyphs is None else float(spent[part.glyphs.blocks].sum()) - part.glyphs.bits
    return float(by_block[part.kept].sum()) + by_glyphs


def _here(spent: Spent, area: Area) -> npt.NDArray[np.float32]:
    """Return what the blocks of an area cost the codec."""
    return spent()[area.over(BLOCK).slices]


def _fills(colors: Pixels, kept: Mask, aim: Aim) -> bool:
    """Return whether a layer of all of a picture (H, W, 1 or 3) has no more bits than that of the kept blocks."""
    more = 0
    for area in Tiling(colors.shape[1], colors.shape[0], _SQUARES).tiles():
        exact = drawn.pixels_of(kept[area.over(BLOCK).slices], area.shape)
        for some, sign in ((np.ones_like(exact), 1), (exact, -1)):
            merged = merging.merged(colors[area.slices], some, merging.reach(aim))
            more += sign * exact_layer.bits(merged, np.where(some, np.uint8(255), np.uint8(0)))
    return more <= 0


def named(colors: Pixels, places: Mask, aim: Callable[[int], Aim]) -> Layer | None:
    """Return the layer of pixels that a caller marks (H, W), whose colours are never merged; None if none are marked."""
    if not places.any():
        return None
    return Layer(colors, lambda area: places[area.slices], float(places.mean()), aim, merges=False)


class Layer:
    """What lies over the coded ground of a picture of colours (H, W, 1 or 3): exact pixels, and glyphs that blend with it.

    exact: returns the flags of the pixels of an area. share: how much of the picture is exact, 0..1. aim: returns that of files of
    a level. merges: whether colours are merged at low qualities. blends: ink (H, W, 1 or 3) and cover (H, W) of glyphs on smooth
    grounds, in no exact pixel.
    """

    def __init__(
        self,
        colors: Pixels,
        exact: Callable[[Area], Mask],
        share: float,
        aim: Callable[[int], Aim],
        *,
        merges: bool = True,
        blends: tuple[Pixels, Pixels] | None = None,
    ) -> None:
        self.colors, self.exact, self.share = colors, exact, share
        self._aim, self._merges, self._blends = aim, merges, blends
        self._payloads: dict[tuple[int, int], bytes] = {}

    def covered(self, area: Area) -> Mask:
        """Return the flags of the pixels of an area beneath which the codec sees a continued ground."""
        exact = self.exact(area)
        return exact if self._blends is None else exact | (self._blends[1][area.slices] > 0)

    def payload(self, level: int, tiling: Tiling) -> bytes:
        """Return the payload of the exact section of a file of that level, which has these tiles."""
        key = (self.reach(level), 0 if self._blends is None else glyphs.degrees(self._aim(level)))
        if key not in self._payloads:
            streams = [exact_layer.written(*self._over(area, level)) for area in tiling.tiles()]
            self._payloads[key] = exact_layer.pack(streams, tiling)
        return self._payloads[key]

    def lay_over(self, decoded: Pixels, level: int, tiling: Tiling) -> None:
        """Lay the layer of a file of that level over decoded colours (H, W, C), in place."""
        for area in tiling.tiles():
            decoded[area.slices] = exact_layer.blended(decoded[area.slices], *self._over(area, level))

    def _over(self, area: Area, level: int) -> tuple[Pixels, npt.NDArray[np.uint8]]:
        """Return the colours (h, w, C) and the cover (h, w) of the layer over an area in a file of that level."""
        exact = self.exact(area)
        colors = merging.merged(self.colors[area.slices], exact, self.reach(level))
        cover = np.where(exact, np.uint8(255), np.uint8(0))
        if self._blends is None:
            return colors, cover
        steps = glyphs.degrees(self._aim(level))
        ink, share = (plane[area.slices] for plane in self._blends)
        return np.where(exact[:, :, None], colors, ink), np.where(exact, cover, glyphs.rounded(share, steps))

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
        return merging.reach(self._aim(level)) if self._merges else 0
