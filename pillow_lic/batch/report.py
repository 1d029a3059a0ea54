"""The report of `lic convert`: failures and warnings as they happen, a line or an object for each file, the sums."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

from .. import metrics, opening
from ..errors import let_pass
from ..fileformat.identity import EXTENSION
from . import formats
from .progress import ProgressLine, on_one_line
from .results import Result, Summary
from .transcode import Made


class Report:
    """A report on `stream`, which is for people: a progress line on a terminal, in a log a line for each file.

    verbose: lines also on a terminal, and of files that were there or passed over. quiet: failures, warnings and the sums
    alone. json_lines: where an object a file goes, instead of sums for people.
    """

    def __init__(self, stream: TextIO, *, verbose: bool, quiet: bool, json_lines: TextIO | None = None) -> None:
        self._line = ProgressLine(stream, shown=not quiet)
        self._verbose = verbose
        self._by_file = not quiet and (verbose or not stream.isatty()) and json_lines is None
        self._json = json_lines
        self._counted: Counter[str] = Counter()

    def update(self, result: Result, finished: int, total: int) -> None:
        """Take the next result; `jobs.run` calls it."""
        for text in result.warnings:
            self._line.say(f"lic: {result.pair.source}: {text}")
        measured = result.outcome == "done" and not isinstance(result.value, Made)
        if not measured:
            self._tell(result)
        self._line.update(result, finished, total)

    def _tell(self, result: Result) -> None:
        self._counted[result.outcome] += 1
        if result.outcome == "failed":
            self._line.say(f"lic: {result.pair.source}: {result.error}")
        elif self._by_file and (result.outcome == "done" or self._verbose):
            self._line.say(_words(result))
        if self._json is not None:
            print(json.dumps(_facts(result)), file=self._json, flush=True)

    def close(self) -> None:
        """End the progress line."""
        self._line.close()

    def counts(self) -> str:
        """Return how many files were made, were there and failed."""
        made, there, failed = (self._counted[outcome] for outcome in ("done", "skipped", "failed"))
        return f"{made} converted, {there} there already, {failed} failed"

    def finish(self, summary: Summary) -> None:
        """Tell of all together."""
        planned = [result for result in summary.results if result.outcome == "planned"]
        for result in summary.results if planned or not self._counted else ():  # a preview, of which nothing was heard
            self._tell(result)
        reasons = Counter(reason for _, reason in summary.passed_over)
        if self._verbose:
            for place, reason in summary.passed_over:
                self._line.say(f"{place}: passed over, {reason}")
        if told := _passed_over(summary):
            self._line.say(f"lic: {told}")
        if self._json is not None:
            sums = {"files": dict(self._counted), "passed_over": reasons, "seconds": round(summary.seconds, 3)}
            print(json.dumps(sums), file=self._json)
            return
        if planned:
            for result in planned:
                print(on_one_line(f"{result.pair.source} -> {result.pair.target}"))
            print(f"{len(planned)} to convert, {len(summary.skipped)} there already, {len(summary.failed)} failed")
            return
        saved = (
            f", {1 - summary.bytes_out / summary.bytes_in:.0%} saved" if summary.bytes_in > summary.bytes_out else ""
        )
        print(f"{self.counts()}; {summary.bytes_in:,} -> {summary.bytes_out:,} bytes{saved}; {summary.seconds:.1f} s")
        if kept := _kept(summary):
            print(kept)


def _words(result: Result) -> str:
    if result.outcome == "skipped":
        return f"{result.pair.target}: there already"
    known = result.value.words() if isinstance(result.value, Made) else []
    sizes = f"{result.bytes_in:,} -> {result.bytes_out:,} bytes"
    return f"{result.pair.source} -> {result.pair.target}: {', '.join([sizes, *known, f'{result.seconds:.2f} s'])}"


def _facts(result: Result) -> dict[str, Any]:
    known = result.value if isinstance(result.value, Made) else Made()
    return {
        "source": str(result.pair.source),
        "target": str(result.pair.target),
        "outcome": result.outcome,
        "bytes_in": result.bytes_in,
        "bytes_out": result.bytes_out,
        "quality": known.quality,
        "psnr": metrics.as_json(known.psnr),
        "seconds": round(result.seconds, 3),
        "error": result.error or None,
        "warnings": list(result.warnings),
    }


def _passed_over(summary: Summary) -> str:
    """Return how many files and folders were passed over and why, "" if none was; what the run or one before made there is no such file."""
    made = {str(result.pair.target) for result in summary.results}
    reasons = Counter(reason for place, reason in summary.passed_over if str(place) not in made)
    parts = []
    for reason, count in reasons.most_common():
        hint = formats.missing(reason)
        parts.append(f"{count} {reason}" + (f" ({hint})" if hint else ""))
    return f"passed over {reasons.total()}: {', '.join(parts)}" if parts else ""


def _kept(summary: Summary) -> str:
    """Return how many files are kept as they are, and of which quality; "" if none is."""
    if not summary.skipped:
        return ""
    qualities: list[float] = []
    for result in summary.skipped:
        target = result.pair.target
        if isinstance(target, Path) and target.suffix.lower() == EXTENSION:
            try:
                with opening.open(target) as im:
                    qualities.append(im.info["lic_quality"])
            except (OSError, SyntaxError) as error:
                let_pass(error)
                continue
    span = ""
    if qualities:
        low, high = min(qualities), max(qualities)
        span = f", of quality {low:.2f}" + (f" to {high:.2f}" if high > low else "")
    return f"{len(summary.skipped)} kept as they are{span}; -f makes them anew"
