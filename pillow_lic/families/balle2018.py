"""The family `balle2018`: Balle et al., "Variational image compression with a scale hyperprior" (ICLR 2018, arXiv 1802.01436).

    pixels ─analysis(level)─▶ y, in steps ─hyper_analysis─round─▶ z ─one stored table for each channel─▶ ┐
                              y ─round─▶ q ─the table of its scale index, by z and level─────────────────▶ stream
    pixels ◀──synthesis(level)────────── q ◀─ scale index ◀─ scales(z, level), integers alone ◀─ z ◀────── ┘

The paper's idea: latents of one picture that are near each other have similar scales. A second, small set of latents, the
hyper-latents, tells the decoder the standard deviation of each latent; both are trained together for the bits of both.

Kept: zero-mean Gaussians, whose scales come from a hyper-latent at a quarter of the resolution.

Changed, and why:

* The transform is that of `balle2017`, number 14: files of the two have the same pixels, and differ by their entropy model.
* The network of the scales computes in whole numbers (FORMAT.md, section 9) and gives the number of a stored table, so that no float
  decides what is read. The paper's decoder may fail on another machine than the encoder's.
* One model for all rates.

FORMAT.md, 14.6 says how it decodes; onnx_models/recipes/balle2018.py trained it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..engine import entropy
from ..engine.models import Model
from ..fileformat.streams import unpack
from .shared import transform
from .shared.transform import Floats, Indexes, Pixels, Symbols

if TYPE_CHECKING:
    from . import Coded

NAME = "balle2018"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()

SCALES = 64
"""Tables of scale indexes; those of hyper-latents come after them."""


def encode(model: Model, pixels: Pixels, level: int) -> list[bytes]:
    """Return the one stream of pixels (h, w, 3). LicRuntimeError when the networks give what no symbol can stand for."""
    y = transform.latents(model, pixels, level)
    q = transform.rounded(y)
    z: Floats = model.run("hyper_analysis", y=_whole_cells(model, y)[None])[0][0]
    indexes = [_tables_of_z(model, z.shape, level), _tables_of_q(model, z, q.shape, level)]
    symbols = np.concatenate([z.astype(np.int16).ravel(), q.ravel()])
    return [entropy.encode(model.tables, symbols, np.concatenate([i.ravel() for i in indexes]))]


def decode(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) of that shape; LicDamagedError or LicDesyncError for what `encode` did not make."""
    q, _, _ = read(model, streams, shape, level)
    return transform.picture(model, q, shape, level)


def dump(model: Model, tile: Coded) -> dict[str, npt.NDArray[Any]]:
    """Return the symbols (M, h, w) int16 of a tile, the indexes (M, h, w) uint16 of their tables, and z (Z, h / 4, w / 4) int16."""
    q, tables, z = read(model, unpack(tile.payload), tile.area.shape, tile.level)
    return {"symbols": q, "indexes": tables, "hyper_latents": z}


def read(
    model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int
) -> tuple[Symbols, Indexes, Symbols]:
    """Return the symbols (M, h, w) of pixels of that shape, the indexes of their tables, and z (Z, h / 4, w / 4); errors as of `decode`."""
    (stream,) = transform.streams_of(model, streams, 1)
    whole, stride = transform.shape_of_latents(model, shape), model.constants["hyper_stride"]
    coder = entropy.Decoder(model.tables, stream)
    of_z = (model.constants["hyper_latents"], *(-(-length // stride) for length in whole[1:]))
    z = coder.decode(_tables_of_z(model, of_z, level))
    tables = _tables_of_q(model, z.astype(np.float32), whole, level)
    q = coder.decode(tables)
    coder.finish(z, q)
    return q, tables, z


def _whole_cells(model: Model, y: Floats) -> Floats:
    """Return latents (M, h, w) with 0 below and to the right, up to multiples of the stride of the hyper-latents."""
    stride = model.constants["hyper_stride"]
    return np.pad(y, ((0, 0), *((0, -length % stride) for length in y.shape[1:])))


def _tables_of_z(model: Model, shape: tuple[int, ...], level: int) -> Indexes:
    return transform.tables_by_channel(model, shape, level, SCALES)


def _tables_of_q(model: Model, z: Floats, shape: tuple[int, ...], level: int) -> Indexes:
    """Return the scale index of symbols of that shape, (M, h, w)."""
    indexes: npt.NDArray[np.uint8] = model.run("scales", z_hat=z[None], level=transform.as_input(level))[0][0]
    return indexes[:, : shape[1], : shape[2]].astype(np.uint16)
