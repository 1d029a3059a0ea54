"""The metadata of a picture file carried into a file of another format: ICC profile, EXIF, XMP, resolution, texts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image, PngImagePlugin

from .. import color, metadata
from ..fileformat.identity import FORMAT
from ..fileformat.limits import MAX_METADATA_BYTES
from . import transparency, trial

_EXIF_IFD, _MAKER_NOTE, _USER_COMMENT = 34665, 37500, 37510
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation="[0-9]"|<tiff:Orientation>[0-9]</tiff:Orientation>')
_XMP_TIFF_TAG = 700
_EXIF_TAGS = frozenset(
    [270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 316, 318, 319, 18246, 33432, 34665, 34853, *range(40091, 40096)]
)
"""The tags by which EXIF and Windows describe a picture (Exif 2.32, 4.6.4); a TIFF file's others are about how it stores pixels."""
_TEXT_TAGS = {
    "title": 270,
    "description": 270,
    "author": 315,
    "copyright": 33432,
    "software": 305,
    "comment": _USER_COMMENT,
}
"""The tag of EXIF that means the same as a keyword of PNG's texts (PNG 3, 11.3.3.1), in small letters."""
_JFIF_UNITS = (1, 2)
"""Dots per inch and per centimetre (JFIF 1.02); 0 is the shape of pixels alone."""
_USUAL_GAMMA, _SAME_GAMMA = 1 / 2.2, 0.05
"""What is written beside sRGB (PNG 3, 11.3.2.5), and the part by which another may be off unseen (PNG_GAMMA_THRESHOLD of libpng)."""
_DEEP = ("I", "F")
"""Modes of more than 8 bits begin so."""
_NAMES = {"exif": "EXIF", "xmp": "XMP", "icc_profile": "the ICC profile"}


class Carried:
    """The metadata of an image, as a format takes it. What has no room there is left out, and warned of.

    everything: all of it, not the ICC profile alone. upright: the pixels will be turned, so that no orientation is carried.
    """

    def __init__(self, im: Image.Image, name: str, *, everything: bool, upright: bool) -> None:
        im.load()  # a PNG file may have metadata after the pixels
        self._name = name
        self._mode = im.mode if trial.mode_kept(name, im.mode) is not None else "RGB"
        texts = _texts(im) if everything else {}
        found: dict[str, Any] = {}
        if name != FORMAT and isinstance(im.info.get("icc_profile"), bytes):
            found["icc_profile"] = im.info["icc_profile"]
        if everything:
            exif = _exif(im)
            if name != "PNG":
                exif, texts = _with_texts(exif, texts)
            xmp = im.info.get("xmp")
            xmp = metadata.xmp_bytes(xmp) if isinstance(xmp, (str, bytes)) else b""
            found |= {"exif": _without_orientation(exif) if upright else exif, "dpi": _dpi(im)}
            found["xmp"] = _XMP_ORIENTATION.sub(b"", xmp) if upright else xmp
        kept = {what: self._fitted(what, value) for what, value in found.items() if value}
        kept = {what: value for what, value in kept.items() if value}
        self._turned = upright or "exif" not in kept
        if "dpi" in kept and name != FORMAT:
            self._fit_resolution(kept)
        self._words = _as_words(name, kept, texts)
        self._orientation = metadata.orientation(im)
        if (gamma := _odd_gamma(im)) is not None:
            _warn(
                f"gamma {gamma:g}, by which its colours are to be shown,",
                "files that are made here have no place for it",
            )
        if texts and name != "PNG":
            _warn(f"the text {', '.join(map(repr, texts))}", "EXIF has no place for it")

    @property
    def words(self) -> dict[str, Any]:
        """The save options that carry it."""
        return self._words

    @property
    def must_turn(self) -> bool:
        """Whether the pixels must be turned, because that is wanted or because the file that is written cannot say how."""
        return self._turned and self._orientation != 1

    def _fitted(self, what: str, value: Any) -> Any:
        """Return a piece of metadata, or as much of it as the format takes; None if it takes none."""
        if self._name == FORMAT:
            return value if what == "dpi" or _has_room(what, value) else None
        tried = trial.write(self._name, self._mode, _as_words(self._name, {what: value}, {}))
        if not tried.refusal:
            if what in ("dpi", "icc_profile") or (tried.again is not None and _holds(tried.again, what)):
                return value
            bare = Image.Image()
            bare.info[what] = value
            broken = not _holds(bare, what)
            _warn(_NAMES[what], "nothing in it can be read" if broken else f"{self._name} files have no room for it")
            return None
        if what == "exif":
            for shorter, lost in self._shorter(value):
                if not trial.write(self._name, self._mode, _as_words(self._name, {what: shorter}, {})).refusal:
                    _warn(lost, f"{self._name} files cannot hold it ({tried.refusal})")
                    return shorter
        if what in _NAMES:
            _warn(_NAMES[what], f"{self._name} files cannot hold it ({tried.refusal})")
        return None

    def _fit_resolution(self, kept: dict[str, Any]) -> None:
        """Put the resolution into EXIF where the format has no other place for it, or say that there is none."""
        tried = trial.write(self._name, self._mode, {"dpi": kept["dpi"]})
        if tried.again is None or _is_resolution(tried.again.info.get("dpi"), kept["dpi"]):
            return
        dpi = kept.pop("dpi")
        exif = metadata.with_resolution(kept.get("exif", b""), dpi)
        again = trial.write(self._name, self._mode, _as_words(self._name, {"exif": exif}, {})).again
        if again is not None and metadata.X_RESOLUTION in again.getexif():
            kept["exif"] = exif
        else:
            _warn("the resolution", f"{self._name} files have no room for it")

    def _shorter(self, exif: bytes) -> Iterator[tuple[bytes, str]]:
        """Yield EXIF without what is most likely refused, and the name of that."""
        tags = Image.Exif()
        with metadata.BROKEN_TAGS:
            tags.load(exif)
            odd = [tag for tag, value in tags.items() if self._refuses(tag, value)]
            for tag in odd:
                del tags[tag]
            if odd:
                yield metadata.exif_bytes(tags), f"EXIF tag {', '.join(map(str, odd))}"
            if tags.get_ifd(_EXIF_IFD).pop(_MAKER_NOTE, None) is not None:
                yield metadata.exif_bytes(tags), "the maker note in EXIF"

    def _refuses(self, tag: int, value: object) -> bool:
        if tag == _EXIF_IFD:
            return False
        alone = Image.Exif()
        alone[tag] = value
        return bool(trial.write(self._name, self._mode, {"exif": alone}).refusal)


