"""One picture file of any format Pillow knows to another, with its metadata."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from .. import color, metrics, opening, saving
from ..engine import models
from ..engine.settings import settings
from ..errors import let_pass
from ..fileformat.header import CHANNELS
from ..fileformat.identity import EXTENSION
from ..fileformat.levels import level_to_quality
from ..importance import jpeg, requested
from ..restoring import restore
from . import formats, locations
from .adjustment import Adjustment
from .carrying import Carried, writable
from .formats import Registered
from .locations import Place, State
from .plan import Pair

PLACES = ("roi", "importance")
"""The options of save that JPEG files may have too."""
_NEARLY = 0.9
"""Of the bytes that were asked for: a file with less is another than was wanted."""


@dataclass(frozen=True)
class Picture:
    """A picture as it is to be written, the save options that carry its metadata, and the `locations.state` of its file."""

    image: Image.Image
    metadata: Mapping[str, Any]
    origin: State | None = None


class Made(NamedTuple):
    """The measures of a file that was made: its quality if it is a .lic file, and dB of RGB PSNR where that was asked for."""

    quality: float | None = None
    psnr: float | None = None

    def words(self) -> list[str]:
        """Return what is known, for people."""
        return [
            *([f"quality {self.quality:.2f}"] if self.quality is not None else []),
            *(
                ["every pixel equal" if math.isinf(self.psnr) else f"{self.psnr:.2f} dB"]
                if self.psnr is not None
                else []
            ),
        ]


@dataclass(frozen=True)
class Transcoder:
    """The work of making a picture file of another; picklable, so that other processes can do it (`jobs.Work`).

    suffix: of the format to write, ".lic" or any that Pillow writes. save_options: what `Image.save` takes for it.
    keep_metadata: carry EXIF and XMP over (the ICC profile always is); without them pixels are turned as EXIF says.
    adjustment: what is done to the pixels. measured: whether PSNR is wanted. settings: those of `settings` to work under.
    registered: what another process told Pillow, for this one. restored: by how many views
    the marks of JPEG are taken away first, 0 for not at all.
    """

    suffix: str = EXTENSION
    save_options: Mapping[str, Any] = field(default_factory=dict)
    keep_metadata: bool = True
    adjustment: Adjustment = Adjustment()
    measured: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    registered: Registered | None = None
    restored: int = 0

    def __post_init__(self) -> None:
        if (
            self.suffix == EXTENSION
            and not self.keep_metadata
            and saving.keeps_original(saving.encode_options(self.save_options))
        ):
            msg = (
                f"metadata must be kept for model {self.save_options['model']}, which stores a JPEG file as it is, EXIF and all: "
                "leave --strip out (keep_metadata=True), or give a quality, with which the picture is saved anew"
            )
            raise ValueError(msg)

    def __call__(self, pair: Pair) -> Made:
        """Write the target, whole or not at all, with the time of the source; OSError or ValueError if not."""
        with self.opened(pair.source) as picture:
            data = self.encode(picture)
            made = self.made(picture, data)
        locations.deliver(data, pair.target, picture.origin)
        return made

    @contextmanager
    def opened(self, source: Place) -> Iterator[Picture]:
        """Open a picture for a `with` block, in which the settings hold."""
        if self.registered is not None:
            self.registered.apply()
        origin = locations.state(source)
        with settings(**self.settings), formats.open_picture(source) as im:
            yield replace(self.prepare(im), origin=origin)

    def prepare(self, im: Image.Image) -> Picture:
        """Return an opened image as it is to be written; OSError for several frames, unless the first is wanted."""
        if self.restored:
            im = restore(im, self.restored)
        self.adjustment.check_frames(im, self.suffix)
        name = formats.format_of(self.suffix)
        upright = self.adjustment.upright or not self.keep_metadata
        carried = Carried(im, name, everything=self.keep_metadata, upright=upright)
        adjusted = replace(self.adjustment, upright=carried.must_turn).apply(im)
        with self._naming_what_has_transparency(adjusted):
            image = writable(adjusted, name)
        words = carried.words
        if "icc_profile" in words:
            words["icc_profile"] = image.info.get("icc_profile")
        return Picture(image, {word: value for word, value in words.items() if value})

    def encode(self, picture: Picture, **more_options: Any) -> bytes:
        """Return the file's bytes; more save options may be given."""
        im, words = picture.image, {**picture.metadata, **self.save_options, **more_options}
        if self.suffix == EXTENSION:
            return saving.encode(im, **words)
        if any(words.get(name) is not None for name in PLACES):
            return weighed(im, **words)
        buffer = io.BytesIO()
        with self._naming_what_has_transparency(im):
            im.save(buffer, formats.format_of(self.suffix), **words)
        return buffer.getvalue()

    @contextmanager
    def _naming_what_has_transparency(self, im: Image.Image) -> Iterator[None]:
        """Say with a refusal of a mode in a `with` block what helps, where it is for its alpha."""
        try:
            yield
        except OSError as error:
            let_pass(error)
            if im.has_transparency_data and str(error).startswith("cannot write mode"):
                msg = (
                    f"{error}: {self.suffix} files have no transparency, .png, .webp and .avif files do; "
                    "--background (background=...) puts it on a colour"
                )
                raise OSError(msg) from error
            raise

    def made(self, picture: Picture, data: bytes) -> Made:
        """Return what is known of a file that was made of a picture; UserWarning for one at the end of the scale that asked for more."""
        quality = None
        if self.suffix == EXTENSION:
            quality = opening.open(data).info["lic_quality"]
            self._check_target(picture.image, len(data), quality)
        return Made(quality, psnr(picture.image, data) if self.measured else None)

    def _check_target(self, im: Image.Image, size: int, quality: float) -> None:
        bpp = 8 * size / (im.width * im.height)
        highest = round(level_to_quality(models.choose(self.save_options.get("model")).levels[-1]), 2)
        for name, found in (("target_size", size), ("target_bpp", bpp)):
            wanted = self.save_options.get(name)
            if wanted is not None and quality == highest and found < _NEARLY * wanted:
                words = (
                    f"{name}={wanted:g} is more than the scale has: at quality {quality:g}, its end, it is {found:.6g}"
                )
                warnings.warn(words, UserWarning, stacklevel=3)


def weighed(im: Image.Image, *, roi: Any = None, importance: Any = None, quality: int = 75, **words: Any) -> bytes:
    """Return the bytes of a JPEG file that gives the bits of other places to those of `roi` and `importance`.

    words: other save options of JPEG. ValueError for a picture that is neither L nor RGB.
    """
    places = requested.request(roi, importance, np.asarray(im.convert("RGB")))
    return jpeg.encode(im, quality, places.given + places.shift, **words)


def psnr(im: Image.Image, data: bytes) -> float | None:
    """Return dB of RGB PSNR between an image and a picture file; None where a mode or a size leaves nothing to compare."""
    try:
        stored = color.to_pixels(im)
        with Image.open(io.BytesIO(data)) as made:
            again = color.to_pixels(made).array
    except OSError as error:
        let_pass(error)
        return None
    colors = CHANNELS[stored.mode.removesuffix("A")]
    if again.shape[:2] != stored.array.shape[:2] or again.shape[2] < colors:
        return None
    return metrics.psnr(stored.array[:, :, :colors], again[:, :, :colors])
