"""The questions of `lic probe`: properties a program may count on, each with the method by which it is found out.

A row is worded so that "yes" is the better answer; the docstring of its function is the method. Pictures are saved at the
default settings of the plugin. A function returns True or False, or a short word of its own; an exception that it lets
through is reported as "error". Each runs in a process of its own, so it may leave limits and flags changed.
"""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageFile

from .tools import (
    cost,
    cut,
    edited,
    exif_tags,
    icc_profile,
    large,
    milliseconds,
    noticed,
    part,
    picture,
    raises,
    survives,
    which,
)

if TYPE_CHECKING:
    from .plugins import Plugin

_MODES = ("L", "LA", "RGB", "RGBA")

Question = Callable[["Plugin"], "bool | str"]


class Row(NamedTuple):
    """A property, the function that asks for it, and the seconds after which a plugin counts as hanging."""

    title: str
    ask: Question
    limit: float


ROWS: dict[str, Row] = {}


def _row(title: str, limit: float = 60) -> Callable[[Question], Question]:
    def add(ask: Question) -> Question:
        ROWS[ask.__name__] = Row(title, ask, limit)
        return ask

    return add


@_row("`open` does not decode the pixels")
def lazy(plugin: Plugin) -> bool | str:
    """Opening 0.8 MP takes less than a fifth of the processor time that opening and loading takes."""
    data, loading = large(plugin)
    return cost(lambda: plugin.open(data)) < loading / 5


@_row("A picture over the bomb limit is refused before it is decoded")
def bomb(plugin: Plugin) -> bool | str:
    """With a limit below its size, a picture of 0.8 MP is refused in a fifth of the processor time of loading it."""
    data, loading = large(plugin)
    Image.MAX_IMAGE_PIXELS = 1000

    if not raises(lambda: plugin.open(data)):
        return False

    def refused() -> None:
        with suppress(Image.DecompressionBombError):
            plugin.open(data)

    return cost(refused) < loading / 5


@_row("`verify()` notices that a third of the file is missing")
def verify_cut(plugin: Plugin) -> bool | str:
    """`Image.open` or `verify()` raises for the first two thirds of a file."""
    data = cut(plugin.encode(picture()))
    return raises(lambda: plugin.open(data).verify())


@_row("`verify()` notices an altered byte of the pixel data")
def verify_flip(plugin: Plugin) -> bool | str:
    """`Image.open` or `verify()` raises for each of 16 files with one byte altered in their second half."""
    return noticed(plugin, lambda im: im.verify())


@_row("`load()` notices an altered byte of the pixel data")
def load_flip(plugin: Plugin) -> bool | str:
    """`Image.open` or `load()` raises for each of 16 files with one byte altered in their second half."""
    return noticed(plugin, lambda im: im.load())


@_row("`LOAD_TRUNCATED_IMAGES`: part of 0.05 MP right, and PSNR, from 2/3 of the file")
def part_small(plugin: Plugin) -> bool | str:
    """The share of 16 x 16 equal fields that are as the whole file shows them, and the PSNR of the picture against that."""
    return part(plugin, picture())


@_row("`LOAD_TRUNCATED_IMAGES`: part of 3 MP right, and PSNR, from 2/3 of the file")
def part_large(plugin: Plugin) -> bool | str:
    """The share of 16 x 16 equal fields that are as the whole file shows them, and the PSNR of the picture against that."""
    return part(plugin, picture(2048, 1536))


@_row("`ImageFile.Parser` fed byte by byte")
def parser(plugin: Plugin) -> bool | str:
    """The picture that comes out has the pixels that `Image.open` gives."""
    data = plugin.encode(picture(96, 64))
    feed = ImageFile.Parser()
    for position in range(len(data)):
        feed.feed(data[position : position + 1])
    return feed.close().tobytes() == plugin.open(data).tobytes()


