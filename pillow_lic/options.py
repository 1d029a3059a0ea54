"""What a caller may ask for: encoding options, and the settings every codec call runs under.

Two different things live here because users meet them together:

* :class:`EncodeOptions` describes one picture to write. It is checked when it is made, so that a wrong value is
  reported before any work is done and before any file is touched.
* :func:`settings` says how codec calls run (threads, providers, pixel limit). ``Image.open`` has no room for decoder
  options, so they travel in a context variable: per thread and per asyncio task, never a module global.
"""

from __future__ import annotations

import contextvars
import math
import os
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .limits import MAX_LEVEL

DEFAULT_QUALITY = 6.0
"""Quality when neither ``quality`` nor a target is given."""


MAX_EFFORT = 9
MAX_THREADS = 1024
DEFAULT_MAX_MEMORY = 10**9
"""Bytes beside the pixels, unless :func:`settings` or ``LIC_MAX_MEMORY`` say otherwise."""

Box = tuple[float, ...]


def _number(name: str, value: object, legal: str) -> float:
    """Return ``value`` as a finite float; ValueError naming ``legal`` otherwise. A bool is not a number here."""
    msg = f"{name} must be {legal}, got {shown(value)}"
    if isinstance(value, (bool, str, bytes)):
        raise ValueError(msg)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise ValueError(msg) from None
    if not math.isfinite(number):
        raise ValueError(msg)
    return number


def normalise_quality(quality: float) -> float:
    """Return ``quality`` on the scale 1..10.

    1..10 is the scale itself; above 10 and up to 100 is read as percent of it (85 -> 8.5), because applications written
    for JPEG pass 0-100. ValueError for anything else.
    """
    legal = "1-10 (or 11-100 as percent)"
    number = _number("quality", quality, legal)
    if 10 < number <= 100:
        return number / 10
    if 1 <= number <= 10:
        return number
    msg = f"quality must be {legal}, got {quality!r}"
    raise ValueError(msg)


def quality_to_level(quality: float) -> int:
    """Return the nearest stored level, 0..1024, of a quality on either scale; ValueError if it is on neither."""
    return round((normalise_quality(quality) - 1) * MAX_LEVEL / 9)


def level_to_quality(level: int) -> float:
    """Return the quality, 1..10, that a stored level means; ValueError outside 0..1024."""
    if not 0 <= level <= MAX_LEVEL:
        msg = f"level must be 0-{MAX_LEVEL}, got {level}"
        raise ValueError(msg)
    return 1 + 9 * level / MAX_LEVEL


def positive(name: str, value: object, what: str) -> float:
    """Return ``value`` as a finite float above 0; ValueError saying that it must be a positive number of ``what`` otherwise."""
    legal = f"a positive number of {what}"
    number = _number(name, value, legal)
    if number <= 0:
        msg = f"{name} must be {legal}, got {value!r}"
        raise ValueError(msg)
    return number


def _is_map(value: object) -> bool:
    """Whether ``value`` looks like a two-dimensional array (anything with a ``shape`` of length 2)."""
    return len(getattr(value, "shape", ())) == 2


def shown(value: object) -> str:
    """Return what a message says it got: of an array of several numbers the shape, of anything long its beginning."""
    shape = getattr(value, "shape", None)
    return f"an array of shape {shape}" if shape else reprlib.repr(value)


def box_shown(box: Sequence[float]) -> str:
    """Return a box as its numbers were written: whole ones without a fraction."""
    return f"({', '.join(f'{number:.15g}' for number in box)})"


def _strength(value: object) -> float | None:
    """Return the strength of an automatic map, "auto" being 1; None for 0, ValueError for what is no strength."""
    if isinstance(value, str) and value == "auto":
        return 1.0
    legal = 'None, "auto", a strength 0-1 or a map of shape (height, width)'
    msg = f"importance must be {legal}, got {shown(value)}"
    if hasattr(value, "shape") and value.shape:
        raise ValueError(msg)
    strength = _number("importance", value, legal)
    if not 0 <= strength <= 1:
        raise ValueError(msg)
    return strength or None


def _effort(value: object) -> int:
    """Return the steps as an int; ValueError for anything but a whole number of them in 0..MAX_EFFORT."""
    legal = f"a whole number 0-{MAX_EFFORT}"
    number = _number("effort", value, legal)
    if number not in range(MAX_EFFORT + 1):
        msg = f"effort must be {legal}, got {value!r}"
        raise ValueError(msg)
    return int(number)


