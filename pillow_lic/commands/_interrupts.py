"""Ctrl-C: one that Python loses comes again, and one that has to wait for other processes is answered."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ..process_start import INTERRUPTED

_A_MOMENT = 0.05
"""Seconds in which Python ends a callback."""


@contextmanager
def repeated() -> Iterator[None]:
    """Have a Ctrl-C come again that came in a `with` block while Python could raise nothing (in a weak reference's callback)."""
    before, waiting, within = sys.unraisablehook, False, False

    def press() -> None:
        nonlocal waiting
        time.sleep(_A_MOMENT)  # in the callback it would be lost again
        while within:  # and in the hook for good
            time.sleep(_A_MOMENT)
        waiting = False
        _press()

    def hook(unraisable: Any) -> None:
        nonlocal waiting, within
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            before(unraisable)
            return
        within = True
        try:
            _answer.pressed = False
            if not waiting:
                waiting = True
                _thread.start_new_thread(press, ())  # `threading` has locks, which may be held here
        finally:
            within = False

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def check() -> None:
    """Raise KeyboardInterrupt where Ctrl-C was pressed and the work goes on: compiled code makes another error of it, or none."""
    if _answer.pressed and not _answer.words:
        raise KeyboardInterrupt


def _press() -> None:
    """Press Ctrl-C."""
    if hasattr(signal, "pthread_kill"):  # ends what the main thread waits for, too
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()


class _Answer:
    """The handler of Ctrl-C in the command: the first interrupts what is done, one more ends the process where it stands.

    It is one object for both, so that there is no moment between them in which one more would be a traceback.
    """

    def __init__(self) -> None:
        self.pressed = False
        self.words = b""

    def __call__(self, *_: object) -> None:
        with suppress(OSError):  # not by print, which may be at work
            os.write(2, b"lic: interrupted\n" if self.pressed else self.words)
        if self.pressed:
            os._exit(INTERRUPTED)
        self.pressed = True
        raise KeyboardInterrupt


_answer = _Answer()


def answer() -> None:
    """Answer Ctrl-C in that way for the rest of the process, if nobody else does."""
    if _is_ours() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _answer)


def ignore() -> None:
    """Pass over Ctrl-C for the rest of the process: its end is near."""
    if _is_ours():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _is_ours() -> bool:
    """Whether this thread may say how signals are answered."""
    return threading.current_thread() is threading.main_thread()


@contextmanager
def explained(waits: bool) -> Iterator[None]:
    """Say on Ctrl-C in a `with` block why it does not end at once, where it waits for other processes."""
    _answer.words = b"\nlic: finishing what is under way; Ctrl-C again ends it at once\n" if waits else b""
    try:
        yield
    finally:
        _answer.words = b""
