"""The contract of a family: one published system, one family, one file (or one folder).

A family turns the pixels of a picture into the payloads of its tiles, and back, with the networks and tables of a model whose
`procedure` in the manifest is the family's NAME. It is a module with NAME, MODES, OPTIONS and one of two pairs:

* `encode` and `decode` (`Plain`) of one rectangle of pixels; `shared.tilewise` makes a writer and a reader of tiles out of them;
* `writer` and `reader` (`Tiled`) of a whole picture, for a family whose tiles see their neighbours, or that makes drafts.

A plain family may have `encode_soon`, which takes less time for larger payloads. It is progressive if it has `cut` and
`decode_cut` too (`Progressive`), and stepwise with `lowered` (`Stepwise`); a tiled one is progressive if it has `cut`
(`Cuttable`). A family may have `check`, which looks at what it would decode without running a network (`check(streams, shape)`
where it has `decode`, `check(payload)` where it has `reader`), `drafts`, `dump`, which gives what a tile holds before it
becomes pixels, and, where a payload holds a file of another format, `inner` and KEEPS_ORIGINAL. Families import `engine` and
`fileformat`, never each other; the rest of the package reaches them by the functions of `families` alone.

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
"""Takes an area, seen from the corner of what is read, and its pixels (h, w, C), from any thread."""

MISSING: Final = 128
"""Grey level of a tile that could not be read."""


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


class Guess(NamedTuple):
    """A picture about as a file of a level would hold it: the bytes of its payloads, and colours (H, W, C).

    left: the part of the squared error of these colours that those of the file are likely to have.
    """

    size: float
    colors: Pixels
    left: float


class Writer(Protocol):
    """One picture on its way into a file, at any level; it may have `guessed`, as of `families.guessed`."""

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
