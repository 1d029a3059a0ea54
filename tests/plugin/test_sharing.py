"""The Pillow contract: copies, pickles, threads and processes."""

import copy
import io
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image


def test_pickle(lic: Path) -> None:
    im = Image.open(lic)
    again = pickle.loads(pickle.dumps(im))
    assert again == Image.open(lic)
    assert again.tobytes() == im.tobytes()
    again.load()


def test_copies(lic: Path) -> None:
    im = Image.open(lic)
    for other in (copy.copy(im), copy.deepcopy(im), im.copy()):
        assert other.tobytes() == im.tobytes()


def test_eight_threads_on_one_image(lic: Path) -> None:
    expected = Image.open(lic).tobytes()
    data = lic.read_bytes()
    for _ in range(10):
        im = Image.open(io.BytesIO(data))
        gate = threading.Barrier(8)
        found: list[object] = []

        def use(im: Image.Image = im, gate: threading.Barrier = gate, found: list[object] = found) -> None:
            gate.wait()
            try:
                found.append(im.tobytes())
            except Exception as error:
                found.append(error)

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [expected] * 8


def decode_in_child(path: str) -> bytes:
    import pillow_lic  # noqa: F401 - registers

    return Image.open(path).tobytes()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_new_processes(lic: Path, method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(decode_in_child, (str(lic),)) == Image.open(lic).tobytes()
        # A pickled image brings the plugin with it.
        assert pool.apply(Image.Image.tobytes, (Image.open(lic),)) == Image.open(lic).tobytes()


def run_python(program: str, *args: object, env: dict[str, str] | None = None) -> str:
    """Run a program in a fresh interpreter, outside the checkout, and return what it printed."""
    result = subprocess.run(
        [sys.executable, "-c", program, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **(env or {})},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


FORK = """
import os, sys, time
from PIL import Image
import pillow_lic
expected = Image.open(sys.argv[1]).tobytes()
child = os.fork()
if child == 0:
    os._exit(0 if Image.open(sys.argv[1]).tobytes() == expected else 3)
begun = time.monotonic()
while time.monotonic() < begun + 50:
    done, code = os.waitpid(child, os.WNOHANG)
    if done:
        print("exit", os.waitstatus_to_exitcode(code))
        break
    time.sleep(0.02)
else:
    os.kill(child, 9)
    print("the child hangs")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_forked_after_use(lic: Path) -> None:
    assert run_python(FORK, lic, env={"PYTHONWARNINGS": "ignore"}) == "exit 0"


def test_a_thread_of_a_service_has_stack_enough() -> None:
    """Threads of 256 KB, as programs with many of them make."""
    script = (
        "import threading, numpy, pillow_lic; from PIL import Image;"
        "im = Image.fromarray(numpy.random.default_rng(0).integers(0, 256, (96, 96, 3), 'u1'));"
        "threading.stack_size(256 * 1024);"
        "work = threading.Thread(target=lambda: print(len(pillow_lic.encode(im, exact=False))));"
        "work.start(); work.join()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip().isdecimal(), f"{done.returncode} {done.stderr}"
