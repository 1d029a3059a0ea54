"""The exact layer of a picture on its way into a file: which pixels it keeps, the ground beneath them, its section at a level."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..fileformat import exact_layer
from ..fileformat.areas import Area
from ..fileformat.tiling import Tiling
from . import choice, damage, drawn, glyphs, margins, merging, pixelwise, snapping
from .aims import Aim
from .choice import Spent, Weighed
from .drawn import BLOCK, Blocks
from .glyphs import Glyphs

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Kind = tuple[int, bool, int | None]
"""What decides the exact pixels of a file, see `Layer.kind`."""
Key = tuple[int, bool, int | None, int]

WHOLE = 0.9
"""Share of exact pixels from which on a file without networks may be the smaller one."""
_LEAST_OF_CODEC = 8 * 64
"""Bits of the networks that a file with a layer has at the least."""
_LEAST_COST = 0.01
"""Bits a level of contrast that blocks cost at the least: letters of one colour on flat ground."""
_GLYPHS_COST = 1.1
"""What glyphs cost for one bit of what is expected: a line chart at quality 2 had 32.1 dB where blocks of fewer colours had 37.5, for the
same bits and error by expectation."""
_LAST = 2
"""Areas whose snapped colours are kept, for what else is asked of them."""
_SQUARES = 1024
"""Side in pixels of the squares that are searched for drawn blocks, each alone."""


class _Part(NamedTuple):
    """The kept part of an area: its exact blocks, those of them that may have fewer colours at every level, and its glyphs.

    bits: about those of its layer, where they were counted. damaged: the blocks whose colours are snapped, None for none.
    """

    kept: Mask
    soft: Mask
    glyphs: Glyphs | None
    bits: float | None = None
    damaged: Mask | None = None


class _Found(NamedTuple):
    """What is kept of a square, and what returns the layer of the square alone."""

    part: _Part
    alone: Callable[[], Layer]


def found(
    colors: Pixels,
    level: int,
    aim: Callable[[int], Aim],
    spent: Callable[[Area], Floats],
    pays: Callable[[Area, Callable[[], Layer]], bool] | None = None,
    each: Callable[[Callable[[Area], _Found | None], Sequence[Area]], Iterable[_Found | None]] = map,
) -> Layer | None:
    """Return the layer that pays for the content of a picture (H, W, 1 or 3) in files near a level; None for one like a photograph.

    aim: returns that of files of a level. spent: returns what the blocks of a square cost the codec; asked where there is doubt. pays:
    returns whether a square is to have a layer, which it makes for it alone if it calls what it gets; None: all do. each: returns what a
    function returns for every square, in their order.
    """
    height, width = colors.shape[:2]
    kept = np.zeros((-(-height // BLOCK), -(-width // BLOCK)), np.bool_)
    soft, damaged = np.zeros_like(kept), np.zeros_like(kept)
    blends: tuple[Pixels, Pixels] | None = None
    bits: float | None = 0.0
    wrong = 0.0
    areas = squares_of(height, width)

    def searched(area: Area) -> _Found | None:
        part = _chosen(colors[area.slices], aim(level), partial(spent, area))
        if not part.kept.any() and part.glyphs is None:
            return None
        alone = cache(partial(_of_part, colors[area.slices], part, aim, level))
        return _Found(part, alone) if pays is None or pays(area, alone) else None

    for area, found in zip(areas, each(searched, areas), strict=True):
        if found is None:
            continue
        part, alone = found
        here = area.over(BLOCK).slices
        kept[here], soft[here] = part.kept, part.soft
        if part.damaged is not None:
            damaged[here] = part.damaged
            part, wrong = part._replace(bits=alone().bits(level)), wrong + alone().wrong(level)
        bits = None if bits is None or part.bits is None else bits + part.bits
        if part.glyphs is not None:
            if blends is None:
                blends = np.zeros_like(colors), np.zeros((height, width), np.uint8)
            blends[0][area.slices], blends[1][area.slices] = part.glyphs.ink, part.glyphs.cover
    if not kept.any() and blends is None:
        return None
    result = alone() if len(areas) == 1 else _of_blocks(colors, kept, soft, damaged, aim, blends, with_margins=True)
    if len(areas) > 1 and bits is not None:
        result.expect(level, bits, wrong)
    if blends is not None or result.share < WHOLE or result.share == 1 or _left_bits(colors, kept) > _LEAST_OF_CODEC:
        return result
    every = _of_blocks(colors, np.ones_like(kept), soft | ~kept if soft.any() else soft, damaged, aim, None)
    return every if every.bits(level) <= result.bits(level) + _LEAST_OF_CODEC else result


def squares_of(height: int, width: int) -> list[Area]:
    """Return the squares of a picture that are searched for what is drawn, each alone."""
    return Tiling(width, height, _SQUARES).tiles()


def _left_bits(colors: Pixels, kept: Mask) -> float:
    """Return the bits that the blocks of a picture (H, W, 1 or 3) which are not kept cost at the least where they are."""
    areas = squares_of(*colors.shape[:2])
    left = ((area, ~kept[area.over(BLOCK).slices]) for area in areas)
    return _LEAST_COST * sum(
        float(pixelwise.contrast(colors[area.slices])[blocks].sum()) for area, blocks in left if blocks.any()
    )


def _of_part(colors: Pixels, part: _Part, aim: Callable[[int], Aim], level: int) -> Layer:
    """Return the layer of a square alone (h, w, 1 or 3) that was chosen for a level."""
    blends = None if part.glyphs is None else (part.glyphs.ink, part.glyphs.cover)
    damaged = np.zeros_like(part.kept) if part.damaged is None else part.damaged
    made = _of_blocks(colors, part.kept, part.soft, damaged, aim, blends, with_margins=True)
    if part.bits is not None:
        made.expect(level, part.bits, 0.0)
    return made


def _of_blocks(
    colors: Pixels,
    kept: Mask,
    soft: Mask,
    damaged: Mask,
    aim: Callable[[int], Aim],
    blends: tuple[Pixels, Pixels] | None,
    *,
    with_margins: bool = False,
) -> Layer:
    """Return the layer of a picture by the flags of its blocks."""
    exact, share = partial(_pixels_of, kept), float(kept.mean())
    if with_margins and 0 < share < 1:
        places = _with_margins(colors, exact, None if blends is None else blends[1])
        exact, share = partial(_cut, places), float(places.mean())
    flags = partial(_pixels_of, soft) if soft.any() else None
    snapped = partial(_pixels_of, damaged) if damaged.any() else None
    has_letters = bool((kept & ~soft & ~damaged).any())
    return Layer(colors, exact, share, aim, soft=flags, snapped=snapped, has_letters=has_letters, blends=blends)


def _with_margins(colors: Pixels, exact: Callable[[Area], Mask], cover: npt.NDArray[np.uint8] | None) -> Mask:
    """Return the exact pixels of a picture, and their margins outside the blocks that glyphs cover."""
    places = np.zeros(colors.shape[:2], np.bool_)
    for area in squares_of(*colors.shape[:2]):
        here = places[area.slices] = exact(area)
        if here.any():
            others = np.zeros_like(here)
            if cover is not None:
                others = drawn.pixels_of(pixelwise.marked(cover[area.slices] > 0) > 0, here.shape)
            places[area.slices] |= margins.found(colors[area.slices], here, others)
    return places


def _cut(places: Mask, area: Area) -> Mask:
    """Return the flags of the pixels of an area."""
    return places[area.slices]


def _pixels_of(blocks: Mask, area: Area) -> Mask:
    """Return the flags of the pixels of an area by those of the picture's blocks."""
    whole = area.over(BLOCK).times(BLOCK)
    return drawn.pixels_of(blocks[area.over(BLOCK).slices], whole.shape)[area.within(whole).slices]


