"""Threads over the tiles of a picture; how many follows from `settings`.

The networks and the range coder let go of the interpreter while they work, so threads are enough. Within them every
network runs on one thread: no more threads than were asked for, and the same arithmetic whatever their number, so that
pixels and bytes do not depend on it.
"""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from .settings import current_settings, settings

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

T = TypeVar("T")
U = TypeVar("U")
T_co = TypeVar("T_co", covariant=True)

FIXED_BYTES = 150_000_000
"""Memory of the interpreter, the engine and the networks: 100-120 MB measured."""
BYTES_PER_PIXEL = 130
"""Memory of a thread for every pixel of the largest tile: 120 measured for encoding, 60 for decoding, with halos."""


class Job(Protocol[T_co]):
    """Work that was taken: `result` waits for it, and raises what it raised."""

    def result(self) -> T_co:
        """What it returned."""


class _Done(Generic[T]):
    def __init__(self, value: T) -> None:
        self._value = value

    def result(self) -> T:
        return self._value


AHEAD = 2
"""Jobs that may wait for each thread; what a job makes is held until it is used, so that more would cost memory."""


class Workers:
    """Takes jobs and starts them in the order they come, so that a job may wait for those that were taken before it.

    `count` of them are done at a time.
    """

    def __init__(self, count: int, pool: ThreadPoolExecutor | None) -> None:
        self.count, self._pool = count, pool
        self._waiting: deque[Future[Any]] = deque()

    def submit(self, job: Callable[..., T], *arguments: Any) -> Job[T]:
        """Take a job; blocks while too many wait. Raises what the oldest of them raised."""
        if self._pool is None:
            return _Done(job(*arguments))
        future = self._pool.submit(contextvars.copy_context().run, job, *arguments)
        self._waiting.append(future)
        while len(self._waiting) > (1 + AHEAD) * self.count:
            self._waiting.popleft().result()
        return future

    def results(self, job: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
        """What a job on every item returns, in their order; those done ahead are as few as those that may wait."""
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

    They are as many as `settings` has threads, fewer when its `max_memory` has no room for so many; a picture of one tile
    is worked on here, by networks that use all threads. Jobs not yet begun are dropped when the block is left by an error.
    """
    if tiles == 1:
        yield Workers(1, None)
        return
    chosen = current_settings()
    room = (chosen.max_memory - FIXED_BYTES - held) // (bytes_per_pixel * pixels)
    count = max(1, min(chosen.threads, tiles, room))
    with settings(threads=1):
        if count == 1:
            yield Workers(1, None)
            return
        from concurrent.futures import ThreadPoolExecutor  # 5 ms that a picture of one tile need not pay

        pool = ThreadPoolExecutor(count, "lic-tile")
        try:
            workers = Workers(count, pool)
            yield workers
            workers.finish()
        finally:
            pool.shutdown(cancel_futures=True)
