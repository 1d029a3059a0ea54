"""Rates and errors of every model of a paper, of the other formats, and of what papers published, on one set of pictures."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import claims
from ..bench import measurement, peers, report, samples
from ..engine import models

if TYPE_CHECKING:
    from ..bench.peers import Codec, Pixels
    from ..bench.samples import Refusal

METRICS = ("psnr", "ms_ssim")
REFERENCES = ("jpeg", "jpeg2000", "webp", "avif")
"""The formats to compare with, as far as this Pillow has them; JPEG 2000 with the transform of colours that it lacks by default."""
GENERAL = ("lic1", "lic2")
"""The names of our models that stand for no paper."""
ANCHORS = ("jpeg", "jpeg2000", "webp")
"""Those of them that papers compare with, and the tables set bytes against: they are measured at all of their qualities."""
SETTINGS = 6
"""Qualities of any other codec that are measured, at most: enough for a curve, and for a rate between curves."""


@dataclass(frozen=True)
class Measured:
    """The outcome of one run: curves by name, papers by the name of their model, codecs by name, and what they refused.

    sizes: bytes of the first picture's files by quality, of codecs by their names. A codec has a curve if it took all the pictures.
    """

    pictures: Sequence[Path]
    curves: report.Curves
    published: report.Curves
    papers: Mapping[str, claims.Paper]
    codecs: Mapping[str, Codec]
    refused: Sequence[Refusal] = ()
    sizes: Mapping[str, Mapping[float, int]] = field(default_factory=dict)
    cache: samples.Cache = field(default_factory=lambda: samples.Cache(None))

    @property
    def references(self) -> list[str]:
        """The names of the curves that are no paper's."""
        return [name for name in self.curves if name not in self.papers]

    def kept(self, codec: Codec) -> Codec:
        """Return a codec whose files come from the cache where that has them, and are kept there, by its title."""

        def encode(pixels: Pixels, quality: float) -> bytes:
            digest = hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
            return self.cache.file(f"{codec.title}|{quality:g}|file of {digest}", lambda: codec.encode(pixels, quality))

        return replace(codec, encode=encode)


def measure(pictures: Sequence[Path], cache: Path | None, curves: Path | None, say: Callable[[str], None]) -> Measured:
    """Code the pictures with every paper's model, ours, and the other formats, at SETTINGS of their qualities or all, and decode them.

    cache: a JSON file that keeps every sample under the hash of the model, so that a run that was stopped goes on. curves: a JSON
    file of published curves, see `report.published`; a paper names its own. Seconds are those of the processor.
    """
    papers = {paper.model: paper for paper in claims.papers()}
    published: report.Curves = {}  # first of all: a wrong file is an error before the hours of measuring
    for name, paper in papers.items():
        if curves is not None and paper.curve:
            published[name] = report.published(curves, [paper.curve]).get(paper.curve, [])
    codecs = {name: peers.codec(name) for name in REFERENCES if peers.is_available(name)}
    known = {model.name for model in models.models()}
    codecs |= {name: ours(name) for name in (*GENERAL, *papers) if name in known}
    plan = {
        name: (codec, codec.qualities if name in ANCHORS else settings_of(codec.qualities))
        for name, codec in codecs.items()
    }
    refused: list[Refusal] = []
    keeper = samples.Cache(cache)
    found = samples.run(
        pictures, plan, samples.Method(METRICS, clock=time.process_time), keeper, say, kept=plan, refusals=refused
    )
    sizes: dict[str, dict[float, int]] = {}
    for sample in found:
        if sample.picture == pictures[0].name:
            sizes.setdefault(sample.codec, {})[sample.quality] = sample.bytes
    for name in {refusal.codec for refusal in refused}:
        del codecs[name]
    curves_of_all = report.average(sample for sample in found if sample.codec in codecs)
    return Measured(pictures, curves_of_all, published, papers, codecs, refused, sizes, keeper)


def settings_of(qualities: Sequence[float]) -> list[float]:
    """Return at most SETTINGS of some qualities, evenly among them and with both ends."""
    last = len(qualities) - 1
    wanted = min(SETTINGS, len(qualities))
    return [qualities[round(i * last / max(wanted - 1, 1))] for i in range(wanted)]


def ours(name: str) -> Codec:
    """Return the codec of a model, its hash in the title: the weights of a number may change until it is released."""
    codec = measurement.our_codec(name)
    model = models.choose(name)
    return replace(codec, title=f"{codec.title} {model.hash.hex()}")
