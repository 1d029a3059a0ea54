"""Pillow's conventional name for a plugin: importing this module registers the format LIC.

Only the registration lives here, so that it costs next to nothing. The plugin itself, numpy and onnxruntime are
imported when the first .lic picture is opened or saved.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from PIL import Image

from .fileformat.identity import EXTENSION, FORMAT, MIME, accept

if TYPE_CHECKING:
    from PIL import ImageFile

    from .plugin import LicImageFile as LicImageFile


def _open(fp: IO[bytes], filename: str | bytes = "") -> ImageFile.ImageFile:
    from .engine.interpreter import is_main

    if not is_main():
        from .header_only import HeaderOnlyImageFile

        return HeaderOnlyImageFile(fp, filename)
    from .plugin import LicImageFile

    return LicImageFile(fp, filename)


def _save(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    from .engine.interpreter import require_main

    require_main()
    from . import saving

    saving.save_handler(im, fp, filename)


def _save_all(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
    from .engine.interpreter import require_main

    require_main()
    from . import saving

    saving.save_all_handler(im, fp, filename)


def register() -> None:
    """Register LIC with Pillow. Importing the package does it; calling it again restores what another package took."""
    Image.register_open(FORMAT, _open, accept)
    Image.register_save(FORMAT, _save)
    Image.register_save_all(FORMAT, _save_all)
    Image.register_extension(FORMAT, EXTENSION)
    Image.register_mime(FORMAT, MIME)


def __getattr__(name: str) -> Any:
    if name == "LicImageFile":
        from .plugin import LicImageFile

        return LicImageFile
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


register()
