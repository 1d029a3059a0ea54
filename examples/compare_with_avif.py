"""Rate-distortion of .lic beside AVIF on one picture: a table, and a chart in comparison.svg.

    python compare_with_avif.py photo.png

`lic bench` does this over a folder, with more codecs and measures.
"""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import pillow_lic  # noqa: F401  (registers LIC)
from pillow_lic.bench.charts import Panel, svg
from pillow_lic.metrics import psnr

QUALITIES = {"LIC": (2, 4, 6, 8), "AVIF": (25, 45, 60, 75)}

with Image.open(sys.argv[1]) as opened:
    photo = opened.convert("RGB")

curves: dict[str, list[tuple[float, float]]] = {name: [] for name in QUALITIES}
for name, qualities in QUALITIES.items():
    for quality in qualities:
        buffer = io.BytesIO()
        photo.save(buffer, name, quality=quality)
        with Image.open(buffer) as again:
            distortion = psnr(np.asarray(photo), np.asarray(again.convert("RGB")))
        bpp = 8 * buffer.tell() / (photo.width * photo.height)
        curves[name].append((bpp, distortion))
        print(f"{name:4} quality {quality:>3}: {buffer.tell():>9,} bytes  {bpp:.3f} bpp  {distortion:.2f} dB")

chart = Path("comparison.svg")
chart.write_text(svg([Panel(Path(sys.argv[1]).name, "bits per pixel", "RGB PSNR, dB", curves)]))
print(f"wrote {chart}")
