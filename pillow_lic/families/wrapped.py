"""Pictures that another codec's file holds, and a network improves: how such a file is written, checked, opened and shown.

    pixels ─[compact]─▶ pixels of the inner picture ─Pillow's JPEG─▶ the one stream of the one tile
    pixels ◀─restore, window by window─ pixels of the inner picture ◀──┘

The inner picture has 1/`scale` of the rows and columns (rounded up). Its file is a JPEG file, by which nothing is read but the
markers before its size is known to be the one expected. A model's constants say `scale`; the `window` of inner pixels that the
network restores at a time and the `margin` around it, farther than which no pixel has a part in one; and `align`, which windows
are padded to. Families use this room; it knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..engine import workers
from ..engine.settings import check_time
from ..errors import LicDamagedError
from ..fileformat import jpeg, streams
from ..fileformat.areas import Area, onto, padded, with_halo
from ..fileformat.jpeg import Facts
from ..fileformat.levels import level_to_quality
from ..fileformat.tiling import Tiling
from . import MISSING, Trial
from .calm import calmed
from .held import has_cut_off, hold
from .noise import let_be
from .still import left
from .views import mean_of

if TYPE_CHECKING:
    from ..engine.models import Model
    from ..fileformat.importance_map import Deltas
    from . import Payload, Payloads, Put

Pixels = npt.NDArray[np.uint8]

PERCENT = 10
"""Points of Pillow's JPEG quality in one of the user's: 9 is 90 percent, as `lic convert` has it."""
DRAFTS = (8, 4, 2)
"""Pixels each way that one of libjpeg's own drafts stands for."""


def inner(payload: bytes | memoryview) -> memoryview:
    """Return the file inside a payload; LicDamagedError for a payload of more than one stream."""
    coded = streams.unpack(payload)
    if len(coded) != 1:
        msg = f"a tile with a file inside must have one stream, got {len(coded)}"
        raise LicDamagedError(msg)
    return coded[0]


def check(payload: bytes | memoryview) -> None:
    """Raise the error that says what is wrong with the markers of the file inside a payload."""
    jpeg.facts_of(inner(payload))


