"""The claims of papers and the figures that their models here reach, from `claims.json` in the folder of each model.

The one place of these figures: the card of the model (onnx_models/recipes/common/claims.py writes its table), `lic models`
and `lic papers` take them from here. The file is a JSON object with the fields of `Paper` but `model`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any, get_type_hints

from .engine import manifest, models
from .engine.models import Model
from .errors import let_pass

FILE = "claims.json"
CARD = "README.md"
SHOWN, IN_PART, NOT_SHOWN = "shown", "in part", "not shown"
VERDICTS = (SHOWN, IN_PART, NOT_SHOWN)
"""Sign and rough size hold on the same pictures against the same baseline; only the sign or a range; neither."""
LONGEST = 160
"""Characters of a text: two lines of a page, or of a cell of a wide table."""


@dataclass(frozen=True)
class Claim:
    """One claim of a paper, and what was found of it.

    claim: in words, with what it is against. pictures: the set. metric: how bytes or errors are compared. published: the
    paper's number, and source: where it was read. asked: the number from which on the claim counts as shown here. ours: what
    was measured, and how: by which command, over which rates. verdict: one of VERDICTS.
    """

    claim: str
    pictures: str
    metric: str
    published: str
    source: str
    asked: str
    ours: str
    how: str
    verdict: str


@dataclass(frozen=True)
class Rung:
    """A prior of the ladder: percent of the bytes of the first rung, for the same pixels."""

    prior: str
    percent: float


@dataclass(frozen=True)
class Paper:
    """A published system and its model here, or what else stands for it (`others`).

    model: the name of either. system: its short name. paper: authors, title, venue. idea: one line. claims: at least one.
    gigapixels, hours: of training, 0 for none; hours are those of the clock, of however much of a core. width: this network
    against the paper's. parameters: of encoder and decoder together. parse: what decides what the coder reads. cut: a file cut
    short still shows the whole picture. curve: its name in a file of published curves, "" for none. ladder: bytes at equal pixels
    with other priors, the first having 100 percent; empty for most.
    """

    model: str
    system: str
    paper: str
    year: int
    link: str
    idea: str
    claims: tuple[Claim, ...]
    gigapixels: float
    hours: float
    width: str
    parameters: int
    parse: str
    cut: bool
    curve: str = ""
    ladder: tuple[Rung, ...] = ()

    @property
    def verdicts(self) -> str:
        """The number of claims with each verdict, in words: "1 shown, 2 in part"."""
        found = [claim.verdict for claim in self.claims]
        return ", ".join(f"{found.count(verdict)} {verdict}" for verdict in VERDICTS if verdict in found)


def folder_of(model: Model) -> str:
    """Return the folder of a model's card, inside onnx_models."""
    return f"{model.name}-{model.number}"


def of(model: Model) -> Paper | None:
    """Return the paper of a model; None for one that stands for none. ValueError for a file that is not as it must be."""
    try:
        entry = manifest.read(f"{folder_of(model)}/{FILE}")
    except OSError as error:
        let_pass(error)
        return None
    return parsed(model.name, entry)


def about(model: Model) -> str:
    """Return what a model is: its paper and the idea of it, or, where it has no claims, the first sentence of its card."""
    if paper := of(model):
        return f"{paper.paper}. {paper.idea}"
    first = manifest.text(f"{folder_of(model)}/{CARD}").split("\n\n")[1]
    plain = re.sub(r"\[([^]]+)\]\([^)]+\)|[*`]", r"\1", " ".join(first.split()))
    return re.split(r"(?<=\.) (?=[A-Z])", plain)[0]


@cache
def papers() -> tuple[Paper, ...]:
    """Return the papers of this release's models, the oldest first."""
    found = (of(model) for model in models.models())
    return tuple(sorted((paper for paper in found if paper is not None), key=_age))


def folders_of_others() -> dict[str, str]:
    """Return the folders, inside onnx_models, of the systems that write no files of their own, by name.

    These are the network of importance="semantic", and the codes of sources that can be drawn.
    """
    return {"semantic": f"semantic-{models.semantic().number}", "ntc2020": "ntc2020"}


@cache
def others() -> tuple[Paper, ...]:
    """Return the papers of the systems that write no files of their own."""
    return tuple(parsed(name, manifest.read(f"{folder}/{FILE}")) for name, folder in folders_of_others().items())


def told(some: Iterable[Paper]) -> list[Paper]:
    """Return papers and the `others`, the oldest first."""
    return sorted((*some, *others()), key=_age)


def _age(paper: Paper) -> tuple[int, str]:
    return paper.year, paper.model


def parsed(model: str, entry: Mapping[str, Any]) -> Paper:
    """Return the paper of a JSON object; ValueError naming the field that is wrong and what is legal."""
    rows = dict(entry)
    for name, kind in (("claims", Claim), ("ladder", Rung)):
        rows[name] = tuple(_checked(kind, row, f"{model}: {name}[{i}]") for i, row in enumerate(rows.get(name, ())))
    paper: Paper = _checked(Paper, rows | {"model": model}, model)
    if not paper.claims:
        msg = f"{model}: claims must have at least one row"
        raise ValueError(msg)
    for claim in paper.claims:
        if claim.verdict not in VERDICTS:
            msg = f"{model}: verdict must be one of {', '.join(VERDICTS)}, got {claim.verdict!r}"
            raise ValueError(msg)
    return paper


def _checked(kind: Any, row: Mapping[str, Any], where: str) -> Any:
    """Return a dataclass of a JSON object; ValueError for a field that is missing, not known, or not of its type."""
    types = get_type_hints(kind)
    needed = {field.name for field in fields(kind) if field.default is MISSING}
    if not needed <= set(row) <= set(types):
        msg = (
            f"{where} must have {', '.join(types)} (only {', '.join(set(types) - needed) or 'these'} may be left out), "
        )
        msg += f"got {', '.join(row)}"
        raise ValueError(msg)
    for name, value in row.items():
        legal = _legal(types[name], value, name in needed)
        if legal:
            msg = f"{where}: {name} must be {legal}, got {value!r}"
            raise ValueError(msg)
    return kind(**row)


def _legal(kind: Any, value: Any, is_needed: bool) -> str:
    """Return what a value of that type must be, and "" for one that is so."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
    if kind is str:
        good = isinstance(value, str) and is_needed <= len(value) <= LONGEST
        return "" if good else f"a text of {is_needed:d} to {LONGEST} characters"
    if kind is bool:
        return "" if isinstance(value, bool) else "true or false"
    if kind is int:
        return "" if is_number and isinstance(value, int) else "a whole number >= 0"
    if kind is float:
        return "" if is_number else "a number >= 0"
    return "" if isinstance(value, tuple) else "a list"


HEAD = ("claim", "pictures, measure", "published", "asked", "here", "verdict")
"""The columns of `rows`."""


def rows(paper: Paper) -> Sequence[Sequence[str]]:
    """Return the claims of a paper as rows of a table under HEAD."""
    return [
        [claim.claim, f"{claim.pictures}; {claim.metric}", claim.published, claim.asked, claim.ours, claim.verdict]
        for claim in paper.claims
    ]


def sources(paper: Paper) -> Sequence[str]:
    """Return where the published figure of every claim is from and how ours was measured, a sentence each."""
    return [f"{claim.claim}: published, {claim.source}; here, {claim.how}." for claim in paper.claims]
