"""The family `balle2017`: Balle, Laparra and Simoncelli, "End-to-end optimized image compression" (ICLR 2017, arXiv 1611.01704).

    pixels ─analysis(level)─▶ y, in steps ─round─▶ q ─one stored table for each channel─▶ stream
    pixels ◀───────────────synthesis(level)─────── q ◀──────────────────────────────────── stream

The paper's idea: both transforms are trained end to end for rate and distortion, with noise in place of rounding while they
learn, and their nonlinearity is divisive normalisation (GDN), which makes the coefficients of natural pictures nearly
independent. Then a prior that knows nothing but the channel is enough, and there is no side information.

Kept: three layers each way (9x9 with a stride of 4, two of 5x5 with a stride of 2) with GDN between them; symbols that are
coded independently, each by the distribution of its channel.

Changed, and why:

* 128 features and 256 latents; the paper has 192 of both, and 256 at its two highest rates: about half of the work.
* One model for all rates, by factors for each channel that depend on the level: the paper's are one for each rate, which
  would be as many times the 5 MB.
* Stored integer tables, one for each channel near the level, instead of an adaptive binary coder: all symbols of a tile are
  read at once, and no float decides what is read.
* Tiles with a margin (`tilewise`): a picture of any size needs the memory of one tile.

FORMAT.md, 14.3 says how it decodes; onnx_models/recipes/balle2017.py trained it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..engine import entropy
from ..engine.models import Model
from ..errors import LicDamagedError, LicDesyncError, LicRuntimeError
from ..fileformat.areas import padded
from ..fileformat.streams import unpack

if TYPE_CHECKING:
    from . import Coded

Pixels = npt.NDArray[np.uint8]

NAME = "balle2017"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()

LARGEST = 32767
"""Largest magnitude of a symbol."""


def encode(model: Model, pixels: Pixels, level: int) -> list[bytes]:
    """Return the one stream of pixels (h, w, 3). LicRuntimeError when the networks give what no symbol can stand for."""
    stride = model.constants["stride"]
    missing = [(0, padded(length, stride) - length) for length in pixels.shape[:2]]
    whole = np.pad(pixels, (*missing, (0, 0)), "edge")
    y = model.run("analysis", pixels=whole, level=_as_input(level))[0][0]
    if not np.abs(y).max() <= LARGEST:
        msg = f"the networks gave latents up to {np.abs(y).max():g} steps, {LARGEST} is the most: the engine failed"
        raise LicRuntimeError(msg)
    q = np.rint(y).astype(np.int16)
    return [entropy.encode(model.tables, q, _tables_of(model, q.shape, level))]


def decode(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) of that shape; LicDamagedError for what `encode` did not make."""
    q, _ = _read(model, streams, shape, level)
    pixels: Pixels = model.run("synthesis", q=q.astype(np.float32)[None], level=_as_input(level))[0][0]
    return pixels[: shape[0], : shape[1]]


def dump(model: Model, tile: Coded) -> dict[str, npt.NDArray[Any]]:
    """Return the symbols (M, h, w) int16 of a tile, y_hat in steps, and the indexes (M, h, w) uint16 of their tables."""
    q, tables = _read(model, unpack(tile.payload), tile.area.shape, tile.level)
    return {"symbols": q, "indexes": tables}


def _read(
    model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.uint16]]:
    """Return the symbols (M, h, w) of pixels of that shape, and the indexes of their tables; LicDamagedError as `decode`."""
    if len(streams) != 1:
        msg = f"tile of model {model.name} must have one stream, got {len(streams)}"
        raise LicDamagedError(msg)
    height, width = (padded(length, model.constants["stride"]) // model.constants["stride"] for length in shape)
    tables = _tables_of(model, (model.constants["latents"], height, width), level)
    try:
        return entropy.decode(model.tables, streams[0], tables), tables
    except LicDesyncError as error:  # no network has a part in what is read
        msg = "the coded symbols are damaged: they are not those that were written"
        raise LicDamagedError(msg) from error


def _tables_of(model: Model, shape: tuple[int, ...], level: int) -> npt.NDArray[np.uint16]:
    """Return the numbers of the tables of symbols of that shape, (channels, rows, columns): by channel, near the level."""
    spacing = model.constants["level_spacing"]
    anchor = (level + spacing // 2) // spacing
    channels = np.arange(shape[0], dtype=np.uint16) + np.uint16(shape[0] * anchor)
    return np.broadcast_to(channels[:, None, None], shape)


def _as_input(level: int) -> npt.NDArray[np.float32]:
    return np.full((1, 1, 1, 1), level, np.float32)
