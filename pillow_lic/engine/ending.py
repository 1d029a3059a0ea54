"""The end of the process, beside threads that it does not wait for: compiled code must not be at work in them any more.

Python ends a daemon thread where it asks for the interpreter again. In C++ (onnxruntime, the coders) that is while an object is
being destroyed, which ends the process with an abort, and a picture that a web server's thread was decoding is a core dump. So
when the main thread ends, what is at work is waited for, and nothing more begins: these threads wait until they are gone.

The standard library only.
"""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import ContextDecorator

_PATIENCE = 10
"""Seconds that the end waits for compiled code; a network takes one or two."""

_changed = threading.Condition()
_running = 0
"""Calls of compiled code in daemon threads."""
_ending = False


class _AtWork(ContextDecorator):
    """A `with` block, or each call of a function it decorates, in which a thread is in compiled code that lets go of the interpreter."""

    def __enter__(self) -> None:
        global _running
        if not threading.current_thread().daemon:
            return
        with _changed:
            while _ending:
                _changed.wait()
            _running += 1

    def __exit__(self, *_: object) -> None:
        global _running
        if not threading.current_thread().daemon:
            return
        with _changed:
            _running -= 1
            _changed.notify_all()


at_work = _AtWork()


def has_begun() -> bool:
    """Whether the process is ending: work for daemon threads would never be done."""
    return _ending


def _end() -> None:
    global _ending
    with _changed:
        _ending = True
        _changed.wait_for(lambda: not _running, _PATIENCE)


def _after_fork() -> None:
    """Begin anew in a child, which has no thread of its parent but one."""
    global _changed, _running
    _changed, _running = threading.Condition(), 0


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
