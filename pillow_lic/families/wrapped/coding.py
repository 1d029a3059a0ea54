"""Pictures that another codec's file holds: how such a file is written, opened and shown (`families.Writer`, `families.Reader`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ...errors import LicDamagedError
from ...fileformat import jpeg, streams
from ...fileformat.areas import Area, onto
from ...fileformat.levels import level_to_quality
from ...fileformat.tiling import Tiling
from .. import MISSING, Trial
from .inner import checked, inner
from .restoration import decoded, restored

if TYPE_CHECKING:
    from ...engine.models import Model
    from ...fileformat.importance_map import Deltas
    from .. import Payload, Payloads, Put

Pixels = npt.NDArray[np.uint8]

PERCENT = 10
"""Points of Pillow's JPEG quality in one of the user's: 9 is 90 percent, as `lic convert` has it."""
DRAFTS = (8, 4, 2)
"""Pixels each way that one of libjpeg's own drafts stands for."""


class WrappedWriter:
    """One picture (H, W, 3) on its way into a file (`families.Writer`).

    compact: makes the inner picture; None where it is the picture itself. write: makes a JPEG file of that at Pillow's quality.
    original: the JPEG file that the pixels were decoded from, which is kept as it is, whatever the level; b"" if there is none.
    """

    def __init__(
        self,
        model: Model,
        pixels: Pixels,
        compact: Callable[[Model, Pixels], Pixels] | None = None,
        write: Callable[[Pixels, int], bytes] = jpeg.write,
        original: bytes = b"",
    ) -> None:
        self._model, self._pixels, self._compact, self._original = model, pixels, compact, original
        self._write = write
        self._inner: Pixels | None = None
        self.tiling = Tiling(pixels.shape[1], pixels.shape[0], 0)
        self.deltas: Deltas | None = None

    def payloads(self, level: int) -> list[bytes]:
        """Return the one payload."""
        if self._original:
            return [streams.pack([self._original])]
        if self._inner is None:
            self._inner = self._pixels if self._compact is None else self._compact(self._model, self._pixels)
        return [streams.pack([self._write(self._inner, round(PERCENT * level_to_quality(level)))])]

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
        edge, halo = self._model.constants["window"], self._model.constants["margin"]
        share = 1 if self._scale > 1 else (1 + 2 * halo / edge) ** 2
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
        if self._scale > 1:
            scale = max(1, self._scale // self._model.constants["scale"])
            put(self._tiling_of_shape(), jpeg.pixels_of(data, scale))
        else:
            picture = decoded(self._model, data, facts)
            restored(self._model, picture, shape, put, self._area, held=held + len(data))


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