@_row("One image used by 4 threads at once")
def shared(plugin: Plugin) -> bool | str:
    """4 threads ask a freshly opened image for its bytes at the same moment, 50 times; all 200 get the right ones."""
    data = plugin.encode(picture())
    expected = plugin.open(data).tobytes()
    start = threading.Barrier(4)

    def use(im: Image.Image) -> bool:
        start.wait()
        return not raises(im.load) and im.tobytes() == expected

    wrong = 0
    with ThreadPoolExecutor(4) as pool:
        for _ in range(50):
            wrong += list(pool.map(use, [plugin.open(data)] * 4)).count(False)
    return f"{wrong}/200 fail" if wrong else True


@_row("An opened image can be pickled")
def pickled(plugin: Plugin) -> bool | str:
    """The unpickled image is equal by Pillow's own comparison: class, mode, size, info and pixels."""
    im = plugin.open(plugin.encode(picture()))
    return bool(pickle.loads(pickle.dumps(im)) == im)


@_row("A worker process that was sent one image opens the next")
def worker(plugin: Plugin) -> bool | str:
    """A fresh interpreter that only unpickles an opened image can open and load another file, as under `spawn`."""
    data = plugin.encode(picture())
    program = (
        "import io, pickle, sys; im, data = pickle.load(sys.stdin.buffer); "
        "from PIL import Image; Image.open(io.BytesIO(data)).load()"
    )
    message = pickle.dumps((plugin.open(data), data))
    return not subprocess.run([sys.executable, "-c", program], input=message, stderr=subprocess.DEVNULL).returncode


@_row("`n_frames` and `is_animated` are there")
def frames(plugin: Plugin) -> bool | str:
    """An opened picture has both, 1 and False, as code for any format asks."""
    im = plugin.open(plugin.encode(picture()))
    return getattr(im, "n_frames", None) == 1 and getattr(im, "is_animated", None) is False


@_row("`save_all=True` with one frame")
def save_all(plugin: Plugin) -> bool | str:
    """It writes a file that opens."""
    return plugin.open(plugin.encode(picture(), save_all=True)).size == picture().size


@_row("L, LA, RGB and RGBA come back in their mode")
def modes(plugin: Plugin) -> bool | str:
    """The modes kept by saving and opening, if they are not all four."""
    return which(lambda mode: plugin.open(plugin.encode(picture().convert(mode))).mode == mode, _MODES)


@_row("Alpha is exact at default settings")
def alpha(plugin: Plugin) -> bool | str:
    """The alpha of an RGBA picture, a gradient from 0 to 255 with a hard edge, comes back unchanged."""
    im = picture().convert("RGBA")
    im.putalpha(Image.linear_gradient("L").resize(im.size))
    im.paste((9, 9, 9, 0), (20, 20, 90, 90))
    try:
        back = plugin.open(plugin.encode(im))
    except OSError as error:
        if "mode" in str(error):
            return "n.a."
        raise
    return back.mode == "RGBA" and back.getchannel("A").tobytes() == im.getchannel("A").tobytes()


@_row("`exif` as bytes and as `Image.Exif`")
def exif(plugin: Plugin) -> bool | str:
    """The camera maker that was given comes back in `getexif()`; the forms for which it does, if not both."""
    tags = exif_tags()
    forms = {"bytes": tags.tobytes(), "Exif": tags}
    return which(lambda form: plugin.open(plugin.encode(picture(), exif=forms[form])).getexif()[271] == "x", forms)


@_row('`exif=None` and `exif=b""` leave EXIF out')
def exif_out(plugin: Plugin) -> bool | str:
    """An image opened with EXIF and saved with either has none; the forms for which that is so, if not both."""
    data = plugin.encode(picture(), exif=exif_tags().tobytes())
    forms = {"None": None, 'b""': b""}
    return which(lambda form: not plugin.open(plugin.encode(plugin.open(data), exif=forms[form])).getexif(), forms)


