"""Running work over many files: in this process, in worker processes, or on an executor; knows nothing of pictures.

What to do with a pair is the caller's function, which makes its target or only looks at its source. Any
`concurrent.futures.Executor` serves (Dask's `Client.get_executor()` is one). A pair that fails is reported and does not
stop the others; a target that is finished is skipped, so that a run that was stopped goes on where it stood.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from ..errors import let_pass
from . import processes
from .locations import Place, is_current, is_filled, is_newer, is_same, obstacle, unreadable
from .plan import Pair
from .processes import said
from .results import Progress, Result, Summary

P = TypeVar("P", bound=Pair)
Work = Callable[[P], object]
"""A function of a pair, picklable when it is to run in other processes. Any exception is a failed pair."""

_FOR_PROGRAMMERS = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""Kinds of warnings that Python itself hides: they are about the code that reads a picture, not about the picture."""

_AHEAD = 256
"""Pairs handed to an executor before one is finished, at least: how many it works at once is not known."""


def run(
    pairs: Sequence[P],
    work: Work[P],
    *,
    makes: bool = True,
    workers: int = 1,
    force: bool = False,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Summary:
    """Do `work` on every pair and return what became of each; what it returned is the `value` of the result.

    makes: whether it makes the target; else results have no bytes but those of targets that are there already. One worker is
    this process; more are processes of their own, so that one that dies (out of memory, say) costs its pair only. `force`
    makes targets again that are there already. An `executor` replaces the workers. KeyboardInterrupt lets the pairs under way
    finish, and report, and passes on; a second one passes on at once. RuntimeError when no worker process begins, as in a
    program whose own start is not guarded.
    """
    return _all(pairs, work, _Rules(makes, force, recorded=executor is None), workers, progress, executor)


def check_workers(workers: object) -> None:
    """ValueError for what is no number of workers."""
    if isinstance(workers, bool) or not hasattr(workers, "__index__") or workers.__index__() < 1:
        msg = f"workers must be a whole number, at least 1, got {workers!r}"
        raise ValueError(msg)


def check_helpers(progress: object, executor: object) -> None:
    """TypeError for what cannot be told of results, or be given work."""
    if progress is not None and not callable(progress):
        msg = f"progress must be a function, or None, got {progress!r}"
        raise TypeError(msg)
    if executor is not None and not hasattr(executor, "submit"):
        msg = f"executor must be a concurrent.futures.Executor, or None, got {executor!r}"
        raise TypeError(msg)


def preview(pairs: Sequence[P], *, force: bool = False) -> Summary:
    """Return what `run` would find before it makes anything: pairs that fail or are there already, and the others "planned".

    Of pairs with one target the first is taken to be made.
    """
    return Summary([result for pair in pairs for result in _foreseen(pair, force)])


def _foreseen(pair: Pair, force: bool) -> Iterator[Result]:
    owner = None
    for one in (pair, *pair.rivals):
        if owner is not None:
            yield Result(one, "failed", error=_taken(one, owner))
            continue
        result = _without_work(one, force) or Result(one, "planned")
        owner = None if result.outcome == "failed" else one
        yield result


def count(pairs: Iterable[Pair]) -> int:
    """Return the number of pairs with their rivals, each of which has a result."""
    return sum(1 + len(pair.rivals) for pair in pairs)


class _Rules(NamedTuple):
    """What holds for every pair of a run.

    makes: its work makes the target. force: targets are made again. recorded: what is warned of goes into results. again: a target
    may be there from a try that ended with its worker, unreported.
    """

    makes: bool
    force: bool
    recorded: bool
    again: bool = False


Task = Callable[[P], list[Result]]
"""Does a pair, and those that take its place when it fails, and returns what became of each."""


def _all(
    pairs: Sequence[P],
    work: Work[P],
    rules: _Rules,
    workers: int,
    progress: Progress | None,
    executor: Executor | None,
) -> Summary:
    check_workers(workers)
    begun = time.monotonic()
    summary = Summary()
    total = count(pairs)
    heard = True

    def report(results: Iterable[Result]) -> None:
        nonlocal heard
        for result in results:
            summary.results.append(result)
            if progress is not None and heard:
                heard = False  # until it returns: what it raises is not asked for again
                progress(result, len(summary.results), total)
                heard = True

    todo = []
    for pair in pairs:
        early = _without_work(pair, rules.force)
        if early is None:
            todo.append(pair)
        else:
            report([early])
    task = partial(_do, work, rules)
    if executor is not None:
        lost, waiting = _spread(executor, todo, task, max(4 * workers, _AHEAD), report)
        for pair in (*lost, *waiting):
            report([Result(pair, "failed", error="the executor stopped before it was done")])
    elif workers == 1 or len(todo) < 2:
        for pair in todo:
            report(task(pair))
    else:
        _in_processes(todo, task, partial(_do, work, rules._replace(again=True)), min(workers, len(todo)), report)
    summary.seconds = time.monotonic() - begun
    return summary


def _without_work(pair: Pair, force: bool) -> Result | None:
    """The result of a pair that can be told at once. Stores are asked later, where the work is: there many ask at a time."""
    if problem := _problem(pair, force):
        return Result(pair, "failed", error=problem)
    if pair.rivals or not (isinstance(pair.target, Path) and isinstance(pair.source, Path)):
        return None
    try:
        if (skipped := _skipped(pair, force)) is not None:
            return skipped
        refusal = unreadable(pair.source) or obstacle(pair.target)
    except OSError as error:
        let_pass(error)
        return Result(pair, "failed", error=str(error))
    return Result(pair, "failed", error=refusal) if refusal else None


def _problem(pair: Pair, force: bool) -> str:
    if force and is_same(pair.source, pair.target):
        return f"{pair.target} is the source itself: name another destination"
    return pair.problem


def _taken(pair: Pair, owner: Pair) -> str:
    """Return why a pair is not made whose target is made from another."""
    return f"{pair.target} is made from {owner.source}: name another destination"


def _skipped(pair: Pair, force: bool, again: bool = False, contended: bool = False) -> Result | None:
    """The result of a pair whose target is there already; FileExistsError if it is another that must be kept.

    force, again: as of `_Rules`; what may be there from another try is made anew unless it may be an original. contended: it
    may be made from a rival.
    """
    if force:
        return None
    there = is_newer(pair.target, pair.source) if pair.keep else is_current(pair.target, pair.source, exactly=contended)
    if there:
        if again and not pair.keep:
            return None
        return Result(pair, "skipped", bytes_out=pair.target.stat().st_size)
    if pair.keep and is_filled(pair.target):
        msg = f"{pair.target} is there, older than its source, and may be an original: name another destination, or use force"
        raise FileExistsError(msg)
    return None


def _do(work: Work[P], rules: _Rules, pair: P) -> list[Result]:
    """Do a pair, or the first of its rivals that can be done; runs in the worker."""
    contenders: tuple[Pair, ...] = (pair, *pair.rivals)
    results: list[Result] = []
    for one in contenders:
        owner = next((result.pair for result in results if result.outcome != "failed"), None)
        problem = _taken(one, owner) if owner else _problem(one, rules.force)
        if problem:
            results.append(Result(one, "failed", error=problem))
        else:
            results.append(_try(work, rules, one, contended=bool(pair.rivals)))
    return results


def _try(work: Work[P], rules: _Rules, pair: Pair, *, contended: bool = False) -> Result:
    """Do one pair. What goes wrong becomes text here, because not every exception pickles."""
    begun = time.monotonic()
    with _recording(rules.recorded) as found:
        try:
            if (skipped := _skipped(pair, rules.force, rules.again, contended)) is not None:
                return skipped
            size = pair.source.stat().st_size if rules.makes else 0
            value = work(pair)  # type: ignore[arg-type]  # a pair of the kind that this work takes
            made = _size(pair.target) if rules.makes else 0
        except Exception as error:
            let_pass(error)
            outcome = Result(pair, "failed", error=said(error))
        else:
            outcome = Result(pair, "done", size, made, value=value)
    words = tuple(dict.fromkeys(str(warning.message) for warning in found))  # what reads a file twice warns twice
    return replace(outcome, seconds=time.monotonic() - begun, warnings=words)


def _size(made: Place) -> int:
    """Return the bytes of a file that was just made, 0 where a store lets files be written but not looked up."""
    try:
        return made.stat().st_size
    except OSError as error:
        let_pass(error)
        return 0


@contextmanager
def _recording(recorded: bool) -> Iterator[list[warnings.WarningMessage]]:
    """Collect what is warned of in a `with` block, if nothing else is at work: filters are the whole process's."""
    if not recorded or threading.current_thread() is not threading.main_thread():
        yield []
        return
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        for kind in _FOR_PROGRAMMERS:
            warnings.simplefilter("ignore", kind)
        yield found


def _in_processes(
    todo: Sequence[P], task: Task[P], again: Task[P], workers: int, report: Callable[[Sequence[Result]], None]
) -> None:
    """Work in processes; the pairs that some died on are tried again one at a time. `again` is what is done with these."""

    def answered(_: P, results: Sequence[Result]) -> None:
        report(results)

    def failed(pair: P, error: str) -> None:
        report([Result(pair, "failed", error=error)])

    def gone(pair: P) -> None:
        failed(pair, "the worker process died on it")

    lost: list[P] = []
    processes.run(todo, task, workers, answered, failed, lost.append)
    processes.run(lost, again, 1, answered, failed, gone)


def _spread(
    executor: Executor, todo: Iterable[P], task: Task[P], ahead: int, report: Callable[[Sequence[Result]], None]
) -> tuple[list[P], list[P]]:
    """Keep `ahead` pairs with an executor and report what finishes.

    Returns the pairs that were under way when the executor broke, and those not yet begun: both empty if it did not.
    """
    waiting = iter(todo)
    running: dict[Future[list[Result]], P] = {}
    lost: list[P] = []
    with ExitStack() as on_exit:
        on_exit.callback(lambda: [future.cancel() for future in running])
        while True:
            while not lost and len(running) < ahead and (pair := next(waiting, None)) is not None:
                try:
                    running[executor.submit(task, pair)] = pair
                except BrokenExecutor:
                    lost.append(pair)
            if not running:
                return lost, list(waiting)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                pair = running.pop(future)
                try:
                    results = future.result()
                except (BrokenExecutor, CancelledError):
                    lost.append(pair)
                    continue
                except Exception as error:  # of the executor's own: a worker that died, or that lacks a package
                    let_pass(error)
                    results = [Result(pair, "failed", error=said(error))]
                report(results)
