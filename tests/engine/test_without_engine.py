"""Pictures of lic2 are opened, in all ways, and saved without onnxruntime, which takes longer to import than a small picture to decode."""

import subprocess
import sys
from pathlib import Path

import pytest
from made.pictures import photo_like
from PIL import Image

from pillow_lic import _native

SAVED = """
import sys
from PIL import Image
import pillow_lic
Image.open(sys.argv[1]).save(sys.argv[2], model="lic2", effort=int(sys.argv[3]))
assert "onnxruntime" not in sys.modules, "imported"
"""
OPENED = """
import io, sys
sys.modules["onnxruntime"] = None
from PIL import Image, ImageFile
import pillow_lic
data = open(sys.argv[1], "rb").read()
def opened(part=data):
    return Image.open(io.BytesIO(part))
whole = opened()
whole.load()
assert whole.size == (300, 170)
assert pillow_lic.open(io.BytesIO(data)).region((20, 30, 90, 70)).size == (70, 40)
for scale in (2, 4, 8):
    draft = opened()
    draft.draft(None, (300 // scale, 170 // scale))
    draft.load()
    assert draft.size == (-(-300 // scale), -(-170 // scale)), draft.size
for size in (9, 40, 70, 140):
    small = opened()
    small.thumbnail((size, size))
    assert small.width == size
with_preview = opened(open(sys.argv[2], "rb").read())
with_preview.thumbnail((32, 32))
pillow_lic.open(io.BytesIO(data), bytes=len(data) // 2).load()
opened(pillow_lic.cut(data, len(data) // 2)).thumbnail((40, 40))
ImageFile.LOAD_TRUNCATED_IMAGES = True
opened(data[: 2 * len(data) // 3]).load()
opened(data[: 2 * len(data) // 3]).thumbnail((40, 40))
try:
    opened().save(io.BytesIO(), "LIC", model="lic2", effort=0, target_size=2000)
    opened().save(io.BytesIO(), "LIC", model="lic1")
except pillow_lic.LicRuntimeError as error:
    print(error)
"""
native = pytest.mark.skipif(
    not (
        _native.Means.fast()
        and _native.Scales.fast()
        and _native.Synthesis.fast()
        and _native.Detail.fast()
        and _native.Draft.fast()
        and _native.Analysis.fast()
        and _native.HyperAnalysis.fast()
    ),
    reason="the networks are as quick here",
)


def ran(program: str, *arguments: object) -> str:
    """Return what a program prints that runs in a process of its own; it must end well."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@native
@pytest.mark.parametrize("effort", [0, 1, 3])
def test_a_picture_is_saved_without_onnxruntime(effort: int, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    Image.fromarray(photo_like(170, 300)).save(file)
    ran(SAVED, file, tmp_path / "b.lic", effort)


@native
def test_a_picture_is_opened_in_all_ways_where_there_is_no_onnxruntime(tmp_path: Path) -> None:
    """Whole, a part, drafts, thumbnails, from a preview, its beginning; what needs it says so."""
    names = tmp_path / "a.lic", tmp_path / "b.lic"
    for name, preview in zip(names, (False, True), strict=True):
        Image.fromarray(photo_like(170, 300)).save(name, model="lic2", effort=0, preview=preview)
    said = ran(OPENED, *names)
    assert said.startswith("the scales_z network needs onnxruntime, which cannot be imported"), said
    assert "pip install onnxruntime" in said
