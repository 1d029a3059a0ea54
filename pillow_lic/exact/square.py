"""What is kept of one square of a picture: exact blocks, those of fewer or snapped colours, and glyphs, whatever costs least."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
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
    """Return what is kept of a square (h, w, 1 or 3). spent: returns what the codec spends on every block; asked where there is doubt."""
    this = Square(colors, aim, spent)
    blocks = blockwise.found(colors)
    damaged = None if this.step is None else damage.found(colors, is_drawn=blocks is not None)
    if damaged is not None:
        return this.of_damaged(*this.tried(blocks, damaged))[0]
    if blocks is None:
        part = this.with_glyphs(this.none, this.none, this.glyphs_beside(None))
        is_scanned = part.glyphs is None and damage.is_scanned(colors)
        return this.or_snapped(part, None, this.none, is_scanned=True) if is_scanned else part
    weighed = choice.weighed(colors, blocks, aim)
    letters = blocks.within(choice.CLEAR_LETTERS) & aim.is_exact
    is_clean = this.step is None or choice.is_clean(weighed, blocks, aim)
    by_contrast = replace(this, spent=partial(choice.by_contrast, blocks.contrast, aim))
    if weighed.is_sure and (is_clean or not aim.is_exact):
        part = by_contrast.cheapest(this.of_sure_blocks(weighed))
        return part if is_clean else by_contrast.or_snapped(part, blocks, letters)
    if weighed.is_sure:
        this = by_contrast
    part = this.with_letters(blocks) if aim.is_exact else this.of_doubtful_blocks(weighed)
    return this.or_snapped(part, blocks, letters)


def layer_of(colors: Pixels, part: Part, aim: Callable[[int], Aim], level: int, *, with_margins: bool = False) -> Layer:
    """Return the layer of a square alone (h, w, 1 or 3) of which that part was chosen for a level."""
    blends = None if part.glyphs is None else (part.glyphs.ink, part.glyphs.cover)
    damaged = np.zeros_like(part.kept) if part.damaged is None else part.damaged
    made = layer.of_blocks(colors, part.kept, part.soft, damaged, aim, blends, with_margins=with_margins)
    if part.look is not None:
        made.show(Area(0, 0, colors.shape[1], colors.shape[0]), level, part.look)
    return made


@dataclass(frozen=True, eq=False)
class Square:
    """The colours (h, w, 1 or 3) of a square that are weighed at an aim. spent: returns what the codec spends on every block."""

    colors: Pixels
    aim: Aim
    spent: Spent

    @cached_property
    def worth(self) -> Floats:
        """What the codec spends on every block."""
        return self.spent()

    @cached_property
    def step(self) -> int | None:
        """What decides snapped colours; None where none are snapped."""
        return snapping.step(self.aim)

    @cached_property
    def is_on_subpixels(self) -> bool:
        """Whether its letters lie on subpixels."""
        return choice.are_on_subpixels(self.colors)

    @cached_property
    def none(self) -> Mask:
        """The flags of no block."""
        return np.zeros((-(-self.colors.shape[0] // BLOCK), -(-self.colors.shape[1] // BLOCK)), np.bool_)

    def tried(self, blocks: Blocks | None, damaged: Mask) -> tuple[Mask, Mask]:
        """Return the blocks whose colours may be snapped, and those of clean letters among the ones that are not damaged.

        blocks: as of `blockwise.found`.
        """
        if blocks is None:
            blocks = blockwise.measured(self.colors)
        clean = ~damaged & blocks.within(choice.CLEAR_LETTERS)
        among = (blocks.equal >= blockwise.LEAST_EQUAL) | (blockwise.kinds(self.colors) <= snapping.FEW)
        return among & ~clean, clean

    def of_damaged(
        self, among: Mask, clean: Mask, passes: int = snapping.LOOK, before: snapping.Course | None = None
    ) -> tuple[Part, float]:
        """Return what is kept where blocks are damaged: those that pay with snapped colours, and clean letters.

        And what it is likely to cost, without the bits of clean letters. among, clean: as of `tried`. passes, before: as of
        `snapping.snapped`. There must be a `step`.
        """
        assert self.step is not None
        exact = blockwise.pixels_of(among, self.colors.shape[:2])
        shown, bits, look = snapping.snapped(self.colors, exact, self.step, passes, before)
        costs = bits + np.float32(self.aim.slope) * pixelwise.errors(shown, self.colors)
        kept = among & (costs <= choice.FAVOUR * self.worth)
        likely = float(np.where(kept, costs, self.worth)[~clean].sum())
        return Part(kept | clean, self.none, None, damaged=~clean, look=look), likely

    def or_snapped(self, part: Part, blocks: Blocks | None, letters: Mask, *, is_scanned: bool = False) -> Part:
        """Return what is kept: a part, or exact letters and the blocks that pay with snapped colours, if these cost less.

        Of what is no scan they must cost clearly less, and its ground be of one colour: smooth ones would get bands. Where they take the
        place of letters that are not beyond doubt, exact ones must cost a fifth more; where those lie on subpixels, exact colours stay,
        which cost twice as much but half of what AVIF needs.
        """
        if self.step is None or not (is_scanned or damage.may_be_scaled(self.colors)):
            return part
        if self.aim.is_exact and self.is_on_subpixels:
            return part
        share = 1.0
        if not is_scanned:
            share = _SNAPPED
            if self.aim.is_exact and (part.kept & ~part.soft & ~letters).any():
                share /= choice.FAVOUR_OF_LETTERS
        before, known = self.cost(part)
        part = part._replace(bits=known)
        tried = self.tried(blocks, ~letters)
        snapped, likely = self.of_damaged(*tried, 1)
        if not is_scanned and likely > _FIRST_PASS * share * before:
            return part
        snapped, _ = self.of_damaged(*tried, snapping.LOOK - 1, snapped.look)
        cost, bits = self.cost(snapped)
        return snapped._replace(bits=bits) if cost <= share * before else part

    def of_sure_blocks(self, weighed: Weighed) -> list[Part]:
        """Return what may be kept where blocks beyond doubt are exact; of a page, whose file needs no networks, nothing else."""
        exact = weighed.likely
        taken = exact if self.aim.is_exact or exact.mean() >= WHOLE else None
        part = self.with_glyphs(exact, self.none, self.glyphs_beside(taken))
        if taken is None and part.glyphs is not None:
            return [part, Part(exact, self.none, None)]
        beside = 0.0 if part.glyphs is None else part.glyphs.bits
        return [part._replace(bits=float(weighed.bits[part.kept].sum()) + beside)]

    def of_doubtful_blocks(self, weighed: Weighed) -> Part:
        """Return what is kept where there is doubt and colours are not kept: blocks of fewer colours, glyphs, or both.

        Blocks that do not pay one by one may do so together with those that do, as they have the same colours.
        """
        kept = weighed.paying(choice.FAVOUR * self.worth)
        parts = [Part(kept, self.none, None)]
        if (weighed.possible & ~kept).any():
            parts.append(Part(weighed.possible, self.none, None))
        if (found := self.glyphs_beside(None)) is not None:
            parts += [self.with_glyphs(kept, self.none, found), self.with_glyphs(self.none, self.none, found)]
        return self.cheapest(parts)

    def with_letters(self, blocks: Blocks) -> Part:
        """Return what is kept where there is doubt and colours are kept.

        Exact are the letters beyond doubt, but for glyphs on grounds of several colours, and all letters if that costs little more, or is
        far below what the codec spends, or below it and they lie on subpixels, and none are glyphs. Others have fewer colours, or are
        glyphs, or both, or are left to the codec, whatever costs least.
        """
        merged = choice.weighed(self.colors, blocks, self.aim._replace(is_exact=False))
        fewer = merged.paying(choice.FAVOUR * self.worth)
        letters, clear = choice.letters(self.colors, blocks), blocks.within(choice.CLEAR_LETTERS)
        smooth = self.glyphs_beside(clear)

        def part(exact: Mask, others: Mask, even: Mask, *, is_smooth: bool) -> Part:
            chosen = exact | others
            beside = smooth.beside(exact & (smooth.even | even)) if is_smooth and smooth is not None else None
            return self.with_glyphs(chosen, chosen & ~exact, beside)

        ways = [
            (others, is_smooth)
            for others in ([self.none, fewer] if (fewer & ~clear).any() else [self.none])
            for is_smooth in ([False] if smooth is None else [False, True])
        ]
        parts = [part(clear, others, self.none, is_smooth=is_smooth) for others, is_smooth in ways]
        share = 1.0 if self.is_on_subpixels else choice.SHARE_OF_LETTERS
        share = share * float(self.worth.sum()) if smooth is None else 0.0
        counted = [(math.inf, math.inf)] * len(parts)
        most = math.inf
        for place in sorted(range(len(ways)), key=lambda place: self.left(parts[place])):
            if self.left(parts[place]) <= most:  # else its bits need not be counted
                counted[place] = self.cost(parts[place])
                most = min(most, max(choice.FAVOUR_OF_COLORS * counted[place][0], share))
        costs = [cost for cost, _ in counted]
        for place in sorted(range(len(ways)), key=costs.__getitem__):
            if costs[place] <= most and (letters & ~clear).any():
                others, is_smooth = ways[place]
                whole = part(letters | clear, others, letters, is_smooth=is_smooth)
                cost, bits = self.cost(whole)
                if cost <= most:
                    return self.cheapest(_with_all_colors(whole._replace(bits=bits)))
        best = costs.index(min(costs))
        return parts[best]._replace(bits=counted[best][1])

    def glyphs_beside(self, taken: Mask | None) -> Glyphs | None:
        """Return the glyphs that pay; taken: blocks that are to be kept exactly where their ground is of one colour."""
        return glyphs.paying(glyphs.searched(self.colors, taken), self.colors, taken, self.aim, self.spent)

    def with_glyphs(self, exact: Mask, soft: Mask, found: Glyphs | None) -> Part:
        """Return what is kept where glyphs take the place of exact blocks."""
        if found is not None and exact.any():
            found = found.settled(self.colors, exact, self.aim)
        stays = exact if found is None else exact & ~found.blocks
        return Part(stays, soft & stays, found)

    def cheapest(self, parts: Sequence[Part]) -> Part:
        """Return what costs least of what may be kept."""
        if len(parts) == 1:
            return parts[0]
        best, least = parts[0], math.inf
        for part in parts:
            share = 1.0 if part.glyphs is None else _GLYPHS_COST
            if share * self.left(part) >= least:
                continue
            cost, bits = self.cost(part)
            if share * cost < least:
                best, least = part._replace(bits=bits), share * cost
        return best

    def left(self, part: Part) -> float:
        """Return what the codec spends on the blocks that a part leaves to it: what the part costs at the least."""
        left = self.worth * ~part.kept
        if part.glyphs is not None:
            left[part.glyphs.blocks] *= part.glyphs.left[part.glyphs.blocks]
        return float(left.sum())

    def cost(self, part: Part) -> tuple[float, float]:
        """Return what the square costs by the bits and the error of its layer, and what the codec spends on the other blocks.

        And the bits of the layer.
        """
        made = layer_of(self.colors, part, lambda _: self.aim, 0)
        area = Area(0, 0, self.colors.shape[1], self.colors.shape[0])
        shown, cover = made.over(area, 0, snapping.LOOK)
        as_shown = pixelwise.chosen(made.exact(area), shown, self.colors)
        wrong = float(pixelwise.visible_errors(as_shown, self.colors).sum(dtype=np.float64))
        if part.glyphs is not None:
            wrong += part.glyphs.wrong[part.glyphs.blocks].sum() / self.aim.slope
        known = part.bits if part.glyphs is None or part.kept.any() else part.glyphs.bits
        bits = float(exact_layer.bits(shown, cover)) if known is None else known
        return bits + float(self.aim.slope * wrong) + self.left(part), bits


def _with_all_colors(part: Part) -> list[Part]:
    """Return a part whose letters are all exact, and one whose other blocks are so too: as most colours are there, fewer may cost more."""
    return [part, part._replace(soft=np.zeros_like(part.soft), bits=None)] if part.soft.any() else [part]
