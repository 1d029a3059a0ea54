"""Other processors compute what this one does: native code for them, emulated."""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "run_machines.sh"
COMPILERS = {"x86-64": "g++", "aarch64": "aarch64-linux-gnu-g++"}
QEMU = {"x86-64": "qemu-x86_64", "aarch64": "qemu-aarch64"}
ON_BOCHS = ["avx512", "avxvnni"]


@pytest.mark.parametrize("kind", COMPILERS)
def test_they_compute_the_same(kind: str) -> None:
    emulator = shutil.which(QEMU[kind]) or shutil.which(f"{QEMU[kind]}-static")
    if not (emulator and shutil.which("cmake") and shutil.which(COMPILERS[kind])):
        pytest.skip(f"needs cmake, {COMPILERS[kind]} and {QEMU[kind]}")
    if kind == "x86-64" and platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("needs an x86-64 processor")
    assert_the_same("here", kind)


def test_new_processors_compute_the_same() -> None:
    if not (importlib.util.find_spec("bochscpu") and shutil.which("cmake") and shutil.which("g++")):
        pytest.skip("needs cmake, g++ and bochscpu-python")
    if sys.platform != "linux" or platform.machine() != "x86_64":
        pytest.skip("needs Linux on x86-64")
    assert_the_same("here", *ON_BOCHS)


def assert_the_same(*kinds: str) -> None:
    environment = {**os.environ, "PYTHON": sys.executable}
    ran = subprocess.run([SCRIPT, *kinds], capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 0, ran.stderr
    assert all(f"{kind}: the same\n" in ran.stdout for kind in kinds)
    assert "\nmeans " in ran.stdout