def _as_rows(value: object) -> object:
    """A box or boxes given as arrays of one dimension as lists; anything else as it is."""
    if len(getattr(value, "shape", ())) == 1:
        return value.tolist()  # type: ignore[attr-defined]
    if not isinstance(value, (list, tuple)):
        return value
    rows = [_as_rows(row) if hasattr(row, "shape") else row for row in value]
    return tuple(rows) if isinstance(value, tuple) else rows


def boxes(value: object) -> tuple[Box, ...]:
    """Return boxes as tuples (left, upper, right, lower[, weight]); ValueError for anything else."""
    legal = "a picture-sized mask or boxes (left, upper, right, lower[, weight])"
    value = _as_rows(value)
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or not value:
        msg = f"roi must be {legal}, got {shown(value)}"
        raise ValueError(msg)
    rows: Sequence[Any] = value if isinstance(value[0], Sequence) else [value]
    found = []
    for row in rows:
        if not isinstance(row, Sequence) or isinstance(row, (str, bytes)) or len(row) not in (4, 5):
            msg = f"roi must be {legal}, got {shown(row)}"
            raise ValueError(msg)
        box = tuple(_number("roi", number, legal) for number in row)
        if box[2] <= box[0] or box[3] <= box[1]:
            msg = f"roi box must have right > left and lower > upper, got {box_shown(box[:4])}"
            raise ValueError(msg)
        if len(box) == 5 and not 0 <= box[4] <= 1:
            msg = f"the weight of a roi box must be 0-1, got {box[4]:g}"
            raise ValueError(msg)
        found.append(box)
    return tuple(found)


@dataclass(frozen=True)
class EncodeOptions:
    """How one picture is written. Every field is checked on construction; ValueError names the value and what is legal.

    quality
        1..10, or above 10 up to 100 as percent of that scale. None: :data:`DEFAULT_QUALITY` unless a target is set.
    target_size, target_bpp, target_psnr
        Bytes of the whole file (never exceeded where the scale reaches it), bits per pixel, or dB of RGB PSNR. At most
        one of ``quality`` and the targets.
    roi
        A mask (H, W), uint8 or 0..1, or boxes (left, upper, right, lower[, weight 0..1]), a list or an array of rows, that
        deserve more bits: white gets 4 points of quality more than black, and the mean stays.
    importance
        ``"auto"``: a small network finds the places that deserve more bits, for fewer of them at equal MS-SSIM; a number
        0..1 is the strength of its map, ``"auto"`` being 1. Or a mask (H, W) like that of ``roi``, or the map of another
        file (``Image.info["importance"]``, or int8 steps for every 16x16 pixels), which is written as it is. With ``roi``
        too, both add up.
    effort
        0-9: steps in which what is written is refined until fewer bytes show as much; each takes longer than all of effort
        0. Decoding takes as long as ever.
    model
        Name or number of the networks to write with; None means "lic1".
    """

    quality: float | None = None
    target_size: float | None = None
    target_bpp: float | None = None
    target_psnr: float | None = None
    roi: Any = None
    importance: Any = None
    effort: int = 0
    model: str | int | None = None

    def __post_init__(self) -> None:
        aims = [
            name for name in ("quality", "target_size", "target_bpp", "target_psnr") if getattr(self, name) is not None
        ]
        if len(aims) > 1:
            msg = f"give one of quality, target_size, target_bpp and target_psnr, got {' and '.join(aims)}"
            raise ValueError(msg)
        if self.quality is not None:
            object.__setattr__(self, "quality", normalise_quality(self.quality))
        for name, what in (("target_size", "bytes"), ("target_bpp", "bits per pixel"), ("target_psnr", "dB")):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, positive(name, value, what))
        if self.roi is not None and not _is_map(self.roi):
            object.__setattr__(self, "roi", boxes(self.roi))
        if self.importance is not None and not _is_map(self.importance):
            object.__setattr__(self, "importance", _strength(self.importance))
        object.__setattr__(self, "effort", _effort(self.effort))
        if isinstance(self.model, bool) or not isinstance(self.model, (str, int, type(None))):
            msg = f"model must be the name or the number of a network, got {self.model!r}"
            raise ValueError(msg)

    @property
    def has_target(self) -> bool:
        """Whether the quality is to be searched for rather than given."""
        return not (self.target_size is None and self.target_bpp is None and self.target_psnr is None)

    @property
    def level(self) -> int:
        """The stored level of ``quality``, or of :data:`DEFAULT_QUALITY` when it is None."""
        return quality_to_level(DEFAULT_QUALITY if self.quality is None else self.quality)


ENCODE_OPTION_NAMES = tuple(EncodeOptions.__dataclass_fields__)


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


def close_match(name: str, known: Sequence[str]) -> str | None:
    """Return the one of ``known`` that a mistyped option most likely meant, or None."""
    import difflib

    matches = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return matches[0] if matches else None
