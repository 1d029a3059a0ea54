"""The search for the exact layer of a picture: square by square, then as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from ..fileformat.areas import Area
from . import layer, pixelwise, snapping, square
from .aims import Aim
from .blockwise import BLOCK
from .layer import WHOLE, Floats, Layer, Pixels, squares_of
from .square import Part

_LEAST_OF_CODEC = 8 * 64
"""Bits of the networks that a file with a layer has at the least."""
_LEAST_COST = 0.01
"""Bits a level of contrast that blocks cost at the least: letters of one colour on flat ground."""


class _Found(NamedTuple):
    """What is kept of a square, and what returns the layer of the square alone."""

    part: Part
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
    picked, areas = _Picked(colors), squares_of(*colors.shape[:2])
    bits: float | None = 0.0
    wrong = 0.0

    def searched(area: Area) -> _Found | None:
        part = square.chosen(colors[area.slices], aim(level), partial(spent, area))
        if not part.kept.any() and part.glyphs is None:
            return None
        alone = cache(partial(_of_part, colors[area.slices], part, aim, level))
        return _Found(part, alone) if pays is None or pays(area, alone) else None

    for area, of_square in zip(areas, each(searched, areas), strict=True):
        if of_square is None:
            continue
        part, alone = of_square
        picked.put(area, part)
        if part.damaged is not None:
            part, wrong = part._replace(bits=alone().bits(level)), wrong + alone().wrong(level)
        bits = None if bits is None or part.bits is None else bits + part.bits
    if picked.is_empty:
        return None
    result = alone() if len(areas) == 1 else picked.layer(aim, level)
    if len(areas) > 1 and bits is not None:
        result.expect(level, bits, wrong)
    if picked.blends is not None or result.share < WHOLE or result.share == 1 or picked.left_bits() > _LEAST_OF_CODEC:
        return result
    every = picked.every(aim, level)
    return every if every.bits(level) <= result.bits(level) + _LEAST_OF_CODEC else result


class _Picked:
    """The flags of all blocks of a picture (H, W, 1 or 3), as parts of its squares are put there."""

    def __init__(self, colors: Pixels) -> None:
        self._colors = colors
        rows, columns = (-(-length // BLOCK) for length in colors.shape[:2])
        self._kept, self._soft, self._damaged = np.zeros((3, rows, columns), np.bool_)
        self._looks: dict[Area, snapping.Course] = {}
        self.blends: tuple[Pixels, Pixels] | None = None

    def put(self, area: Area, part: Part) -> None:
        """Take what is kept of a square."""
        here = area.over(BLOCK).slices
        self._kept[here], self._soft[here] = part.kept, part.soft
        if part.damaged is not None:
            self._damaged[here] = part.damaged
        if part.look is not None:
            self._looks[area] = part.look
        if part.glyphs is not None:
            if self.blends is None:
                self.blends = np.zeros_like(self._colors), np.zeros(self._colors.shape[:2], np.uint8)
            self.blends[0][area.slices], self.blends[1][area.slices] = part.glyphs.ink, part.glyphs.cover

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept."""
        return not self._kept.any() and self.blends is None

    def layer(self, aim: Callable[[int], Aim], level: int) -> Layer:
        """Return the layer of the picture, chosen for a level."""
        flags = self._kept, self._soft, self._damaged
        return self._shown(layer.of_blocks(self._colors, *flags, aim, self.blends, with_margins=True), level)

    def every(self, aim: Callable[[int], Aim], level: int) -> Layer:
        """Return the layer that keeps the other blocks too, those with fewer colours where any have; without glyphs."""
        soft = self._soft | ~self._kept if self._soft.any() else self._soft
        return self._shown(
            layer.of_blocks(self._colors, np.ones_like(self._kept), soft, self._damaged, aim, None), level
        )

    def _shown(self, made: Layer, level: int) -> Layer:
        """Return a layer that goes on where the looks at its squares ended."""
        for area, look in self._looks.items():
            made.show(area, level, look)
        return made

    def left_bits(self) -> float:
        """Return the bits that the blocks which are not kept cost at the least where they are."""
        areas = squares_of(*self._colors.shape[:2])
        left = ((area, ~self._kept[area.over(BLOCK).slices]) for area in areas)
        return _LEAST_COST * sum(
            float(pixelwise.contrast(self._colors[area.slices])[blocks].sum()) for area, blocks in left if blocks.any()
        )


def _of_part(colors: Pixels, part: Part, aim: Callable[[int], Aim], level: int) -> Layer:
    """Return the layer of a square alone (h, w, 1 or 3) that was chosen for a level, and its margins; its bits where they are known without."""
    made = square.layer_of(colors, part, aim, level, with_margins=True)
    if part.bits is not None and made.share <= part.kept.mean():
        made.expect(level, part.bits)
    return made
