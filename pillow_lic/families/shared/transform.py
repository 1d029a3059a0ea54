"""The transform that families share: pixels to whole numbers by a model's `analysis`, and back by its `synthesis`.

pixels (H, W, 3) ─analysis(level)─▶ y, in steps ─round─▶ q (latents, ceil(H / stride), ceil(W / stride))
pixels (H, W, 3) ◀──────synthesis(level)──────────────── q

Families import this module and choose how q is coded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ...engine import entropy
from ...engine.models import Model
from ...errors import LicDamagedError, LicDesyncError, LicRuntimeError
from ...fileformat.areas import padded

Pixels = npt.NDArray[np.uint8]
Symbols = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.uint16]

LARGEST = 32767
"""Largest magnitude of a symbol."""


def latents(model: Model, pixels: Pixels, level: int) -> Floats:
    """Return y (latents, rows, columns) of pixels (h, w, 3). LicRuntimeError when the network gives what no symbol can stand for."""
    y: Floats = model.run("analysis", pixels=whole_blocks(model, pixels), level=as_input(level))[0][0]
    if not np.abs(y).max() <= LARGEST:
        msg = f"the networks gave latents up to {np.abs(y).max():g} steps, {LARGEST} is the most: the engine failed"
        raise LicRuntimeError(msg)
    return y


def whole_blocks(model: Model, pixels: Pixels) -> Pixels:
    """Return pixels (h, w, 3) with the last row and column repeated up to multiples of the stride."""
    stride = model.constants["stride"]
    missing = [(0, padded(length, stride) - length) for length in pixels.shape[:2]]
    return np.pad(pixels, (*missing, (0, 0)), "edge")


def rounded(y: Floats) -> Symbols:
    """Return the whole numbers nearest to y (M, h, w)."""
    return np.rint(y).astype(np.int16)


def streams_of(model: Model, streams: Sequence[memoryview], count: int) -> Sequence[memoryview]:
    """Return the streams of a payload; LicDamagedError if there are not `count` of them."""
    if len(streams) != count:
        has = "one stream" if count == 1 else f"{count} streams"
        msg = f"tile of model {model.name} must have {has}, got {len(streams)}"
        raise LicDamagedError(msg)
    return streams


@contextmanager
def no_network_in_the_parse() -> Iterator[None]:
    """Turn a LicDesyncError of a `with` block into LicDamagedError: where no network has a part in what is read, bytes are wrong."""
    try:
        yield
    except LicDesyncError as error:
        msg = "the coded symbols are damaged: they are not those that were written"
        raise LicDamagedError(msg) from error


def shape_of_latents(model: Model, shape: tuple[int, int]) -> tuple[int, int, int]:
    """Return (latents, rows, columns) of pixels of that shape."""
    return (model.constants["latents"], *shape_of_blocks(model, shape))


def shape_of_blocks(model: Model, shape: tuple[int, int]) -> tuple[int, int]:
    """Return the rows and columns of blocks of `stride` pixels that cover pixels of that shape."""
    stride = model.constants["stride"]
    rows, columns = (padded(length, stride) // stride for length in shape)
    return rows, columns


def picture(model: Model, q: Symbols, shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) of that shape that symbols stand for."""
    pixels: Pixels = model.run("synthesis", q=q.astype(np.float32)[None], level=as_input(level))[0][0]
    return pixels[: shape[0], : shape[1]]


def anchor(model: Model, level: int) -> int:
    """Return the number of the anchor nearest to a level, the higher of two as near: 0 for those below half a spacing."""
    spacing: int = model.constants["level_spacing"]
    return (level + spacing // 2) // spacing


def tables_by_channel(model: Model, shape: tuple[int, ...], level: int, first: int = 0) -> Indexes:
    """Return the number of the table of symbols of that shape, (channels, rows, columns).

    There is one for each channel near each anchor, anchor by anchor, from table `first` on.
    """
    channels = np.arange(shape[0], dtype=np.uint16) + np.uint16(first + shape[0] * anchor(model, level))
    return np.broadcast_to(channels[:, None, None], shape)


@lru_cache(maxsize=8)
def bits_of_symbols(model: Model, largest: int) -> Floats:
    """Return what each symbol -largest..largest costs in bits by each stored table, (tables, 2 largest + 1), not to be written to."""
    found = entropy.stored_bits(model.stored("tables").read(), largest)
    found.setflags(write=False)
    return found


def as_input(level: int) -> Floats:
    """Return a level as networks take it, (1, 1, 1, 1)."""
    return np.full((1, 1, 1, 1), level, np.float32)
