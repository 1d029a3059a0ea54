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

from ..engine import entropy
from ..engine.models import Model
from . import transform
from .transform import Pixels

NAME = "balle2017"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()


def encode(model: Model, pixels: Pixels, level: int) -> list[bytes]:
    """Return the one stream of pixels (h, w, 3). LicRuntimeError when the networks give what no symbol can stand for."""
    q = transform.rounded(transform.latents(model, pixels, level))
    return [entropy.encode(model.tables, q, _tables(model, q.shape, level))]


def decode(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) of that shape; LicDamagedError for what `encode` did not make."""
    (stream,) = transform.streams_of(model, streams, 1)
    tables = _tables(model, transform.shape_of_latents(model, shape), level)
    with transform.no_network_in_the_parse():
        q = entropy.decode(model.tables, stream, tables)
    return transform.picture(model, q, shape, level)


def _tables(model: Model, shape: tuple[int, int, int], level: int) -> transform.Indexes:
    """Return the numbers of the tables of symbols of that shape, (channels, rows, columns): by channel, near the level."""
    return transform.tables_by_channel(shape, transform.anchor(model, level))
