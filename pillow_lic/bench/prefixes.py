"""`lic bench prefixes`: the PSNR of the beginnings of one file over their bytes, for each codec that is progressive.

    picture ──encode──▶ one file of about BPP bits a pixel ──its first 5, 10, 20 ... 100 %──▶ what a reader shows, PSNR

Every .lic model whose files can be cut is measured, beside progressive JPEG. Pillow's other formats, and the plugins of JPEG XL, show
nothing of the beginning of a file.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageFile

from .. import color, families, metrics, opening, saving
from ..engine import models
from ..files import files_in, named, write_atomic
from . import charts, peers, words

if TYPE_CHECKING:
    from .peers import Pixels

BPP = 1.0
"""Bits a pixel of a whole file, or as near to them as the codec's qualities go."""
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Parts of a file that are shown."""
JPEG = peers.PEERS["jpeg"]
_SUFFIXES = frozenset({".png", ".ppm", ".bmp", ".tif", ".tiff", ".webp"})


class Progressive(NamedTuple):
    """A codec by name: `encode` gives a file of about BPP bits a pixel, `shown` what its first bytes show, an OSError where that is nothing."""

    name: str
    encode: Callable[[Pixels], bytes]
    shown: Callable[[bytes, int], Pixels]


def codecs() -> list[Progressive]:
    """Return every progressive codec that this installation has."""
    ours = dict.fromkeys(model.name for model in models.models() if families.is_progressive(model))
    found = [Progressive(name, _encoder_of(name), _shown_of_ours) for name in ours]
    found.append(Progressive(JPEG.name, _jpeg, _shown_of_jpeg))
    return found


def curve(codec: Progressive, pictures: Sequence[Pixels]) -> list[tuple[float, float]]:
    """Return bits a pixel and PSNR, means over pictures, of every share that shows something of all of them."""
    files = [codec.encode(pixels) for pixels in pictures]
    points = []
    for share in SHARES:
        try:
            reached = [
                metrics.psnr(pixels, codec.shown(data, round(share * len(data))))
                for pixels, data in zip(pictures, files, strict=True)
            ]
        except (OSError, ValueError):
            continue
        bits = [
            metrics.bpp(round(share * len(data)), pixels.shape[1], pixels.shape[0])
            for pixels, data in zip(pictures, files, strict=True)
        ]
        points.append((float(np.mean(bits)), float(np.mean(reached))))
    return points


def drawn(curves: dict[str, list[tuple[float, float]]], count: int) -> str:
    """Return the chart of curves over so many pictures as SVG."""
    title = f"The beginnings of one file, {count} pictures"
    names, peer = frozenset(curves), frozenset({JPEG.name})
    x, y = "bits per pixel that were read", "PSNR, dB"
    listed = charts.Panel(title, x, y, curves, dashed=peer, log_x=True)
    named = charts.Panel(f"{title}, linear", x, y, curves, dashed=peer, legend=False, named=names)
    return charts.svg([listed, named])


HEAD = f"| model | bpp | {' | '.join(f'{share:.0%}' for share in SHARES)} |\n|{'---|' * (2 + len(SHARES))}"
"""The head of a Markdown table of `row`s."""


def row(name: str, points: Sequence[tuple[float, float]]) -> str:
    """Return a row of the table: the bits a pixel of whole files, and PSNR by the share of them, - where that shows nothing."""
    cells = ["-"] * (len(SHARES) - len(points)) + [f"{psnr:.1f}" for _, psnr in points]
    return f"| {name} | {points[-1][0]:.2f} | {' | '.join(cells)} |"


def _encoder_of(model: str) -> Callable[[Pixels], bytes]:
    def encode(pixels: Pixels) -> bytes:
        image, most = color.to_image(pixels, "RGB"), round(BPP * pixels.shape[0] * pixels.shape[1] / 8)
        finest = saving.encode(image, model=model, quality=10)
        return finest if len(finest) <= most else saving.encode(image, model=model, target_size=most)

    return encode


def _shown_of_ours(data: bytes, count: int) -> Pixels:
    with opening.open(data, bytes=count) as im:
        return np.asarray(im)


def _jpeg(pixels: Pixels) -> bytes:
    most, (low, high), best = BPP * pixels.shape[0] * pixels.shape[1] / 8, JPEG.span, b""
    while low <= high:
        middle = (low + high) // 2
        out = io.BytesIO()
        color.to_image(pixels, "RGB").save(out, JPEG.format, quality=middle, progressive=True, **JPEG.settings)
        if out.tell() <= most or not best:
            best = out.getvalue()
        low, high = (middle + 1, high) if out.tell() <= most else (low, middle - 1)
    return best


def _shown_of_jpeg(data: bytes, count: int) -> Pixels:
    with parts_allowed(), Image.open(io.BytesIO(data[:count])) as im:
        return np.asarray(im.convert("RGB"))


@contextmanager
def parts_allowed() -> Iterator[None]:
    """Let Pillow show files that end early, for a `with` block."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def parser() -> argparse.ArgumentParser:
    """Return the parser of the words of `lic bench prefixes`."""
    found = words.parser(
        "lic bench prefixes",
        "Measure what the first bytes of a file show.",
        "lic bench prefixes photos/ --out prefixes.svg",
    )
    found.add_argument("folder", type=named, help="pictures without loss: png, ppm, bmp, tiff, webp")
    found.add_argument("--out", type=Path, metavar="FILE.svg", help="draw the curves")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run `lic bench prefixes`, print its table, and return the exit status: 1 where there is no picture."""
    arguments = parser().parse_args(argv)
    paths = files_in(arguments.folder, _SUFFIXES)
    if not paths:
        print(f"lic bench prefixes: no picture in {arguments.folder}", file=sys.stderr)
        return 1
    if arguments.out:
        _check_early(arguments.out)
    pictures = [peers.read(path) for path in paths]
    curves = {}
    print(HEAD, flush=True)
    for codec in codecs():
        if points := curve(codec, pictures):
            curves[codec.name] = points
            print(row(codec.name, points), flush=True)
    if arguments.out:
        write_atomic(arguments.out, drawn(curves, len(pictures)).encode())
    return 0


def _check_early(out: Path) -> None:
    """Raise ValueError or OSError for a drawing that could not be written, or not over what is there, after minutes of measuring."""
    if out.suffix.lower() != ".svg":
        msg = f"--out must name a .svg file, got {out}"
        raise ValueError(msg)
    out.parent.stat()
