import os
import subprocess
import sys
import threading

import numpy as np
import onnxruntime as ort
import pytest
from pictures import photo_like

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


def test_an_absent_provider_is_named(spec: models.Model) -> None:
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("this machine has the provider")
    with settings(providers=["cuda"]), pytest.raises(LicRuntimeError, match=r"no CUDAExecutionProvider; it has .*CPU"):
        runtime.run(spec, "means_z", {})


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
