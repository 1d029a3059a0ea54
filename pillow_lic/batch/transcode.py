"""One picture file of any format Pillow knows to another, with its metadata."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from PIL import Image, PngImagePlugin

from .. import color, metadata, metrics, plugin
from ..engine.settings import settings
from ..errors import is_from_outside
from ..fileformat.header import CHANNELS
from ..naming import EXTENSION, FORMAT
from . import formats, locations
from .adjustment import Adjustment
from .formats import Registered
from .locations import Place
from .plan import Pair

_ORIENTATION = 274
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation="[0-9]"|<tiff:Orientation>[0-9]</tiff:Orientation>')
_XMP_TIFF_TAG = 700
_EXIF_TAGS = frozenset(
    [270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 316, 318, 319, 18246, 33432, 34665, 34853, *range(40091, 40096)]
)
"""The tags by which EXIF and Windows describe a picture (Exif 2.32, 4.6.4); a TIFF file's others are about how it stores pixels."""


@dataclass(frozen=True)
class Picture:
    """A picture as it is to be written, and the save options that carry its metadata."""

    image: Image.Image
    metadata: Mapping[str, Any]


class Made(NamedTuple):
    """The measures of a file that was made: its quality if it is a .lic file, and dB of RGB PSNR where that was asked for."""

    quality: float | None = None
    psnr: float | None = None

    def words(self) -> list[str]:
        """Return what is known, for people."""
        return [
            *([f"quality {self.quality:.2f}"] if self.quality is not None else []),
            *([f"{self.psnr:.2f} dB"] if self.psnr is not None else []),
        ]


@dataclass(frozen=True)
class Transcoder:
    """The work of making a picture file of another; picklable, so that other processes can do it (`jobs.Work`).

    suffix: of the format to write, ".lic" or any that Pillow writes. save_options: what `Image.save` takes for it.
    keep_metadata: carry EXIF and XMP over (the ICC profile always is); without them pixels are turned as EXIF says.
    adjustment: what is done to the pixels. measured: whether PSNR is wanted. settings: those of `settings` to work under.
    registered: what this process told Pillow, for others.
    """

    suffix: str = EXTENSION
    save_options: Mapping[str, Any] = field(default_factory=dict)
    keep_metadata: bool = True
    adjustment: Adjustment = Adjustment()
    measured: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    registered: Registered | None = None

    def __call__(self, pair: Pair) -> Made:
        """Write the target, whole or not at all, with the time of the source; OSError or ValueError if not."""
        with self.opened(pair.source) as picture:
            data = self.encode(picture)
            made = self.made(picture, data)
        locations.deliver(data, pair.target, pair.source)
        return made

    @contextmanager
    def opened(self, source: Place) -> Iterator[Picture]:
        """Open a picture for a `with` block, in which the settings hold."""
        if self.registered is not None:
            self.registered.apply()
        with settings(**self.settings), formats.open_picture(source) as im:
            yield self.prepare(im)

    def prepare(self, im: Image.Image) -> Picture:
        """Return an image as it is to be written; OSError for several frames, unless the first is wanted."""
        self.adjustment.check_frames(im, self.suffix)
        upright = self.adjustment.upright or not self.keep_metadata
        metadata = _metadata(im, self.suffix, self.keep_metadata, upright)
        return Picture(replace(self.adjustment, upright=upright).apply(im), metadata)

    def encode(self, picture: Picture, **more_options: Any) -> bytes:
        """Return the file's bytes; more save options may be given."""
        im, words = picture.image, {**picture.metadata, **self.save_options, **more_options}
        if self.suffix == EXTENSION:
            return plugin.encode(im, **words)
        buffer = io.BytesIO()
        try:
            im.save(buffer, formats.format_of(self.suffix), **words)
        except OSError as error:
            if im.has_transparency_data and str(error).startswith("cannot write mode"):
                msg = (
                    f"{error}: {self.suffix} files have no transparency, .png, .webp and .avif files do; "
                    "--background (background=...) puts it on a colour"
                )
                raise OSError(msg) from error
            raise
        return buffer.getvalue()

    def made(self, picture: Picture, data: bytes) -> Made:
        """Return what is known of a file that was made of a picture."""
        quality = plugin.open(data).info["lic_quality"] if self.suffix == EXTENSION else None
        return Made(quality, psnr(picture.image, data) if self.measured else None)


def psnr(im: Image.Image, data: bytes) -> float | None:
    """Return dB of RGB PSNR between an image and a picture file; None where a mode or a size leaves nothing to compare."""
    try:
        stored = color.to_pixels(im)
        with Image.open(io.BytesIO(data)) as made:
            again = color.to_pixels(made).array
    except OSError:
        return None
    colors = CHANNELS[stored.mode.removesuffix("A")]
    if again.shape[:2] != stored.array.shape[:2] or again.shape[2] < colors:
        return None
    return metrics.psnr(stored.array[:, :, :colors], again[:, :, :colors])


def _metadata(im: Image.Image, suffix: str, everything: bool, upright: bool) -> dict[str, Any]:
    """Return the save options that carry an image's metadata over to a format, each in that format's own way.

    everything: EXIF and XMP too. upright: without an orientation, because the pixels are turned.
    """
    im.load()  # a PNG file may have them after the pixels
    name = formats.format_of(suffix)
    found: dict[str, Any] = {}
    if name != FORMAT and im.info.get("icc_profile"):
        found["icc_profile"] = im.info["icc_profile"]
    if not everything:
        return found
    exif = _exif(im)
    if exif:
        found["exif"] = _without_orientation(exif) if upright else exif
    xmp = metadata.xmp_bytes(im.info.get("xmp"))
    if not xmp:
        return found
    if upright:
        xmp = _XMP_ORIENTATION.sub(b"", xmp)
    if name == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
        found["pnginfo"] = text
    elif name == "TIFF":
        tags = Image.Exif()
        tags.load(found.get("exif", b""))
        tags[_XMP_TIFF_TAG] = xmp
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
    except Exception as error:  # Pillow's readers of tags raise what they come upon
        if is_from_outside(error):
            raise
        return b""
    if im.format == "TIFF":
        for tag in set(tags) - _EXIF_TAGS:
            del tags[tag]
    return tags.tobytes() if len(tags) else b""


def _without_orientation(exif: bytes) -> bytes:
    tags = Image.Exif()
    try:
        tags.load(exif)
        if tags.pop(_ORIENTATION, None) is None:
            return exif
        return tags.tobytes()
    except Exception as error:  # as in `_exif`
        if is_from_outside(error):
            raise
        return exif
