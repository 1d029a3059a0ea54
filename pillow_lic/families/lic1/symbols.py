"""The symbols of one tile <-> its payload: parse first, compute afterwards (DESIGN 3.1).

    write:  z_hat, chosen symbols ──tables──▶ rANS stream
    read:   z_hat ──▶ features ──▶ indexes of pass 0 ──▶ values of pass 0 ──▶ magnitudes ──▶ indexes of pass 1 ──▶ ...

Only integers decide. A 16-bit check of the values tells a decoder that read other symbols than were written (desync)
from a file whose bytes were damaged, which the checksum of the section finds.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from ...engine import entropy
from ...engine.models import ModelSpec
from ...errors import LicDamagedError, LicDesyncError, LicRuntimeError
from ...fileformat import container
from . import passes, quantiser, scales
from .quantiser import Chosen

Floats = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.uint16]
Values = npt.NDArray[np.int32]
Take = Callable[[Indexes], Values]

DESYNC = "{}, though the tile's checksum holds: a desync, probably no fault of the file; please report it"

STRIDE = 16
"""Pixels of one latent, each way."""
Z_MAX = 127
"""Largest magnitude of a hyper-latent."""
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


@cache
def tables(spec: ModelSpec) -> entropy.Tables:
    """The stored tables of a model: u16 count, then i16 lowest symbol and u16 size of each, then all frequencies, u16."""
    data = spec.read("tables")
    count = int.from_bytes(data[:2], "little")
    heads = np.frombuffer(data, np.dtype([("low", "<i2"), ("size", "<u2")]), count, 2)
    frequencies = np.frombuffer(data, "<u2", offset=2 + 4 * count)
    low, sizes = heads["low"].astype(np.int16), heads["size"].astype(np.uint16)
    return entropy.Tables(low, sizes, frequencies.astype(np.uint16))


def _check(z_hat: Floats, values: Sequence[Values]) -> int:
    value = zlib.crc32(z_hat.astype("<i4").tobytes())
    for part in values:
        value = zlib.crc32(part.astype("<i4", copy=False).tobytes(), value)
    return value & 0xFFFF


def write(spec: ModelSpec, z_hat: Floats, chosen: Sequence[Chosen], level: int) -> bytes:
    """z_hat (Z, h/4, w/4) integers as float32, what was chosen for every pass, and the picture's level -> tile payload.

    LicRuntimeError when z_hat is no numbers.
    """
    if not np.abs(z_hat).max() <= Z_MAX:
        msg = f"the networks gave hyper-latents up to {np.abs(z_hat).max():g}, {Z_MAX} is the most: the engine failed"
        raise LicRuntimeError(msg)
    hyper = z_hat.astype(np.int16).ravel()
    numbers = np.concatenate([scales.z_indexes(level, z_hat.shape), *(part.tables for part in chosen)])
    lanes, stream = entropy.encode(tables(spec), np.concatenate([hyper, *(part.symbols for part in chosen)]), numbers)
    return container.pack_tile(lanes, _check(z_hat, [part.values for part in chosen]), stream)


def read(spec: ModelSpec, payload: memoryview | bytes, level: int, field: Floats, grid: Grid) -> tuple[Floats, Floats]:
    """Tile payload whose checksum was right -> z_hat as given to `write`, and v (M, h, w): the residuals in steps.

    LicDamagedError when the stream breaks before anything computed decides what is read, LicDesyncError after that or when
    the symbols are others than those written.
    """
    tile = container.unpack_tile(payload)
    decoder = entropy.Decoder(tables(spec), tile.stream, tile.lanes)
    z_hat = _read_hyper(spec, decoder, level, grid)
    parts: list[Values] = []

    def take(indexes: Indexes) -> Values:
        parts.append(_next(spec, decoder, indexes))
        return parts[-1]

    try:
        v = _read_residuals(spec, take, z_hat, field, grid)
        decoder.finish()
    except LicDamagedError as error:
        raise LicDesyncError(DESYNC.format(f"{error}")) from error
    if _check(z_hat, parts) != tile.check:
        raise LicDesyncError(DESYNC.format("the symbols are not those that were written"))
    return z_hat, v


def read_cut(
    spec: ModelSpec, payload: memoryview | bytes, level: int, field: Floats, grid: Grid
) -> tuple[Floats, Floats]:
    """The beginning of a tile payload -> z_hat, and v as far as it goes, then 0: the picture as predicted from that much.

    Earlier passes lie all over the tile, so what is missing is detail everywhere, not places. LicDamagedError when not even
    z_hat is there whole.
    """
    tile = container.unpack_tile(payload)
    decoder = entropy.Decoder(tables(spec), tile.stream, tile.lanes)
    ended = False

    def take(indexes: Indexes) -> Values:
        nonlocal ended
        found = np.zeros(indexes.shape, np.int32)
        for start in range(0, indexes.size, CUT_STEP):
            some = slice(start, start + CUT_STEP)
            try:
                if not ended:
                    found[some] = _next(spec, decoder, indexes[some])
            except LicDamagedError:
                ended = True
        return found

    z_hat = _read_hyper(spec, decoder, level, grid)
    return z_hat, _read_residuals(spec, take, z_hat, field, grid)


def _read_hyper(spec: ModelSpec, decoder: entropy.Decoder, level: int, grid: Grid) -> Floats:
    shape = (spec.hyper_latents, *grid.hyper)
    return decoder.decode(scales.z_indexes(level, shape)).astype(np.float32).reshape(shape)


def _next(spec: ModelSpec, decoder: entropy.Decoder, indexes: Indexes) -> Values:
    return decoder.decode_dependent(indexes, quantiser.FIRST, quantiser.offset(tables(spec)))


def _read_residuals(spec: ModelSpec, take: Take, z_hat: Floats, field: Floats, grid: Grid) -> Floats:
    """V (M, h, w), pass by pass; `take` gives the next values for their scale indexes."""
    features = scales.features(spec, z_hat)
    v, magnitudes = (np.zeros((spec.latents, *grid.shape), np.float32) for _ in range(2))
    for t in range(passes.PASSES):
        values = take(scales.indexes(spec, t, features, magnitudes, field, grid.inside))
        passes.scatter(v, t, grid.inside, quantiser.steps(values))
        passes.scatter(magnitudes, t, grid.inside, quantiser.magnitudes(values))
    return v
