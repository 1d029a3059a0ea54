"""How codec calls run: threads, providers, limits; they travel in a context variable, because `Image.open` has no room for them.

The settings in force are those of the innermost :func:`settings` block, else of the environment, else the defaults: per
thread and per asyncio task, never a module global. So a block does not hold for the threads of a pool, those started in it
included, unless they run in a copy of its context (``asyncio.to_thread`` does); the environment holds for all of a process.
"""

from __future__ import annotations

import contextvars
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from .. import deadlines
from ..arguments import positive
from ..errors import Ignoring, LicLimitError

MAX_THREADS = 1024
DEFAULT_MAX_MEMORY = 10**9
"""Bytes beside the pixels, unless :func:`settings` or ``LIC_MAX_MEMORY`` say otherwise."""

PROVIDER_NAMES: Mapping[str, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "rocm": "ROCMExecutionProvider",
}
"""Short names accepted beside onnxruntime's own ``...ExecutionProvider`` names."""


class Settings(NamedTuple):
    """The settings of codec calls, fully resolved, so that equal ones mean equal onnxruntime sessions.

    threads >= 1; providers holds onnxruntime names, best first; max_pixels is None for the format's own limit; max_seconds is
    the time after which a call begins no further network or tile and raises LicLimitError, None for as long as it takes;
    max_memory is the bytes that a picture of several tiles may take beside its pixels: fewer tiles are worked on at a
    time, down to one, however little it allows.
    """

    threads: int
    providers: tuple[str, ...] = (PROVIDER_NAMES["cpu"],)
    max_pixels: int | None = None
    max_memory: int = DEFAULT_MAX_MEMORY
    max_seconds: float | None = None

    @property
    def uses_native_code(self) -> bool:
        """Whether native code does the work of networks that it has the layers of: no provider but the CPU was asked for."""
        return self.providers == (PROVIDER_NAMES["cpu"],)


_overrides: contextvars.ContextVar[Mapping[str, Any] | None] = contextvars.ContextVar("lic_settings", default=None)


def available_cores() -> int:
    """Return the number of processors this process may run on (its affinity, not the machine's count)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def _count(name: str, value: object, what: str, most: int = 2**63 - 1) -> int:
    """Return a whole number of ``what`` in 1..most; ValueError otherwise. Digits in a string count: the environment has only strings."""
    count = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
    if isinstance(count, bool) or not hasattr(count, "__index__") or not 1 <= int(count) <= most:
        msg = f"{name} must be a whole number of {what}, 1-{most}, got {value!r}"
        raise ValueError(msg)
    return int(count)


def thread_count(name: str, value: object) -> int:
    """Return a number of threads, 1..MAX_THREADS; ValueError otherwise."""
    return _count(name, value, "threads", MAX_THREADS)


def _seconds(name: str, value: object) -> float:
    """Return a positive number of seconds; ValueError otherwise. Digits in a string count."""
    if isinstance(value, str):
        with Ignoring(ValueError):
            value = float(value)
    return positive(name, value, "a positive number of seconds")


def _providers(name: str, value: object) -> tuple[str, ...]:
    """Return onnxruntime provider names; accepts a sequence or one comma-separated string; ValueError otherwise."""
    items = value.split(",") if isinstance(value, str) else value
    msg = f"{name} must list providers such as {', '.join(PROVIDER_NAMES)}, got {value!r}"
    if not isinstance(items, Sequence) or not items:
        raise ValueError(msg)
    names = []
    for item in items:
        if not isinstance(item, str):
            raise ValueError(msg)
        full = PROVIDER_NAMES.get(item.strip().lower(), item.strip())
        if not full.endswith("ExecutionProvider"):
            raise ValueError(msg)
        names.append(full)
    return tuple(names)


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "threads": thread_count,
    "providers": _providers,
    "max_pixels": lambda name, value: _count(name, value, "pixels"),
    "max_memory": lambda name, value: _count(name, value, "bytes"),
    "max_seconds": _seconds,
}
"""The settings, and what returns a value of each as it is kept, of a name for messages; ValueError for one that is not legal."""


def check_pixels(width: int, height: int) -> None:
    """Raise LicLimitError for a picture of more pixels than the settings in force allow."""
    limit = current_settings().max_pixels
    if limit is not None and width * height > limit:
        msg = f"picture has {width}x{height} pixels, more than the {limit} that settings(max_pixels=...) or LIC_MAX_PIXELS allow"
        raise LicLimitError(msg)


def current_settings() -> Settings:
    """Return the settings in force here: innermost :func:`settings` block, then the environment, then the defaults.

    ``LIC_THREADS``, ``LIC_PROVIDERS`` (comma-separated), ``LIC_MAX_PIXELS``, ``LIC_MAX_MEMORY`` (bytes) and
    ``LIC_MAX_SECONDS`` are read on every call; ValueError if they are not legal.
    """
    chosen = given_settings()
    for name, check in _CHECKS.items():
        variable = f"LIC_{name.upper()}"
        if name not in chosen and os.environ.get(variable):
            chosen[name] = check(variable, os.environ[variable])
    if "threads" not in chosen:
        chosen["threads"] = available_cores()
    return Settings(**chosen)


def given_settings() -> dict[str, Any]:
    """Return what :func:`settings` blocks say here, in its words; of the rest the environment speaks, wherever work is done."""
    return dict(_overrides.get() or {})


@contextmanager
def settings(
    *,
    threads: int | None = None,
    providers: Sequence[str] | str | None = None,
    max_pixels: int | None = None,
    max_memory: int | None = None,
    max_seconds: float | None = None,
) -> Iterator[Settings]:
    """Run the codec calls of a ``with`` block under other settings; None leaves a setting as it is.

    threads: 1-1024; default: the processors that this process may use. providers: what onnxruntime runs on, as "cuda,cpu" or a
    sequence of such names; the first one that is available is used. max_pixels: the most pixels of a picture that is opened, read
    or written. max_memory: the most bytes to use besides the pixels; default: 10^9. max_seconds: the longest time of one call,
    checked before each network and tile. A call over max_pixels or max_seconds raises LicLimitError; a wrong value ValueError.

    A block does not hold in the threads of a pool. Environment variables do: LIC_THREADS, LIC_PROVIDERS, LIC_MAX_PIXELS,
    LIC_MAX_MEMORY, LIC_MAX_SECONDS.

    >>> with settings(threads=1) as s:
    ...     s.threads
    1
    """
    given = {
        "threads": threads,
        "providers": providers,
        "max_pixels": max_pixels,
        "max_memory": max_memory,
        "max_seconds": max_seconds,
    }
    chosen = given_settings()
    chosen.update((name, _CHECKS[name](name, value)) for name, value in given.items() if value is not None)
    with deadlines.holding(_overrides, chosen):
        yield current_settings()


@contextmanager
def limited_time() -> Iterator[None]:
    """Give a ``with`` block, or each call of a function it decorates, the seconds of the settings (`deadlines.check_time`)."""
    seconds = current_settings().max_seconds
    with deadlines.within(math.inf if seconds is None else seconds):
        yield
