"""The JPEG file that an image was opened from, as long as it can be read, and whether it can be stored in place of the pixels."""

from __future__ import annotations

import os
import sys

import numpy as np
import numpy.typing as npt
from PIL import Image

from .errors import LicError, let_pass
from .fileformat import jpeg
from .fileformat.levels import MIN_QUALITY
from .fileformat.source import read_all


def is_from_jpeg(im: Image.Image) -> bool:
    """Whether an image was opened from a JPEG file, or is such a file's first picture; a copy is not."""
    plugin = sys.modules.get("PIL.JpegImagePlugin")  # not loaded: no image can be from one
    return plugin is not None and isinstance(im, plugin.JpegImageFile)


def file_of(im: Image.Image) -> bytes:
    """Return the bytes of the JPEG file that an image was opened from; b"" if there is none, or it cannot be read any more.

    As long as the pixels are not loaded, they are read from the image's open file, whose position stays as it was; afterwards from the
    file of that name. This may have been replaced, so callers compare the pixels (`objection`).
    """
    if not is_from_jpeg(im):
        return b""
    fp = getattr(im, "fp", None)
    try:
        if fp is not None:
            position = fp.tell()
            fp.seek(0)
            data = read_all(fp)
            fp.seek(position)
            return data
        name = getattr(im, "filename", "")
        if name:
            with open(os.fspath(name), "rb") as file:
                return file.read()
    except (OSError, ValueError) as error:  # closed, or gone
        let_pass(error)
    return b""


def objection(original: bytes, pixels: npt.NDArray[np.uint8]) -> str:
    """Return why a JPEG file cannot be stored for pixels (H, W, C) that were opened from it; "" if it can."""
    try:
        if original:
            jpeg.facts_of(original)
    except LicError as error:
        return str(error)
    return difference(original, pixels)


def difference(original: bytes, pixels: npt.NDArray[np.uint8]) -> str:
    """Return why a JPEG file is not known to show the pixels (H, W, C) that were opened from it; "" if it shows them."""
    if not original:
        return (
            "it cannot be read any more (that of a stream can until the pixels are loaded, which `Image.save` does first, "
            "`pillow_lic.save` not)"
        )
    try:
        facts = jpeg.parts_of(original)[0].facts
        same = (facts.height, facts.width) == pixels.shape[:2] and np.array_equal(jpeg.shown(original), pixels)
    except LicError as error:
        return str(error)
    return "" if same else "its pixels were changed"


def quality_of(original: bytes) -> float:
    """Return the quality 1-10 that the tables of a JPEG file are nearest to."""
    return max(MIN_QUALITY, jpeg.facts_of(original).quality / 10)