def _warn(what: str, why: str) -> None:
    warnings.warn(
        f"{what} was left out: {why}; --strip (keep_metadata=False) leaves metadata out unsaid",
        UserWarning,
        stacklevel=2,
    )


def _has_room(what: str, value: bytes) -> bool:
    """Whether a .lic file has room for a piece of metadata; warn if it has none."""
    if len(value) > MAX_METADATA_BYTES:
        _warn(_NAMES[what], f"LIC files have room for {MAX_METADATA_BYTES} bytes of it, these are {len(value)}")
    return len(value) <= MAX_METADATA_BYTES


def _holds(again: Image.Image, what: str) -> bool:
    """Whether an image has EXIF of which tags can be read, or XMP."""
    with metadata.BROKEN_TAGS:
        return bool(again.getexif()) if what == "exif" else bool(again.info.get(what))
    return False


def _as_words(name: str, found: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the save options of a format that carry metadata, in that format's own way."""
    words = dict(found)
    if exif := words.get("exif"):
        words["exif"] = metadata.EXIF_PREFIX + exif  # which the writer of JPEG leaves to its caller
    xmp = words.get("xmp", b"")
    if name == "PNG" and (xmp or texts):
        chunks = PngImagePlugin.PngInfo()
        for key, text in texts.items():
            chunks.add_itxt(key, text)
        if xmp:
            chunks.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
        words["pnginfo"] = chunks
        words.pop("xmp", None)
    elif name == "TIFF" and xmp:
        tags = Image.Exif()
        tags.load(words.get("exif", b""))
        tags[_XMP_TIFF_TAG] = words.pop("xmp")
        words["exif"] = tags
    return words


def _dpi(im: Image.Image) -> object:
    """Return the resolution of an open picture as Pillow has it, None where the file says none and Pillow makes up one."""
    says = im.format not in ("TIFF", "JPEG", "MPO") or im.info.get("jfif_unit") in _JFIF_UNITS
    with metadata.BROKEN_TAGS:
        says = says or metadata.X_RESOLUTION in im.getexif()
    return im.info.get("dpi") if says else None


def _odd_gamma(im: Image.Image) -> float | None:
    """Return the gamma that a PNG file has in place of a profile (PNG 3, 11.3.2.2) if its pixels look otherwise without it."""
    gamma, better = im.info.get("gamma"), ("icc_profile", "srgb")
    is_odd = isinstance(gamma, float) and gamma > 0 and abs(gamma / _USUAL_GAMMA - 1) > _SAME_GAMMA
    return gamma if is_odd and not any(name in im.info for name in better) else None


def _is_resolution(found: object, dpi: object) -> bool:
    """Whether a resolution that was read back is the one that was written, up to one dot per inch, or that is none to keep."""
    wanted, read = metadata.dots_per_inch(dpi), metadata.dots_per_inch(found)
    return wanted is None or (read is not None and all(abs(a - b) <= 1 for a, b in zip(wanted, read, strict=True)))


def _texts(im: Image.Image) -> dict[str, str]:
    """Return the texts of a PNG file, or the comment of another, by keyword; not those that hold EXIF or XMP."""
    text = getattr(im, "text", None)
    found = dict(text) if isinstance(text, dict) else {}
    comment = im.info.get("comment")
    if isinstance(comment, bytes):
        comment = comment.decode("utf-8", "replace")
    if isinstance(comment, str) and comment.strip("\0 "):
        found.setdefault("Comment", comment)
    taken = ("XML:com.adobe.xmp", "Raw profile type", "xmp", "exif")
    return {str(key): str(value) for key, value in found.items() if not key.startswith(taken)}


def _with_texts(exif: bytes, texts: Mapping[str, str]) -> tuple[bytes, dict[str, str]]:
    """Return EXIF with the texts in its own tags where these are free, and the texts that have no place there."""
    if not texts:
        return exif, {}
    tags, left = Image.Exif(), {}
    with metadata.BROKEN_TAGS:
        tags.load(exif)
        details = tags.get_ifd(_EXIF_IFD)
        for key, text in texts.items():
            tag = _TEXT_TAGS.get(key.lower())
            place = details if tag == _USER_COMMENT else tags
            if tag is None or tag in place and str(place[tag]).strip("\0 ") not in ("", text):
                left[key] = text
            elif tag == _USER_COMMENT:
                ascii_text = text.isascii()
                details[tag] = b"ASCII\0\0\0" + text.encode() if ascii_text else b"UNICODE\0" + text.encode("utf-16-le")
                tags[_EXIF_IFD] = details
            else:
                tags[tag] = text if text.isascii() else text.encode()
        return metadata.exif_bytes(tags), left
    return exif, dict(texts)


def _exif(im: Image.Image) -> bytes:
    """Return the EXIF of an open picture, or what its TIFF tags or PNG texts say, as a TIFF structure; b"" if none or broken."""
    if isinstance(im.info.get("exif"), bytes) and im.info["exif"]:
        return metadata.exif_bytes(im.info["exif"])
    tags = Image.Exif()
    with metadata.BROKEN_TAGS:
        tags.load(im.getexif().tobytes())
        if im.format == "TIFF":
            for tag in set(tags) - _EXIF_TAGS:
                del tags[tag]
        return metadata.exif_bytes(tags)
    return b""


def _without_orientation(exif: bytes) -> bytes:
    """Return EXIF bytes as they are but for the orientation; broken ones as they are."""
    tags = Image.Exif()
    with metadata.BROKEN_TAGS:
        tags.load(exif)
        if tags.pop(metadata.ORIENTATION, None) is not None:
            return metadata.exif_bytes(tags)
    return exif


def writable(im: Image.Image, name: str) -> Image.Image:
    """Return an image in a mode that the format keeps: the image itself, its colours as RGB, or without an alpha that hides nothing.

    An ICC profile that does not fit what is kept is dropped from `info`, with a warning. What no mode helps is returned as it
    is: the writer says why. OSError for more than 8 bits, and for what is transparent, in a format that has no room for them.
    """
    if name == FORMAT:
        own = im.info.get("icc_profile")
        if isinstance(own, bytes) and not _has_room("icc_profile", own):
            im = im.copy()
            del im.info["icc_profile"]
        return im
    if not im.mode.startswith(_DEEP):
        im = transparency.kept(im, name)
    kept = trial.mode_kept(name, im.mode)
    if im.mode.startswith(_DEEP) and kept is None:
        msg = f'cannot write mode {im.mode} as {name}: scale the values to 0-255 and use im.convert("L") first'
        raise OSError(msg)
    if im.mode.startswith(_DEEP) and kept and not kept.startswith(_DEEP):
        msg = f"cannot write mode {im.mode} as {name}: it stores 8 bits per channel, and lighter values would all be white"
        raise OSError(msg)
    if kept is None or (kept not in ("", im.mode) and im.mode in color.COLOR_SPACES):
        stored = color.stored(im)
        if stored.lost:
            warnings.warn(stored.lost, UserWarning, stacklevel=2)
        im = stored.image
        im.info["icc_profile"] = stored.icc_profile
        kept = trial.mode_kept(name, im.mode)
    if kept is None and im.mode in ("LA", "RGBA"):
        opaque = im.getchannel("A").getextrema() == (255, 255)
        modes = ("RGBA", "L", "RGB") if opaque else ("RGBA",)
        mode = next((mode for mode in modes if trial.mode_kept(name, mode) is not None), im.mode)
        im = im if mode == im.mode else im.convert(mode)
        kept = trial.mode_kept(name, im.mode)
    profile = im.info.get("icc_profile")
    if profile and kept and isinstance(profile, bytes) and not color.fits(profile, kept):
        im = im.copy()
        del im.info["icc_profile"]
        _warn("the ICC profile", f"it does not describe {kept}, as which {name} files keep the picture")
    return im