def of_inner(model: Model, shape: tuple[int, int]) -> tuple[int, int]:
    """Return rows and columns of the inner picture of a picture of that shape."""
    scale = model.constants["scale"]
    return -(-shape[0] // scale), -(-shape[1] // scale)


def checked(model: Model, data: memoryview, shape: tuple[int, int]) -> Facts:
    """Return what the file inside says of itself; LicDamagedError unless it is as large as a picture of that shape needs."""
    facts = jpeg.facts_of(data)
    rows, columns = of_inner(model, shape)
    if (facts.height, facts.width) != (rows, columns):
        msg = f"the JPEG file inside must be {columns}x{rows}, its markers say {facts.width}x{facts.height}"
        raise LicDamagedError(msg)
    return facts


def told(facts: Facts) -> dict[str, npt.NDArray[np.float32]]:
    """Return what a network is told of a JPEG file beside its pixels: `steps` (1, 128, 1, 1) and `halved` (1, 2, 1, 1)."""
    return {
        "steps": facts.steps.reshape(1, -1, 1, 1),
        "halved": np.array(facts.halved, np.float32).reshape(1, -1, 1, 1),
    }


def restored(
    model: Model,
    pixels: Pixels,
    facts: Facts,
    shape: tuple[int, int],
    put: Put,
    area: Area | None = None,
    held: int = 0,
    luma: Pixels | None = None,
    views: int = 1,
) -> None:
    """Give the restored pixels (h, w, 3) of an area of a picture (all of it by default) to `put`, window by window.

    pixels: the inner picture. shape: rows and columns of the picture. `held` bytes are in memory beside that. luma: `luma_of` the file.
    views: how many the result is the mean of.
    """

    def finish(core: Area, shown: Pixels) -> Pixels:
        if model.constants["scale"] > 1:
            return shown
        shown = let_be(calmed(shown, pixels, core), pixels, facts.steps[0], core)
        if luma is not None:
            shown = hold(shown, pixels[core.slices], luma[core.slices], facts.steps[0])
        return left(shown, pixels, core)

    windows = Windows(model.constants["window"], model.constants["margin"], model.constants["scale"], 1)
    windows.run(model, "restore", pixels, told(facts), shape, put, area, held, finish, views)


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
    windows = Windows(scale * model.constants["window"], model.constants["compact_margin"], 1, scale)
    windows.run(model, "compact", pixels, {}, shape, onto(small))
    return small


@dataclass(frozen=True)
class Windows:
    """A network run on squares of `edge` pixels and `margin` around them; it makes `up` pixels each way of `down` that it sees."""

    edge: int
    margin: int
    up: int
    down: int

    def run(
        self,
        model: Model,
        role: str,
        pixels: Pixels,
        feeds: Mapping[str, npt.NDArray[np.float32]],
        shape: tuple[int, int],
        put: Put,
        area: Area | None = None,
        held: int = 0,
        finish: Callable[[Area, Pixels], Pixels] = lambda _, made: made,
        views: int = 1,
    ) -> None:
        """Give what the network makes of an area (all by default) of pixels (H, W, 3) to `put`; shape: rows and columns of all of it.

        finish: takes what is made of a whole square, and where that is, and returns what becomes of it.
        """
        source, align = Tiling(pixels.shape[1], pixels.shape[0], 0).whole, model.constants["align"]
        target = area or Tiling(shape[1], shape[0], 0).whole
        cores = [core for core in self._squares(source) if self._made(core, shape).meets(target)]

        def show(core: Area) -> None:
            check_time()
            window = with_halo(core, self.margin, align, source.width, source.height).area
            missing = [(0, padded(length, align) - length) for length in window.shape]
            seen = np.pad(pixels[window.slices], (*missing, (0, 0)), "edge")
            made = mean_of(lambda pixels: model.run(role, pixels=pixels, **feeds)[0][0], seen, views)
            square = self._made(core, shape)
            finished = finish(square, made[square.within(self._made(window, shape)).slices])
            wanted = square.intersection(target)
            put(wanted.within(target), finished[wanted.within(square).slices])

        longest = self.edge + 2 * padded(self.margin, align)
        largest = min(longest, padded(source.height, align)) * min(longest, padded(source.width, align))
        with workers.over_tiles(len(cores), largest, pixels.nbytes + held) as crew:
            for core in cores:
                crew.submit(show, core)

    def _squares(self, source: Area) -> list[Area]:
        """Return the squares, cut off where the area ends, in raster order."""
        return Tiling(source.width, source.height, self.edge).tiles()

    def _made(self, seen: Area, shape: tuple[int, int]) -> Area:
        """Return the pixels that the network makes of an area whose upper left corner is a multiple of `down`."""
        x1, y1 = (min(-(-end * self.up // self.down), most) for end, most in ((seen.x1, shape[1]), (seen.y1, shape[0])))
        return Area(seen.x0 * self.up // self.down, seen.y0 * self.up // self.down, x1, y1)


class WrappedWriter:
    """One picture (H, W, 3) on its way into a file (`families.Writer`).

    compact: makes the inner picture; None where it is the picture itself. original: the JPEG file that the pixels were decoded
    from, which is kept as it is, whatever the level; b"" if there is none.
    """

    def __init__(
        self,
        model: Model,
        pixels: Pixels,
        compact: Callable[[Model, Pixels], Pixels] | None = None,
        original: bytes = b"",
    ) -> None:
        self._model, self._pixels, self._compact, self._original = model, pixels, compact, original
        self._inner: Pixels | None = None
        self.tiling = Tiling(pixels.shape[1], pixels.shape[0], 0)
        self.deltas: Deltas | None = None

    def payloads(self, level: int) -> list[bytes]:
        """Return the one payload."""
        if self._original:
            return [streams.pack([self._original])]
        if self._inner is None:
            self._inner = self._pixels if self._compact is None else self._compact(self._model, self._pixels)
        return [streams.pack([jpeg.write(self._inner, round(PERCENT * level_to_quality(level)))])]

    def tried(self, level: int) -> Trial:
        """Return the payload, and the colours (H, W, 3) that a reader would see."""
        shown, payloads = np.empty_like(self._pixels), self.payloads(level)
        reader = WrappedReader(self._model, self.tiling, level, None, 1)
        reader.draw(dict(enumerate(payloads)), onto(shown), strict=True, held=0)
        return Trial(payloads, shown)


class WrappedReader:
    """The pixels of an area of a picture, or a draft of all of it, out of the file inside (`families.Reader`).

    A draft is libjpeg's own, without the network.
    """

    def __init__(self, model: Model, tiling: Tiling, level: int, area: Area | None, scale: int) -> None:
        if tiling.count != 1:
            msg = f"a picture of model {model.name} must be one tile, got {tiling.count}"
            raise LicDamagedError(msg)
        self._model, self._tiling, self._scale = model, tiling, scale
        self._area = area or tiling.whole

    @property
    def needed(self) -> list[int]:
        """Index of the one tile."""
        return [0]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the pixels that are read."""
        return -(-self._area.height // self._scale), -(-self._area.width // self._scale)

    @property
    def work(self) -> int:
        """Pixels that are read of the file inside, each once, with all the windows of the network around them."""
        edge, margin = self._model.constants["window"], self._model.constants["margin"]
        share = 1 if self._scale > 1 else (1 + 2 * margin / edge) ** 2
        return int(self._tiling.width * self._tiling.height * share)

    def draw(self, payloads: Payloads, put: Put, *, strict: bool, held: int) -> None:
        """Give the pixels of every window in the area to `put` (`families.Reader.draw`); a file that cannot be read is grey."""
        try:
            self._draw(payloads[0], put, held)
        except LicDamagedError:
            if strict:
                raise
            put(self._tiling_of_shape(), np.full((*self.shape, 3), MISSING, np.uint8))

    def _tiling_of_shape(self) -> Area:
        return Tiling(self.shape[1], self.shape[0], 0).whole

    def _draw(self, payload: Payload | None, put: Put, held: int) -> None:
        if payload is None:
            msg = "the tile with the file inside is missing"
            raise LicDamagedError(msg)
        data = inner(payload)
        shape = (self._tiling.height, self._tiling.width)
        facts = checked(self._model, data, shape)
        pixels = jpeg.pixels_of(data, max(1, self._scale // self._model.constants["scale"]))
        if self._scale > 1:
            put(self._tiling_of_shape(), pixels)
        else:
            luma = luma_of(self._model, data, facts, pixels)
            restored(self._model, pixels, facts, shape, put, self._area, held + len(data), luma)


def reader(
    model: Model,
    tiling: Tiling,
    level: int,
    deltas: Deltas | None,
    area: Area | None,
    scale: int,
) -> WrappedReader:
    """Return the reader of a picture, of an area of it, or of a draft of all of it."""
    return WrappedReader(model, tiling, level, area, scale)


def drafts(model: Model) -> Sequence[int]:
    """Return how many pixels each way one of a draft may stand for, largest first."""
    return DRAFTS
