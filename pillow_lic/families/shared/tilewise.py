"""A writer and a reader of tiles, made of the `encode` and `decode` of a plain family.

Each tile is coded with a halo of its neighbours, so that no seam shows, and the halo is cut away after decoding. It is coded twice, so
that files are larger by the factor (1 + 2 margin / tile_edge)^2.

Constants of the model: `margin`, the width of the halo in pixels; `tile_edge`, which pictures of more than `tile_pixels` are divided by;
`align`, to a multiple of which pixels are padded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from ...deadlines import check_time
from ...engine import workers
from ...errors import LicDamagedError, LicDesyncError
from ...fileformat import streams
from ...fileformat.areas import Area, Window, onto, padded, with_halo
from ...fileformat.container import CutPayload
from ...fileformat.tiling import Tiling
from ..contract import MISSING, Trial

if TYPE_CHECKING:
    from ...engine.models import Model
    from ...fileformat.importance_map import Deltas
    from ..contract import Payload, Payloads, Plain, Progressive, Put, Stepwise

Pixels = npt.NDArray[np.uint8]


def chosen_tiling(model: Model, width: int, height: int) -> Tiling:
    """Return one tile for a picture that the model takes whole, else tiles of its edge."""
    align = model.constants["align"]
    whole = padded(width, align) * padded(height, align) <= model.constants["tile_pixels"]
    return Tiling(width, height, 0 if whole else model.constants["tile_edge"])


def coded_window(model: Model, tiling: Tiling, index: int) -> Window:
    """Return the area that is coded for a tile: the tile and its halo."""
    constants = model.constants
    return with_halo(tiling.tile(index), constants["margin"], constants["align"], tiling.width, tiling.height)


def check(family: Plain, model: Model, tiling: Tiling, index: int, payload: bytes | memoryview) -> None:
    """Raise LicDamagedError for a tile's payload whose streams do not fill it, or are seen by the family's `check` to be wrong."""
    coded = streams.unpack(payload)
    if hasattr(family, "check"):
        family.check(coded, coded_window(model, tiling, index).area.shape)


def cut(
    family: Progressive, model: Model, tiling: Tiling, level: int, payloads: Sequence[bytes | memoryview], size: int
) -> list[bytes]:
    """Return coarser payloads of all tiles (`families.cut`); each gets its share of the bytes by the length that it has."""
    total = sum(map(len, payloads))
    result = []
    for index, payload in enumerate(payloads):
        check_time()
        coded = streams.unpack(payload)
        most = size * len(payload) // total - (len(payload) - sum(map(len, coded)))
        shape = coded_window(model, tiling, index).area.shape
        result.append(streams.pack(family.cut(model, coded, shape, level, most)))
    return result


def lowered(
    family: Stepwise, model: Model, tiling: Tiling, index: int, level: int, payload: bytes | memoryview
) -> bytes:
    """Return the payload of a tile at a level, of that at a higher one (`families.lowered`)."""
    check_time()
    shape = coded_window(model, tiling, index).area.shape
    return streams.pack(family.lowered(model, streams.unpack(payload), shape, level))


class TilewiseWriter:
    """One picture (H, W, C) on its way into a file, tile by tile (`families.Writer`).

    once: code the picture at the highest level only, and lower the result for other levels; for a stepwise family that is asked for many
    levels. quick: use `encode_quickly` if the family has it.
    """

    def __init__(self, family: Plain, model: Model, pixels: Pixels, *, once: bool = False, quick: bool = True) -> None:
        self._encode = getattr(family, "encode_quickly", family.encode) if quick else family.encode
        self._family, self._model, self._pixels, self._once = family, model, pixels, once
        self._highest: dict[int, bytes] = {}
        self.tiling = chosen_tiling(model, pixels.shape[1], pixels.shape[0])
        self.deltas: Deltas | None = None

    def _payload(self, index: int, level: int) -> bytes:
        check_time()
        highest = self._model.levels[-1]
        if not self._once:
            return self._coded(index, level)
        if index not in self._highest:
            self._highest[index] = self._coded(index, highest)
        payload = self._highest[index]
        if level == highest:
            return payload
        return lowered(cast("Stepwise", self._family), self._model, self.tiling, index, level, payload)

    def _coded(self, index: int, level: int) -> bytes:
        area = coded_window(self._model, self.tiling, index).area
        return streams.pack(self._encode(self._model, self._pixels[area.slices], level))

    def payloads(self, level: int) -> list[bytes]:
        """Return the payload of every tile in raster order."""
        with workers.over_tiles(self.tiling.count, self.tiling.largest_padded(1)) as crew:
            return list(crew.results(lambda index: self._payload(index, level), range(self.tiling.count)))

    def tried(self, level: int) -> Trial:
        """Return the payloads, and the colours (H, W, C) that a reader would see."""
        seen, payloads = np.empty_like(self._pixels), self.payloads(level)
        reader = TilewiseReader(self._family, self._model, self.tiling, level, None)
        reader.draw(dict(enumerate(payloads)), onto(seen), strict=True, held=0)
        return Trial(payloads, seen)


class TilewiseReader:
    """The pixels of an area of a picture, of all of it by default, tile by tile (`families.Reader`)."""

    def __init__(self, family: Plain, model: Model, tiling: Tiling, level: int, area: Area | None) -> None:
        self._family, self._model, self._tiling, self._level = family, model, tiling, level
        self._area = area or tiling.whole
        self._channels = 3 if "RGB" in family.MODES else 1

    @property
    def needed(self) -> list[int]:
        """Raster indexes of the tiles that decide the area, ascending."""
        return self._tiling.touching(self._area)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the pixels that are read."""
        return self._area.shape

    @property
    def work(self) -> int:
        """Pixels that the networks see to read them, those of halos and padding included."""
        windows = (coded_window(self._model, self._tiling, index).area for index in self.needed)
        align = self._model.constants["align"]
        return sum(padded(window.width, align) * padded(window.height, align) for window in windows)

    def draw(self, payloads: Payloads, put: Put, *, strict: bool, held: int) -> None:
        """Give the pixels of every tile in the area to `put` (`families.Reader.draw`)."""
        with workers.over_tiles(len(self.needed), self._tiling.largest_padded(1), held) as crew:
            for index in self.needed:
                crew.submit(self._show, index, payloads[index], put, strict)

    def _show(self, index: int, payload: Payload | None, put: Put, strict: bool) -> None:
        check_time()
        window, tile = coded_window(self._model, self._tiling, index), self._tiling.tile(index)
        target = tile.intersection(self._area)
        pixels = np.full((*target.shape, self._channels), MISSING, np.uint8)
        try:
            if payload is not None:
                decoded = self._decoded(payload, window.area.shape)
                pixels = decoded[target.within(window.area).slices]
        except (LicDamagedError, LicDesyncError):
            if strict:
                raise
        put(target.within(self._area), pixels)

    def _decoded(self, payload: Payload, shape: tuple[int, int]) -> Pixels:
        if not isinstance(payload, CutPayload):
            return self._family.decode(self._model, streams.unpack(payload), shape, self._level)
        if not hasattr(self._family, "decode_cut"):
            msg = f"model {self._model.name} shows nothing of a tile that is not whole"
            raise LicDamagedError(msg)
        coded = streams.unpack_cut(payload)
        return cast("Progressive", self._family).decode_cut(self._model, coded, shape, self._level)
