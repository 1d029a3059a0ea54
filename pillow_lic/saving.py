"""Writing .lic files: the handlers that Pillow's `save` calls, and the functions `save` and `encode` for users.

An image is encoded in memory, and the file is written at once.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import IO, Any

from PIL import Image

from . import arguments, codec, color, families, files, inspecting, jpeg_originals, metadata, options
from .engine import models
from .engine.interpreter import require_main
from .fileformat import importance_map
from .fileformat.source import has_bytes, not_a_file, write_all

IGNORED = frozenset(
    {"optimize", "progressive", "subsampling", "save_all", "append_images", "append", "comment"}
    | {"lic_version", "lic_quality", "lic_model"}
)
"""Keywords that need no warning: programs pass them to every format, or from `info`."""

_OTHER_SIZE = (
    "the importance map is left out: it is that of a picture of another size (importance=None leaves it out unsaid)"
)

_METADATA = ("icc_profile", "exif", "xmp", "dpi")
SAVE_WORDS = (*options.OPTIONS, *_METADATA)
"""The keywords of save: the options and the metadata."""


def save_handler(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    """Write the image as Pillow's `save` asks: encode in memory, then write once. `filename` is never looked at."""
    write_all(fp, _encode(im, im.encoderinfo, stacklevel=6))


def save_all_handler(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    """Write an image of one frame; OSError for more, because the rest would be lost."""
    _check_frames(im, im.encoderinfo)
    write_all(fp, _encode(im, im.encoderinfo, stacklevel=6))


@options.documented
def encode(image: Image.Image, **save_options: Any) -> bytes:
    """Return the bytes of a .lic file of the image; options, warnings and errors are those of `image.save("x.lic", ...)`.

    Masks may be images. icc_profile, exif, xmp and dpi are stored as metadata; the ICC profile of the image is kept unless another
    is given. ValueError and TypeError for wrong options and for what is no image, OSError for a mode that does not define its
    values in 8 bits (I, F).
    """
    return _encoded(image, save_options)


@options.documented
def save(image: Image.Image, path: files.StrPath | bytes | IO[bytes], **save_options: Any) -> None:
    """Write the image as a .lic file, whatever its name; if that fails, an existing file stays as it was.

    `image.save` cannot promise this: Pillow empties the file before it calls the plugin. path: a name, or a file open for writing.

    Masks may be images. icc_profile, exif, xmp and dpi are stored as metadata; the ICC profile of the image is kept unless another
    is given. ValueError and TypeError for wrong options and for what is no image, OSError for a mode that does not define its
    values in 8 bits (I, F) and for a file that cannot be written.
    """
    if not isinstance(path, (str, bytes, os.PathLike)) and not has_bytes(path, "write"):
        raise not_a_file(path)
    data = _encoded(image, save_options)
    if isinstance(path, (str, bytes, os.PathLike)):
        files.write_atomic(os.fsdecode(path), data)
    else:
        write_all(path, data)


def _check_frames(im: object, words: Mapping[str, Any]) -> None:
    """Raise OSError for more frames than one, because the rest would be lost."""
    more = [im, *(words.get("append_images") or ())]
    frames = sum(getattr(frame, "n_frames", 1) for frame in more)
    if frames > 1:
        msg = f"cannot write {frames} frames as LIC: a .lic file holds one picture; save every frame as its own file"
        raise OSError(msg)


def _encoded(image: object, words: Mapping[str, Any]) -> bytes:
    """Encode for our own functions, which know no `save_all` but take it as Pillow's `save` does."""
    is_all = words.get("save_all")
    if is_all or (is_all is None and words.get("append_images")):
        _check_frames(image, words)
    return _encode(image, words, stacklevel=5)


def _encode(im: object, words: Mapping[str, Any], stacklevel: int) -> bytes:
    """Encode with Pillow's save parameters; `stacklevel` leads from a warning here to the caller's own line."""
    if not isinstance(im, Image.Image):
        msg = f"image must be a PIL.Image.Image, which Image.fromarray makes of an array, got {arguments.shown(im)}"
        raise TypeError(msg)
    require_main()
    encoding = encode_options(words)
    original = (
        jpeg_originals.file_of(im) if keeps_original(encoding) else b""
    )  # of a stream it is gone once the pixels are loaded
    im.load()  # before all else: the mode, the size and the Exif object of a TIFF may be others then
    if "lic_version" in words and _is_of_another_size(words.get("importance"), im):
        warnings.warn(_OTHER_SIZE, UserWarning, stacklevel - 1)
        encoding = replace(encoding, importance=None)
    _warn_unknown(words, im.info, stacklevel)
    exif = metadata.with_resolution(metadata.exif_bytes(words.get("exif")), words.get("dpi"))
    given = metadata.icc_bytes(words["icc_profile"]) if "icc_profile" in words else None
    found = {"exif": exif, "xmp": metadata.xmp_bytes(words.get("xmp"))}
    pixels = color.to_pixels(im, given)
    if pixels.lost:
        warnings.warn(pixels.lost, UserWarning, stacklevel - 1)
    found["icc_profile"] = pixels.icc_profile
    stored = {name: value for name, value in found.items() if value}
    if keeps_original(encoding) and jpeg_originals.is_from_jpeg(im):
        if lost := jpeg_originals.objection(original, pixels.array):
            original = b""
            warnings.warn(
                f"the JPEG file of this picture is not kept, it is saved anew with quality {options.DEFAULT_QUALITY:g}: {lost}",
                UserWarning,
                stacklevel - 1,
            )
        else:
            encoding = replace(encoding, quality=jpeg_originals.quality_of(original))
    return codec.encode(pixels.array, pixels.mode, encoding, metadata=stored, original=original)


def _is_of_another_size(value: object, im: Image.Image) -> bool:
    """Whether this is the importance map of a .lic picture of another size, as `**im.info` of a resized or turned one passes it on."""
    return isinstance(value, importance_map.Map) and value.shape != importance_map.shape_of(im.height, im.width)


def keeps_original(encoding: options.EncodeOptions) -> bool:
    """Whether a picture that was opened from a JPEG file is stored as that file: the model can, and no option asks for a quality."""
    asked = encoding.quality is not None or encoding.has_target or encoding.lossless
    return not asked and families.keeps_original(models.choose(encoding.model))


def encode_options(words: Mapping[str, Any]) -> options.EncodeOptions:
    """Return the encoding options among Pillow's save parameters, checked; None counts as not given.

    If none of them sets the quality or the model, those of the file that the picture was opened from are used, which `**im.info` passes
    on as lic_quality and lic_model.
    """
    chosen = {name: words[name] for name in options.OPTIONS if words.get(name) is not None}
    has_quality = any(options.OPTIONS[name].sets_quality for name in chosen)
    if (
        not has_quality
        and words.get("lic_quality") is not None
        and not inspecting.keeps_every_pixel(chosen.get("model"))
    ):
        chosen["quality"] = words["lic_quality"]
    lossless = options.OPTIONS["lossless"]
    if not lossless.check("lossless", chosen.get("lossless", False), lossless.legal) and words.get("lic_model") not in (
        None,
        inspecting.LOSSLESS,
    ):
        chosen.setdefault("model", words["lic_model"])
    for name, value in chosen.items():
        if options.OPTIONS[name].takes_mask and (isinstance(value, Image.Image) or getattr(value, "shape", None)):
            chosen[name] = color.to_map(value)
    return options.EncodeOptions(**chosen)


def unknown_words(names: Iterable[str]) -> str:
    """Return the words of a message about those of the names that are no keyword of save, and what was meant; "" if all are."""
    parts = []
    for name in names:
        if name not in SAVE_WORDS:
            meant = arguments.close_match(name, SAVE_WORDS)
            parts.append(f"{name!r} (did you mean {meant!r}?)" if meant else repr(name))
    return f"save option {', '.join(parts)}; it knows {', '.join(SAVE_WORDS)}" if parts else ""


def _warn_unknown(words: Mapping[str, Any], info: Mapping[Any, Any], stacklevel: int) -> None:
    """Warn once of all keywords that mean nothing here: Pillow's own formats ignore a mistyped one silently.

    Keywords that were passed on from `info` are not named, because other formats put there what they found.
    """
    passed_on = {name for name, value in words.items() if name in info and info[name] is value}
    if unknown := unknown_words([name for name in words if name not in IGNORED | passed_on]):
        warnings.warn(f"LIC has no {unknown}", UserWarning, stacklevel)
