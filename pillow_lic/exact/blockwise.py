"""The cost of the blocks of a picture to a lossless coder, and the strength of their edges, which is their cost to a learned codec.

For every block of 16x16 pixels two numbers are found:

* cost: pixels that equal none of their four neighbours before them (left, and the three above), each at the information of its
  colour among all such pixels of the square, and one bit more;
* contrast: the sum of the differences to the left and upper neighbours, in levels, the mean of the channels.

Letters of one colour on flat ground cost 0.01 to 0.09 bits a level, on a gradient 0.09 to 0.26; the hardest edges of
photographs 0.11 and more, their other blocks 0.4 to 1.2 (Kodak's 24; pages, terminals and slides of tests/screens).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..fileformat import squares
from . import pixelwise

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

BLOCK = pixelwise.BLOCK
"""Side of a block in pixels."""
LEAST_EQUAL = 0.35
"""Share of pixels that equal a neighbour in every block worth a closer look."""
SURE = 0.1
"""Bits a level of contrast below which a block is drawn beyond doubt."""
LEAST_CONTRAST = 1500.0
"""Contrast, in levels, of a block that shows that something is drawn: a flat block shows nothing."""
_STEP, _WITHIN = 40, 2
"""Levels from a pixel that equals the one before it to one so many further on, in the channel that differs most, where a line may begin:
edges of letters on subpixels, or damaged by JPEG, are two pixels wide."""
_SMALL = 64 * 64
"""Pixels below which a quick look saves nothing."""
_LEAST_SEEN = 6
"""Sure blocks that the quick look must see: 0 to 5 in Kodak's photographs, 7 and more in pages with letters on subpixels."""
LEAST_SURE = 8
"""Blocks that must be sure before anything of a square is kept, or a tenth of a small square's."""


class Blocks(NamedTuple):
    """Of every block (rows, columns): the share of pixels that equal a neighbour, the contrast in levels, the cost in bits."""

    equal: npt.NDArray[np.float32]
    contrast: npt.NDArray[np.float32]
    cost: npt.NDArray[np.float32]

    def within(self, most: float) -> Mask:
        """Return which blocks cost at most so many bits a level of contrast."""
        within: Mask = (self.equal >= LEAST_EQUAL) & (self.cost <= most * self.contrast)
        return within


def found(colors: Pixels) -> Blocks | None:
    """Return the blocks of a square (h, w, 1 or 3), 16x16 pixels each; None where too few are surely drawn, as in a photograph."""
    if not _looks_drawn(colors):
        return None
    blocks = measured(colors)
    return blocks if _sure(blocks).sum() >= _least_sure(blocks.equal.size) else None


def pixels_of(kept: Mask, shape: tuple[int, int]) -> Mask:
    """Return the flags of blocks as flags of the pixels of a square of that shape."""
    return kept.repeat(BLOCK, 0).repeat(BLOCK, 1)[: shape[0], : shape[1]]


