"""Changes of a picture before it is written: one frame of several, upright, smaller, on a background."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import SupportsIndex

from PIL import Image, ImageColor

from .. import color as color_modes
from .. import metadata
from ..errors import let_pass

_ONE_PICTURE = frozenset({"MPO", "PSD"})
"""Formats of which Pillow counts as frames what is no picture of its own: previews and gain maps, and layers."""
_NEW_SUBFILE, _SUBFILE = 254, 255
_PREVIEW_OR_MASK = 0b101
"""Bits of NewSubfileType (TIFF 6.0, section 8): a smaller version of another page, and its transparency."""
_REDUCED = 2
"""Of SubfileType, its predecessor: the same."""


Size = tuple[int | None, int | None]
Color = tuple[int, int, int]


@dataclass(frozen=True)
class Adjustment:
    """The changes of each picture, in this order; ValueError names a wrong value and what is legal.

    first_frame: of an animation or several pages the first is taken. upright: pixels are turned as EXIF says. size: the
    picture is made to fit into so many pixels across and down, or one of the two if the other is None; never larger.
    background: what is transparent lies on this colour, (red, green, blue).
    """

    first_frame: bool = False
    upright: bool = False
    size: Size | None = None
    background: Color | None = None

    @classmethod
    def of(
        cls, *, first_frame: bool, auto_orient: bool, resize: int | Size | None, background: str | Color | None
    ) -> Adjustment:
        """Return the adjustment by the words of `pillow_lic.convert`."""
        if resize is not None and not isinstance(resize, tuple):
            resize = (resize, resize)
        if isinstance(background, str):
            try:
                background = color(background)
            except ValueError as error:
                let_pass(error)
                msg = f"background {error}"
                raise ValueError(msg) from None
        return cls(bool(first_frame), bool(auto_orient), resize, background)

    def __post_init__(self) -> None:
        if self.size is not None:
            sides = self.size if isinstance(self.size, tuple) and len(self.size) == 2 else (0,)
            if not any(sides) or not all(side is None or _is_count(side) for side in sides):
                msg = f"resize must be pixels of the longer side, or (across, down), where one may be None, got {self.size!r}"
                raise ValueError(msg)

        if self.background is not None:
            parts = (
                self.background if isinstance(self.background, (tuple, list)) and len(self.background) == 3 else (-1,)
            )
            if not all(isinstance(part, SupportsIndex) and 0 <= part <= 255 for part in parts):
                msg = f"background must be a colour such as white, #ffffff or (255, 255, 255), got {self.background!r}"
                raise ValueError(msg)

    def check_frames(self, im: Image.Image, suffix: str) -> None:
        """Turn to the first frame; OSError for several, of which all but one would be lost, unless that is wanted."""
        numbers = frames(im)
        if len(numbers) > 1 and not self.first_frame:
            msg = (
                f"picture has {len(numbers)} frames, a {suffix} file made here would hold one of them: "
                "--first-frame (first_frame=True) takes the first"
            )
            raise OSError(msg)
        if numbers[0]:
            im.seek(numbers[0])

    def apply(self, im: Image.Image) -> Image.Image:
        """Return the picture as it is to be written, `im` itself when there is nothing to do."""
        if self.upright:
            im = metadata.upright(im)
        if self.size is not None:
            im = _fitted(im, self.size)
        if self.background is not None and im.has_transparency_data:
            im = _on(im, self.background)
        return im


def _is_count(side: object) -> bool:
    return isinstance(side, SupportsIndex) and not isinstance(side, bool) and int(side) > 0


def frames(im: Image.Image) -> list[int]:
    """Return the numbers of the frames that are pictures of their own, one at least; previews and masks in a TIFF are none."""
    count = 1 if im.format in _ONE_PICTURE else int(getattr(im, "n_frames", 1))
    if im.format != "TIFF" or count == 1:
        return list(range(count))
    own = []
    for number in range(count):
        im.seek(number)
        tags = im.tag_v2  # type: ignore[attr-defined]  # of TIFF files
        if not tags.get(_NEW_SUBFILE, 0) & _PREVIEW_OR_MASK and tags.get(_SUBFILE) != _REDUCED:
            own.append(number)
    im.seek(0)
    return own or [0]


def _fitted(im: Image.Image, size: Size) -> Image.Image:
    box = [limit or 10**9 for limit in size]
    if metadata.orientation(im) in metadata.ON_ITS_SIDE:
        box.reverse()
    if im.width <= box[0] and im.height <= box[1]:
        return im
    im = color_modes.widened(im).copy()  # a transparent colour would blend with its neighbours, and they with it
    im.thumbnail((box[0], box[1]), Image.Resampling.LANCZOS)
    return im


def _on(im: Image.Image, background: Color) -> Image.Image:
    base = Image.new("RGBA", im.size, (*background, 255))
    base.alpha_composite(color_modes.widened(im).convert("RGBA"))
    flat = base.convert("L" if im.mode in ("LA", "La") and len(set(background)) == 1 else "RGB")
    flat.info = {name: value for name, value in im.info.items() if name != "transparency"}
    return flat


def size(text: str) -> Size:
    """Return the limits written as 1920 (of the longer side), 800x600, 800x or x600; ValueError for others."""
    if text.isdecimal() and int(text):
        return int(text), int(text)
    found = re.fullmatch(r"([1-9][0-9]*)?x([1-9][0-9]*)?", text)
    if found is None or found[0] == "x":
        msg = f"must be pixels such as 1920 (the longer side), 800x600, 800x or x600, got {text!r}"
        raise ValueError(msg)
    return int(found[1]) if found[1] else None, int(found[2]) if found[2] else None


def color(text: str) -> Color:
    """Return a colour written as white, #fff, #102030 or rgb(1,2,3); ValueError for others."""
    try:
        red, green, blue, *_ = ImageColor.getrgb(text)
    except ValueError as error:
        let_pass(error)
        msg = f"must be a colour such as white, #ffffff or rgb(255,255,255), got {text!r}"
        raise ValueError(msg) from None
    return red, green, blue
