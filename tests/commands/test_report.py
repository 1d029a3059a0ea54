"""The report of the command: as it happens, by file, in sums, in JSON, and in words that no name of a file can forge."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageCms

import pillow_lic
from commands.command_line import run
from pillow_lic.commands import _terminal


@pytest.fixture
def folder(photo: Image.Image, tmp_path: Path) -> Path:
    """Two pictures, a broken one, and what is no picture."""
    (tmp_path / "in").mkdir()
    photo.save(tmp_path / "in/a.png")
    photo.convert("L").save(tmp_path / "in/b.png")
    (tmp_path / "in/bad.png").write_bytes(b"404")
    (tmp_path / "in/film.mov").write_bytes(b"film")
    return tmp_path


def test_a_log_has_a_line_for_every_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("convert", folder / "in", folder / "out") == 1
    said = capsys.readouterr()
    made = [line for line in said.err.splitlines() if " -> " in line]
    assert [line.partition(": ")[0] for line in made] == [
        f"{folder}/in/{name}.png -> {folder}/out/{name}.lic" for name in "ab"
    ]
    assert "quality 6.00" in made[0]
    assert f"lic: {folder}/in/bad.png: cannot identify image file" in said.err
    assert "lic: passed over 1: 1 .mov" in said.err
    assert said.out.startswith("2 converted, 0 there already, 1 failed; ")


def test_quiet_leaves_what_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("convert", folder / "in", folder / "out", "--quiet") == 1
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["lic", "lic"]


def test_verbose_measures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for again in (False, True):
        run("convert", folder / "in", folder / "out", "-v")
        said = capsys.readouterr().err
        assert (" dB, " in said) != again
        assert (f"{folder}/out/a.lic: there already" in said) == again
        assert f"{folder}/in/film.mov: passed over, .mov" in said
    assert run("encode", folder / "in/a.png", folder / "c.lic", "-v") == 0
    assert " dB, " in capsys.readouterr().out


def test_a_dry_run_makes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pillow_lic.convert(folder / "in/a.png", folder / "out")
    assert run("convert", folder / "in", folder / "out", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{folder}/in/b.png -> {folder}/out/b.lic",
        f"{folder}/in/bad.png -> {folder}/out/bad.lic",
        "2 to convert, 1 there already, 0 failed",
    ]
    assert [path.name for path in (folder / "out").iterdir()] == ["a.lic"]


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_json(folder: Path, capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    run("convert", folder / "in", folder / "out", "--json", *more)
    *files, sums = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    outcomes = {Path(file["source"]).name: file["outcome"] for file in files}
    made = "planned" if more else "done"
    assert outcomes == {"a.png": made, "b.png": made, "bad.png": "planned" if more else "failed"}
    assert sums["passed_over"] == {".mov": 1}
    if not more:
        (a,) = (file for file in files if file["source"].endswith("a.png"))
        assert (a["quality"], a["error"], a["bytes_out"]) == (6, None, (folder / "out/a.lic").stat().st_size)


def test_what_is_kept_is_told_with_its_quality(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "in/bad.png").unlink()
    for quality in (4, 9):
        run("convert", folder / "in", folder / "out", "-q", quality)
    assert capsys.readouterr().out.splitlines()[-1] == "2 kept as they are, of quality 4.00; -f makes them anew"


def test_nothing_made_of_a_folder_that_holds_something_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    assert run("convert", tmp_path / "in", tmp_path / "out") == 0
    for name in ("a.NEF", "b.nef", "c.xyz"):
        (tmp_path / "in" / name).touch()
    assert run("convert", tmp_path / "in", tmp_path / "out") == 1
    assert 'lic: passed over 3: 2 .nef (pip install "pillow-lic[raw]"), 1 .xyz' in capsys.readouterr().err


def test_pictures_that_have_the_format_already_are_told_unless_they_were_made_here(
    png: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are missing in the destination, which may be thought to hold all."""
    source = png.parent
    for _ in range(2):
        assert run("convert", source, source) == 0
        assert "passed over" not in capsys.readouterr().err
    assert run("convert", source, source / "out", "--to", "png") == 0
    assert "lic: passed over 1: 1 already .png\n" in capsys.readouterr().err


