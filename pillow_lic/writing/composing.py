"""Pixels -> the bytes of a file: the importance map, the form that costs least, and the level that a target needs.

    picture, options ─▶ map ─▶ form (`choosing`) ─▶ level ─▶ its file, or a lossless one where that costs less

`codec.encode` has checked what comes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from .. import channels
from ..engine.models import Model
from ..exact import choice, ground, whole
from ..families import Request
from ..fileformat import importance_map, vp8l
from ..fileformat.importance_map import Deltas
from ..fileformat.levels import quality_to_level
from ..fileformat.limits import MAX_LEVEL
from ..importance import requested
from ..importance.requested import Requested
from ..options import EncodeOptions
from . import choosing, previews
from .forms import Alone, Coded, Form, Picture, aim_of, as_it_is
from .rate_search import Goal

Pixels = npt.NDArray[np.uint8]

EXPECTED: Final = 5.0
"""Quality at which forms are compared when the options give a target, before the quality that reaches it is known."""
SLIM: Final = 16
"""Shorter side, in pixels, below which a lossless file is tried at every level: a latent stands for 16x16 pixels, most of which lie
outside such a picture."""


def composed(
    pixels: Pixels,
    mode: str,
    options: EncodeOptions,
    model: Model,
    metadata: Mapping[str, bytes] | None,
    original: bytes,
) -> bytes:
    """Return the file of pixels (H, W, C) uint8 of a mode, by a model that codes with loss; arguments and errors as of `codec.encode`."""
    seen = ground.without_hidden(pixels)
    goal = Goal(options, model.levels, seen.shape[0] * seen.shape[1])
    places = requested.request(options.roi, options.importance, channels.as_rgb(seen, mode))
    deltas = places.deltas(goal.expected_size(model.bpp))
    effort = model.effort if options.effort is None else options.effort
    picture = Picture(seen, mode, metadata, MAX_LEVEL if seen is pixels else MAX_LEVEL - 1)
    picture = replace(picture, preview=previews.of(picture, options.preview, model, effort))
    request = Request(deltas, effort, options.has_target or deltas is not None, original)
    level = model.nearest_level(quality_to_level(EXPECTED) if options.has_target else options.level)
    form = _form(picture, goal, model, request, level)
    if deltas is not None:
        return _with_map(form, places, deltas, goal, level)
    if original or options.exact is False or not vp8l.is_there() or (isinstance(form, Alone) and form.is_exact(level)):
        return goal.reached(level, form.file, form.psnr)
    return _or_lossless(picture, form, goal, model, level, effort)


def _form(picture: Picture, goal: Goal, model: Model, request: Request, level: int) -> Form:
    """Return the form that costs least near a level; one without a layer if a layer that was found leaves a target out of reach."""
    exact, most = goal.options.exact, goal.most_bytes
    form = choosing.form(picture, exact, model, request, level)
    if most is None or not form.is_drawn or not isinstance(exact, str) or len(form.file(model.levels[0])) <= most:
        return form
    return Coded(picture, model, request)


def _with_map(form: Form, places: Requested, deltas: Deltas, goal: Goal, level: int) -> bytes:
    """Return the file of a form that has an importance map, `deltas`, which is fitted anew once the size of the file is known.

    A map that is a small part of a file for a target stays: another one would mean another search.
    """
    data = goal.reached(level, form.file, form.psnr)
    if goal.options.has_target and len(importance_map.pack(deltas)) < requested.REMADE_SHARE * len(data):
        return data
    form.deltas = places.deltas(len(data))
    if form.deltas is not None and (form.deltas == deltas).all():
        return data
    return goal.reached(level, form.file, form.psnr)


def _or_lossless(picture: Picture, form: Form, goal: Goal, model: Model, level: int, effort: int) -> bytes:
    """Return the file of a form, or that of every pixel as it is where this costs less."""
    lossless = as_it_is(picture, effort) if min(picture.pixels.shape[:2]) < SLIM else None

    def file(level: int) -> bytes:
        data = form.file(level)
        return data if lossless is None else min(lossless(level), data, key=len)

    data = goal.reached(level, file, form.psnr)
    if goal.options.model is not None and not form.is_drawn:
        return data  # who names a model wants what its files can do, such as to be cut
    most = 8 * len(data) if goal.options.has_target else _worth(form, data, model, level)
    return _as_it_is_within(picture, most, level, effort, is_drawn=form.is_drawn) or data


def _worth(form: Form, data: bytes, model: Model, level: int) -> float:
    """Return how many bits a lossless file may have to take the place of `data`, the file of a form and a level."""
    bits = 8.0 * len(data)
    if isinstance(form, Coded) and form.was_tried(level):
        bits = form.cost(level)
    elif isinstance(form, Coded) and form.is_drawn:
        bits = max(bits, form.expected(level))
    if form.is_drawn and aim_of(model, level).is_exact:
        return max(bits, min(choice.FAVOUR_OF_LETTERS * bits, 8 * choice.GROWTH_OF_LETTERS * len(data)))
    return bits


def _as_it_is_within(picture: Picture, most: float, level: int, effort: int, *, is_drawn: bool) -> bytes | None:
    """Return the file that has every pixel of a picture as it is; None if it has more than `most` bits."""
    if not whole.may_be_within(picture.pixels, most, lambda: picture.whole_bits, is_drawn=is_drawn):
        return None
    data = as_it_is(picture, effort)(level)
    return data if 8 * len(data) <= most else None
