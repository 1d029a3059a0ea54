"""The family `lossless`: every pixel as it is, alpha included, as VP8L bitstreams; no network, no table (FORMAT.md).

    pixels ─▶ the parts of a tile ─▶ VP8L bitstreams ─▶ streams of the tile

VP8L is the lossless half of WebP (RFC 9649). Pillow has it anyway, and its files of screenshots and drawings are a third smaller than
PNG's. The level does not change what is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..fileformat import vp8l

if TYPE_CHECKING:
    from ..engine.models import Model
    from . import Pixels

NAME = "lossless"
MODES = frozenset({"L", "LA", "RGB", "RGBA"})
OPTIONS: frozenset[str] = frozenset()
_QUICKLY_SEARCHED = 256 * 256
"""Up to this many pixels `encode_quickly` tries everything too, which takes up to half a second."""


def encode(model: Model, pixels: Pixels, level: int) -> list[bytes]:
    """Return the bitstreams of pixels (h, w, 1..4)."""
    return vp8l.write(pixels, vp8l.Search.LONG)


def encode_quickly(model: Model, pixels: Pixels, level: int) -> list[bytes]:
    """Return bitstreams of pixels (h, w, 1..4) in a tenth of the time: as small as those of `encode`, except of gradients."""
    is_small = pixels.shape[0] * pixels.shape[1] <= _QUICKLY_SEARCHED
    return vp8l.write(pixels, vp8l.Search.LONG if is_small else vp8l.Search.FILE)


def check(streams: Sequence[memoryview], shape: tuple[int, int]) -> None:
    """Raise LicDamagedError for bitstreams whose first bytes are not those of VP8L, or claim another size than that shape."""
    vp8l.check(streams, shape)


def decode(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 4) of that shape, alpha last."""
    return vp8l.read(streams, shape)
