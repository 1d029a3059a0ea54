"""Pixels kept exactly: VP8L bitstreams, the lossless half of WebP (RFC 9649), written and read by Pillow.

Only the bare bitstream is stored. A reader checks the sizes in its first five bytes and puts it behind a header of its own
making, so that no other decoder of Pillow is ever opened and nothing is allocated by a size that differs from the header's.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, features

from ..deadlines import check_time
from ..errors import LicDamagedError, LicRuntimeError, let_pass
from .areas import Area
from .tiling import Tiling

Pixels = npt.NDArray[np.uint8]

SIGNATURE: Final = 0x2F
HEAD_BYTES: Final = 5
"""Bytes before the coded pixels: the signature, two sides of 14 bits, the alpha hint and the version of 3 bits."""
MAX_PART_SIDE: Final = 8192
"""Longest side, in pixels, of a bitstream: larger pictures are cut into parts. VP8L itself allows 16384."""
_ALPHA_HINT: Final = 0x10
"""Bit of the fifth byte that says that some pixel's alpha is not 255."""
_RIFF_BYTES: Final = 20
"""Bytes that a WebP file has before the bitstream: RIFF, length, WEBP, VP8L, length."""
_COUNTING: Final = (1, 50)
"""libwebp's method and effort (which it calls quality) to estimate bits: within 5 % of _FIRST on drawings, in half the time (tests/screens)."""
_FIRST: Final = (4, 75)
"""For a first search: at most 3 % more bytes than _SMALLEST on pages and 9 % on charts, in a tenth of the time."""
_PART: Final = (4, 100)
"""For the exact layer: as many bytes as _SMALL in the mean of 22 layers (-6 to +9 %), in a third of the time (tests/screens)."""
_QUICK: Final = (4, 80)
"""For the exact layer at effort 0: 0 to 5 % more bytes than _PART, on maps in 0.4 of the time. With 75 WebP looks less far back, for up
to 10 % more."""
_SMALL: Final = (5, 100)
"""For photographs and noise: as many bytes as _SMALLEST (1.3 % more for a scan), in a fifth to a twentieth of the time.

Up to 40 % fewer bytes than _PART for pictures without a palette, in three times the time."""
_SMALLEST: Final = (6, 100)
"""For a drawing that is a whole file: gradients take down to half of the bytes, which the other searches do not find."""
_DECODING_BYTES: Final = 12
"""Bytes of memory for every pixel that libwebp decodes: two canvases, and what is being decoded."""
_PALETTE: Final = 256
"""Most colours of a palette."""
_DRAWN_BITS: Final = 6
"""A picture of at most this many bits a pixel is taken for a drawing. With more, trying everything takes 5 to 100 s/MP and saves 1 %."""


class Search(Enum):
    """How long the search for few bytes takes, the shortest first."""

    QUICK = auto()
    """Of an exact layer at effort 0."""
    PART = auto()
    """Of an exact layer."""
    FILE = auto()
    """Of a lossless file at efforts 0 and 1."""
    LONG = auto()
    """Of a lossless file at effort 2 and more, and with lossless=True."""


def parts(height: int, width: int) -> list[Area]:
    """Return the areas, in raster order, that a picture of that size is cut into: one up to MAX_PART_SIDE."""
    return Tiling(width, height, MAX_PART_SIDE).tiles()


def write(pixels: Pixels, search: Search) -> list[bytes]:
    """Return the bitstreams of the parts of pixels (h, w, 1), (h, w, 2), (h, w, 3) or (h, w, 4): grey or colours, and alpha.

    Colours under alpha 0 are kept too. LicRuntimeError where Pillow has no WebP, MemoryError where there is too little of it.
    """
    _need_webp("writing")
    return [_written(pixels[area.slices], search) for area in parts(*pixels.shape[:2])]


def bits(pixels: Pixels) -> int:
    """Return about how many bits the bitstreams of pixels (h, w, 1 to 4) have, by a quick search, which finds more than `write`."""
    _need_webp("writing")
    images = (_image(pixels[area.slices]) for area in parts(*pixels.shape[:2]))
    return 8 * sum(len(_bitstream(image, *_COUNTING)) for image in images)


def read(streams: Sequence[bytes | memoryview], shape: tuple[int, int]) -> Pixels:
    """Return the pixels (h, w, 4), alpha last, of as many bitstreams as `parts` asks for.

    LicDamagedError for streams that hold no picture of that shape, MemoryError where there is too little of it for one, LicRuntimeError
    where Pillow has no WebP.
    """
    pixels = np.empty((*shape, 4), np.uint8)
    for number, area in enumerate(parts(*shape)):
        pixels[area.slices] = read_part(streams, shape, number)
    return pixels


