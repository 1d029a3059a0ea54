"""The family `lic1`, our own codec, of the models lic1 and lic2: a hyperprior, latents in four passes, one model for all qualities.

    write:  pixels ─analysis─▶ trunk ─latents(level)─▶ y, z_hat ─residuals.Choice─▶ symbols ─symbols.write─▶ tile payload
    read:   tile payload ─symbols.read─▶ z_hat, values ─residuals.reconstruct─▶ y_hat ─synthesis(level)─▶ pixels

Scales, which decide what the range coder reads, are computed in whole numbers; means, which do not, in floating point (FORMAT.md, 8).
The level is a field over the picture, so that places may differ in importance. Tiles are coded apart, but analysis and synthesis see a
halo of their neighbours, so that no seam shows. Imports `engine` and `fileformat`.

Sources: Minnen 2018 (mean and scale hyperprior), DCVC-RT (one model for all qualities, four passes), JPEG AI (parsing before means).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...engine import entropy
from .drafting import drafts as drafts
from .payload import parse
from .reading import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from ...engine.models import Model
    from ...fileformat.areas import Area
    from ...fileformat.importance_map import Deltas
    from ...fileformat.tiling import Tiling
    from .. import Coded, Pixels, Request
    from .writing import Writer

NAME = "lic1"
MODES = frozenset({"RGB"})
OPTIONS = frozenset({"effort", "importance", "preview", "roi"})


def writer(model: Model, pixels: Pixels, request: Request) -> Writer:
    """Return the writer of a picture (H, W, 3)."""
    from .writing import Writer  # readers do without

    return Writer(model, pixels, request)


def reader(model: Model, tiling: Tiling, level: int, deltas: Deltas | None, area: Area | None, scale: int) -> Reader:
    """Return the reader of a picture, of an area of it, or of a draft of all of it."""
    return Reader(model, tiling, level, deltas, area, scale)


def check(payload: bytes | memoryview) -> None:
    """Raise LicDamagedError or LicUnsupportedError for a payload whose prefix is wrong."""
    entropy.parse_prefix(parse(payload)[0])


def cut(
    model: Model, tiling: Tiling, level: int, deltas: Deltas | None, payloads: Sequence[bytes | memoryview], size: int
) -> Sequence[bytes | memoryview]:
    """Return payloads of at most `size` bytes together that decode to a coarser picture."""
    from .cutting import cut  # readers do without

    return cut(model, tiling, level, deltas, payloads, size)


def dump(model: Model, tile: Coded) -> dict[str, npt.NDArray[Any]]:
    """Return what a tile holds, by the names that `dumping.dump` describes."""
    from . import dumping  # readers do without

    return dumping.dump(model, tile)
