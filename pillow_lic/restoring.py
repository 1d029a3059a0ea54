"""JPEG pictures without the marks of JPEG: `pillow_lic.restore`, by the network of the model `restored`."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin

from . import color, jpeg_originals
from .engine import models
from .engine.settings import check_pixels, limited_time
from .families.wrapped import restoration
from .fileformat import jpeg
from .fileformat.areas import onto
from .fileformat.source import Fetched, opened, read_all

if TYPE_CHECKING:
    from .files import StrPath

MODEL: Final = "restored"
"""Name of the model whose network restores."""
VIEWS: Final = (1, 2, 4)
"""Of how many views a restored picture may be the mean."""


def restore(source: StrPath | bytes | IO[bytes] | Image.Image, views: int = 1) -> Image.Image:
    """Return the picture of a JPEG file without its block and ringing artefacts, as an image of mode L or RGB.

    source: the file, its bytes, or an image that was opened from it and not changed. The network reads from the file's
    quantisation tables how strongly it was compressed. `info` is what Pillow reads from the file, with EXIF, XMP, ICC profile and
    resolution: `image.save(name, **image.info)` writes them, Pillow's `save` alone only some. The picture is restored window by
    window, in a bounded amount of memory besides its pixels. views: 2 or 4 averages the results for the picture and mirrored copies
    of it, which takes 2 or 4 times as long.

    OSError for a file that is no JPEG, is damaged or truncated, or has colours other than grey and YCbCr (such as CMYK);
    ValueError for an image that was not opened from a JPEG file, was changed, or is not the first of several, and for other views.
    """
    check_views(views)
    if isinstance(source, Image.Image):
        return _of_image(source, views)
    with opened(source) as file:
        data = read_all(file)
    return _of_file(data, views, str(source) if isinstance(source, (str, os.PathLike)) else "")


def check_views(views: int) -> None:
    """Raise ValueError unless a picture may be restored by so many views."""
    if views not in VIEWS:
        msg = f"views must be one of {', '.join(map(str, VIEWS))}, got {views!r}"
        raise ValueError(msg)


def _of_image(im: Image.Image, views: int) -> Image.Image:
    if not jpeg_originals.is_from_jpeg(im):
        msg = f"only what was opened from a JPEG file can be restored, got an image {f'of {im.format}' if im.format else 'of no file'}"
        raise ValueError(msg)
    if number := im.tell():
        msg = f"only the first picture of a file can be restored, got the picture with the number {number}, from 0"
        raise ValueError(msg)
    data = jpeg_originals.file_of(im)
    if not (data and getattr(im, "tile", None)):  # loaded: somebody may have drawn on it
        pixels = color.to_pixels(im)
        if words := jpeg_originals.objection(data, pixels.array, pixels.mode):
            msg = f"an image must be as it was opened from its JPEG file to be restored: {words}"
            raise ValueError(msg)
    restored = _of_file(data, views)
    restored.info = dict(im.info)
    return restored


def _of_file(data: bytes, views: int, name: str = "") -> Image.Image:
    shown = Fetched(data, repr(name) if name else f"of {len(data):,} bytes")
    with Image.open(shown) as im:  # for the words and the limits of Pillow, and for what it finds in the file
        if not isinstance(im, JpegImagePlugin.JpegImageFile):
            msg = f"only JPEG files can be restored, got one of {im.format}"
            raise OSError(msg)
        info = dict(im.info)
    array, mode = restored_pixels(data, views)
    image = color.to_image(array, mode)
    image.info = info
    return image


@limited_time()
def restored_pixels(data: bytes, views: int) -> tuple[npt.NDArray[np.uint8], str]:
    """Return the restored pixels of a JPEG file, (H, W, 1) of mode L or (H, W, 3) of mode RGB, and the mode."""
    facts = jpeg.facts_of(data, whole=False)
    check_pixels(facts.width, facts.height)
    model = models.choose(MODEL)
    picture = restoration.decoded(model, data, facts)
    shown = np.empty_like(picture.pixels)
    restoration.restored(model, picture, shown.shape[:2], onto(shown), held=len(data), views=views)
    if facts.is_grey:
        return ((shown.sum(2, dtype=np.uint16, keepdims=True) + 1) // 3).astype(np.uint8), "L"
    return shown, "RGB"
