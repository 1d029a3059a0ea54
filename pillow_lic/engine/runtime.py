"""onnxruntime sessions: made on first use, kept per process, run with errors a Pillow user understands.

The only module that imports onnxruntime. Five rules come from its behaviour (1.31):

* its telemetry is switched off before it is imported, unless the user's environment says otherwise: an image codec sends
  nothing anywhere, and the telemetry's thread makes every forked child hang when it exits. A program that imports it before us
  has it on, and must set ORT_DISABLE_TELEMETRY=1 itself;
* every session has threads of its own, which never end, and one that cannot be made (a container's limit of tasks) is waited
  for without end, under a lock that all sessions need. So small networks have few threads, sessions are made with no more
  than the system has room for, and those for other numbers of threads are dropped. The one pool that sessions can share
  (`set_global_thread_pool_sizes`) makes every session of the program itself an error, and spins;
* a session made before a fork must not be used or freed in the child (its threads are gone, freeing it hangs): the child
  abandons the inherited sessions and makes its own;
* the memory that networks work in comes from one arena of all sessions, which keeps it. Left to malloc, tensors of some
  20 MB leave holes that double what a large picture takes, or are given back and faulted in again, page by page;
* `exact` networks run on the CPU provider whatever providers are asked for, because only there is their arithmetic
  proved (FORMAT.md, section 9).
"""

from __future__ import annotations

import ctypes
import math
import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..deadlines import check_time
from ..errors import LicRuntimeError, let_pass
from .ending import at_work
from .manifest import Networks
from .settings import current_settings

if TYPE_CHECKING:
    import onnxruntime

Array = npt.NDArray[Any]
Key = tuple[int, str, int, tuple[str, ...]]

CPU = "CPUExecutionProvider"
PROVIDER_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "CUDAExecutionProvider": {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
}
"""TF32 keeps 11 bits of a product; the exhaustive search costs seconds for every new picture size."""

ARENA = {
    "max_mem": 0,
    "arena_extend_strategy": 0,
    "initial_chunk_size_bytes": 2**26,
    "max_dead_bytes_per_chunk": -1,
}
"""An arena without a bound that grows by 64 MiB, 128 and so on: few regions have few holes, and only used pages are resident."""

MOST_THREADS = 16
"""The most threads of a network, however many are asked for: a picture of one tile has no work for more."""
SPARE_THREADS = 8
"""If the system limits threads, a session leaves so many for the rest of the program."""
KEPT = 3
"""How many sessions of a network are kept, each for another number of threads or other providers: one with a single thread, for several
tiles at a time; one with all threads, for a picture of one tile; and one for a `settings` block in between."""

_sessions: dict[Key, onnxruntime.InferenceSession] = {}
"""In the order they were made."""
_lock = threading.Lock()
_said: set[str] = set()
"""The warnings that were given."""
_arena: bool | None = None
"""Whether sessions share an arena; None before the first session."""


def _after_fork() -> None:
    """Begin anew in the child. The inherited sessions are kept alive by one reference too many, even when the child exits.

    A new arena is made too, because another thread of the parent may have held the lock of the old one.
    """
    global _sessions, _lock, _arena
    for session in _sessions.values():
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))
    _sessions, _lock, _arena = {}, threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _make_arena(ort: ModuleType) -> bool:
    """Register the arena that sessions may share, in place of one from before; False where the engine refuses."""
    place = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    try:
        ort.create_and_register_allocator(place, ort.OrtArenaCfg(ARENA))
    except Exception as error:  # older releases refuse a second one, with a RuntimeError or one of their own
        let_pass(error, "onnxruntime")
        return False
    return True


def threads_for(kmac_per_pixel: float | None, asked: int) -> int:
    """Return how many of the threads `asked` for a network of so many thousand multiply-adds a pixel gets, at least 1.

    They grow with the square root of the work: with a given number of threads in all, the networks of a picture, which run one after
    another, are then done soonest. Decoding with model 13 makes at most 40 threads, whatever is asked for.
    """
    useful = round(4 * math.sqrt(kmac_per_pixel or 0.0))
    return min(asked, MOST_THREADS, max(2, useful))


