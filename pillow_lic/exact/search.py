"""The search for the exact layer of a picture: square by square, then as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from ..fileformat.areas import Area
from . import layer, pixelwise, square
from .aims import Aim
from .drawn import BLOCK
from .layer import WHOLE, Floats, Layer, Mask, Pixels, squares_of
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
    height, width = colors.shape[:2]
    kept = np.zeros((-(-height // BLOCK), -(-width // BLOCK)), np.bool_)
    soft, damaged = np.zeros_like(kept), np.zeros_like(kept)
    blends: tuple[Pixels, Pixels] | None = None
    bits: float | None = 0.0
    wrong = 0.0
    areas = squares_of(height, width)

    def searched(area: Area) -> _Found | None:
        part = square.chosen(colors[area.slices], aim(level), partial(spent, area))
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
    result = (
        alone() if len(areas) == 1 else layer.of_blocks(colors, kept, soft, damaged, aim, blends, with_margins=True)
    )
    if len(areas) > 1 and bits is not None:
        result.expect(level, bits, wrong)
    if blends is not None or result.share < WHOLE or result.share == 1 or _left_bits(colors, kept) > _LEAST_OF_CODEC:
        return result
    every = layer.of_blocks(colors, np.ones_like(kept), soft | ~kept if soft.any() else soft, damaged, aim, None)
    return every if every.bits(level) <= result.bits(level) + _LEAST_OF_CODEC else result


def _left_bits(colors: Pixels, kept: Mask) -> float:
    """Return the bits that the blocks of a picture (H, W, 1 or 3) which are not kept cost at the least where they are."""
    areas = squares_of(*colors.shape[:2])
    left = ((area, ~kept[area.over(BLOCK).slices]) for area in areas)
    return _LEAST_COST * sum(
        float(pixelwise.contrast(colors[area.slices])[blocks].sum()) for area, blocks in left if blocks.any()
    )


def _of_part(colors: Pixels, part: Part, aim: Callable[[int], Aim], level: int) -> Layer:
    """Return the layer of a square alone (h, w, 1 or 3) that was chosen for a level."""
    blends = None if part.glyphs is None else (part.glyphs.ink, part.glyphs.cover)
    damaged = np.zeros_like(part.kept) if part.damaged is None else part.damaged
    made = layer.of_blocks(colors, part.kept, part.soft, damaged, aim, blends, with_margins=True)
    if part.bits is not None:
        made.expect(level, part.bits, 0.0)
    return made
