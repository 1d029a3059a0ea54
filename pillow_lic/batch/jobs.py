"""Running work over many files: in this process, in worker processes, or on an executor; knows nothing of pictures.

`run` makes the targets of pairs, `survey` only looks at their sources. What to do with a pair is the caller's function. Any
`concurrent.futures.Executor` serves (Dask's `Client.get_executor()` is one). A pair that fails is reported and does not
stop the others; a target that is finished is skipped, so that a run that was stopped goes on where it stood.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from ..errors import is_from_outside
from .locations import is_current, is_filled, is_same
from .plan import Pair

P = TypeVar("P", bound=Pair)
Work = Callable[[P], object]
"""Does what is to be done with a pair; picklable when it is to run in other processes. Any exception is a failed pair."""

_AHEAD = 256
"""Pairs handed to an executor before one is finished, at least: how many it works at once is not known."""


@dataclass(frozen=True)
class Result:
    """What became of a pair.

    Bytes are those of the two files as far as they were looked at, seconds those of the work; `value` is what the work
    returned.
    """

    pair: Pair
    outcome: Literal["done", "skipped", "failed"]
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    error: str = ""
    value: Any = None


@dataclass
class Summary:
    """What became of all pairs, in the order they finished."""

    results: list[Result] = field(default_factory=list)
    seconds: float = 0.0

    def _of(self, outcome: str) -> list[Result]:
        return [result for result in self.results if result.outcome == outcome]

    @property
    def done(self) -> list[Result]:
        """Those made in this run."""
        return self._of("done")

    @property
    def skipped(self) -> list[Result]:
        """Those that were there already and not older than their sources."""
        return self._of("skipped")

    @property
    def failed(self) -> list[Result]:
        """Those that could not be made; their `error` says why."""
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


def run(
    pairs: Sequence[P],
    work: Work[P],
    *,
    workers: int = 1,
    force: bool = False,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Summary:
    """Do `work`, which makes the target, on every pair and return what became of each.

    One worker is this process; more are processes of their own, so that one that dies (out of memory, say) costs its
    pair only. `force` makes targets again that are there already. An `executor` replaces the workers. KeyboardInterrupt
    lets the pairs under way finish and passes on.
    """
    return _all(pairs, partial(_make, work), workers, force, progress, executor)


def survey(
    pairs: Sequence[P],
    work: Work[P],
    *,
    workers: int = 1,
    force: bool = False,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Summary:
    """As `run`, with work that makes nothing: what it returned is the `value` of each result."""
    return _all(pairs, partial(_look, work), workers, force, progress, executor)


def check_workers(workers: object) -> None:
    """ValueError for what is no number of workers."""
    if not hasattr(workers, "__index__") or workers.__index__() < 1:
        msg = f"workers must be a whole number, at least 1, got {workers!r}"
        raise ValueError(msg)


Task = Callable[[P], Result]


def _all(
    pairs: Sequence[P],
    job: Callable[[bool, bool, P], Result],
    workers: int,
    force: bool,
    progress: Progress | None,
    executor: Executor | None,
) -> Summary:
    check_workers(workers)
    begun = time.monotonic()
    summary = Summary()

    def report(result: Result) -> None:
        summary.results.append(result)
        if progress is not None:
            progress(result, len(summary.results), len(pairs))

    todo = []
    for pair in pairs:
        early = _without_work(pair, force)
        if early is None:
            todo.append(pair)
        else:
            report(early)
    task = partial(job, force, False)
    if executor is not None:
        lost, waiting = _spread(executor, todo, task, max(4 * workers, _AHEAD), report)
        for pair in (*lost, *waiting):
            report(Result(pair, "failed", error="the executor stopped before it was done"))
    elif workers == 1 or len(todo) < 2:
        for pair in todo:
            report(task(pair))
    else:
        _in_processes(todo, task, partial(job, force, True), min(workers, len(todo)), report)
    summary.seconds = time.monotonic() - begun
    return summary


def _without_work(pair: Pair, force: bool) -> Result | None:
    """The result of a pair that can be told at once. Stores are asked later, where the work is: there many ask at a time."""
    if pair.problem:
        return Result(pair, "failed", error=pair.problem)
    if force and is_same(pair.source, pair.target):
        return Result(pair, "failed", error=f"{pair.target} is the source itself: name another destination")
    if not (isinstance(pair.target, Path) and isinstance(pair.source, Path)):
        return None
    try:
        return _skipped(pair, force, False)
    except OSError as error:
        return Result(pair, "failed", error=str(error))


def _skipped(pair: Pair, force: bool, again: bool) -> Result | None:
    """The result of a pair whose target is there already; FileExistsError if it is another that must be kept.

    again: it may be there from a try that ended with its worker, unreported, and is made anew unless it may be an original.
    """
    if force:
        return None
    if is_current(pair.target, pair.source):
        if again and not pair.keep:
            return None
        return Result(pair, "skipped", bytes_out=pair.target.stat().st_size)
    if pair.keep and is_filled(pair.target):
        msg = f"{pair.target} is there, older than its source, and may be an original: name another destination, or use force"
        raise FileExistsError(msg)
    return None


def _make(work: Work[P], force: bool, again: bool, pair: P) -> Result:
    """Do one pair; runs in the worker. What goes wrong becomes text there, because not every exception pickles."""
    begun = time.monotonic()
    try:
        if (skipped := _skipped(pair, force, again)) is not None:
            return skipped
        size = pair.source.stat().st_size
        value = work(pair)
        made = pair.target.stat().st_size
    except Exception as error:
        if is_from_outside(error):
            raise
        return Result(pair, "failed", error=_said(error), seconds=time.monotonic() - begun)
    return Result(pair, "done", size, made, time.monotonic() - begun, value=value)


def _look(work: Work[P], force: bool, again: bool, pair: P) -> Result:
    """As `_make`, where no target comes of it."""
    begun = time.monotonic()
    try:
        if (skipped := _skipped(pair, force, again)) is not None:
            return skipped
        value = work(pair)
    except Exception as error:
        if is_from_outside(error):
            raise
        return Result(pair, "failed", error=_said(error), seconds=time.monotonic() - begun)
    return Result(pair, "done", seconds=time.monotonic() - begun, value=value)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


def _in_processes(
    todo: Sequence[P], task: Task[P], again: Task[P], workers: int, report: Callable[[Result], None]
) -> None:
    """Work in processes; when one dies, try the pairs it may have died of one at a time in processes of their own.

    `again` is what these do.
    """
    waiting = list(todo)
    while waiting:
        with _pool(workers) as pool:
            suspects, waiting = _spread(pool, waiting, task, 4 * workers, report)
        for pair in suspects:
            with _pool(1) as pool:
                alone, _ = _spread(pool, [pair], again, 1, report)
            for lost in alone:
                report(Result(lost, "failed", error="the worker process died on it"))


def _pool(workers: int) -> ProcessPoolExecutor:
    # Spawned, not forked: a forked child cannot use an inherited network session.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin_worker)


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and do not outlive it: a worker holds both ends of its queue and would wait for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _spread(
    executor: Executor, todo: Iterable[P], task: Task[P], ahead: int, report: Callable[[Result], None]
) -> tuple[list[P], list[P]]:
    """Keep `ahead` pairs with an executor and report what finishes.

    Returns the pairs that were under way when the executor broke, and those not yet begun: both empty if it did not.
    """
    waiting = iter(todo)
    running: dict[Future[Result], P] = {}
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
                    result = future.result()
                except (BrokenExecutor, CancelledError):
                    lost.append(pair)
                    continue
                except Exception as error:  # of the executor's own: a worker that died, or that lacks a package
                    result = Result(pair, "failed", error=_said(error))
                report(result)
