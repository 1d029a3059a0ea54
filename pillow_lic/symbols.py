"""The symbols of one tile <-> its payload: parse first, compute afterwards (DESIGN 3.1).

    write:  z_hat, r  ──tables, scale indexes──▶ rANS stream
    read:   z_hat ──▶ features ──▶ indexes of pass 0 ──▶ r of pass 0 ──▶ |r| ──▶ indexes of pass 1 ──▶ ... ──▶ r

Only integers take part. A 16-bit check of the symbols tells a decoder that read other symbols than were written (desync)
from a file whose bytes were damaged, which the checksum of the section finds.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from . import container, entropy, passes, scales
from .errors import LicDamagedError, LicDesyncError, LicRuntimeError
from .models import ModelSpec

Floats = npt.NDArray[np.float32]
Symbols = npt.NDArray[np.int16]
Indexes = npt.NDArray[np.uint8]
Take = Callable[[npt.NDArray[np.uint16]], Symbols]

DESYNC = "{}, though the tile's checksum holds: a desync, probably no fault of the file; please report it"

STRIDE = 16
"""Pixels of one latent, each way."""
CUT_STEP = 256
"""Symbols of a cut stream that are read at once: fewer than that are lost at its end."""


@dataclass(frozen=True)
class Grid:
    """The latents of one tile: `inside` of them (rows, columns) hold pixels, `shape` is that rounded up to multiples of 4."""

    inside: tuple[int, int]

    @classmethod
    def of(cls, height: int, width: int) -> Grid:
        """The grid of a tile of so many pixels."""
        return cls((-(-height // STRIDE), -(-width // STRIDE)))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the latents."""
        return (-(-self.inside[0] // 4) * 4, -(-self.inside[1] // 4) * 4)

    @property
    def hyper(self) -> tuple[int, int]:
        """Shape of z_hat."""
        return (self.shape[0] // 4, self.shape[1] // 4)

    @property
    def cells(self) -> Floats:
        """(4, h, w): which place of its 2x2 cell a latent inside the picture has, one-hot."""
        return passes.cells(self.shape, self.inside)


@cache
def tables(spec: ModelSpec) -> entropy.Tables:
    """The stored tables of a model: u16 count, then i16 lowest symbol and u16 size of each, then all frequencies, u16."""
    data = spec.read("tables")
    count = int.from_bytes(data[:2], "little")
    heads = np.frombuffer(data, np.dtype([("low", "<i2"), ("size", "<u2")]), count, 2)
    frequencies = np.frombuffer(data, "<u2", offset=2 + 4 * count)
    low, sizes = heads["low"].astype(np.int16), heads["size"].astype(np.uint16)
    return entropy.Tables(low, sizes, frequencies.astype(np.uint16))


def _check(parts: list[Symbols]) -> int:
    value = 0
    for part in parts:
        value = zlib.crc32(part.astype("<i2", copy=False).tobytes(), value)
    return value & 0xFFFF


def _magnitudes(r: npt.NDArray[Any]) -> npt.NDArray[Any]:
    magnitudes: npt.NDArray[Any] = np.abs(r.clip(-scales.MAGNITUDE_MAX, scales.MAGNITUDE_MAX))
    return magnitudes


def indexes(spec: ModelSpec, z_hat: Floats, r: Floats, field: Floats, grid: Grid) -> Indexes:
    """Writer: the scale index (M, h, w) uint8 that every symbol is coded with, 0 outside the picture."""
    features = scales.features(spec, z_hat)
    magnitudes, result = np.zeros_like(r), np.zeros(r.shape, np.uint8)
    for t in range(passes.PASSES):
        index = scales.indexes(spec, t, features, magnitudes, field)
        passes.scatter(result, t, grid.inside, passes.gather(index, t, grid.inside))
        passes.scatter(magnitudes, t, grid.inside, _magnitudes(passes.gather(r, t, grid.inside)))
    return result


def _integers(values: Floats) -> Symbols:
    """Integers as float32 -> int16. LicRuntimeError for NaN and what is out of range: a cast would write another picture."""
    largest = np.abs(values).max(initial=0)
    if not largest <= 32767:
        msg = f"the networks gave symbols up to {largest:g}, 32767 is the most: the engine failed"
        raise LicRuntimeError(msg)
    return values.astype(np.int16)


def write(spec: ModelSpec, z_hat: Floats, r: Floats, index: Indexes, level: int, grid: Grid) -> bytes:
    """z_hat (Z, h/4, w/4), r (M, h, w) integers as float32, their scale indexes and the picture's level -> tile payload.

    LicRuntimeError when they are no integers of 16 bits.
    """
    parts = [_integers(z_hat).ravel()]
    chosen = [scales.z_indexes(level, spec.scales, z_hat.shape)]
    for t in range(passes.PASSES):
        parts.append(_integers(passes.gather(r, t, grid.inside)))
        chosen.append(passes.gather(index, t, grid.inside, np.uint16))
    lanes, stream = entropy.encode(tables(spec), np.concatenate(parts), np.concatenate(chosen))
    return container.pack_tile(lanes, _check(parts), stream)


def read(spec: ModelSpec, payload: memoryview | bytes, level: int, field: Floats, grid: Grid) -> tuple[Floats, Floats]:
    """Tile payload whose checksum was right -> z_hat and r as given to `write`.

    LicDamagedError when the stream breaks before anything computed decides what is read, LicDesyncError after that or when
    the symbols are others than those written.
    """
    tile = container.unpack_tile(payload)
    decoder = entropy.Decoder(tables(spec), tile.stream, tile.lanes)
    parts: list[Symbols] = []

    def take(index: npt.NDArray[np.uint16]) -> Symbols:
        parts.append(decoder.decode(index))
        return parts[-1]

    z_hat = _read_hyper(spec, take, level, grid)
    try:
        r = _read_residuals(spec, take, z_hat, field, grid)
        decoder.finish()
    except LicDamagedError as error:
        raise LicDesyncError(DESYNC.format(f"{error}")) from error
    if _check(parts) != tile.check:
        raise LicDesyncError(DESYNC.format("the symbols are not those that were written"))
    return z_hat, r


def read_cut(
    spec: ModelSpec, payload: memoryview | bytes, level: int, field: Floats, grid: Grid
) -> tuple[Floats, Floats]:
    """The beginning of a tile payload -> z_hat, and r as far as it goes, then 0: the picture as predicted from that much.

    Earlier passes lie all over the tile, so what is missing is detail everywhere, not places. LicDamagedError when not even
    z_hat is there whole.
    """
    tile = container.unpack_tile(payload)
    decoder = entropy.Decoder(tables(spec), tile.stream, tile.lanes)
    ended = False

    def take(index: npt.NDArray[np.uint16]) -> Symbols:
        nonlocal ended
        found = np.zeros(index.shape, np.int16)
        for start in range(0, index.size, CUT_STEP):
            some = slice(start, start + CUT_STEP)
            try:
                if not ended:
                    found[some] = decoder.decode(index[some])
            except LicDamagedError:
                ended = True
        return found

    z_hat = _read_hyper(spec, decoder.decode, level, grid)
    return z_hat, _read_residuals(spec, take, z_hat, field, grid)


def _read_hyper(spec: ModelSpec, take: Take, level: int, grid: Grid) -> Floats:
    shape = (spec.hyper_latents, *grid.hyper)
    return take(scales.z_indexes(level, spec.scales, shape)).astype(np.float32).reshape(shape)


def _read_residuals(spec: ModelSpec, take: Take, z_hat: Floats, field: Floats, grid: Grid) -> Floats:
    """R (M, h, w), pass by pass; `take` gives the next symbols for their scale indexes."""
    features = scales.features(spec, z_hat)
    r, magnitudes = (np.zeros((spec.latents, *grid.shape), np.float32) for _ in range(2))
    for t in range(passes.PASSES):
        index = scales.indexes(spec, t, features, magnitudes, field)
        found = take(passes.gather(index, t, grid.inside, np.uint16))
        passes.scatter(r, t, grid.inside, found)
        passes.scatter(magnitudes, t, grid.inside, _magnitudes(found))
    return r
