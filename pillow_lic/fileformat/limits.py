"""The numbers that bound every .lic file, each with its reason; FORMAT.md promises the same ones.

A decoder checks them before it allocates anything. Raising one is a new version of the format, not a setting: what the
caller may set (`settings(max_pixels=...)`) only makes them smaller.
"""

from typing import Final

MAX_SIDE: Final = 65535
"""Largest width and height in pixels: two bytes, as in JPEG."""

MAX_PIXELS: Final = 178_956_970
"""Largest width * height: where Pillow's decompression bomb warning becomes an error (2 * (2**30 // 4 // 3))."""

MIN_TILE_EDGE: Final = 128
"""Smallest edge of a tile in a picture of several: below it the section framing and halo cost more than the pixels."""

MAX_TILE_EDGE: Final = 8192
"""Largest edge of a tile: the last value of the three-bit exponent. A model bounds the area besides."""

MAX_LEVEL: Final = 1024
"""Quality 10; level 0 is quality 1. A step is under 0.01 of quality, finer than any picture shows."""

MAX_VARINT: Final = 2**32 - 1
"""Largest variable-length integer: what five bytes are allowed to hold."""

MAX_MODEL_ID: Final = MAX_VARINT
"""Largest model number; 0 is no model."""

MAX_METADATA_BYTES: Final = 2**26
"""Largest ICC, EXIF or XMP payload: 64 MiB, twenty times the largest printer profiles."""

MAX_IMPORTANCE_BYTES: Final = 2**20
"""Largest importance payload: 1 MiB, more than a byte for every 16 x 16 pixels of the largest picture."""

MAX_ALPHA_BYTES: Final = 2**28
"""Largest alpha payload: 256 MiB, above zlib's worst case for the largest picture (about 171 MiB)."""

MAX_EXACT_BYTES: Final = 2**30
"""Largest exact payload: 1 GiB, above the 4 bytes a pixel that VP8L needs at worst for the largest picture."""

MAX_PREVIEW_BYTES: Final = 2**22
"""Largest preview payload: 4 MiB, above three channels of its pixels at 8 bits."""

MAX_PREVIEW_PIXELS: Final = 2**20
"""Largest width * height of a preview: of 1024 x 1024 pixels."""

MAX_TILE_BYTES: Final = 2**26
"""Largest tile payload: 64 MiB, above the 24 MB of the largest tile with an escape for every symbol."""

MAX_UNKNOWN_BYTES: Final = 2**26
"""Largest payload of an ancillary section this release does not know."""

MAX_OTHER_SECTIONS: Final = 64
"""Most sections that are not tiles, so that a file of a million empty ones is refused after the 65th."""
