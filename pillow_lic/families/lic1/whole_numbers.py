"""Weights of the graphs of an encoder -> the whole numbers of 16 bits that its native layers take (native/analysis.hpp has their order).

A feature is a whole number of 2^-bits; what does not fit into 16 bits is the largest that does. Bits were chosen by the largest features
that were seen, at all levels, on photographs, drawings, noise, stripes and chequers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Layer = tuple[Floats, Floats]
"""Weights (outputs, inputs, rows, columns) and biases (outputs,)."""

PIXEL = 9
"""Bits of an input of the analysis, 2 * pixel - 255: its weights are by 510, as the graph's are of pixels / 255 - 1/2."""
MOST, LATENT = 8, 5
"""Bits before the point of a sum, its sign not among them, and of a latent in units of the picture: sums beyond it wrap around, with more
of them weights become coarse."""
ANCHORS = 9
"""Levels at which a factor of each channel is stored, evenly over the scale; between them its logarithm is interpolated."""
OUTPUTS = 16
"""Outputs of native layers come in so many."""


class Bits(NamedTuple):
    """Bits of a feature of the analysis, in its trunk and within its blocks, and how many fewer there are behind it."""

    trunk: int
    inside: int
    fewer: int

    def fine(self, level: float) -> int:
        """Return the bits of a feature on the way from the trunk to latents of this level or higher ones.

        The higher the level, the smaller are features, and steps too. Of photographs and screens up to 4.4 were seen at level 0, of chequers
        and stripes of two pixels 12 there and 3.8 from 512 on.
        """
        return (13 if level >= 512 else 12) - self.fewer

    def hold(self, trunk: npt.NDArray[Any]) -> bool:
        """Return whether whole features of a trunk, of any shape, are so small that next to nothing was cut off."""
        return max(int(trunk.max()), -int(trunk.min())) < LARGE << self.trunk


USUAL, COARSE = Bits(10, 11, 0), Bits(9, 9, 1)
"""Features up to 32, within blocks up to 16, behind them up to 8, from level 512 on up to 4; and those that pictures of large ones have,
twice as large or four times, with which the trunk of others is three times as far off."""
LARGE = 24
"""Of photographs up to 16 were seen in the trunk, of one screen in 15 more than this, of stripes of 3 to 6 pixels in full colours 31 to 50,
where what is cut off costs up to 4 dB and 9 % of the bytes."""


def _fits(flat: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return how many bits after the point the weights (outputs, inputs) of each output may have."""
    largest = np.maximum(np.abs(flat).max(1), 2.0**-15)
    found: npt.NDArray[np.int64] = np.floor(np.log2((2**15 - 1) / largest)).astype(np.int64)
    return found


def layer(weight: Floats, bias: Floats, before: int, after: int | None, most: int = MOST) -> bytes:
    """Return biases, shifts and weights (outputs, inputs) of a layer of features with so many bits; without `after` sums come out."""
    flat = weight.reshape(len(weight), -1).astype(np.float64)
    bits = np.minimum(_fits(flat), 31 - before - most)
    shift = bits + before - (after or 0)
    if shift.min() < 1 or shift.max() > 31:
        msg = f"shifts of a layer of {flat.shape} must be 1 to 31, got {shift.min()} to {shift.max()}"
        raise ValueError(msg)
    sums = np.rint(bias * 2.0 ** (bits + before)) + (0 if after is None else 2.0 ** (shift - 1))
    whole = np.rint(flat * 2.0 ** bits[:, None])
    return (
        sums.clip(-(2**30), 2**30).astype("<i4").tobytes()
        + shift.astype("<i4").tobytes()
        + whole.astype("<i2").tobytes()
    )


def block(layers: Sequence[Layer], outside: int, inside: int, most: int = MOST) -> bytes:
    """Return the five layers of a block, between whose ends features have other bits than outside."""
    enter, around, mix, widen, narrow = layers
    return b"".join([
        layer(*enter, outside, inside, most),
        layer(*around, inside, inside, most),
        layer(*mix, inside, outside, most),
        layer(*widen, outside, inside, most),
        layer(*narrow, inside, outside, most),
    ])  # fmt: skip


def by_row(weight: Floats) -> Floats:
    """Return weights (outputs, inputs, rows, columns) by row, column and input."""
    return weight.transpose(0, 2, 3, 1)


def of_pixels(weight: Floats) -> Floats:
    """Return weights (outputs, 3, rows, columns) of pixels by square of 8x8, then row, column and colour."""
    outputs, colours, rows, columns = weight.shape
    squares = weight.reshape(outputs, colours, rows // 8, 8, columns // 8, 8).transpose(0, 2, 4, 3, 5, 1)
    return squares * np.float32(2.0**PIXEL / 510)


def logs(table: Floats, bits: int = 0) -> bytes:
    """Return logs of factors (channels, 9, 1, 1) by anchor, for features that have so many bits more after them than before."""
    return (table.reshape(-1, ANCHORS).T + np.float32(bits * math.log(2))).astype("<f4").tobytes()


def real(weight: Floats, bias: Floats) -> bytes:
    """Return biases (outputs,) and weights of a layer that stays in float32; ValueError where weights are of more than half precision."""
    halves = weight.astype("<f2")
    if (halves != weight).any():
        msg = f"weights of {weight.shape} must be of half precision"
        raise ValueError(msg)
    return bias.astype("<f4").tobytes() + halves.tobytes()
