"""The family `autoencoder`: the simplest learned codec, without the refinements of any paper.

    pixels ─analysis(level)─▶ y, in steps ─round─▶ q ─one stored table for each channel─▶ stream
    pixels ◀───────────────synthesis(level)─────── q ◀──────────────────────────────────── stream

It has convolutions, rounding to whole numbers, and a table for each channel: `balle2017` without its normalisation, or `li2018` without
its binary code and importance map. Read it first; the others are compared with it.

* 96 latents for a block of 8x8 pixels, and one model for all rates, by factors for each latent that depend on the level.
* Tiles with a halo (`tilewise`): a picture of any size needs the memory of one tile.

FORMAT.md, 14.11 says how it decodes; onnx_models/recipes/autoencoder.py trained it.
"""

from __future__ import annotations

from .shared.factorised import decode, dump, encode

__all__ = ["MODES", "NAME", "OPTIONS", "decode", "dump", "encode"]

NAME = "autoencoder"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()
