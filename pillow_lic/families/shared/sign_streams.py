"""The signs of a recurrent codec, and their stream: bits in contexts of their neighbours, or by a network that predicts them.

    counts (h,w) ──planes──▶ bits in contexts ─┐
    values (steps,bits,h,w) ──▶ bits ──────────┴▶ stream         the first steps first: a stream may end anywhere, or be made shorter

Which one a model has, its files say: `contexts`, classes of the signs and start values (FORMAT.md 14.8), or `predictor`, start
values and an integer network that picks one of 64 probabilities for each sign (FORMAT.md 14.15).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from ...deadlines import check_time
from ...engine import bits
from ...errors import LicDamagedError, LicDesyncError
from ...fileformat.areas import padded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...engine.models import Model

BLOCK = 16
"""Pixels of a block each way."""
COUNTS = 7
"""Class of the planes that say how many steps a block takes part in, of a model that has classes; else it is 0."""
PREDICTED = bits.CONTEXTS_OF_A_CLASS + 64
"""Start values of a model that predicts signs: of the counts, and of the probabilities to pick from."""


@dataclass(frozen=True)
class Signs:
    """The content of a stream: the signs of h x w blocks.

    counts: uint8 (h, w), steps that each block takes part in. values: int8 (steps, bits, h, w), -1 or 1; 0 where a block takes
    no part, or where a cut stream has ended.
    """

    counts: npt.NDArray[np.uint8]
    values: npt.NDArray[np.int8]


class Coder(NamedTuple):
    """What codes the signs of a model: start values, the class of counts, and classes uint8 (steps, bits) or a predictor."""

    starts: npt.NDArray[np.uint16]
    counts: int
    classes: npt.NDArray[np.uint8]
    predictor: bits.SignPredictor | None


@lru_cache(maxsize=8)
def coder(model: Model) -> Coder:
    """Return what codes the signs of a model."""
    shape = model.constants["steps"], model.constants["bits"]
    if "predictor" in model.files:
        stored = model.stored("predictor").read()
        starts, numbers = stored[: 2 * PREDICTED], stored[2 * PREDICTED :]
        predictor = bits.stored_predictor(numbers, shape[0] * shape[1])
        return Coder(bits.stored_starts(starts), 0, np.zeros(shape, np.uint8), predictor)
    stored = model.stored("contexts").read()
    classes = np.frombuffer(stored, np.uint8, shape[0] * shape[1]).reshape(shape)
    return Coder(bits.stored_starts(stored[classes.size :]), COUNTS, classes, None)


def blocks(model: Model, shape: tuple[int, int]) -> tuple[int, int]:
    """Return the rows and columns of blocks of a rectangle of pixels."""
    align = model.constants["align"]
    return padded(shape[0], align) // BLOCK, padded(shape[1], align) // BLOCK


def pack(model: Model, signs: Signs) -> bytes:
    """Return the stream of signs."""
    own, steps = coder(model), len(signs.values)
    encoder = bits.Encoder(own.starts)
    planes = (signs.counts > np.arange(steps)[:, None, None]).astype(np.uint8)
    encoder.write_planes(planes[:, None], np.full((steps, 1), own.counts, np.uint8))
    if own.predictor:
        encoder.write(*bits.sign_bits(own.predictor, signs.values, signs.counts))
    else:
        encoder.write_planes((signs.values > 0).astype(np.uint8), own.classes, signs.values != 0)
    return encoder.stream()


def unpack(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], *, cut: bool = False) -> Signs:
    """Return the signs of a rectangle of pixels by its one stream; with `cut` as far as that goes.

    LicDamagedError for a stream that `pack` did not make, and for a cut one that does not say how many steps its blocks take
    part in.
    """
    if len(streams) != 1:
        msg = f"tile of model {model.name} must have one stream, got {len(streams)}"
        raise LicDamagedError(msg)
    own, (rows, columns) = coder(model), blocks(model, shape)
    steps = len(own.classes)
    try:
        decoder = bits.Decoder(own.starts, streams[0], cut=cut)
        planes = decoder.read_planes(np.full((steps, 1), own.counts, np.uint8), rows, columns)[:, 0]
        if (planes[1:] > planes[:-1]).any() or decoder.decoded < planes.size:
            msg = "the steps of the blocks are damaged or cut off"
            raise LicDamagedError(msg)
        values = _values(own, decoder, planes)
        if not cut:
            decoder.finish()
    except LicDesyncError as error:  # no network has a part in what is read
        msg = "the coded signs are damaged: they are not those that were written"
        raise LicDamagedError(msg) from error
    return Signs(planes.sum(0, dtype=np.uint8), values)


def _values(own: Coder, decoder: bits.Decoder, planes: npt.NDArray[np.uint8]) -> npt.NDArray[np.int8]:
    """Return the signs of blocks by the planes of their steps (steps, h, w); 0 where there are none, and where the stream was cut."""
    if own.predictor:
        return decoder.read_signs(own.predictor, own.classes.shape, planes.sum(0, dtype=np.uint8))
    mask = np.broadcast_to(planes[:, None].astype(bool), (*own.classes.shape, *planes.shape[1:]))
    _, rows, columns = planes.shape
    found = decoder.read_planes(own.classes, rows, columns, mask)
    values = np.where(mask, 2 * found.astype(np.int8) - 1, 0).astype(np.int8)
    values.reshape(-1)[np.flatnonzero(mask)[decoder.decoded - planes.size :]] = 0
    return values


def shortened(model: Model, signs: Signs, size: int) -> bytes:
    """Return the stream of at most `size` bytes with as many of the signs as fit: step by step, in the last one blocks all over the picture.

    ValueError naming the size of the shortest stream.
    """
    order = _spread(signs.counts.shape)

    def stream(kept: int) -> bytes:
        counts = np.zeros_like(signs.counts)
        for step in range(len(signs.values)):
            part = signs.counts > step
            if (active := int(part.sum())) > kept:
                part &= order < np.sort(order[part])[kept]
            counts += part
            kept -= min(kept, active)
        values = np.where(counts > np.arange(len(signs.values))[:, None, None, None], signs.values, 0).astype(np.int8)
        return pack(model, Signs(counts, values))

    best, low, high = stream(0), 0, int(signs.counts.sum(dtype=np.int64)) + 1
    if len(best) > size:
        msg = f"size of a tile must be at least {len(best)} bytes, got {size}"
        raise ValueError(msg)
    while high - low > 1:  # low fits, high does not
        check_time()
        middle = (low + high) // 2
        tried = stream(middle)
        if len(tried) <= size:
            low, best = middle, tried
        else:
            high = middle
    return best


def _spread(shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Return the turn of every block of that shape, all different, so that the first few lie all over the picture: by a Bayer matrix."""
    y, x = np.indices(shape)
    rank = np.zeros(shape, np.int64)
    for bit in range(max(shape).bit_length()):
        rank = 4 * rank + 2 * ((x ^ y) >> bit & 1) + (y >> bit & 1)
    turns = np.empty(rank.size, np.int64)
    turns[np.argsort(rank, None, kind="stable")] = np.arange(rank.size)
    return turns.reshape(shape)
