"""Learned image compression as an ordinary image format for Pillow and imageio.

    from PIL import Image
    import pillow_lic                                           # registers ".lic"

    Image.open("photo.png").save("photo.lic", quality=6)        # 1-10, or 11-100 as percent
    Image.open("photo.lic").show()

Functions:

    save(image, path, **options)     write a .lic file, completely or not at all; help(pillow_lic.save) lists the options
    encode(image, **options)         return the bytes of that file
    open(file, bytes=None)           open a .lic file and no other format; with bytes, read only that many
    cut(file, size)                  return the bytes of a smaller file with less detail, without encoding again
    convert(sources, destination)    convert many files, as `lic convert` does; return a Summary with a Result for each
    restore(jpeg)                    return the picture of a JPEG file without block and ringing artefacts
    extract(file)                    return the JPEG file inside a .lic file of model "restored"
    settings(...)                    set threads, providers and limits for a `with` block
    register()                       register .lic with Pillow again, if another package has taken the name

A file that cannot be read or written raises a LicError, which is an OSError, or one of its subclasses. Everything heavier than
the registration is imported on first use.
"""

from __future__ import annotations

import os as _os

from .process_start import Quiet as _Quiet
from .process_start import is_command as _is_command

with _Quiet(_is_command()):
    from typing import TYPE_CHECKING, Any

    _here = _os.path.dirname(__file__)
    if not _os.path.isdir(_here):
        _words = f"pillow_lic has compiled code and networks, which Python loads out of no archive: unpack {_here}"
        raise ImportError(_words)
    if not any(_name.endswith((".so", ".pyd")) for _name in _os.listdir(_here)):
        # Python puts the working directory first, so in a checkout this source tree hides the installed package, which
        # has what is built: the range coder, and the folders that are mapped into the package.
        from pkgutil import extend_path as _extend_path

        __path__ = _extend_path(__path__, __name__)

    from .autoload.after_import import after_import as _after_import
    from .LicImagePlugin import register

if TYPE_CHECKING:
    from .batch.conversion import convert
    from .batch.results import Result, Summary
    from .engine.settings import settings
    from .errors import (
        LicDamagedError,
        LicDesyncError,
        LicError,
        LicLimitError,
        LicRuntimeError,
        LicTruncatedError,
        LicUnsupportedError,
    )
    from .opening import cut, extract, open
    from .plugin import LicImageFile
    from .restoring import restore
    from .saving import encode, save

__version__ = "0.1.0"

__all__ = [
    "LicDamagedError",
    "LicDesyncError",
    "LicError",
    "LicImageFile",
    "LicLimitError",
    "LicRuntimeError",
    "LicTruncatedError",
    "LicUnsupportedError",
    "Result",
    "Summary",
    "convert",
    "cut",
    "encode",
    "extract",
    "open",
    "register",
    "restore",
    "save",
    "settings",
]

_HOMES = {
    "Result": "batch.results",
    "Summary": "batch.results",
    "LicImageFile": "plugin",
    "convert": "batch.conversion",
    "cut": "opening",
    "encode": "saving",
    "extract": "opening",
    "open": "opening",
    "restore": "restoring",
    "save": "saving",
    "settings": "engine.settings",
}
"""The module of every public name that is not an error."""


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that importing the package costs no more than registering the format."""
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    import importlib

    home = _HOMES.get(name, "errors")
    if home not in ("errors", "engine.settings"):
        from .engine.interpreter import require_main

        require_main()  # the others import numpy
    value = getattr(importlib.import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _register_with_imageio() -> None:
    """Tell imageio about the format. By name, as imageio finds its backends: nothing here depends on that package."""
    import importlib

    try:
        importlib.import_module(".imageio_plugin", __name__).register()
    except Exception as error:  # this runs inside `import imageio`, which must not fail because of us
        from .errors import let_pass

        let_pass(error)
        import warnings

        warnings.warn(f"imageio was not told about .lic files: {error}", ImportWarning, stacklevel=2)


_after_import("imageio.config", _register_with_imageio)
