"""Thumbnails for a web page: upright, in three widths, never over a budget of bytes, from any format Pillow reads.

python web_thumbnails.py uploads/ thumbnails/
"""

import sys
from pathlib import Path

from PIL import Image, ImageOps

import pillow_lic

WIDTHS = {160: 4_000, 480: 20_000, 960: 60_000}  # pixels: bytes


def make(upload: Path, folder: Path) -> None:
    with Image.open(upload) as im:
        upright = ImageOps.exif_transpose(im)
    for width, budget in WIDTHS.items():
        small = upright.copy()
        small.thumbnail((width, 10 * width), Image.Resampling.LANCZOS)
        target = folder / f"{upload.stem}-{width}.lic"
        pillow_lic.save(small, target, target_size=budget)
        print(f"{target.name}: {small.width}x{small.height}, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    uploads, thumbnails = Path(sys.argv[1]), Path(sys.argv[2])
    thumbnails.mkdir(parents=True, exist_ok=True)
    for upload in sorted(uploads.iterdir()):
        try:
            make(upload, thumbnails)
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            # No picture, a broken one, one of more than 8 bits or with too many details, or one made to exhaust memory.
            print(f"{upload.name}: {error}", file=sys.stderr)
