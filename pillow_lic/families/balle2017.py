"""The family `balle2017`: Balle, Laparra and Simoncelli, "End-to-end optimized image compression" (ICLR 2017, arXiv 1611.01704).

    pixels ─analysis(level)─▶ y, in steps ─round─▶ q ─one stored table for each channel─▶ stream
    pixels ◀───────────────synthesis(level)─────── q ◀──────────────────────────────────── stream

The paper's idea: both transforms are trained end to end for rate and distortion, with noise in place of rounding while they
learn, and their nonlinearity is divisive normalisation (GDN), which makes the coefficients of natural pictures nearly
independent. Then a prior that knows nothing but the channel is enough, and there is no side information.

Kept: three layers each way (9x9 with a stride of 4, two of 5x5 with a stride of 2) with GDN between them; symbols that are
coded independently, each by the distribution of its channel.

Changed, and why:

* 128 features and 256 latents, about half of the work; the paper has 192 of both, and 256 at its two highest rates.
* One model of 5 MB for all rates, by factors for each channel that depend on the level; the paper has a model for each rate.
* Stored integer tables, one for each channel near the level, instead of an adaptive binary coder: all symbols of a tile are
  read at once, and no float decides what is read.
* Tiles with a halo (`tilewise`): a picture of any size needs the memory of one tile.

FORMAT.md, 14.3 says how it decodes; onnx_models/recipes/balle2017.py trained it.
"""

from __future__ import annotations

from .shared.factorised import decode, dump, encode

__all__ = ["MODES", "NAME", "OPTIONS", "decode", "dump", "encode"]

NAME = "balle2017"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()
