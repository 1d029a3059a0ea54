"""The report of `lic bench`: curves, BD-rates, tables, charts and files, made of the measurements."""

from __future__ import annotations

import csv
import fnmatch
import io
import json
import os
import platform
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import fmean
from typing import Any

from .. import files, metrics
from . import charts

METRICS = ("psnr", "ms_ssim", "ssimulacra2")
TITLES = {
    "bpp": "bits per pixel",
    "psnr": "PSNR, dB",
    "ms_ssim": "MS-SSIM",
    "ssimulacra2": "SSIMULACRA2",
    "encode_seconds": "encode, s/MP",
    "decode_seconds": "decode, s/MP",
}
"""The columns of a `Point` for people."""
_TIMES = ("encode_seconds", "decode_seconds")


@dataclass(frozen=True)
class Sample:
    """One picture coded once; a metric is None when it was not asked for or the picture is too small for it."""

    codec: str
    quality: float
    picture: str
    bytes: int
    pixels: int
    encode_seconds: float
    decode_seconds: float
    psnr: float | None = None
    ms_ssim: float | None = None
    ssimulacra2: float | None = None
    cached: bool = False


@dataclass(frozen=True)
class Point:
    """The mean over the pictures at one setting; seconds are per megapixel."""

    codec: str
    quality: float
    bpp: float
    psnr: float | None
    ms_ssim: float | None
    ssimulacra2: float | None
    encode_seconds: float | None
    decode_seconds: float | None
    cached: bool = False

    def value(self, metric: str) -> float | None:
        """The metric on the axis curves are compared on: MS-SSIM in dB."""
        value: float | None = getattr(self, metric)
        return metrics.decibels(value) if metric == "ms_ssim" and value is not None else value


Curves = dict[str, list[Point]]


def average(samples: Iterable[Sample]) -> Curves:
    """Return the curves of the codecs: the means over the pictures at each quality, in order of quality."""
    groups: dict[str, dict[float, list[Sample]]] = {}
    for sample in samples:
        groups.setdefault(sample.codec, {}).setdefault(sample.quality, []).append(sample)
    return {name: [_mean(group[quality]) for quality in sorted(group)] for name, group in groups.items()}


def published(path: Path, patterns: Sequence[str], measured: Container[str] = ()) -> Curves:
    """Return curves of a JSON file, name -> {"bpp": [...], "psnr": [...], "ms_ssim": [...]}, whose names match.

    One named as a measured codec is called "NAME (published)".
    """
    curves: Curves = {}
    for name, entry in json.loads(path.read_text()).items():
        if "bpp" in entry and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            columns = [entry.get(metric) or [None] * len(entry["bpp"]) for metric in METRICS]
            rows = enumerate(zip(entry["bpp"], *columns, strict=True))
            shown = f"{name} (published)" if name in measured else name
            curves[shown] = [Point(shown, i, rate, p, m, s, None, None) for i, (rate, p, m, s) in rows]
    return curves


def bd_rates(curves: Curves, anchor: str, wanted: Iterable[str]) -> dict[str, dict[str, float | str]]:
    """Return the BD-rate in percent of every curve against the anchor, by metric, or why there is none."""
    result: dict[str, dict[str, float | str]] = {}
    for name, curve in curves.items():
        result[name] = {}
        for metric in wanted:
            try:
                result[name][metric] = metrics.bd_rate(*(points_of(c, metric) for c in (curves[anchor], curve)))
            except ValueError as error:
                result[name][metric] = str(error)
    return result


def table(curves: Curves, anchor: str) -> str:
    """Return the points as text; times are followed by their ratio to the anchor's mean time in this run."""
    means = {name: _anchor_time(curves.get(anchor, []), name) for name in _TIMES}
    columns = {"codec": -24, "quality": 8, "bpp": 8, "PSNR": 8, "MS-SSIM": 9, "dB": 7, "SSIM2": 7}
    columns |= {"enc s/MP": 10, "ratio": 7, "dec s/MP": 10, "ratio ": 7}
    lines = ["".join(f"{name:{'<' if width < 0 else '>'}{abs(width)}}" for name, width in columns.items())]
    for point in (point for curve in curves.values() for point in curve):
        line = f"{point.codec[:23]:24}{point.quality:8g}{point.bpp:8.3f}{_cell(point.psnr, 8, 2)}"
        line += _cell(point.ms_ssim, 9, 4) + _cell(point.value("ms_ssim"), 7, 2) + _cell(point.ssimulacra2, 7, 1)
        for name, mean in means.items():
            seconds = getattr(point, name)
            ratio = seconds / mean if seconds is not None and mean and not point.cached else None
            line += _cell(seconds, 9, 3) + ("*" if point.cached and seconds is not None else " ") + _cell(ratio, 7, 2)
        lines.append(line.rstrip())
    return "\n".join(lines)


