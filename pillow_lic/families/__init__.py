"""The contract of a family, and the registry: one published system, one family, one file (or one folder).

A family turns the pixels of a picture into the payloads of its tiles, and back, with the networks and tables of a model whose
`procedure` in the manifest is the family's NAME. It is a module with NAME, MODES, OPTIONS and one of two pairs:

* `encode` and `decode` (`Plain`) of one rectangle of pixels; `tilewise` makes a writer and a reader of tiles out of them;
* `writer` and `reader` (`Tiled`) of a whole picture, for a family whose tiles see their neighbours, or that makes drafts.

A plain family may have `encode_soon`, which takes less time for larger payloads. It is progressive if it has `cut` and
`decode_cut` too (`Progressive`), and stepwise with `lowered` (`Stepwise`); a tiled one is progressive if it has `cut`
(`Cuttable`). A family may have `check`, which looks at what it would decode without running a network (`check(streams, shape)`
where it has `decode`, `check(payload)` where it has `reader`), `drafts`, `dump`, which gives what a tile holds before it
becomes pixels, and, where a payload holds a file of another format, `inner` and KEEPS_ORIGINAL. Families import `engine` and
`fileformat`, never each other; the rest of the package reaches them by the functions below alone.

Rule of the parse: stored tables, integers of the stream and `exact` networks decide what the range coder reads, no float does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt

from ..engine.models import Model
from ..errors import LicLimitError, LicUnsupportedError
from ..fileformat.areas import Area
from ..fileformat.container import CutPayload
from ..fileformat.importance_map import Deltas
from ..fileformat.tiling import Tiling

Pixels = npt.NDArray[np.uint8]
Payload = bytes | memoryview | CutPayload
Payloads = Mapping[int, Payload | None]
"""Payloads of tiles by raster index; None for one that is damaged or missing, CutPayload for one in which the file ends."""
Put = Callable[[Area, Pixels], None]
"""Takes an area, seen from the corner of what is read, and its pixels (h, w, C), from any thread."""

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

MISSING: Final = 128
"""Grey level of a tile that could not be read."""

LONG_EFFORT: Final = 2
"""Effort from which on a family without networks searches for the smallest file, however long that takes."""


class Request(NamedTuple):
    """The wishes of a caller for the coding of a picture, beside its level.

    deltas: its importance map. effort: 0-9 steps of refinement. search: several levels will be tried, so keep what they share.
    original: the file that the pixels were decoded from, for a family that keeps it (`keeps_original`); b"" to write them anew.
    """

    deltas: Deltas | None = None
    effort: int = 0
    search: bool = False
    original: bytes = b""


class Coded(NamedTuple):
    """One tile as a file holds it: its payload, the pixels of the picture that it was coded from, the level and the deltas."""

    payload: bytes | memoryview
    area: Area
    level: int
    deltas: Deltas | None


class Trial(NamedTuple):
    """A picture as a file of a level would hold it: the payload of every tile in raster order, and the colours that a reader would see."""

    payloads: Sequence[bytes | memoryview]
    colors: Pixels


class Writer(Protocol):
    """One picture on its way into a file, at any level."""

    tiling: Tiling
    deltas: Deltas | None

    def payloads(self, level: int) -> Sequence[bytes | memoryview]:
        """Return the payload of every tile in raster order."""

    def tried(self, level: int) -> Trial:
        """Return the payloads, and the colours (H, W, C) that a reader would see, for little more than the time of both."""


class Reader(Protocol):
    """One picture, an area of it, or a draft of it, on its way out of a file."""

    @property
    def needed(self) -> list[int]:
        """Raster indexes of the tiles that decide the area, ascending."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the pixels that are read."""

    @property
    def work(self) -> int:
        """Pixels that the networks see to read them, those of halos and padding included."""

    def draw(self, payloads: Payloads, put: Put, *, strict: bool, held: int) -> None:
        """Give the pixels of every part of the area to `put`, as soon as they are there.

        strict: a tile that cannot be read raises LicDamagedError or LicDesyncError; else it comes out grey, and one in which
        the file ends with the detail that is there, where the family can. `held` bytes of the file are in memory.
        """


class Family(Protocol):
    """The names that every family has.

    MODES: of L and RGB those that it codes, and of LA and RGBA those whose alpha it codes too; else alpha is stored apart.
    OPTIONS: of effort, roi, importance and preview those it knows.
    """

    NAME: str
    MODES: frozenset[str]
    OPTIONS: frozenset[str]


