"""The entropy coders, and the trellis search for the symbols that they code."""

import numpy as np
from typing_extensions import Buffer

from ._arrays import Float32s, Int8s, Int16s, Int32s, Row, Uint8s, Uint16s

STEP: int
HALF_STEP: int
"""Values are in twentieths of a step of the networks; where symbols depend on each other, two half steps are 1.3 of those."""
LARGEST_RESIDUAL: int
"""Steps that a latent may be away from its mean."""

class StreamError(ValueError):
    """The bytes are not what `encode` writes for these tables and indexes: damaged, truncated or desynchronised."""

class Tables:
    """T frequency tables, checked and laid out for both directions. Immutable; threads may share one.

    Table t codes the int16 values lo[t] .. lo[t] + sizes[t] - 2; its last symbol is the escape for all others.
    ValueError unless each table has 2 or more symbols, all frequencies >= 1, and a sum of 65536.
    """

    def __init__(self, lo: Int16s, sizes: Uint16s, frequencies: Uint16s) -> None:
        """Take int16[T], uint16[T] and the frequencies of all tables one after the other, uint16[sum of sizes]."""

    @property
    def count(self) -> int:
        """T, 1 to 65536."""

    def cost(self, symbols: Int16s, indexes: Uint16s) -> float:
        """Ideal length of a stream in bits: sum of -log2(frequency / 65536), escapes included.

        ValueError if an index is not below `count` or the lengths differ.
        """

def encode(tables: Tables, symbols: Int16s, indexes: Uint16s, lanes: int) -> bytes:
    """Code symbols[k] with table indexes[k], on `lanes` (1, 2, 4 or 8) interleaved states of 4 bytes each.

    ValueError if an index is not below `tables.count`, the lengths differ, or `lanes` is another number.
    """

class Decoder:
    """Reads one stream from its first symbol on. Threads may share one, but their calls come in no promised order."""

    def __init__(self, tables: Tables, data: Buffer | Uint8s, lanes: int) -> None:
        """Copy `data`: bytes or any contiguous buffer of them.

        StreamError if `data` cannot begin a stream with `lanes` lanes, ValueError if `lanes` is not 1, 2, 4 or 8.
        """

    def decode(self, indexes: Uint16s) -> Row[np.int16]:
        """Decode the next len(indexes) symbols, int16[n].

        StreamError if the stream ends early or holds an impossible escape, ValueError if an index is not below the
        number of tables. After either, every further call raises StreamError.
        """

    def decode_dependent(self, indexes: Uint16s, first: int, offset: int) -> Row[np.int32]:
        """Decode the next len(indexes) symbols as a `Way` gave them, and return their values in twentieths of a step.

        The state goes on from call to call. Errors as of `decode`.
        """

    def finish(self) -> None:
        """Raise StreamError unless every byte is read and every state is back at 2**24."""

class Way:
    """The choice of symbols for residuals in steps: the cheapest path in bits and `weight` times squared error (native/trellis.hpp).

    Indexes from `first` on take part in dependent quantisation; their second table is `offset` further. state: 0-127, before the first
    symbol. ValueError if an index has no table, a residual is not within LARGEST_RESIDUAL, the lengths differ or the state is another number.
    """

    PARTS: int
    def __init__(
        self,
        tables: Tables,
        residuals: Float32s,
        indexes: Uint16s,
        first: int,
        offset: int,
        weight: float,
        state: int,
    ) -> None: ...
    def search(self, first: int, last: int) -> None:
        """Search the parts first to last - 1, of PARTS, of which several threads may do each some; ValueError for others."""

    def finish(self) -> tuple[Row[np.int16], Row[np.uint16], Row[np.int32], int]:
        """Return the symbols, their tables, their values in twentieths of a step and the state after them.

        ValueError unless every part was searched once, and for a second time.
        """

def scatter_magnitudes(
    out: Uint8s, places: tuple[int, int, int, int], inside: tuple[int, int], values: Int32s, most: int
) -> None:
    """Write the magnitudes of the values of a pass, int32[n] in twentieths of a step, to latents uint8[M, h, w] (native/passes.hpp).

    They are in steps, rounded half up, at most `most`, 0-255. places: of each quarter of the channels, 2 * (row % 2) + column % 2; inside: rows
    and columns of the latents that are coded. ValueError for other numbers or shapes.
    """

def scatter_sums(
    out: Float32s, places: tuple[int, int, int, int], inside: tuple[int, int], values: Int32s, means: Float32s
) -> None:
    """Write the sums of the values of a pass, as `scatter_magnitudes` takes them, and their means, in steps, to latents float32[M, h, w].

    means: float32[M, ceil(h / 2), ceil(w / 2)], of the place of each cell that is coded.
    """

