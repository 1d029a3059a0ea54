"""The family `theis2017`: Theis et al., "Lossy image compression with compressive autoencoders" (ICLR 2017, arXiv 1703.00395).

    pixels ─analysis(level)─▶ y, in steps ─round─▶ q ─one stored table for each channel─▶ stream
    pixels ◀───────────────synthesis(level)─────── q ◀──────────────────────────────────── stream

The paper's idea: an autoencoder of ordinary parts (strided convolutions, residual blocks, sub-pixel convolutions) can learn to
code. In training the gradient passes rounding as if it were not there, a mixture of Gaussian scales gives an upper bound of the bits,
and coefficients are added one by one. The same network serves other rates with factors for the coefficients, which are tuned while its
weights stay.

Kept: the layers and their strides, a factor of 8 in all; symbols that are coded independently, each by the histogram of its channel.

Changed, and why:

* 32, 64 and 64 features; the paper has 64, 128 and 96: a quarter of the work.
* One network for all rates; the paper has three, and a byte that says which.
* A symbol may be one nearer to 0 than rounding has it, where that saves more bits than its error is worth.
* The last row and column are repeated, not mirrored, to fill up blocks: a picture of one row has nothing to mirror.
* Tiles with a halo (`tilewise`): a picture of any size needs the memory of one tile.

FORMAT.md, 14.7 says how it decodes; onnx_models/recipes/theis2017.py trained it.
"""

from __future__ import annotations

from .shared.factorised import decode, dump, encode

__all__ = ["MODES", "NAME", "OPTIONS", "decode", "dump", "encode"]

NAME = "theis2017"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()
