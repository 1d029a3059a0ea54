"""`lic bench restore`: how much better JPEG pictures are once they are restored, over a folder of pictures that never were JPEG.

Every picture is saved as JPEG by Pillow (4:2:0) at each quality and restored. PSNR, SSIM and PSNR-B are of luma, as papers on
this have them; the means are over pictures. Of PSNR the least gain is told too, that of the picture that gained fewest dB, or lost
most, and both of the PSNR of all three channels.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from .. import metrics
from ..files import files_in, named
from ..restoring import VIEWS, restore
from . import peers, words

QUALITIES = (10, 20, 40, 60)
MEASURES = {"PSNR": metrics.psnr, "SSIM": metrics.ssim, "PSNR-B": metrics.psnr_b}
_SUFFIXES = frozenset({".png", ".ppm", ".bmp", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class Row:
    """One picture at one quality: bits per pixel of the JPEG file, and its measures before and after, in the order of MEASURES.

    color_gain: dB of PSNR gained over all channels.
    """

    quality: int
    picture: str
    bpp: float
    before: tuple[float, ...]
    after: tuple[float, ...]
    color_gain: float

    @property
    def gain(self) -> float:
        """The dB of PSNR gained."""
        return _gain(self.before[0], self.after[0])


def measured(picture: Image.Image, name: str, quality: int, views: int = 1) -> Row:
    """Return what restoring the JPEG of a picture of RGB or L gives, by so many views."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    with Image.open(io.BytesIO(file.getvalue())) as decoded:
        luma, before = _luma(picture), _luma(decoded)
        color_before = metrics.psnr(np.asarray(picture), np.asarray(decoded))
    shown = restore(file.getvalue(), views)
    after = _luma(shown)
    return Row(
        quality,
        name,
        metrics.bpp(len(file.getvalue()), *picture.size),
        tuple(measure(luma, before) for measure in MEASURES.values()),
        tuple(measure(luma, after) for measure in MEASURES.values()),
        _gain(color_before, metrics.psnr(np.asarray(picture), np.asarray(shown))),
    )


def _gain(before: float, after: float) -> float:
    """Return the dB between two PSNR; 0 where both pictures are exact."""
    return 0.0 if before == after else after - before


def _luma(im: Image.Image) -> npt.NDArray[np.uint8]:
    return np.asarray(im.convert("L"))


def table(rows: Sequence[Row]) -> str:
    """Return the means at every quality as a Markdown table; each measure of the JPEG, and after the arrow restored."""
    lines = [
        f"| quality | bpp | {' | '.join(MEASURES)} | PSNR gained: mean, least, most | of RGB: mean, least |",
        f"|{'---|' * (4 + len(MEASURES))}",
    ]
    for quality in sorted({row.quality for row in rows}):
        some = [row for row in rows if row.quality == quality]
        before, after = (np.mean([getattr(row, side) for row in some], axis=0) for side in ("before", "after"))
        cells = [
            f"{b:.4f} -> {a:.4f}" if name == "SSIM" else f"{b:.2f} -> {a:.2f}"
            for name, b, a in zip(MEASURES, before, after, strict=True)
        ]
        gains = [row.gain for row in some]
        spread = f"{np.mean(gains):+.2f}, {min(gains):+.2f}, {max(gains):+.2f}"
        colors = [row.color_gain for row in some]
        cells += [spread, f"{np.mean(colors):+.2f}, {min(colors):+.2f}"]
        lines.append(f"| {quality} | {np.mean([row.bpp for row in some]):.3f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the words of `lic bench restore`."""
    found = words.parser(
        "lic bench restore",
        "Measure what JPEG pictures gain by being restored: PSNR, SSIM, PSNR-B.",
        "lic bench restore photos/ --qualities 10,40",
    )
    found.add_argument("folder", type=named, help="pictures without loss: png, ppm, bmp, tiff, webp")
    found.add_argument(
        "--qualities",
        default=",".join(map(str, QUALITIES)),
        metavar="Q,Q",
        help="of Pillow's JPEG, 1-100; default 10,20,40,60",
    )
    found.add_argument("--views", type=int, choices=VIEWS, default=1, help="of `lic restore`; default 1")
    found.add_argument("-v", "--verbose", action="store_true", help="also a line for every picture and quality")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark of `lic bench restore`, print its table, and return the exit status: 1 where there is no picture."""
    arguments = parser().parse_args(argv)
    qualities = [int(text) if text.isdecimal() else 0 for text in arguments.qualities.split(",")]
    if not all(1 <= quality <= 100 for quality in qualities):
        parser().error(f"--qualities must be whole numbers 1-100, got {arguments.qualities}")
    rows = []
    for path in files_in(arguments.folder, _SUFFIXES):
        picture = peers.load(path)
        for quality in qualities:
            rows.append(measured(picture, path.name, quality, arguments.views))
            if arguments.verbose:
                row = rows[-1]
                words = f"{row.before[0]:.2f} dB, restored {row.gain:+.2f} dB, RGB {row.color_gain:+.2f} dB"
                print(f"{path.name} {quality}: {words}", flush=True)
    if not rows:
        print(f"lic bench restore: no picture in {arguments.folder}", file=sys.stderr)
        return 1
    print(table(rows))
    return 0
