"""The end of a process with daemon threads, which Python does not wait for: none may be in compiled code then.

When the main thread has ended, Python ends a daemon thread as soon as it asks for the interpreter. In C++ (onnxruntime, the coders) that
happens while an object is being destroyed, which aborts the whole process: a web server that was decoding a picture in a thread dumps
core. So when the main thread ends, it waits for calls of compiled code to return, and threads that want to make another call wait until
the process is gone.

The standard library only.
"""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import ContextDecorator

_PATIENCE = 10
"""Seconds that the main thread waits for compiled code; a network takes one or two."""

_changed = threading.Condition()
_running = 0
"""How many daemon threads are in compiled code."""
_ending = False


class _AtWork(ContextDecorator):
    """A `with` block, or decorator, around calls of compiled code that lets go of the interpreter."""

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
    """Whether the process is ending, so that daemon threads would never do more work."""
    return _ending


def _end() -> None:
    global _ending
    with _changed:
        _ending = True
        _changed.wait_for(lambda: not _running, _PATIENCE)


def _after_fork() -> None:
    """Begin anew in a child, which has only one of its parent's threads."""
    global _changed, _running
    _changed, _running = threading.Condition(), 0


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