def stepping(rows: Pixels, apart: int, least: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the rows and columns of the pixels (h, w, C) from which to one so many further on some channel steps by as many levels.

    All channels are seen in one row of bytes, which processors compare many at a time.
    """
    height, width, channels = rows.shape
    flat = np.ascontiguousarray(rows).reshape(height, width * channels)
    before, after = flat[:, : -apart * channels], flat[:, apart * channels :]
    places = np.flatnonzero(np.maximum(before, after) - np.minimum(before, after) >= least) // channels
    new = np.ones(len(places), np.bool_)
    new[1:] = places[1:] != places[:-1]
    row, column = np.divmod(places[new], width - apart)
    return row, column


def _looks_drawn(colors: Pixels) -> bool:
    """Whether the blocks with a step beside equal pixels, in one of every fourth row, are sure often enough: a quick look.

    It sees few blocks of a photograph, and takes their colours for more frequent than they are, so that it errs on one side.
    """
    height, width = (length // BLOCK * BLOCK for length in colors.shape[:2])
    if height * width < _SMALL:
        return True
    rows = colors[2:height:4, :width]
    row, column = stepping(rows, _WITHIN, _STEP)
    row, column = row[column > 0], column[column > 0]
    for channel in range(colors.shape[2]):
        repeats = rows[row, column, channel] == rows[row, column - 1, channel]
        row, column = row[repeats], column[repeats]
    places = np.unique(row // (BLOCK // 4) * (width // BLOCK) + (column + 1) // BLOCK)
    if len(places) < _LEAST_SEEN:
        return False
    squares = colors[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, -1)
    strip = squares[places // (width // BLOCK), :, places % (width // BLOCK)]
    return int(_sure(measured(strip.reshape(-1, BLOCK, colors.shape[2]))).sum()) >= _LEAST_SEEN


def _sure(blocks: Blocks) -> Mask:
    """Return which blocks are drawn beyond doubt."""
    return blocks.within(SURE) & (blocks.contrast >= LEAST_CONTRAST)


def _least_sure(size: int) -> int:
    """Return how many of so many blocks must be sure."""
    return min(LEAST_SURE, max(1, size // 10))


def measured(colors: Pixels) -> Blocks:
    """Return the blocks of a square (h, w, 1 or 3); the cost of those with few equal pixels is 0."""
    numbers = pixelwise.packed(colors)
    known = _repeats(numbers)
    equal = np.divide(pixelwise.marked(known), squares.counts(numbers.shape, BLOCK), dtype=np.float32)
    looked_at = equal >= LEAST_EQUAL
    if not looked_at.any():
        return Blocks(equal, pixelwise.contrast(colors), np.zeros_like(equal))
    return Blocks(equal, pixelwise.contrast(colors), _costs(numbers, ~known & pixels_of(looked_at, numbers.shape)))


def costs(pixels: Pixels, among: Mask) -> npt.NDArray[np.float32]:
    """Return the cost of every block of pixels (h, w, 1 to 4), in bits, 0 of those that are not among the marked ones."""
    numbers = pixelwise.packed(pixels)
    return _costs(numbers, ~_repeats(numbers) & pixels_of(among, numbers.shape))


def _repeats(numbers: npt.NDArray[np.uint32]) -> Mask:
    """Return which pixels (h, w) equal one of the four neighbours before them."""
    known = np.zeros(numbers.shape, np.bool_)
    known[:, 1:] = numbers[:, 1:] == numbers[:, :-1]
    known[1:] |= numbers[1:] == numbers[:-1]
    known[1:, 1:] |= numbers[1:, 1:] == numbers[:-1, :-1]
    known[1:, :-1] |= numbers[1:, :-1] == numbers[:-1, 1:]
    return known


def _costs(numbers: npt.NDArray[np.uint32], new: Mask) -> npt.NDArray[np.float32]:
    """Return the bits of every block by its pixels (h, w) that are new: the information of each among them, and one bit more."""
    cost = np.zeros(numbers.shape, np.float32)
    _, place, count = pixelwise.distinct(numbers[new])
    cost[new] = (1 + np.log2(len(place) / count)).astype(np.float32)[place]
    total: npt.NDArray[np.float32] = squares.sums(cost, BLOCK)
    return total


def kinds(colors: Pixels) -> npt.NDArray[np.intp]:
    """Return how many colours, in steps of 8 levels a channel, every block of a square (h, w, 1 or 3) has."""
    coarse: Pixels = colors >> np.uint8(3)
    numbers = np.sort(_cut(pixelwise.packed(coarse)).reshape(-1, BLOCK**2), 1)
    count: npt.NDArray[np.intp] = 1 + np.count_nonzero(numbers[:, 1:] != numbers[:, :-1], 1)
    return count.reshape(-(-colors.shape[0] // BLOCK), -(-colors.shape[1] // BLOCK))


def _cut(numbers: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Return the pixels (rows, columns, 16, 16) of every block of a plane (h, w), those at the right and lower edge continued."""
    across, down = -numbers.shape[1] % BLOCK, -numbers.shape[0] % BLOCK
    whole = np.pad(numbers, ((0, down), (0, across)), mode="edge")
    return whole.reshape(whole.shape[0] // BLOCK, BLOCK, whole.shape[1] // BLOCK, BLOCK).swapaxes(1, 2)


def commonest(colors: Pixels, among: Mask) -> npt.NDArray[np.float32]:
    """Return the share of pixels of a square (h, w, 1 or 3) that have the commonest colour of their block; 0 of blocks that are not marked."""
    numbers = np.sort(_cut(pixelwise.packed(colors))[among].reshape(-1, BLOCK**2), 1)
    ends = np.ones((len(numbers), BLOCK**2 + 1), np.bool_)
    ends[:, 1:-1] = numbers[:, 1:] != numbers[:, :-1]
    row, place = np.nonzero(ends)
    lengths = np.where(row[1:] == row[:-1], place[1:] - place[:-1], 0)
    most = np.zeros(len(numbers), np.intp)
    np.maximum.at(most, row[:-1], lengths)
    result = np.zeros(among.shape, np.float32)
    result[among] = most / np.float32(BLOCK**2)
    return result
