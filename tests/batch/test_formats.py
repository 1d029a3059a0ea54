"""Formats that plugins and extras read, here and in workers."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageFile, UnidentifiedImageError

import pillow_lic
from pillow_lic.batch import formats

PLUGIN = """
from PIL import Image, ImageFile

class OddImageFile(ImageFile.ImageFile):
    format, format_description = "ODD", "for a test"

    def _open(self):
        if self.fp.read(3) != b"ODD":
            raise SyntaxError("not odd")
        self._size, self._mode = (8, 8), "L"
        self.tile = [ImageFile._Tile("raw", (0, 0, 8, 8), 3, "L")]

def register():
    Image.register_open("ODD", OddImageFile)
    Image.register_extension("ODD", ".odd")
"""

SCRIPT = """
import sys
import odd_plugin
import pillow_lic
from PIL import Image, ImageFile
if __name__ == "__main__":
    odd_plugin.register()
    Image.MAX_IMAGE_PIXELS = 100
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    summary = pillow_lic.convert(sys.argv[1], sys.argv[2], workers=2)
    print(*sorted(f"{r.pair.source.name}:{r.outcome}:{r.error.partition(' ')[0]}" for r in summary.results))
"""


def test_what_the_caller_registered_holds_in_workers(tmp_path: Path, photo: Image.Image) -> None:
    """A plugin, the limit of pixels, and leniency with cut files."""
    (tmp_path / "odd_plugin.py").write_text(PLUGIN)
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "in").mkdir()
    for name, data in (("a.odd", b"ODD" + bytes(64)), ("b.odd", b"ODD" + bytes(64)), ("cut.odd", b"ODD" + bytes(20))):
        (tmp_path / "in" / name).write_bytes(data)
    photo.save(tmp_path / "in/large.png")
    words = [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "in"), str(tmp_path / "out")]
    ran = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, "LIC_THREADS": "1"})
    assert ran.stdout.split() == ["a.odd:done:", "b.odd:done:", "cut.odd:done:", "large.png:failed:Image"]


def test_what_is_registered_is_carried_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Image.OPEN, "LOCAL", (lambda fp, name: None, None))  # has no name that can be imported
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 12345)
    carried = pickle.loads(pickle.dumps(formats.Registered.here()))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    carried.apply()
    assert Image.MAX_IMAGE_PIXELS == 12345
    assert carried.load_truncated == ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize(("suffix", "extra"), [(".heic", "heif"), (".HEIF", "heif"), (".jxl", "jxl"), (".cr2", "raw")])
def test_what_to_install_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, extra: str) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    source = tmp_path / f"a{suffix}"
    source.write_bytes(b"no picture that Pillow knows")
    (failed,) = pillow_lic.convert(source, tmp_path / "out").failed
    assert failed.error.endswith(f'{suffix} files need pip install "pillow-lic[{extra}]"')
    summary = pillow_lic.convert(tmp_path, tmp_path / "out")
    if suffix.lower() not in formats.extensions():
        assert [(place.name, reason) for place, reason in summary.passed_over] == [(source.name, suffix.lower())]


@pytest.mark.parametrize(("quality", "percent"), [(9, 90), (7.5, 75), (85, 85), (10, 100), (1, 10)])
@pytest.mark.parametrize("to", ["jpg", "webp", "avif"])
def test_quality_has_one_scale_for_all_formats(
    photo: Image.Image, tmp_path: Path, to: str, quality: float, percent: int
) -> None:
    photo.save(tmp_path / "a.png")
    pillow_lic.convert(tmp_path / "a.png", tmp_path / f"a.{to}", quality=quality)
    photo.save(tmp_path / f"right.{to}", quality=percent)
    made, right = (tmp_path / f"{name}.{to}" for name in ("a", "right"))
    assert made.stat().st_size == pytest.approx(right.stat().st_size, rel=0.01)


@pytest.mark.parametrize("to", ["png", "tif", "bmp", "gif"])
def test_quality_is_refused_where_there_is_none(tmp_path: Path, to: str) -> None:
    with pytest.raises(ValueError, match=rf"quality must be left out for \.{to} files: they have none"):
        pillow_lic.convert(tmp_path, tmp_path / "out", to=to, quality=9)


@pytest.mark.parametrize("to", ["jpg", "lic"])
def test_between_the_scales_nobody_knows_which_is_meant(tmp_path: Path, to: str) -> None:
    with pytest.raises(ValueError, match=r"quality must be 1-10 \(or 11-100 as percent\), got 10\.5"):
        pillow_lic.convert(tmp_path, tmp_path / "out", to=to, quality=10.5)


def test_a_folder_of_pictures_that_another_plugin_opens(tmp_path: Path, photo: Image.Image) -> None:
    """Pillow has no plugin for .mpo of stereo cameras but that of JPEG."""
    photo.save(tmp_path / "a.mpo", save_all=True, append_images=[photo])
    done = pillow_lic.convert(tmp_path, tmp_path / "out")
    assert [result.outcome for result in done.results] == ["done"]


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    """As a download that failed leaves one."""
    (tmp_path / "a.png").touch()
    (result,) = pillow_lic.convert(tmp_path / "a.png", tmp_path / "out").results
    assert result.error == f"cannot identify image file {str(tmp_path / 'a.png')!r}: it is empty"


@pytest.mark.skipif(sys.platform != "linux", reason="needs files of /proc")
@pytest.mark.parametrize("name", ["/proc/self/status", "/dev/zero"])
def test_a_file_without_a_size_is_not_said_to_be_empty(name: str) -> None:
    with pytest.raises(UnidentifiedImageError) as caught:
        formats.open_picture(Path(name))
    assert str(caught.value) == f"cannot identify image file {name!r}"
