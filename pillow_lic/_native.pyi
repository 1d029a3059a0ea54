"""What is in C++: entropy coders, the trellis search, the layers of networks, and the filter of pixels; files are specified in FORMAT.md.

Arrays are contiguous and of exactly the dtype and dimensions named, one where none are; anything else is a TypeError. Every call
releases the GIL while it works. No input makes it read or write out of bounds.
"""

from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

_Number = TypeVar("_Number", bound=np.generic)
_Row: TypeAlias = np.ndarray[tuple[int], np.dtype[_Number]]
_Int8s: TypeAlias = NDArray[np.int8]
_Uint8s: TypeAlias = NDArray[np.uint8]
_Int16s: TypeAlias = NDArray[np.int16]
_Uint16s: TypeAlias = NDArray[np.uint16]
_Int32s: TypeAlias = NDArray[np.int32]
_Int64s: TypeAlias = NDArray[np.int64]
_Float32s: TypeAlias = NDArray[np.float32]
_Box: TypeAlias = tuple[int, int, int, int]
"""Top, left, rows and columns."""

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

    def __init__(self, lo: _Int16s, sizes: _Uint16s, frequencies: _Uint16s) -> None:
        """Take int16[T], uint16[T] and the frequencies of all tables one after the other, uint16[sum of sizes]."""

    @property
    def count(self) -> int:
        """T, 1 to 65536."""

    def cost(self, symbols: _Int16s, indexes: _Uint16s) -> float:
        """Ideal length of a stream in bits: sum of -log2(frequency / 65536), escapes included.

        ValueError if an index is not below `count` or the lengths differ.
        """

def encode(tables: Tables, symbols: _Int16s, indexes: _Uint16s, lanes: int) -> bytes:
    """Code symbols[k] with table indexes[k], on `lanes` (1, 2, 4 or 8) interleaved states of 4 bytes each.

    ValueError if an index is not below `tables.count`, the lengths differ, or `lanes` is another number.
    """

class Decoder:
    """Reads one stream from its first symbol on. Threads may share one, but their calls come in no promised order."""

    def __init__(self, tables: Tables, data: Buffer | _Uint8s, lanes: int) -> None:
        """Copy `data`: bytes or any contiguous buffer of them.

        StreamError if `data` cannot begin a stream with `lanes` lanes, ValueError if `lanes` is not 1, 2, 4 or 8.
        """

    def decode(self, indexes: _Uint16s) -> _Row[np.int16]:
        """Decode the next len(indexes) symbols, int16[n].

        StreamError if the stream ends early or holds an impossible escape, ValueError if an index is not below the
        number of tables. After either, every further call raises StreamError.
        """

    def decode_dependent(self, indexes: _Uint16s, first: int, offset: int) -> _Row[np.int32]:
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
        residuals: _Float32s,
        indexes: _Uint16s,
        first: int,
        offset: int,
        weight: float,
        state: int,
    ) -> None: ...
    def search(self, first: int, last: int) -> None:
        """Search the parts first to last - 1, of PARTS, of which several threads may do each some; ValueError for others."""

    def finish(self) -> tuple[_Row[np.int16], _Row[np.uint16], _Row[np.int32], int]:
        """Return the symbols, their tables, their values in twentieths of a step and the state after them.

        ValueError unless every part was searched once, and for a second time.
        """

def scatter_magnitudes(
    out: _Uint8s, places: tuple[int, int, int, int], inside: tuple[int, int], values: _Int32s, most: int
) -> None:
    """Write the magnitudes of the values of a pass, int32[n] in twentieths of a step, to latents uint8[M, h, w] (native/passes.hpp).

    They are in steps, rounded half up, at most `most`, 0-255. places: of each quarter of the channels, 2 * (row % 2) + column % 2; inside: rows
    and columns of the latents that are coded. ValueError for other numbers or shapes.
    """

def scatter_sums(
    out: _Float32s, places: tuple[int, int, int, int], inside: tuple[int, int], values: _Int32s, means: _Float32s
) -> None:
    """Write the sums of the values of a pass, as `scatter_magnitudes` takes them, and their means, in steps, to latents float32[M, h, w].

    means: float32[M, ceil(h / 2), ceil(w / 2)], of the place of each cell that is coded.
    """

