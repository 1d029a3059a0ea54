"""Sessions of onnxruntime: how many are kept, their threads and providers, and what fails in a sentence."""

import os
import subprocess
import sys
import threading

import numpy as np
import onnxruntime as ort
import pytest
from made.pictures import photo_like
from PIL import Image

import pillow_lic
from pillow_lic import codec
from pillow_lic.engine import models, runtime
from pillow_lic.engine.settings import settings
from pillow_lic.errors import LicRuntimeError
from pillow_lic.options import EncodeOptions


@pytest.fixture
def spec() -> models.Model:
    return models.choose(None)


def z_hat(spec: models.Model) -> dict[str, np.ndarray]:
    return {"z_hat": np.zeros((1, spec.constants["hyper_latents"], 1, 1), np.float32)}


def test_sessions_are_kept_per_settings(spec: models.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_sessions", {})
    with settings(threads=1):
        runtime.run(spec, "scales_z", z_hat(spec))
        before = dict(runtime._sessions)
        runtime.run(spec, "scales_z", z_hat(spec))
        assert runtime._sessions == before
    with settings(threads=2):
        runtime.run(spec, "scales_z", z_hat(spec))
    assert len({k[2] for k in runtime._sessions if k[1] == "scales_z"}) == 2


def test_sessions_of_other_thread_counts_do_not_pile_up(spec: models.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_sessions", {})
    monkeypatch.setattr(runtime, "threads_for", lambda _, asked: asked)
    expected = runtime.run(spec, "scales_z", z_hat(spec))[0]
    for threads in (1, 2, 3, 4, 2, 1):
        with settings(threads=threads):
            np.testing.assert_array_equal(runtime.run(spec, "scales_z", z_hat(spec))[0], expected)
    assert len(runtime._sessions) == runtime.KEPT


def test_small_networks_have_few_threads() -> None:
    assert [runtime.threads_for(13.3, asked) for asked in (1, 2, 8, 1000)] == [1, 2, 8, 15]
    assert [runtime.threads_for(0.03, asked) for asked in (1, 2, 8, 1000)] == [1, 2, 2, 2]
    assert runtime.threads_for(1000, 1000) == runtime.MOST_THREADS


THREADS_OF_ONE_PICTURE = """
import io, os, sys
from PIL import Image
import pillow_lic
data = pillow_lic.encode(Image.new("RGB", (640, 480)))
before = len(os.listdir("/proc/self/task"))
with pillow_lic.settings(threads=64):
    pillow_lic.open(data).load()
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads cannot be counted here")
def test_threads_are_few_however_many_are_asked_for() -> None:
    program = [sys.executable, "-c", THREADS_OF_ONE_PICTURE]
    done = subprocess.run(program, env={**os.environ, "LIC_THREADS": "1"}, capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 40


def test_a_session_has_no_more_threads_than_the_system_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or onnxruntime waits for ever (1.31), where a container limits tasks."""
    start, room = threading.Thread.start, 0
    running = 0

    def limited(thread: threading.Thread) -> None:
        nonlocal running
        if running == room:
            raise RuntimeError("can't start new thread")
        running += 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    for room, expected in ((100, 8), (12, 5), (runtime.SPARE_THREADS, 1), (0, 1)):  # noqa: B007 - `limited` reads it
        running = 0
        assert runtime._room_for(8) == expected


def test_an_absent_provider_is_named(spec: models.Model) -> None:
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("this machine has the provider")
    with settings(providers=["cuda"]), pytest.raises(LicRuntimeError, match=r"no CUDAExecutionProvider; it has .*CPU"):
        runtime.run(spec, "means_z", {})


@pytest.mark.parametrize("has_it", [False, True], ids=["not in this release", "without its libraries"])
def test_a_provider_that_is_missing_leaves_the_work_to_the_next_and_says_so_once(
    spec: models.Model, monkeypatch: pytest.MonkeyPatch, has_it: bool
) -> None:
    made = ort.InferenceSession

    def session(data: bytes, options: object, providers: list[tuple[str, object]]) -> ort.InferenceSession:
        """As onnxruntime does where CUDA's libraries cannot be loaded."""
        return made(data, options, providers=[item for item in providers if item[0] == runtime.CPU])

    monkeypatch.setattr(runtime, "_sessions", {})
    monkeypatch.setattr(runtime, "_said", set())
    names = ["CUDAExecutionProvider"] * has_it + [runtime.CPU]
    monkeypatch.setattr(ort, "get_available_providers", lambda: names)
    monkeypatch.setattr(ort, "InferenceSession", session)
    data = pillow_lic.encode(Image.new("RGB", (64, 64), "red"), exact=False)
    runtime._sessions.clear()
    with (
        settings(providers="cuda,cpu"),
        pytest.warns(RuntimeWarning, match="CUDAExec.*: networks run on CPUExec") as said,
    ):
        pillow_lic.open(data).load()
    assert len(said) == 1


def test_exact_networks_run_on_the_cpu_whatever_is_asked(spec: models.Model) -> None:
    with settings(providers=["cuda"]):
        assert runtime.run(spec, "scales_z", z_hat(spec))[0].shape[2:] == (4, 4)


def test_failures_of_the_engine_name_the_network_and_shapes(spec: models.Model) -> None:
    with pytest.raises(LicRuntimeError, match=r"the scales_z network failed on z_hat \(1, 3, 1, 1\)"):
        runtime.run(spec, "scales_z", {"z_hat": np.zeros((1, 3, 1, 1), np.float32)})


def test_an_engine_that_refuses_the_arena_runs_without(spec: models.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("An allocator for this device has already been registered for sharing.")

    expected = runtime.run(spec, "scales_z", z_hat(spec))[0]
    assert runtime._arena
    monkeypatch.setattr(ort, "create_and_register_allocator", refuse)
    monkeypatch.setattr(runtime, "_arena", None)
    monkeypatch.setattr(runtime, "_sessions", {})
    np.testing.assert_array_equal(runtime.run(spec, "scales_z", z_hat(spec))[0], expected)
    assert runtime._arena is False


def test_many_threads_share_the_sessions() -> None:
    pixels = photo_like(64, 64)
    data = codec.encode(pixels, "RGB", EncodeOptions())
    expected = codec.decode(data)[1]
    wrong: list[object] = []

    def work() -> None:
        for _ in range(5):
            decoded = codec.decode(data)[1]
            if np.abs(decoded.astype(int) - expected).max() > 1:
                wrong.append(decoded)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_child_decodes_and_exits(threads: int) -> None:
    """Freeing an inherited session hangs (onnxruntime 1.31): the child must neither use nor free it."""
    program = f"""
import os, sys, numpy as np
import pillow_lic
from pillow_lic import codec
from pillow_lic.engine.settings import settings
from pillow_lic.options import EncodeOptions
with settings(threads={threads}):
    data = codec.encode(np.full((64, 64, 3), 99, np.uint8), "RGB", EncodeOptions())
    first = codec.decode(data)[1]
    child = os.fork()
    if child == 0:
        same = np.abs(codec.decode(data)[1].astype(int) - first).max() <= 1
        sys.exit(0 if same else 3)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], timeout=60, check=False)
    assert done.returncode == 0