@pytest.mark.parametrize("workers", [1, 2])
def test_warnings_name_their_pictures(folder: Path, capsys: pytest.CaptureFixture[str], workers: int) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name in "abc":
        Image.new("L", (8, 8)).save(folder / f"in/{name}.png", icc_profile=profile)
    words = ["convert", folder / "in", folder / "out", "-j", workers, "--quiet"]
    run(*words)
    said = capsys.readouterr().err
    assert said.count("ICC profile") == 3
    assert all(f"lic: {folder}/in/{name}.png: the ICC profile" in said for name in "abc")
    run("encode", folder / "in/a.png", folder / "d.lic")
    assert capsys.readouterr().err.startswith(f"lic: {folder}/in/a.png: the ICC profile")
    with pytest.warns(UserWarning, match=rf"{folder}/in/a.png, .*: the ICC profile"):
        pillow_lic.convert(folder / "in", folder / "out", force=True)


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\rall is well", "a\x9b31mb", "a\u202egnp", "a\nlic: all is well"])
def test_names_do_not_command_the_terminal(tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"{name}.png"
    path.write_bytes(b"none")
    for words in (
        ["convert", path, tmp_path / "out"],
        ["encode", path, tmp_path / "b.lic"],
        ["info", path],
        ["view", path],
    ):
        assert run(*words) != 0
        said = "".join(capfd.readouterr())
        assert name not in said
        assert "\nlic: all is well" not in said
        assert not {"\x1b", "\r", "\x9b", "\u202e"} & set(said)
    with pytest.raises(SystemExit):
        run("autoload", path)
    assert name not in capfd.readouterr().err


def test_a_line_that_is_drawn_again_is_left_as_it_is() -> None:
    stream = io.StringIO()
    _terminal._Quoted(stream, has_messages=True).write("\r1/2 a\x1bb\x1b[K")
    assert stream.getvalue() == "\r1/2 a\\x1bb\x1b[K"


def test_a_report_that_begins_with_the_codec_lic_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with _terminal.for_people():
        print("lic: 1\njpeg: 2")
        print("lic: a name\nof two lines", file=sys.stderr)
    assert capsys.readouterr() == ("lic: 1\njpeg: 2\n", "lic: a name\\nof two lines\n")


@pytest.mark.skipif(os.name == "nt", reason="has no such names")
@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "link", "pipe"])
def test_data_and_words_do_not_mix(photo: Image.Image, tmp_path: Path, name: str) -> None:
    pillow_lic.save(photo, tmp_path / "a.lic")
    photo.save(tmp_path / "a.png")
    (tmp_path / "link").symlink_to("/dev/stdout")
    os.mkfifo(tmp_path / "pipe")
    reader = ["sh", "-c", 'cat pipe & "$@"; wait', "sh"] if name == "pipe" else []
    for words in (["decode", "a.lic", name, "--format", "png"], ["encode", "a.png", name]):
        command = [*reader, sys.executable, "-m", "pillow_lic", *words]
        ran = subprocess.run(command, capture_output=True, cwd=tmp_path, check=True)
        assert b"bytes, " not in ran.stdout
        with Image.open(io.BytesIO(ran.stdout)) as im:
            assert im.size == photo.size


def test_standard_output_that_is_a_file_is_gone_on_with(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "a.png")
    (tmp_path / "all").write_bytes(b"before")
    with open(tmp_path / "all", "ab") as everything:
        words = [sys.executable, "-m", "pillow_lic", "encode", str(tmp_path / "a.png"), "/dev/stdout"]
        subprocess.run(words, stdout=everything, check=True)
    assert (tmp_path / "all").read_bytes().startswith(b"before\x8aLIC")


