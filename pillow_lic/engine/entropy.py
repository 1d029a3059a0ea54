"""Symbols and scale indexes <-> the bytes of a stream, through the native range coder.

    symbols int16[n], indexes uint16[n]  --encode-->  Stream(lanes, data)
    Stream, indexes of pass 1            --decode-->  symbols of pass 1, from which the indexes of pass 2 follow, ...

The tables are stored integers; nothing here computes a probability.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._native import HALF_STEP, LARGEST_RESIDUAL, STEP, StreamError, Tables, quantise
from .._native import Decoder as _NativeDecoder
from .._native import encode as _encode
from ..errors import LicDamagedError

__all__ = [
    "HALF_STEP",
    "LARGEST_RESIDUAL",
    "STEP",
    "Decoder",
    "Stream",
    "Tables",
    "choose_lanes",
    "encode",
    "quantise",
]


class Stream(NamedTuple):
    """One run of the coder; `lanes` (1, 2, 4 or 8) must be stored beside the data."""

    lanes: int
    data: bytes


def choose_lanes(n_symbols: int, estimated_bytes: float) -> int:
    """Return the number of interleaved states for a stream: more are faster, but each costs 3 to 4 bytes.

    The first lane is free, the others may cost 0.1 % of the stream: 4 * (lanes - 1) <= estimated_bytes / 1000.
    """
    lanes = 8
    while lanes > 1 and (4000 * (lanes - 1) > estimated_bytes or lanes > n_symbols):
        lanes //= 2
    return lanes


def encode(tables: Tables, symbols: NDArray[np.int16], indexes: NDArray[np.uint16]) -> Stream:
    """Code `symbols` (int16, any shape, read in C order) with table `indexes` (uint16, same size).

    Raises ValueError if an index is not below `tables.count` or the sizes differ, TypeError for another dtype.
    """
    symbols, indexes = np.ravel(symbols), np.ravel(indexes)
    lanes = choose_lanes(symbols.size, tables.cost(symbols, indexes) / 8)
    return Stream(lanes, _encode(tables, symbols, indexes, lanes))


class Decoder:
    """Reads the symbols of one stream, pass by pass."""

    def __init__(self, tables: Tables, data: bytes | memoryview, lanes: int) -> None:
        try:
            self._native = _NativeDecoder(tables, data, lanes)
        except StreamError as error:
            raise _damaged(error) from error

    def decode(self, indexes: NDArray[np.uint16]) -> NDArray[np.int16]:
        """Return the next symbols, int16 of the shape of `indexes` (uint16, read in C order).

        Raises LicDamagedError if the stream ends early or cannot have been written with these indexes; ValueError
        if an index is not below the number of tables.
        """
        try:
            return self._native.decode(np.ravel(indexes)).reshape(indexes.shape)
        except StreamError as error:
            raise _damaged(error) from error

    def decode_dependent(self, indexes: NDArray[np.uint16], first: int, offset: int) -> NDArray[np.int32]:
        """Return the values of the next symbols, int32 of the shape of `indexes`, of which those from `first` on depend on each other.

        The table of such an index for the other quantiser is `offset` further. Errors as of `decode`.
        """
        try:
            return self._native.decode_dependent(np.ravel(indexes), first, offset).reshape(indexes.shape)
        except StreamError as error:
            raise _damaged(error) from error

    def finish(self) -> None:
        """Raise LicDamagedError unless the stream ends exactly here."""
        try:
            self._native.finish()
        except StreamError as error:
            raise _damaged(error) from error


def _damaged(error: StreamError) -> LicDamagedError:
    return LicDamagedError(f"the coded symbols are damaged: {error}")
