"""The family `rippel2017`: Rippel and Bourdev, "Real-Time Adaptive Image Compression" (ICML 2017, arXiv 1705.05823).

    pixels ─analysis(level)─▶ y, in steps ─round─▶ q ─bit planes in contexts─▶ stream
    pixels ◀─synthesis(level)── the middle of what each symbol can be ◀────── as much of it as there is

The paper's idea: features of several scales of a picture, aligned and summed, give one code of 6 bits. Its bit planes are coded from
the highest to the lowest, so that any beginning of a stream shows the whole picture, coarser. Training keeps magnitudes, and
differences between neighbours, small, so that there is little to code.

Kept: pyramid and alignment, 6 bits, bit planes coded by what is known around each bit, the regularisation of the length.

Changed, and why:

* One model for all rates, by gains for each channel and level; the paper has a model for each rate.
* Contexts are integers, counted while coding, instead of a network that computes probabilities: no float decides what is read.
* Coefficients are divided by a root of the contrast of their block, because MS-SSIM compares errors with contrast: training for an hour
  is too short to learn that.
* No adversarial loss, which the paper adds at low rates: the claim here is MS-SSIM.
* Tiles with a halo (`tilewise`): a picture of any size needs the memory of one tile.

FORMAT.md, 14.13 says how it decodes; onnx_models/recipes/rippel2017.py trained it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..engine.models import Model
from ..fileformat.streams import unpack
from .shared import bitplanes, transform

if TYPE_CHECKING:
    from . import Coded

Pixels = npt.NDArray[np.uint8]

NAME = "rippel2017"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()

CELLS = 2
"""Symbols of a block of `stride` pixels each way."""
ROUNDING = np.float32(0.42)
"""The addition to a magnitude before it is cut to a whole number: less than a half, as smaller symbols are shorter."""


def encode(model: Model, pixels: Pixels, level: int) -> list[bytes]:
    """Return the one stream of pixels (h, w, 3). LicRuntimeError when the network gives what no symbol can stand for."""
    y = transform.latents(model, pixels, level)
    size = np.minimum(np.floor(np.abs(y) + ROUNDING), bitplanes.LARGEST)
    return [bitplanes.pack(model.starts, np.where(y < 0, -size, size).astype(np.int8))]


def decode(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) of that shape; LicDamagedError for what `encode` did not make."""
    return _shown(model, _read(model, streams, shape), shape, level)


def decode_cut(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) by the beginning of the stream (`families.Progressive.decode_cut`)."""
    return _shown(model, _read(model, streams, shape, cut=True), shape, level)


def cut(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int, size: int) -> list[bytes]:
    """Return the one stream with as many planes and channels as fit into `size` bytes (`families.Progressive.cut`)."""
    return [bitplanes.shortened(model.starts, _read(model, streams, shape), size)]


def dump(model: Model, tile: Coded) -> dict[str, npt.NDArray[Any]]:
    """Return the symbols (latents, h, w) int8 of a tile."""
    return {"symbols": _read(model, unpack(tile.payload), tile.area.shape).symbols}


def _read(
    model: Model, streams: Sequence[memoryview], shape: tuple[int, int], *, cut: bool = False
) -> bitplanes.Planes:
    """Return what the streams of pixels of that shape say of their symbols; LicDamagedError as `decode`."""
    (stream,) = transform.streams_of(model, streams, 1)
    rows, columns = transform.shape_of_blocks(model, shape)
    with transform.no_network_in_the_parse():
        return bitplanes.unpack(
            model.starts, stream, (model.constants["latents"], CELLS * rows, CELLS * columns), cut=cut
        )


def _shown(model: Model, planes: bitplanes.Planes, shape: tuple[int, int], level: int) -> Pixels:
    pixels: Pixels = model.run("synthesis", q=planes.values()[None], level=transform.as_input(level))[0][0]
    return pixels[: shape[0], : shape[1]]
