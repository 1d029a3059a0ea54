"""How codec calls run: threads, providers, limits; they travel in a context variable, because `Image.open` has no room for them.

The settings in force are those of the innermost :func:`settings` block, else of the environment, else the defaults: per
thread and per asyncio task, never a module global.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class Settings:
    """How codec calls run: fully resolved, so that equal settings mean equal onnxruntime sessions.

    threads >= 1; providers holds onnxruntime names, best first; max_pixels is None for the format's own limit;
    max_memory is the bytes that a picture of several tiles may take beside its pixels: fewer tiles are worked on at a
    time, down to one, however little it allows.
    """

    threads: int
    providers: tuple[str, ...] = ("CPUExecutionProvider",)
    max_pixels: int | None = None
    max_memory: int = DEFAULT_MAX_MEMORY


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


def current_settings() -> Settings:
    """Return the settings in force here: innermost :func:`settings` block, then the environment, then the defaults.

    ``LIC_THREADS``, ``LIC_PROVIDERS`` (comma-separated) and ``LIC_MAX_MEMORY`` (bytes) are read on every call; ValueError
    if they are not legal.
    """
    chosen = _overrides.get() or {}
    threads = chosen.get("threads")
    if threads is None:
        env = os.environ.get("LIC_THREADS")
        threads = thread_count("LIC_THREADS", env) if env else available_cores()
    providers = chosen.get("providers")
    if providers is None:
        env = os.environ.get("LIC_PROVIDERS")
        providers = _providers("LIC_PROVIDERS", env) if env else ("CPUExecutionProvider",)
    memory = chosen.get("max_memory")
    if memory is None:
        env = os.environ.get("LIC_MAX_MEMORY")
        memory = _count("LIC_MAX_MEMORY", env, "bytes") if env else DEFAULT_MAX_MEMORY
    return Settings(threads, providers, chosen.get("max_pixels"), memory)


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
) -> Iterator[Settings]:
    """Run the codec calls of a ``with`` block under other settings; None leaves a setting as it is.

    What they mean is said at :class:`Settings`.

    >>> with settings(threads=1) as s:
    ...     s.threads
    1
    """
    chosen = given_settings()
    if threads is not None:
        chosen["threads"] = thread_count("threads", threads)
    if providers is not None:
        chosen["providers"] = _providers("providers", providers)
    if max_pixels is not None:
        chosen["max_pixels"] = _count("max_pixels", max_pixels, "pixels")
    if max_memory is not None:
        chosen["max_memory"] = _count("max_memory", max_memory, "bytes")
    token = _overrides.set(chosen)
    try:
        yield current_settings()
    finally:
        _overrides.reset(token)
