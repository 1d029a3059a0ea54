"""The form of a picture that costs least near a level: by the networks alone, with an exact layer over them, or without networks.

picture ─▶ without a layer ──what each block costs, where that is in doubt──▶ exact layer ─▶ with it ──▶ the cheaper form
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from ..engine import workers
from ..engine.models import Model
from ..exact import layer, search
from ..exact.layer import Layer
from ..families import Request
from ..fileformat.areas import Area
from ..importance import requested
from .forms import Alone, Coded, Form, Picture
from .trials import Trials

T = TypeVar("T")

HALF: Final = 0.5
"""Value of a mask, 0..1, from which on a pixel is kept exactly."""
LIKELY_LESS: Final = 0.9
"""A form with networks is written, to compare its size, only if its expected cost is at most this part of that of the form without:
the expectation is too low, because it leaves out some of what networks cost beside a layer."""
SEARCHED_BYTES: Final = 250
"""Memory, in bytes a pixel, that the search for drawn places takes, trials included."""


def form(picture: Picture, exact: Any, model: Model, request: Request, level: int) -> Form:
    """Return the form that costs least near a level, among those that the option `exact` allows: "auto", False, a mask or boxes."""
    if exact is False or request.original:
        return Coded(picture, model, request)
    if isinstance(exact, str):
        return _with_found_layer(picture, model, request, level)
    return _with_named_layer(picture, exact, model, request, level)


def _with_found_layer(picture: Picture, model: Model, request: Request, level: int) -> Form:
    """Return the cheapest form with the layer that a search finds worth its bits; the form without one if it finds none."""
    trials = Trials(picture, model, request, level)
    kept = search.found(picture.colors, level, trials.aim, trials.spent, trials.pays, _at_once)
    coded = trials.form(kept)
    if kept is None:
        return coded
    forms = _layered(picture, model, request, kept, coded)
    return _cheapest(forms, level) if trials.are_any else _smallest(forms, level)


def _with_named_layer(picture: Picture, places: Any, model: Model, request: Request, level: int) -> Form:
    """Return the smallest form with a layer of the places, a mask or boxes, that a user has named."""
    mask = requested.named_mask(places, "exact", *picture.pixels.shape[:2])
    plain = Coded(picture, model, request)
    named = layer.named(picture.colors, mask >= HALF, plain.aim)
    if named is None:
        return plain
    return _smallest(_layered(picture, model, request, named, Coded(picture, model, request, named)), level)


def _at_once(job: Callable[[Area], T], areas: Sequence[Area]) -> Iterator[T]:
    """Yield the results of a job on squares of a picture, in their order, by as many threads as there are."""
    largest = max(area.width * area.height for area in areas)
    with workers.over_tiles(len(areas), largest, bytes_per_pixel=SEARCHED_BYTES) as crew:
        yield from crew.results(job, areas)


def _layered(picture: Picture, model: Model, request: Request, kept: Layer, coded: Coded) -> list[Form]:
    """Return the forms that a picture with a layer may have, the one without networks last.

    coded: the form with networks, which is possible only if some pixels are not in the layer.
    """
    forms: list[Form] = [coded] if kept.share < 1 else []
    return [*forms, Alone(picture, model, request, kept)] if kept.share >= layer.WHOLE else forms


def _cheapest(forms: Sequence[Form], level: int) -> Form:
    """Return the form whose file of a level costs least; one that is unlikely to win is not written."""
    best = forms[-1]
    for each in forms[:-1]:
        if each.expected(level) <= LIKELY_LESS * best.expected(level) and each.cost(level) < best.cost(level):
            best = each
    return best


def _smallest(forms: Sequence[Form], level: int) -> Form:
    """Return the form whose file of a level is the smallest; an only form is not written."""
    return forms[0] if len(forms) == 1 else min(forms, key=lambda each: len(each.file(level)))