def symbol_bits(symbols: _Int8s, tops: _Uint8s, end: int) -> tuple[_Row[np.uint8], _Row[np.uint16]]:
    """Return the bits of the planes of symbols int8[channels, rows, columns], -31 to 31, and their contexts (native/bitplanes.hpp).

    tops: uint8[channels], planes of each channel, 0 to 5. end: how many pairs of a plane and a channel are coded. They are those of
    step 3 of FORMAT.md 14.13, in its order. ValueError for a top, or other sizes.
    """

class SignPredictor:
    """An integer network that picks a probability for each sign of planes by those before it (native/predictor.hpp, FORMAT 14.15)."""

    def __init__(self, numbers: _Int32s, planes: int) -> None:
        """numbers: `numbers_of(planes)`, biases, shifts, weights. ValueError for others, or if a sum could leave 24 bits."""

    @staticmethod
    def numbers_of(planes: int) -> int:
        """How many numbers the network of so many planes has."""

    def bits(self, signs: _Int8s, counts: _Uint8s, each: int) -> tuple[_Row[np.uint8], _Row[np.uint16]]:
        """Return the bits of signs int8[planes, rows, columns], 1 where positive, and their contexts, 512 to 575, in coding order.

        counts: uint8[rows, columns], steps of `each` planes that a place has signs of. ValueError for other sizes.
        """

class BitEncoder:
    """Takes bits call by call, then gives their stream (native/bits.hpp). Threads may share one, in no promised order.

    Each of C contexts begins at its start value: the probability of a 1 in 65536ths.
    """

    def __init__(self, starts: _Uint16s) -> None:
        """Copy uint16[C]; ValueError unless C is 1 to 4096."""

    def write(self, bits: _Uint8s, contexts: _Uint16s) -> None:
        """Take bits[k], 0 or 1, in contexts[k].

        ValueError for another bit, a context that is not below C, or other lengths; some of the bits may then be taken.
        """

    def write_planes(self, bits: _Uint8s, classes: _Uint8s, mask: _Uint8s | None) -> None:
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

    def __init__(self, starts: _Uint16s, data: Buffer | _Uint8s, cut: bool) -> None:
        """Copy `starts`, as `BitEncoder` has them, and `data`. With `cut` the stream may end anywhere.

        StreamError if `data` cannot begin a stream, ValueError unless there are 1 to 4096 contexts.
        """

    def read(self, contexts: _Uint16s, bits: _Uint8s) -> int:
        """Decode len(contexts) bits into `bits`, of the same length, and return how many there were before the cut.

        StreamError if the stream ends early and is not `cut`, ValueError if a context is not below C or the lengths differ.
        """

    def read_planes(self, bits: _Uint8s, classes: _Uint8s, mask: _Uint8s | None) -> int:
        """Decode the bits of planes into `bits`, which must be 0, and return how many there were before the cut.

        Shapes as of `BitEncoder.write_planes`; only bits in the mask count. Errors as of `read`, ValueError for a shape or a class.
        """

    def read_symbols(self, symbols: _Int8s, tops: _Uint8s, end: int, unknown: _Uint8s) -> _Row[np.uint8]:
        """Decode the planes of symbols into int8[channels, rows, columns] as far as they go, and return the bits that there were.

        tops and end as of `symbol_bits`. unknown: uint8[channels, 2] that gets, for each channel and half of a chequerboard, how many
        of the lowest planes were not there. Errors as of `read`, ValueError for a shape or a top.
        """

    def read_signs(self, predictor: SignPredictor, signs: _Int8s, counts: _Uint8s, each: int) -> _Row[np.uint8]:
        """Decode the signs of planes into int8[planes, rows, columns], -1 and 1, 0 where there is none, and return their bits in order.

        counts and each as of `SignPredictor.bits`. Errors as of `read`, ValueError for other sizes.
        """

    def finish(self) -> None:
        """Raise StreamError unless every byte is read and the state is back at 2**24."""

def kernels() -> list[str]:
    """Return the instruction sets for which there are kernels that this processor can run, the quickest first; the last is `plain`, C++.

    They are behind `Analysis`, `Latents`, `Scales`, `Synthesis` and `filtered`, and give the same numbers.
    """

def use_kernels(name: str) -> None:
    """Take the kernels of this name from now on, in all threads, for tests; at first they are the quickest. ValueError if there are none."""

