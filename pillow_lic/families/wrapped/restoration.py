"""The networks around the JPEG file, run on whole pictures: `restore`, with what follows it, and `compact`.

decoded picture ─restore, refine, a square and its halo at a time─▶ calm ─▶ noise ─▶ held to the file ─▶ still ─▶ gate ─▶ shown
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ...engine.workers import BYTES_PER_PIXEL
from ...fileformat import jpeg
from ...fileformat.areas import Area, onto
from ...fileformat.jpeg import Facts
from .calm import calmed
from .gate import gated
from .held import has_cut_off, hold
from .inner import of_inner
from .noise import keep_noise
from .still import keep_still
from .windows import Windows

if TYPE_CHECKING:
    from ...engine.models import Model
    from .. import Put

Pixels = npt.NDArray[np.uint8]

REFINE: Final = "refine"
"""The role of a second network, of models that have one, which sees what `restore` makes."""
REFINE_BYTES_PER_PIXEL: Final = 800
"""Memory of a thread for every pixel of the inner picture that it sees in a window: measured, with the four that are made of it."""


def told(facts: Facts) -> dict[str, npt.NDArray[np.float32]]:
    """Return what a network is told of a JPEG file beside its pixels: `steps` (1, 128, 1, 1) and `halved` (1, 2, 1, 1)."""
    return {
        "steps": facts.steps.reshape(1, -1, 1, 1),
        "halved": np.array(facts.halved, np.float32).reshape(1, -1, 1, 1),
    }


class Decoded(NamedTuple):
    """The picture in a JPEG file: its pixels (H, W, 3), the facts of the file, and the file's luma (H, W) where the result is held to it."""

    pixels: Pixels
    facts: Facts
    luma: Pixels | None = None


def decoded(model: Model, data: bytes | memoryview, facts: Facts, pixels: Pixels | None = None) -> Decoded:
    """Return the picture in a JPEG file with these facts, as `restored` takes it. pixels: those of a part of the file (`jpeg.Part`)."""
    if pixels is None:
        pixels = jpeg.pixels_of(data)
    return Decoded(pixels, facts, luma_of(model, data, facts, pixels))


def restored(
    model: Model,
    picture: Decoded,
    shape: tuple[int, int],
    put: Put,
    area: Area | None = None,
    *,
    held: int = 0,
    views: int = 1,
) -> None:
    """Give the restored pixels (h, w, 3) of an area of a picture (all of it by default) to `put`, window by window.

    shape: rows and columns of the whole result. held: bytes that are in memory besides. views: as of `views.mean_of`.
    """
    pixels, facts, luma = picture
    constants, feeds = model.constants, told(facts)

    def finish(core: Area, shown: Pixels) -> Pixels:
        if constants["scale"] > 1:
            return shown
        shown = keep_noise(calmed(shown, pixels, core), pixels, facts.steps[0], core)
        if luma is not None:
            shown = hold(shown, pixels[core.slices], luma[core.slices], facts.steps[0])
        return gated(model, keep_still(shown, pixels, core), pixels, feeds, core)

    def network(seen: Pixels) -> Pixels:
        made: Pixels = model.run("restore", pixels=seen, **feeds)[0][0]
        if REFINE in model.files:
            made = model.run(REFINE, pixels=seen, shown=made, steps=feeds["steps"])[0][0]
        return made

    edge, halo, scale = constants["window"], constants["margin"], constants["scale"]
    memory = REFINE_BYTES_PER_PIXEL if REFINE in model.files else BYTES_PER_PIXEL
    windows = Windows(model, network, edge, halo, up=scale, views=views, bytes_per_pixel=memory)
    windows.run(pixels, shape, put, area, held=held, finish=finish)


def luma_of(model: Model, data: bytes | memoryview, facts: Facts, pixels: Pixels) -> Pixels | None:
    """Return the luma (H, W) of the file inside where the picture is held to it; pixels (H, W, 3) are those of the file.

    None for one of half size, for a grey one, and where no colour was cut off.
    """
    is_held = model.constants["scale"] == 1 and not facts.is_grey and has_cut_off(pixels)
    return jpeg.luma_of(data) if is_held else None


def compacted(model: Model, pixels: Pixels) -> Pixels:
    """Return the inner picture that a model's network makes of a picture (H, W, 3)."""
    scale = model.constants["scale"]
    shape = of_inner(model, (pixels.shape[0], pixels.shape[1]))
    small = np.empty((*shape, 3), np.uint8)
    edge, halo = scale * model.constants["window"], model.constants["compact_margin"]
    windows = Windows(model, lambda seen: model.run("compact", pixels=seen)[0][0], edge, halo, down=scale)
    windows.run(pixels, shape, onto(small))
    return small
