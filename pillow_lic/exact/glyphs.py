"""Letters and lines on a gradient or a photograph: the colour of their ink, and how much of it covers each pixel.

A renderer blends: pixel = ground + cover (ink - ground). Where letters lie on a gradient every pixel of an edge has a colour of
its own, but few inks and few degrees of cover make them all, and letters of one form have the same cover. So the layer keeps
ink and cover, and the ground is left to the codec, to which it costs next to nothing.

    blocks with steps beside flat pixels ─▶ ground: plane through the flat ones ┬─▶ inks that explain whole blocks ─▶ cover
                                          or what is around letters (`rough`) ┘

On the letters of slides and cards ink and cover cost 0.01 to 0.03 bits a level of contrast, their colours 0.1 to 0.2 (VP8L;
tests/screens).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..fileformat import exact_layer
from . import blockwise, choice, grounds, pixelwise, rough
from .aims import Aim
from .blockwise import BLOCK, LEAST_SURE
from .choice import Spent
from .ground import continued
from .grounds import Ground, blocks_of, largest

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

_RUN, _EVEN, _STEP = 3, 1, 40
"""Pixels in a row that differ by at most so many levels, and the levels to the next, where a letter on a smooth ground may begin."""
_ROWS = 8
"""One of so many rows is seen by the quick look."""
_LEAST_BEGINNINGS = 0.006
"""Share of blocks with such a place: photographs have 0 to 0.003 of them, and 0.02 where white is clipped; slides 0.01 to 0.2."""
_MOST_INKS, _LEAST_PIXELS, _INKS_OF_A_BLOCK = 24, 12, 2
"""Colours that are tried as inks, the pixels that must have one, and the inks of a block."""
_MOST_TRIED, _APART = 512, 8.0
"""The most frequent colours that may be inks, and the levels, in the channel that differs most, up to which one stands for another."""
_SEEN = 3
"""One of so many pixels tells the ink of a block."""
_TOLERANCE = 10.0
"""Levels, in the channel that differs most, by which a blend may miss a pixel."""
_SOFT, _VARIES, _CELL, _MOST_SOFT = 6, 3.0, 4, 0.25
"""Levels to each neighbour up to which a pixel is soft where its distance from the ground varies by as many in a cell of so many pixels a
side, and the most of a block's contrast in such pixels: a shadow, which would show steps."""
_THIN = 4
"""Pixels up to which on two opposite sides there is one that is not soft, where a bar or a stroke is thin, and no shadow."""
_EXPLAINED = 0.85
"""Share of a block's contrast that inks must explain; the rest stays with the codec.

Counted by pixels, a dark ink would explain the soft edges of bright letters, and leave their strokes to the codec.
"""
_ESTIMATED, _MOST_WRONG = 1.0, 0.3
"""The most that the glyphs of a block may cost by the estimate of `blockwise`, and that their error alone may, in parts of what its contrast
costs the codec: the error of letters is 0 to 0.2 of it, that of lines with another ground on each side 0.3 and more."""
_MOST_BITS = 0.85
"""The most that those of a square may cost in real bits, in parts of what their blocks cost the codec, which keeps the ground beneath."""
_FEWEST, _COARSEST, _FINER = 3, 0.0016, 0.41
"""Steps of cover at slope _COARSEST, and the power of the slope that they grow with."""
_LEAST_CORE = 4
"""Pixels of a block that are all ink, from which on it is surely drawn."""


class Candidates(NamedTuple):
    """Ink (h, w, 1 or 3) and cover (h, w), 0 none to 255 all, of the pixels of a square that may be glyphs.

    Of its blocks: which have any, the levels from the ground to them, and whether the ground is of one colour.
    """

    ink: Pixels
    cover: Pixels
    blocks: Mask
    contrasts: Floats
    even: Mask


class Glyphs(NamedTuple):
    """Ink and cover of a square as in `Candidates`, the flags of its blocks that have any and that have an even ground, and what they cost.

    bits: those of ink and cover. Of every block: wrong, the bits that its error is worth; worth, those that its contrast costs the codec;
    left, the part of its contrast that is beneath them.
    """

    ink: Pixels
    cover: Pixels
    blocks: Mask
    even: Mask
    bits: float
    wrong: Floats
    worth: Floats
    left: Floats

    @property
    def cost(self) -> float:
        """What they cost in bits, their error counted."""
        return self.bits + float(self.wrong[self.blocks].sum())

    def beside(self, taken: Mask) -> Glyphs | None:
        """Return the glyphs without those of taken blocks, whose share of the bits is that of the blocks; None where too few are left."""
        blocks = self.blocks & ~taken
        if blocks.sum() < LEAST_SURE:
            return None
        share = float(blocks.sum() / self.blocks.sum())
        return self._replace(cover=_covering(self.cover, blocks), blocks=blocks, bits=share * self.bits)

    def settled(self, colors: Pixels, kept: Mask, aim: Aim) -> Glyphs | None:
        """Return the glyphs as they lie beside blocks of colours (h, w, 1 or 3) that are kept, without those that this puts wrong.

        The codec sees nothing of kept blocks, so the ground beneath glyphs comes from elsewhere. None where too few are left.
        """
        gone = blockwise.pixels_of(kept & ~self.blocks, self.cover.shape)
        cover = _refitted(self.ink, self.cover, colors, gone)
        wrong, _ = _errors(self.ink, cover, colors, aim, gone)
        wrong *= np.float32(aim.slope)
        return self._replace(cover=cover, wrong=wrong).beside(wrong > _MOST_WRONG * self.worth)


