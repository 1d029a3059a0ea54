"""The family `agustsson2017`: Agustsson et al., "Soft-to-Hard Vector Quantization" (NIPS 2017, arXiv 1704.00648).

    pixels ─analysis(level)─▶ y ─nearest centre─▶ its number ─one stored table for each channel─▶ stream
    pixels ◀─synthesis(level)── centre ◀────────── number ◀────────────────────────────────────── stream

The paper's idea: the values to round to, called centres, are learnt too. In training every value is a mixture of all centres,
weighed by softmax(-sigma * distance^2); sigma grows until the mixture is the nearest centre. The entropy is that of a
histogram of the same soft assignments, so that nothing is assumed about the distribution.

Kept: learned scalar centres for all channels, symbols that are numbers of centres, stored histograms.

Changed, and why:

* 65 centres; the paper quantises with several hundred of them, at one rate. Here factors for each channel that depend on the level
  give all rates with one model.
* A smaller network, begun as block PCA, and centres begun at equal distances: minutes of training instead of days.
* Tiles with a halo (`tilewise`): a picture of any size needs the memory of one tile.

FORMAT.md, 14.12 says how it decodes; onnx_models/recipes/agustsson2017.py trained it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..engine import entropy
from ..engine.models import Model
from ..errors import LicDamagedError
from ..fileformat.streams import unpack
from .shared import transform

if TYPE_CHECKING:
    from . import Coded

Pixels = npt.NDArray[np.uint8]

NAME = "agustsson2017"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()


def encode(model: Model, pixels: Pixels, level: int) -> list[bytes]:
    """Return the one stream of pixels (h, w, 3). LicRuntimeError when the networks give no numbers."""
    c = _centres(model)
    q = np.searchsorted((c[1:] + c[:-1]) / 2, transform.latents(model, pixels, level)).astype(np.int16)
    return [entropy.encode(model.tables, q, transform.tables_by_channel(model, q.shape, level))]


def decode(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) of that shape; LicDamagedError for what `encode` did not make."""
    y = _centres(model)[_read(model, streams, shape, level)]
    pixels: Pixels = model.run("synthesis", q=y[None], level=transform.as_input(level))[0][0]
    return pixels[: shape[0], : shape[1]]


def dump(model: Model, tile: Coded) -> dict[str, npt.NDArray[Any]]:
    """Return the symbols (M, h, w) int16 of a tile, the numbers of their centres, and the latents (M, h, w) float32 in steps."""
    q = _read(model, unpack(tile.payload), tile.area.shape, tile.level)
    return {"symbols": q, "latents": _centres(model)[q]}


def _read(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> transform.Symbols:
    """Return the numbers of centres (M, h, w) of pixels of that shape; LicDamagedError as `decode`."""
    (stream,) = transform.streams_of(model, streams, 1)
    tables = transform.tables_by_channel(model, transform.shape_of_latents(model, shape), level)
    with transform.no_network_in_the_parse():
        q = entropy.decode(model.tables, stream, tables)
    count = len(_centres(model))
    if not 0 <= q.min() <= q.max() < count:
        msg = f"centres of model {model.name} have the numbers 0 to {count - 1}, got {q.min()} to {q.max()}"
        raise LicDamagedError(msg)
    return q


@cache
def _centres(model: Model) -> transform.Floats:
    """Return the centres of a model, ascending, (L,)."""
    return np.frombuffer(model.stored("centres").read(), "<f4").astype(np.float32)
