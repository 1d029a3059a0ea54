"""Symbols that are coded independently, each by a stored table of its channel: what families without side information share.

pixels (H, W, 3) ─transform─▶ q ─one stored table for each channel near the level─▶ stream

A model may say what error is `worth` (bits for a squared step): then an encoder writes a symbol one nearer to 0 where that saves more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...engine import entropy
from ...engine.models import Model
from ...fileformat.streams import unpack
from . import transform
from .transform import Floats, Indexes, Pixels, Symbols

if TYPE_CHECKING:
    from ..contract import Coded

LARGEST = 511
"""Largest magnitude of a symbol whose bits are weighed."""


def encode(model: Model, pixels: Pixels, level: int) -> list[bytes]:
    """Return the one stream of pixels (h, w, 3). LicRuntimeError when the networks give what no symbol can stand for."""
    y = transform.latents(model, pixels, level)
    tables = transform.tables_by_channel(model, y.shape, level)
    q = transform.rounded(y)
    if worth := model.constants.get("worth"):
        q = cheaper(y, q, transform.bits_of_symbols(model, LARGEST)[tables[:, 0, 0]], worth)
    return [entropy.encode(model.tables, q, tables)]


def cheaper(y: Floats, q: Symbols, costs: Floats, worth: float) -> Symbols:
    """Return q (M, h, w), y rounded, with symbols made one smaller where that saves more bits than the error that it adds is worth.

    costs: bits of the symbols -LARGEST..LARGEST of each channel, (M, 2 LARGEST + 1). worth: bits for a squared step of error.
    """
    less = q - np.sign(q)
    channels = np.arange(len(q))[:, None, None]
    saved = (
        costs[channels, q.clip(-LARGEST, LARGEST) + LARGEST] - costs[channels, less.clip(-LARGEST, LARGEST) + LARGEST]
    )
    return np.where(saved > worth * ((y - less) ** 2 - (y - q) ** 2), less, q)


def decode(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) of that shape; LicDamagedError for what `encode` did not make."""
    q, _ = read(model, streams, shape, level)
    return transform.picture(model, q, shape, level)


def dump(model: Model, tile: Coded) -> dict[str, npt.NDArray[Any]]:
    """Return the symbols (M, h, w) int16 of a tile, y_hat in steps, and the indexes (M, h, w) uint16 of their tables."""
    q, tables = read(model, unpack(tile.payload), tile.area.shape, tile.level)
    return {"symbols": q, "indexes": tables}


def read(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> tuple[Symbols, Indexes]:
    """Return the symbols (M, h, w) of pixels of that shape, and the indexes of their tables; LicDamagedError as `decode`."""
    (stream,) = transform.streams_of(model, streams, 1)
    tables = transform.tables_by_channel(model, transform.shape_of_latents(model, shape), level)
    with transform.no_network_in_the_parse():
        return entropy.decode(model.tables, stream, tables), tables
