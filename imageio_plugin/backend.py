"""A PluginV3 that adds to imageio's Pillow backend what it has no room for: checked options, and errors before files.

Reading returns what imageio's own Pillow backend returns, pixel for pixel, because bytes without a name reach that one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
from imageio.core.request import URI_BYTES, URI_FILENAME, InitializationError, IOMode, Request
from imageio.core.v3_plugin_api import ImageProperties, PluginV3
from imageio.plugins.pillow import PillowPlugin
from numpy.typing import ArrayLike, NDArray

from pillow_lic import color, files, plugin, saving
from pillow_lic.engine.settings import settings
from pillow_lic.fileformat.identity import EXTENSION, FORMAT, accept
from pillow_lic.fileformat.source import write_all
from pillow_lic.options import documented


class LicPlugin(PillowPlugin):
    """Read and write .lic with imageio's v2 and v3 functions. InitializationError when the resource is not ours."""

    def __init__(self, request: Request) -> None:
        if request.mode.io_mode == IOMode.read:
            if not accept(request.firstbytes):
                msg = "not a .lic file"
                raise InitializationError(msg)
        else:
            extension = request.extension or request.format_hint or EXTENSION
            if extension != EXTENSION:
                msg = f"the LIC backend writes {EXTENSION} files, not {extension}"
                raise InitializationError(msg)
            # Not the Pillow backend's own start: it asks for a format when the target has no name, here there is one.
            PluginV3.__init__(self, request)
            self._image = None
            self.images_to_write = []
            self._has_written = False
            return
        super().__init__(request)

    def close(self) -> None:
        """Close the resource, unless it was refused and so belongs to the backend that imageio asks next.

        imageio calls this when the object goes, also of one whose start was left by a time limit.
        """
        if "images_to_write" in vars(self):
            super().close()
        elif "_request" in vars(self):
            PluginV3.close(self)

    def read(
        self,
        *,
        index: int | Any = None,
        region: Sequence[int] | None = None,
        mode: str | None = None,
        rotate: bool = False,
        apply_gamma: bool = False,
        writeable_output: bool = True,
        pilmode: str | None = None,
        exifrotate: bool | None = None,
        as_gray: bool | None = None,
        threads: int | None = None,
        providers: Sequence[str] | str | None = None,
    ) -> NDArray[Any]:
        """Return the picture as uint8 (H, W), (H, W, 2), (H, W, 3) or (H, W, 4); `index=...` adds a leading axis of 1.

        region is a box (x0, y0, x1, y1) in pixels of the stored picture: only its part of the file is read and decoded.
        mode, rotate, apply_gamma, writeable_output (and the deprecated pilmode, exifrotate, as_gray) mean what they
        mean for imageio's Pillow backend; threads and providers what they mean for `pillow_lic.settings`.
        ValueError for an index other than 0 and for a region that is empty or not inside the picture.
        """
        _check_index(index)
        words: dict[str, Any] = {"mode": mode, "pilmode": pilmode, "exifrotate": exifrotate, "as_gray": as_gray}
        with settings(threads=threads, providers=providers):
            if region is not None:
                return self._read_region(region, index, words, rotate, apply_gamma, writeable_output)
            pixels: NDArray[Any] = super().read(
                index=index, rotate=rotate, apply_gamma=apply_gamma, writeable_output=writeable_output, **words
            )
        return pixels

    def _read_region(
        self,
        region: Sequence[int],
        index: object,
        words: dict[str, Any],
        rotate: bool,
        apply_gamma: bool,
        writeable_output: bool,
    ) -> NDArray[Any]:
        mode = words.pop("mode")
        if deprecated := [name for name, value in words.items() if value is not None]:
            msg = f"region goes with mode and rotate, not with the deprecated {', '.join(deprecated)}"
            raise TypeError(msg)
        image = cast(plugin.LicImageFile, self._image).region(region)
        pixels: NDArray[Any] = self._apply_transforms(image, mode, rotate, apply_gamma, writeable_output)
        return pixels[None] if index is ... else pixels

    def iter(
        self,
        *,
        mode: str | None = None,
        rotate: bool = False,
        apply_gamma: bool = False,
        writeable_output: bool = True,
        threads: int | None = None,
        providers: Sequence[str] | str | None = None,
    ) -> Iterator[NDArray[Any]]:
        """Yield the one picture of the file; keywords as for :meth:`read`."""
        yield self.read(
            mode=mode,
            rotate=rotate,
            apply_gamma=apply_gamma,
            writeable_output=writeable_output,
            threads=threads,
            providers=providers,
        )

    @documented
    def write(
        self,
        ndimage: ArrayLike | list[ArrayLike],
        *,
        mode: str | None = None,
        format: str | None = None,
        is_batch: bool | None = None,
        threads: int | None = None,
        providers: Sequence[str] | str | None = None,
        **save_options: Any,
    ) -> bytes | None:
        """Write one picture of uint8 or bool: (H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4).

        A list or a leading axis (with `is_batch=True`, or four dimensions) is taken if it holds one picture. The options and
        icc_profile, exif, xmp and dpi are those of `pillow_lic.save`; TypeError for any other keyword. threads and providers mean
        what they mean for `pillow_lic.settings`. A file that was there is replaced whole or left untouched: everything is checked
        and encoded before the target is opened. Returns the file's bytes for the target "<bytes>", else None.
        """
        if format is not None and format.upper() != FORMAT:
            msg = f"the LIC backend writes the format LIC, not {format!r}: plugin='pillow' writes others under any name"
            raise ValueError(msg)
        if unknown := saving.unknown_words(save_options):
            msg = f"write() has no {unknown}"
            raise TypeError(msg)
        image = color.from_array(_only_picture(ndimage, is_batch), mode)
        with settings(threads=threads, providers=providers):
            data = saving.encode(image, **save_options)
        if self._has_written:
            msg = "a .lic file holds one picture: write the next one to a file of its own"
            raise ValueError(msg)
        if self._request._uri_type == URI_FILENAME:  # imageio would empty the file before it writes
            files.write_atomic(self._request.filename, data)
        else:
            write_all(self._request.get_file(), data)
        self._has_written = True
        return data if self._request._uri_type == URI_BYTES else None

    def properties(self, index: int | Any = None) -> ImageProperties:
        """Return shape and dtype from the header, without decoding; ValueError for an index other than 0."""
        _check_index(index)
        return super().properties(index=index)

    def metadata(self, index: int | Any = None, exclude_applied: bool = True) -> dict[str, Any]:
        """Return `Image.info` and the EXIF tags by name.

        `Image.info` has lic_quality, lossless, lic_model, lic_version, icc_profile, exif, xmp, dpi and importance.
        """
        _check_index(index)
        found: dict[str, Any] = super().metadata(index=0, exclude_applied=exclude_applied)
        return found


def _check_index(index: object) -> None:
    if index not in (None, 0, ...):
        msg = f"a .lic file holds one picture: index must be 0, got {index!r}"
        raise ValueError(msg)


def _only_picture(ndimage: Any, is_batch: bool | None) -> NDArray[Any]:
    """Return the picture of a batch of one; ValueError for more."""
    pixels = np.asarray(ndimage)
    if is_batch is None:
        is_batch = isinstance(ndimage, (list, tuple)) and pixels.ndim > 2 or pixels.ndim > 3
    if not is_batch:
        return pixels
    if len(pixels) != 1:
        msg = f"a .lic file holds one picture, got a batch of {len(pixels)}: write every one to a file of its own"
        raise ValueError(msg)
    picture: NDArray[Any] = pixels[0]
    return picture
