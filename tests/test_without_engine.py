"""Pictures of lic2 are opened and saved without onnxruntime, which takes longer to import than a small picture to decode."""

import subprocess
import sys
from pathlib import Path

import pytest
from pictures import photo_like
from PIL import Image

from pillow_lic import _native

PROGRAM = """
import sys
from PIL import Image
import pillow_lic
with pillow_lic.open(sys.argv[1]) as image:
    image.load()
    assert image.size == (300, 170)
with pillow_lic.open(sys.argv[1]) as image:
    image.region((20, 30, 90, 70))
Image.open(sys.argv[1]).save(sys.argv[2], model="lic2", effort=int(sys.argv[3]))
assert "onnxruntime" not in sys.modules, "imported"
Image.open(sys.argv[1]).save(sys.argv[2], model="lic2", effort=2)
assert "onnxruntime" in sys.modules
"""


@pytest.mark.skipif(
    not (
        _native.Means.fast()
        and _native.Scales.fast()
        and _native.Synthesis.fast()
        and _native.Detail.fast()
        and _native.Analysis.fast()
        and _native.HyperAnalysis.fast()
    ),
    reason="the networks are as quick here",
)
@pytest.mark.parametrize("effort", [0, 1])
def test_a_picture_is_opened_and_saved_without_onnxruntime(effort: int, tmp_path: Path) -> None:
    """Refinement runs in it."""
    file = tmp_path / "a.lic"
    Image.fromarray(photo_like(170, 300)).save(file, model="lic2", effort=effort)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(file), str(tmp_path / "b.lic"), str(effort)], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
