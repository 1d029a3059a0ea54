"""The family `restored`, a JPEG file shown restored: after Cavigelli, Hager and Benini, "CAS-CNN" (IJCNN 2017, arXiv 1611.07233).

    JPEG file ─▶ the .lic file holds it byte for byte ─▶ its pixels ─restore(its tables)─▶ pixels without the marks of JPEG
                                                    └──▶ the same JPEG file again (`lic extract`)

The paper's idea: a network with skip connections between several resolutions removes the blocks and the ringing of JPEG. In training
it has an output at each resolution, and its loss counts all of them.

Kept: several resolutions with skips; outputs at several of them in training; the squared error as loss.

Changed, and why:

* One network for all qualities, which takes the file's quantisation tables as an input; the paper trains one of 5 M weights for each.
* Its features lie on the JPEG's own grid of blocks, and its corrections are in units of the error that the tables let expect.
* Colours are restored, not only luma.
* The JPEG file is kept: if you do not trust the network, you still have the original.

A picture that was not opened from a JPEG file, or that gets a quality, is saved as one first. `pillow_lic.restore` and
`lic restore` use the same network without a .lic file. FORMAT.md, 14 says how it decodes; onnx_models/recipes/restored.py trained it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .wrapped.coding import WrappedWriter, drafts, reader
from .wrapped.inner import check, inner

if TYPE_CHECKING:
    from ..engine.models import Model
    from . import Pixels, Request

__all__ = ["KEEPS_ORIGINAL", "MODES", "NAME", "OPTIONS", "check", "drafts", "inner", "reader", "writer"]

NAME = "restored"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()
KEEPS_ORIGINAL = True
"""The file that a picture was decoded from may go into the .lic file as it is."""


def writer(model: Model, pixels: Pixels, request: Request) -> WrappedWriter:
    """Return the writer of a picture (H, W, 3); it keeps the original of the request."""
    return WrappedWriter(model, pixels, original=request.original)
