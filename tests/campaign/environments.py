"""Memory, versions, numbers of threads, fuzzers and sanitizers: mostly commands of their own, run with the figures of a release."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import pillow_lic

TESTS = Path(__file__).parent.parent


def run(*words: object, **environment: str) -> str:
    """Run a command with this Python and return the last line of what it prints; AssertionError if it fails."""
    done = subprocess.run(
        [*map(str, words)], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    assert done.returncode == 0, " / ".join([*lines, *done.stderr.splitlines()][-3:])
    return lines[-1] if lines else ""


def memory(share: float) -> str:
    """Peak memory of encoding and decoding, of 6 to 178 megapixels as the share allows."""
    sizes = [size for size in (6, 12, 50, 100, 178) if size <= max(6, 178 * share)]
    for size in sizes:
        run(sys.executable, "-m", "pytest", "-q", TESTS / "codec" / "test_memory.py", LIC_TEST_MEGAPIXELS=str(size))
    return f"within the bound at {', '.join(map(str, sizes))} megapixels"


def versions(share: float) -> str:
    """Both ends of the declared versions read each other's files."""
    return run(sys.executable, TESTS / "versions.py")


def threads_and_tiles(share: float) -> str:
    """One file decoded with every number of threads and little or much memory: pixels the same, symbols checked by the file."""
    photo = Image.effect_mandelbrot((2100, 1400), (-2, -1, 1, 1), 40).convert("RGB")
    data = pillow_lic.encode(photo, quality=4)
    expected, cases = None, 0
    for threads in (1, 2, 3, 8)[: max(2, round(4 * share))]:
        for room in (1, 10**11):
            with pillow_lic.settings(threads=threads, max_memory=room):
                assert pillow_lic.encode(photo, quality=4) == data, f"another file with {threads} threads"
                pixels = np.asarray(pillow_lic.open(data))
            expected = pixels if expected is None else expected
            assert (pixels == expected).all(), f"other pixels with {threads} threads"
            cases += 1
    return f"{cases} ways, the same file and the same pixels"


def fuzzers(share: float) -> str:
    """The fuzz targets under atheris, ten minutes each in full."""
    seconds = max(10, round(600 * share))
    try:
        import atheris  # noqa: F401 - whether it is there
    except ImportError:
        return "not run: atheris is not installed"
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, TESTS / "fuzz/make_seeds.py", folder)
        for target in ("fuzz_container", "fuzz_open"):
            options = [f"-max_total_time={seconds}", "-max_len=2000", "-timeout=20", f"-artifact_prefix={folder}/"]
            run(sys.executable, TESTS / f"fuzz/{target}.py", folder, TESTS / "corpus", *options)
    return f"two targets, {seconds} s each, nothing found"


def sanitizers(share: float) -> str:
    """The range coder under AddressSanitizer and UndefinedBehaviorSanitizer, with its fuzz target and its tests."""
    if not shutil.which("gcc") or not shutil.which("cmake"):
        return "not run: needs gcc and cmake"
    return run("sh", TESTS / "run_sanitized.sh", PYTHON=sys.executable)


ENTRIES = (memory, versions, threads_and_tiles, fuzzers, sanitizers)
