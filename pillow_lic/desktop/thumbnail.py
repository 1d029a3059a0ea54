"""`lic thumbnail`: what a file manager calls for every .lic picture of a folder; and the thumbnails that they share."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from .. import color, metadata, opening
from ..errors import Ignoring, let_pass
from ..fileformat.identity import MIME
from ..files import StrPath, is_same, naming, write_atomic
from . import directories

MAX_SIZE = 4096
"""The largest edge that is drawn; file managers ask for 128 to 1024."""

_SHARED = {"x-large": 512, "large": 256, "normal": 128}
"""Folder and edge of the thumbnails that are shared, the largest first; the next size, 1024, is for screens of 8K."""


def write(source: StrPath, target: StrPath, size: int) -> None:
    """Write the picture `source` as a PNG file of at most `size` pixels on each edge; smaller pictures keep their size.

    A file that is there is written to, not replaced: Xfce opens it before it calls, and reads what it has open. Where writing
    fails it is left empty. ValueError for a size below 1 or over MAX_SIZE and for the picture itself as target; OSError and
    SyntaxError for what is no sound .lic file.
    """
    if not 1 <= size <= MAX_SIZE:
        msg = f"size of a thumbnail must be 1-{MAX_SIZE}, got {size}"
        raise ValueError(msg)
    if is_same(source, target):
        msg = f"the thumbnail must be another file than the picture, got {target}"
        raise ValueError(msg)
    data = _png(*_small(source, size))
    is_new = not os.path.exists(target)
    try:
        with naming(target), open(target, "wb") as stream:
            stream.write(data)
    except BaseException:
        with Ignoring(OSError):  # of what is no file nothing can be cut off
            if is_new:
                Path(target).unlink(missing_ok=True)
            else:
                os.truncate(target, 0)
        raise


def share(source: Path) -> list[Path]:
    """Write the thumbnails of a .lic picture where file managers look before they make one, and return their paths.

    None is written where all are there and no older than the picture. Errors as in `write`.
    """
    uri = _uri(source.resolve())
    name = f"{hashlib.md5(uri.encode(), usedforsecurity=False).hexdigest()}.png"
    stamps = {"Thumb::URI": uri, "Thumb::MTime": str(int(source.stat().st_mtime))}
    targets = {directories.cache_home() / "thumbnails" / folder / name: edge for folder, edge in _SHARED.items()}
    if all(_has(path, stamps) for path in targets):
        return []
    image, text = _small(source, max(_SHARED.values()))
    for path, edge in targets.items():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
        write_atomic(path, _png(image, {**text, **stamps}))
    return list(targets)


def _small(source: StrPath, size: int) -> tuple[Image.Image, dict[str, str]]:
    """Return a picture that fits a square, upright and in sRGB, and what is to be said of the whole one.

    The keys are those of the Thumbnail Managing Standard 0.9.
    """
    with opening.open(source) as im:
        text = {"Thumb::Mimetype": MIME, "Thumb::Image::Width": str(im.width), "Thumb::Image::Height": str(im.height)}
        im.thumbnail((size, size), Image.Resampling.LANCZOS)
        return _to_srgb(metadata.upright(im)), text


def _png(image: Image.Image, text: Mapping[str, str]) -> bytes:
    chunks = PngInfo()
    for key, value in text.items():
        chunks.add_text(key, value)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", pnginfo=chunks, icc_profile=None)
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


def _uri(path: Path) -> str:
    """Return the URI of an absolute path as GLib writes it, on which the name of a thumbnail depends.

    `Path.as_uri` escapes other characters.
    """
    return "file://" + quote(bytes(path), safe="/!$&'()*+,-.:=@_~")


def _has(path: Path, stamps: Mapping[str, str]) -> bool:
    """Whether a thumbnail is there and of the file as it is now."""
    try:
        with Image.open(path, formats=["PNG"]) as im:
            return all(im.info.get(key) == value for key, value in stamps.items())
    except (OSError, SyntaxError) as error:
        let_pass(error)
        return False