def searched(colors: Pixels, taken: Mask | None) -> Candidates | None:
    """Return what may be glyphs in a square (h, w, 1 or 3); None where there are none, as in photographs.

    taken: blocks that are to be kept exactly where their ground is of one colour.
    """
    if not _looks_drawn(colors):
        return None
    whole = colors[: colors.shape[0] // BLOCK * BLOCK, : colors.shape[1] // BLOCK * BLOCK]
    blocks = grounds.smooth(whole, taken)
    blocks = grounds.joined(blocks, rough.found(whole, blocks.places))
    if len(blocks.places) < LEAST_SURE:
        return None
    contrasts = _contrasts(blocks)
    kinds = _inks(blocks, contrasts)
    ink, cover, explained, sure = _explained(blocks, contrasts, kinds)
    if sure < LEAST_SURE:
        return None
    soft = (cover > 0) & (ink != blocks.pixels).any(2) & (grounds.at(_soft(whole), blocks.places) > 0)
    soft &= pixelwise.varying(blocks.pixels, blocks.ground, _CELL, _VARIES)
    explained &= (contrasts * soft).sum(1) <= _MOST_SOFT * contrasts.sum(1)
    grid = (-(-colors.shape[0] // BLOCK), -(-colors.shape[1] // BLOCK))
    flags = (np.zeros(grid, np.bool_), np.zeros(grid, np.float32), np.zeros(grid, np.bool_))
    result = Candidates(np.zeros_like(colors), np.zeros(colors.shape[:2], np.uint8), *flags)
    rows, columns = (np.asarray(part) for part in np.divmod(blocks.places[explained], whole.shape[1] // BLOCK))
    for plane, values in ((result.ink, ink[explained]), (result.cover, cover[explained])):
        cut = blocks_of(plane[: whole.shape[0], : whole.shape[1]])
        cut[rows, columns] = values.reshape(-1, BLOCK, BLOCK, *plane.shape[2:])
    result.blocks[rows, columns] = True
    result.contrasts[rows, columns] = contrasts[explained].sum(1)
    result.even[rows, columns] = blocks.even[explained]
    return result


def paying(candidates: Candidates | None, colors: Pixels, taken: Mask | None, aim: Aim, spent: Spent) -> Glyphs | None:
    """Return the glyphs of the blocks of colours (h, w, 1 or 3) that cost a file near an aim little; None where too few are left.

    taken: blocks that are to be kept exactly where their ground is of one colour.
    """
    if candidates is None:
        return None
    blocks = candidates.blocks if taken is None else candidates.blocks & ~(taken & candidates.even)
    cover = _refitted(candidates.ink, _covering(candidates.cover, blocks), colors)
    wrong, left = _errors(candidates.ink, cover, colors, aim)
    wrong *= np.float32(aim.slope)
    shown = rounded(cover, degrees(aim))
    both = np.concatenate([candidates.ink * (shown > 0)[:, :, None], shown[:, :, None]], 2)
    costs, worth = blockwise.costs(both, blocks) + wrong, choice.by_contrast(candidates.contrasts, aim)
    blocks = blocks & (costs <= _ESTIMATED * worth) & (wrong <= _MOST_WRONG * worth)
    if blocks.sum() < LEAST_SURE:
        return None
    cover = _covering(cover, blocks)
    bits = float(exact_layer.bits(candidates.ink, rounded(cover, degrees(aim))))
    whole = pixelwise.contrast(colors)
    part = np.minimum(left / np.maximum(whole, 1), 1)
    result = Glyphs(candidates.ink, cover, blocks, candidates.even, bits, wrong, worth, part)
    is_clear = result.cost <= choice.CLEAR * choice.by_contrast(np.maximum(whole - left, 0), aim)[blocks].sum()
    return result if is_clear or result.cost <= _MOST_BITS * ((1 - part) * spent())[blocks].sum() else None


def _covering(cover: Pixels, blocks: Mask) -> Pixels:
    """Return the cover (h, w) of the pixels of some blocks alone."""
    result: Pixels = cover * blockwise.pixels_of(blocks, cover.shape)
    return result


def _refitted(ink: Pixels, cover: Pixels, colors: Pixels, gone: Mask | None = None) -> Pixels:
    """Return the cover (h, w) with which ink comes closest to colours (h, w, 1 or 3) over what the pixels beside it continue to.

    gone: pixels that the codec does not see.
    """
    covered = cover > 0
    removed = covered if gone is None else covered | gone
    beneath = continued(colors, lambda area: removed[area.slices])[covered].astype(np.float32)
    away = ink[covered].astype(np.float32) - beneath
    share = ((colors[covered] - beneath) * away).sum(1) / np.maximum(np.square(away).sum(1), 1)
    result = np.zeros_like(cover)
    result[covered] = np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)
    return result


def _errors(ink: Pixels, cover: Pixels, colors: Pixels, aim: Aim, gone: Mask | None = None) -> tuple[Floats, Floats]:
    """Return the visible error of every block of colours (h, w, 1 or 3) where ink and cover of a file of that aim lie over it.

    And the contrast of the ground, which is what the pixels beside the glyphs continue to, but for those that are gone. Of letters it is the
    plane they were found on; beside a shadow or the edge of a card it is another, and the shadow would be blended with the wrong side.
    """
    removed = cover > 0 if gone is None else (cover > 0) | gone
    beneath = continued(colors, lambda area: removed[area.slices])
    shown = exact_layer.blended(beneath, ink, rounded(cover, degrees(aim)))
    return pixelwise.visible_errors(shown, colors), pixelwise.contrast(beneath)


def rounded(cover: Pixels, steps: int) -> Pixels:
    """Return cover, 0 to 255, rounded to so many steps from 0 to 255."""
    levels = np.arange(256)
    table: Pixels = np.rint(np.rint(levels * (steps / 255)) * (255 / steps)).astype(np.uint8)
    return table[cover]


def degrees(aim: Aim) -> int:
    """Return into how many steps the cover of a pixel is rounded in a file of that aim."""
    return round(_FEWEST * math.pow(aim.slope / _COARSEST, _FINER))


def _looks_drawn(colors: Pixels) -> bool:
    """Whether even pixels before a step are frequent enough: a quick look at some rows."""
    rows = colors[2::_ROWS]
    row, column = blockwise.stepping(rows, 1, _STEP)
    row, column = row[column >= _RUN], column[column >= _RUN]
    for place in range(_RUN):
        before, after = (rows[row, column - place - side].astype(np.int16) for side in (1, 0))
        even = (np.abs(after - before) <= _EVEN).all(1)
        row, column = row[even], column[even]
    across = -(-colors.shape[1] // BLOCK)
    number = len(np.unique(row * _ROWS // BLOCK * across + (column + 1) // BLOCK))
    return bool(number >= max(LEAST_SURE, _LEAST_BEGINNINGS * across * -(-colors.shape[0] // BLOCK)))


def _inks(blocks: Ground, contrasts: Floats) -> Floats:
    """Return the colours (m, C) of the pixels that are no ground that have most of their contrast, none close to another."""
    colors = blocks.pixels[blocks.foreground].astype(np.uint8)
    numbers, place, count = pixelwise.distinct(pixelwise.packed(colors[None])[0])
    weights = np.bincount(place, contrasts[blocks.foreground], len(numbers)) * (count >= _LEAST_PIXELS)
    order = np.argsort(-weights, kind="stable")[:_MOST_TRIED]
    shifts = 8 * np.arange(colors.shape[1] - 1, -1, -1, dtype=np.uint32)
    left: Floats = (numbers[order[weights[order] > 0], None] >> shifts & 0xFF).astype(np.float32)
    chosen = [left[:0]]
    while len(left) and len(chosen) <= _MOST_INKS:
        chosen.append(left[:1])
        left = left[np.abs(left - left[0]).max(1) > _APART]
    inks: Floats = np.concatenate(chosen)
    return inks


def _explained(blocks: Ground, contrasts: Floats, kinds: Floats) -> tuple[Pixels, Pixels, Mask, int]:
    """Return ink (n, 256, C) and cover (n, 256) of blocks, which of them their inks explain, and how many are surely drawn.

    A block has the ink that explains most of its contrast, and a second one for what that leaves.
    """
    ink, cover, explained, cores = pixelwise.blended_inks(
        blocks.pixels,
        blocks.ground,
        blocks.foreground,
        contrasts,
        kinds,
        tolerance=_TOLERANCE,
        explained=_EXPLAINED,
        seen=_SEEN,
        most=_INKS_OF_A_BLOCK,
    )
    return ink, cover, explained, int((cores >= _LEAST_CORE).sum())


def _contrasts(blocks: Ground) -> Floats:
    """Return the levels from the ground to every pixel (n, 256) that is none of it, in the channel that differs most."""
    contrasts: Floats = largest(np.abs(blocks.pixels - blocks.ground)) * blocks.foreground
    return contrasts


def _soft(colors: Pixels) -> Mask:
    """Return which pixels of a square (h, w, 1 or 3) are soft, but for those of thin bars and strokes."""
    hard = ~pixelwise.flat(colors, _SOFT)
    result = ~hard
    for axis in (0, 1):
        plane = np.moveaxis(hard, axis, 0)
        before, after = plane.copy(), plane.copy()
        for away in range(1, _THIN + 1):
            before[away:] |= plane[:-away]
            after[:-away] |= plane[away:]
        np.moveaxis(result, axis, 0)[before & after] = False
    return result
