"""A JPEG file as it is kept inside a .lic file: what its markers say, its pixels, and how one is written. By Pillow's JPEG reader alone.

    bytes ─markers─▶ size, colours, tables, number of scans: all checked ─▶ pixels

No other reader of Pillow ever sees the bytes, and none of their pixels is decoded, or allocated, before the size is known to be the
one that is expected.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import LicDamagedError, LicLimitError, LicUnsupportedError, let_pass

if TYPE_CHECKING:
    from PIL.JpegImagePlugin import JpegImageFile

Pixels = npt.NDArray[np.uint8]
Steps = npt.NDArray[np.float32]

MAX_SIDE: Final = 65500
"""Pixels of the longest side that libjpeg reads and writes."""
MOST_SCANS: Final = 100
"""Scans of a file: each costs the work of a whole picture however few bytes it has. Progressive files have about ten."""
COEFFICIENTS: Final = 64
SMALLEST, FINEST = 1, 100
"""Ends of Pillow's scale of quality for JPEG."""
_SOS, _EOI = 0xDA, 0xD9
_BARE: Final = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
"""The bytes after 0xFF that no length follows: a stuffed one, TEM, RST0-7 and SOI (ITU-T T.81, B.1.1)."""
_RGB_NAMES: Final = (ord("R"), ord("G"), ord("B"))


@dataclass(frozen=True)
class Facts:
    """The facts in the markers of a JPEG file.

    steps: of the quantiser, (2, 64) float32, of luma and of chroma (of luma twice in a grey picture), frequencies in raster order.
    halved: whether chroma has fewer rows, and fewer columns, than luma.
    """

    width: int
    height: int
    is_grey: bool
    steps: Steps
    halved: tuple[bool, bool]

    @property
    def quality(self) -> int:
        """The quality 1-100 of Pillow whose luma table comes nearest."""
        return SMALLEST + int(np.abs(_luma_tables() - self.steps[0]).sum(1).argmin())


@dataclass(frozen=True)
class Part:
    """Components of a JPEG file that make a picture by themselves: one as grey, or luma and chroma as colours.

    first, end: of the channels that Pillow shows, those which are made of them. facts: of the file, as if it held nothing else.
    is_inverted: whether Pillow shows 255 less the file's samples. is_full: whether luma, or the one component, is not subsampled.
    """

    first: int
    end: int
    facts: Facts
    is_inverted: bool
    is_full: bool


def facts_of(data: bytes | memoryview) -> Facts:
    """Return what the markers of a JPEG file say; no pixel is decoded.

    LicDamagedError for what is no JPEG file, or one that ends early; LicUnsupportedError for colours other than grey and YCbCr;
    LicLimitError for more than MOST_SCANS scans.
    """
    content = bytes(data)
    with _opened(content) as im:
        if not _walk(content):
            msg = f"the JPEG file ends early: {len(content)} bytes have no end of the image"
            raise LicDamagedError(msg)
        if im.mode != "L" and not (im.mode == "RGB" and _has_chroma(im)):
            found = "RGB without a transform" if im.mode == "RGB" else im.mode
            msg = f"a JPEG file must be of grey or YCbCr colours, got {found}"
            raise LicUnsupportedError(msg)
        return _part(im, 0, len(im.layer)).facts


def parts_of(data: bytes | memoryview) -> list[Part]:
    """Return the parts of a JPEG file of any colours, in the order of Pillow's channels; no pixel is decoded, and it may end early.

    R, G and B without a transform are three parts, C, M, Y and K four; YCCK are two, colours and K. Errors as of `facts_of`.
    """
    content = bytes(data)
    with _opened(content) as im:
        _walk(content)
        ends = range(3 if _has_chroma(im) else 1, len(im.layer) + 1)
        return [_part(im, first, end) for first, end in pairwise([0, *ends])]


