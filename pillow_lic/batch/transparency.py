"""What is transparent in a picture, in a mode in which a format keeps it.

Writers that have no room for a transparent colour (tRNS of PNG, that of GIF) drop it without a word, and some an alpha channel.
"""

from __future__ import annotations

import warnings

from PIL import Image

from .. import color
from . import trial

_NEARLY = 16
"""Levels of alpha that lossy formats may lose of a picture of one pixel."""


def kept(im: Image.Image, name: str) -> Image.Image:
    """Return an image in a mode in which a format keeps what is transparent; where nothing is, itself, or a copy that names no transparency.

    UserWarning where the format makes opaque what is half transparent, OSError where it has no transparency at all. The image has
    8 bits a channel.
    """
    wide = color.widened(im) if im.has_transparency_data else im
    if not wide.mode.endswith("A") or (lowest := _least(wide)) == 255:
        return _unnamed(im)
    clearest, half = _place(wide, lowest, lowest), _place(wide, 1, 254)
    colored = wide.convert("RGBA")
    for candidate in (im, wide, colored):
        if _survives(candidate, clearest, name):
            break
    else:
        if not _survives(Image.new("RGBA", (1, 1)), (0, 0), name):
            msg = f"cannot write mode {wide.mode} as {name}"
            raise OSError(msg)
        candidate = colored
    if half is not None and not _survives(candidate, half, name):
        warnings.warn(f"{name} files know no half transparency: some of it is opaque now", UserWarning, stacklevel=2)
    return candidate


def _unnamed(im: Image.Image) -> Image.Image:
    """Return an image of which nothing is transparent without the colours or indexes that would be: GIF's writer fails on several."""
    if "transparency" not in im.info:
        return im
    im = im.copy()
    del im.info["transparency"]
    return im


def _place(wide: Image.Image, low: int, high: int) -> tuple[int, int] | None:
    """Return where alpha is in a range, None if nowhere."""
    found = wide.getchannel("A").point([255 * (low <= level <= high) for level in range(256)])
    if (box := found.getbbox()) is None:
        return None
    left, upper, *_ = box
    column = found.crop((left, upper, left + 1, box[3])).getbbox()
    return None if column is None else (left, upper + column[1])


def _survives(im: Image.Image, place: tuple[int, int] | None, name: str) -> bool:
    """Whether the alpha of a pixel is in a file of the format; of one that cannot be read back, whether it is written as alpha."""
    if place is None:
        return True
    x, y = place
    pixel = im.crop((x, y, x + 1, y + 1))
    tried = trial.write_image(pixel, name, {})
    if tried.refusal or tried.again is None:
        return not tried.refusal and im.mode.endswith("A")
    return abs(_least(tried.again) - _least(pixel)) <= _NEARLY


def _least(im: Image.Image) -> int:
    """Return the least alpha of an image, 255 where all is opaque."""
    counts = (im if im.mode.endswith("A") else im.convert("RGBA")).getchannel("A").histogram()
    return next(level for level in range(256) if counts[level])
