"""What is done pixel by pixel for the exact layer."""

from ._arrays import Bools, Float32s, Int32s, Int64s, Uint8s, Uint32s

def continued(colors: Uint8s, gone: Bools, coarse: Float32s) -> Uint8s:
    """Colours uint8[h, w, C], C 1 to 4, flattened, those of pixels that are `gone` bool[h, w] continued from the others.

    coarse: float32[rows, columns, C], the means over blocks of 16x16 pixels. ValueError for lengths that do not fit.
    """

def distinct(numbers: Uint32s) -> tuple[Uint32s, Int64s, Int64s]:
    """The m numbers of uint32[n] that differ, ascending; which of them each is, int64[n]; how often each is there, int64[m]."""

def leaders(colors: Uint8s, order: Int64s, fixed: int, limit: int, most: int) -> Int64s:
    """Rows of colours uint8[n, C], C 1 to 4, in the order int64 of rows: the first `fixed`, and each further than `limit` from all chosen.

    limit: a squared distance. No more once there are `most`. ValueError for rows that are none.
    """

def nearest(colors: Uint8s, staying: Uint8s) -> Int64s:
    """Of each of colours uint8[n, C] the first row of uint8[m, C] at the least squared distance, int64[n]."""

def flat(colors: Uint8s, within: int) -> Bools:
    """Which pixels of uint8[h, w, C] differ by at most so many levels from their four neighbours, bool[h * w]."""

def contrast(colors: Uint8s) -> Float32s:
    """Sums of the steps of uint8[h, w, C] to left and upper neighbours over blocks of 16x16 pixels, the mean of the channels, flattened."""

def squared_errors(shown: Uint8s, wanted: Uint8s) -> Float32s:
    """Sums of the squared differences of two uint8[h, w, C] over blocks of 16x16 pixels, the mean of the channels, flattened."""

def squared_shifts(shown: Uint8s, wanted: Uint8s) -> Float32s:
    """Squared means of the differences of two uint8[h, w, C] over cells of 8x8 pixels, times their pixels, as of `squared_errors`."""

def snap(
    colors: Uint8s,
    exact: Bools,
    slope: int,
    passes: int,
    before: tuple[Uint8s, Uint8s, Uint32s] | None = None,
) -> tuple[Int32s, Uint8s, Uint8s, Uint32s]:
    """Give the pixels of colors (H, W, 1 to 3) that are exact (H, W) colours that are written in few bits, in place (native/snapping.hpp).

    slope: what a squared level of error of one channel costs, in 1/2^24 bit. passes: each weighs by what the one before counted. Return
    what is likely to be spent at every pixel, int32[H * W] of 1/256 bit, and what more passes go on from: of every pixel the index of its
    colour, 255 for none, uint8[H * W]; these colours, uint8[n * C], n up to 255; and counts, uint32[259]. before: these three of other
    passes, the first two with their shapes. ValueError for shapes or indexes that do not belong together.
    """

def marked(flags: Bools) -> Float32s:
    """How many of bool[h, w] are marked in every block of 16x16 pixels, flattened."""

def strokes(colors: Uint8s, sides: int, away: int, step: int) -> Uint8s:
    """Of every pixel of uint8[h, w, C], flattened, the sum of what holds.

    1: at least `sides` of four neighbours are equal. 2: some channel steps by at least `step` levels to a pixel that far `away` along an
    axis. ValueError for `away` 0.
    """

def near_planes(colors: Uint8s, places: Int64s, planes: Float32s, most: float) -> tuple[Bools, Float32s]:
    """Which pixels of blocks are within `most` levels of their planes in every channel, bool[n * 256], and the mean square of their distances.

    places: int64[n], raster indexes of whole blocks of uint8[h, w, C]. planes: float32[n, 3, C]. ValueError for places that are none.
    """

def fit_planes(
    colors: Uint8s,
    places: Int64s,
    marked: Bools,
    prior: Float32s | None,
    trust: float,
) -> Float32s:
    """The planes float32[n * 3 * C] through the marked pixels bool[n, 256] of blocks, by least squares.

    prior: planes that count with weight `trust` a pixel.
    """

def beside_kinds(colors: Uint8s, within: Bools, kinds: Uint8s, near: int, far: int) -> tuple[Uint32s, Int64s]:
    """Of every pixel of uint8[h, w, C] its kind as a bit, 0 for none, uint32[h * w], and counts int64[m * 3] beside kinds uint8[m, C].

    within: bool[h, w], which pixels may be of a kind. Counted are pixels of another colour beside those of a kind, aslant too: all, those
    within `near` levels of it in every channel, and within `far`. ValueError for more than 32 kinds, or lengths that do not fit.
    """

def blended_inks(
    pixels: Float32s,
    ground: Float32s,
    foreground: Bools,
    contrasts: Float32s,
    inks: Float32s,
    tolerance: float,
    explained: float,
    seen: int,
    most: int,
) -> tuple[Uint8s, Uint8s, Bools, Int64s]:
    """Ink uint8[n * 256 * C], cover uint8[n * 256], whether they explain a block, bool[n], and its pixels that are all ink, int64[n].

    pixels and ground: float32[n, 256, C] of blocks; foreground, contrasts: of their pixels, [n, 256]; inks: float32[m, C] of 0..255.
    A block has at most `most` inks, chosen by one of `seen` pixels. ValueError for lengths that do not fit, or `seen` 0.
    """

def varying(pixels: Float32s, ground: Float32s, side: int, least: float) -> Bools:
    """Which pixels of float32[n, 256, C] lie in a cell whose distances from the ground differ by `least` or more in a channel, flattened.

    ValueError for a side that does not divide 16, or lengths that do not fit.
    """

def chosen(marked: Bools, one: Uint8s, other: Uint8s) -> Uint8s:
    """The pixels of uint8[h, w, C] where bool[h, w] marks them, those of another uint8[h, w, C] elsewhere, flattened.

    ValueError for lengths that do not fit.
    """

def packed(colors: Uint8s) -> Uint32s:
    """Every pixel of uint8[h, w, C], C 1 to 4, as one number, the last channel in its lowest bits, uint32[h * w]."""

def sums_of_others(colors: Uint8s, gone: Bools) -> tuple[Float32s, Float32s]:
    """Over blocks of 16x16 pixels the sums of channels of uint8[h, w, C] where not `gone` bool[h, w], and of how many pixels; flattened.

    ValueError for lengths that do not fit.
    """

def errors_of_marked(marked: Bools, shown: Uint8s, wanted: Uint8s) -> Float32s:
    """Sums of the squared differences of two uint8[h, w, C] where bool[h, w] marks them, as of `squared_errors`.

    ValueError for lengths that do not fit.
    """
