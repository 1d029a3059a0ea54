"""The registry of families, each a published system in one file (or one folder), and the functions by which the package uses them.

`contract` says what a family is; `shared` and `wrapped` hold what several of them use. The `procedure` of a model is the name of its
family's module, which is looked up here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final, cast

import numpy.typing as npt

from ..engine.models import Model
from ..errors import LicLimitError, LicUnsupportedError
from ..fileformat.areas import Area
from ..fileformat.importance_map import Deltas
from ..fileformat.tiling import Tiling
from .contract import MISSING as MISSING
from .contract import Coded as Coded
from .contract import Cuttable, Family, Plain, Progressive, Stepwise, Tiled
from .contract import Guess as Guess
from .contract import Payload as Payload
from .contract import Payloads as Payloads
from .contract import Pixels as Pixels
from .contract import Put as Put
from .contract import Reader as Reader
from .contract import Request as Request
from .contract import Trial as Trial
from .contract import Writer as Writer

FAMILIES: Final = (
    "agustsson2017",
    "autoencoder",
    "balle2017",
    "balle2018",
    "jiang2017",
    "johnston2018",
    "li2018",
    "lic1",
    "lossless",
    "minnen2017",
    "minnen2018_local",
    "restored",
    "rippel2017",
    "theis2017",
    "toderici2015",
    "toderici2017",
)  # fmt: skip
"""The modules here that a manifest may name as a procedure."""

LONG_EFFORT: Final = 2
"""Effort from which on `encode` is used even if the family has `encode_quickly`: the smallest file, however long the search for it takes."""


def of(model: Model) -> Family:
    """Return the family of a model."""
    if model.procedure not in FAMILIES:
        msg = f"procedure of model {model.name} must be one of {', '.join(FAMILIES)}, got {model.procedure!r}"
        raise ValueError(msg)
    return cast(Family, import_module(f".{model.procedure}", __name__))


def writer(model: Model, pixels: Pixels, request: Request) -> Writer:
    """Return the writer of a picture (H, W, C), C as one of the family's modes has it."""
    family = of(model)
    if hasattr(family, "writer"):
        return cast(Tiled, family).writer(model, pixels, request)
    from .shared.tilewise import TilewiseWriter

    once = request.search and is_stepwise(model)
    return TilewiseWriter(cast(Plain, family), model, pixels, once=once, quick=request.effort < LONG_EFFORT)


def guessed(writer: Writer, level: int) -> Guess:
    """Return about what a file of a level would hold, in less time than `tried` takes where the family can."""
    if hasattr(writer, "guessed"):
        return cast("Guess", writer.guessed(level))
    payloads, colors = writer.tried(level)
    return Guess(sum(map(len, payloads)), colors, 1.0)


def reader(
    model: Model, tiling: Tiling, level: int, deltas: Deltas | None = None, area: Area | None = None, scale: int = 1
) -> Reader:
    """Return the reader of a picture, of an area of it, or of a draft of all of it whose pixels are `scale` wide."""
    family = of(model)
    if hasattr(family, "reader"):
        return cast(Tiled, family).reader(model, tiling, level, deltas, area, scale)
    from .shared.tilewise import TilewiseReader

    return TilewiseReader(cast(Plain, family), model, tiling, level, area)


def check(model: Model, tiling: Tiling, index: int, payload: bytes | memoryview) -> None:
    """Raise LicDamagedError or LicUnsupportedError for a tile's payload that can be seen to be wrong without running a network."""
    family = of(model)
    if not hasattr(family, "reader"):
        from .shared.tilewise import check as check_streams

        check_streams(cast(Plain, family), model, tiling, index, payload)
    elif hasattr(family, "check"):
        family.check(payload)


def coded(
    model: Model, tiling: Tiling, index: int, payload: bytes | memoryview, level: int, deltas: Deltas | None
) -> Coded:
    """Return the tile with that raster index as a file holds it."""
    if hasattr(of(model), "reader"):
        return Coded(payload, tiling.tile(index), level, deltas)
    from .shared.tilewise import coded_window

    return Coded(payload, coded_window(model, tiling, index).area, level, deltas)