@_row("`xmp` comes back")
def xmp(plugin: Plugin) -> bool | str:
    """`info["xmp"]` has the bytes that `save(xmp=...)` was given."""
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
    return plugin.open(plugin.encode(picture(), xmp=packet)).info.get("xmp") == packet


@_row("`icc_profile=` comes back")
def icc(plugin: Plugin) -> bool | str:
    """`info["icc_profile"]` has the bytes that `save(icc_profile=...)` was given."""
    return bool(
        plugin.open(plugin.encode(picture(), icc_profile=icc_profile())).info.get("icc_profile") == icc_profile()
    )


@_row("An image's colour profile is kept without asking")
def icc_kept(plugin: Plugin) -> bool | str:
    """An image with `info["icc_profile"]`, saved without options, has it again when opened."""
    im = picture()
    im.info["icc_profile"] = icc_profile()
    return bool(plugin.open(plugin.encode(im)).info.get("icc_profile") == icc_profile())


@_row("A mistyped option of `save` is reported")
def unknown_option(plugin: Plugin) -> bool | str:
    """`save(qualty=50)` warns or raises."""
    im = picture()
    plugin.encode(im)  # warnings that have nothing to do with the option
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        return raises(lambda: plugin.encode(im, qualty=50)) or bool(heard)


@_row("`quality=1000`: the error names the value and the range")
def quality_error(plugin: Plugin) -> bool | str:
    """The message has 1000 and at least two other numbers; "accepted" if there is no error."""
    try:
        plugin.encode(picture(), quality=1000)
    except Exception as error:  # whatever type a plugin chose
        numbers = set(re.findall(r"\d+", str(error)))
        return "1000" in numbers and len(numbers) > 2
    return "accepted"


@_row("An opened file, edited and saved onto itself, has the edit")
def resaved(plugin: Plugin) -> bool | str:
    """Painted red all over and saved to the path it was opened from, the picture is red."""
    return edited(plugin, plugin.format)


@_row("An opened JPEG, edited and saved in this format, has the edit")
def jpeg_edited(plugin: Plugin) -> bool | str:
    """Painted red all over and saved to another path, the picture is red."""
    return edited(plugin, "JPEG")


@_row("A failed `Image.save` keeps the file that was there")
def failed_save(plugin: Plugin) -> bool | str:
    """The file is unchanged after `save(exif=object())` has raised."""
    return survives(lambda im, path: im.save(path, plugin.format, exif=object()))


@_row("A failed save by the plugin's own function keeps it")
def failed_own_save(plugin: Plugin) -> bool | str:
    """The same for `pillow_lic.save` and `pillow_heif.from_pillow(im).save`; the others have no such function."""
    own = import_module(plugin.module)
    if plugin.format == "LIC":
        return survives(lambda im, path: own.save(im, path, exif=object()))
    if plugin.format == "HEIF":
        return survives(lambda im, path: own.from_pillow(im).save(path, exif=object()))
    return "n.a."


@_row("`thumbnail()` decodes less than the whole picture")
def thumbnail(plugin: Plugin) -> bool | str:
    """A thumbnail of 64 pixels of 0.8 MP takes less than half the processor time of loading and then reducing it."""
    data, _ = large(plugin)

    def load_first() -> None:
        im = plugin.open(data)
        im.load()
        im.thumbnail((64, 64))

    return cost(lambda: plugin.open(data).thumbnail((64, 64))) < cost(load_first) / 2


@_row("Import, over `PIL.Image` (ms of processor)")
def import_ms(plugin: Plugin) -> bool | str:
    """The time until Pillow opens the format, over that of `PIL.Image`; the best of 5 interpreters."""
    return milliseconds(plugin.setup)


@_row("Import and load a first picture of 0.05 MP (ms of processor)")
def first_ms(plugin: Plugin) -> bool | str:
    """The time until a file is read and decoded, with all late imports; the best of 5 interpreters."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture")
        path.write_bytes(plugin.encode(picture()))
        return milliseconds(f"{plugin.setup}; PIL.Image.open({str(path)!r}).load()")
