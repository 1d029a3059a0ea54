"""`lic papers`: every published system of this package on one page, and the same tables as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from .. import __version__, claims
from ..bench import charts, report
from ..bench import page as bench_page
from ..engine import models
from ..pages import document
from . import pictures, tables

if TYPE_CHECKING:
    from .curves import Measured
    from .tables import Table

TITLE = "The published systems of pillow-lic"
COLORS = (
    "#e15759",
    "#4e9fd1",
    "#59a14f",
    "#b07aa1",
    "#f28e2b",
    "#2ca6a4",
    "#d37295",
    "#9c755f",
    "#8a8f2c",
    "#7a6fd0",
    "#c94f9b",
    "#3f8f6b",
    "#c06b2e",
    "#5b8aa8",
)
"""Of the papers, in their order; seen on white and on black."""
GREYS = ("#8c8c8c", "#a8a8a8", "#757575", "#999999", "#666666", "#b0b0b0")
PUBLISHED = "{} (published)"
MOST = 2.0
"""Bits per pixel up to which curves are drawn: what papers show; above, pictures look the same."""
_CURVES = (
    "Mean over {} at each setting; whole files. Solid: measured here in one run. Dashed, in the same colour: the curve that was "
    "published, which is of Kodak and comparable only with ours of Kodak. Grey: other formats, and our own models. Up to {:g} bits per "
    "pixel.{}"
)
_LIFTS = " A button lifts one system."
_ALONE = "Every system alone, beside the other formats and our own models"
_CROPS = (
    "A part of {}; every system at the quality whose whole file comes nearest in bytes to that of {} at quality {:g}. Move the "
    "border with the mouse, a finger or the arrow keys."
)
_STRIPS = "One file of the highest quality, and what is shown when only so much of it has come."
_MAPS = "White places have the higher quality."


def panels(measured: Measured, alone: str | None = None) -> dict[str, charts.Panel]:
    """Return the charts of PSNR and of MS-SSIM in dB over the logarithm of bits per pixel, by metric.

    alone: the model of one paper, which is shown beside what is no paper's.
    """
    colors = _colors(measured)
    names = [name for name in measured.curves if alone is None or name == alone or name in measured.references]
    found = {}
    for metric, title in (("psnr", "PSNR"), ("ms_ssim", "MS-SSIM")):
        series = {name: report.points_of(measured.curves[name], metric) for name in names}
        series |= {
            PUBLISHED.format(name): report.points_of(curve, metric)
            for name, curve in measured.published.items()
            if alone in (None, name)
        }
        shown = {name: [point for point in points if point[0] <= MOST] for name, points in series.items()}
        found[metric] = charts.Panel(
            title if alone is None else f"{alone}, {title}",
            "bits per pixel",
            f"{title}, dB",
            {name: points for name, points in shown.items() if points},
            dashed=frozenset(map(PUBLISHED.format, measured.published)),
            log_x=True,
            colors=colors | {PUBLISHED.format(name): color for name, color in colors.items()},
            legend=False,
            named=frozenset(measured.references if alone is None else names),
        )
    return found


def key(measured: Measured) -> dict[str, str]:
    """Return the colours of the papers that have a curve, by the names of their models."""
    return {
        name: color for name, color in _colors(measured).items() if name in measured.papers and name in measured.curves
    }


def all_tables(measured: Measured) -> list[Table]:
    """Return the tables in the order of the page."""
    found = (
        tables.systems_table(measured),
        tables.claims_table(measured),
        tables.rates_table(measured),
        tables.cost_table(measured),
        tables.ladder_table(measured),
        tables.refusals_table(measured),
    )
    return [table for table in found if table is not None]


def html(measured: Measured) -> str:
    """Return the page, which holds all it shows: curves, tables, pictures at equal bytes, strips, maps, and sources."""
    colors = key(measured)
    drawn = _drawn(panels(measured).values())
    systems, *others = all_tables(measured)
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, {platform.system()}"
    first, cut, told = measured.pictures[0], pictures.cuts(measured), claims.told(measured.papers.values())
    body = [
        f"<header><h1>{TITLE}</h1>",
        f'<p class="quiet">Papers: {len(told)}, their networks trained anew. pillow-lic {__version__} on {escape(machine)}.</p>',
        "</header>",
        "<main>",
        *_section("Curves", _CURVES.format(_pictures(measured), MOST, _LIFTS), document.lift_buttons(colors)),
        f'<div class="charts">\n{drawn}</div>',
        f"<details><summary>{_ALONE}</summary>",
        *(f'<div class="charts">\n{_drawn(panels(measured, name).values())}</div>' for name in colors),
        "</details>",
        *_tables([systems, *others]),
        *_section("Pictures at equal bytes", _CROPS.format(first.name, models.DEFAULT, pictures.QUALITY)),
        bench_page.crops(pictures.at_equal_bytes(measured)),
        *_section("Files cut short", _STRIPS),
        f'<div class="charts">\n{charts.svg([_progress(measured, cut)])}</div>',
        *(f"<h3>{escape(name)}</h3>\n{pictures.strip(found, name)}" for name, found in cut.items()),
        *_section("Maps of importance", _MAPS, pictures.maps(measured)),
        *_section("Sources", "Where the published figures are from, and how ours were measured."),
        *_sources(told),
        "</main>",
    ]
    scripts = document.compare_script() + "{\n" + document.lift_script() + "}\n"
    return document.document(TITLE, "\n".join(body), script=scripts)


def markdown(measured: Measured, drawings: Mapping[str, str]) -> str:
    """Return the tables as Markdown; drawings: names of the files of the charts by metric."""
    lines = [f"# {TITLE}", "", _CURVES.format(_pictures(measured), MOST, ""), ""]
    lines += [f"![{panel.title} over bits per pixel]({drawings[name]})" for name, panel in panels(measured).items()]
    for table in all_tables(measured):
        lines += ["", f"## {table.title}", "", table.text, ""]
        lines += [f"| {' | '.join(row)} |" for row in (table.head, ["---"] * len(table.head), *table.rows)]
    lines += ["", "## Sources", ""]
    for paper in claims.told(measured.papers.values()):
        lines += [f"[{paper.paper}]({paper.link})", "", *(f"* {said}" for said in claims.sources(paper)), ""]
    return document.in_unicode("\n".join(lines).rstrip() + "\n")


def _colors(measured: Measured) -> dict[str, str]:
    papers = {name: COLORS[i % len(COLORS)] for i, name in enumerate(measured.papers)}
    return papers | {name: GREYS[i % len(GREYS)] for i, name in enumerate(measured.references)}


def _progress(measured: Measured, cut: Mapping[str, Sequence[pictures.Cut]]) -> charts.Panel:
    """Return the chart of PSNR over the bytes that have come, of one file for each model."""
    series = {
        name: [(part.bytes / 1000, part.shown[1]) for part in found if part.shown is not None]
        for name, found in cut.items()
    }
    return charts.Panel(
        "One file, cut",
        "kB that have come",
        "PSNR, dB",
        series,
        log_x=True,
        colors=_colors(measured),
        legend=False,
        named=frozenset(series),
    )


def _drawn(shown: Iterable[charts.Panel]) -> str:
    return "".join(charts.svg([panel]) for panel in shown)


def _pictures(measured: Measured) -> str:
    names = [path.name for path in measured.pictures]
    return names[0] if len(names) == 1 else f"{len(names)} pictures ({names[0]} to {names[-1]})"


def _section(title: str, text: str, *content: str) -> list[str]:
    return [f"<h2>{escape(title)}</h2>", f"<p>{escape(text)}</p>", *content]


def _tables(found: Sequence[Table]) -> list[str]:
    parts = []
    for table in found:
        drawn = document.table(table.head, table.rows, table.title, of_texts=table.of_texts)
        parts += _section(table.title, table.text, drawn)
    return parts


def _sources(papers: Iterable[claims.Paper]) -> list[str]:
    parts = []
    for paper in papers:
        parts.append(f'<h3><a href="{escape(paper.link)}">{escape(paper.paper)}</a></h3>')
        parts += ["<ul>", *(f"<li>{escape(said)}</li>" for said in claims.sources(paper)), "</ul>"]
    return parts