def pixels_of(data: bytes | memoryview, scale: int = 1) -> Pixels:
    """Return the pixels (ceil(H / scale), ceil(W / scale), 3) of a JPEG file whose facts were checked; scale 1, 2, 4 or 8.

    LicDamagedError where the file cannot be decoded. A file that ends early is one, unless Pillow is told to load such.
    """
    with _opened(bytes(data)) as im:
        if scale > 1:
            im.draft(im.mode, (max(1, im.width // scale), max(1, im.height // scale)))
        return _decoded(im, "RGB")


def shown(data: bytes | memoryview) -> Pixels:
    """Return the pixels (H, W, C) that Pillow shows of a JPEG file, of mode L, RGB or CMYK; errors as of `pixels_of`."""
    with _opened(bytes(data)) as im:
        return _decoded(im, im.mode).reshape(im.height, im.width, -1)


def steps_of(quality: int) -> Steps:
    """Return the steps of Pillow's quality 1-100, (2, 64) as of `Facts`."""
    two_colors = np.zeros((1, 2, 3), np.uint8)
    two_colors[:, 1, 0] = 255
    return facts_of(write(two_colors, quality)).steps


def luma_of(data: bytes | memoryview) -> Pixels:
    """Return the luma (H, W) of a JPEG file of YCbCr or YCCK; errors as of `pixels_of`."""
    with _opened(bytes(data)) as im:
        if im.mode == "CMYK":  # told that the file is of CMYK too, libjpeg converts nothing
            im.tile = [tile._replace(args=("CMYK", "CMYK")) for tile in im.tile]
            return np.ascontiguousarray(_decoded(im, "CMYK")[:, :, 0])
        im.draft("L", im.size)
        return _decoded(im, "L")


def _decoded(im: Image.Image, mode: str) -> Pixels:
    """Return an opened JPEG in a mode of Pillow as an array; LicDamagedError where it cannot be decoded."""
    with _saying("the JPEG file is damaged"):
        return np.asarray(im.convert(mode))


def write(pixels: Pixels, quality: int, steps: Steps | None = None) -> bytes:
    """Return a JPEG file of pixels (H, W, 3), of grey where the channels are equal, at Pillow's quality 1-100.

    steps: of luma and chroma, (2, 64) in raster order, whole numbers 1-255, instead of those that the quality stands for.
    LicLimitError for a side of more than MAX_SIDE pixels.
    """
    height, width = pixels.shape[:2]
    if max(height, width) > MAX_SIDE:
        msg = f"a JPEG file has sides of at most {MAX_SIDE} pixels, got {width}x{height}"
        raise LicLimitError(msg)
    grey = all(np.array_equal(pixels[:, :, 0], pixels[:, :, channel]) for channel in (1, 2))
    shown = np.ascontiguousarray(pixels[:, :, 0] if grey else pixels)
    file = io.BytesIO()
    words = {"quality": quality} if steps is None else {"qtables": steps.astype(int).tolist(), "subsampling": 2}
    Image.fromarray(shown).save(file, "JPEG", **words, optimize=True)
    return file.getvalue()


def _opened(data: bytes) -> JpegImageFile:
    from PIL import JpegImagePlugin

    with _saying("there must be a JPEG file, got other bytes"):
        return JpegImagePlugin.JpegImageFile(io.BytesIO(data))


@contextmanager
def _saying(words: str) -> Iterator[None]:
    """Raise LicDamagedError, these words first, for what Pillow's reader raises in a `with` block."""
    try:
        yield
    except (OSError, SyntaxError, ValueError) as error:
        let_pass(error)
        msg = f"{words}: {error}"
        raise LicDamagedError(msg) from error


def _part(im: JpegImageFile, first: int, end: int) -> Part:
    luma, chroma = im.layer[first], im.layer[min(first + 1, end - 1)]
    try:
        tables = [im.quantization[table] for *_, table in (luma, chroma)]
    except KeyError as error:
        msg = f"the JPEG file has no quantisation table {error}"
        raise LicDamagedError(msg) from error
    steps = np.array(tables, np.float32)
    if steps.shape != (2, COEFFICIENTS) or steps.min() < 1:
        msg = "a quantisation table of a JPEG file must have 64 steps of at least 1"
        raise LicDamagedError(msg)
    (_, across, down, _), (_, chroma_across, chroma_down, _) = luma, chroma
    is_grey = end == first + 1
    facts = Facts(im.width, im.height, is_grey, steps, (chroma_down < down, chroma_across < across))
    # of YCCK libjpeg makes C, M and Y by inverting R, G and B, and Pillow inverts them again
    is_inverted = is_grey and im.mode == "CMYK"
    most = tuple(max(layer[axis] for layer in im.layer) for axis in (1, 2))
    return Part(first, end, facts, is_inverted, (across, down) == most)


def _has_chroma(im: JpegImageFile) -> bool:
    """Whether libjpeg takes the first components for luma and chroma (its jdapimin.c, default_decompress_parms)."""
    if im.mode == "CMYK":
        return bool(im.info.get("adobe_transform"))
    return im.mode == "RGB" and not _is_rgb(im)


def _is_rgb(im: JpegImageFile) -> bool:
    """Whether libjpeg takes three components for R, G and B (ibid.)."""
    if "jfif" in im.info:
        return False
    if "adobe" in im.info:
        return im.info.get("adobe_transform") == 0
    return tuple(layer[0] for layer in im.layer) == _RGB_NAMES


def _walk(data: bytes) -> bool:
    """Walk over the markers; return whether the last one comes after a scan. LicLimitError for too many scans."""
    scans, position = 0, data.find(b"\xff", 2)
    while 0 <= position < len(data) - 1:
        marker = data[position + 1]
        if marker == _EOI:
            return scans > 0
        if marker in _BARE:
            position += 2
        elif marker == 0xFF:
            position += 1
        else:
            scans += marker == _SOS
            position += 2 + int.from_bytes(data[position + 2 : position + 4])
        if scans > MOST_SCANS:
            msg = f"a JPEG file must have at most {MOST_SCANS} scans, got more"
            raise LicLimitError(msg)
        position = data.find(b"\xff", position)
    return False


@cache
def _luma_tables() -> npt.NDArray[np.float32]:
    """Return the luma tables of Pillow's qualities 1-100, (100, 64), as libjpeg scales that of 50 (its jcparam.c)."""
    middle = facts_of(write(np.zeros((8, 8, 3), np.uint8), 50)).steps[0]
    quality = np.arange(SMALLEST, FINEST + 1, dtype=np.float32)[:, None]
    percent = np.where(quality < 50, np.floor(5000 / quality), 200 - 2 * quality)
    tables: npt.NDArray[np.float32] = np.clip(np.floor((middle * percent + 50) / 100), 1, 255).astype(np.float32)
    return tables
