"""Threads that work on the tiles of a picture, as many as `settings` allows.

The networks and the range coder release the interpreter while they work, so threads are enough. With several threads, every network runs
on one of them: so there are no more threads than were asked for, and the arithmetic, and with it pixels and bytes, does not depend on
their number.
"""

from __future__ import annotations

import contextvars
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from ..deadlines import Stopped, stoppable
from ..errors import let_pass
from . import ending
from .settings import current_settings, settings

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
T_co = TypeVar("T_co", covariant=True)

FIXED_BYTES = 150_000_000
"""Memory of the interpreter, the engine and the networks: 100-120 MB measured."""
BYTES_PER_PIXEL = 130
"""Memory of a thread for every pixel of the largest tile: 120 measured for encoding, 60 for decoding, with halos."""


class Job(Protocol[T_co]):
    """Work that was taken: `result` waits for it, and raises what it raised."""

    def result(self) -> T_co:
        """Return the value that the work returned."""


class _Done(Generic[T]):
    def __init__(self, value: T) -> None:
        self._value = value

    def result(self) -> T:
        return self._value


class _Task(Generic[T]):
    """A job for one of the threads."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work: Callable[[], T] | None = work
        self._finished = threading.Event()
        self._value: Any = None
        self._error: BaseException | None = None

    def do(self) -> None:
        """Do the job, unless it was dropped; all that is raised is kept for those who ask for the result."""
        work, self._work = self._work, None  # its arguments are held no longer than it takes
        if work is None:
            return
        try:
            self._value = work()
        except BaseException as error:
            self._error = error
        finally:
            self._finished.set()

    def drop(self) -> None:
        """End the job without doing it."""
        self._work, self._error = None, Stopped()
        self._finished.set()

    def result(self) -> T:
        """Wait for the job and return its value; raises what it raised."""
        self._finished.wait()
        if self._error is not None:
            try:
                raise self._error
            finally:
                del self  # the traceback holds this frame: without this the two would keep each other, and its arrays
        value: T = self._value
        return value


class _Threads:
    """Up to `count` threads that do tasks in the order they come.

    Those of `concurrent.futures` would not do: Python starts none of them once the main thread has ended, when another thread may still
    have a picture to finish. If the system allows fewer threads there are fewer, possibly none.
    """

    def __init__(self, count: int) -> None:
        self._queue: SimpleQueue[_Task[Any] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        for number in range(0 if ending.has_begun() else count):
            thread = threading.Thread(target=self._work_off, name=f"lic-tile-{number}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                let_pass(error)
                break
            self._threads.append(thread)

    def __len__(self) -> int:
        return len(self._threads)

    def _work_off(self) -> None:
        while (task := self._queue.get()) is not None:
            task.do()
            del task  # or its value would be held until the next one comes

    def put(self, task: _Task[Any]) -> None:
        """Have a task done."""
        self._queue.put(task)

    def end(self) -> None:
        """Drop the tasks not yet begun, wait for the others, and end the threads."""
        try:
            while (task := self._queue.get_nowait()) is not None:
                task.drop()
        except Empty:
            pass
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()


SMALL = 2**16
"""A picture of at most this many pixels gets one thread: sessions with more would take longer to make than they save."""
AHEAD = 2
"""How many jobs may wait for each thread. Results are held until they are used, so more would take memory."""
MOST_PARTS = 16
"""The most parts of a picture that are worked on at the same time, however many threads are asked for."""


class Workers:
    """A pool that starts jobs in the order they come, so that a job may wait for those that were taken before it.

    `count` of them are done at a time.
    """

    def __init__(self, threads: _Threads | None) -> None:
        self.count, self._threads = len(threads) if threads else 1, threads
        self._waiting: deque[_Task[Any]] = deque()

    @property
    def is_alone(self) -> bool:
        """Whether there are no threads, so that a job is done where it is taken."""
        return not self._threads

    def submit(self, job: Callable[..., T], *arguments: Any) -> Job[T]:
        """Take a job; blocks while too many wait. Raises what the oldest of them raised."""
        if not self._threads:
            return _Done(job(*arguments))
        context = contextvars.copy_context()
        task = _Task(lambda: context.run(job, *arguments))
        self._threads.put(task)
        self._waiting.append(task)
        while len(self._waiting) > (1 + AHEAD) * self.count:
            self._waiting.popleft().result()
        return task

    def results(self, job: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
        """Yield the results of a job on every item, in their order; as few are done ahead as may wait."""
        taken: deque[Job[U]] = deque()
        for item in items:
            taken.append(self.submit(job, item))
            if len(taken) > (1 + AHEAD) * self.count:
                yield taken.popleft().result()
        while taken:
            yield taken.popleft().result()

    def finish(self) -> None:
        """Wait for all jobs; raises what the first that failed raised."""
        while self._waiting:
            self._waiting.popleft().result()


@contextmanager
def over_tiles(tiles: int, pixels: int, held: int = 0, bytes_per_pixel: int = BYTES_PER_PIXEL) -> Iterator[Workers]:
    """Workers for a picture of so many tiles, the largest of so many pixels; `held` bytes are needed besides.

    There are as many as `settings` has threads; fewer if its `max_memory` has no room for so many, or the system starts no more. A
    picture of one tile is worked on in the calling thread, by networks that use all threads unless it is small. If the block is left by
    an error, jobs that have not begun are dropped, and those under way end before their next network.
    """
    if tiles == 1:
        with settings(threads=1 if pixels <= SMALL else None):
            yield Workers(None)
        return
    chosen = current_settings()
    room = (chosen.max_memory - FIXED_BYTES - held) // (bytes_per_pixel * pixels)
    count = max(1, min(chosen.threads, tiles, room))
    with settings(threads=1):
        if count == 1:
            yield Workers(None)
            return
        with _crew(count) as workers:
            yield workers
            workers.finish()


@contextmanager
def _crew(count: int) -> Iterator[Workers]:
    """Workers on so many threads, if the system makes them, for a `with` block; what is not done when it is left ends soon."""
    with stoppable() as stop:
        threads = _Threads(count)
        try:
            yield Workers(threads)
        except BaseException:
            stop.set()
            raise
        finally:
            threads.end()


def in_parts(job: Callable[[int, int], object], length: int, least: int) -> None:
    """Do a job on the parts (first, last) of so many rows, of `least` rows or more, as many as there are threads; as `at_once`."""
    count = max(1, min(current_settings().threads, length // least, MOST_PARTS))
    at_once(lambda part: job(*part), parts(length, count))


def parts(length: int, count: int) -> list[tuple[int, int]]:
    """Return so many parts (first, last) of a length, as equal as can be."""
    edges = [length * number // count for number in range(count + 1)]
    return list(itertools.pairwise(edges))


class _End:
    """What comes after the last item of a line; `failed` where there should have been more."""

    def __init__(self, *, failed: bool) -> None:
        self.failed = failed


def in_line(first: Callable[[Callable[[T], object]], U], then: Callable[[Iterator[T]], V]) -> tuple[U, V]:
    """Return what two jobs return, of which the second takes the items that the first gives, on another thread while they come.

    One after the other where there is but one thread. Each has half of the threads. Raises what one of them raised, the first before
    the second.
    """
    threads = current_settings().threads
    items: list[T] = []
    if threads == 1:
        return first(items.append), then(iter(items))
    line: SimpleQueue[T | _End] = SimpleQueue()
    with settings(threads=threads // 2), _crew(1) as crew:
        if crew.is_alone:
            return first(items.append), then(iter(items))
        try:
            second = crew.submit(then, _coming(line))
            found = first(line.put)
            line.put(_End(failed=False))
        except BaseException:
            line.put(_End(failed=True))  # or the other would wait for ever, and the end of the crew for it
            raise
        return found, second.result()


def _coming(line: SimpleQueue[T | _End]) -> Iterator[T]:
    while not isinstance(item := line.get(), _End):
        yield item
    if item.failed:
        raise Stopped


def at_once(job: Callable[[T], object], items: Sequence[T]) -> None:
    """Do a job on every item at the same time, each with its share of the threads; raises what one of them raised.

    They are done one after another where the system makes no threads.
    """
    if len(items) == 1:
        job(items[0])
        return
    with settings(threads=max(1, current_settings().threads // len(items))), _crew(len(items) - 1) as crew:
        others = [crew.submit(job, item) for item in items[1:]]
        job(items[0])
        for other in others:
            other.result()


def in_rows(work: Callable[..., object], *arguments: Any, rows: int, least: int, each: int = 1) -> None:
    """Have native code work on rows that come by `each`: work(*arguments, first, last), every thread on a part of them, as `in_parts`.

    least: how many times `each` a part has, or more, for native code goes through what is around it too.
    """

    @ending.at_work
    def do(first: int, last: int) -> None:
        work(*arguments, each * first, each * last)

    in_parts(do, rows // each, least)
