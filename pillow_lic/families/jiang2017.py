"""The family `jiang2017`: two networks around an ordinary codec.

Jiang, Tao, Liu, Ren, Guo and Zhao, "An End-to-End Compression Framework Based on Convolutional Neural Networks" (arXiv 1708.00838).

    pixels ─compact (ComCNN)─▶ half size ─Pillow's JPEG of the level─▶ JPEG file, which is the stream
    pixels ◀─refine, restore (RecCNN)─ half size ◀───────────────────────┘

The paper's idea: a network before the codec makes a picture of half size that codes well. Another one behind it enlarges the decoded
picture, by correcting a bicubic enlargement. The codec has no gradient, so the two are trained in turns, and the codec is skipped
when the first one learns.

Kept: both networks, half size, JPEG between them, bicubic enlargement and a residual on it, the training in turns.

Changed, and why:

* RecCNN works on the JPEG's own blocks, as `restored` does, instead of 20 layers at full size: a small part of the work.
* ComCNN has 24 features instead of 64, so that encoding is quick.
* RecCNN has a second part (`refine`), which learned with the first one at rest.
* The JPEG has tables that suit half size (`wrapped.even`).
* One pair of networks serves every quality of the JPEG: RecCNN takes the file's tables as an input.

Halving pays where JPEG is poor: up to about 0.4 bits per pixel. FORMAT.md, 14 says how it decodes; onnx_models/recipes/jiang2017.py
and jiang2017_refined.py trained it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..fileformat import jpeg
from .wrapped.coding import WrappedWriter, drafts, reader
from .wrapped.even import evened
from .wrapped.inner import check, inner
from .wrapped.restoration import compacted

if TYPE_CHECKING:
    from ..engine.models import Model
    from . import Pixels, Request

__all__ = ["MODES", "NAME", "OPTIONS", "check", "drafts", "inner", "reader", "writer"]

NAME = "jiang2017"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()


def writer(model: Model, pixels: Pixels, request: Request) -> WrappedWriter:
    """Return the writer of a picture (H, W, 3)."""
    return WrappedWriter(model, pixels, compacted, _file)


def _file(pixels: Pixels, quality: int) -> bytes:
    """Return the JPEG file of an inner picture at a quality 1-100 of Pillow's scale."""
    return jpeg.write(pixels, quality, evened(jpeg.steps_of(quality)))
