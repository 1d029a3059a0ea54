"""The family `minnen2017`: Minnen et al., "Spatially Adaptive Image Compression Using a Tiled Deep Network" (ICIP 2017, arXiv 1802.02629).

    decoded above and on the left ──predict──▶ tile so far ─┐
    what is left ──encoder step──▶ 128 signs ──decoder step──▶ tile so far + change          until the tile is good enough

The paper's ideas: tiles of 32x32 pixels are predicted from their decoded neighbours by one network, and what that leaves is coded by
another one in as many steps as the tile needs for a target of quality. So flat tiles take few bits or none.

Kept: both; a tile sees what is above, on the left and between them, and the number of its steps is in the file.

Changed, and why:

* A tile sees the nearest 8 rows and columns of its neighbours, not 32: those further away tell little.
* Tiles are predicted only from neighbours of their group of 4x4, diagonal by diagonal. So all groups, and the tiles of a diagonal, go
  through the networks at once, where raster order would need one run for each tile; and where machines round differently, the
  difference ends with the group.
* As in `toderici2017`, for the same reasons: one GRU each way, matrices of each step, integer contexts.

A tile sees its neighbours as 8-bit pixels: where machines round differently, a pixel is one level off, and what is predicted from it
by less. Predictions have no part in what the range coder reads. A stream that ends early shows nothing, because every tile was
predicted from whole neighbours.

FORMAT.md, 14.14 says how it decodes; onnx_models/recipes/recurrent trained it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..deadlines import check_time
from .shared import recurrence, sign_streams
from .shared.recurrence import Floats, Pixels
from .shared.sign_streams import BLOCK, Signs

if TYPE_CHECKING:
    from ..engine.models import Model

NAME = "minnen2017"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()

COARSEST, FINEST = 32.0, 4.0
"""Root of the mean square error, in levels of 8 bits, at which a tile stops at the lowest and the highest level."""
LEVELS: list[int] | None = [128 * k for k in range(9)]
STRIP = 8
"""Rows and columns of its neighbours that a tile sees."""


def target(level: int) -> float:
    """Return the root of the mean square error at which a tile stops, in levels of 8 bits: equal factors between levels."""
    return float(COARSEST * (FINEST / COARSEST) ** (level / 1024))


def signs(model: Model, pixels: Pixels, level: int) -> Signs:
    """Return the signs of pixels (h, w, 3): of every tile as many steps as it needs for the error that the level means."""
    return chosen(model, pixels, model.constants["steps"], target(level))


def chosen(model: Model, pixels: Pixels, steps: int, enough: float) -> Signs:
    """Return the signs of pixels (h, w, 3) for at most so many steps, of a tile as many as leave an error of `enough` (`target`)."""
    x = recurrence.about_grey(model, pixels)
    rows, columns = sign_streams.blocks(model, pixels.shape[:2])
    counts, values = (
        np.zeros((rows, columns), np.uint8),
        np.zeros((steps, model.constants["bits"], rows, columns), np.int8),
    )

    def goes_on(left: Floats) -> npt.NDArray[np.bool_]:
        error = np.sqrt(np.square(left).mean((1, 2, 3)))
        blocks = left.shape[2] // BLOCK
        return np.broadcast_to((error > enough / 255)[:, None, None], (len(left), blocks, blocks))

    canvas = np.zeros_like(x)
    for wave in waves(model, canvas.shape[1:]):
        check_time()
        coding = recurrence.Coding(model, np.stack([x[:, *place] for place in wave]), predicted(model, canvas, wave))
        coding.run(steps, goes_on, first=True)
        for k, place in enumerate(wave):
            canvas[:, *place] = as_seen(coding.picture[k])
            block = tuple(slice(part.start // BLOCK, part.stop // BLOCK) for part in place)
            counts[block] = coding.counts[k]
            values[:, :, *block] = np.stack([step[k] for step in coding.values])
    missing = np.zeros((model.constants["steps"] - steps, *values.shape[1:]), np.int8)
    return Signs(counts, np.concatenate([values, missing]))


encode = recurrence.encoder(signs)
dump = recurrence.dump


def decode(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) of that shape (`families.Plain.decode`)."""
    found = sign_streams.unpack(model, streams, shape)
    canvas = np.zeros((3, *(BLOCK * length for length in found.counts.shape)), np.float32)
    for wave in waves(model, canvas.shape[1:]):
        check_time()
        beginning = predicted(model, canvas, wave)
        blocks = [tuple(slice(part.start // BLOCK, part.stop // BLOCK) for part in place) for place in wave]
        decoding = recurrence.Decoding(model, (len(wave), *found.counts[blocks[0]].shape), beginning)
        for step in range(max(int(found.counts[block].max()) for block in blocks)):
            decoding.step(np.stack([found.values[step][:, *block] for block in blocks]))
        for place, picture in zip(wave, decoding.picture, strict=True):
            canvas[:, *place] = as_seen(picture)
    return recurrence.as_pixels(canvas, shape)


def waves(model: Model, shape: tuple[int, ...]) -> Iterator[list[tuple[slice, slice]]]:
    """Yield the places of the tiles of a picture (H, W) that go through the networks at once: a diagonal of every group."""
    side, group = model.constants["tile"], model.constants["group"]
    rows, columns = (length // side for length in shape)
    for diagonal in range(2 * group - 1):
        places = [(i, j) for i in range(rows) for j in range(columns) if i % group + j % group == diagonal]
        if places:
            yield [(slice(side * i, side * i + side), slice(side * j, side * j + side)) for i, j in places]


def as_seen(picture: Floats) -> Floats:
    """Return a decoded tile (3, h, w) about grey as its neighbours see it: pixels are whole numbers."""
    pixels = np.rint((picture + 0.5) * 255).clip(0, 255)
    seen: Floats = (pixels / 255 - 0.5).astype(np.float32)
    return seen


def predicted(model: Model, canvas: Floats, wave: Sequence[tuple[slice, slice]]) -> Floats:
    """Return the tiles (n, 3, side, side) about grey of a wave as predicted from what is decoded of the canvas (3, H, W)."""
    found: Floats = model.run("predict", seen=np.stack([around(model, canvas, place) for place in wave]))[0]
    return found


def around(model: Model, canvas: Floats, place: tuple[slice, slice]) -> Floats:
    """Return what a tile sees of a canvas (3, H, W): blocks of 8x8 in a row, the corner, those above, those on the left, (3, 8, 8 n).

    Blocks outside of its group are as the mean of the others, 0 where there are none.
    """
    y, x = place
    side = model.constants["tile"]
    up, across = (STRIP if part.start % (side * model.constants["group"]) else 0 for part in place)
    above = canvas[:, y.start - up : y.start, x]
    left = canvas[:, y, x.start - across : x.start]
    corner = canvas[:, y.start - up : y.start, x.start - across : x.start]
    beside = left.reshape(3, side // STRIP, STRIP, across).transpose(0, 2, 1, 3).reshape(3, STRIP, -1)
    known = np.concatenate([part.reshape(3, -1) for part in (above, beside)], 1)
    mean = known.mean(1)[:, None, None] if known.size else np.zeros((3, 1, 1), np.float32)
    widths = (STRIP, side, side)
    parts = [
        part if part.size else np.broadcast_to(mean, (3, STRIP, width))
        for part, width in zip((corner, above, beside), widths, strict=True)
    ]
    return np.concatenate(parts, 2).astype(np.float32)
