"""One picture file of any format Pillow knows to another, with its metadata; and many, which is `lic convert`."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from . import batch, files, options, plugin
from .LicImagePlugin import EXTENSION, FORMAT

_XMP_TIFF_TAG = 700


@dataclass(frozen=True)
class Transcoder:
    """Makes a picture file of another; picklable, so that other processes can do it (`batch.Work`).

    suffix: of the format to write, ".lic" or any that Pillow writes. save_options: what `Image.save` takes for it.
    keep_metadata: carry EXIF and XMP over (the ICC profile always is). threads: of the networks, None as set.
    """

    suffix: str = EXTENSION
    save_options: Mapping[str, Any] = field(default_factory=dict)
    keep_metadata: bool = True
    threads: int | None = None

    def __call__(self, source: Path, target: Path) -> None:
        """Write `target`, whole or not at all, with the modification time of `source`; OSError or ValueError if not."""
        with options.settings(threads=self.threads), Image.open(source) as im:
            data = self.encode(im)
        target.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomic(target, data)
        files.copy_times(source, target)

    def encode(self, im: Image.Image) -> bytes:
        """Return the file's bytes. OSError for an image of several frames, because all but the first would be lost.

        What follows the photo in an MPO file, as many cameras and phones write for JPEG, is a preview or a gain map of it.
        """
        frames = 1 if im.format == "MPO" else getattr(im, "n_frames", 1)
        if frames > 1:
            msg = f"picture has {frames} frames, a {self.suffix} file made here would hold one of them"
            raise OSError(msg)
        words = {**_metadata(im, self.suffix, self.keep_metadata), **self.save_options}
        if self.suffix == EXTENSION:
            return plugin.encode(im, **words)
        buffer = io.BytesIO()
        im.save(buffer, _format(self.suffix), **words)
        return buffer.getvalue()


def is_picture(path: Path) -> bool:
    """Whether the name of a file is one of a format that Pillow reads; the file is not opened."""
    return _extensions().get(path.suffix.lower()) in Image.OPEN


def convert(
    sources: files.StrPath | Iterable[files.StrPath],
    destination: files.StrPath,
    *,
    to: str | None = None,
    workers: int = 1,
    force: bool = False,
    keep_metadata: bool = True,
    threads: int | None = None,
    progress: batch.Progress | None = None,
    executor: Executor | None = None,
    **save_options: Any,
) -> batch.Summary:
    """Convert picture files, directories of them and glob patterns; return what became of each.

    `to` names the format ("lic", "png", ...); None takes it from the name of a single destination file, else LIC. A
    failure is in the summary and stops nothing. Files that are there and not older than their source are left, unless
    `force`. Each of several `workers` is a process and has its share of the threads. `save_options` are those of
    `Image.save`. Wrong options are a ValueError or TypeError before any file is read. A script that asks for several
    workers must guard its own start with `if __name__ == "__main__":`, as always with processes.
    """
    suffix = _suffix(to, Path(destination))
    if suffix == EXTENSION:
        plugin.encode_options(save_options)
    if isinstance(sources, str) or not isinstance(sources, Iterable):
        sources = [sources]
    if threads is None and workers > 1:
        threads = max(1, options.current_settings().threads // workers)
    pairs = batch.plan(sources, destination, suffix, readable=is_picture)
    work = Transcoder(suffix, save_options, keep_metadata, threads)
    return batch.run(pairs, work, workers=workers, force=force, progress=progress, executor=executor)


def _extensions() -> Mapping[str, str]:
    Image.init()
    return Image.EXTENSION


def _format(suffix: str) -> str:
    """Return Pillow's name of the format with that extension; ValueError if Pillow cannot write it."""
    name = _extensions().get(suffix, "")
    if name not in Image.SAVE:
        msg = f"Pillow here writes no {suffix} files"
        raise ValueError(msg)
    return name


def _suffix(to: str | None, destination: Path) -> str:
    """Return the extension to write, checked."""
    if to is None:
        own = "" if destination.is_dir() else destination.suffix.lower()
        to = own if own in _extensions() else EXTENSION
    suffix = to.lower() if to.startswith(".") else f".{to.lower()}"
    _format(suffix)
    return suffix


def _metadata(im: Image.Image, suffix: str, everything: bool) -> dict[str, Any]:
    """Return the save options that carry an image's metadata over to a format, each in that format's own way."""
    name = _format(suffix)
    found: dict[str, Any] = {}
    if name != FORMAT and im.info.get("icc_profile"):
        found["icc_profile"] = im.info["icc_profile"]
    if not everything:
        return found
    if im.info.get("exif"):
        found["exif"] = im.info["exif"]
    xmp = im.info.get("xmp")
    if not xmp:
        return found
    if name == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", plugin.xmp_bytes(xmp).decode("utf-8", "replace"))
        found["pnginfo"] = text
    elif name == "TIFF":
        tags = Image.Exif()
        tags.load(found.get("exif", b""))
        tags[_XMP_TIFF_TAG] = plugin.xmp_bytes(xmp)
        found["exif"] = tags
    else:
        found["xmp"] = xmp
    return found
