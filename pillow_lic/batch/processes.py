"""Worker processes: each has one item at a time, so that the item a process died on is known; knows nothing of files.

They are spawned, not forked: a forked child cannot use an inherited network session. Ctrl-C is the parent's alone, from the
first moment of a worker on, and no worker outlives its parent.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from ..errors import Ignoring, is_from_outside, let_pass
from ..process_start import without_threads_of_numpy

T = TypeVar("T")
R = TypeVar("R")

_PATIENCE = 5
"""Seconds in which a worker that has nothing to do must end by itself."""


def run(
    items: Iterable[T],
    task: Callable[[T], R],
    workers: int,
    answered: Callable[[T, R], object],
    failed: Callable[[T, str], object],
    died: Callable[[T], object],
) -> None:
    """Do `task` on every item in worker processes.

    One of three is called for each item, in this thread: `answered` with what the task returned, `failed` with what was
    raised, `died` when the process is gone. What these raise, and KeyboardInterrupt, passes on when the items under way are
    done; what is raised in that time, and a time limit at any, passes on at once. Workers are fewer where the system makes no
    more. RuntimeError when no worker ever begins, and in a daemonic process, which may have none.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)  # this is such a worker, running the program of its parent, who will say what is wrong
    if multiprocessing.current_process().daemon:
        msg = "workers must be 1 in a process that is itself a worker (of multiprocessing.Pool or Celery): it may start none"
        raise RuntimeError(msg)
    crew = _Crew(workers, task, answered, failed, died)
    try:
        crew.serve(items)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or not is_from_outside(error):
            crew.finish()
        raise
    finally:
        crew.dismiss()


class _Worker(Generic[T]):
    """A process and the line to it; `busy` while it has an item, `ready` once it has begun."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        self.ready = self.busy = False
        self.item: T | None = None
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        _start_tracker()
        with _interrupts_held():
            self._process.start()
        theirs.close()

    def give(self, task: Callable[[T], object], item: T) -> None:
        with suppress(BrokenPipeError):  # its end is noticed like any other
            self.line.send((task, item))
        self.item, self.busy = item, True  # last, or after an interrupt an answer would be waited for that never comes

    def end(self, *, now: bool) -> None:
        self.line.close()
        if not now:
            self._process.join(_PATIENCE)
        self._process.kill()
        self._process.join()


class _Crew(Generic[T, R]):
    """The workers of a run."""

    def __init__(
        self,
        size: int,
        task: Callable[[T], R],
        answered: Callable[[T, R], object],
        failed: Callable[[T, str], object],
        died: Callable[[T], object],
    ) -> None:
        self._size, self._task = size, task
        self._answered, self._failed, self._died = answered, failed, died
        self._workers: list[_Worker[T]] = []
        self._stillborn = 0  # workers that ended before they began, without one between them that did begin

    def serve(self, items: Iterable[T]) -> None:
        """Give out all items and take in what comes of them."""
        waiting = iter(items)
        item = next(waiting, None)
        while item is not None or self._busy():
            while item is not None and len(self._workers) < self._size:
                self._hire()
            for worker in self._workers:
                if item is not None and worker.ready and not worker.busy:
                    worker.give(self._task, item)
                    item = next(waiting, None)
            self._listen(self._workers)

    def _hire(self) -> None:
        """Start one more worker, or go on with those that there are where the system has no room for more."""
        try:
            self._workers.append(_Worker())
        except OSError as error:
            let_pass(error)
            if not self._workers:
                msg = f"no worker process can be started ({error}): workers must be 1 here, which needs none"
                raise RuntimeError(msg) from error
            self._size = len(self._workers)

    def finish(self) -> None:
        """Take in what comes of the items under way."""
        while busy := self._busy():
            self._listen(busy)

    def dismiss(self) -> None:
        """End the workers: those that are idle by their own way out, the others at once."""
        for worker in self._workers:
            worker.end(now=worker.busy or not worker.ready)

    def _busy(self) -> list[_Worker[T]]:
        return [worker for worker in self._workers if worker.busy]

    def _listen(self, workers: list[_Worker[T]]) -> None:
        lines: dict[Any, _Worker[T]] = {worker.line: worker for worker in workers}
        for line in wait(list(lines)):
            self._hear(lines[line])

    def _hear(self, worker: _Worker[T]) -> None:
        busy, worker.busy = worker.busy, False  # first, as in `give`
        try:
            answer = worker.line.recv()
        except (EOFError, OSError) as error:
            let_pass(error)
            answer = None
        if answer is None:
            self._workers.remove(worker)
            worker.end(now=True)
            self._lose(worker, busy)
            return
        returned, value = answer
        if not worker.ready:
            worker.ready, self._stillborn = True, 0
        elif returned:
            self._answered(worker.item, value)  # type: ignore[arg-type]  # a worker at work has one
        else:
            self._failed(worker.item, value)  # type: ignore[arg-type]  # a worker at work has one

    def _lose(self, worker: _Worker[T], busy: bool) -> None:
        if busy:
            self._died(worker.item)  # type: ignore[arg-type]  # a worker at work has one
        elif not worker.ready:
            self._stillborn += 1
        if self._stillborn >= self._size:
            msg = (
                "worker processes end before they begin: a program that asks for several workers must be a file, and guard "
                'its own start with `if __name__ == "__main__":`; if it does, ask for fewer'
            )
            raise RuntimeError(msg)


def _start_tracker() -> None:
    """Start the process that multiprocessing has beside others: when it does so itself, it lets Ctrl-C through again."""
    if os.name == "posix":
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back for a `with` block; a process that is started in it begins with that."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(line: Connection) -> None:
    """Do what comes over the line until it ends; answers are (True, what was returned) or (False, what was raised)."""
    without_threads_of_numpy()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    with Ignoring(RuntimeError):  # no room for a thread: it ends with the line, when it is done with its item
        threading.Thread(target=_end_with_parent, daemon=True).start()
    line.send((True, None))
    while True:
        answer: tuple[bool, Any]
        try:
            data = line.recv_bytes()
        except (EOFError, OSError):
            return
        try:
            task, item = pickle.loads(data)  # fails where the worker lacks a package
            answer = True, task(item)
        except Exception as error:
            answer = False, said(error)
        try:
            line.send(answer)
        except Exception as error:  # pickling what was returned
            line.send((False, said(error)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def said(error: BaseException) -> str:
    """Return the words of an exception, or its kind if it has none."""
    return str(error) or type(error).__name__
