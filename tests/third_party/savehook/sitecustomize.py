"""Python imports this at start when its folder is on PYTHONPATH: JPEG and PNG are then saved as LIC bytes.

Tests that make their pictures themselves read LIC that way. What LIC refuses is saved as asked.
"""

from typing import IO

from pillow_lic.autoload.after_import import after_import

SAVED_AS_LIC = ("JPEG", "PNG")


def _take_over() -> None:
    from PIL import Image, JpegImagePlugin, PngImagePlugin  # noqa: F401  (both register, and must not do so later)

    from pillow_lic import saving

    def instead_of(name: str) -> None:
        ordinary = Image.SAVE[name]

        def save(im: Image.Image, fp: IO[bytes], filename: str | bytes) -> None:
            known = {key: im.encoderinfo[key] for key in ("exif", "xmp", "icc_profile") if key in im.encoderinfo}
            try:
                data = saving.encode(im, quality=10, **known)
            except (OSError, TypeError, ValueError):
                ordinary(im, fp, filename)
            else:
                fp.write(data)

        Image.register_save(name, save)

    for name in SAVED_AS_LIC:
        instead_of(name)


after_import("PIL.Image", _take_over)