class Analysis:
    """The network `analysis` of a model like lic1, or a smaller one, in whole numbers (native/analysis.hpp). Threads may share one."""

    def __init__(self, numbers: _Uint8s, channels: int, blocks: int, features: int, latents: int) -> None:
        """Copy a file of numbers, as native/analysis.hpp has them.

        ValueError for another length, channels, features or latents that are no multiples of 16 up to 4096, or more than 64 blocks.
        """

    @staticmethod
    def fast() -> bool:
        """Return whether it is quicker than an engine here: there are kernels for this kind of processor."""

    @property
    def features(self) -> int:
        """The features of a place of the trunk."""

    def run(self, pixels: _Uint8s, trunk: _Int16s, linear: _Float32s, first: int, last: int) -> None:
        """Write what belongs to the rows first..last of latents to the trunk (2h, 2w, F) and the linear path (h, w, M).

        Of pixels (16h, 16w, 3). The latents of a place of the linear path are in the order of native code. ValueError for arrays of other
        shapes or without places, and for rows outside them.
        """

class Latents:
    """The first part of the network `latents` of a model like lic1, in whole numbers (native/analysis.hpp). Threads may share one."""

    def __init__(self, numbers: _Uint8s, features: int, channels: int, latents: int) -> None:
        """Copy a file of numbers, as native/analysis.hpp has them; errors as of `Analysis`."""

    def run(self, trunk: _Int16s, linear: _Float32s, level: _Float32s, y: _Float32s, first: int, last: int) -> None:
        """Write the rows first..last of y (M, h, w), in steps, at levels (h, w), of what `Analysis.run` has written; errors as there."""

class HyperAnalysis:
    """The second part of the network `latents` of a model like lic1 (native/hyper_analysis.hpp). Threads may share one."""

    def __init__(self, numbers: _Uint8s, latents: int, channels: int, hyper_latents: int) -> None:
        """Copy a file of numbers, as native/hyper_analysis.hpp has them; errors as of `Analysis`."""

    @staticmethod
    def fast() -> bool:
        """Return whether it is quicker than an engine here: there are kernels for this kind of processor."""

    def run(self, y: _Float32s, hyper_latents: _Float32s, first: int, last: int) -> None:
        """Write those of hyper-latents (Z, h/4, w/4), -127..127, that belong to the rows first..last of y (M, h, w) in steps.

        h, w, first and last are multiples of 4. ValueError for arrays of other shapes or without places, and for rows outside them.
        """

class ErrorGradient:
    """The gradient of a picture's error by the latents of a model like lic1 (native/gradient.hpp). Threads may share one."""

    def __init__(self, numbers: _Uint8s, latents: int) -> None:
        """Copy a file of numbers, as native/gradient.hpp has them; errors as of `Analysis`."""

    def run(
        self, shown: _Uint8s, wanted: _Uint8s, level: _Float32s, gradient: _Float32s, first: int, last: int
    ) -> None:
        """Write the rows first..last of the gradient (M, h, w) of pixels (H, W, 3) as shown and as wanted, at levels (h, w).

        A latent has 16x16 pixels, the last ones in a row or column may have fewer. ValueError for arrays of other shapes or without
        places, and for rows outside them.
        """

class Means:
    """The networks `means_z`, `means_0` and so on of a model like lic1 (native/means.hpp). Threads may share one."""

    def __init__(self, numbers: _Uint8s, hyper_latents: int, latents: int, stages: int) -> None:
        """Copy a file of numbers of 1 to 4 stages, as native/means.hpp has them.

        ValueError for another length, hyper-latents or features that are no multiple of 16, latents of 64, or passes that code a place of a
        cell twice.
        """

    @staticmethod
    def fast() -> bool:
        """Return whether it is quicker than an engine here: there are kernels for this kind of processor."""

    @property
    def features(self) -> int:
        """The features of a place, a multiple of 16."""

    def begin(self, hyper_latents: _Float32s, level: _Float32s, features: _Float32s) -> None:
        """Write features (h, w, P) of hyper-latents (Z, h/4, w/4) at levels (h, w); h and w are multiples of 4.

        ValueError for arrays of other shapes.
        """

    def find(self, stage: int, features: _Float32s, y: _Float32s, means: _Float32s, first: int, last: int) -> None:
        """Write the means (passes * M, h/2, w/2) of a stage's passes, in steps, for features (h, w, P) and latents (M, h, w).

        Of the means those of rows first to last - 1 of h/2 are written, of the latents those of earlier stages looked at. h and w are even.
        ValueError for arrays of other shapes.
        """

    def draft(self, stage: int, features: _Float32s, y: _Float32s, means: _Float32s, first: int, last: int) -> None:
        """Write means (passes * M/4, h/2, w/2) of the first of four groups of channels, as `find`, by those of y of the first two."""

