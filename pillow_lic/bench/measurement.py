"""`lic bench`: rate, distortion and time of codecs over a folder of pictures, in one run on one machine.

Sizes are whole files, times are per megapixel and the best of the repeats, qualities are averaged over the pictures at
equal settings. What peers gave is kept in a cache file if one is named, because they change less often than we do; times
from a cache are marked and never set in relation to times of this run.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .. import files
from ..command_values import above_zero, count, typed
from ..fileformat.levels import level_to_quality, quality_to_level
from ..fileformat.limits import MAX_LEVEL
from . import equal_bytes, groups, page, report, words
from .groups import OURS
from .report import METRICS

if TYPE_CHECKING:
    from .peers import Codec, Pixels

_QUALITIES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
_SEARCHED = tuple(step / 20 for step in range(20, 201))
_SUFFIXES = {".png", ".ppm", ".bmp", ".tif", ".tiff", ".webp", ".jpg", ".jpeg"}


def our_codec(name: str) -> Codec:
    """Return pillow-lic itself with the newest model of one of `groups.our_names`; one with steps has those as its qualities."""
    from .. import codec, families, inspecting
    from ..engine import models
    from ..fileformat import container
    from ..options import EncodeOptions
    from .peers import Codec

    model, _, effort = name.partition(":")
    spec = models.choose(None if model == OURS else model)
    asked_effort = int(effort) if effort else spec.effort

    def encode(pixels: Pixels, quality: float) -> bytes:
        lossless = inspecting.keeps_every_pixel(spec.number)
        asked = EncodeOptions(quality=quality, effort=asked_effort, model=spec.number, lossless=lossless)
        return codec.encode(pixels, "RGB", asked)

    def together(pixels: Pixels, qualities: Sequence[float]) -> Iterator[bytes]:
        whole = encode(pixels, level_to_quality(spec.levels[-1]))
        parts = container.unpack(whole)
        for quality in qualities:
            level = spec.nearest_level(quality_to_level(quality))
            if level == spec.levels[-1]:
                yield whole
            elif parts.exact is not None or parts.header.model_id != spec.number:
                yield encode(pixels, quality)
            else:
                tiles = [tile for tile in parts.tiles if tile is not None]
                lower = families.lowered(spec, parts.header.tiling, level, tiles)
                yield container.pack(replace(parts.header, level=level), lower)

    title = f"LIC {spec.name} ({spec.number})" + (f" effort={asked_effort}" if asked_effort else "")
    label = ("LIC" if model == OURS else model) + (f" effort {effort}" if effort else "")
    has_all = len(spec.levels) > MAX_LEVEL
    steps = tuple(level_to_quality(level) for level in spec.levels) if not has_all else ()
    qualities, searched = (_QUALITIES, _SEARCHED) if has_all else (steps, steps)
    return Codec(
        name,
        label,
        title,
        ".lic",
        qualities,
        searched,
        encode,
        lambda data: codec.decode(data)[1],
        together if families.is_stepwise(spec) else None,
    )


def complexity() -> dict[str, float]:
    """Return the thousands of multiply-adds per pixel of the encoder and of the decoder of the default model.

    What an encoder decodes to fit filters and to refine is not counted, nor what a step runs once more.
    """
    from ..engine import models

    model = models.choose(None)
    return {"encoder": round(model.kmac_per_pixel("encoder"), 3), "decoder": round(model.kmac_per_pixel("decoder"), 3)}


def pictures_of(folder: Path, limit: int | None = None) -> list[Path]:
    """Return the first pictures of a folder, sorted by name; ValueError where it has none."""
    paths = files.files_in(folder, _SUFFIXES)[:limit]
    if not paths:
        msg = f"{folder} has no pictures ({', '.join(sorted(_SUFFIXES))})"
        raise ValueError(msg)
    return paths


def main(argv: Sequence[str] | None = None) -> int:
    """Run `lic bench`; return the exit status: 0, or 1 after a sentence on stderr."""
    arguments = parser().parse_args(argv)
    try:
        _run(arguments)
    except (OSError, ValueError) as error:
        print(f"lic bench: {error}", file=sys.stderr)
        return 1
    return 0


def _run(arguments: argparse.Namespace) -> None:
    """Measure what the arguments ask for, print the tables, and write the files; ValueError or OSError says what is wrong."""
    from . import peers, samples

    wanted = _metrics(arguments.metrics)
    ours, names = groups.our_names(), groups.named(arguments.codecs)
    paths = pictures_of(files.named(arguments.folder), arguments.limit)
    chosen = _qualities(arguments.quality, names)
    codecs = {name: our_codec(name) if name in ours else peers.codec(name) for name in names}
    plan = {name: (codec, chosen.get(name, codec.qualities)) for name, codec in codecs.items()}
    _check_early(arguments, names)
    cache = samples.Cache(Path(arguments.cache) if arguments.cache else None)
    found = samples.run(
        paths, plan, samples.Method(wanted, arguments.repeats), cache, lambda line: print(line, file=sys.stderr)
    )
    curves = report.average(found)
    if arguments.curves:
        curves |= report.published(Path(arguments.curves), arguments.curve or ["*"], curves)
    anchor = arguments.anchor or ("avif" if "avif" in curves else next(iter(curves)))
    _check_anchor(anchor, curves)
    rates = report.bd_rates(curves, anchor, wanted)
    kmac = complexity() if OURS in codecs else {}
    _print_circumstances(len(paths), codecs, kmac)
    print(report.table(curves, anchor), report.bd_table(curves, rates, anchor), sep="\n\n")
    if any(sample.cached for sample in found):
        print("\n* measured in an earlier run: not to be compared with other times")
    if arguments.out:
        about = {
            "arguments": vars(arguments),
            "codecs": {name: codec.title for name, codec in codecs.items()},
            "kmac_per_pixel": kmac,
        }
        report.write(Path(arguments.out), found, curves, rates, about)
    if arguments.html:
        compared = [
            equal_bytes.compare(path.name, peers.read(path), list(codecs.values()), arguments.crops_at)
            for path in paths[: arguments.crops]
        ]
        target = Path(arguments.out or ".") / "bench.html"
        files.write_atomic(target, page.page(len(paths), compared, curves, rates, anchor, codecs).encode())
        print(f"\nwrote {target}")


def _print_circumstances(pictures: int, codecs: Mapping[str, Codec], kmac: Mapping[str, float]) -> None:
    """Print how many pictures were coded, on what machine, by which codecs, and what the networks cost."""
    machine = platform.processor() or platform.machine()
    print(f"{pictures} picture{'s' * (pictures != 1)}, {machine}, {os.cpu_count()} processors")
    print("\n".join(f"{name}: {codec.title}" for name, codec in codecs.items()))
    if kmac:
        print(f"{OURS}: " + ", ".join(f"{side} {value:.1f}" for side, value in kmac.items()) + " kMAC a pixel")
    print()


def _check_early(arguments: argparse.Namespace, names: Iterable[str]) -> None:
    """Raise ValueError or OSError for what would go wrong after hours of measuring."""
    if arguments.curves:
        Path(arguments.curves).stat()
    elif arguments.anchor:
        _check_anchor(arguments.anchor, names)
    folder = Path(arguments.out or ".")
    for name in (*("bench.json", "bench.csv", "bench.svg") * bool(arguments.out), *("bench.html",) * arguments.html):
        files.check_target(folder / name)


def _check_anchor(anchor: str, names: Iterable[str]) -> None:
    if anchor not in names:
        msg = f"anchor must be one of {', '.join(names)}, got {anchor}"
        raise ValueError(msg)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the words of `lic bench`."""
    found = words.parser(
        "lic bench",
        "Compare codecs on a folder of pictures. Instead of the folder, one of these words measures something else: profile, "
        "where the time of a picture goes; times, small and large pictures beside AVIF and JPEG XL; coder, the entropy coders "
        "alone; restore, the gain of restored JPEG pictures; boxes, the gain of main objects by importance; prefixes, what the "
        "first bytes of files show. `lic bench WORD --help` says more.",
        "lic bench photos/ --limit 4",
        "lic bench photos/ --codecs lic,avif,jpeg --quality jpeg=40,70,90 --out results/ --html",
    )
    found.add_argument("folder", help="folder of pictures; JPEG sources would favour the other codecs")
    codecs = found.add_argument(
        "--codecs",
        metavar="A,B",
        help="models (lic is the default one, lic:3 the same at effort 3), formats, or the groups papers, ours, peers and all; "
        "default: lic,peers",
    )
    codecs.completer = groups.completed  # type: ignore[attr-defined]  # where argcomplete looks for it
    found.add_argument(
        "--quality",
        action="append",
        default=[],
        metavar="CODEC=Q,Q",
        help="qualities to measure a codec at; repeatable",
    )
    found.add_argument(
        "--metrics", metavar="M,M", help=f"measures; default: {','.join(METRICS)} (the last if installed)"
    )
    found.add_argument("--anchor", metavar="CODEC", help="codec to compare bytes and times with; default: avif")
    found.add_argument(
        "--repeats", type=typed(count), default=1, metavar="N", help="take the best time of N, 1 or more; default: 1"
    )
    found.add_argument("--limit", type=typed(count), metavar="N", help="only the first N pictures, 1 or more")
    found.add_argument(
        "--cache", metavar="FILE", help="JSON file that keeps the results of the other codecs for the next run"
    )
    found.add_argument("--curves", metavar="FILE", help="JSON file of published curves to show too")
    found.add_argument(
        "--curve", action="append", metavar="PATTERN", help="only these published curves (vtm, 'tfc/*'); repeatable"
    )
    found.add_argument("--out", metavar="FOLDER", help="write bench.json, bench.csv and bench.svg there")
    found.add_argument(
        "--html",
        action="store_true",
        help="also write bench.html, in the folder of --out or here: tables, curves, crops",
    )
    found.add_argument(
        "--crops",
        type=typed(partial(count, least=0)),
        default=4,
        metavar="N",
        help="show crops of the first N pictures on that page, 0 or more; default: 4",
    )
    found.add_argument(
        "--crops-at",
        type=typed(above_zero),
        default=3,
        metavar="Q",
        help="quality of the crops by the first codec, on its own scale; default: 3",
    )
    return found


def _metrics(text: str | None) -> list[str]:
    """Return the metrics of a text of names between commas, by default all that can be measured here; ValueError for others."""
    from . import peers

    names = text.split(",") if text else list(METRICS)
    for name in names:
        if name not in METRICS:
            msg = f"metric must be one of {', '.join(METRICS)}, got {name}"
            raise ValueError(msg)
    if "ssimulacra2" in names and not peers.has_ssimulacra2():
        if text:
            msg = "the metric ssimulacra2 needs its package: pip install ssimulacra2"
            raise ValueError(msg)
        names.remove("ssimulacra2")
    return list(dict.fromkeys(names))


def _qualities(texts: Iterable[str], names: Sequence[str]) -> dict[str, list[float]]:
    result = {}
    for text in texts:
        name, _, values = text.partition("=")
        try:
            result[name] = [float(value) for value in values.split(",")]
        except ValueError:
            name = ""
        if name not in names:
            msg = f"--quality must be CODEC=Q,Q with one of {', '.join(names)}, got {text}"
            raise ValueError(msg)
    return result
