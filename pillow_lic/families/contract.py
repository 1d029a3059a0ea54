"""The contract of a family: one published system, one family, one file (or one folder).

A family turns the pixels of a picture into the payloads of its tiles, and back, with the networks and tables of a model whose
`procedure` in the manifest is the family's NAME. It is a module with NAME, MODES, OPTIONS and one of two pairs:

* `encode` and `decode` (`Plain`) of one rectangle of pixels; `shared.tilewise` makes a writer and a reader of tiles out of them;
* `writer` and `reader` (`Tiled`) of a whole picture, for a family whose tiles see their neighbours, or that makes drafts.

A family may have more:

* `cut` and, if it is plain, `decode_cut`: it is progressive (`Progressive`, `Cuttable`), that is, its files can be cut;
* `lowered`: it is stepwise, that is, a file of one level holds those of all lower ones (`Stepwise`);
* `encode_quickly`, of a plain family: takes less time than `encode`, for larger payloads;
* `check`: finds what is wrong with a payload without running a network, `check(streams, shape)` of a plain family, `check(payload)` of
  a tiled one;
* `drafts(model)`: the scales at which it decodes smaller pictures;
* `dump(model, tile)`: what a tile holds before it becomes pixels, arrays by name;
* `inner` and KEEPS_ORIGINAL: its payloads hold files of another format.

Families import `engine` and `fileformat`, never each other. The rest of the package uses them only through the functions of `families`.

Rule of the parse: stored tables, integers of the stream and `exact` networks decide what the range coder reads, no float does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ..engine.models import Model
from ..fileformat.areas import Area
from ..fileformat.container import CutPayload
from ..fileformat.importance_map import Deltas
from ..fileformat.tiling import Tiling

Pixels = npt.NDArray[np.uint8]
Payload = bytes | memoryview | CutPayload
Payloads = Mapping[int, Payload | None]
"""Payloads of tiles by raster index; None for one that is damaged or missing, CutPayload for one in which the file ends."""
Put = Callable[[Area, Pixels], None]
"""Takes decoded pixels (h, w, C) and their area, which counts from the corner of what is read; may be called from any thread."""

MISSING: Final = 128
"""Grey level of a tile that could not be read."""


class Request(NamedTuple):
    """How a picture is to be coded, besides its level.

    deltas: its importance map. effort: 0-9, more time for smaller files. search: several levels will be tried, so keep what they
    share. original: the file that the pixels were decoded from, for a family that keeps it (`keeps_original`), else b"".
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
    """A picture coded and decoded: the payload of every tile in raster order, and the colours (H, W, C) that a reader would see."""

    payloads: Sequence[bytes | memoryview]
    colors: Pixels


class Guess(NamedTuple):
    """An estimate of a `Trial`: about how many bytes the payloads have, and about the colours (H, W, C).

    left: the squared error of the file's colours is likely to be this part of that of these.
    """

    size: float
    colors: Pixels
    left: float


class Writer(Protocol):
    """One picture that is to be coded, at any level. It may have a method `guessed`, for `families.guessed`."""

    tiling: Tiling
    deltas: Deltas | None

    def payloads(self, level: int) -> Sequence[bytes | memoryview]:
        """Return the payload of every tile in raster order."""

    def tried(self, level: int) -> Trial:
        """Return the payloads, and the colours (H, W, C) that a reader would see."""


class Reader(Protocol):
    """One picture, an area of it, or a draft of it, that is to be decoded."""

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
        """Give the pixels of every part of the area to `put`, as soon as they are decoded.

        strict: a tile that cannot be read raises LicDamagedError or LicDesyncError. If not strict, it comes out grey, and a tile in
        which the file ends has the detail that is there, if the family is progressive. held: bytes of the file that are in memory.
        """


class Family(Protocol):
    """The names that every family has.

    MODES: those of L and RGB that it codes, and those of LA and RGBA whose alpha it codes too; other alpha is stored apart.
    OPTIONS: those of effort, roi, importance and preview that it knows.
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
