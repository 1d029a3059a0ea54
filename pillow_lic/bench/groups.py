"""Names of codecs for `lic bench --codecs`: one by one or in groups, and how a shell completes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .. import claims, families
from ..engine import models
from ..options import MAX_EFFORT
from . import peers

OURS = "lic"
"""Another name of the default model."""


def our_names() -> tuple[str, ...]:
    """Return the names of the models that write, alone at their own effort, and where they know it after a colon with another."""
    names = (OURS, *sorted({spec.name for spec in models.models()}))
    refined = [n for n in names if "effort" in families.of(models.choose(None if n == OURS else n)).OPTIONS]
    return names + tuple(f"{name}:{effort}" for name in refined for effort in range(MAX_EFFORT + 1))


def groups() -> Mapping[str, Sequence[str]]:
    """Return the names that each group stands for, as this installation has them.

    papers: the models of published systems, the oldest paper first. ours: those that stand for none, the default one first. peers:
    the formats to compare with. all: all of these.
    """
    papers = tuple(paper.model for paper in claims.papers())
    others = dict.fromkeys(model.name for model in models.models() if model.name not in (models.DEFAULT, *papers))
    ours = (OURS, *others)
    installed = tuple(name for name in peers.NAMES if peers.is_available(name))
    return {"papers": papers, "ours": ours, "peers": installed, "all": (*ours, *papers, *installed)}


def named(text: str | None) -> list[str]:
    """Return the codecs of names and groups between commas, each once; ValueError naming the legal ones for another name.

    None: the default model and every peer of this installation.
    """
    found = groups()
    legal = (*our_names(), *found["peers"], *found)
    shown = [name for name in legal if ":" not in name]
    words = [OURS, "peers"] if text is None else text.split(",")
    for word in words:
        if word not in legal:
            msg = f"codec must be one of {', '.join(shown)}, some with an effort as in {OURS}:3, got {word}"
            raise ValueError(msg)
    return list(dict.fromkeys(name for word in words for name in found.get(word, (word,))))


def completed(prefix: str, **_: object) -> list[str]:
    """Return how the last word of a text of words between commas may go on, as argcomplete asks a completer."""
    before, comma, begun = prefix.rpartition(",")
    found = groups()
    given = before.split(",")
    legal = dict.fromkeys((*found, *our_names(), *found["peers"]))
    return [f"{before}{comma}{word}" for word in legal if word.startswith(begun) and word not in given]
