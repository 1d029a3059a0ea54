"""The exact layer of a picture: pixels that lie over the decoded ones, in one section, tile by tile.

payload = varint length of every bitstream, tile by tile in raster order, then the bitstreams (`vp8l`; a long tile has several)

A tile whose bitstreams all have length 0 has nothing over it. In the others alpha 255 marks an exact pixel, alpha 0 a hole, and
what is between a colour that covers the decoded one in part.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ..errors import LicDamagedError, LicTruncatedError
from . import squares, vp8l
from .areas import Area
from .tiling import Tiling
from .varint import parse_varint, write_varint

Pixels = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.uint8]

_MAX_VARINT_BYTES = 5
_KEPT = 2
"""Parts of a tile that are kept where less than one is drawn at a time, so that none is decoded for
every window, by every thread."""


def pack(tiles: Sequence[Sequence[bytes] | None], tiling: Tiling) -> bytes:
    """Return the payload for the bitstreams of every tile in raster order, None for one without exact pixels."""
    streams: list[bytes] = []
    for tile, area in zip(tiles, tiling.tiles(), strict=True):
        streams += [b""] * len(vp8l.parts(*area.shape)) if tile is None else tile
    return b"".join([*(write_varint(len(stream)) for stream in streams), *streams])


def written(pixels: Pixels, cover: Plane, *, quick: bool = False) -> list[bytes] | None:
    """Return the bitstreams of a tile of colours (h, w, 1 or 3) that cover what is decoded (h, w), 255 all; None if none does.

    quick: by a shorter search.
    """
    return (
        vp8l.write(_covering(pixels, cover), vp8l.Search.QUICK if quick else vp8l.Search.PART) if cover.any() else None
    )


def bits(pixels: Pixels, cover: Plane) -> int:
    """Return about how many bits the bitstreams of a tile have, by a quick search; arguments as of `written`."""
    return vp8l.bits(_covering(pixels, cover)) if cover.any() else 0


def _covering(pixels: Pixels, cover: Plane) -> Pixels:
    """Return colours (h, w, 1 or 3) with their cover (h, w) as alpha, 0 where they cover nothing."""
    whole = np.empty((*cover.shape, pixels.shape[2] + 1), np.uint8)
    covers = cover > 0
    for channel in range(pixels.shape[2]):
        np.multiply(pixels[:, :, channel], covers, out=whole[:, :, channel])
    whole[:, :, -1] = cover
    return whole


def blended(beneath: Pixels, over: Pixels, cover: Plane) -> Pixels:
    """Return colours (h, w, C) with others (h, w, C or 1) over them, which cover (h, w) 0 none to 255 all of a pixel.

    In whole numbers, as FORMAT.md says. One channel stands for all, as where networks code a grey picture as RGB.
    """
    over = np.broadcast_to(over, beneath.shape)
    share = cover.astype(np.uint16)
    left = 255 - share
    result = np.empty_like(beneath)
    for channel in range(beneath.shape[2]):
        total = share * over[:, :, channel] + left * beneath[:, :, channel] + np.uint16(128)
        result[:, :, channel] = total + (total >> 8) >> 8  # (total - 1) // 255 of all that are up to 65,279
    return result


class ExactLayer:
    """The exact pixels of a picture in a file. LicDamagedError for a payload that does not belong to that tiling."""

    def __init__(self, payload: bytes | memoryview, tiling: Tiling) -> None:
        self._tiling = tiling
        self._kept: dict[tuple[int, int], Pixels] = {}
        self._keeping = threading.Lock()
        view = memoryview(payload)
        self._streams: list[list[memoryview]] = []
        counts = [len(vp8l.parts(*area.shape)) for area in tiling.tiles()]
        head, position = bytes(view[: _MAX_VARINT_BYTES * sum(counts)]), 0
        lengths = []
        try:
            for _ in range(sum(counts)):
                length, position = parse_varint(head, position)
                lengths.append(length)
        except LicTruncatedError:
            msg = f"exact section of {len(view)} bytes ends inside its {sum(counts)} lengths"
            raise LicDamagedError(msg) from None
        if position + sum(lengths) != len(view):
            msg = f"exact section must have {position + sum(lengths)} bytes by its lengths, got {len(view)}"
            raise LicDamagedError(msg)
        for count in counts:
            own, lengths = lengths[:count], lengths[count:]
            streams = []
            for length in own:
                streams.append(view[position : position + length])
                position += length
            self._streams.append(streams)

    def check(self) -> None:
        """Raise LicDamagedError for a bitstream that claims another size than that of its tile; nothing is decoded."""
        for index in range(self._tiling.count):
            if any(self._streams[index]):
                vp8l.check(self._streams[index], self._tiling.tile(index).shape)

    def over(self, put: Callable[[Area, Pixels], None], read: Area, scale: int) -> Callable[[Area, Pixels], None]:
        """Return a function that takes decoded colours (h, w, 1 or 3) and gives them to `put` with the layer over them.

        Alpha that tiles hold, a fourth channel, stays as it is.
        Areas begin at the corner of the area `read`, and count pixels of a draft that are `scale` pixels wide.
        """

        def put_exact(area: Area, colors: Pixels) -> None:
            origin = read.over(scale)
            here = Area(area.x0 + origin.x0, area.y0 + origin.y0, area.x1 + origin.x0, area.y1 + origin.y0)
            whole = here.times(scale).intersection(self._tiling.whole)
            if scale == 1:
                whole = whole.intersection(read)
            shown = colors
            for index in self._tiling.touching(whole):
                if any(self._streams[index]):
                    shown = self._laid(index, here, scale, shown)
            put(area, shown)

        return put_exact

    def _laid(self, index: int, here: Area, scale: int, colors: Pixels) -> Pixels:
        """Return colours of the area `here` of the draft with the layer of one tile over them, grey if they are grey."""
        tile = self._tiling.tile(index)
        laid = colors.copy()
        for number, area in enumerate(vp8l.parts(*tile.shape)):
            part = Area(area.x0 + tile.x0, area.y0 + tile.y0, area.x1 + tile.x0, area.y1 + tile.y0).over(scale)
            if part.meets(here):
                both = part.intersection(here)
                exact = self._part(index, number, again=both != part)
                _lay(laid[both.within(here).slices][:, :, :3], exact, both.within(part), scale)
        return laid

    def _part(self, index: int, number: int, *, again: bool) -> Pixels:
        """Return the pixels (h, w, 4) of one part of a tile. again: it will be asked for again, and is one of those that are kept."""
        streams, shape = self._streams[index], self._tiling.tile(index).shape
        if not again:
            return vp8l.read_part(streams, shape, number)
        with self._keeping:
            found = self._kept.pop((index, number), None)
            if found is None:
                while len(self._kept) >= _KEPT:
                    del self._kept[next(iter(self._kept))]
                found = vp8l.read_part(streams, shape, number)
            self._kept[index, number] = found
        return found


def _lay(beneath: Pixels, exact: Pixels, inside: Area, scale: int) -> None:
    """Lay the area `inside` of the draft of exact pixels (h, w, 4) over colours, in place."""
    cover, exact = exact[:, :, 3], exact[:, :, : beneath.shape[2]]
    if scale == 1:
        beneath[:] = blended(beneath, exact[inside.slices], cover[inside.slices])
        return
    shares = cover / np.float32(255)
    share = _means(shares, scale)[inside.slices][:, :, None]
    sums = np.stack([_means(shares * plane, scale) for plane in np.moveaxis(exact, 2, 0)], 2)
    beneath[:] = np.rint(sums[inside.slices] + (1 - share) * beneath).astype(np.uint8)


def _means(plane: npt.NDArray[np.generic], scale: int) -> npt.NDArray[np.float32]:
    """Return the mean of every square of a plane (h, w, ...), of `scale` pixels a side or fewer at the right and bottom edge."""
    total: npt.NDArray[np.float32] = squares.sums(plane, scale)
    areas: npt.NDArray[np.float32] = squares.counts(plane.shape, scale).astype(np.float32)
    return total / areas
