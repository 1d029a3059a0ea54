"""The grounds beneath letters that are no planes, such as photographs: what the pixels around the letters continue to.

Letters that are large enough have pixels that are all ink: neighbours of one colour, with a step to what is around them. These and
the few around them, which ink covers in part, are taken away, and the ground is what the others continue to.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import blockwise, choice, pixelwise
from .ground import continued
from .grounds import Ground, are_even, at

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_STEP, _AWAY = 40, 2
"""Levels, in the channel that differs most, from ink to a pixel so many further on, where a letter ends."""
_SIDES = 2
"""Neighbours of the same colour, of four, that a pixel within a letter has."""
_LEAST_ENDS, _FRAME = 64, 8
"""Pixels of a colour before such a step, from which on it may be ink; pixels at the border of a square, which may be a frame, do not count."""
_MOST_INKS = 12
"""Colours that are tried as inks."""
_NEAR, _MOST_NEAR = 8, 0.2
"""Levels from ink up to which a pixel beside it is nearly ink, and the most of them that are: 0.03 to 0.1 beside letters, 0.4 to 0.9 beside
what is flat in photographs."""
_NEAR_CLIPPED, _MOST_NEAR_CLIPPED = 40, 0.27
"""The same for black, white and pure colours: 0.1 to 0.23 beside letters, 0.32 and 0.37 beside what is clipped in two photographs of Kodak."""
_LEAST_INK = 6
"""Pixels of a block that are within letters."""


def found(colors: Pixels, others: npt.NDArray[np.intp]) -> Ground:
    """Return the blocks of a square of whole blocks (h, w, 1 or 3) that have ink on any ground.

    others: raster indexes of blocks that are left out. So are letters on an even ground, whose exact pixels cost little.
    """
    ink = _ink(colors)
    blocks = pixelwise.marked(ink) >= _LEAST_INK
    if blocks.any():
        blocks &= ~choice.letters(colors, blockwise.measured(colors))
        blocks.ravel()[others] = False
    places = np.flatnonzero(blocks)
    covered = _spread(_spread(ink))
    beneath = continued(colors, lambda area: covered[area.slices]) if len(places) else colors
    ground = at(beneath, places)
    return Ground(places, at(colors, places), ground, at(covered, places).astype(np.bool_), are_even(ground))


def _ink(colors: Pixels) -> Mask:
    """Return which pixels of a square (h, w, 1 or 3) are within letters."""
    numbers = pixelwise.packed(colors)
    within, ends = pixelwise.strokes(colors, _SIDES, _AWAY, _STEP)
    inner = (slice(_FRAME, -_FRAME), slice(_FRAME, -_FRAME))
    kinds, _, counts = pixelwise.distinct(numbers[inner][(within & ends)[inner]])
    order = np.argsort(-counts, kind="stable")[:_MOST_INKS]
    order = order[counts[order] >= _LEAST_ENDS]
    shifts = 8 * np.arange(colors.shape[2] - 1, -1, -1, dtype=np.uint32)
    tried = (kinds[order, None] >> shifts & 0xFF).astype(np.uint8)
    own, beside = pixelwise.beside_kinds(colors, within, tried, _NEAR, _NEAR_CLIPPED)
    inks = [kind for kind, counted in enumerate(beside) if _is_ink(tried[kind], *(int(number) for number in counted))]
    result: Mask = (own & np.uint32(sum(1 << kind for kind in inks))) > 0
    return result


def _is_ink(color: Pixels, beside: int, near: int, near_clipped: int) -> bool:
    """Return whether a colour (C) is one of letters, and not of what is flat or clipped in a photograph, by the pixels beside it."""
    if near > _MOST_NEAR * beside:
        return False
    is_clipped = bool(np.isin(color, (0, 255)).all())
    return not is_clipped or near_clipped <= _MOST_NEAR_CLIPPED * beside


def _spread(places: Mask) -> Mask:
    """Return the marked pixels (h, w) and those beside them, aslant too."""
    for axis in (0, 1):
        before, places = places, places.copy()
        one, other = _pair(axis, 1)
        places[one] |= before[other]
        places[other] |= before[one]
    return places


def _pair(axis: int, apart: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the places of the pixels with another so far before them along an axis, and of these others."""
    one, other = ((slice(None),) * axis + (part,) for part in (slice(apart, None), slice(None, -apart)))
    return one, other