def bd_table(curves: Curves, rates: Mapping[str, Mapping[str, float | str]], anchor: str) -> str:
    """Return the BD-rates as text; below it why a curve that has points has none."""
    wanted = list(next(iter(rates.values()), {}))
    lines = [f"{'BD-rate against ' + anchor:32}" + "".join(f"{metric:>13}" for metric in wanted)]
    reasons = []
    for name, row in rates.items():
        cells = ""
        for metric, value in row.items():
            cells += f"{value:+11.2f} %" if isinstance(value, float) else f"{'-':>13}"
            if isinstance(value, str) and points_of(curves[name], metric):
                reasons.append(f"  {name}, {metric}: {value[:160]}")
        lines.append(f"{name[:31]:32}" + cells)
    return "\n".join(lines + reasons)


def panels(curves: Curves, wanted: Iterable[str]) -> list[charts.Panel]:
    """Return a chart of every metric and of both times over bits per pixel, those without points left out."""
    foreign = frozenset(name for name, curve in curves.items() if curve[0].encode_seconds is None)
    found = [
        charts.Panel(axis, TITLES["bpp"], axis, _series(curves, metric), dashed=foreign)
        for metric in wanted
        for axis in ["MS-SSIM, dB" if metric == "ms_ssim" else TITLES[metric]]
    ]
    found += [
        charts.Panel(TITLES[name], TITLES["bpp"], TITLES[name], _series(curves, name), log=True) for name in _TIMES
    ]
    return [panel for panel in found if panel.series]


def write(
    out: Path, samples: Sequence[Sample], curves: Curves, rates: Mapping[str, Any], about: Mapping[str, Any]
) -> None:
    """Write bench.json (everything, with the facts `about` the run), bench.csv (the points) and bench.svg into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    points = [asdict(point) for curve in curves.values() for point in curve]
    machine = {"platform": platform.platform(), "processors": os.cpu_count(), "python": platform.python_version()}
    measured = {"bd_rate": rates, "points": points, "samples": [asdict(s) for s in samples]}
    report = {"machine": machine, **about, **metrics.as_json(measured)}
    files.write_atomic(out / "bench.json", json.dumps(report, indent=1).encode())
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [field.name for field in fields(Point)])
    writer.writeheader()
    writer.writerows(points)
    files.write_atomic(out / "bench.csv", text.getvalue().encode())
    wanted = list(next(iter(rates.values())))
    files.write_atomic(out / "bench.svg", charts.svg(panels(curves, wanted)).encode())


def _mean(group: Sequence[Sample]) -> Point:
    """Average a setting over the pictures: bpp per picture, time over all pixels. A metric missing once is missing."""
    values = {}
    for metric in METRICS:
        found = [value for sample in group if (value := getattr(sample, metric)) is not None]
        values[metric] = fmean(found) if len(found) == len(group) else None
    megapixels = sum(sample.pixels for sample in group) / 1e6
    return Point(
        group[0].codec,
        group[0].quality,
        fmean(metrics.bpp(sample.bytes, sample.pixels, 1) for sample in group),
        **values,
        encode_seconds=sum(sample.encode_seconds for sample in group) / megapixels,
        decode_seconds=sum(sample.decode_seconds for sample in group) / megapixels,
        cached=any(sample.cached for sample in group),
    )


def points_of(curve: Iterable[Point], metric: str) -> list[tuple[float, float]]:
    """Return bits per pixel and the metric, on the axis curves are compared on, of the points that have it."""
    return [(point.bpp, value) for point in curve if (value := point.value(metric)) is not None]


def _series(curves: Curves, name: str) -> dict[str, list[tuple[float, float]]]:
    return {codec: points for codec, curve in curves.items() if (points := points_of(curve, name))}


def _anchor_time(curve: Sequence[Point], name: str) -> float | None:
    """Return the mean seconds per megapixel over the anchor's points, None unless all were measured in this run."""
    seconds = [getattr(point, name) for point in curve if not point.cached]
    return fmean(seconds) if seconds and len(seconds) == len(curve) else None


def _cell(value: float | None, width: int, digits: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{digits}f}"
