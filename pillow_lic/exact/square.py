"""What is kept of one square of a picture: exact blocks, those of fewer or snapped colours, and glyphs, whatever costs least."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from ..fileformat import exact_layer
from ..fileformat.areas import Area
from . import blockwise, choice, damage, glyphs, layer, pixelwise, snapping
from .aims import Aim
from .blockwise import BLOCK, Blocks
from .choice import Spent, Weighed
from .glyphs import Glyphs
from .layer import WHOLE, Floats, Layer, Mask, Pixels

_SNAPPED = 0.9
"""What snapped colours of a clean page may cost for one bit of what they take the place of."""
_FIRST_PASS = 0.88
"""Part of that which they may cost by a first pass, which leaves out a part of their bits: 0.53 to 0.86 of pages that have them then, 0.89 to
1.18 of most others, such as maps."""
_GLYPHS_COST = 1.1
"""What glyphs cost for one bit of what is expected: a line chart at quality 2 had 32.1 dB where blocks of fewer colours had 37.5, for the
same bits and error by expectation."""


class Part(NamedTuple):
    """The kept part of an area: its exact blocks, those of them that may have fewer colours at every level, and its glyphs.

    bits: about those of its layer, where they were counted. damaged: the blocks whose colours are snapped, None for none. look: how
    far these came by a look.
    """

    kept: Mask
    soft: Mask
    glyphs: Glyphs | None
    bits: float | None = None
    damaged: Mask | None = None
    look: snapping.Course | None = None


def chosen(colors: Pixels, aim: Aim, spent: Spent) -> Part:
    """Return what is kept of a square (h, w, 1 or 3)."""
    step = snapping.step(aim)
    blocks = blockwise.found(colors)
    damaged = None if step is None else damage.found(colors, is_drawn=blocks is not None)
    if step is not None and damaged is not None:
        return _of_damaged(colors, *_tried(colors, blocks, damaged), step, aim, spent())[0]
    if blocks is None:
        none = np.zeros((-(-colors.shape[0] // BLOCK), -(-colors.shape[1] // BLOCK)), np.bool_)
        part = _with_glyphs(
            colors, none, none, glyphs.paying(glyphs.searched(colors, None), colors, None, aim, spent), aim
        )
        is_scanned = part.glyphs is None and damage.is_scanned(colors)
        return _or_snapped(colors, part, None, none, step, aim, spent, is_scanned=True) if is_scanned else part
    weighed = choice.weighed(colors, blocks, aim)
    letters = blocks.within(choice.CLEAR_LETTERS) & aim.is_exact
    is_clean = step is None or choice.is_clean(weighed, blocks, aim)
    by_contrast = partial(choice.by_contrast, blocks.contrast, aim)
    if weighed.is_sure and (is_clean or not aim.is_exact):
        part = _cheapest(colors, _of_sure_blocks(colors, weighed, aim, spent), aim, by_contrast())
        return part if is_clean else _or_snapped(colors, part, blocks, letters, step, aim, by_contrast)
    if weighed.is_sure:
        spent = by_contrast
    part = (
        _with_letters(colors, blocks, aim, spent) if aim.is_exact else _of_doubtful_blocks(colors, weighed, aim, spent)
    )
    return _or_snapped(colors, part, blocks, letters, step, aim, spent)


def layer_of(colors: Pixels, part: Part, aim: Callable[[int], Aim], level: int, *, with_margins: bool = False) -> Layer:
    """Return the layer of a square alone (h, w, 1 or 3) of which that part was chosen for a level."""
    blends = None if part.glyphs is None else (part.glyphs.ink, part.glyphs.cover)
    damaged = np.zeros_like(part.kept) if part.damaged is None else part.damaged
    made = layer.of_blocks(colors, part.kept, part.soft, damaged, aim, blends, with_margins=with_margins)
    if part.look is not None:
        made.show(Area(0, 0, colors.shape[1], colors.shape[0]), level, part.look)
    return made


def _tried(colors: Pixels, blocks: Blocks | None, damaged: Mask) -> tuple[Mask, Mask]:
    """Return the blocks of a square (h, w, 1 or 3) whose colours may be snapped, and those of clean letters among the ones not damaged.

    blocks: as of `blockwise.found`.
    """
    if blocks is None:
        blocks = blockwise.measured(colors)
    clean = ~damaged & blocks.within(choice.CLEAR_LETTERS)
    among = (blocks.equal >= blockwise.LEAST_EQUAL) | (blockwise.kinds(colors) <= snapping.FEW)
    return among & ~clean, clean


def _of_damaged(
    colors: Pixels,
    among: Mask,
    clean: Mask,
    step: int,
    aim: Aim,
    worth: Floats,
    passes: int = snapping.LOOK,
    before: snapping.Course | None = None,
) -> tuple[Part, float]:
    """Return what is kept of a square (h, w, 1 or 3) with damaged blocks: those that pay with snapped colours, and clean letters.

    And what it is likely to cost, without the bits of clean letters. among, clean: as of `_tried`. worth: what the codec spends on every
    block. passes, before: as of `snapping.snapped`.
    """
    exact = blockwise.pixels_of(among, colors.shape[:2])
    shown, bits, look = snapping.snapped(colors, exact, step, passes, before)
    costs = bits + np.float32(aim.slope) * pixelwise.errors(shown, colors)
    kept = among & (costs <= choice.FAVOUR * worth)
    likely = float(np.where(kept, costs, worth)[~clean].sum())
    return Part(kept | clean, np.zeros_like(kept), None, damaged=~clean, look=look), likely


def _or_snapped(
    colors: Pixels,
    part: Part,
    blocks: Blocks | None,
    letters: Mask,
    step: int | None,
    aim: Aim,
    spent: Spent,
    *,
    is_scanned: bool = False,
) -> Part:
    """Return what is kept of an area (h, w, 1 or 3): a part, or exact letters and the blocks that pay with snapped colours, if these cost less.

    Of what is no scan they must cost clearly less, and its ground be of one colour: smooth ones would get bands. Where they take the place of
    letters that are not beyond doubt, exact ones must cost a fifth more; where those lie on subpixels, exact colours stay, which cost twice as
    much but half of what AVIF needs.
    """
    if step is None or not (is_scanned or damage.may_be_scaled(colors)):
        return part
    if aim.is_exact and choice.are_on_subpixels(colors):
        return part
    share = 1.0
    if not is_scanned:
        share = _SNAPPED
        if aim.is_exact and (part.kept & ~part.soft & ~letters).any():
            share /= choice.FAVOUR_OF_LETTERS
    worth = spent()
    before, known = _cost(colors, part, aim, worth)
    part = part._replace(bits=known)
    tried = _tried(colors, blocks, ~letters)
    snapped, likely = _of_damaged(colors, *tried, step, aim, worth, 1)
    if not is_scanned and likely > _FIRST_PASS * share * before:
        return part
    snapped, _ = _of_damaged(colors, *tried, step, aim, worth, snapping.LOOK - 1, snapped.look)
    cost, bits = _cost(colors, snapped, aim, worth)
    return snapped._replace(bits=bits) if cost <= share * before else part


def _of_sure_blocks(colors: Pixels, weighed: Weighed, aim: Aim, spent: Spent) -> list[Part]:
    """Return what may be kept of a square whose blocks beyond doubt are exact; of a page, whose file needs no networks, nothing else."""
    exact = weighed.likely
    none = np.zeros_like(exact)
    taken = exact if aim.is_exact or exact.mean() >= WHOLE else None
    part = _with_glyphs(
        colors, exact, none, glyphs.paying(glyphs.searched(colors, taken), colors, taken, aim, spent), aim
    )
    if taken is None and part.glyphs is not None:
        return [part, Part(exact, none, None)]
    beside = 0.0 if part.glyphs is None else part.glyphs.bits
    return [part._replace(bits=float(weighed.bits[part.kept].sum()) + beside)]


def _of_doubtful_blocks(colors: Pixels, weighed: Weighed, aim: Aim, spent: Spent) -> Part:
    """Return what is kept of a square in doubt (h, w, 1 or 3) where colours are not kept.

    Blocks that do not pay one by one may do so together with those that do, as they have the same colours.
    """
    kept = weighed.paying(choice.FAVOUR * spent())
    parts = _with_fewer_colors(colors, kept, aim, spent)
    if (weighed.possible & ~kept).any():
        parts.insert(1, Part(weighed.possible, np.zeros_like(kept), None))
    return _cheapest(colors, parts, aim, spent())


def _with_fewer_colors(colors: Pixels, kept: Mask, aim: Aim, spent: Spent) -> list[Part]:
    """Return what may be kept of a square in doubt (h, w, 1 or 3) where colours are not kept: blocks of fewer colours, glyphs, or both."""
    none = np.zeros_like(kept)
    parts = [Part(kept, none, None)]
    found = glyphs.paying(glyphs.searched(colors, None), colors, None, aim, spent)
    return (
        parts
        if found is None
        else [*parts, _with_glyphs(colors, kept, none, found, aim), _with_glyphs(colors, none, none, found, aim)]
    )


def _with_letters(colors: Pixels, blocks: Blocks, aim: Aim, spent: Spent) -> Part:
    """Return what is kept of a square in doubt (h, w, 1 or 3) where colours are kept.

    Exact are the letters beyond doubt, but for glyphs on grounds of several colours, and all letters if that costs little more, or is far
    below what the codec spends, or below it and they lie on subpixels, and none are glyphs. Others have fewer colours, or are glyphs, or
    both, or are left to the codec, whatever costs least.
    """
    fewer = choice.weighed(colors, blocks, aim._replace(is_exact=False)).paying(choice.FAVOUR * spent())
    letters, clear = choice.letters(colors, blocks), blocks.within(choice.CLEAR_LETTERS)
    smooth = glyphs.paying(glyphs.searched(colors, clear), colors, clear, aim, spent)

    def part(exact: Mask, others: Mask, even: Mask, *, is_smooth: bool) -> Part:
        chosen = exact | others
        beside = smooth.beside(exact & (smooth.even | even)) if is_smooth and smooth is not None else None
        return _with_glyphs(colors, chosen, chosen & ~exact, beside, aim)

    none = np.zeros_like(clear)
    ways = [
        (others, is_smooth)
        for others in ([none, fewer] if (fewer & ~clear).any() else [none])
        for is_smooth in ([False] if smooth is None else [False, True])
    ]
    parts = [part(clear, others, none, is_smooth=is_smooth) for others, is_smooth in ways]
    share = 1.0 if choice.are_on_subpixels(colors) else choice.SHARE_OF_LETTERS
    share = share * float(spent().sum()) if smooth is None else 0.0
    counted = [(math.inf, math.inf)] * len(parts)
    most = math.inf
    for place in sorted(range(len(ways)), key=lambda place: _left(parts[place], spent())):
        if _left(parts[place], spent()) <= most:  # else its bits need not be counted
            counted[place] = _cost(colors, parts[place], aim, spent())
            most = min(most, max(choice.FAVOUR_OF_COLORS * counted[place][0], share))
    costs = [cost for cost, _ in counted]
    for place in sorted(range(len(ways)), key=costs.__getitem__):
        if costs[place] <= most and (letters & ~clear).any():
            others, is_smooth = ways[place]
            whole = part(letters | clear, others, letters, is_smooth=is_smooth)
            cost, bits = _cost(colors, whole, aim, spent())
            if cost <= most:
                return _cheapest(colors, _with_all_colors(whole._replace(bits=bits)), aim, spent())
    best = costs.index(min(costs))
    return parts[best]._replace(bits=counted[best][1])


def _with_all_colors(part: Part) -> list[Part]:
    """Return a part whose letters are all exact, and one whose other blocks are so too: as most colours are there, fewer may cost more."""
    return [part, part._replace(soft=np.zeros_like(part.soft), bits=None)] if part.soft.any() else [part]


def _cheapest(colors: Pixels, parts: Sequence[Part], aim: Aim, spent: Floats) -> Part:
    """Return what costs least of what may be kept of a square."""
    if len(parts) == 1:
        return parts[0]
    best, least = parts[0], math.inf
    for part in parts:
        share = 1.0 if part.glyphs is None else _GLYPHS_COST
        if share * _left(part, spent) >= least:
            continue
        cost, bits = _cost(colors, part, aim, spent)
        if share * cost < least:
            best, least = part._replace(bits=bits), share * cost
    return best


def _with_glyphs(colors: Pixels, exact: Mask, soft: Mask, found: Glyphs | None, aim: Aim) -> Part:
    """Return what is kept of a square (h, w, 1 or 3) where glyphs take the place of exact blocks."""
    if found is not None and exact.any():
        found = found.settled(colors, exact, aim)
    stays = exact if found is None else exact & ~found.blocks
    return Part(stays, soft & stays, found)


def _left(part: Part, spent: Floats) -> float:
    """Return what the codec spends on the blocks that a part leaves to it: what the part costs at the least."""
    left = spent * ~part.kept
    if part.glyphs is not None:
        left[part.glyphs.blocks] *= part.glyphs.left[part.glyphs.blocks]
    return float(left.sum())


def _cost(colors: Pixels, part: Part, aim: Aim, spent: Floats) -> tuple[float, float]:
    """Return what a square (h, w, 1 or 3) costs by the bits and the error of its layer, and what the codec spends on the other blocks.

    And the bits of the layer.
    """
    made = layer_of(colors, part, lambda _: aim, 0)
    area = Area(0, 0, colors.shape[1], colors.shape[0])
    shown, cover = made.over(area, 0, snapping.LOOK)
    as_shown = pixelwise.chosen(made.exact(area), shown, colors)
    wrong = float(pixelwise.visible_errors(as_shown, colors).sum(dtype=np.float64))
    if part.glyphs is not None:
        wrong += part.glyphs.wrong[part.glyphs.blocks].sum() / aim.slope
    known = part.bits if part.glyphs is None or part.kept.any() else part.glyphs.bits
    bits = float(exact_layer.bits(shown, cover)) if known is None else known
    return bits + float(aim.slope * wrong) + _left(part, spent), bits
