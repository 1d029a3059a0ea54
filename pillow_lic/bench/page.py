"""`lic bench --html`: a report as one page, with crops at equal bytes that eyes can compare."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from .. import __version__, color
from ..pages import document
from . import charts, report
from .equal_bytes import Compared

if TYPE_CHECKING:
    from .peers import Codec, Pixels

CROP = (360, 270)
"""Width and height of a crop in pixels: twice as large it fills a tablet, as it is a phone."""
_REFERENCE = "avif"
"""The codec on the left of a slider at first, where it was coded: the best of the formats that browsers show."""
_RATES = "The bytes that a format needs more (+) or fewer (-) than {} for the same score, as a mean over its curve (BD-rate)."
_COMPARED = (
    "A part of each picture, where it has most detail; every format at the quality whose whole file comes nearest in bytes to "
    "that of {}. Move the border with the mouse, a finger or the arrow keys."
)
_CURVES = "Further left is smaller. Up is better, except for the seconds per megapixel."
_CACHED = " Those of {} were measured in an earlier run and are not to be compared with others."


def page(
    pictures: int,
    compared: Sequence[Compared],
    curves: report.Curves,
    rates: Mapping[str, Mapping[str, float | str]],
    anchor: str,
    codecs: Mapping[str, Codec],
) -> str:
    """Return the page: bytes at equal score, pictures to compare, curves, every point, and the settings.

    pictures: how many were measured. rates: the BD-rates of `curves` against the curve `anchor`. codecs: those that were
    measured, by their names in `curves`, which may have published ones too.
    """
    labels = {name: codecs[name].label if name in codecs else name for name in curves}
    first, *others = labels.values()
    title = f"{first} beside {_joined(others)}" if others else first
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, {platform.system()}"
    body = [
        f"<header><h1>{escape(title)}</h1>",
        f'<p class="quiet">Pictures measured: {pictures}. pillow-lic {__version__} on {escape(machine)}.</p></header>',
        "<main>",
        *(
            _section("Bytes at equal score", _RATES.format(labels[anchor]), _rates(rates, labels, anchor))
            if others
            else ()
        ),
        *(_pictures(compared) if compared else ()),
        *_section(
            "Curves", _CURVES + _earlier(curves, labels), _charts(curves, list(next(iter(rates.values()))), labels)
        ),
        f"<details><summary>The numbers behind the curves</summary>{_points(curves, labels)}</details>",
        "<h2>Settings</h2>",
        "<ul>",
        *(f"<li>{escape(codec.label)}: {escape(codec.title)}</li>" for codec in codecs.values()),
        "</ul>",
        "</main>",
    ]
    return document.document(title, "\n".join(body), script=document.compare_script() if compared else "")


def busiest(pixels: Pixels, width: int, height: int) -> tuple[int, int]:
    """Return left and top of the window of pixels (H, W, 3) with the most detail, to 8 pixels: the most difference of neighbours."""
    cell = 8
    grey = pixels.mean(2, dtype=np.float32)
    detail = np.abs(np.diff(grey, axis=0, append=grey[-1:])) + np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    for axis, length in enumerate(grey.shape):
        detail = np.add.reduceat(detail, np.arange(0, length, cell), axis, np.float64)
    rows, columns = -(-height // cell), -(-width // cell)
    sums = np.pad(detail, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    windows = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
    top, left = (int(index) * cell for index in np.unravel_index(int(windows.argmax()), windows.shape))
    return min(left, grey.shape[1] - width), min(top, grey.shape[0] - height)


def _section(title: str, text: str, *content: str) -> list[str]:
    return [f"<h2>{escape(title)}</h2>", f"<p>{escape(text)}</p>", *content]


def _pictures(compared: Sequence[Compared]) -> list[str]:
    text = _COMPARED.format(compared[0].coded[0].codec.label)
    parts = [f"<h3>{escape(picture.name)}</h3>\n{crops(picture)}" for picture in compared]
    return _section("Pictures at equal bytes", text, *parts)


def crops(picture: Compared) -> str:
    """Return what was made of a picture as a row of crops to compare under a slider, where it has most detail."""
    width, height = (min(*sizes) for sizes in zip(CROP, picture.pixels.shape[1::-1], strict=True))
    left, top = busiest(picture.pixels, width, height)

    def shot(label: str, text: str, pixels: Pixels) -> tuple[str, str, str]:
        image = color.to_image(pixels[top : top + height, left : left + width], "RGB")
        return label, text, document.picture(image, f"{picture.name}, a part of it: {label}", exact=True)

    shots = [
        shot("Original", f"{picture.pixels.nbytes:,} bytes of pixels", picture.pixels),
        *(shot(c.codec.label, f"{len(c.data):,} bytes, {c.psnr:.1f} dB", c.pixels) for c in picture.coded),
    ]
    names = ["", *(coded.codec.name for coded in picture.coded)]
    return document.comparison(shots, names.index(_REFERENCE) if _REFERENCE in names else 0, 1)


def _rates(rates: Mapping[str, Mapping[str, float | str]], labels: Mapping[str, str], anchor: str) -> str:
    wanted = list(next(iter(rates.values())))
    rows = [
        [labels[name], *(f"{value:+.1f} %" if isinstance(value, float) else "-" for value in row.values())]
        for name, row in rates.items()
        if name != anchor
    ]
    return document.table(["", *(report.TITLES[metric] for metric in wanted)], rows, f"Beside {labels[anchor]}")


def _points(curves: report.Curves, labels: Mapping[str, str]) -> str:
    columns = {"bpp": 3, "psnr": 2, "ms_ssim": 4, "ssimulacra2": 1, "encode_seconds": 3, "decode_seconds": 3}
    points = [point for curve in curves.values() for point in curve]
    used = [name for name in columns if any(getattr(point, name) is not None for point in points)]
    rows = []
    for point in points:
        values = ((getattr(point, name), columns[name]) for name in used)
        cells = ["-" if value is None else f"{value:.{digits}f}" for value, digits in values]
        rows.append([labels[point.codec], f"{point.quality:g}", *cells])
    return document.table(["", "quality", *(report.TITLES[name] for name in used)], rows, "Means over the pictures")


def _earlier(curves: report.Curves, labels: Mapping[str, str]) -> str:
    cached = [labels[name] for name, curve in curves.items() if any(point.cached for point in curve)]
    return _CACHED.format(_joined(cached)) if cached else ""


def _charts(curves: report.Curves, wanted: Sequence[str], labels: Mapping[str, str]) -> str:
    drawn = []
    for panel in report.panels(curves, wanted):
        series = {labels[name]: points for name, points in panel.series.items()}
        drawn.append(
            charts.svg([replace(panel, series=series, dashed=frozenset(labels[name] for name in panel.dashed))])
        )
    return '<div class="charts">\n' + "".join(drawn) + "</div>"


def _joined(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
