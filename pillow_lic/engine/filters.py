"""The last steps of a decoder in native code: synthesis, layers that see single pixels, and the filter of pixels, with its sums for an encoder.

latents (384, h, w), levels  --Synthesis.draw-->  picture (12, 8h, 8w), context (16, 2h, 2w) (native/synthesis.hpp)
picture (12, 8h, 8w), context (16, 2h, 2w), levels  --Detail.draw-->  colours uint16 (16h, 16w, 3), sixteenths (native/detail.hpp)
cells float32 (12, h, w), levels  --spread-->  colours uint16 (2h, 2w, 3), sixteenths  --filtered-->  pixels uint8 (native/filter.hpp)
"""

from __future__ import annotations

from .. import _native
from .._native import Detail, Draft, Synthesis
from .ending import at_work

__all__ = ["Detail", "Draft", "Synthesis", "filter_sums", "filter_sweep", "filtered", "spread"]

filter_sums = at_work(_native.filter_sums)
filter_sweep = at_work(_native.filter_sweep)
filtered = at_work(_native.filtered)
spread = at_work(_native.spread)