class Scales:
    """The networks `scales_z` to `scales_2` of a model like lic2, the same to the last bit (native/scales.hpp). Threads may share one."""

    FEATURES: int
    """The features of a place."""

    def __init__(self, numbers: _Uint8s, stages: int) -> None:
        """Copy a file of numbers of 1 to 4 stages, as native/scales.hpp has them.

        ValueError for another length, or passes that code a place of a cell twice.
        """

    def begin(self, hyper_latents: _Float32s, features: _Float32s) -> None:
        """Write features (80, 4h, 4w), 0..255, of hyper-latents (64, h, w), whole numbers, cut to -127..127.

        ValueError for arrays of other shapes or without places.
        """

    @staticmethod
    def fast() -> bool:
        """Return whether it is quicker than an engine here: there are kernels for this kind of processor."""

    def find(
        self,
        stage: int,
        features: _Float32s,
        level: _Float32s,
        magnitudes: _Uint8s | None,
        index: _Uint8s,
        first: int,
        last: int,
    ) -> None:
        """Write rows first to last - 1 of the index (384 passes, h/2, w/2) of a stage's passes, 0..63.

        Of features (80, h, w) 0..255, levels (h, w) and, but in the first stage, magnitudes (384, h, w) 0..8, whole numbers all, of which
        those of earlier stages are looked at; h and w are even. ValueError for arrays of other shapes.
        """

class Synthesis:
    """The network `synthesis` of a model with lic2's trunk, in whole numbers (native/synthesis.hpp). Threads may share one."""

    def __init__(self, numbers: _Uint8s) -> None:
        """Copy a file of numbers, uint8[1176384], as native/synthesis.hpp has them. ValueError for another length."""

    @staticmethod
    def fast() -> bool:
        """Return whether it is quicker than an engine here: there are kernels for this kind of processor."""

    def draw(self, latents: _Float32s, level: _Float32s, picture: _Float32s, context: _Float32s) -> None:
        """Write picture (12, 8h, 8w) and context (16, 2h, 2w) of latents (384, h, w) in steps at levels (h, w).

        ValueError for arrays of other shapes or without places.
        """

    def paint(self, detail: Detail, latents: _Float32s, level: _Float32s, inside: _Box, out: _Uint16s) -> None:
        """Write what `Detail.draw` writes of a picture and a context that `draw` writes, without these."""

class Detail:
    """The network `detail` of a model with layers of 16 features, and `spread` after it (native/detail.hpp). Threads may share one."""

    def __init__(self, numbers: _Float32s) -> None:
        """Copy float32[4277]: log of the expected error at 9 anchors of the level; weights and biases of three layers.

        Those are (16, 12, 3, 3), (16,), (16, 16, 3, 3), (16,), (12, 16), (12,). ValueError for another length.
        """

    @staticmethod
    def fast() -> bool:
        """Return whether the processor has what makes it quicker than an engine; `draw` is an error where not."""

    def draw(self, picture: _Float32s, context: _Float32s, level: _Float32s, inside: _Box, out: _Uint16s) -> None:
        """Write the colours of the latents `inside`, in sixteenths 0..4080, to `out`.

        picture float32[12, 8h, 8w], context float32[16, 2h, 2w], level float32[h, w]; out uint16[16 rows, 16 columns, 3], whose
        rows may lie apart. What is not a number becomes 0. ValueError for other shapes, or a part that is not inside.
        """

class Draft:
    """A network `draft_2`, `draft_4` or `draft_8` of a model like lic1, in whole numbers (native/draft.hpp). Threads may share one."""

    def __init__(self, numbers: _Uint8s, latents: int, near: int, side: int) -> None:
        """Copy a file of numbers, as native/draft.hpp has them, of so many latents, channels of neighbours, and pixels of a latent each way.

        ValueError for another length, latents that are no multiple of 8, an odd number of near ones or more than latents, or a side over 16.
        """

    @staticmethod
    def fast() -> bool:
        """Return whether there are kernels for this processor: plain C++ is slower than an engine."""

    def draw(self, latents: _Float32s, level: _Float32s, pixels: _Uint8s, first: int, last: int) -> None:
        """Write the pixels (side h, side w, 3) of the rows first..last of latents (M, h, w), in steps, at levels (h, w).

        ValueError for arrays of other shapes or without places, and for rows outside them.
        """

def spread(cells: _Float32s, first: int, last: int, out: _Uint16s) -> None:
    """Write rows first..last of cells (12, h, w), in levels, to pixels `out`, uint16[2 * rows, 2 * w, 3], in sixteenths 0..4080.

    Channels go by colour, row and column in a cell of 2x2; what is not a number becomes 0. ValueError for other shapes.
    """

