"""Tools of the questions of `lic probe`: pictures, metadata, damage, processor time."""

from __future__ import annotations

import functools
import math
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageCms, ImageFile, ImageStat

if TYPE_CHECKING:
    from .plugins import Plugin

_SAMPLE = Path(__file__).parent.with_name("bench") / "chelsea.webp"


def picture(width: int = 256, height: int = 192) -> Image.Image:
    """Return a photo as RGB of this size."""
    with Image.open(_SAMPLE) as im:
        return im.convert("RGB").resize((width, height))


def exif_tags() -> Image.Exif:
    """Return EXIF with the camera's maker, "x", and nothing else: some formats keep the orientation elsewhere."""
    tags = Image.Exif()
    tags[271] = "x"
    return tags


@functools.cache  # a profile says when it was made
def icc_profile() -> bytes:
    """Return a profile of sRGB, the same each time."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def large(plugin: Plugin) -> tuple[bytes, float]:
    """Return a file of 0.8 MP and the processor seconds of opening and loading it, after a first time."""
    data = plugin.encode(picture(1024, 768))
    plugin.open(data).load()
    return data, cost(lambda: plugin.open(data).load())


def cost(call: Callable[[], object]) -> float:
    """Return processor seconds, which other programs hardly change: the mean of as many calls as fit into 0.2 s."""
    begun, count = time.process_time(), 0
    while (spent := time.process_time() - begun) < 0.2:
        call()
        count += 1
    return spent / count


def raises(call: Callable[[], object]) -> bool:
    """Whether the call ends in an exception."""
    try:
        call()
    except Exception:  # whatever type a plugin chose
        return True
    return False


def cut(data: bytes) -> bytes:
    """Return the first two thirds of a file."""
    return data[: len(data) * 2 // 3]


def noticed(plugin: Plugin, check: Callable[[Image.Image], object]) -> bool | str:
    """Return whether the check, or opening, raises for each of 16 files, else how often: 4 pictures, a byte altered in 4 places.

    The places are in the second half of the file, where every format has pixel data.
    """
    count = 0
    for size in ((96, 64), (256, 192), (320, 200), (480, 360)):
        data = plugin.encode(picture(*size))
        for place in range(4):
            altered = bytearray(data)
            altered[len(data) // 2 + len(data) * place // 9] ^= 0x55
            count += raises(lambda altered=bytes(altered): check(plugin.open(altered)))  # type: ignore[misc]  # mypy infers no lambda with defaults
    return f"{count} of 16" if 0 < count < 16 else count == 16


def part(plugin: Plugin, im: Image.Image) -> str:
    """Return the share of 16 x 16 fields that the first two thirds of a file show as the whole file does, and the PSNR of all."""
    data = plugin.encode(im)
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    whole, part = plugin.open(data).convert("RGB"), plugin.open(cut(data)).convert("RGB")
    difference = ImageChops.difference(whole, part)
    errors = difference.reduce((im.width // 16, im.height // 16)).tobytes()
    share = sum(max(errors[at : at + 3]) < 4 for at in range(0, len(errors), 3)) / 256
    mse = sum(square / 3 for square in ImageStat.Stat(difference).sum2) / (im.width * im.height)
    return f"{share:.0%}, {10 * math.log10(255**2 / max(mse, 1e-9)):.0f} dB"


def which(works: Callable[[str], bool], forms: Iterable[str]) -> bool | str:
    """Return True if it works for all forms, else the forms for which it does; an exception is as good as a no."""
    good = []
    for form in forms:
        with suppress(Exception):
            if works(form):
                good.append(form)
    return len(good) == len(list(forms)) or ", ".join(good) or False


def edited(plugin: Plugin, source: str) -> bool:
    """Whether a file that was opened, painted red all over and saved is red: onto itself if the formats are the same."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture")
        picture().save(path, source)
        with Image.open(path, formats=[source]) as im, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            im.paste((200, 0, 0), (0, 0, *im.size))
            target = path if source == plugin.format else path.with_name("edited")
            im.save(target, plugin.format)
        with plugin.open(target) as back:
            red, green, _ = ImageStat.Stat(back.convert("RGB")).mean
    return red > 180 and green < 20


def survives(save: Callable[[Image.Image, Path], object]) -> bool | str:
    """Whether a file is as it was after a save over it that raises."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture")
        path.write_bytes(b"what was there")
        if not raises(lambda: save(picture(), path)):
            return "accepted"
        return path.exists() and path.read_bytes() == b"what was there"


def milliseconds(program: str) -> str:
    """Return the processor milliseconds of a program in a fresh interpreter that has PIL.Image: the best of 5."""
    timed = f"import time, PIL.Image; t = time.process_time(); {program}; print(time.process_time() - t)"
    command = [sys.executable, "-c", timed]
    runs = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(5))
    return f"{1000 * min(map(float, runs)):.1f}"
