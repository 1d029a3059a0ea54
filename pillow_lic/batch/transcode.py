"""One picture file of any format Pillow knows to another, with its metadata."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, PngImagePlugin

from .. import plugin
from ..engine.settings import settings
from ..naming import EXTENSION, FORMAT
from . import locations
from .locations import Place
from .plan import Pair

_XMP_TIFF_TAG = 700
_EXIF_TAGS = frozenset(
    [270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 316, 318, 319, 18246, 33432, 34665, 34853, *range(40091, 40096)]
)
"""What EXIF and Windows say of a picture (Exif 2.32, 4.6.4): the other tags of a TIFF file are about how it stores pixels."""


@dataclass(frozen=True)
class Transcoder:
    """Makes a picture file of another; picklable, so that other processes can do it (`batch.Work`).

    suffix: of the format to write, ".lic" or any that Pillow writes. save_options: what `Image.save` takes for it.
    keep_metadata: carry EXIF and XMP over (the ICC profile always is). settings: those of `settings` to work under.
    """

    suffix: str = EXTENSION
    save_options: Mapping[str, Any] = field(default_factory=dict)
    keep_metadata: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, pair: Pair) -> None:
        """Write the target, whole or not at all, with the time of the source; OSError or ValueError if not."""
        with self.opened(pair.source) as im:
            data = self.encode(im)
        locations.deliver(data, pair.target, pair.source)

    @contextmanager
    def opened(self, source: Place) -> Iterator[Image.Image]:
        """Open a picture for a `with` block, in which the settings hold."""
        with settings(**self.settings), Image.open(locations.readable(source)) as im:
            yield im

    def encode(self, im: Image.Image, **more_options: Any) -> bytes:
        """Return the file's bytes; more save options may be given. OSError for several frames: all but one would be lost.

        What follows the photo in an MPO file, as many cameras and phones write for JPEG, is a preview or a gain map of it.
        """
        frames = 1 if im.format == "MPO" else getattr(im, "n_frames", 1)
        if frames > 1:
            msg = f"picture has {frames} frames, a {self.suffix} file made here would hold one of them"
            raise OSError(msg)
        words = {**_metadata(im, self.suffix, self.keep_metadata), **self.save_options, **more_options}
        if self.suffix == EXTENSION:
            return plugin.encode(im, **words)
        buffer = io.BytesIO()
        try:
            im.save(buffer, format_of(self.suffix), **words)
        except OSError as error:
            if im.has_transparency_data and str(error).startswith("cannot write mode"):
                msg = f"{error}: {self.suffix} files have no transparency, .png, .webp and .avif files do"
                raise OSError(msg) from error
            raise
        return buffer.getvalue()


def is_picture(path: Place) -> bool:
    """Whether the name of a file is one of a format that Pillow reads; the file is not opened."""
    return extensions().get(path.suffix.lower()) in Image.OPEN


def extensions() -> Mapping[str, str]:
    """Return Pillow's names of formats by extension, with all its plugins loaded."""
    Image.init()
    return Image.EXTENSION


def format_of(suffix: str) -> str:
    """Return Pillow's name of the format with that extension; ValueError if Pillow cannot write it."""
    name = extensions().get(suffix, "")
    if name not in Image.SAVE:
        msg = f"Pillow here writes no {suffix} files"
        raise ValueError(msg)
    return name


def _metadata(im: Image.Image, suffix: str, everything: bool) -> dict[str, Any]:
    """Return the save options that carry an image's metadata over to a format, each in that format's own way."""
    im.load()  # a PNG file may have them after the pixels
    name = format_of(suffix)
    found: dict[str, Any] = {}
    if name != FORMAT and im.info.get("icc_profile"):
        found["icc_profile"] = im.info["icc_profile"]
    if not everything:
        return found
    exif = _exif(im)
    if exif:
        found["exif"] = exif
    xmp = im.info.get("xmp")
    if not xmp:
        return found
    if name == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", plugin.xmp_bytes(xmp).decode("utf-8", "replace"))
        found["pnginfo"] = text
    elif name == "TIFF":
        tags = Image.Exif()
        tags.load(found.get("exif", b""))
        tags[_XMP_TIFF_TAG] = plugin.xmp_bytes(xmp)
        found["exif"] = tags
    else:
        found["xmp"] = xmp
    return found


def _exif(im: Image.Image) -> bytes:
    """EXIF of an open picture: the bytes in its file, or made of what else says the same (tags of TIFF, text of PNG); b"" if none.

    Broken EXIF counts as none: it is no reason to lose the picture.
    """
    if im.info.get("exif"):
        return bytes(im.info["exif"])
    tags = Image.Exif()
    try:
        tags.load(im.getexif().tobytes())
    except Exception:  # Pillow's readers of tags raise what they come upon
        return b""
    if im.format == "TIFF":
        for tag in set(tags) - _EXIF_TAGS:
            del tags[tag]
    return tags.tobytes() if len(tags) else b""