def _room_for(threads: int) -> int:
    """Return `threads`, or as many as the system would start beside SPARE_THREADS others, at least 1."""
    if threads == 1:
        return 1
    go = threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(threads - 1 + SPARE_THREADS):
            thread = threading.Thread(target=go.wait, daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError as error:
        let_pass(error)
        return max(1, 1 + len(started) - SPARE_THREADS)
    finally:
        go.set()
        for thread in started:
            thread.join()
    return threads


def _make(networks: Networks, role: str, threads: int, providers: tuple[str, ...]) -> onnxruntime.InferenceSession:
    global _arena
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime as ort
    except ImportError as error:
        let_pass(error)  # its compiled part makes an ImportError of an interrupt too
        msg = f"the {role} network needs onnxruntime, which cannot be imported ({error}); install it with `pip install onnxruntime`"
        raise LicRuntimeError(msg) from error
    wanted = _available(ort, providers)
    if _arena is None:
        _arena = _make_arena(ort)
    options = ort.SessionOptions()
    options.intra_op_num_threads = _room_for(threads)
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False  # one of its own
    if _arena:
        options.add_session_config_entry("session.use_env_allocators", "1")
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    chosen = [(p, dict(PROVIDER_OPTIONS.get(p, {}))) for p in wanted]
    try:
        session = ort.InferenceSession(networks.stored(role).read(), options, providers=chosen)
    except LicRuntimeError:
        raise
    except Exception as error:  # the kinds of onnxruntime have no root of their own
        let_pass(error, "onnxruntime")
        msg = f"onnxruntime cannot load {networks.stored(role).path}: {error}"
        raise LicRuntimeError(msg) from error
    used = session.get_providers()
    if lost := [p for p in wanted if p not in used]:
        _say_once(f"{', '.join(lost)} of onnxruntime cannot begin here, as without its libraries or its device", used)
    return session


def _available(ort: ModuleType, providers: tuple[str, ...]) -> list[str]:
    """Return those of the providers that this onnxruntime has. Warn of a missing one; LicRuntimeError if all are missing."""
    available = ort.get_available_providers()
    wanted = [p for p in providers if p in available]
    missing = [p for p in providers if p not in available]
    if missing and not wanted:
        msg = f"onnxruntime here has no {', '.join(missing)}; it has {', '.join(available)}"
        raise LicRuntimeError(msg)
    if missing:
        _say_once(f"onnxruntime here has no {', '.join(missing)}", wanted)
    return wanted


def _say_once(what: str, used: Sequence[str]) -> None:
    """Warn, once in a process, of providers that this onnxruntime does not have."""
    if what not in _said:
        _said.add(what)
        warnings.warn(f"{what}: networks run on {', '.join(used)}", RuntimeWarning, stacklevel=2)


def _session(networks: Networks, role: str) -> onnxruntime.InferenceSession:
    """Return the session of a network under the current settings; errors as of `run`."""
    settings, stored = current_settings(), networks.stored(role)
    providers = (CPU,) if stored.exact else settings.providers
    threads = threads_for(stored.kmac_per_pixel, settings.threads)
    key = (networks.number, role, threads, providers)
    session = _sessions.get(key)
    if session is None:
        with _lock:
            session = _sessions.get(key)
            if session is None:
                session = _sessions[key] = _make(networks, role, threads, providers)
                _drop_oldest(key)
    return session


def _drop_oldest(newest: Key) -> None:
    """Drop the sessions of a network that were made before the last `KEPT`; those at work end when their work does."""
    same = [key for key in _sessions if key[:2] == newest[:2]]
    for key in same[:-KEPT]:
        del _sessions[key]


def run(networks: Networks, role: str, feeds: Mapping[str, Array]) -> list[Array]:
    """Run a network of a model under the current settings and return its outputs in graph order.

    LicRuntimeError when onnxruntime is missing, lacks a provider that was asked for, or fails (out of memory is the
    common case: it reports that as a plain failure, and stays usable). LicLimitError when the call's time has run out.
    """
    check_time()
    given = {name: np.ascontiguousarray(v) for name, v in feeds.items()}
    with at_work:
        return _run(_session(networks, role), role, given)


def _run(session: onnxruntime.InferenceSession, role: str, feeds: Mapping[str, Array]) -> list[Array]:
    try:
        outputs: list[Array] = session.run(None, feeds)
    except Exception as error:  # as above
        let_pass(error, "onnxruntime")
        shapes = ", ".join(f"{name} {tuple(v.shape)}" for name, v in feeds.items())
        msg = f"the {role} network failed on {shapes}: {error}"
        raise LicRuntimeError(msg) from error
    return outputs
