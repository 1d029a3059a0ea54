"""The filter of pixels in native code: its sums for an encoder, and what a decoder shows (native/filter.hpp, FORMAT.md 8.7).

cells float32 (12, h, w), levels  --spread-->  colours uint16 (2h, 2w, 3), sixteenths  --filtered-->  pixels uint8
"""

from __future__ import annotations

from .._native import filter_sums, filtered, spread

__all__ = ["filter_sums", "filtered", "spread"]
