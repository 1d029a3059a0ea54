"""`lic thumbnail`: what a file manager calls for every .lic picture of a folder."""

from __future__ import annotations

import io

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from .. import color, plugin
from ..files import StrPath, write_atomic
from ..naming import MIME

MAX_SIZE = 4096
"""The largest edge that is drawn; file managers ask for 128 to 1024."""


def write(source: StrPath, target: StrPath, size: int) -> None:
    """Write the picture `source` as a PNG file of at most `size` pixels on each edge; smaller pictures keep their size.

    ValueError for a size below 1 or over MAX_SIZE; OSError and SyntaxError for what is no sound .lic file.
    """
    write_atomic(target, draw(source, size))


def draw(source: StrPath, size: int) -> bytes:
    """Return the PNG bytes that `write` writes: upright, in sRGB, the size of the whole picture as text."""
    if not 1 <= size <= MAX_SIZE:
        msg = f"size of a thumbnail must be 1-{MAX_SIZE}, got {size}"
        raise ValueError(msg)
    with plugin.open(source) as im:
        width, height = im.size
        im.thumbnail((size, size), Image.Resampling.LANCZOS)
        small = _to_srgb(ImageOps.exif_transpose(im))
    # Keys of the Thumbnail Managing Standard 0.9; those of place and time are the file manager's to add.
    text = PngInfo()
    for key, value in (("Thumb::Mimetype", MIME), ("Thumb::Image::Width", width), ("Thumb::Image::Height", height)):
        text.add_text(key, str(value))
    buffer = io.BytesIO()
    small.save(buffer, "PNG", pnginfo=text, icc_profile=None)
    return buffer.getvalue()


def _to_srgb(im: Image.Image) -> Image.Image:
    """Return a picture of a stored mode in sRGB by its own profile, or as it is where it has none that can be used."""
    profile = im.info.get("icc_profile")
    managed = color.through_profile(im.convert(im.mode.removesuffix("A")), profile) if profile else None
    if managed is None:
        return im
    if "A" in im.mode:
        managed.putalpha(im.getchannel("A"))
    return managed
