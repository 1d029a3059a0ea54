"""Raw files of cameras, developed by rawpy (LibRaw), which is an optional extra. Pillow takes many of them for TIFF."""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from .. import metadata

SUFFIXES = frozenset(
    {".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".sr2", ".srw"}
)


def is_available() -> bool:
    """Whether rawpy is installed."""
    return find_spec("rawpy") is not None


def open_raw(source: Path | io.BytesIO) -> Image.Image:
    """Return the developed picture, RGB and upright, in sRGB with the camera's white, with the EXIF of its preview.

    OSError when it cannot be read.
    """
    import rawpy

    try:
        with rawpy.imread(str(source) if isinstance(source, Path) else source) as file:
            image = Image.fromarray(file.postprocess(use_camera_wb=True))
            if exif := _exif(rawpy, file):
                image.info["exif"] = exif
    except rawpy.LibRawError as error:
        msg = f"rawpy cannot read the raw file: {error}"
        raise OSError(msg) from error
    return image


def _exif(rawpy: Any, file: Any) -> bytes:
    """Return the EXIF of the JPEG preview in a raw file, without its orientation; b"" if there is none, or it is broken."""
    try:
        preview = file.extract_thumb()
    except rawpy.LibRawError:
        return b""
    if preview.format != rawpy.ThumbFormat.JPEG:
        return b""
    with metadata.BROKEN_TAGS:
        tags = Image.open(io.BytesIO(preview.data)).getexif()
        tags.pop(metadata.ORIENTATION, None)
        return tags.tobytes() if len(tags) else b""
    return b""
