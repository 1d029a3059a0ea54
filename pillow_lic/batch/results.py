"""The results of a run: the outcome of each pair, and of all together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from .locations import Place
from .plan import Pair


@dataclass(frozen=True)
class Result:
    """The outcome of a pair.

    Bytes are those of the two files as far as they were looked at, seconds those of the work; `value` is what the work
    returned, `warnings` what it warned of. A pair is "planned" when it was only asked what would become of it.
    """

    pair: Pair
    outcome: Literal["done", "skipped", "failed", "planned"]
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    error: str = ""
    value: Any = None
    warnings: tuple[str, ...] = ()


class PassedOver(NamedTuple):
    """A file or a folder in a folder of sources that is no source, and why: its extension, or a few words."""

    place: Place
    reason: str


@dataclass
class Summary:
    """The outcome of a run.

    results: one for each pair, in the order they finished. seconds: those of the whole run, by the clock. passed_over: the files and
    folders that are no sources, with the reasons.
    """

    results: list[Result] = field(default_factory=list)
    seconds: float = 0.0
    passed_over: list[PassedOver] = field(default_factory=list)

    def _of(self, outcome: str) -> list[Result]:
        return [result for result in self.results if result.outcome == outcome]

    @property
    def done(self) -> list[Result]:
        """Return the results of pairs whose target was made in this run."""
        return self._of("done")

    @property
    def skipped(self) -> list[Result]:
        """Return those of pairs whose target was there already, and no older than its source."""
        return self._of("skipped")

    @property
    def failed(self) -> list[Result]:
        """Return those of pairs that could not be made; their `error` says why."""
        return self._of("failed")

    @property
    def bytes_in(self) -> int:
        """Bytes of the sources converted in this run."""
        return sum(result.bytes_in for result in self.done)

    @property
    def bytes_out(self) -> int:
        """Bytes of the targets made in this run."""
        return sum(result.bytes_out for result in self.done)


Progress = Callable[[Result, int, int], object]
"""Called in the caller's thread after each pair with its result, the number finished so far, and the number in all.

What it raises ends the run."""
