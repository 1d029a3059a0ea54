"""A sub-interpreter, where onnxruntime would wait for ever."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        sys.exit(77)
code = '''
import sys
import pillow_lic
from PIL import Image
im = Image.open(%r)
print(im.size, im.mode, "numpy" in sys.modules, flush=True)
for what in (im.load, lambda: Image.new("RGB", (9, 9)).save(%r), lambda: pillow_lic.encode(Image.new("RGB", (9, 9)))):
    try:
        what()
    except pillow_lic.LicRuntimeError as error:
        print(error, flush=True)
''' % (sys.argv[1], sys.argv[2])
shared = (("legacy",), {}) if sys.version_info >= (3, 13) else ((), {"isolated": False})  # Pillow loads in no other
one = interpreters.create(*shared[0], **shared[1])
(interpreters.exec if hasattr(interpreters, "exec") else interpreters.run_string)(one, code)
"""


def test_a_sub_interpreter_is_told_so(lic: Path, tmp_path: Path) -> None:
    program = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(lic), str(tmp_path / "b.lic")]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 77:
        pytest.skip("this Python has no module of interpreters")
    lines = done.stdout.splitlines()
    assert lines[0] == "(96, 64) RGB False", done.stderr
    assert [("sub-interpreter" in line) for line in lines[1:]] == [True] * 3
    assert done.returncode == 0
