"""Functions for callers who read .lic files: a file -> its picture, a smaller file, or the file inside it."""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, cast

from PIL import Image, UnidentifiedImageError

from . import arguments, inspecting
from .errors import NotLicError
from .fileformat.identity import FORMAT
from .fileformat.source import has_bytes, not_a_file, opened
from .plugin import LicImageFile

if TYPE_CHECKING:
    from . import files


def open(fp: files.StrPath | bytes | IO[bytes], *, bytes: int | None = None) -> LicImageFile:
    """Open a .lic picture and no other format: `Image.open` with `formats=["LIC"]`. `fp` may also be the bytes of a file.

    bytes: the most bytes of the file to use. If its model is progressive, they show the whole picture with less detail; what they
    do not reach is grey. Headers, metadata and layers count in full; ValueError if they leave no bytes for the pixels.
    """
    most = None if bytes is None else _byte_count("bytes", bytes)
    source = io.BytesIO(fp) if isinstance(fp, (builtins.bytes, bytearray, memoryview)) else fp
    if not isinstance(source, (str, os.PathLike)) and not has_bytes(source, "read"):
        raise not_a_file(source)
    image = cast(LicImageFile, Image.open(source, formats=[FORMAT]))
    if most is not None:
        with ExitStack() as refused:
            refused.enter_context(image)  # closes a file that Pillow opened, not the caller's
            image.use_at_most(most)
            refused.pop_all()
    return image


def cut(fp: files.StrPath | bytes | IO[bytes], size: int) -> builtins.bytes:
    """Return a .lic file of at most `size` bytes that shows the picture of another one with less detail, without encoding again.

    Metadata, alpha and exact pixels stay as they are. ValueError for a file whose model is not progressive, and for a size that is
    too small; OSError for a damaged file, and for one of another format.
    """
    most = _byte_count("size", size)
    with _lic_file(fp) as file:
        return inspecting.cut(file, most)


def extract(fp: files.StrPath | bytes | IO[bytes]) -> bytes:
    """Return the JPEG file inside a .lic file, byte for byte: of model "restored" the whole picture, of "jiang2017" half its size.

    OSError for a .lic file that contains no JPEG file, and for one that is damaged or of another format.
    """
    with _lic_file(fp) as file:
        return inspecting.inner_file(file)


@contextmanager
def _lic_file(fp: files.StrPath | bytes | IO[bytes]) -> Iterator[IO[bytes]]:
    """Open a file for a `with` block; one of another format is Pillow's UnidentifiedImageError, an OSError, as when it is opened."""
    with opened(fp) as file:
        try:
            yield file
        except NotLicError as error:
            raise UnidentifiedImageError(str(error)) from None


def _byte_count(name: str, value: object) -> int:
    """Return a number of bytes, a fraction of one left off; ValueError for what is no positive number."""
    return int(arguments.positive(name, value, "a positive number of bytes"))
