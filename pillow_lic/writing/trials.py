"""Trials that decide whether an exact layer is worth its bits, square by square.

A square is in doubt if the look of its blocks does not decide. Then the networks estimate what it costs without a layer, and with one
too unless that is clearly cheaper or dearer. Only the squares in doubt are tried, so that letters in one corner of a photograph take
the time of that corner. A trial writes no file: it estimates what one would cost.
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
from ..exact.blockwise import BLOCK
from ..exact.layer import Layer
from ..families import Request
from ..fileformat.areas import Area
from .forms import Alone, Coded, Picture, aim_of

Floats = npt.NDArray[np.float32]

DEARER, BESIDE = 1.4, 0.1
"""How wrong an expected cost may be: a layer may take up to DEARER times the bits that are expected of it, and the networks may still spend
the part BESIDE of their bits on blocks that the layer covers. Of charts in doubt, layer and rest together cost 1.13 to 1.29 times what was
expected, and 1.5 times at quality 2."""

NO_MATTER: Final = 0.05
"""A square is not tried if a wrong choice could waste at most this part of its cost: a trial takes as long as its file."""

TOO_LOW: Final = 0.97
TOO_HIGH: Final = 1.1
"""What guesses say a square costs with a layer, for one bit without, between which both are coded: guesses with a layer beside those without
were 0.98 to 1.09 of what it is (maps, charts, a dashboard), as what the fixed filter loses on drawings is taken for too little."""


class Trials:
    """The trials of a picture near a level. request: the one that its file will be coded by."""

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
        """Return what every block of a square costs without a layer: its bits, and its error in bits."""
        if area not in self._spent:
            self._without[area] = self._tried(area, None)
            self._spent[area] = self._without[area].spent(self._level)
        return self._spent[area]

    def pays(self, area: Area, alone: Callable[[], Layer]) -> bool:
        """Return whether a square should have the layer that `alone` makes for it; True if there was no doubt."""
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
        share = tried.guessed(self._level) / most
        if TOO_LOW <= share <= TOO_HIGH:
            most *= self._without[area].cost(self._level) / self._without[area].guessed(self._level)
            return tried.cost(self._level) <= most
        return share < 1

    def aim(self, level: int) -> Aim:
        """Return what files of a level aim at."""
        return aim_of(self._model, level)

    def form(self, kept: Layer | None) -> Coded:
        """Return the form of the picture with a layer, or without one (None); the same object as in a trial of the whole picture."""
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
        """Return the form of a square alone. If it is the whole picture, a file at effort 0 goes on with this form, and so it is kept."""
        if area == self._whole and not self._request.effort and not self._request.original:
            going_on = self._request._replace(search=True)
            return self._tried_whole.setdefault(
                made, Coded(self._picture, self._model, going_on, made, partial(self.spent, area))
            )
        deltas = self._request.deltas
        here = None if deltas is None else deltas[area.over(BLOCK).slices]
        return Coded(self._part(area), self._model, Request(here), made, partial(self.spent, area))

    def _everywhere(self) -> Floats:
        """Return what every block of the picture costs without a layer, estimated from its contrast in squares that were not tried."""
        colors, aim = self._picture.colors, self.aim(self._level)
        result = np.empty(self._whole.over(BLOCK).shape, np.float32)
        for area in layer.squares_of(*self._whole.shape):
            known = self._spent.get(area)
            here = choice.by_contrast(pixelwise.contrast(colors[area.slices]), aim) if known is None else known
            result[area.over(BLOCK).slices] = here
        return result
