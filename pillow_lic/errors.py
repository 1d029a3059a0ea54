"""The tree of errors about files and about the engine; the standard library only.

    SyntaxError
      NotLicError            not our magic: Pillow goes on and asks its other plugins
    OSError
      LicError               a .lic file, but it cannot be read or written; the message says why
        LicTruncatedError      the file ends too early
        LicDamagedError        bytes were altered: a checksum or a rule of the format does not hold
        LicUnsupportedError    from a later or another writer: version, reserved bit, unknown critical section or model
        LicLimitError          larger than the limits of the format or of this program allow
        LicDesyncError         every checksum holds, yet the symbols came out differently than the writer's
        LicRuntimeError        the network engine failed: out of memory, provider missing

Pillow turns SyntaxError into "cannot identify image file" and lets OSError pass through, which is why the tree has two
roots. Wrong arguments (a quality of -3) are `ValueError` or `TypeError`, as in Pillow.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, TracebackType

__all__ = [
    "LicDamagedError",
    "LicDesyncError",
    "LicError",
    "LicLimitError",
    "LicRuntimeError",
    "LicTruncatedError",
    "LicUnsupportedError",
    "NotLicError",
    "is_from_outside",
]


class NotLicError(SyntaxError):
    """The bytes do not begin with the magic of a .lic file."""


class LicError(OSError):
    """A .lic file that cannot be read or written; the root of all errors about files that are ours."""


class LicTruncatedError(LicError):
    """The file ends before its last tile does."""


class LicDamagedError(LicError):
    """A checksum or a rule of the format does not hold."""


class LicUnsupportedError(LicError):
    """The file is sound but asks for something this release does not know."""


class LicLimitError(LicError):
    """A size is above the limits of the format or above those the caller set."""


class LicDesyncError(LicError):
    """The bytes are intact but decode to other symbols than those written: a fault of the decoder, not of the file."""


class LicRuntimeError(LicError):
    """The network engine refused or failed to run."""


def is_from_outside(error: BaseException, *packages: str) -> bool:
    """Whether an exception says nothing about the work in which it surfaced: whoever catches all kinds must let it pass.

    So it is with what a signal handler raises (the time limits of Celery and RQ), and with what another thread puts into
    this one: a kind of exception of its own, from a package that took no part in the work. packages: those that did and
    may have left no frame in the traceback, because they are compiled.
    """
    import signal

    handlers = {_code(signal.getsignal(number)) for number in signal.valid_signals()} - {None}
    frames = list(_frames(error.__traceback__))
    if any(code in handlers for code, _ in frames):
        return True
    kind = type(error)
    if kind.__module__ in sys.stdlib_module_names or kind.__base__ is not Exception:
        return False
    return kind.__module__.partition(".")[0] not in {*packages, *(name for _, name in frames)}


def _frames(traceback: TracebackType | None) -> Iterator[tuple[CodeType, str]]:
    """Yield the code that an exception passed through, and the package of each."""
    while traceback is not None:
        frame = traceback.tb_frame
        yield frame.f_code, str(frame.f_globals.get("__name__", "")).partition(".")[0]
        traceback = traceback.tb_next


def _code(handler: object) -> object:
    """Return the code that runs first when a handler written in Python is called; None for any other."""
    while hasattr(handler, "func"):  # functools.partial
        handler = handler.func
    handler = getattr(handler, "__func__", handler)
    if callable(handler) and not hasattr(handler, "__code__"):
        handler = type(handler).__call__
    return getattr(handler, "__code__", None)
