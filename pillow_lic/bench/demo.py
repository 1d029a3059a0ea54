"""`lic demo`: a photo to .lic and back, beside the other formats, as in `peers.PEERS`, at the same number of bytes."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import files, metrics
from . import equal_bytes, groups, measurement, page, peers, report, samples

if TYPE_CHECKING:
    from .peers import Codec

_SAMPLES = ("astronaut.png", "coffee.png", "chelsea.png")
OWN_SAMPLE = Path(__file__).with_name("chelsea.webp")
"""The picture that comes with the package."""

_COMPARED = ("jpeg", "webp", "avif")
"""The formats that browsers show."""


def sample_pictures() -> list[Path]:
    """Return the photos of an installed scikit-image, or the one that comes with this package."""
    spec = importlib.util.find_spec("skimage")
    folder = Path(spec.origin).parent / "data" if spec and spec.origin else Path()
    found = [folder / name for name in _SAMPLES if (folder / name).is_file()]
    return found or [OWN_SAMPLE]


def compared_codecs() -> list[Codec]:
    """Return ours, and those of the others that this Pillow was built with."""
    found = (peers.codec(name) for name in _COMPARED if peers.is_available(name))
    return [measurement.our_codec(groups.OURS), *found]


def main(pictures: Sequence[str], quality: float, keep: str | None, html: bool) -> int:
    """Print the table for every picture; the files stay in the folder `keep` if one is given, numbered if there are several pictures.

    With `html` a page is written to demo.html, in that folder or the current one: the pictures to compare by eye, and
    curves over all qualities, which take ten times as long as the table.
    """
    paths = [files.named(picture) for picture in pictures] or sample_pictures()
    codecs = compared_codecs()
    stems = [f"demo-{number}" for number in range(1, len(paths) + 1)] if len(paths) > 1 else ["demo"]
    kept = [f"{stem}{codec.suffix}" for stem in stems for codec in codecs] if keep else []
    folder = Path(keep or ".")
    for name in (*kept, *("demo.html",) * html):
        files.check_target(folder / name)
    begun = time.perf_counter()
    equal_bytes.code(codecs[0], np.zeros((64, 64, 3), np.uint8), quality)
    print(f"networks loaded in {time.perf_counter() - begun:.2f} s (once per process)")
    compared = []
    for path, stem in zip(paths, stems, strict=True):
        picture = equal_bytes.compare(path.name, peers.read(path), codecs, quality)
        print(_table(picture), flush=True)
        compared.append(picture)
        for coded in picture.coded if keep else ():
            files.write_atomic(folder / f"{stem}{coded.codec.suffix}", coded.data)
    if html:
        target = folder / "demo.html"
        files.write_atomic(target, _page(paths, compared, {codec.name: codec for codec in codecs}).encode())
        print(f"\nwrote {target}")
    return 0


def _table(picture: equal_bytes.Compared) -> str:
    height, width = picture.pixels.shape[:2]
    lines = [
        f"\n{picture.name}, {width}x{height}",
        f"{'format':8}{'quality':>8}{'bytes':>10}{'bpp':>8}{'PSNR dB':>9}{'encode s':>10}{'decode s':>10}",
    ]
    for coded in picture.coded:
        size = len(coded.data)
        lines.append(
            f"{coded.codec.label:8}{coded.quality:>8g}{size:>10,}{metrics.bpp(size, width, height):>8.3f}{coded.psnr:>9.2f}"
            f"{coded.encode_seconds:>10.3f}{coded.decode_seconds:>10.3f}"
        )
    return "\n".join(lines)


def _page(paths: Sequence[Path], compared: Sequence[equal_bytes.Compared], codecs: Mapping[str, Codec]) -> str:
    wanted = ("psnr", "ms_ssim")
    plan = {name: (codec, codec.qualities) for name, codec in codecs.items()}
    found = samples.run(
        paths, plan, samples.Method(wanted), samples.Cache(None), lambda line: print(line, file=sys.stderr)
    )
    curves = report.average(found)
    anchor = list(curves)[-1]
    return page.page(len(paths), compared, curves, report.bd_rates(curves, anchor, wanted), anchor, codecs)
