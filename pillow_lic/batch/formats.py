"""The formats that can be read and written here: Pillow's own, those of plugins, and those of packages that are extras of ours.

Pillow keeps its plugins for the process. `Registered` carries those that a program registered to processes that work for it.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from PIL import Image, ImageFile, UnidentifiedImageError

from .. import metadata
from ..errors import Ignoring, let_pass
from . import raw
from .locations import Place, readable
from .stores import StorePath


@dataclass(frozen=True)
class Extra:
    """A package that reads formats Pillow does not: an optional extra of this one. register: tells Pillow of it."""

    extra: str
    module: str
    suffixes: frozenset[str]
    register: Callable[[Any], object] = lambda module: None


EXTRAS = (
    Extra("heif", "pillow_heif", frozenset({".heic", ".heif", ".hif"}), lambda module: module.register_heif_opener()),
    Extra("jxl", "pillow_jxl", frozenset({".jxl"})),
    Extra("raw", "rawpy", raw.SUFFIXES),
)


def extensions() -> Mapping[str, str]:
    """Return Pillow's names of formats by extension, with all its plugins loaded and the extras that are installed."""
    Image.init()
    _load_extras()
    return Image.EXTENSION


@cache
def _load_extras() -> None:
    for extra in EXTRAS:
        if not extra.suffixes & set(Image.EXTENSION) and find_spec(extra.module):
            extra.register(import_module(extra.module))


def is_picture(path: Place) -> bool:
    """Whether the name of a file is one of a format that can be read here; the file is not opened."""
    suffix = path.suffix.lower()
    readable = extensions().get(suffix) in Image.OPEN or is_jpeg(path)  # .mpo has no plugin but that of JPEG
    return readable or (suffix in raw.SUFFIXES and raw.is_available())


def names_another(path: Place, format: str) -> bool:
    """Whether the extension of a name is that of a format of pictures, readable or not, other than Pillow's of that name."""
    suffix = path.suffix.lower()
    own = extensions().get(suffix)
    return own != format and (own is not None or any(suffix in extra.suffixes for extra in EXTRAS))


def is_jpeg(path: Place) -> bool:
    """Whether the name of a file is one of a JPEG file; the file is not opened."""
    return extensions().get(path.suffix.lower()) in ("JPEG", "MPO")


def format_of(suffix: str) -> str:
    """Return Pillow's name of the format with that extension; ValueError if Pillow cannot write it."""
    name = extensions().get(suffix, "")
    if name not in Image.SAVE:
        msg = f"Pillow cannot write {suffix} files here"
        raise ValueError(msg)
    return name


def missing(suffix: str) -> str:
    """Return what to install so that files with that extension can be read, or "" if nothing is known."""
    for extra in EXTRAS:
        if suffix.lower() in extra.suffixes and not find_spec(extra.module):
            return f'pip install "pillow-lic[{extra.extra}]"'
    return ""


def open_picture(source: Place | IO[bytes]) -> Image.Image:
    """Open a picture file; OSError also names the extra that would read it, and says of an empty file that it is empty."""
    extensions()
    if not isinstance(source, (Path, StorePath)):
        return _unmapped(Image.open(source))
    file = readable(source)
    if source.suffix.lower() in raw.SUFFIXES and raw.is_available():
        return raw.open_raw(file)
    try:
        return _unmapped(Image.open(file))
    except UnidentifiedImageError as error:
        if _is_empty(file):
            msg = f"{error}: it is empty"
        elif words := missing(source.suffix):
            msg = f"{error}: {source.suffix} files need {words}"
        else:
            raise
        raise UnidentifiedImageError(msg) from error


def _is_empty(file: Path | IO[bytes]) -> bool:
    """Whether an ordinary file has no bytes; those that systems make up as they are read have some and a size of none."""
    if not isinstance(file, Path):
        return not file.seek(0, io.SEEK_END)
    with Ignoring(OSError):
        if file.is_file() and file.stat().st_size == 0:
            with file.open("rb") as opened:
                return not opened.read(1)
    return False


def _unmapped(im: ImageFile.ImageFile) -> Image.Image:
    """Return an image that Pillow reads, and does not map into memory, where that shears it: TIFF files that lie on their side.

    (Pillow 13.0 maps by the turned size, and only what has a name.)
    """
    if im.format == "TIFF":
        with Ignoring(Exception):  # broken tags raise what Pillow comes upon
            if im.tag_v2.get(metadata.ORIENTATION) in metadata.ON_ITS_SIDE:  # type: ignore[attr-defined]  # of TIFF files
                im.filename = ""
    return im


@dataclass(frozen=True)
class Registered:
    """The plugins, each pickled, and the limits that a program set in Pillow, for another process to set too."""

    plugins: tuple[bytes, ...]
    max_pixels: int | None
    load_truncated: bool

    @classmethod
    def here(cls) -> Registered:
        """Return what this process has; plugins that do not pickle are left out."""
        extensions()
        plugins = []
        for name, (factory, accept) in Image.OPEN.items():
            if str(getattr(factory, "__module__", "")).startswith(("PIL.", "pillow_lic.")):
                continue
            suffixes = [suffix for suffix, owner in Image.EXTENSION.items() if owner == name]
            try:
                plugins.append(pickle.dumps((name, factory, accept, Image.SAVE.get(name), suffixes)))
            except Exception as error:  # a function without a name that can be imported
                let_pass(error)
        return cls(tuple(plugins), Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)

    def apply(self) -> None:
        """Tell this process; plugins whose packages it lacks are left out."""
        Image.MAX_IMAGE_PIXELS = self.max_pixels
        ImageFile.LOAD_TRUNCATED_IMAGES = self.load_truncated
        for pickled in self.plugins:
            try:
                name, factory, accept, save, suffixes = pickle.loads(pickled)
            except Exception as error:  # whatever its import raises
                let_pass(error)
                continue
            if name not in Image.OPEN:
                Image.register_open(name, factory, accept)
                Image.register_extensions(name, suffixes)
                if save is not None:
                    Image.register_save(name, save)