def symbol_bits(symbols: Int8s, tops: Uint8s, end: int) -> tuple[Row[np.uint8], Row[np.uint16]]:
    """Return the bits of the planes of symbols int8[channels, rows, columns], -31 to 31, and their contexts (native/bitplanes.hpp).

    tops: uint8[channels], planes of each channel, 0 to 5. end: how many pairs of a plane and a channel are coded. They are those of
    step 3 of FORMAT.md 14.13, in its order. ValueError for a top, or other sizes.
    """

class SignPredictor:
    """An integer network that picks a probability for each sign of planes by those before it (native/predictor.hpp, FORMAT 14.15)."""

    def __init__(self, numbers: Int32s, planes: int) -> None:
        """numbers: `numbers_of(planes)`, biases, shifts, weights. ValueError for others, or if a sum could leave 24 bits."""

    @staticmethod
    def numbers_of(planes: int) -> int:
        """How many numbers the network of so many planes has."""

    def bits(self, signs: Int8s, counts: Uint8s, each: int) -> tuple[Row[np.uint8], Row[np.uint16]]:
        """Return the bits of signs int8[planes, rows, columns], 1 where positive, and their contexts, 512 to 575, in coding order.

        counts: uint8[rows, columns], steps of `each` planes that a place has signs of. ValueError for other sizes.
        """

class BitEncoder:
    """Takes bits call by call, then gives their stream (native/bits.hpp). Threads may share one, in no promised order.

    Each of C contexts begins at its start value: the probability of a 1 in 65536ths.
    """

    def __init__(self, starts: Uint16s) -> None:
        """Copy uint16[C]; ValueError unless C is 1 to 4096."""

    def write(self, bits: Uint8s, contexts: Uint16s) -> None:
        """Take bits[k], 0 or 1, in contexts[k].

        ValueError for another bit, a context that is not below C, or other lengths; some of the bits may then be taken.
        """

    def write_planes(self, bits: Uint8s, classes: Uint8s, mask: Uint8s | None) -> None:
        """Take the bits of planes, uint8[planes, channels, rows, columns] of 0 or 1, in the contexts of FORMAT 7.4.

        classes: uint8[planes, channels]; class c needs 512 * (c + 1) contexts. mask: of the shape of the bits, 0 where they
        are 0 and not coded. ValueError where this does not hold; nothing is then taken.
        """

    def cost(self) -> float:
        """Ideal length in bits of what was taken: sum of -log2(frequency / 65536)."""

    def stream(self) -> bytes:
        """Return the stream of all that was taken so far: the state, 4 bytes, then the others."""

class BitDecoder:
    """Reads one stream from its first bit on. Threads may share one, but their calls come in no promised order.

    After an error every further call raises StreamError.
    """

    def __init__(self, starts: Uint16s, data: Buffer | Uint8s, cut: bool) -> None:
        """Copy `starts`, as `BitEncoder` has them, and `data`. With `cut` the stream may end anywhere.

        StreamError if `data` cannot begin a stream, ValueError unless there are 1 to 4096 contexts.
        """

    def read(self, contexts: Uint16s, bits: Uint8s) -> int:
        """Decode len(contexts) bits into `bits`, of the same length, and return how many there were before the cut.

        StreamError if the stream ends early and is not `cut`, ValueError if a context is not below C or the lengths differ.
        """

    def read_planes(self, bits: Uint8s, classes: Uint8s, mask: Uint8s | None) -> int:
        """Decode the bits of planes into `bits`, which must be 0, and return how many there were before the cut.

        Shapes as of `BitEncoder.write_planes`; only bits in the mask count. Errors as of `read`, ValueError for a shape or a class.
        """

    def read_symbols(self, symbols: Int8s, tops: Uint8s, end: int, unknown: Uint8s) -> Row[np.uint8]:
        """Decode the planes of symbols into int8[channels, rows, columns] as far as they go, and return the bits that there were.

        tops and end as of `symbol_bits`. unknown: uint8[channels, 2] that gets, for each channel and half of a chequerboard, how many
        of the lowest planes were not there. Errors as of `read`, ValueError for a shape or a top.
        """

    def read_signs(self, predictor: SignPredictor, signs: Int8s, counts: Uint8s, each: int) -> Row[np.uint8]:
        """Decode the signs of planes into int8[planes, rows, columns], -1 and 1, 0 where there is none, and return their bits in order.

        counts and each as of `SignPredictor.bits`. Errors as of `read`, ValueError for other sizes.
        """

    def finish(self) -> None:
        """Raise StreamError unless every byte is read and the state is back at 2**24."""
