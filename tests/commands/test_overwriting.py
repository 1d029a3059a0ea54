"""What `lic` writes over: nothing that may be an original, unless it is forced."""

import os
from pathlib import Path

import pytest
from PIL import Image

import pillow_lic
from commands.command_line import run
from pillow_lic import __main__ as command
from pillow_lic.fileformat import header


def test_a_failed_encode_keeps_the_old_file(png: Path) -> None:
    target = png.with_suffix(".lic")
    target.write_bytes(header.MAGIC)
    assert run("encode", png, target, "-q", "1000") == 1
    assert target.read_bytes() == header.MAGIC


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["encode", "a.png", "b.png"],
            "lic: encode writes .lic files, and .jpg files with --importance or --roi, got b.png",
        ),
        (["encode", "a.lic", "a.lic"], "lic: the target must be another file than the source, got a.lic"),
        (["decode", "a.lic", "b.lic"], "lic: decode writes other formats than .lic"),
        (["decode", "a.lic", "a.lic", "--format", "png"], "lic: the target must be another file than the source"),
        (["encode", "a.png", "b.mov"], "lic: b.mov is there and may be an original: name another target, or "),
        (["encode", "a.lic", "b.lic"], "lic: b.lic is there and may be an original"),
        (["decode", "a.lic", "b.png"], "lic: b.png is there and may be an original"),
        (["thumbnail", "a.lic", "b.lic"], "lic: b.lic is there and may be an original"),
        (["thumbnail", "a.lic", "b.png"], "lic: b.png is there and may be an original"),
        (["info", "--map", "a.lic", "b.lic"], "lic: --map must name a file to write other than a .lic file, got a.lic"),
    ],
)
def test_what_a_star_of_the_shell_may_name_is_not_overwritten(
    photo: Image.Image,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        photo.save(f"{name}.png")
        pillow_lic.save(photo, f"{name}.lic")
    Path("b.mov").write_bytes(b"a film")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert command.main(words) == 2
    assert capsys.readouterr().err.startswith(said)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_two_pictures_of_a_star_are_no_source_and_destination(
    png: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(png.parent)
    for name in ("b.png", "a.lic", "b.lic"):
        Path(name).write_bytes(b"older")
        os.utime(name, (1e9, 1e9))
    for names in (["a.png", "b.png"], ["a.lic", "b.lic"]):
        os.utime(names[0], (2e9, 2e9))
        assert run("convert", *names) == 1
        assert f"{names[1]} is there, older than its source, and may be an original" in capsys.readouterr().err
        assert Path(names[1]).read_bytes() == b"older"
    assert run("convert", "a.png", "b.png", "-f") == 0
    assert Path("b.png").read_bytes() != b"older"


def test_what_is_there_is_replaced_by_force_and_where_nothing_is_lost(png: Path) -> None:
    lic, film, empty = png.with_suffix(".lic"), png.with_name("b.mov"), png.with_name("c.png")
    film.write_bytes(b"a film")
    empty.touch()
    assert run("encode", png, film, "-f") == 0
    assert film.read_bytes().startswith(header.MAGIC)
    for quality in (5, 6):
        assert run("encode", png, lic, "-q", quality) == 0
    assert run("decode", lic, empty) == 0
    assert run("decode", lic, png) == 2
    assert run("decode", lic, png, "--force") == 0
    assert png.read_bytes() == empty.read_bytes()


def test_a_map_replaces_no_picture_unless_forced(png: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target, before = png.with_name("b.lic"), png.read_bytes()
    assert run("encode", png, target, "--roi", "8,8,40,40") == 0
    assert run("info", target, "--map", png) == 2
    assert "may be an original: name another target, or replace it with -f" in capsys.readouterr().err
    assert png.read_bytes() == before
    assert run("info", target, "--map", png, "-f") == 0
    assert png.read_bytes() != before
