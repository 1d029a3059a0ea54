"""What a picture in doubt costs, square by square: coded without a layer, and with one where that is not clearly less.

A square is tried alone, and only when it is asked for, so that what is drawn in one corner of a photograph takes no longer than
that corner. No trial is a file: it guesses what one would hold.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from ..engine.models import Model
from ..exact import choice, layer, pixelwise, whole
from ..exact.aims import Aim
from ..exact.drawn import BLOCK
from ..exact.layer import Layer
from ..families import Request
from ..fileformat.areas import Area
from .forms import Alone, Coded, Picture, aim_of

Floats = npt.NDArray[np.float32]

DEARER, BESIDE = 1.4, 0.1
"""What a layer costs for a bit that is expected of it, and what the codec still spends on covered blocks, for a bit of before, at the most:
charts in doubt cost 1.13 to 1.29 of what is expected of layer and rest together, one at quality 2 1.5."""

NO_MATTER: Final = 0.05
"""Part of what a square costs up to which a wrong choice is allowed: a trial takes as long as the file of the square."""


class Trials:
    """The trials of a picture near a level; request: that of its file."""

    def __init__(self, picture: Picture, model: Model, request: Request, level: int) -> None:
        self._picture, self._model, self._request, self._level = picture, model, request, level
        height, width = picture.pixels.shape[:2]
        self._whole = Area(0, 0, width, height)
        self._without: dict[Area, Coded] = {}
        self._tried_whole: dict[Layer | None, Coded] = {}
        self._spent: dict[Area, Floats] = {}

    @property
    def are_any(self) -> bool:
        """Whether a square was in doubt."""
        return bool(self._spent)

    def spent(self, area: Area) -> Floats:
        """Return what every block of a square costs without a layer, in bits, its error counted."""
        if area not in self._spent:
            self._without[area] = self._tried(area, None)
            self._spent[area] = self._without[area].spent(self._level)
        return self._spent[area]

    def pays(self, area: Area, alone: Callable[[], Layer]) -> bool:
        """Return whether a square is to have the layer that is made for it alone, as it is where there was no doubt."""
        if area not in self._spent:
            return True
        made = alone()
        tried, spent = self._tried(area, made), float(self._spent[area].sum())
        has_exact_letters = made.has_letters and self.aim(self._level).is_exact
        most = (choice.FAVOUR_OF_LETTERS if has_exact_letters else 1.0) * spent
        expected, bits = tried.expected(self._level), made.bits(self._level)
        doubt = (DEARER - 1) * bits + BESIDE * (spent + bits - expected)
        if expected + doubt <= most or expected - (1 - whole.SHRINKS) * bits >= most or doubt <= NO_MATTER * spent:
            return expected < most
        most *= self._without[area].guessed(self._level) / spent
        if made.share >= layer.WHOLE and self._alone(area, made).expected(self._level) <= most:
            return True
        return tried.guessed(self._level) <= most

    def aim(self, level: int) -> Aim:
        """Return what files of a level aim at."""
        return aim_of(self._model, level)

    def form(self, kept: Layer | None) -> Coded:
        """Return the form of the picture with a layer, or without; the one that was tried, where that was for a file like it."""
        if kept in self._tried_whole:
            return self._tried_whole[kept]
        return Coded(self._picture, self._model, self._request, kept, self._everywhere if self.are_any else None)

    def _alone(self, area: Area, made: Layer) -> Alone:
        """Return the form of a square whose every pixel is exact."""
        return Alone(self._part(area), self._model, Request(), made)

    def _part(self, area: Area) -> Picture:
        """Return a square as a picture."""
        if area == self._whole:
            return self._picture
        return Picture(self._picture.pixels[area.slices], self._picture.mode, None)

    def _tried(self, area: Area, made: Layer | None) -> Coded:
        """Return the form of a square alone; of the only one, what a file without effort goes on with."""
        if area == self._whole and not self._request.effort and not self._request.original:
            going_on = self._request._replace(search=True)
            return self._tried_whole.setdefault(
                made, Coded(self._picture, self._model, going_on, made, partial(self.spent, area))
            )
        deltas = self._request.deltas
        here = None if deltas is None else deltas[area.over(BLOCK).slices]
        return Coded(self._part(area), self._model, Request(here), made, partial(self.spent, area))

    def _everywhere(self) -> Floats:
        """Return what every block of the picture costs without a layer, by its contrast where there was no doubt."""
        colors, aim = self._picture.colors, self.aim(self._level)
        result = np.empty(self._whole.over(BLOCK).shape, np.float32)
        for area in layer.squares_of(*self._whole.shape):
            known = self._spent.get(area)
            here = choice.by_contrast(pixelwise.contrast(colors[area.slices]), aim) if known is None else known
            result[area.over(BLOCK).slices] = here
        return result