class Plain(Family, Protocol):
    """A family that codes a rectangle of pixels alone."""

    def encode(self, model: Model, pixels: Pixels, level: int) -> list[bytes]:
        """Return the streams of pixels (h, w, 3), or (h, w, 1) of mode L, any h and w >= 1."""

    def decode(self, model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
        """Return the pixels (h, w, C) of that shape; LicDamagedError or LicDesyncError for other streams than `encode` made."""


class Progressive(Plain, Protocol):
    """A plain family whose streams begin with what matters most, so that a part of them shows all of the picture, coarser."""

    def decode_cut(self, model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
        """Return the pixels by the beginning of the streams: the last one may end anywhere, and more may be missing.

        LicDamagedError where there is too little to show anything.
        """

    def cut(
        self, model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int, size: int
    ) -> list[bytes]:
        """Return whole streams of at most `size` bytes together that `decode` takes at the same level. No network runs.

        ValueError naming the least size that is possible, LicDamagedError for streams that `encode` did not make.
        """


class Stepwise(Progressive, Protocol):
    """A progressive family whose levels are numbers of steps: the file of one holds those of all below it."""

    def lowered(self, model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> list[bytes]:
        """Return the streams that `encode` gives at a level, of those that it gave at a higher one. No network runs."""


class Tiled(Family, Protocol):
    """A family that codes the tiles of a picture itself."""

    def writer(self, model: Model, pixels: Pixels, request: Request) -> Writer:
        """Return the writer of a picture (H, W, C)."""

    def reader(
        self, model: Model, tiling: Tiling, level: int, deltas: Deltas | None, area: Area | None, scale: int
    ) -> Reader:
        """Return the reader of a picture, of an area of it, or of a draft of all of it whose pixels are `scale` wide."""


class Cuttable(Tiled, Protocol):
    """A family that codes tiles itself, whose payloads begin with what matters most."""

    def cut(
        self,
        model: Model,
        tiling: Tiling,
        level: int,
        deltas: Deltas | None,
        payloads: Sequence[bytes | memoryview],
        size: int,
    ) -> Sequence[bytes | memoryview]:
        """Return payloads of at most `size` bytes together that `reader` takes at the same level; ValueError where that is too few."""


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
    from .tilewise import TilewiseWriter

    once = request.search and is_stepwise(model)
    return TilewiseWriter(cast(Plain, family), model, pixels, once=once, soon=request.effort < LONG_EFFORT)


def reader(
    model: Model, tiling: Tiling, level: int, deltas: Deltas | None = None, area: Area | None = None, scale: int = 1
) -> Reader:
    """Return the reader of a picture, of an area of it, or of a draft of all of it whose pixels are `scale` wide."""
    family = of(model)
    if hasattr(family, "reader"):
        return cast(Tiled, family).reader(model, tiling, level, deltas, area, scale)
    from .tilewise import TilewiseReader

    return TilewiseReader(cast(Plain, family), model, tiling, level, area)


def check(model: Model, tiling: Tiling, index: int, payload: bytes | memoryview) -> None:
    """Raise LicDamagedError or LicUnsupportedError for a tile's payload that can be seen to be wrong without running a network."""
    family = of(model)
    if not hasattr(family, "reader"):
        from .tilewise import check as check_streams

        check_streams(cast(Plain, family), model, tiling, index, payload)
    elif hasattr(family, "check"):
        family.check(payload)


def coded(
    model: Model, tiling: Tiling, index: int, payload: bytes | memoryview, level: int, deltas: Deltas | None
) -> Coded:
    """Return the tile with that raster index as a file holds it."""
    if hasattr(of(model), "reader"):
        return Coded(payload, tiling.tile(index), level, deltas)
    from .tilewise import coded_window

    return Coded(payload, coded_window(model, tiling, index).area, level, deltas)


def dump(model: Model, tile: Coded) -> Mapping[str, npt.NDArray[Any]]:
    """Return what a tile holds before it becomes pixels, arrays by name, as the `dump(model, tile)` of the family describes them.

    Usual names are symbols, indexes (of their tables) and latents. ValueError for a family that has no `dump`.
    """
    family = of(model)
    if not hasattr(family, "dump"):
        has = [name for name in FAMILIES if hasattr(import_module(f".{name}", __name__), "dump")]
        msg = f"a file to dump must be of a model whose family is one of {', '.join(has)}, got {model.name}"
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
    from .tilewise import lowered as lowered_tile

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
    from .tilewise import cut as cut_streams

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
        msg = f"a file of model {model.name} holds no other file: one of model restored does"
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
        has = f"it knows {', '.join(sorted(known))}" if known else "it knows none of the kind"
        msg = f"{' and '.join(foreign)} must be left out for model {model.name}: {has}"
        raise ValueError(msg)


def refuse_large_tiles(model: Model, tiling: Tiling) -> None:
    """Raise LicLimitError for a picture with a tile of more pixels, padded as the model pads, than its family decodes."""
    align, most = model.constants["align"], model.constants["tile_pixels"]
    if (largest := tiling.largest_padded(align)) > most:
        msg = f"tile of {largest} pixels (padded to {align}) is over the limit of {most} of model {model.name}"
        raise LicLimitError(msg)