@pytest.mark.skipif(os.name == "nt", reason="has no pseudo-terminals")
@pytest.mark.parametrize("target", ["-", "/dev/stdout"])
def test_no_picture_is_written_onto_a_terminal(photo: Image.Image, tmp_path: Path, target: str) -> None:
    photo.save(tmp_path / "a.png")
    ours, theirs = os.openpty()
    words = [sys.executable, "-m", "pillow_lic", "encode", str(tmp_path / "a.png"), target]
    ran = subprocess.run(words, stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    os.close(ours)
    assert ran.returncode == 2
    assert (
        ran.stderr == "lic: standard output is a terminal, which cannot show a picture: name a file, or redirect it\n"
    )


def test_a_folder_as_target(photo: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo.save(tmp_path / "a.png")
    for name in ("new/", "new"):  # a slash makes it, then it is there
        assert run("encode", tmp_path / "a.png", f"{tmp_path}/{name}") == 0
    assert (tmp_path / "new/a.lic").is_file()
    assert run("decode", tmp_path / "new/a.lic", f"{tmp_path}/back/", "--format", "webp") == 0
    assert (tmp_path / "back/a.webp").is_file()
    assert run("convert", tmp_path / "a.png", f"{tmp_path}/third.lic/") == 0
    assert (tmp_path / "third.lic/a.lic").is_file()


def test_a_failure_makes_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"404")
    assert run("encode", tmp_path / "a.png", f"{tmp_path}/new/") == 1
    assert not (tmp_path / "new").exists()


def test_equal_pictures_are_measured_too(
    photo: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pillow_lic.save(photo, tmp_path / "a.lic")
    assert run("convert", tmp_path / "a.lic", tmp_path / "a.png", "-v") == 0
    assert "every pixel equal" in capsys.readouterr().err
    assert run("convert", tmp_path / "a.lic", tmp_path / "b.png", "-v", "--json") == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert json.loads(first, parse_constant=pytest.fail)["psnr"] == "inf"


def test_info_of_folders(photo: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.lic", "sub/a.LIC"):
        pillow_lic.save(photo, tmp_path / name)
    assert run("info", tmp_path, "--json") == 0
    files = [json.loads(line)["file"] for line in capsys.readouterr().out.splitlines()]
    assert files == [f"{tmp_path}/b.lic", f"{tmp_path}/sub/a.LIC"]
    (tmp_path / "empty").mkdir()
    assert run("info", tmp_path / "empty") == 1
    assert capsys.readouterr().err == f"lic: {tmp_path}/empty: a folder without .lic files\n"


@pytest.mark.parametrize(
    "words", [["encode", "", "b.lic"], ["info", ""], ["decode", "", "b.png"], ["convert", "", "out"]]
)
def test_an_empty_name_is_not_the_current_folder(
    lic: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.chdir(lic.parent)
    before = set(lic.parent.iterdir())
    assert run(*words) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert set(lic.parent.iterdir()) == before


@pytest.mark.parametrize("target", ["--target-size=1M", "--target-bpp=20"])
def test_the_end_of_the_scale_is_told(
    photo: Image.Image, tmp_path: Path, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    photo.save(tmp_path / "a.png")
    assert run("encode", tmp_path / "a.png", tmp_path / "a.lic", target) == 0
    assert "is more than the scale has: at quality 10, its end, it is" in capsys.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize("words", [["convert", "in", "out"], ["encode", "in/a.png", "a.lic", "--target-size", "1M"]])
def test_a_log_on_a_full_disk_ends_no_work(words: list[str], photo: Image.Image, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        photo.save(tmp_path / "in" / name)
    (tmp_path / "in/broken.png").write_bytes(b"x")
    with open("/dev/full", "w") as log:
        ran = subprocess.run(
            [sys.executable, "-m", "pillow_lic", *words], stdout=subprocess.PIPE, stderr=log, text=True, cwd=tmp_path
        )
    made = {path.name for path in tmp_path.rglob("*.lic")}
    if words[0] == "convert":
        assert (ran.returncode, made) == (1, {"a.lic", "b.lic"})
        assert ran.stdout.startswith("2 converted, 0 there already, 1 failed;")
    else:
        assert (ran.returncode, made) == (0, {"a.lic"})
