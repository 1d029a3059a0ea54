"""Interleaved rANS with fixed 16-bit tables (native/rangecoder.hpp; the stream is specified in FORMAT.md).

Arrays are one-dimensional, contiguous and of exactly the dtype named; anything else is a TypeError. Every call
releases the GIL while it works. No input makes it read or write out of bounds.
"""

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

class StreamError(ValueError):
    """The bytes are not what `encode` writes for these tables and indexes: damaged, truncated or desynchronised."""

class Tables:
    """T frequency tables, checked and laid out for both directions. Immutable; threads may share one.

    Table t codes the int16 values lo[t] .. lo[t] + sizes[t] - 2; its last symbol is the escape for all others.
    ValueError unless each table has 2 or more symbols, all frequencies >= 1, and a sum of 65536.
    """

    def __init__(self, lo: NDArray[np.int16], sizes: NDArray[np.uint16], frequencies: NDArray[np.uint16]) -> None:
        """Take int16[T], uint16[T] and the frequencies of all tables one after the other, uint16[sum of sizes]."""

    @property
    def count(self) -> int:
        """T, 1 to 65536."""

    def cost(self, symbols: NDArray[np.int16], indexes: NDArray[np.uint16]) -> float:
        """Ideal length of a stream in bits: sum of -log2(frequency / 65536), escapes included.

        ValueError if an index is not below `count` or the lengths differ.
        """

def encode(tables: Tables, symbols: NDArray[np.int16], indexes: NDArray[np.uint16], lanes: int) -> bytes:
    """Code symbols[k] with table indexes[k], on `lanes` (1, 2, 4 or 8) interleaved states of 4 bytes each.

    ValueError if an index is not below `tables.count`, the lengths differ, or `lanes` is another number.
    """

class Decoder:
    """Reads one stream from its first symbol on. Threads may share one, but their calls come in no promised order."""

    def __init__(self, tables: Tables, data: Buffer | NDArray[np.uint8], lanes: int) -> None:
        """Copy `data`: bytes or any contiguous buffer of them.

        StreamError if `data` cannot begin a stream with `lanes` lanes, ValueError if `lanes` is not 1, 2, 4 or 8.
        """

    def decode(self, indexes: NDArray[np.uint16]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        """Decode the next len(indexes) symbols, int16[n].

        StreamError if the stream ends early or holds an impossible escape, ValueError if an index is not below the
        number of tables. After either, every further call raises StreamError.
        """

    def finish(self) -> None:
        """Raise StreamError unless every byte is read and every state is back at 2**24."""
