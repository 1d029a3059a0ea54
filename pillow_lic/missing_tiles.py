"""Tiles of a file that are missing or damaged: they are filled with the enlarged preview, if the file has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from . import channels
from .families import Payloads, Put
from .fileformat.areas import Area
from .fileformat.header import Header
from .fileformat.preview import Preview

Pixels = npt.NDArray[np.uint8]


class Noted(Mapping[int, "bytes | memoryview | None"]):
    """Payloads of tiles by raster index, which notes the missing ones. gaps: the indexes that were asked for and are None."""

    def __init__(self, payloads: Payloads) -> None:
        self._payloads = payloads
        self.gaps: set[int] = set()

    def __getitem__(self, index: int) -> bytes | memoryview | None:
        if (payload := self._payloads[index]) is None:
            self.gaps.add(index)
        return payload

    def __iter__(self) -> Iterator[int]:
        return iter(self._payloads)

    def __len__(self) -> int:
        return len(self._payloads)


def fill(gaps: set[int], header: Header, preview: Preview, area: Area, put: Put, pixels: Pixels) -> None:
    """Give colours (h, w, 3) for the tiles `gaps` to `put`, as far as they lie in an area of the picture; places count from its corner.

    pixels: those of the preview, in the mode of the picture.
    """
    small = channels.as_rgb(pixels, header.mode)
    for index in sorted(gaps):
        tile = header.tiling.tile(index)
        if tile.meets(area):
            part = tile.intersection(area)
            put(part.within(area), _enlarged(small, preview.scale, part))


def _enlarged(pixels: Pixels, scale: int, area: Area) -> Pixels:
    """Return an area (h, w, C) of pixels that are shown `scale` times as large, linear between their middles."""
    rows, y = _between(area.y0, area.y1, scale, pixels.shape[0])
    columns, x = _between(area.x0, area.x1, scale, pixels.shape[1])
    near = pixels[rows[0][0] : rows[1][-1] + 1].astype(np.float32)
    wide = near[:, columns[0]] * (1 - x[:, None]) + near[:, columns[1]] * x[:, None]
    above, below = (r - rows[0][0] for r in rows)
    tall = wide[above] * (1 - y[:, None, None]) + wide[below] * y[:, None, None]
    result: Pixels = (tall + np.float32(0.5)).astype(np.uint8)
    return result


def _between(
    start: int, end: int, scale: int, length: int
) -> tuple[tuple[npt.NDArray[np.intp], ...], npt.NDArray[np.float32]]:
    """Return for pixels from start to end the two small pixels whose middles they lie between, and the share of the second."""
    place = np.clip((np.arange(start, end) + 0.5) / scale - 0.5, 0, length - 1)
    first = place.astype(np.intp)
    return (first, np.minimum(first + 1, length - 1)), (place - first).astype(np.float32)
