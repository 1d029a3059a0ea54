"""The metadata of a picture in the forms that callers of Pillow give: ICC profile, EXIF, XMP, resolution."""

from __future__ import annotations

import struct
from typing import Any

from PIL import Image

from . import arguments
from .errors import Ignoring, let_pass

EXIF_PREFIX = b"Exif\x00\x00"
"""Stands before EXIF in JPEG, and in `Image.info`; a .lic file has the TIFF structure alone."""

X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 282, 283, 296
_PER_INCH = {2: 1.0, 3: 2.54}
"""Units of the resolution (TIFF 6.0, ResolutionUnit) in an inch; 1 is no unit."""
_NUMBERS = {3: "H", 4: "I", 5: "II"}
"""Types of a field that a resolution may have: SHORT, LONG, RATIONAL."""

_DIRECTORIES = (0x8769, 0x8825)
"""Directories of tags beside the first one (Exif 2.32, 4.6.3): those of Exif and of GPS. `len` of an Image.Exif does not count what a
program puts there."""

ORIENTATION = 274
ON_ITS_SIDE = (5, 6, 7, 8)
"""Orientations (TIFF 6.0) of which width and height are exchanged."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What puts a picture of an orientation upright."""
_SAYS_ORIENTATION = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
"""The keys of `info` in which Pillow looks for an orientation."""
BROKEN_TAGS = Ignoring(Exception)
"""A `with` block that reads or writes tags. Broken tags are no reason to lose the picture, and Pillow raises many errors for them:
SyntaxError, ValueError, KeyError, TypeError, OverflowError, struct.error."""

_ROUNDED = 0.0127
"""Dots per inch that may be lost where whole dots per metre are stored (PNG)."""


def icc_bytes(value: object) -> bytes:
    """Return an ICC profile given as bytes, an ImageCmsProfile or None; b"" for empty text, TypeError for anything else."""
    tobytes = getattr(value, "tobytes", None)
    if not isinstance(value, memoryview) and tobytes is not None:
        value = tobytes()
    return _bytes("icc_profile", value, "bytes, an ImageCms.ImageCmsProfile or None")


def exif_bytes(value: object) -> bytes:
    """Return EXIF given as Image.Exif, None or bytes (with or without "Exif" before it) as TIFF structure alone; b"" for empty text.

    ValueError for tags that cannot be written, TypeError for anything else.
    """
    if isinstance(value, Image.Exif):
        try:
            value = value.tobytes() if len(value) or any(map(value.get_ifd, _DIRECTORIES)) else b""
        except Exception as error:  # Pillow raises what it comes upon
            let_pass(error)
            msg = f"exif must hold tags that can be written, one of these cannot: {error}"
            raise ValueError(msg) from error
    return _bytes("exif", value, "bytes, Image.Exif or None").removeprefix(EXIF_PREFIX)


def xmp_bytes(value: object) -> bytes:
    """Return XMP given as bytes, str or None; ValueError for a str with half of a surrogate pair, TypeError for anything else."""
    if isinstance(value, str):
        try:
            value = value.encode()
        except UnicodeEncodeError:
            msg = f"xmp must be text that UTF-8 can hold, got {value!a:.60}"
            raise ValueError(msg) from None
    return _bytes("xmp", value, "bytes, str or None")


def _bytes(name: str, value: object, legal: str) -> bytes:
    if value is None or (
        isinstance(value, str) and not value
    ):  # `info.get("icc_profile", "")` is how programs write it
        return b""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        msg = f"{name} must be {legal}, got {type(value).__name__}"
        raise TypeError(msg)
    return bytes(value)


def resolution(exif: bytes) -> tuple[float, float] | None:
    """Return the dots per inch, across and down, that EXIF (a TIFF structure) says; None if it says none or is broken."""
    try:
        found = _resolution_fields(exif)
        x = found[X_RESOLUTION] * _PER_INCH[int(found.get(RESOLUTION_UNIT, 2))]
        y = found.get(Y_RESOLUTION, found[X_RESOLUTION]) * _PER_INCH[int(found.get(RESOLUTION_UNIT, 2))]
    except (KeyError, ValueError, struct.error, ZeroDivisionError) as error:
        let_pass(error)
        return None
    return (x, y) if x > 0 and y > 0 else None


def _resolution_fields(exif: bytes) -> dict[int, float]:
    """Return the fields of the first directory that say the resolution; struct.error and the like where it is broken.

    Pillow's own reader would import the plugin of TIFF, when a picture is opened.
    """
    order = {b"II": "<", b"MM": ">"}[exif[:2]]
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    (count,) = struct.unpack_from(f"{order}H", exif, start)
    found = {}
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", exif, entry)
        if tag in (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT) and length == 1 and kind in _NUMBERS:
            place = entry + 8
            if kind == 5:
                (place,) = struct.unpack_from(f"{order}I", exif, place)
            number, *divisor = struct.unpack_from(f"{order}{_NUMBERS[kind]}", exif, place)
            found[tag] = number / divisor[0] if divisor else float(number)
    return found


def with_resolution(exif: bytes, dpi: object) -> bytes:
    """Return EXIF that says the resolution too: `dpi`, a number or two of them, across and down.

    EXIF that says one already, or that is broken, is returned as it is, and so it is for what is no positive number.
    """
    numbers = dots_per_inch(dpi)
    if numbers is None:
        return exif
    tags = Image.Exif()
    try:
        tags.load(exif)
        if X_RESOLUTION in tags:
            return exif
        tags.update({X_RESOLUTION: numbers[0], Y_RESOLUTION: numbers[1], RESOLUTION_UNIT: 2})
        return tags.tobytes().removeprefix(EXIF_PREFIX)
    except (SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, struct.error) as error:
        let_pass(error)
        return exif


def dots_per_inch(dpi: Any) -> tuple[float, float] | None:
    """Return a resolution, a number or two of them, as two; None for what is no positive number.

    They are whole ones where the difference is that of whole dots per metre.
    """
    try:
        is_pair = hasattr(dpi, "__len__") and not isinstance(dpi, (str, bytes)) and getattr(dpi, "shape", True)
        x, y = dpi if is_pair else (dpi, dpi)
        numbers = [arguments.positive("dpi", number, "a positive number") for number in (x, y)]
    except (TypeError, ValueError) as error:
        let_pass(error)
        return None
    if max(numbers) >= 2**31:
        return None
    x, y = (round(number) if abs(number - round(number)) <= _ROUNDED and number >= 1 else number for number in numbers)
    return float(x), float(y)


def orientation(im: Image.Image) -> int:
    """Return how an open picture lies, 1-8 (TIFF 6.0); 1, which is upright, where its EXIF and XMP say nothing that can be read."""
    with BROKEN_TAGS:
        found = im.getexif().get(ORIENTATION, 1)
        return found if found in _TURNS else 1
    return 1


def upright(im: Image.Image) -> Image.Image:
    """Return an open picture loaded and turned as it says, and then without EXIF and XMP in `info`; itself where it is upright."""
    im.load()  # a TIFF file turns itself
    turn = _TURNS.get(orientation(im))
    if turn is None:
        return im
    turned = im.transpose(turn)
    for key in _SAYS_ORIENTATION:
        turned.info.pop(key, None)
    return turned
