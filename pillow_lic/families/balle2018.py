"""The family `balle2018`: Balle et al., "Variational image compression with a scale hyperprior" (ICLR 2018, arXiv 1802.01436).

    pixels ─analysis(level)─▶ y, in steps ─hyper_analysis(level)─round─▶ z ─one stored table for each channel─▶ ┐
                              y ─round─▶ q - centre ─the table of its scale index, by z and level───────────────▶ stream
    pixels ◀──synthesis(level)────────── q ◀─ scale index, centre ◀─ scales(z, level), integers alone ◀─ z ◀─── ┘

The paper's idea: latents of one picture that are near each other have similar scales. A second, small set of latents, the
hyper-latents, tells the decoder the standard deviation of each latent; both are trained together for the bits of both.

Kept: Gaussians whose scales come from a hyper-latent at a quarter of the resolution; zero-mean ones for all channels but the few below.

Changed, and why:

* The transform is that of `balle2017`, number 14: files of the two have the same pixels, and differ by their entropy model.
* The network of the scales computes in whole numbers (FORMAT.md, section 9) and gives the number of a stored table, so that no float
  decides what is read. The paper's decoder may fail on another machine than the encoder's.
* One model for all rates.
* The first four channels, which hold the mean colour, have centres in whole steps by the same network, as in the paper's successor
  (Minnen, Balle and Toderici 2018). Number 17 has none.

FORMAT.md, 14.6 says how it decodes; onnx_models/recipes/balle2018.py trained it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

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

Centres = npt.NDArray[np.int32]

SCALES = 64
"""Tables of scale indexes; those of hyper-latents come after them."""


def encode(model: Model, pixels: Pixels, level: int) -> list[bytes]:
    """Return the one stream of pixels (h, w, 3). LicRuntimeError when the networks give what no symbol can stand for."""
    y = transform.latents(model, pixels, level)
    q = transform.rounded(y)
    z: Floats = model.run("hyper_analysis", y=_whole_cells(model, y)[None], level=transform.as_input(level))[0][0]
    tables, centres = _told_by(model, z, q.shape, level)
    coded = q.copy()
    coded[: len(centres)] = np.clip(q[: len(centres)].astype(np.int32) - centres, -transform.LARGEST, transform.LARGEST)
    symbols = np.concatenate([z.astype(np.int16).ravel(), coded.ravel()])
    indexes = np.concatenate([_tables_of_z(model, z.shape, level).ravel(), tables.ravel()])
    return [entropy.encode(model.tables, symbols, indexes)]


def decode(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) of that shape; LicDamagedError or LicDesyncError for what `encode` did not make."""
    return transform.picture(model, read(model, streams, shape, level).symbols, shape, level)


def dump(model: Model, tile: Coded) -> dict[str, npt.NDArray[Any]]:
    """Return the symbols (M, h, w) int16 of a tile, the indexes (M, h, w) uint16 of their tables, z (Z, h / 4, w / 4) int16, and centres.

    These are those of the first channels, (0 or 4, h, w) int32: a symbol less its centre is what its table coded.
    """
    held = read(model, unpack(tile.payload), tile.area.shape, tile.level)
    return {"symbols": held.symbols, "indexes": held.tables, "hyper_latents": held.z, "centres": held.centres}


class Held(NamedTuple):
    """What a stream holds: symbols (M, h, w), the indexes of their tables, centres (0 or 4, h, w) of the first, and z (Z, h / 4, w / 4)."""

    symbols: Symbols
    tables: Indexes
    centres: Centres
    z: Symbols


def read(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Held:
    """Return what the stream of pixels of that shape holds; errors as of `decode`."""
    (stream,) = transform.streams_of(model, streams, 1)
    whole, stride = transform.shape_of_latents(model, shape), model.constants["hyper_stride"]
    coder = entropy.Decoder(model.tables, stream)
    of_z = (model.constants["hyper_latents"], *(-(-length // stride) for length in whole[1:]))
    z = coder.decode(_tables_of_z(model, of_z, level))
    tables, centres = _told_by(model, z.astype(np.float32), whole, level)
    coded = coder.decode(tables)
    coder.finish(z, coded)
    q = coded.copy()
    q[: len(centres)] = np.clip(coded[: len(centres)] + centres, -transform.LARGEST, transform.LARGEST)
    return Held(q, tables, centres, z)


def _whole_cells(model: Model, y: Floats) -> Floats:
    """Return latents (M, h, w) with the last row and column repeated up to multiples of the stride of the hyper-latents."""
    stride = model.constants["hyper_stride"]
    return np.pad(y, ((0, 0), *((0, -length % stride) for length in y.shape[1:])), "edge")


def _tables_of_z(model: Model, shape: tuple[int, ...], level: int) -> Indexes:
    return transform.tables_by_channel(model, shape, level, SCALES)


def _told_by(model: Model, z: Floats, shape: tuple[int, ...], level: int) -> tuple[Indexes, Centres]:
    """Return what z says of symbols of that shape: the scale indexes (M, h, w), and the centres of the first channels, in whole steps."""
    indexes, *centres = model.run("scales", z_hat=z[None], level=transform.as_input(level))
    of_some = centres[0][0] if centres else np.empty((0, *shape[1:]), np.float32)
    tables: Indexes = indexes[0, :, : shape[1], : shape[2]].astype(np.uint16)
    return tables, of_some[:, : shape[1], : shape[2]].astype(np.int32)
