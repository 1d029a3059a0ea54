"""Compare pillow-lic with AVIF, JPEG XL, WebP and PNG over pictures of screens: `python -m tests.screens.compare FOLDER CACHE`.

FOLDER is one that `python -m tests.screens` made, CACHE a JSON file that keeps what the peers gave and grows while they are
measured; --peers measures them alone, and --resume NAME keeps ours too, under a name that stands for a state of the source. Of
a picture the middle 512x384 pixels count. Needs ssimulacra2 and pillow-jxl-plugin.

The bytes of a format at a quality are those of its smallest file that reaches it, interpolated (the logarithm of the bytes)
between neighbouring settings of finite PSNR. A BD-rate is the mean of the logarithms of two formats' bytes over the span
that both cover, in steps of a tenth, no further than SPANS.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt
from PIL import Image

import pillow_lic
from pillow_lic.bench import peers
from pillow_lic.bench.measurement import OURS, our_codec
from pillow_lic.bench.peers import Codec
from pillow_lic.bench.report import Sample
from pillow_lic.bench.samples import Cache, Method, Picture, measure

Pixels = npt.NDArray[np.uint8]

CROP = (512, 384)
"""Width and height of what counts of a picture."""
EXACT_AT = 5.0
"""Quality of ours at which pixels that are as they were are counted."""
QUALITIES = {
    OURS: (2, 3.5, 5, 7),
    "avif": (20, 45, 65, 82, 95),
    "jxl": (45, 80, 94),
    "webp": (10, 60, 93),
}
SPANS = {"psnr": (30.0, 50.0), "ssimulacra2": (50.0, 95.0)}
"""The qualities people ask for, in dB and in points."""
METRICS = tuple(SPANS)
ANCHOR = "avif"
SHOWN_AT = (35, 40, 45)
"""PSNR of the columns of the table, in dB."""


def pictures(folder: Path) -> Iterator[tuple[str, Pixels]]:
    """Yield class/name and the middle of every picture, those on white where they have alpha."""
    for path in sorted(folder.rglob("*.png")):
        with Image.open(path) as image:
            shown = image.convert("RGBA")
        flat = Image.new("RGBA", shown.size, "white")
        flat.alpha_composite(shown)
        left, upper = (max(0, (side - most) // 2) for side, most in zip(flat.size, CROP, strict=True))
        box = (left, upper, min(flat.width, left + CROP[0]), min(flat.height, upper + CROP[1]))
        yield f"{path.parent.name}/{path.stem}", np.asarray(flat.convert("RGB").crop(box))


def ours() -> Codec:
    """Return pillow-lic as `save` has it, no model being named: a picture of one colour needs no network."""
    return replace(
        our_codec(OURS), encode=lambda pixels, quality: pillow_lic.encode(Image.fromarray(pixels), quality=quality)
    )


def samples(name: str, pixels: Pixels, cache: Cache, codecs: Sequence[str], resumed: str) -> dict[str, list[Sample]]:
    """Return what every codec gave for a picture at its qualities, from the cache where it has it; of ours by a name, if there is one."""
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
    found: dict[str, list[Sample]] = {}
    for codec_name in codecs:
        codec = ours() if codec_name == OURS else peers.codec(codec_name)
        for quality in QUALITIES[codec_name]:
            key = f"{codec.title}{resumed if codec_name == OURS else ''}|{quality:g}|{digest}"
            is_kept = bool(resumed) or codec_name != OURS
            sample = cache.get(key, METRICS) if is_kept else None
            if sample is None:
                sample = measure(codec, quality, Picture(name, pixels), Method(METRICS, clock=time.process_time))
                if is_kept:
                    cache.put(key, sample, METRICS)
            found.setdefault(codec_name, []).append(sample)
    cache.save()
    return found


def exact_share(pixels: Pixels, name: str, kept: Path) -> int:
    """Return the percent of pixels that are as they were at EXACT_AT, from a JSON file where it has them by a name, if there is one."""
    entries = json.loads(kept.read_text()) if kept.exists() else {}
    key = f"{name}|{hashlib.sha256(pixels.tobytes()).hexdigest()[:16]}"
    if not name or key not in entries:
        again = np.asarray(pillow_lic.open(pillow_lic.encode(Image.fromarray(pixels), quality=EXACT_AT)))
        entries[key] = round(100 * float((again == pixels).all(2).mean()))
        kept.write_text(json.dumps(entries, indent=0))
    result: int = entries[key]
    return result


def lossless(pixels: Pixels, kept: Path) -> dict[str, int]:
    """Return the bytes of the lossless files of the peers, from a JSON file where it has them."""
    entries = json.loads(kept.read_text()) if kept.exists() else {}
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
    if digest not in entries:
        peers.codec("jxl")  # registers the plugin
        settings = {
            "webp": {"lossless": True, "method": 6, "quality": 100},
            "jxl": {"lossless": True, "effort": 7},
            "png": {"optimize": True},
        }
        entries[digest] = {}
        for name, words in settings.items():
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, name.upper(), **words)
            entries[digest][name] = file.tell()
        kept.write_text(json.dumps(entries, indent=0))
    result: dict[str, int] = entries[digest]
    return result


def bytes_at(curve: Sequence[tuple[float, float]], quality: float) -> float:
    """Return the bytes of the smallest file of a curve of (bytes, quality) that reaches a quality; infinite where none does."""
    points = sorted((value, size) for size, value in curve)
    reaching = [size for value, size in points if value >= quality]
    for (low, low_size), (high, high_size) in zip(points, points[1:], strict=False):
        if low < quality <= high < math.inf:
            share = (quality - low) / (high - low)
            reaching.append(math.exp((1 - share) * math.log(low_size) + share * math.log(high_size)))
    return min(reaching, default=math.inf)


def rate(
    anchor: Sequence[tuple[float, float]], curve: Sequence[tuple[float, float]], span: tuple[float, float]
) -> float:
    """Return the mean of ln(bytes / bytes of the anchor) over the qualities that both reach; NaN where there are none."""
    low = max(
        span[0], *(min((value for _, value in each if value < math.inf), default=span[0]) for each in (anchor, curve))
    )
    high = min(span[1], *(max(value for _, value in each) for each in (anchor, curve)))
    steps = range(math.ceil(10 * low), math.floor(10 * high) + 1)
    pairs = [(bytes_at(curve, step / 10), bytes_at(anchor, step / 10)) for step in steps]
    return fmean(math.log(one / other) for one, other in pairs) if pairs else math.nan


def _curve(found: Sequence[Sample], metric: str) -> list[tuple[float, float]]:
    return [(sample.bytes, float(getattr(sample, metric))) for sample in found]


def _percent(logarithms: Sequence[float]) -> str:
    known = [value for value in logarithms if not math.isnan(value)]
    return f"{100 * math.expm1(fmean(known)):+.0f} %" if known else "-"


def _kilobytes(size: float) -> str:
    return f"{size / 1000:.1f}" if size < math.inf else "-"


def report(found: dict[str, dict[str, list[Sample]]], sizes: dict[str, dict[str, int]]) -> str:
    """Return tables in Markdown: BD-rates by class, and bytes by picture."""
    codecs = [name for name in QUALITIES if name != ANCHOR]
    rates = {
        (metric, codec, name): rate(_curve(own[ANCHOR], metric), _curve(own[codec], metric), SPANS[metric])
        for name, own in found.items()
        for codec in codecs
        for metric in METRICS
    }
    columns = [(metric, codec) for metric in METRICS for codec in codecs]
    titles = " | ".join(f"{codec}, {metric}" for metric, codec in columns)
    lines = [f"| class | pictures | {titles} |", "|---" * (2 + len(columns)) + "|"]
    classes: dict[str, Callable[[str], bool]] = {
        kind: lambda name, kind=kind: name.startswith(kind + "/") for kind in sorted({n.split("/")[0] for n in found})
    }
    for kind, belongs in {**classes, "all": lambda name: True}.items():
        names = [name for name in found if belongs(name)]
        cells = " | ".join(_percent([rates[metric, codec, name] for name in names]) for metric, codec in columns)
        lines.append(f"| {kind} | {len(names)} | {cells} |")
    at = " | ".join(f"{db} dB" for db in SHOWN_AT)
    lines += [
        "",
        f"| picture | {at} | exact at 5 | lossless | WebP | JPEG XL | PNG |",
        "|---" * (6 + len(SHOWN_AT)) + "|",
    ]
    ratios: dict[int, list[float]] = {db: [] for db in SHOWN_AT}
    for name, own in found.items():
        cells = []
        for db in SHOWN_AT:
            pair = [bytes_at(_curve(own[codec], "psnr"), db) for codec in (OURS, ANCHOR)]
            cells.append(" / ".join(map(_kilobytes, pair)))
            ratios[db].append(math.log(pair[0] / pair[1]) if max(pair) < math.inf else math.nan)
        size = sizes[name]
        last = " | ".join(_kilobytes(size[key]) for key in ("lic", "webp", "jxl", "png"))
        lines.append(f"| {name} | {' | '.join(cells)} | {size['exact']} % | {last} |")
    lines.append(f"| mean of ratios | {' | '.join(map(_percent, ratios.values()))} | | | | | |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.screens.compare", description="Compare formats over screens."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("cache", type=Path)
    parser.add_argument(
        "--resume", default="", metavar="NAME", help="keep ours under this name, and take it from there"
    )
    parser.add_argument("--peers", action="store_true", help="measure the peers alone, into the cache")
    arguments = parser.parse_args()
    cache, codecs = Cache(arguments.cache), [name for name in QUALITIES if name != OURS or not arguments.peers]
    found, sizes = {}, {}
    for name, pixels in pictures(arguments.folder):
        found[name] = samples(name, pixels, cache, codecs, arguments.resume)
        sizes[name] = dict(lossless(pixels, arguments.cache.with_suffix(".lossless.json")))
        if not arguments.peers:
            sizes[name]["lic"] = len(pillow_lic.encode(Image.fromarray(pixels), lossless=True))
            sizes[name]["exact"] = exact_share(pixels, arguments.resume, arguments.cache.with_suffix(".exact.json"))
        print(
            name,
            {codec: [(s.bytes, round(s.psnr or 0, 1)) for s in own] for codec, own in found[name].items()},
            flush=True,
        )
    if not arguments.peers:
        print(report(found, sizes))


if __name__ == "__main__":
    main()