def _having(name: str) -> list[str]:
    """Return the families that have something of that name."""
    return [family for family in FAMILIES if hasattr(import_module(f".{family}", __name__), name)]


def dump(model: Model, tile: Coded) -> Mapping[str, npt.NDArray[Any]]:
    """Return what a tile holds before it becomes pixels, arrays by name, as the `dump(model, tile)` of the family describes them.

    Usual names are symbols or signs, indexes (of their tables) and latents. ValueError for a family that has no `dump`.
    """
    family = of(model)
    if not hasattr(family, "dump"):
        has = ", ".join(_having("dump"))
        msg = f"a file to dump must be of a model whose family is one of {has}, got {model.name}"
        raise ValueError(msg)
    return cast("Mapping[str, npt.NDArray[Any]]", family.dump(model, tile))


def is_progressive(model: Model) -> bool:
    """Whether the files of a model can be cut."""
    return hasattr(of(model), "cut")


def is_stepwise(model: Model) -> bool:
    """Whether a file of a model holds those of all lower levels."""
    return hasattr(of(model), "lowered")


def lowered(model: Model, tiling: Tiling, level: int, payloads: Sequence[bytes | memoryview]) -> list[bytes]:
    """Return the payloads of all tiles at a level, of those at a higher one; of a stepwise model. No network runs."""
    from .shared.tilewise import lowered as lowered_tile

    family = cast(Stepwise, of(model))
    return [lowered_tile(family, model, tiling, index, level, payload) for index, payload in enumerate(payloads)]


def cut(
    model: Model, tiling: Tiling, level: int, deltas: Deltas | None, payloads: Sequence[bytes | memoryview], size: int
) -> Sequence[bytes | memoryview]:
    """Return payloads of at most `size` bytes together that decode to a coarser picture; of a progressive model.

    Of the networks only those run that decide what is read. ValueError where a tile cannot be so small.
    """
    family = of(model)
    if hasattr(family, "reader"):
        return cast("Cuttable", family).cut(model, tiling, level, deltas, payloads, size)
    from .shared.tilewise import cut as cut_streams

    return cut_streams(cast(Progressive, family), model, tiling, level, payloads, size)


def drafts(model: Model) -> Sequence[int]:
    """Return how many pixels each way one of a draft may stand for, largest first; empty where the family makes none."""
    family = of(model)
    return cast("Sequence[int]", family.drafts(model)) if hasattr(family, "drafts") else ()


def keeps_original(model: Model) -> bool:
    """Whether the family can keep the JPEG file that a picture was decoded from."""
    return bool(getattr(of(model), "KEEPS_ORIGINAL", False))


def inner(model: Model, payload: bytes | memoryview) -> memoryview:
    """Return the file that a payload holds; LicUnsupportedError for a family whose payloads hold none."""
    family = of(model)
    if not hasattr(family, "inner"):
        msg = f"a file of model {model.name} contains no JPEG file; only files of {' and '.join(_having('inner'))} do"
        raise LicUnsupportedError(msg)
    return cast(memoryview, family.inner(payload))


def knows(model: Model, option: str) -> bool:
    """Whether an option is one of the family's."""
    return option in of(model).OPTIONS


def refuse_foreign(model: Model, given: Mapping[str, Any]) -> None:
    """Raise a ValueError that names the model for an option with a value, True in a condition, that is not its family's."""
    known = of(model).OPTIONS
    foreign = [name for name, value in given.items() if value and name not in known]
    if foreign:
        has = f"it knows {', '.join(sorted(known))}" if known else "it has no such option"
        msg = f"{' and '.join(foreign)} must be left out for model {model.name}: {has}"
        raise ValueError(msg)


def refuse_large_tiles(model: Model, tiling: Tiling) -> None:
    """Raise LicLimitError for a picture with a tile of more pixels, padded as the model pads, than its family decodes."""
    align, most = model.constants["align"], model.constants["tile_pixels"]
    if (largest := tiling.largest_padded(align)) > most:
        msg = f"tile of {largest} pixels (padded to {align}) is over the limit of {most} of model {model.name}"
        raise LicLimitError(msg)