def read_part(streams: Sequence[bytes | memoryview], shape: tuple[int, int], number: int) -> Pixels:
    """Return the pixels (h, w, 4) of one of the `parts` of that shape; errors as of `read`."""
    check(streams, shape)
    _need_webp("reading")
    return _read(streams[number])


def check(streams: Sequence[bytes | memoryview], shape: tuple[int, int]) -> None:
    """Raise LicDamagedError unless the first bytes of the bitstreams claim the sizes of the parts of that shape."""
    areas = parts(*shape)
    if len(streams) != len(areas):
        msg = f"exact pixels of {shape[1]}x{shape[0]} must have {len(areas)} bitstreams, got {len(streams)}"
        raise LicDamagedError(msg)
    for stream, area in zip(streams, areas, strict=True):
        head = bytes(stream[:HEAD_BYTES])
        if len(head) < HEAD_BYTES or head[0] != SIGNATURE or head[4] >> 5:
            msg = f"exact pixels must be a VP8L bitstream of version 0, got {head.hex() or 'nothing'}"
            raise LicDamagedError(msg)
        size = _size(head)
        if size != (area.width, area.height):
            msg = f"exact pixels must be {area.width}x{area.height}, their bitstream says {size[0]}x{size[1]}"
            raise LicDamagedError(msg)


def _size(stream: bytes | memoryview) -> tuple[int, int]:
    """Return the width and height that a bitstream claims."""
    bits = int.from_bytes(stream[1:HEAD_BYTES], "little")
    return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)


def _written(pixels: Pixels, search: Search) -> bytes:
    image = _image(pixels)
    if search is Search.QUICK:
        return _bitstream(image, *_QUICK)
    if search is Search.PART or (search is Search.FILE and image.getcolors(_PALETTE) is not None):
        return _bitstream(image, *_PART)
    if search is Search.FILE:
        return _bitstream(image, *_SMALL)
    found = _bitstream(image, *_FIRST)
    is_drawn = 8 * len(found) <= _DRAWN_BITS * image.width * image.height
    return min(found, _bitstream(image, *(_SMALLEST if is_drawn else _SMALL)), key=len)


def _image(pixels: Pixels) -> Image.Image:
    if pixels.shape[2] < 3:
        pixels = np.concatenate([pixels[:, :, :1].repeat(3, 2), pixels[:, :, 1:]], 2)
    return Image.fromarray(np.ascontiguousarray(pixels))


def _bitstream(image: Image.Image, method: int, effort: int) -> bytes:
    check_time()
    file = io.BytesIO()
    try:
        image.save(file, "WEBP", lossless=True, quality=effort, method=method, exact=True)
    except ValueError as error:  # "encoding error 1": the options are legal, and the pixels may be any
        let_pass(error)
        msg = f"not enough memory to search for the lossless form of {image.width}x{image.height} pixels ({error})"
        raise MemoryError(msg) from error
    data = file.getvalue()
    length = int.from_bytes(data[16:_RIFF_BYTES], "little")
    return data[_RIFF_BYTES : _RIFF_BYTES + length]


def _read(stream: bytes | memoryview) -> Pixels:
    """Return the pixels (h, w, 4) of a bitstream whose head was checked."""
    check_time()
    bitstream = bytearray(stream)
    bitstream[4] |= _ALPHA_HINT  # RFC 9649: the hint has no part in decoding; libwebp drops alpha without it
    padding = b"\0" * (len(stream) % 2)
    chunk = b"WEBPVP8L" + len(stream).to_bytes(4, "little") + bitstream + padding
    file = io.BytesIO(b"RIFF" + len(chunk).to_bytes(4, "little") + chunk)
    try:
        with Image.open(file, formats=["WEBP"]) as image:
            return np.asarray(image if image.mode == "RGBA" else image.convert("RGBA"))
    except (OSError, SyntaxError, ValueError) as error:
        let_pass(error)
        # libwebp says the same of too little memory, which is a MemoryError here.
        np.empty(_DECODING_BYTES * math.prod(_size(stream)), np.uint8)
        msg = "exact pixels are damaged: their bitstream cannot be decoded"
        raise LicDamagedError(msg) from error


def is_there() -> bool:
    """Return whether this Pillow reads and writes WebP."""
    return bool(features.check("webp"))


def _need_webp(doing: str) -> None:
    if not is_there():
        msg = (
            f"{doing} exact pixels needs WebP, which this Pillow was built without: install a wheel of Pillow from PyPI"
        )
        raise LicRuntimeError(msg)
