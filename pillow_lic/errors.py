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
    "let_pass",
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


def let_pass(error: BaseException, *packages: str) -> None:
    """Raise an exception that says nothing about the work in which it surfaced; whoever catches all kinds calls this first.

    So it is with what a signal handler raises (the time limits of Celery and RQ, Ctrl-C), also where the work made another
    exception of it, and with what another thread puts into this one: a kind of exception of its own, from a package that took
    no part in the work. packages: those that did and may have left no frame in the traceback, because they are compiled.
    """
    found = _from_outside(error, packages)
    if found is error:
        raise found
    if found is not None:
        raise found from None


class Ignoring:
    """A `with` block that is left quietly where it raises one of these kinds, unless it is what `let_pass` lets through."""

    def __init__(self, *kinds: type[Exception]) -> None:
        self._kinds = kinds

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, self._kinds):
            return False
        let_pass(error)
        return True


def is_from_outside(error: BaseException, *packages: str) -> bool:
    """Whether `let_pass` would raise."""
    return _from_outside(error, packages) is not None


def _from_outside(error: BaseException, packages: tuple[str, ...]) -> BaseException | None:
    """Return the exception from outside: this one, or one that it was made of; None if there is none."""
    # Not `signal`, which looks every answer up in an enumeration and catches ValueError there: a time limit of that kind would be lost.
    import _signal  # type: ignore[import-not-found] # no stub has it

    handlers = {_code(_signal.getsignal(number)) for number in range(1, _signal.NSIG)} - {None}
    for each in _chain(error):
        if isinstance(each, (KeyboardInterrupt, SystemExit)) or any(
            code in handlers for code, _ in _frames(each.__traceback__)
        ):
            return each
    kind = type(error)
    if kind.__module__ in sys.stdlib_module_names or kind.__base__ is not Exception:
        return None
    known = {*packages, *(name for _, name in _frames(error.__traceback__))}
    return None if kind.__module__.partition(".")[0] in known else error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, and those that it was raised from or in handling."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


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
