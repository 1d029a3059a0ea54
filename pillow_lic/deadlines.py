"""What ends work early: the time that a call may take, and work that nobody waits for any more; the standard library only."""

from __future__ import annotations

import contextvars
import math
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from .errors import LicLimitError

T = TypeVar("T")

_deadline: contextvars.ContextVar[tuple[float, float]] = contextvars.ContextVar(
    "lic_deadline", default=(math.inf, math.inf)
)
"""When the call that runs must be done, by the monotonic clock, and the seconds that it has."""
_stops: contextvars.ContextVar[Sequence[threading.Event]] = contextvars.ContextVar("lic_stops", default=())
"""Each set when nobody waits any more for the work that this is part of."""


class Stopped(Exception):
    """Ends work that nobody waits for, because other work beside it failed or was interrupted."""


@contextmanager
def holding(variable: contextvars.ContextVar[T], value: T) -> Iterator[None]:
    """Let a context variable have a value, an object of this call alone, in a ``with`` block."""
    before, token = variable.get(), None
    try:
        token = variable.set(value)  # an exception of a signal may come as it returns
        yield
    finally:
        # A block whose end an exception of a signal came before is closed by the garbage collector, at any later time and in any
        # thread. What holds there is of others.
        if variable.get() is value or not isinstance(sys.exception(), GeneratorExit):
            if token is None:
                variable.set(before)
            else:
                variable.reset(token)


def within(seconds: float) -> AbstractContextManager[None]:
    """Give a ``with`` block so many seconds (`check_time`)."""
    return holding(_deadline, (time.monotonic() + seconds, seconds))


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """Let the work of a ``with`` block, that of contexts copied in it too, be ended (`check_time`) by setting the event."""
    stop = threading.Event()
    with holding(_stops, (*_stops.get(), stop)):
        yield stop


def check_time() -> None:
    """Raise LicLimitError when the time of the innermost `within` has run out, Stopped when nobody waits any more."""
    if any(stop.is_set() for stop in _stops.get()):
        raise Stopped
    end, seconds = _deadline.get()
    if time.monotonic() > end:
        msg = f"the picture takes more than the {seconds:g} seconds that settings(max_seconds=...) or LIC_MAX_SECONDS allow"
        raise LicLimitError(msg)
