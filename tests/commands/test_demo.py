"""`lic demo`: its table, the files it keeps, and the pictures it has of its own."""

from pathlib import Path

import pytest
from PIL import Image

from commands.command_line import run
from pillow_lic.bench import demo


def test_demo(photo: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo.save(tmp_path / "a.png")
    assert run("demo", tmp_path / "a.png", "-q", "5", "--keep", tmp_path / "kept") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("networks loaded in ")
    assert lines[2] == "a.png, 96x64"
    assert lines[3].split()[:4] == ["format", "quality", "bytes", "bpp"]
    assert [line.split()[0] for line in lines[4:]] == [codec.label for codec in demo.compared_codecs()]
    assert (tmp_path / "kept" / "demo.lic").is_file()
    size = int(lines[4].split()[2].replace(",", ""))
    assert size == (tmp_path / "kept" / "demo.lic").stat().st_size


def test_a_demo_of_several_pictures_keeps_the_files_of_all(photo: Image.Image, tmp_path: Path) -> None:
    for name, picture in {"a.png": photo, "a.bmp": photo.rotate(180)}.items():
        picture.save(tmp_path / name)
    assert run("demo", tmp_path / "a.png", tmp_path / "a.bmp", "--keep", tmp_path / "kept") == 0
    kept = [tmp_path / "kept" / f"demo-{number}.jpg" for number in (1, 2)]
    assert kept[0].read_bytes() != kept[1].read_bytes()
    assert len(list((tmp_path / "kept").iterdir())) == 2 * len(demo.compared_codecs())


def test_demo_has_a_picture_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(path.is_file() for path in demo.sample_pictures())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (picture,) = demo.sample_pictures()
    with Image.open(picture) as im:
        assert im.size == (451, 300)
