"""Other processors compute what this one does: native code for them, emulated."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "run_machines.sh"
COMPILERS = {"x86-64": "g++", "aarch64": "aarch64-linux-gnu-g++"}
QEMU = {"x86-64": "qemu-x86_64", "aarch64": "qemu-aarch64"}


@pytest.mark.parametrize("kind", COMPILERS)
def test_they_compute_the_same(kind: str) -> None:
    emulator = shutil.which(QEMU[kind]) or shutil.which(f"{QEMU[kind]}-static")
    if not (emulator and shutil.which("cmake") and shutil.which(COMPILERS[kind])):
        pytest.skip(f"needs cmake, {COMPILERS[kind]} and {QEMU[kind]}")
    if kind == "x86-64" and platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("needs an x86-64 processor")
    ran = subprocess.run([SCRIPT, "here", kind], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert f"{kind}: the same\n" in ran.stdout
    assert "\nmeans " in ran.stdout
