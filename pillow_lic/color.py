"""Pillow images to the four stored modes and back: L, LA, RGB, RGBA as arrays of uint8.

* stored as they are: L, LA, RGB, RGBA
* widened: 1 -> L; P -> RGB or RGBA; PA, RGBa -> RGBA; RGBX -> RGB; La -> LA; with a transparent colour, L -> LA and
  RGB -> RGBA
* converted to RGB: CMYK (through its ICC profile if it has one), YCbCr, LAB, HSV
* refused: I, I;16 and F, because which of their values is black is for the caller to say
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image

from .errors import let_pass
from .fileformat.header import CHANNELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

BAND_PIXELS = 2**22
"""Pixels of a band, of which copies are made at a time."""
_WIDENED = {"1": "L", "RGBX": "RGB", "La": "LA", "RGBa": "RGBA", "PA": "RGBA"}
"""The stored mode that has room for all of another mode; that of palettes is up to their colours."""
_LOST = "the ICC profile of this {} image does not describe {} and was left out"
"""What is warned of, by the mode of an image and the colours that were stored."""
COLOR_SPACES = frozenset({"CMYK", "HSV", "LAB", "YCbCr"})
"""Modes whose colours are converted to RGB."""


class Pixels(NamedTuple):
    """The pixels of an image as they are stored, uint8 (height, width, channels), C-contiguous; their mode and ICC profile.

    `lost` is the sentence to warn with when the profile could not be kept, else "".
    """

    array: NDArray[np.uint8]
    mode: str
    icc_profile: bytes
    lost: str = ""


class Stored(NamedTuple):
    """An image in a stored mode, its ICC profile, and the sentence to warn with when that could not be kept, else ""."""

    image: Image.Image
    icc_profile: bytes
    lost: str = ""


def stored(im: Image.Image, icc_profile: bytes | None = None) -> Stored:
    """Return an image of any mode in the mode that it is stored in, with the ICC profile that fits that (b"" if none).

    icc_profile takes the place of the image's own, b"" leaves it out; colours of CMYK are converted through the image's own
    where it has one for them. Raises ValueError for an image without pixels and OSError for a mode that has no one meaning in
    8 bits.
    """
    if 0 in im.size:
        msg = "cannot write empty image as LIC"
        raise ValueError(msg)
    own = _bytes(im.info.get("icc_profile"))
    profile = own if icc_profile is None else icc_profile
    mode = _stored_mode(im)
    if im.mode in COLOR_SPACES:
        return Stored(*_to_rgb(im, profile, own))
    lost = ""
    if profile and not fits(profile, mode):
        profile, lost = b"", _LOST.format(im.mode, "these colours")
    return Stored(widened(im), profile, lost)


def widened(im: Image.Image) -> Image.Image:
    """Return an image in the stored mode that has room for all of it: palettes as colours, a transparent colour as alpha.

    Itself in a mode of another colour space, or of more than 8 bits.
    """
    if im.mode in COLOR_SPACES or im.mode[0] in "IF":
        return im
    mode = _stored_mode(im)
    return im if im.mode == mode else _without_stray_transparency(im).convert(mode)


def to_pixels(im: Image.Image, icc_profile: bytes | None = None) -> Pixels:
    """Return what is stored of an image of any mode; icc_profile and errors as of `stored`."""
    found = stored(im, icc_profile)
    return Pixels(_array(found.image), found.image.mode, found.icc_profile, found.lost)


def _array(im: Image.Image) -> NDArray[np.uint8]:
    """Return an image of a stored mode as (height, width, channels), band by band: Pillow would hold a second copy of all of it."""
    array = np.empty((im.height, im.width, CHANNELS[im.mode]), np.uint8)
    rows = max(1, BAND_PIXELS // im.width)
    for y in range(0, im.height, rows):
        band = im if rows >= im.height else im.crop((0, y, im.width, min(y + rows, im.height)))
        array[y : y + rows] = np.asarray(band).reshape(-1, im.width, array.shape[2])
    return array


def to_image(array: NDArray[np.uint8], mode: str) -> Image.Image:
    """Return uint8 (height, width, channels) as an image of a stored mode."""
    height, width = array.shape[:2]
    return Image.frombytes(mode, (width, height), np.ascontiguousarray(array).data)


def reduced(array: NDArray[np.uint8], mode: str, scale: int) -> NDArray[np.uint8]:
    """Return uint8 (height, width, channels) of a stored mode as what `Image.reduce` makes of it: the means of squares of so many."""
    rows = max(BAND_PIXELS // array.shape[1] // scale, 1) * scale
    bands = (array[top : top + rows] for top in range(0, len(array), rows))
    return np.concatenate([to_pixels(to_image(band, mode).reduce(scale)).array for band in bands])


def set_pixels(image: Image.Image, array: NDArray[np.uint8]) -> None:
    """Give an image, which is in memory, the pixels (height, width, C) of its mode and size."""
    image.frombytes(np.ascontiguousarray(array).data)


def from_array(array: object, mode: str | None = None) -> Image.Image:
    """Return an array of uint8 or bool, (H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4), as an image.

    `mode` says what 8-bit mode the channels are when it is not L, LA, RGB or RGBA. ValueError for any other array.
    """
    pixels = np.asarray(array)
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype != np.uint8:
        msg = (
            f"LIC stores 8 bits per channel, got an array of {pixels.dtype}: scale it to 0-255 and use astype('uint8')"
        )
        raise ValueError(msg)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    modes = {count: name for name, count in CHANNELS.items()}
    if pixels.ndim not in (2, 3) or channels not in modes:
        msg = f"array must be (height, width) or (height, width, 1-4), got shape {pixels.shape}"
        raise ValueError(msg)
    if 0 in pixels.shape:
        msg = "cannot write empty image as LIC"
        raise ValueError(msg)
    mode = mode or modes[channels]
    if mode not in Image.MODES or mode[0] in "1IF" or Image.getmodebands(mode) != channels:
        msg = f"mode must be an 8-bit mode of {channels} channels, got {mode!r}"
        raise ValueError(msg)
    return Image.frombytes(mode, (pixels.shape[1], pixels.shape[0]), np.ascontiguousarray(pixels).data)


def to_map(mask: Any) -> NDArray[Any]:
    """Return a mask (of interest, of importance) given as an image or anything like an array as an array (H, W).

    Of the images those of I, I;16 and F have the values they have, because which of them is white is not known here.
    """
    return np.asarray(mask.convert("L") if isinstance(mask, Image.Image) and mask.mode[0] not in "IF" else mask)


def _has_transparent_color(im: Image.Image) -> bool:
    """Whether `info` names a transparent colour as the mode has them; programs copy `info` from images of other modes."""
    value = im.info.get("transparency")
    if im.mode == "RGB":
        return isinstance(value, (tuple, list)) and len(value) == 3 and all(_is_sample(sample) for sample in value)
    if im.mode == "P" and isinstance(value, bytes):
        return len(value) <= 256
    return im.mode in {"1", "L", "P"} and _is_sample(value)


def _is_sample(value: object) -> bool:
    """Whether this is a value of one channel."""
    return isinstance(value, int) and 0 <= value <= 255


def _without_stray_transparency(im: Image.Image) -> Image.Image:
    """Return the image, or a copy of it, without a transparent colour that its mode cannot have: `convert` would fail on it."""
    if "transparency" not in im.info or _has_transparent_color(im):
        return im
    im = im.copy()
    del im.info["transparency"]
    return im


def _stored_mode(im: Image.Image) -> str:
    """Return the mode that an image is stored in; OSError for one whose values have no one meaning in 8 bits."""
    if im.mode == "P":
        has_alpha = im.palette is not None and im.palette.mode.endswith("A")
        return "RGBA" if has_alpha or _has_transparent_color(im) else "RGB"
    if _has_transparent_color(im):
        return "RGBA" if im.mode == "RGB" else "LA"
    if im.mode in CHANNELS:
        return im.mode
    if im.mode in COLOR_SPACES:
        return "RGB"
    if im.mode in _WIDENED:
        return _WIDENED[im.mode]
    msg = (
        f"cannot write mode {im.mode} as LIC: it stores 8 bits per channel; "
        'scale the values to 0-255 and use im.convert("L") first'
    )
    raise OSError(msg)


def fits(profile: bytes, mode: str) -> bool:
    """Whether a profile can describe colours of a mode: grey, RGB or CMYK, with alpha or without.

    One without the header of ICC.1, 7.2, is the caller's affair. `im.convert` leaves the profile of CMYK or grey colours with
    an image of RGB, that of RGB with a grey one.
    """
    space = {"L": b"GRAY", "C": b"CMYK"}.get(mode[0], b"RGB ")
    return profile[36:40] != b"acsp" or profile[16:20] == space


def _to_rgb(im: Image.Image, profile: bytes, own: bytes) -> tuple[Image.Image, bytes, str]:
    """Return an image of another colour space as RGB, the profile that describes the result, and what to warn of.

    profile: the one that is wanted; own: the image's, which colours of CMYK are converted through if that one is for RGB.
    """
    space = profile[16:20]  # an ICC header names the colour space of the data here
    through = profile if space == b"CMYK" else own
    managed = None
    if im.mode == "CMYK" and through[16:20] == b"CMYK":
        managed = through_profile(im, through, profile if space == b"RGB " else b"")
    if space == b"RGB ":  # describes the colours behind the YCbCr or HSV numbers, or those that CMYK becomes
        return managed or im.convert("RGB"), profile, ""
    if managed is not None:
        return managed, b"", ""
    lost = _LOST.format(im.mode, "RGB") if profile else ""
    return im.convert("RGB"), b"", lost


def through_profile(im: Image.Image, profile: bytes, target: bytes = b"") -> Image.Image | None:
    """Return an image of mode L, RGB or CMYK as sRGB, or as RGB of a target profile, by its own profile.

    None without littlecms or for a profile it cannot use.
    """
    try:
        from PIL import ImageCms

        to = io.BytesIO(target) if target else ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(im, io.BytesIO(profile), to, outputMode="RGB")
    except ImportError as error:  # of a Pillow that was built without it the first use raises it
        let_pass(error)
        return None
    except (OSError, ImageCms.PyCMSError) as error:
        let_pass(error)
        return None


def _bytes(value: object) -> bytes:
    """Return what is like bytes as bytes, b"" for anything else: programs put into `info` what they like."""
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else b""
