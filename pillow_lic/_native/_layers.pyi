"""The layers of networks in whole numbers, and the filter of pixels."""

from ._arrays import Box, Float32s, Float64s, Int16s, Int64s, Uint8s, Uint16s

def kernels() -> list[str]:
    """Return the instruction sets for which there are kernels that this processor can run, the quickest first; the last is `plain`, C++.

    They are behind `Analysis`, `Latents`, `Scales`, `Synthesis` and `filtered`, and give the same numbers.
    """

def use_kernels(name: str) -> None:
    """Take the kernels of this name from now on, in all threads, for tests; at first they are the quickest. ValueError if there are none."""

class Analysis:
    """The network `analysis` of a model like lic1, or a smaller one, in whole numbers (native/analysis.hpp). Threads may share one."""

    def __init__(self, numbers: Uint8s, channels: int, blocks: int, features: int, latents: int) -> None:
        """Copy a file of numbers, as native/analysis.hpp has them.

        ValueError for another length, channels, features or latents that are no multiples of 16 up to 4096, or more than 64 blocks.
        """

    @staticmethod
    def fast() -> bool:
        """Return whether it is quicker than an engine here: there are kernels for this kind of processor."""

    @property
    def features(self) -> int:
        """The features of a place of the trunk."""

    def run(self, pixels: Uint8s, trunk: Int16s, linear: Float32s, first: int, last: int) -> None:
        """Write what belongs to the rows first..last of latents to the trunk (2h, 2w, F) and the linear path (h, w, M).

        Of pixels (16h, 16w, 3). The latents of a place of the linear path are in the order of native code. ValueError for arrays of other
        shapes or without places, and for rows outside them.
        """

class Latents:
    """The first part of the network `latents` of a model like lic1, in whole numbers (native/analysis.hpp). Threads may share one."""

    def __init__(self, numbers: Uint8s, features: int, channels: int, latents: int) -> None:
        """Copy a file of numbers, as native/analysis.hpp has them; errors as of `Analysis`."""

    def run(self, trunk: Int16s, linear: Float32s, level: Float32s, y: Float32s, first: int, last: int) -> None:
        """Write the rows first..last of y (M, h, w), in steps, at levels (h, w), of what `Analysis.run` has written; errors as there."""

class HyperAnalysis:
    """The second part of the network `latents` of a model like lic1 (native/hyper_analysis.hpp). Threads may share one."""

    def __init__(self, numbers: Uint8s, latents: int, channels: int, hyper_latents: int) -> None:
        """Copy a file of numbers, as native/hyper_analysis.hpp has them; errors as of `Analysis`."""

    @staticmethod
    def fast() -> bool:
        """Return whether it is quicker than an engine here: there are kernels for this kind of processor."""

    def run(self, y: Float32s, hyper_latents: Float32s, first: int, last: int) -> None:
        """Write those of hyper-latents (Z, h/4, w/4), -127..127, that belong to the rows first..last of y (M, h, w) in steps.

        h, w, first and last are multiples of 4. ValueError for arrays of other shapes or without places, and for rows outside them.
        """

class ErrorGradient:
    """The gradient of a picture's error by the latents of a model like lic1 (native/gradient.hpp). Threads may share one."""

    def __init__(self, numbers: Uint8s, latents: int) -> None:
        """Copy a file of numbers, as native/gradient.hpp has them; errors as of `Analysis`."""

    def run(self, shown: Uint8s, wanted: Uint8s, level: Float32s, gradient: Float32s, first: int, last: int) -> None:
        """Write the rows first..last of the gradient (M, h, w) of pixels (H, W, 3) as shown and as wanted, at levels (h, w).

        A latent has 16x16 pixels, the last ones in a row or column may have fewer. ValueError for arrays of other shapes or without
        places, and for rows outside them.
        """

class Means:
    """The networks `means_z`, `means_0` and so on of a model like lic1 (native/means.hpp). Threads may share one."""

    def __init__(self, numbers: Uint8s, hyper_latents: int, latents: int, stages: int) -> None:
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

    def begin(self, hyper_latents: Float32s, level: Float32s, features: Float32s) -> None:
        """Write features (h, w, P) of hyper-latents (Z, h/4, w/4) at levels (h, w); h and w are multiples of 4.

        ValueError for arrays of other shapes.
        """

    def find(self, stage: int, features: Float32s, y: Float32s, means: Float32s, first: int, last: int) -> None:
        """Write the means (passes * M, h/2, w/2) of a stage's passes, in steps, for features (h, w, P) and latents (M, h, w).

        Of the means those of rows first to last - 1 of h/2 are written, of the latents those of earlier stages looked at. h and w are even.
        ValueError for arrays of other shapes.
        """

    def draft(self, stage: int, features: Float32s, y: Float32s, means: Float32s, first: int, last: int) -> None:
        """Write means (passes * M/4, h/2, w/2) of the first of four groups of channels, as `find`, by those of y of the first two."""

class Scales:
    """The networks `scales_z` to `scales_2` of a model like lic2, the same to the last bit (native/scales.hpp). Threads may share one."""

    FEATURES: int
    """The features of a place."""

    def __init__(self, numbers: Uint8s, stages: int) -> None:
        """Copy a file of numbers of 1 to 4 stages, as native/scales.hpp has them.

        ValueError for another length, or passes that code a place of a cell twice.
        """

    def begin(self, hyper_latents: Float32s, features: Float32s) -> None:
        """Write features (80, 4h, 4w), 0..255, of hyper-latents (64, h, w), whole numbers, cut to -127..127.

        ValueError for arrays of other shapes or without places.
        """

    @staticmethod
    def fast() -> bool:
        """Return whether it is quicker than an engine here: there are kernels for this kind of processor."""

    def find(
        self,
        stage: int,
        features: Float32s,
        level: Float32s,
        magnitudes: Uint8s | None,
        index: Uint8s,
        first: int,
        last: int,
    ) -> None:
        """Write rows first to last - 1 of the index (384 passes, h/2, w/2) of a stage's passes, 0..63.

        Of features (80, h, w) 0..255, levels (h, w) and, but in the first stage, magnitudes (384, h, w) 0..8, whole numbers all, of which
        those of earlier stages are looked at; h and w are even. ValueError for arrays of other shapes.
        """

