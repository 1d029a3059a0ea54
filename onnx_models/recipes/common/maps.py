"""A sheet of importance maps: pictures, the same coded with `importance="auto"` or "semantic", and the map; with the bytes.

    python -m onnx_models.recipes.common.maps OUT.webp PICTURE[:QUALITY] ... --importance semantic

Of "auto", whose aim it is, also the bytes at equal MS-SSIM.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from PIL import Image

import pillow_lic
from pillow_lic import metrics
from pillow_lic.inspecting import description

from . import sheet

HEIGHT = 192


def coded(image: Image.Image, **words: object) -> tuple[bytes, float]:
    """Return the file and its MS-SSIM in dB."""
    data = pillow_lic.encode(image, **words)
    with pillow_lic.open(data) as decoded:
        similarity = metrics.ms_ssim(np.asarray(image), np.asarray(decoded.convert("RGB")))
    return data, metrics.decibels(similarity)


def flat_bytes(image: Image.Image, quality: float, similarity: float) -> float:
    """Return the bytes of a file without a map for an MS-SSIM in dB near that of `quality`, interpolated between two qualities."""
    (low, low_db), (high, high_db) = (coded(image, quality=quality + shift) for shift in (-0.5, 0.5))
    place = (similarity - low_db) / (high_db - low_db)
    return math.exp((1 - place) * math.log(len(low)) + place * math.log(len(high)))


def row(path: Path, quality: float, importance: str) -> Image.Image:
    """Return picture, decoded picture and map side by side, HEIGHT high, under a caption."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    data, similarity = coded(image, quality=quality, importance=importance)
    facts = description.describe(data)
    section = next(s["bytes"] for s in facts["sections"] if s["name"] == "importance")
    low, high = facts["importance"]
    with pillow_lic.open(data) as decoded:
        shown = [image, decoded.convert("RGB"), Image.fromarray(description.draw_map(data)).convert("RGB")]
    width = round(HEIGHT * image.width / image.height)
    caption = f"{path.stem}, quality {quality:g} by place {low:.1f} to {high:.1f}: {len(data):,} bytes (map {section})"
    if importance == "auto":
        caption += f", {len(data) / flat_bytes(image, quality, similarity) - 1:+.1%} at equal MS-SSIM"
    return sheet.captioned([picture.resize((width, HEIGHT), Image.Resampling.LANCZOS) for picture in shown], [caption])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out", type=Path)
    p.add_argument("pictures", nargs="+", metavar="PICTURE[:QUALITY]")
    p.add_argument("--importance", choices=["auto", "semantic"], default="auto")
    a = p.parse_args()
    rows = []
    for picture in a.pictures:
        path, *quality = picture.split(":")
        rows.append(row(Path(path), float(quality[0]) if quality else 4.0, a.importance))
    sheet.stacked(rows).save(a.out, quality=85)


if __name__ == "__main__":
    main()
