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
from .fileformat.areas import Area
from .fileformat.source import Fetched, opened, read_all

if TYPE_CHECKING:
    from .files import StrPath

Pixels = npt.NDArray[np.uint8]

MODEL: Final = "restored"
"""Name of the model whose network restores."""
VIEWS: Final = (1, 2, 4)
"""Of how many views a restored picture may be the mean."""


def restore(source: StrPath | bytes | IO[bytes] | Image.Image, views: int = 1) -> Image.Image:
    """Return the picture of a JPEG file without its block and ringing artefacts, in the mode of the file: L, RGB or CMYK.

    source: the file, its bytes, or an image that was opened from it and not changed. The network reads from the file's
    quantisation tables how strongly it was compressed. `info` is what Pillow reads from the file, with EXIF, XMP, ICC profile and
    resolution: `image.save(name, **image.info)` writes them, Pillow's `save` alone only some. The picture is restored window by
    window, in a bounded amount of memory besides its pixels. views: 2 or 4 averages the results for the picture and mirrored copies
    of it, which takes 2 or 4 times as long.

    OSError for a file that is no JPEG, or is damaged or truncated; ValueError for an image that was not opened from a JPEG file, was
    changed, or is not the first of several, and for other views.
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
    loaded = not (data and getattr(im, "tile", None))  # somebody may have drawn on it
    if loaded and (words := jpeg_originals.difference(data, np.asarray(im).reshape(im.height, im.width, -1))):
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
        info, mode = dict(im.info), im.mode
    image = color.to_image(restored_pixels(data, views), mode)
    image.info = info
    return image


@limited_time()
def restored_pixels(data: bytes, views: int) -> npt.NDArray[np.uint8]:
    """Return the restored pixels of a JPEG file, (H, W, 1), (H, W, 3) or (H, W, 4) of the mode that Pillow opens it in.

    Components that are no luma and chroma are restored one by one, as grey pictures; one that is subsampled stays as it is.
    """
    parts = jpeg.parts_of(data)
    check_pixels(parts[0].facts.width, parts[0].facts.height)
    model = models.choose(MODEL)
    before = jpeg.shown(data)
    result = before.copy()
    for part in parts:
        if part.is_full:
            _restore_part(model, data, part, before, result, views)
    return result


def _restore_part(
    model: models.Model, data: bytes, part: jpeg.Part, before: Pixels, result: Pixels, views: int
) -> None:
    """Put the restored pixels of a part into the result (H, W, C); before: what Pillow shows of the file."""
    channels, is_grey = slice(part.first, part.end), part.facts.is_grey
    pixels = before[:, :, channels]
    if part.is_inverted:
        pixels = 255 - pixels
    pixels = np.repeat(pixels, 3, 2) if is_grey else np.ascontiguousarray(pixels)

    def put(area: Area, shown: Pixels) -> None:
        if is_grey:
            shown = ((shown.sum(2, dtype=np.uint16, keepdims=True) + 1) // 3).astype(np.uint8)
        result[area.slices][:, :, channels] = 255 - shown if part.is_inverted else shown

    picture = restoration.decoded(model, data, part.facts, pixels)
    restoration.restored(
        model, picture, pixels.shape[:2], put, held=len(data) + before.nbytes + result.nbytes, views=views
    )
