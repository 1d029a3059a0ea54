"""The exact layer of a picture: its pixels over the coded ground, their colours in a file of a level, and its section of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import numpy.typing as npt

from ..fileformat import exact_layer, vp8l
from ..fileformat.areas import Area
from ..fileformat.tiling import Tiling
from . import blockwise, glyphs, margins, merging, pixelwise, snapping
from .aims import Aim
from .blockwise import BLOCK

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Kind = tuple[int, bool, int | None]
"""What decides the exact pixels of a file, see `Layer.kind`."""
Key = tuple[int, bool, int | None, int]

WHOLE = 0.9
"""Share of exact pixels from which on a file without networks may be the smaller one."""
_LAST = 2
"""Areas whose snapped colours are kept, for what else is asked of them."""
_SQUARES = 1024
"""Side in pixels of the squares that a picture is searched in, each alone."""


class Layer:
    """The pixels over the coded ground of a picture of colours (H, W, 1 or 3): exact ones, and glyphs that blend with it.

    exact: returns the flags of the pixels of an area. share: how much of the picture is exact, 0..1. aim: returns that of files of
    a level. merges: whether colours are merged at low qualities. soft: returns the flags of pixels of an area that have fewer colours
    at every quality where they are exact; snapped: of those whose colours are snapped instead (`snapping`). has_letters: whether others
    keep theirs where colours are kept.
    blends: ink (H, W, 1 or 3) and cover (H, W) of glyphs on smooth grounds, in no exact pixel.
    """

    def __init__(
        self,
        colors: Pixels,
        exact: Callable[[Area], Mask],
        share: float,
        aim: Callable[[int], Aim],
        *,
        merges: bool = True,
        soft: Callable[[Area], Mask] | None = None,
        snapped: Callable[[Area], Mask] | None = None,
        has_letters: bool = True,
        blends: tuple[Pixels, Pixels] | None = None,
    ) -> None:
        self.colors, self.exact, self.share, self.has_letters = colors, exact, share, has_letters
        self._aim, self._merges, self._soft, self._snapped, self._blends = aim, merges, soft, snapped, blends
        self._payloads: dict[Key, bytes] = {}
        self._bits: dict[Key, float] = {}
        self._wrong: dict[Key, float] = {}
        self._last: dict[tuple[Area, int, bool, int], Pixels] = {}
        self._whole: tuple[Kind, Pixels] | None = None
        self._looks: dict[tuple[Area, int | None], snapping.Course] = {}
        self._whole_bits: dict[Kind, int] = {}

    def covered(self, area: Area) -> Mask:
        """Return the flags (h, w) of the pixels of an area beneath which the codec sees a continued ground."""
        exact = self.exact(area)
        return exact if self._blends is None else exact | (self._blends[1][area.slices] > 0)

    def left(self) -> Floats:
        """Return which part of every block (rows, columns) is left to the codec: nothing that costs bits of one with glyphs."""
        height, width = self.colors.shape[:2]
        parts = np.zeros((-(-height // BLOCK), -(-width // BLOCK)), np.float32)
        for area in squares_of(height, width):
            here = parts[area.over(BLOCK).slices]
            here[:] = pixelwise.marked(~self.exact(area)) / BLOCK**2
            if self._blends is not None:
                here[pixelwise.marked(self._blends[1][area.slices] > 0) > 0] = 0
        return parts

    def payload(self, level: int, tiling: Tiling, *, quick: bool = False) -> bytes:
        """Return the payload of the exact section of a file of that level, which has these tiles. quick: by a shorter search."""
        if (key := self._key(level)) not in self._payloads:
            streams = [exact_layer.written(*self.over(area, level), quick=quick) for area in tiling.tiles()]
            self._payloads[key] = exact_layer.pack(streams, tiling)
        return self._payloads[key]

    def lay_over(self, decoded: Pixels, level: int, areas: Iterable[Area], passes: int = snapping.BEST) -> None:
        """Lay the layer of a file of that level over areas of decoded colours (H, W, C), in place; passes: as of `over`."""
        for area in areas:
            decoded[area.slices] = exact_layer.blended(decoded[area.slices], *self.over(area, level, passes))

    def over(self, area: Area, level: int, passes: int = snapping.BEST) -> tuple[Pixels, npt.NDArray[np.uint8]]:
        """Return the colours (h, w, C) and the cover (h, w) of the layer over an area in a file of that level.

        passes: as of `snapping.snapped`; a file has the best.
        """
        exact = self.exact(area)
        colors = self._merged(area, exact, level, passes)
        cover = np.where(exact, np.uint8(255), np.uint8(0))
        if self._blends is None:
            return colors, cover
        steps = glyphs.degrees(self._aim(level))
        ink, share = (plane[area.slices] for plane in self._blends)
        return pixelwise.chosen(exact, colors, ink), np.where(exact, cover, glyphs.rounded(share, steps))

    def _merged(self, area: Area, exact: Mask, level: int, passes: int) -> Pixels:
        """Return the colours (h, w, C) of an area as a file of that level has them where they are exact."""
        if self._snapped is None:
            return self._with_fewer(area, exact, level)
        snapped, step = exact & self._snapped(area), self._step(level)
        if step is None or not snapped.any():
            return self._with_fewer(area, exact & ~snapped, level)
        look = self._looks.get((area, step))
        if look is not None and not look.covers(snapped):
            look = None
        if passes == snapping.LOOK and look is not None:
            return look.over(self._with_fewer(area, exact & ~snapped, level), snapped)
        key = (area, step, bool(exact.all()), passes)
        if key not in self._last:
            while len(self._last) >= _LAST:
                del self._last[next(iter(self._last))]
            fewer = self._with_fewer(area, exact & ~snapped, level)
            left = passes if look is None else passes - snapping.LOOK
            self._last[key] = snapping.snapped(fewer, snapped, step, left, look)[0]
        return self._last[key]

    def _with_fewer(self, area: Area, exact: Mask, level: int) -> Pixels:
        """Return the colours (h, w, C) of an area with those that are merged in a file of that level, if they are exact.

        Those of pixels that are exact in none but a file without networks are merged at every quality where any are.
        """
        colors = self.colors[area.slices]
        if not self._aim(level).is_exact or self._soft is None:
            return merging.merged(colors, exact, self.reach(level))
        soft = exact & (self._soft(area) | ~self.exact(area))
        return merging.merged(colors, soft, self.reach(level), exact & ~soft)

    def show(self, area: Area, level: int, look: snapping.Course) -> None:
        """Take for snapped colours of an area in files of that level those of a look at them, and let the best go on from there."""
        self._looks[area, self._step(level)] = look

    def expect(self, level: int, bits: float, wrong: float | None = None) -> None:
        """Take so many bits for those of the layer of a file of that level, until it is written, and so much for `wrong`."""
        self._bits[self._key(level)] = bits
        if wrong is not None:
            self._wrong[self._key(level)] = wrong

    def bits(self, level: int) -> float:
        """Return about how many bits the layer of a file of that level has, or how many where it was written."""
        if (key := self._key(level)) in self._payloads:
            return 8 * len(self._payloads[key])
        if key not in self._bits:
            self._bits[key], self._wrong[key] = 0.0, 0.0
            for area in squares_of(*self.colors.shape[:2]):
                colors, cover = self.over(area, level, snapping.LOOK)
                self._bits[key] += exact_layer.bits(colors, cover)
                self._wrong[key] += self._error(area, colors)
        return self._bits[key]

    def wrong(self, level: int) -> float:
        """Return about the squared error, the mean of channels, of snapped pixels in a file of that level."""
        if self._snapped is None or self._step(level) is None:
            return 0.0
        if (key := self._key(level)) not in self._wrong:
            areas = squares_of(*self.colors.shape[:2])
            looks = (self._merged(area, self.exact(area), level, snapping.LOOK) for area in areas)
            self._wrong[key] = sum(map(self._error, areas, looks))
        return self._wrong[key]

    def _error(self, area: Area, shown: Pixels) -> float:
        """Return the squared error, the mean of channels, of the snapped pixels of an area whose exact ones have colours (h, w, C)."""
        if self._snapped is None:
            return 0.0
        snapped = self.exact(area) & self._snapped(area)
        wanted = self.colors[area.slices]
        return float(pixelwise.errors_of_marked(snapped, shown, wanted).sum())

    def _key(self, level: int) -> Key:
        """Return what decides the layer of a file of that level."""
        return (*self.kind(level), 0 if self._blends is None else glyphs.degrees(self._aim(level)))

    def whole(self, level: int) -> Pixels:
        """Return all colours of the picture as a file of that level has exact ones; the last are kept."""
        if self._whole is None or self._whole[0] != self.kind(level):
            result = np.empty_like(self.colors)
            for area in squares_of(*result.shape[:2]):
                result[area.slices] = self._merged(area, np.ones(area.shape, np.bool_), level, snapping.BEST)
            self._whole = self.kind(level), result
        return self._whole[1]

    def whole_bits(self, level: int) -> int:
        """Return about how many bits these have."""
        if (kind := self.kind(level)) not in self._whole_bits:
            self._whole_bits[kind] = vp8l.bits(self.whole(level))
        return self._whole_bits[kind]

    def is_kept(self, level: int) -> bool:
        """Return whether every exact pixel of a file of that level keeps its colour."""
        return not self.reach(level) and self._step(level) is None

    def reach(self, level: int) -> int:
        """Return how far colours are moved in a file of that level; 0 where every pixel that is not snapped keeps its own."""
        aim = self._aim(level)
        if not self._merges or (aim.is_exact and self._soft is None):
            return 0
        return merging.reach(aim._replace(is_exact=False))

    def _step(self, level: int) -> int | None:
        """Return what decides the colours of snapped pixels in a file of that level; None where they keep them, or there are none."""
        return None if self._snapped is None else snapping.step(self._aim(level))

    def kind(self, level: int) -> Kind:
        """Return what decides the exact pixels of a file of that level: how far colours are moved, whether only soft ones are, and snapping."""
        return self.reach(level), self._aim(level).is_exact, self._step(level)


def named(colors: Pixels, places: Mask, aim: Callable[[int], Aim]) -> Layer | None:
    """Return the layer of pixels that a caller marks (H, W), whose colours are never merged; None if none are marked."""
    if not places.any():
        return None
    return Layer(colors, lambda area: places[area.slices], float(places.mean()), aim, merges=False)


def of_blocks(
    colors: Pixels,
    kept: Mask,
    soft: Mask,
    damaged: Mask,
    aim: Callable[[int], Aim],
    blends: tuple[Pixels, Pixels] | None,
    *,
    with_margins: bool = False,
) -> Layer:
    """Return the layer of a picture (H, W, 1 or 3) by the flags of its blocks (rows, columns).

    kept: those that are exact; soft: of these, those with fewer colours at every level; damaged: those with snapped ones. blends: ink and
    cover of glyphs, as `Layer` has them. with_margins: whether the margins of exact blocks are exact too (`margins`).
    """
    exact, share = partial(_pixels_of, kept), float(kept.mean())
    if with_margins and 0 < share < 1:
        places = _with_margins(colors, exact, None if blends is None else blends[1])
        exact, share = partial(_cut, places), float(places.mean())
    flags = partial(_pixels_of, soft) if soft.any() else None
    snapped = partial(_pixels_of, damaged) if damaged.any() else None
    has_letters = bool((kept & ~soft & ~damaged).any())
    return Layer(colors, exact, share, aim, soft=flags, snapped=snapped, has_letters=has_letters, blends=blends)


def _with_margins(colors: Pixels, exact: Callable[[Area], Mask], cover: npt.NDArray[np.uint8] | None) -> Mask:
    """Return the flags (H, W) of the exact pixels of a picture, and of their margins outside the blocks that glyphs cover."""
    places = np.zeros(colors.shape[:2], np.bool_)
    for area in squares_of(*colors.shape[:2]):
        here = places[area.slices] = exact(area)
        if here.any():
            others = np.zeros_like(here)
            if cover is not None:
                others = blockwise.pixels_of(pixelwise.marked(cover[area.slices] > 0) > 0, here.shape)
            places[area.slices] |= margins.found(colors[area.slices], here, others)
    return places


def _cut(places: Mask, area: Area) -> Mask:
    """Return the flags (h, w) of the pixels of an area, by those of the picture."""
    return places[area.slices]


def _pixels_of(blocks: Mask, area: Area) -> Mask:
    """Return the flags (h, w) of the pixels of an area, by those of the picture's blocks (rows, columns)."""
    whole = area.over(BLOCK).times(BLOCK)
    return blockwise.pixels_of(blocks[area.over(BLOCK).slices], whole.shape)[area.within(whole).slices]


def squares_of(height: int, width: int) -> list[Area]:
    """Return the squares of a picture that are searched for what is drawn, each alone."""
    return Tiling(width, height, _SQUARES).tiles()
