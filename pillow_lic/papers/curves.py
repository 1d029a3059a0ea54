"""Rates and errors of every model of a paper, of the other formats, and of what papers published, on one set of pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..bench import measurement, peers, report
from ..engine import models
from ..errors import LicError, let_pass
from . import claims

if TYPE_CHECKING:
    from ..bench.peers import Codec

METRICS = ("psnr", "ms_ssim")
REFERENCES = ("jpeg", "jpeg2000", "webp", "avif")
"""The formats to compare with, as far as this Pillow has them; JPEG 2000 with the transform of colours that it lacks by default."""
GENERAL = ("lic1", "lic2")
"""The names of our models that stand for no paper."""


@dataclass(frozen=True)
class Measured:
    """What one run found: curves by name, papers by the name of their model, codecs by name, and why one was left out."""

    pictures: Sequence[Path]
    curves: report.Curves
    published: report.Curves
    papers: Mapping[str, claims.Paper]
    codecs: Mapping[str, Codec]
    refused: Mapping[str, str]

    @property
    def references(self) -> list[str]:
        """The names of the curves that are no paper's."""
        return [name for name in self.curves if name not in self.papers]


def measure(pictures: Sequence[Path], cache: Path | None, curves: Path | None, say: Callable[[str], None]) -> Measured:
    """Code the pictures with every paper's model, ours, and the other formats, each at its qualities, and decode them.

    cache: a JSON file that keeps every sample under the hash of the model. curves: a JSON file of published curves, see
    `report.published`; a paper names its own. A model that does not take the first picture is left out.
    """
    papers = {paper.model: paper for paper in claims.papers()}
    published: report.Curves = {}  # first of all: a wrong file is an error before the hours of measuring
    for name, paper in papers.items():
        if curves is not None and paper.curve:
            published[name] = report.published(curves, [paper.curve]).get(paper.curve, [])
    codecs = {name: peers.codec(name) for name in REFERENCES if peers.is_available(name)}
    known = {model.name for model in models.models()}
    codecs |= {name: _ours(name) for name in (*GENERAL, *papers) if name in known}
    refused = {}
    first = peers.read(pictures[0])
    for name in papers:
        try:
            codecs[name].encode(first, codecs[name].qualities[0])
        except (ValueError, LicError) as error:
            let_pass(error)
            refused[name] = str(error)
            del codecs[name]
    plan = {name: (codec, codec.qualities) for name, codec in codecs.items()}
    samples = measurement.run(pictures, plan, METRICS, 1, measurement.Cache(cache), say, kept=plan)
    return Measured(pictures, report.average(samples), published, papers, codecs, refused)


def _ours(name: str) -> Codec:
    """Return the codec of a model, its hash in the title: the weights of a number may change until it is released."""
    codec = measurement.our_codec(name)
    model = models.choose(name)
    return replace(codec, title=f"{codec.title} {model.hash.hex()}")
