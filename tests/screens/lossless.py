"""Compare lossless formats, bytes and processor time: `python -m tests.screens.lossless FOLDER CACHE [--photos FOLDER] [--most N]`.

FOLDER is one that `python -m tests.screens` made; of each class the first N pictures count, and of a picture the middle 512x384
pixels, as in `compare`. CACHE is a JSON file that keeps what was measured, ours too: remove it to measure anew. Every file is
read back and compared. Needs pillow-jxl-plugin.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

import pillow_lic
from pillow_lic.bench import peers

from .compare import pictures

Pixels = npt.NDArray[np.uint8]

SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "lic": ("LIC", {"lossless": True}),
    "WebP, method 6": ("WEBP", {"lossless": True, "method": 6, "quality": 100}),
    "WebP, method 4": ("WEBP", {"lossless": True, "method": 4, "quality": 80}),
    "JPEG XL, effort 7": ("JXL", {"lossless": True, "effort": 7}),
    "AVIF, speed 6": ("AVIF", {"quality": 100, "subsampling": "4:4:4", "speed": 6}),
    "PNG, optimize": ("PNG", {"optimize": True}),
}
"""The columns, each with a format and its options of `save`; AVIF is not quite lossless, as Pillow writes it."""


def measured(pixels: Pixels, name: str) -> tuple[int, float, float, bool]:
    """Return bytes, seconds of a processor to write and to read, and whether every pixel came back."""
    image, file = Image.fromarray(pixels), io.BytesIO()
    kind, words = SETTINGS[name]
    start = time.process_time()
    image.save(file, kind, **words)
    middle = time.process_time()
    with Image.open(file) as again:
        same = bool((np.asarray(again.convert("RGB")) == pixels).all())
    return len(file.getvalue()), middle - start, time.process_time() - middle, same


def chosen(folder: Path, photos: Path | None, most: int) -> Iterator[tuple[str, Pixels]]:
    """Yield class and pixels of the first pictures of every class."""
    seen: dict[str, int] = defaultdict(int)
    for name, pixels in pictures(folder):
        kind = name.split("/")[0]
        seen[kind] += 1
        if seen[kind] <= most:
            yield kind, pixels
    if photos is not None:
        yield from (("photographs", pixels) for _, pixels in islice(pictures(photos), most))


def table(found: dict[str, list[dict[str, tuple[int, float, float, bool]]]]) -> str:
    """Return a table in Markdown: bytes against those of WebP with method 6, then seconds a megapixel to write and to read."""
    lines = [f"| class | {' | '.join(SETTINGS)} |", "|---" * (1 + len(SETTINGS)) + "|"]
    everything = [row for kind, rows in found.items() if kind != "photographs" for row in rows]
    for kind, rows in {**found, "all screens": everything}.items():
        ratio = {name: fmean(row[name][0] / row["WebP, method 6"][0] for row in rows) for name in SETTINGS}
        cells = (
            f"{ratio[name]:.3f}" + ("" if all(row[name][3] for row in rows) else " (not exact)") for name in SETTINGS
        )
        lines.append(f"| {kind} ({len(rows)}) | {' | '.join(cells)} |")
    for column, what in ((1, "write"), (2, "read")):
        for kind, rows in (("screens", everything), ("photographs", found.get("photographs", []))):
            if rows:
                seconds = (f"{fmean(row[name][column] for row in rows):.2f}" for name in SETTINGS)
                lines.append(f"| seconds to {what} one of the {kind} | {' | '.join(seconds)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.screens.lossless", description="Compare lossless formats.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--photos", type=Path, help="a folder of photographs, PNG")
    parser.add_argument("--most", type=int, default=2, help="pictures of a class")
    arguments = parser.parse_args()
    peers.codec("jxl")  # registers the plugin
    pillow_lic.encode(Image.new("RGB", (16, 16)), lossless=True)
    cache = json.loads(arguments.cache.read_text()) if arguments.cache.exists() else {}
    found: dict[str, list[dict[str, tuple[int, float, float, bool]]]] = defaultdict(list)
    for kind, pixels in chosen(arguments.folder, arguments.photos, arguments.most):
        digest = hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
        for name in SETTINGS:
            if f"{name}|{digest}" not in cache:
                cache[f"{name}|{digest}"] = measured(pixels, name)
                arguments.cache.write_text(json.dumps(cache, indent=0))
        found[kind].append({name: cache[f"{name}|{digest}"] for name in SETTINGS})
        print(kind, {name: value[0] for name, value in found[kind][-1].items()}, flush=True)
    print(table(found))


if __name__ == "__main__":
    main()
