"""The tables of the page and of the Markdown: claims, costs, the ladder of priors, and the systems themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from .. import claims
from ..bench import report
from ..engine import models
from ..fileformat.limits import MAX_LEVEL
from .curves import ANCHORS

if TYPE_CHECKING:
    from ..bench.samples import Refusal
    from ..engine.models import Model
    from .curves import Measured

MISSING = "-"
"""Stands for a value that was not measured."""
MEASURES = (("psnr", "PSNR"), ("ms_ssim", "MS-SSIM"))
"""Metrics of curves, and their names."""


@dataclass(frozen=True)
class Table:
    """A table with its title, a sentence before it, and whether its cells are sentences."""

    title: str
    text: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    of_texts: bool = False


def claims_table(measured: Measured) -> Table:
    """Return every claim of every paper with its verdict."""
    papers = claims.told(measured.papers.values())
    rows = [[f"{paper.system}: {row[0]}", *row[1:]] for paper in papers for row in claims.rows(paper)]
    found = [row[-1] for row in rows]
    counts = ", ".join(f"{found.count(verdict)} {verdict}" for verdict in claims.VERDICTS)
    text = (
        f"Claims: {len(rows)}, of which {counts}. Shown means that sign and rough size hold on the "
        "same pictures against the same baseline; in part, that only the sign or a range holds."
    )
    return Table("Claims", text, claims.HEAD, rows, of_texts=True)


def systems_table(measured: Measured) -> Table:
    """Return what each system is, and how its network here was made."""
    head = ("system", "idea", "network", "training", "what decides the parse")
    rows = [
        [
            f"{paper.system} ({paper.model})",
            paper.idea,
            paper.width,
            training(paper),
            paper.parse,
        ]
        for paper in claims.told(measured.papers.values())
    ]
    text = "The idea of each paper in one line, and its network here beside the paper's."
    return Table("Systems", text, head, rows, of_texts=True)


def rates_table(measured: Measured) -> Table | None:
    """Return the bytes at equal error against the formats of ANCHORS, in percent, of every curve; None where no anchor was measured."""
    anchors = [name for name in ANCHORS if name in measured.curves]
    rates = {name: report.bd_rates(measured.curves, name, [metric for metric, _ in MEASURES]) for name in anchors}
    rows = [
        [
            measured.codecs[name].label,
            *(_percent(rates[anchor][name][metric], name == anchor) for anchor in anchors for metric, _ in MEASURES),
        ]
        for name in (*measured.papers, *measured.references)
        if name in measured.curves
    ]
    head = ("", *(f"{measured.codecs[anchor].label}, {words}" for anchor in anchors for _, words in MEASURES))
    text = (
        "Bytes more (+) or fewer (-) than those of another format at equal PSNR and at equal MS-SSIM, in percent: BD-rates of the curves "
        f"above, over the errors that both have. {MISSING}: they share none, or a curve does not rise."
    )
    return Table("Bytes at equal error", text, head, rows) if anchors else None


def cost_table(measured: Measured) -> Table:
    """Return size, work and time of every model."""
    head = (
        "model",
        "parameters, M",
        "MB",
        "kMAC/px encode",
        "kMAC/px decode",
        "s/MP encode",
        "s/MP decode",
        "rates",
        "file cut short",
    )
    rows = []
    for name, paper in measured.papers.items():
        model = models.choose(name)
        rows.append(
            [
                name,
                f"{paper.parameters / 1e6:.2f}",
                f"{size(model) / 1e6:.1f}",
                f"{model.kmac_per_pixel('encoder'):.1f}",
                f"{model.kmac_per_pixel('decoder'):.1f}",
                _seconds(measured.curves.get(name, ()), "encode_seconds"),
                _seconds(measured.curves.get(name, ()), "decode_seconds"),
                rates(model),
                "coarser picture" if paper.cut else "damaged",
            ]
        )
    text = (
        "kMAC/px: thousand multiply-adds of the networks for a pixel. s/MP: seconds of a processor for a megapixel on this machine, "
        "the mean over the rates of the curves; to encode where one file has every rate, those of that file. rates: those of one model."
    )
    return Table("Cost", text, head, rows)


def ladder_table(measured: Measured) -> Table | None:
    """Return the bytes of the same pixels with one prior after another; None where no paper's card has them."""
    rows = [
        [f"{paper.system}: {rung.prior}", f"{rung.percent:.1f} %"]
        for paper in measured.papers.values()
        for rung in paper.ladder
    ]
    text = "Bytes of the same latents, so of the same pixels, by what predicts them; the first of each has 100 %."
    return Table("Ladder of priors", text, ("prior", "bytes"), rows) if rows else None


def refusals_table(measured: Measured) -> Table | None:
    """Return the models that did not take all pictures, what they said of the first one, and how many there are; None for none."""
    found: dict[str, list[Refusal]] = {}
    for refusal in measured.refused:
        found.setdefault(refusal.codec, []).append(refusal)
    rows = [[name, f"{len(them)}, {them[0].picture} first", them[0].reason] for name, them in found.items()]
    text = "These models do not take all of the pictures, so they have no curve."
    return Table("Not measured", text, ("model", "pictures", "why"), rows, of_texts=True) if rows else None


def training(paper: claims.Paper) -> str:
    """Return how long a network was trained, in words."""
    pixels = [f"{paper.gigapixels:g} gigapixels"] if paper.gigapixels else []
    return ", ".join([*pixels, f"{paper.hours:g} h"]) if paper.hours else "none: computed from pictures"


def size(model: Model) -> int:
    """Return the bytes of the files of a model that are kept."""
    files = (model.stored(role) for role in {*model.files, *model.extras})
    return sum(len(file.read()) for file in files if file.path)


def rates(model: Model) -> str:
    """Return how many rates a model has, in words: one without networks keeps every pixel."""
    if not size(model):
        return "1"
    return "continuous" if len(model.levels) > MAX_LEVEL else f"{len(model.levels)}"


def _percent(rate: float | str, is_itself: bool) -> str:
    return MISSING if is_itself or isinstance(rate, str) else f"{rate:+.1f} %"


def _seconds(curve: Sequence[report.Point], name: str) -> str:
    found = [value for point in curve if (value := getattr(point, name)) is not None]
    return f"{fmean(found):.2f}" if found else MISSING