def _chosen(colors: Pixels, aim: Aim, spent: Spent) -> _Part:
    """Return what is kept of an area (h, w, 1 or 3)."""
    step = snapping.step(aim)
    blocks = drawn.found(colors)
    damaged = None if step is None else damage.found(colors, is_drawn=blocks is not None)
    if step is not None and damaged is not None:
        return _of_damaged(colors, damaged, step, aim, spent)
    if blocks is None:
        none = np.zeros((-(-colors.shape[0] // BLOCK), -(-colors.shape[1] // BLOCK)), np.bool_)
        return _with_glyphs(none, none, glyphs.paying(glyphs.searched(colors, None), colors, None, aim, spent))
    weighed = choice.weighed(colors, blocks, aim)
    if weighed.is_sure:
        worth = choice.by_contrast(blocks.contrast, aim)
        return _cheapest(colors, _of_sure_blocks(colors, weighed, aim, spent), aim, worth)
    worth = spent()
    if not aim.is_exact:
        kept = weighed.paying(choice.FAVOUR * worth)
        return _cheapest(colors, _with_fewer_colours(colors, kept, aim, spent), aim, worth)
    fewer = choice.weighed(colors, blocks, aim._replace(is_exact=False)).paying(choice.FAVOUR * worth)
    return _with_letters(colors, blocks, fewer, aim, spent)


def _of_damaged(colors: Pixels, damaged: Mask, step: int, aim: Aim, spent: Spent) -> _Part:
    """Return what is kept of an area (h, w, 1 or 3) with damaged blocks: those that pay with snapped colours, and clean letters."""
    blocks = drawn.measured(colors)
    among = (blocks.equal >= drawn.LEAST_EQUAL) | (drawn.kinds(colors) <= snapping.FEW)
    exact = drawn.pixels_of(among, colors.shape[:2])
    shown, bits = snapping.snapped(colors, exact, step, snapping.LOOK)
    costs = bits + np.float32(aim.slope) * pixelwise.errors(shown, colors)
    kept = among & (costs <= choice.FAVOUR * spent())
    clean = ~damaged & blocks.within(choice.CLEAR_LETTERS)
    return _Part(kept | clean, np.zeros_like(kept), None, damaged=~clean)


def _of_sure_blocks(colors: Pixels, weighed: Weighed, aim: Aim, spent: Spent) -> list[_Part]:
    """Return what may be kept of an area whose blocks beyond doubt are exact; of a page, whose file needs no networks, nothing else."""
    exact = weighed.likely
    none = np.zeros_like(exact)
    taken = exact if aim.is_exact or exact.mean() >= WHOLE else None
    part = _with_glyphs(exact, none, glyphs.paying(glyphs.searched(colors, taken), colors, taken, aim, spent))
    if taken is None and part.glyphs is not None:
        return [part, _Part(exact, none, None)]
    beside = 0.0 if part.glyphs is None else part.glyphs.bits
    return [part._replace(bits=float(weighed.bits[part.kept].sum()) + beside)]


def _with_fewer_colours(colors: Pixels, kept: Mask, aim: Aim, spent: Spent) -> list[_Part]:
    """Return what may be kept of an area in doubt (h, w, 1 or 3) where colours are not kept: blocks of fewer colours, glyphs, or both."""
    none = np.zeros_like(kept)
    parts = [_Part(kept, none, None)]
    found = glyphs.paying(glyphs.searched(colors, None), colors, None, aim, spent)
    return parts if found is None else [*parts, _with_glyphs(kept, none, found), _with_glyphs(none, none, found)]


def _with_letters(colors: Pixels, blocks: Blocks, fewer: Mask, aim: Aim, spent: Spent) -> _Part:
    """Return what is kept of an area in doubt (h, w, 1 or 3) where colours are kept.

    Exact are the letters beyond doubt, but for glyphs on grounds of several colours, and all letters if that costs little more, or is far
    below what the codec spends and none are glyphs. Others
    have fewer colours, or are glyphs, or both, or are left to the codec, whatever costs least.
    """
    letters, clear = choice.letters(colors, blocks), blocks.within(choice.CLEAR_LETTERS)
    smooth = glyphs.paying(glyphs.searched(colors, clear), colors, clear, aim, spent)

    def part(exact: Mask, others: Mask, even: Mask, *, is_smooth: bool) -> _Part:
        chosen = exact | others
        beside = smooth.beside(exact & (smooth.even | even)) if is_smooth and smooth is not None else None
        return _with_glyphs(chosen, chosen & ~exact, beside)

    none = np.zeros_like(clear)
    ways = [
        (others, is_smooth)
        for others in ([none, fewer] if (fewer & ~clear).any() else [none])
        for is_smooth in ([False] if smooth is None else [False, True])
    ]
    parts = [part(clear, others, none, is_smooth=is_smooth) for others, is_smooth in ways]
    counted = [_cost(colors, each, aim, spent()) for each in parts]
    costs = [cost for cost, _ in counted]
    most = choice.FAVOUR_OF_COLORS * min(costs)
    if smooth is None:
        most = max(most, choice.SHARE_OF_LETTERS * float(spent().sum()))
    for place in sorted(range(len(ways)), key=costs.__getitem__):
        if costs[place] <= most and (letters & ~clear).any():
            others, is_smooth = ways[place]
            whole = part(letters | clear, others, letters, is_smooth=is_smooth)
            cost, bits = _cost(colors, whole, aim, spent())
            if cost <= most:
                return whole._replace(bits=bits)
    best = costs.index(min(costs))
    return parts[best]._replace(bits=counted[best][1])


def _cheapest(colors: Pixels, parts: Sequence[_Part], aim: Aim, spent: Floats) -> _Part:
    """Return what costs least of what may be kept of an area."""
    if len(parts) == 1:
        return parts[0]
    best, least = parts[0], math.inf
    for part in parts:
        cost, bits = _cost(colors, part, aim, spent)
        if part.glyphs is not None:
            cost *= _GLYPHS_COST
        if cost < least:
            best, least = part._replace(bits=bits), cost
    return best


def _with_glyphs(exact: Mask, soft: Mask, found: Glyphs | None) -> _Part:
    """Return what is kept where glyphs take the place of exact blocks."""
    stays = exact if found is None else exact & ~found.blocks
    return _Part(stays, soft & stays, found)


def _cost(colors: Pixels, part: _Part, aim: Aim, spent: Floats) -> tuple[float, float]:
    """Return what an area (h, w, 1 or 3) costs by the bits and the error of its layer, and what the codec spends on the other blocks.

    And the bits of the layer.
    """
    blends = None if part.glyphs is None else (part.glyphs.ink, part.glyphs.cover)
    made = _of_blocks(colors, part.kept, part.soft, np.zeros_like(part.kept), lambda _: aim, blends)
    area = Area(0, 0, colors.shape[1], colors.shape[0])
    shown, cover = made.over(area, 0)
    difference = np.subtract(shown, colors, dtype=np.int16) * made.exact(area)[:, :, None]
    wrong = float(np.einsum("ijk,ijk->", difference, difference, dtype=np.float64, casting="unsafe")) / colors.shape[2]
    by_codec = ~part.kept
    if part.glyphs is not None:
        by_codec &= ~part.glyphs.blocks
        wrong += part.glyphs.wrong[part.glyphs.blocks].sum() / aim.slope
    bits = float(exact_layer.bits(shown, cover))
    return bits + float(aim.slope * wrong + spent[by_codec].sum()), bits


def named(colors: Pixels, places: Mask, aim: Callable[[int], Aim]) -> Layer | None:
    """Return the layer of pixels that a caller marks (H, W), whose colours are never merged; None if none are marked."""
    if not places.any():
        return None
    return Layer(colors, lambda area: places[area.slices], float(places.mean()), aim, merges=False)


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

    def covered(self, area: Area) -> Mask:
        """Return the flags of the pixels of an area beneath which the codec sees a continued ground."""
        exact = self.exact(area)
        return exact if self._blends is None else exact | (self._blends[1][area.slices] > 0)

    def left(self) -> Floats:
        """Return which part of every block is left to the codec: nothing that costs bits of one with glyphs, whose ground is smooth."""
        height, width = self.colors.shape[:2]
        parts = np.zeros((-(-height // BLOCK), -(-width // BLOCK)), np.float32)
        for area in squares_of(height, width):
            here = parts[area.over(BLOCK).slices]
            here[:] = pixelwise.marked(~self.exact(area)) / BLOCK**2
            if self._blends is not None:
                here[pixelwise.marked(self._blends[1][area.slices] > 0) > 0] = 0
        return parts

    def payload(self, level: int, tiling: Tiling, *, soon: bool = False) -> bytes:
        """Return the payload of the exact section of a file of that level, which has these tiles. soon: by a shorter search."""
        if (key := self._key(level)) not in self._payloads:
            streams = [exact_layer.written(*self.over(area, level), soon=soon) for area in tiling.tiles()]
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
        return np.where(exact[:, :, None], colors, ink), np.where(exact, cover, glyphs.rounded(share, steps))

    def _merged(self, area: Area, exact: Mask, level: int, passes: int) -> Pixels:
        """Return the colours (h, w, C) of an area as a file of that level has them where they are exact."""
        if self._snapped is None:
            return self._with_fewer(area, exact, level)
        snapped, step = exact & self._snapped(area), self._step(level)
        if step is None or not snapped.any():
            return self._with_fewer(area, exact & ~snapped, level)
        key = (area, step, bool(exact.all()), passes)
        if key not in self._last:
            while len(self._last) >= _LAST:
                del self._last[next(iter(self._last))]
            fewer = self._with_fewer(area, exact & ~snapped, level)
            self._last[key], _ = snapping.snapped(fewer, snapped, step, passes)
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

    def expect(self, level: int, bits: float, wrong: float) -> None:
        """Take so many bits for those of the layer of a file of that level, until it is written, and so much for `wrong`."""
        self._bits[self._key(level)], self._wrong[self._key(level)] = bits, wrong

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
        return float(pixelwise.errors(np.where(snapped[:, :, None], shown, wanted), wanted).sum())

    def _key(self, level: int) -> Key:
        """Return what decides the layer of a file of that level."""
        return (*self.kind(level), 0 if self._blends is None else glyphs.degrees(self._aim(level)))

    def whole(self, level: int) -> Pixels:
        """Return all colours of the picture as a file of that level has exact ones."""
        result = np.empty_like(self.colors)
        for area in squares_of(*result.shape[:2]):
            result[area.slices] = self._merged(area, np.ones(area.shape, np.bool_), level, snapping.BEST)
        return result

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
