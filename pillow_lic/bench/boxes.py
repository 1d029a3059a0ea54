"""`lic bench boxes`: what importance gives the things that a picture is of, at equal bytes, in .lic and in JPEG files.

The boxes were drawn by hand around the main objects of Kodak pictures (768x512 or 512x768, without .png), before any network
had seen them. A .lic file with importance has at most as many bytes as the plain one (`target_size`), and so has a JPEG. Two maps
bound what a network can do: "middle" is the same for every picture, the nearer the middle the more important, and "boxes" are
the boxes themselves.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import color, metrics, saving
from ..batch import transcode
from ..files import named
from ..importance.places import Box
from . import peers, words

Pixels = NDArray[np.uint8]

BOXES: Mapping[str, Sequence[Box]] = {
    "kodim03": [(75, 72, 300, 305), (305, 170, 465, 360), (460, 225, 565, 365), (560, 265, 710, 435)],
    "kodim04": [(100, 130, 400, 580)],
    "kodim06": [(125, 270, 560, 395)],
    "kodim07": [(345, 130, 490, 345), (518, 344, 660, 475)],
    "kodim09": [(105, 110, 475, 655)],
    "kodim11": [(335, 150, 640, 395)],
    "kodim12": [(215, 60, 400, 400)],
    "kodim14": [(15, 95, 665, 450)],
    "kodim15": [(340, 0, 700, 440)],
    "kodim17": [(145, 75, 380, 330), (235, 430, 485, 640)],
    "kodim18": [(215, 145, 410, 740)],
    "kodim19": [(245, 100, 395, 445)],
    "kodim20": [(60, 65, 768, 450)],
    "kodim21": [(315, 55, 390, 310), (40, 185, 280, 290)],
    "kodim22": [(195, 45, 465, 270)],
    "kodim23": [(70, 170, 400, 512), (404, 104, 750, 512)],
}
"""Left, upper, right, lower by picture."""

MAPS = ("auto", "semantic", "middle", "boxes")
QUALITIES = {"lic": (3, 6), "jpeg": (20, 50, 80)}


@dataclass(frozen=True)
class Gain:
    """A file with a map against the plain one: PSNR inside the boxes and over the whole picture in dB, bytes as a ratio less 1."""

    inside: float
    whole: float
    bytes: float


def middle(height: int, width: int) -> NDArray[np.float32]:
    """Return a mask (H, W) in 0..1 that falls from the middle of a picture to its corners."""
    rows, columns = (np.linspace(-1, 1, length, dtype=np.float32) ** 2 for length in (height, width))
    return (1 - (rows[:, None] + columns) / 2).astype(np.float32)


def inside(boxes: Iterable[Box], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels (H, W) that lie in a box."""
    mask = np.zeros(shape, bool)
    for left, upper, right, lower in (map(int, box[:4]) for box in boxes):
        mask[upper:lower, left:right] = True
    return mask


def gain(pixels: Pixels, mask: NDArray[np.bool_], plain: bytes, weighed: bytes) -> Gain:
    """Return what a file gains over the plain one for pixels (H, W, 3), inside the mask (H, W) and everywhere."""
    shown = [np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in (plain, weighed)]
    before, after = ((metrics.psnr(pixels[mask], one[mask]), metrics.psnr(pixels, one)) for one in shown)
    return Gain(after[0] - before[0], after[1] - before[1], len(weighed) / len(plain) - 1)


def options_of(name: str, boxes: Sequence[Box], height: int, width: int) -> dict[str, Any]:
    """Return the options of save for one of MAPS."""
    if name == "boxes":
        return {"roi": tuple(boxes)}
    return {"importance": {"auto": 1.0, "middle": middle(height, width)}.get(name, name)}


def writer(form: str, image: Image.Image, quality: float) -> tuple[bytes, Callable[..., bytes]]:
    """Return the plain file of a picture in "lic" or "jpeg", and what writes one with `options_of` in at most its bytes."""
    if form == "jpeg":
        plain = peers.codec("jpeg").encode(np.asarray(image), quality)
        return plain, lambda **options: transcode.weighed(image, quality=int(quality), **options)
    plain = saving.encode(image, quality=quality)
    return plain, lambda **options: saving.encode(image, target_size=len(plain), **options)


def measured(
    paths: Iterable[Path], forms: Iterable[str], maps: Sequence[str]
) -> dict[tuple[str, float, str], list[Gain]]:
    """Return the gains of pictures by form, quality and map, in the order of the pictures."""
    found: dict[tuple[str, float, str], list[Gain]] = {}
    settings = [(form, quality) for form in forms for quality in QUALITIES[form]]
    for path in paths:
        pixels, boxes = peers.read(path), BOXES[path.stem]
        image, mask = color.to_image(pixels, "RGB"), inside(boxes, pixels.shape[:2])
        for form, quality in settings:
            plain, write = writer(form, image, quality)
            for name in maps:
                weighed = write(**options_of(name, boxes, *pixels.shape[:2]))
                found.setdefault((form, quality, name), []).append(gain(pixels, mask, plain, weighed))
        print(path.name, file=sys.stderr)
    return found


def parser() -> argparse.ArgumentParser:
    """Return the parser of the words of `lic bench boxes`."""
    found = words.parser(
        "lic bench boxes",
        "Show what importance gives the main objects of Kodak pictures at equal bytes.",
        "lic bench boxes kodak/ --form lic --map semantic",
    )
    found.add_argument("folder", help="of kodim01.png to kodim24.png, those that are there")
    found.add_argument("--form", action="append", choices=list(QUALITIES), help="default: both; repeatable")
    found.add_argument("--map", action="append", choices=MAPS, help="default: all; repeatable")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run `lic bench boxes`, print its table, and return the exit status: 0, or 1 after a sentence on stderr."""
    arguments = parser().parse_args(argv)
    paths = [path for path in sorted(named(arguments.folder).glob("*.png")) if path.stem in BOXES]
    if not paths:
        print(f"lic bench boxes: {arguments.folder} must have one of {', '.join(BOXES)}, as PNG", file=sys.stderr)
        return 1
    print(f"{len(paths)} pictures, {sum(len(BOXES[path.stem]) for path in paths)} boxes")
    print(f"{'form':6}{'quality':>8}  {'map':10}{'inside dB':>10}{'least':>8}{'whole dB':>10}{'bytes':>9}{'most':>9}")
    for (form, quality, name), gains in measured(paths, arguments.form or QUALITIES, arguments.map or MAPS).items():
        inner, sizes = [gain.inside for gain in gains], [gain.bytes for gain in gains]
        print(
            f"{form:6}{quality:>8g}  {name:10}{fmean(inner):>+10.2f}{min(inner):>+8.2f}"
            f"{fmean(gain.whole for gain in gains):>+10.2f}{fmean(sizes):>+9.2%}{max(sizes):>+9.2%}"
        )
    return 0
