"""The preview that a large picture is written with: what thumbnails are made of, in a tenth of the time of a draft."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from .. import color, families
from ..engine.models import Model
from ..exact import ground
from ..families import Request
from ..fileformat import preview
from ..fileformat.limits import MAX_LEVEL
from .forms import Coded, Picture

SHOWN_FROM: Final = 8_000_000
"""Pixels from which a picture has a preview where nobody says otherwise: below, a draft takes under a second."""
EDGE: Final = 512
"""Pixels that the shorter side has at least: what `Image.thumbnail((256, 256))` asks of a draft, for both sides."""
COARSER: Final = (3, 6, MAX_LEVEL + 1)
"""The level of a file is divided by one of these for its preview, the first that makes it small enough: a thumbnail has at most half of
the preview's width, which hides what is lost."""
SHARE: Final = 1 / 64
"""How large a preview may be beside the tiles of its file."""


def of(picture: Picture, option: str | bool, model: Model, effort: int) -> Callable[[int, int], bytes | None] | None:
    """Return the `Picture.preview` of a picture; None if the option, its size or the model's family says that it has none.

    With the option True, the coarsest preview is written even if it is not small enough.
    """
    height, width = picture.pixels.shape[:2]
    is_auto = option == "auto"
    is_wanted = families.knows(model, "preview") and height * width >= SHOWN_FROM if is_auto else option
    if not is_wanted:
        return None
    scale = max(preview.LEAST_SCALE, min(height, width) // EDGE)

    @cache  # made when first asked for: a picture that is kept as it is has none
    def form() -> Coded:
        small = color.reduced(picture.pixels, picture.mode, scale)
        return Coded(
            Picture(ground.without_hidden(small), picture.mode, None), model, Request(None, effort, search=True)
        )

    @cache
    def payload(level: int) -> bytes:
        return preview.pack(preview.Preview(scale, form().file(level)))

    def found(level: int, size: int) -> bytes | None:
        tried = (payload(model.nearest_level(level // coarser)) for coarser in COARSER)
        small_enough = next((data for data in tried if len(data) <= SHARE * size), None)
        return payload(model.nearest_level(0)) if small_enough is None and not is_auto else small_enough

    return found
