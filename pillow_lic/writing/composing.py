"""Pixels -> the bytes of a file: the places that matter, the form that costs least, and the level that a target needs.

    picture ─▶ without a layer ──what each block costs, in doubt──▶ exact layer ─▶ with it ─┐
                     └──────────────────── bits and error ─────────────────────────────────┴▶ the cheaper one, or every pixel as it is

`codec.encode` has checked what comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

import numpy as np
import numpy.typing as npt

from .. import channels
from ..engine import workers
from ..engine.models import Model
from ..exact import choice, ground, layer, search, whole
from ..exact.layer import Layer
from ..families import Request
from ..fileformat import importance_map, vp8l
from ..fileformat.areas import Area
from ..fileformat.levels import quality_to_level
from ..fileformat.limits import MAX_LEVEL
from ..importance import requested
from ..options import EncodeOptions
from . import previews, rate_search
from .forms import Alone, Coded, Form, Picture, aim_of, as_it_is
from .trials import Trials

Pixels = npt.NDArray[np.uint8]
T = TypeVar("T")

EXPECTED: Final = 5.0
"""Quality near which a file that is written for a target is taken to be, where what is drawn is weighed."""
HALF: Final = 0.5
"""Value of a mask from which on a place is kept exactly."""
LIKELY_LESS: Final = 0.9
"""Part of what a file without networks is expected to cost from which on one with them is not: what they cost beside a layer is taken for
too little."""
SEARCHED_BYTES: Final = 250
"""Memory for every pixel of a square that is searched for what is drawn, and tried."""
SLIM: Final = 16
"""Pixels of the shorter side below which a picture may go without networks: most of what a latent of 16x16 says lies outside it."""


def composed(
    pixels: Pixels,
    mode: str,
    options: EncodeOptions,
    model: Model,
    metadata: Mapping[str, bytes] | None,
    original: bytes,
) -> bytes:
    """Return the file of pixels (H, W, C) uint8 of a mode, by a model that codes with loss; arguments and errors as of `codec.encode`."""
    height, width = pixels.shape[:2]
    seen = ground.without_hidden(pixels)
    picture = Picture(seen, mode, metadata, MAX_LEVEL if seen is pixels else MAX_LEVEL - 1)
    wish = requested.request(options.roi, options.importance, channels.as_rgb(seen, mode))
    deltas = wish.deltas(rate_search.expected_size(options, width * height, model.bpp))
    effort = model.effort if options.effort is None else options.effort
    picture = replace(picture, preview=previews.of(picture, options.preview, model, effort))
    request = Request(deltas, effort, options.has_target or deltas is not None, original)
    level = model.nearest_level(quality_to_level(EXPECTED) if options.has_target else options.level)
    form = _form(picture, options, model, request, level)
    most = rate_search.most_bytes(options, width * height)
    if isinstance(options.exact, str) and most is not None and not _reaches(form, most, model):
        form = Coded(picture, model, request)
    may_be_whole = deltas is None and not original and options.exact is not False and vp8l.is_there()
    may_be_whole &= not (isinstance(form, Alone) and form.is_exact(level))
    slim = as_it_is(picture, effort) if may_be_whole and min(height, width) < SLIM else None

    def file(level: int) -> bytes:
        return form.file(level) if slim is None else min(slim(level), form.file(level), key=len)

    def found() -> bytes:
        if options.target_psnr is not None:
            return file(rate_search.level_for_psnr(form.psnr, options.target_psnr, model.levels))
        if most is not None:
            per_pixel = None if options.target_bpp is None else width * height
            return rate_search.largest_file(file, most, model.levels, per_pixel)
        return file(level)

    data = found()
    # Who names a model wants what its files can do, such as to be cut, of all that is not drawn.
    if may_be_whole and (form.is_drawn or options.model is None):
        bits = 8 * len(data) if options.has_target else _worth(form, data, model, level)
        return _as_it_is_within(picture, bits, level, effort, is_drawn=form.is_drawn) or data
    if deltas is None:
        return data
    if options.has_target and len(importance_map.pack(deltas)) < requested.REMADE_SHARE * len(data):
        return data
    form.deltas = wish.deltas(len(data))
    if form.deltas is None or (form.deltas != deltas).any():  # finer or coarser, now that the size is known
        return found()
    return data


def _form(picture: Picture, options: EncodeOptions, model: Model, request: Request, level: int) -> Form:
    """Return the form that costs least near a level, of those that the option `exact` leaves."""
    if options.exact is False or request.original:
        return Coded(picture, model, request)
    if not isinstance(options.exact, str):
        places = requested.named_mask(cast("Any", options.exact), "exact", *picture.pixels.shape[:2])
        plain = Coded(picture, model, request)
        named = layer.named(picture.colors, places >= HALF, plain.aim)
        if named is None:
            return plain
        return _smallest(_layered(picture, model, request, named, Coded(picture, model, request, named)), level)

    trials = Trials(picture, model, request, level)
    kept = search.found(picture.colors, level, trials.aim, trials.spent, trials.pays, _at_once)
    form = trials.form(kept)
    if kept is None:
        return form
    forms = _layered(picture, model, request, kept, form)
    return _cheapest(forms, level) if trials.are_any else _smallest(forms, level)


def _at_once(job: Callable[[Area], T], areas: Sequence[Area]) -> Iterator[T]:
    """Yield the results of a job on squares of a picture, in their order, by as many threads as there are."""
    largest = max(area.width * area.height for area in areas)
    with workers.over_tiles(len(areas), largest, bytes_per_pixel=SEARCHED_BYTES) as crew:
        yield from crew.results(job, areas)


def _reaches(form: Form, most: float, model: Model) -> bool:
    """Return whether a form has a file of at most so many bytes; one without a layer has the smallest there are."""
    return not form.is_drawn or len(form.file(model.levels[0])) <= most


def _layered(picture: Picture, model: Model, request: Request, kept: Layer, coded: Coded) -> list[Form]:
    """Return the forms that a picture with a layer may have; coded: the one with networks, which needs pixels that are not exact."""
    forms: list[Form] = [coded] if kept.share < 1 else []
    return [*forms, Alone(picture, model, request, kept)] if kept.share >= layer.WHOLE else forms


def _cheapest(forms: Sequence[Form], level: int) -> Form:
    """Return the form whose file of a level costs least; one with networks is not written where it is unlikely to be that."""
    best = forms[-1]
    for form in forms[:-1]:
        if form.expected(level) <= LIKELY_LESS * best.expected(level) and form.cost(level) < best.cost(level):
            best = form
    return best


def _smallest(forms: Sequence[Form], level: int) -> Form:
    """Return the form whose file of a level is the smallest; nothing is coded where there is one."""
    return forms[0] if len(forms) == 1 else min(forms, key=lambda form: len(form.file(level)))


def _worth(form: Form, data: bytes, model: Model, level: int) -> float:
    """Return the bits that a file of every pixel as it is may have to take the place of `data`, a form's file of a level."""
    bits = form.cost(level) if isinstance(form, Coded) and form.was_tried(level) else 8.0 * len(data)
    if isinstance(form, Coded) and form.is_drawn and not form.was_tried(level):
        bits = max(bits, form.expected(level))
    if form.is_drawn and aim_of(model, level).is_exact:
        return max(bits, min(choice.FAVOUR_OF_LETTERS * bits, 8 * choice.GROWTH_OF_LETTERS * len(data)))
    return bits


def _as_it_is_within(picture: Picture, most: float, level: int, effort: int, *, is_drawn: bool) -> bytes | None:
    """Return the file of every pixel of a picture as it is; None where it has more than so many bits."""
    if not whole.may_be_within(picture.pixels, most, lambda: picture.whole_bits, is_drawn=is_drawn):
        return None
    data = as_it_is(picture, effort)(level)
    return data if 8 * len(data) <= most else None
