"""Many files: which source becomes which target, and running the work over them; knows nothing of pictures.

`plan` pairs sources with targets, `run` works through the pairs in this process, in worker processes, or on any
`concurrent.futures.Executor` (Dask's `Client.get_executor()` is one). What to do with a pair is the caller's function.
A pair that fails is reported and does not stop the others; a target that is finished is skipped, so that a run that
was stopped goes on where it stood.
"""

from __future__ import annotations

import glob
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .files import StrPath, is_current

Work = Callable[[Path, Path], None]
"""Makes one target of one source; picklable when it is to run in other processes. Any exception is a failed pair."""


@dataclass(frozen=True)
class Pair:
    """One file to make; `problem` says why it cannot be made when that is known beforehand."""

    source: Path
    target: Path
    problem: str = ""


@dataclass(frozen=True)
class Result:
    """What became of a pair. Bytes are those of the two files, 0 where nothing was made; seconds those of the work."""

    pair: Pair
    outcome: Literal["done", "skipped", "failed"]
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    error: str = ""


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
"""Called in the caller's thread after each pair with its result, the number finished so far, and the number in all."""


def plan(
    sources: Iterable[StrPath], destination: StrPath, suffix: str, *, readable: Callable[[Path], bool] = lambda _: True
) -> list[Pair]:
    """Return the pairs that turn `sources` (files, directories, glob patterns) into files with `suffix`.

    A directory stands for the files below it that `readable` accepts and that do not have the suffix already; they keep
    their places below `destination`. A single file goes to `destination` itself if that has the suffix and is not a
    directory. What cannot be made (no such file, no permission to list a directory, two sources for one target) is a pair
    with a `problem`.
    """
    destination = Path(destination)
    found = [item for source in sources for item in _expand(source, destination, suffix, readable)]
    single = len(found) == 1 and found[0][1].name == os.fspath(found[0][1])
    if single and destination.suffix.lower() == suffix and not destination.is_dir():
        (source, _, problem) = found[0]
        return [Pair(source, destination, problem)]
    owners: dict[Path, Path] = {}
    pairs = []
    for source, place, problem in found:
        target = destination / place.with_suffix(suffix)
        owner = owners.setdefault(target, source)
        if owner != source and not problem:
            problem = f"{target} is already made from {owner}"
        pairs.append(Pair(source, target, problem))
    return pairs


def _expand(
    source: StrPath, destination: Path, suffix: str, readable: Callable[[Path], bool]
) -> Iterator[tuple[Path, Path, str]]:
    """Yield (file, its place below the destination, problem) for one argument."""
    path = Path(source)
    if path.is_dir():
        closed: list[OSError] = []
        for file in _walk(path, destination, suffix, readable, closed.append):
            yield file, file.relative_to(path), ""
        for error in closed:
            folder = Path(error.filename)
            yield folder, Path(folder.name), str(error)
    elif path.exists():
        yield path, Path(path.name), ""
    else:
        matches = sorted(glob.glob(os.fspath(source), recursive=True))
        for match in matches:
            yield from _expand(match, destination, suffix, readable)
        if not matches:
            yield path, Path(path.name or "none"), f"no file is named or matches {os.fspath(source)}"


def _walk(
    top: Path,
    destination: Path,
    suffix: str,
    readable: Callable[[Path], bool],
    closed: Callable[[OSError], object],
) -> Iterator[Path]:
    """Yield the files below a directory in sorted order; what lies in the destination is not a source.

    `closed` is called with the error of every directory that cannot be listed.
    """
    for folder, folders, names in os.walk(top, onerror=closed):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not _same(here / name, destination))
        for name in sorted(names):
            file = here / name
            if file.suffix.lower() != suffix and readable(file):
                yield file


def _same(a: Path, b: Path) -> bool:
    return b.exists() and a.samefile(b)


def run(
    pairs: Sequence[Pair],
    work: Work,
    *,
    workers: int = 1,
    force: bool = False,
    progress: Progress | None = None,
    executor: Executor | None = None,
) -> Summary:
    """Do `work` on every pair and return what became of each.

    One worker is this process; more are processes of their own, so that one that dies (out of memory, say) costs its
    pair only. `force` makes targets again that are there already. An `executor` replaces the workers. KeyboardInterrupt
    lets the pairs under way finish and passes on.
    """
    if workers < 1:
        msg = f"workers must be at least 1, got {workers}"
        raise ValueError(msg)
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
    if executor is not None:
        _spread(executor, todo, work, workers, report)
    elif workers == 1 or len(todo) < 2:
        for pair in todo:
            report(_one(pair, work))
    else:
        _in_processes(todo, work, min(workers, len(todo)), report)
    summary.seconds = time.monotonic() - begun
    return summary


def _without_work(pair: Pair, force: bool) -> Result | None:
    if pair.problem:
        return Result(pair, "failed", error=pair.problem)
    try:
        current = not force and is_current(pair.target, pair.source)
    except OSError as error:
        return Result(pair, "failed", error=str(error))
    return Result(pair, "skipped") if current else None


def _one(pair: Pair, work: Work) -> Result:
    """Do one pair; runs in the worker. What goes wrong becomes text there, because not every exception pickles."""
    begun = time.monotonic()
    try:
        size = pair.source.stat().st_size
        work(pair.source, pair.target)
        made = pair.target.stat().st_size
    except Exception as error:
        return Result(pair, "failed", error=str(error) or type(error).__name__, seconds=time.monotonic() - begun)
    return Result(pair, "done", size, made, time.monotonic() - begun)


def _in_processes(todo: Sequence[Pair], work: Work, workers: int, report: Callable[[Result], None]) -> None:
    """Work in processes; when one dies, try the pairs it may have died of one at a time in processes of their own."""
    waiting = list(todo)
    while waiting:
        with _pool(workers) as pool:
            suspects, waiting = _spread(pool, waiting, work, workers, report)
        for pair in suspects:
            with _pool(1) as pool:
                alone, _ = _spread(pool, [pair], work, 1, report)
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
    executor: Executor, todo: Iterable[Pair], work: Work, workers: int, report: Callable[[Result], None]
) -> tuple[list[Pair], list[Pair]]:
    """Keep an executor busy and report what finishes.

    Returns the pairs that were under way when the executor broke, and those not yet begun: both empty if it did not.
    """
    waiting = iter(todo)
    running: dict[Future[Result], Pair] = {}
    lost: list[Pair] = []
    with ExitStack() as on_exit:
        on_exit.callback(lambda: [future.cancel() for future in running])
        while True:
            while not lost and len(running) < 4 * workers and (pair := next(waiting, None)) is not None:
                try:
                    running[executor.submit(_one, pair, work)] = pair
                except BrokenExecutor:
                    lost.append(pair)
            if not running:
                return lost, list(waiting)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                pair = running.pop(future)
                try:
                    report(future.result())
                except BrokenExecutor:
                    lost.append(pair)
