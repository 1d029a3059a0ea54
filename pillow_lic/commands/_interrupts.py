"""Ctrl-C: one that Python loses is noticed, and one that has to wait for other processes is answered."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_lost = threading.Event()


@contextmanager
def noticed() -> Iterator[None]:
    """Remember, for a `with` block, a Ctrl-C that came while Python could raise nothing (in a weak reference's callback)."""
    before = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            _lost.set()
        else:
            before(unraisable)

    _lost.clear()
    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def check() -> None:
    """Raise the KeyboardInterrupt that was lost, if there was one."""
    if _lost.is_set():
        _lost.clear()
        raise KeyboardInterrupt


@contextmanager
def answered(waits: bool) -> Iterator[None]:
    """Say on Ctrl-C in a `with` block why it does not end at once, where it waits for other processes."""
    ours = threading.current_thread() is threading.main_thread()
    if not (waits and ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler):
        yield
        return

    def answer(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with suppress(OSError):  # not by print, which may be at work
            os.write(2, b"\nlic: finishing what is under way; Ctrl-C again ends it at once\n")
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, answer)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
