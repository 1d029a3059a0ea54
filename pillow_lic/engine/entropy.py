"""Symbols and table indexes <-> the bytes of a stream, through the native range coder.

    symbols int16[n], indexes uint16[n]  --encode-->  stream
    stream, indexes int16[n]             --decode-->  symbols, all at once, or pass by pass with `Decoder`

A stream begins with three bytes: the number of interleaved states (lanes), and a 16-bit check of the symbols. If the check fails although
the checksum of the section holds, the decoder has read other symbols than were written (a desync); the bytes are not damaged. The tables
are stored integers; nothing here computes a probability.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._native import HALF_STEP, LARGEST_RESIDUAL, STEP, StreamError, Tables, Way
from .._native import Decoder as _NativeDecoder
from .._native import encode as _encode
from .._native import scatter_magnitudes as _scatter_magnitudes
from .._native import scatter_sums as _scatter_sums
from ..errors import LicDamagedError, LicDesyncError, LicUnsupportedError
from .ending import at_work

__all__ = [
    "HALF_STEP",
    "LARGEST_RESIDUAL",
    "STEP",
    "Decoder",
    "Prefix",
    "Tables",
    "Way",
    "check_of",
    "choose_lanes",
    "decode",
    "encode",
    "parse_prefix",
    "scatter_magnitudes",
    "scatter_sums",
    "stored_bits",
    "stored_tables",
]

Symbols = npt.NDArray[np.int16]
Indexes = npt.NDArray[np.uint16]
Values = npt.NDArray[np.int32]

scatter_magnitudes = at_work(_scatter_magnitudes)
scatter_sums = at_work(_scatter_sums)

LANES = (1, 2, 4, 8)
DESYNC = "{}, though the tile's checksum holds: a desync, probably no fault of the file; please report it"


class Prefix(NamedTuple):
    """The beginning of a stream: `lanes` in {1, 2, 4, 8}, `check` 0..65535, and the coded bytes after them."""

    lanes: int
    check: int
    coded: memoryview


def parse_prefix(stream: bytes | memoryview) -> Prefix:
    """Take a stream apart; the coded bytes are a view into it. Raises LicUnsupportedError or LicDamagedError."""
    view = memoryview(stream)
    if len(view) and view[0] >= len(LANES):
        msg = f"tile has reserved bits set (first byte 0x{view[0]:02x}): written by a later release"
        raise LicUnsupportedError(msg)
    lanes = LANES[view[0]] if len(view) else 1
    if len(view) < 3 + 4 * lanes:
        msg = f"tile payload must have at least {3 + 4 * lanes} bytes for {lanes} lanes, got {len(view)}"
        raise LicDamagedError(msg)
    return Prefix(lanes, int.from_bytes(view[1:3], "little"), view[3:])


def check_of(*parts: npt.NDArray[Any]) -> int:
    """Return the 16-bit check of arrays of whole numbers: the low half of the CRC-32 of them as int32, one after another."""
    value = 0
    for part in parts:
        value = zlib.crc32(np.ascontiguousarray(part, "<i4").data, value)
    return value & 0xFFFF


def stored_tables(data: bytes) -> Tables:
    """Return tables as a model stores them: u16 count, then i16 lowest symbol and u16 size of each, then all frequencies, u16."""
    count = int.from_bytes(data[:2], "little")
    heads = np.frombuffer(data, np.dtype([("low", "<i2"), ("size", "<u2")]), count, 2)
    frequencies = np.frombuffer(data, "<u2", offset=2 + 4 * count)
    low, sizes = heads["low"].astype(np.int16), heads["size"].astype(np.uint16)
    return Tables(low, sizes, frequencies.astype(np.uint16))


def stored_bits(data: bytes, largest: int) -> npt.NDArray[np.float32]:
    """Return what each symbol -largest..largest costs in bits by each of the tables that a model stores, (count, 2 largest + 1)."""
    count = int.from_bytes(data[:2], "little")
    heads = np.frombuffer(data, np.dtype([("low", "<i2"), ("size", "<u2")]), count, 2)
    frequencies = np.frombuffer(data, "<u2", offset=2 + 4 * count)
    bits = np.empty((count, 2 * largest + 1), np.float32)
    ends = np.cumsum(heads["size"], dtype=np.int64)
    for row, low, size, end in zip(bits, heads["low"].astype(int), heads["size"].astype(int), ends, strict=True):
        own = 16 - np.log2(frequencies[end - size : end])
        symbols = np.arange(-largest, largest + 1)
        below, above = low - symbols, symbols - (low + size - 2)
        escaped = own[-1] + 5 + np.floor(np.log2(np.maximum(np.maximum(2 * below, 2 * above - 1), 1)))
        row[:] = np.where((below > 0) | (above > 0), escaped, own[np.clip(symbols - low, 0, size - 2)])
    return bits


def choose_lanes(n_symbols: int, estimated_bytes: float) -> int:
    """Return the number of interleaved states for a stream: more are faster, but each costs 3 to 4 bytes.

    The first lane is free, the others may cost 0.1 % of the stream: 4 * (lanes - 1) <= estimated_bytes / 1000.
    """
    lanes = 8
    while lanes > 1 and (4000 * (lanes - 1) > estimated_bytes or lanes > n_symbols):
        lanes //= 2
    return lanes


def encode(tables: Tables, symbols: Symbols, indexes: Indexes, check: int | None = None) -> bytes:
    """Return the stream of `symbols` (any shape, read in C order), coded with the tables `indexes` (of the same size).

    check: the 16 bits that a decoder will compare, by default `check_of` the symbols. ValueError if an index is not below
    `tables.count` or the sizes differ, TypeError for another dtype.
    """
    symbols, indexes = np.ravel(symbols), np.ravel(indexes)
    with at_work:
        lanes = choose_lanes(symbols.size, tables.cost(symbols, indexes) / 8)
        coded = _encode(tables, symbols, indexes, lanes)
    check = check_of(symbols) if check is None else check
    return bytes([LANES.index(lanes)]) + check.to_bytes(2, "little") + coded


def decode(tables: Tables, stream: bytes | memoryview, indexes: Indexes) -> Symbols:
    """Return the symbols of a whole stream, int16 of the shape of `indexes`.

    LicDamagedError when the stream breaks, LicDesyncError when the symbols are others than those written.
    """
    decoder = Decoder(tables, stream)
    symbols = decoder.decode(indexes)
    decoder.finish(symbols)
    return symbols


class Decoder:
    """Reads the symbols of one stream, pass by pass; errors of its prefix as `parse_prefix`."""

    def __init__(self, tables: Tables, stream: bytes | memoryview) -> None:
        lanes, self._check, coded = parse_prefix(stream)
        try:
            self._native = _NativeDecoder(tables, coded, lanes)
        except StreamError as error:
            raise _damaged(error) from error

    def decode(self, indexes: Indexes) -> Symbols:
        """Return the next symbols, int16 of the shape of `indexes` (uint16, read in C order).

        Raises LicDamagedError if the stream ends early or cannot have been written with these indexes; ValueError
        if an index is not below the number of tables.
        """
        try:
            with at_work:
                return self._native.decode(np.ravel(indexes)).reshape(indexes.shape)
        except StreamError as error:
            raise _damaged(error) from error

    def decode_dependent(self, indexes: Indexes, first: int, offset: int) -> Values:
        """Return the values of the next symbols, int32 of the shape of `indexes`, of which those from `first` on depend on each other.

        The table of such an index for the other quantiser is `offset` further. Errors as of `decode`.
        """
        try:
            with at_work:
                return self._native.decode_dependent(np.ravel(indexes), first, offset).reshape(indexes.shape)
        except StreamError as error:
            raise _damaged(error) from error

    def finish(self, *read: npt.NDArray[Any]) -> None:
        """Raise LicDamagedError unless the stream ends exactly here, LicDesyncError unless `read` has the check of what was written."""
        try:
            self._native.finish()
        except StreamError as error:
            raise _damaged(error) from error
        self.compare(*read)

    def compare(self, *read: npt.NDArray[Any]) -> None:
        """Raise LicDesyncError unless `read` has the check of what was written; the stream may go on."""
        if check_of(*read) != self._check:
            raise LicDesyncError(DESYNC.format("the symbols are not those that were written"))


def _damaged(error: StreamError) -> LicDamagedError:
    return LicDamagedError(f"the coded symbols are damaged: {error}")