def filtered(
    pixels: _Uint16s,
    inside: _Box,
    taps: _Int16s,
    directed: _Int16s,
    alternating: _Int16s,
    threshold: int,
    shift: int,
    out: _Uint8s,
) -> None:
    """Write the part `inside` of pixels (h, w, 3) in sixteenths of a level, filtered (native/filter.hpp).

    Numbers of the pixels of a row lie together, in `out` (rows, columns, 3) too.

    taps: int16[3, 3, 16] of -127..127, by colour that comes out, colour that goes in and place, 12 wide ones and 4 clipped ones.
    directed: int16[3, 24], by colour that comes out and place, 12 wide ones and 12 clipped ones of luma; alternating: int16[3, 3, 3, 4],
    by way, colour that comes out, colour that goes in and place; of -127..127 both.
    threshold: 0..4080 sixteenths; shift: 0..9. ValueError for a part that is not inside, or another number.
    """

def filter_sums(pixels: _Uint16s, picture: _Uint8s, first: int, last: int, every: int, threshold: int) -> _Int64s:
    """Return the sums (108, 111) of least squares over every `every`-th row first..last-1 of pixels (h, w, 3) in sixteenths, 0..4080.

    Of f f' above and on the diagonal, 0 below, and of f e. f: the differences of a pixel that taps, directed
    and alternating coefficients of `filtered` multiply, in that order;
    e: what its colours lack of the picture (h, w, 3), in sixteenths. ValueError for other shapes or another number.
    """

def filter_sweep(
    coefficients: NDArray[np.float64],
    slopes: NDArray[np.float64],
    gram: NDArray[np.float64],
    steps: NDArray[np.float64],
    prices: NDArray[np.float64],
    tables: _Int64s,
) -> None:
    """Move each of coefficients (S, P, 3), -127..127, to the cheapest of its neighbours and 0, one place after another.

    slopes (S, P, 3): (b - gram c / step) / step for gram (P, P) of squares, which follow them; steps (S,): of a side each;
    prices (T, 128): what magnitudes cost by table; tables (S, P, 3). ValueError for other shapes or numbers.
    """

def continued(colors: _Uint8s, gone: NDArray[np.bool_], coarse: _Float32s) -> _Uint8s:
    """Colours uint8[h, w, C], C 1 to 4, flattened, those of pixels that are `gone` bool[h, w] continued from the others.

    coarse: float32[rows, columns, C], the means over blocks of 16x16 pixels. ValueError for lengths that do not fit.
    """

def distinct(
    numbers: NDArray[np.uint32],
) -> tuple[NDArray[np.uint32], _Int64s, _Int64s]:
    """The m numbers of uint32[n] that differ, ascending; which of them each is, int64[n]; how often each is there, int64[m]."""

def leaders(colors: _Uint8s, order: _Int64s, fixed: int, limit: int, most: int) -> _Int64s:
    """Rows of colours uint8[n, C], C 1 to 4, in the order int64 of rows: the first `fixed`, and each further than `limit` from all chosen.

    limit: a squared distance. No more once there are `most`. ValueError for rows that are none.
    """

def nearest(colors: _Uint8s, staying: _Uint8s) -> _Int64s:
    """Of each of colours uint8[n, C] the first row of uint8[m, C] at the least squared distance, int64[n]."""

def flat(colors: _Uint8s, within: int) -> NDArray[np.bool_]:
    """Which pixels of uint8[h, w, C] differ by at most so many levels from their four neighbours, bool[h * w]."""

def contrast(colors: _Uint8s) -> _Float32s:
    """Sums of the steps of uint8[h, w, C] to left and upper neighbours over blocks of 16x16 pixels, the mean of the channels, flattened."""

def squared_errors(shown: _Uint8s, wanted: _Uint8s) -> _Float32s:
    """Sums of the squared differences of two uint8[h, w, C] over blocks of 16x16 pixels, the mean of the channels, flattened."""

def squared_shifts(shown: _Uint8s, wanted: _Uint8s) -> _Float32s:
    """Squared means of the differences of two uint8[h, w, C] over cells of 8x8 pixels, times their pixels, as of `squared_errors`."""