class Synthesis:
    """The network `synthesis` of a model with lic2's trunk, in whole numbers (native/synthesis.hpp). Threads may share one."""

    def __init__(self, numbers: Uint8s) -> None:
        """Copy a file of numbers, uint8[1176384], as native/synthesis.hpp has them. ValueError for another length."""

    @staticmethod
    def fast() -> bool:
        """Return whether it is quicker than an engine here: there are kernels for this kind of processor."""

    def draw(self, latents: Float32s, level: Float32s, picture: Float32s, context: Float32s) -> None:
        """Write picture (12, 8h, 8w) and context (16, 2h, 2w) of latents (384, h, w) in steps at levels (h, w).

        ValueError for arrays of other shapes or without places.
        """

    def paint(self, detail: Detail, latents: Float32s, level: Float32s, inside: Box, out: Uint16s) -> None:
        """Write what `Detail.draw` writes of a picture and a context that `draw` writes, without these."""

class Detail:
    """The network `detail` of a model with layers of 16 features, and `spread` after it (native/detail.hpp). Threads may share one."""

    def __init__(self, numbers: Float32s) -> None:
        """Copy float32[4277]: log of the expected error at 9 anchors of the level; weights and biases of three layers.

        Those are (16, 12, 3, 3), (16,), (16, 16, 3, 3), (16,), (12, 16), (12,). ValueError for another length.
        """

    @staticmethod
    def fast() -> bool:
        """Return whether the processor has what makes it quicker than an engine; `draw` is an error where not."""

    def draw(self, picture: Float32s, context: Float32s, level: Float32s, inside: Box, out: Uint16s) -> None:
        """Write the colours of the latents `inside`, in sixteenths 0..4080, to `out`.

        picture float32[12, 8h, 8w], context float32[16, 2h, 2w], level float32[h, w]; out uint16[16 rows, 16 columns, 3], whose
        rows may lie apart. What is not a number becomes 0. ValueError for other shapes, or a part that is not inside.
        """

class Draft:
    """A network `draft_2`, `draft_4` or `draft_8` of a model like lic1, in whole numbers (native/draft.hpp). Threads may share one."""

    def __init__(self, numbers: Uint8s, latents: int, near: int, side: int) -> None:
        """Copy a file of numbers, as native/draft.hpp has them, of so many latents, channels of neighbours, and pixels of a latent each way.

        ValueError for another length, latents that are no multiple of 8, an odd number of near ones or more than latents, or a side over 16.
        """

    @staticmethod
    def fast() -> bool:
        """Return whether there are kernels for this processor: plain C++ is slower than an engine."""

    def draw(self, latents: Float32s, level: Float32s, pixels: Uint8s, first: int, last: int) -> None:
        """Write the pixels (side h, side w, 3) of the rows first..last of latents (M, h, w), in steps, at levels (h, w).

        ValueError for arrays of other shapes or without places, and for rows outside them.
        """

def spread(cells: Float32s, first: int, last: int, out: Uint16s) -> None:
    """Write rows first..last of cells (12, h, w), in levels, to pixels `out`, uint16[2 * rows, 2 * w, 3], in sixteenths 0..4080.

    Channels go by colour, row and column in a cell of 2x2; what is not a number becomes 0. ValueError for other shapes.
    """

def filtered(
    pixels: Uint16s,
    inside: Box,
    taps: Int16s,
    directed: Int16s,
    alternating: Int16s,
    threshold: int,
    shift: int,
    out: Uint8s,
) -> None:
    """Write the part `inside` of pixels (h, w, 3) in sixteenths of a level, filtered (native/filter.hpp).

    Numbers of the pixels of a row lie together, in `out` (rows, columns, 3) too.

    taps: int16[3, 3, 16] of -127..127, by colour that comes out, colour that goes in and place, 12 wide ones and 4 clipped ones.
    directed: int16[3, 24], by colour that comes out and place, 12 wide ones and 12 clipped ones of luma; alternating: int16[3, 3, 3, 4],
    by way, colour that comes out, colour that goes in and place; of -127..127 both.
    threshold: 0..4080 sixteenths; shift: 0..9. ValueError for a part that is not inside, or another number.
    """

def filter_sums(pixels: Uint16s, picture: Uint8s, first: int, last: int, every: int, threshold: int) -> Int64s:
    """Return the sums (108, 111) of least squares over every `every`-th row first..last-1 of pixels (h, w, 3) in sixteenths, 0..4080.

    Of f f' above and on the diagonal, 0 below, and of f e. f: the differences of a pixel that taps, directed
    and alternating coefficients of `filtered` multiply, in that order;
    e: what its colours lack of the picture (h, w, 3), in sixteenths. ValueError for other shapes or another number.
    """

def filter_sweep(
    coefficients: Float64s,
    slopes: Float64s,
    gram: Float64s,
    steps: Float64s,
    prices: Float64s,
    tables: Int64s,
) -> None:
    """Move each of coefficients (S, P, 3), -127..127, to the cheapest of its neighbours and 0, one place after another.

    slopes (S, P, 3): (b - gram c / step) / step for gram (P, P) of squares, which follow them; steps (S,): of a side each;
    prices (T, 128): what magnitudes cost by table; tables (S, P, 3). ValueError for other shapes or numbers.
    """
