"""onnxruntime sessions: made on first use, kept per process, run with errors a Pillow user understands.

The only module that imports onnxruntime. Four rules come from its behaviour (1.31):

* its telemetry is switched off before it is imported, unless the user's environment says otherwise: an image codec sends
  nothing anywhere, and the telemetry's thread makes every forked child hang when it exits;
* a session made before a fork must not be used or freed in the child (its threads are gone, freeing it hangs): the child
  abandons the inherited sessions and makes its own;
* the memory that networks work in comes from one arena of all sessions, which keeps it. Left to malloc, tensors of some
  20 MB leave holes that double what a large picture takes, or are given back and faulted in again, page by page;
* `exact` networks run on the CPU provider whatever providers are asked for, because only there is their arithmetic
  proved (FORMAT.md, section 9).
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import LicRuntimeError, is_from_outside
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
"""No bound; it grows by 64 MiB, 128 and so on, of which only what was used is resident: few regions have few holes."""

_sessions: dict[Key, onnxruntime.InferenceSession] = {}
_lock = threading.Lock()
_arena: bool | None = None
"""Whether there is an arena; None before the first session."""


def _after_fork() -> None:
    """Begin anew in the child; a reference too many keeps the inherited sessions alive even when the child exits.

    The arena too: another thread of the parent may have held its lock.
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
        if is_from_outside(error, "onnxruntime"):
            raise
        return False
    return True


def _make(networks: Networks, role: str, threads: int, providers: tuple[str, ...]) -> onnxruntime.InferenceSession:
    global _arena
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime as ort
    except ImportError as error:
        msg = f"onnxruntime cannot be imported ({error}); install it with `pip install onnxruntime`"
        raise LicRuntimeError(msg) from error
    missing = [p for p in providers if p not in ort.get_available_providers()]
    if missing:
        available = ", ".join(ort.get_available_providers())
        msg = f"onnxruntime here has no {', '.join(missing)}; it has {available}"
        raise LicRuntimeError(msg)
    if _arena is None:
        _arena = _make_arena(ort)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False  # one of its own
    if _arena:
        options.add_session_config_entry("session.use_env_allocators", "1")
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    chosen = [(p, dict(PROVIDER_OPTIONS.get(p, {}))) for p in providers]
    try:
        return ort.InferenceSession(networks.stored(role).read(), options, providers=chosen)
    except LicRuntimeError:
        raise
    except Exception as error:
        if is_from_outside(error, "onnxruntime"):
            raise
        msg = f"onnxruntime cannot load {networks.stored(role).path}: {error}"
        raise LicRuntimeError(msg) from error


def run(networks: Networks, role: str, feeds: Mapping[str, Array]) -> list[Array]:
    """Run a network of a model under the current settings and return its outputs in graph order.

    LicRuntimeError when onnxruntime is missing, lacks a provider that was asked for, or fails (out of memory is the
    common case: it reports that as a plain failure, and stays usable).
    """
    settings = current_settings()
    providers = (CPU,) if networks.stored(role).exact else settings.providers
    key = (networks.number, role, settings.threads, providers)
    session = _sessions.get(key)
    if session is None:
        with _lock:
            session = _sessions.get(key)
            if session is None:
                session = _sessions[key] = _make(networks, role, settings.threads, providers)
    try:
        outputs: list[Array] = session.run(None, {name: np.ascontiguousarray(v) for name, v in feeds.items()})
    except Exception as error:
        if is_from_outside(error, "onnxruntime"):
            raise
        shapes = ", ".join(f"{name} {tuple(v.shape)}" for name, v in feeds.items())
        msg = f"the {role} network failed on {shapes}: {error}"
        raise LicRuntimeError(msg) from error
    return outputs