def snap(
    colors: _Uint8s,
    exact: NDArray[np.bool_],
    slope: int,
    passes: int,
    before: tuple[_Uint8s, _Uint8s, NDArray[np.uint32]] | None = None,
) -> tuple[_Int32s, _Uint8s, _Uint8s, NDArray[np.uint32]]:
    """Give the pixels of colors (H, W, 1 to 3) that are exact (H, W) colours that are written in few bits, in place (native/snapping.hpp).

    slope: what a squared level of error of one channel costs, in 1/2^24 bit. passes: each weighs by what the one before counted. Return
    what is likely to be spent at every pixel, int32[H * W] of 1/256 bit, and what more passes go on from: of every pixel the index of its
    colour, 255 for none, uint8[H * W]; these colours, uint8[n * C], n up to 255; and counts, uint32[259]. before: these three of other
    passes, the first two with their shapes. ValueError for shapes or indexes that do not belong together.
    """

def marked(flags: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How many of bool[h, w] are marked in every block of 16x16 pixels, flattened."""

def strokes(colors: NDArray[np.uint8], sides: int, away: int, step: int) -> NDArray[np.uint8]:
    """Of every pixel of uint8[h, w, C], flattened, the sum of what holds.

    1: at least `sides` of four neighbours are equal. 2: some channel steps by at least `step` levels to a pixel that far `away` along an
    axis. ValueError for `away` 0.
    """

def near_planes(
    colors: NDArray[np.uint8], places: NDArray[np.int64], planes: NDArray[np.float32], most: float
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which pixels of blocks are within `most` levels of their planes in every channel, bool[n * 256], and the mean square of their distances.

    places: int64[n], raster indexes of whole blocks of uint8[h, w, C]. planes: float32[n, 3, C]. ValueError for places that are none.
    """

def fit_planes(
    colors: NDArray[np.uint8],
    places: NDArray[np.int64],
    marked: NDArray[np.bool_],
    prior: NDArray[np.float32] | None,
    trust: float,
) -> NDArray[np.float32]:
    """The planes float32[n * 3 * C] through the marked pixels bool[n, 256] of blocks, by least squares.

    prior: planes that count with weight `trust` a pixel.
    """

def beside_kinds(
    colors: NDArray[np.uint8], within: NDArray[np.bool_], kinds: NDArray[np.uint8], near: int, far: int
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Of every pixel of uint8[h, w, C] its kind as a bit, 0 for none, uint32[h * w], and counts int64[m * 3] beside kinds uint8[m, C].

    within: bool[h, w], which pixels may be of a kind. Counted are pixels of another colour beside those of a kind, aslant too: all, those
    within `near` levels of it in every channel, and within `far`. ValueError for more than 32 kinds, or lengths that do not fit.
    """

def blended_inks(
    pixels: NDArray[np.float32],
    ground: NDArray[np.float32],
    foreground: NDArray[np.bool_],
    contrasts: NDArray[np.float32],
    inks: NDArray[np.float32],
    tolerance: float,
    explained: float,
    seen: int,
    most: int,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_], NDArray[np.int64]]:
    """Ink uint8[n * 256 * C], cover uint8[n * 256], whether they explain a block, bool[n], and its pixels that are all ink, int64[n].

    pixels and ground: float32[n, 256, C] of blocks; foreground, contrasts: of their pixels, [n, 256]; inks: float32[m, C] of 0..255.
    A block has at most `most` inks, chosen by one of `seen` pixels. ValueError for lengths that do not fit, or `seen` 0.
    """

def varying(pixels: NDArray[np.float32], ground: NDArray[np.float32], side: int, least: float) -> NDArray[np.bool_]:
    """Which pixels of float32[n, 256, C] lie in a cell whose distances from the ground differ by `least` or more in a channel, flattened.

    ValueError for a side that does not divide 16, or lengths that do not fit.
    """

def chosen(marked: NDArray[np.bool_], one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The pixels of uint8[h, w, C] where bool[h, w] marks them, those of another uint8[h, w, C] elsewhere, flattened.

    ValueError for lengths that do not fit.
    """

def packed(colors: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Every pixel of uint8[h, w, C], C 1 to 4, as one number, the last channel in its lowest bits, uint32[h * w]."""

def sums_of_others(
    colors: NDArray[np.uint8], gone: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Over blocks of 16x16 pixels the sums of channels of uint8[h, w, C] where not `gone` bool[h, w], and of how many pixels; flattened.

    ValueError for lengths that do not fit.
    """

def errors_of_marked(
    marked: NDArray[np.bool_], shown: NDArray[np.uint8], wanted: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Sums of the squared differences of two uint8[h, w, C] where bool[h, w] marks them, as of `squared_errors`.

    ValueError for lengths that do not fit.
    """
