"""A sheet of crops for a model card: original, AVIF and the model at equal bytes, side by side, enlarged twice.

python -m onnx_models.recipes.common.crops lic2 OUT.webp PICTURE:LEFT,UPPER[:QUALITY] ...
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image

import pillow_lic

from . import sheet

SIDE, ZOOM = 128, 2


def avif_of_size(image: Image.Image, size: int) -> tuple[bytes, int]:
    """Return the AVIF (4:4:4, speed 6) of the lowest quality that has at least `size` bytes, and that quality."""
    low, high, best = 0, 101, b""
    while high - low > 1:
        middle = (low + high) // 2
        out = io.BytesIO()
        image.save(out, "AVIF", quality=middle, subsampling="4:4:4", speed=6)
        if out.tell() >= size or middle == 100:
            high, best = middle, out.getvalue()
        else:
            low = middle
    return best, high


def row(model: str, path: Path, left: int, upper: int, quality: float) -> Image.Image:
    """Return three crops of one picture side by side with their captions, (3 * 256, 256 + 16) pixels."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    image.info.clear()  # a colour profile of 3 kB would be a part of every size
    lic = pillow_lic.encode(image, quality=quality, model=model)
    avif, avif_quality = avif_of_size(image, len(lic))
    shown = [image]
    for data in (avif, lic):
        with Image.open(io.BytesIO(data)) as decoded:
            shown.append(decoded.convert("RGB"))
    box, size = (left, upper, left + SIDE, upper + SIDE), (SIDE * ZOOM, SIDE * ZOOM)
    return sheet.captioned(
        [picture.crop(box).resize(size, Image.Resampling.NEAREST) for picture in shown],
        [
            "original",
            f"AVIF {avif_quality}, {len(avif):,} bytes",
            f"{model} {quality:g}, {len(lic):,} bytes",
        ],
    )


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", help="name of a model")
    p.add_argument("out", type=Path)
    p.add_argument("crops", nargs="+", metavar="PICTURE:LEFT,UPPER[:QUALITY]")
    a = p.parse_args()
    rows = []
    for crop in a.crops:
        path, place, *quality = crop.split(":")
        left, upper = (int(v) for v in place.split(","))
        rows.append(row(a.model, Path(path), left, upper, float(quality[0]) if quality else 4.0))
    sheet.stacked(rows).save(a.out, quality=92)


if __name__ == "__main__":
    main()
