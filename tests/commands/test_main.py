"""The `lic` command: words in, words and exit codes out."""

import errno
import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from commands.command_line import run
from pillow_lic.batch import plan
from pillow_lic.engine import models


def test_encode_info_decode(png: Path, capsys: pytest.CaptureFixture[str], photo: Image.Image) -> None:
    lic, back = png.with_suffix(".lic"), png.with_name("b.png")
    assert run("encode", png, lic, "-q", "7") == 0
    assert "quality 7.00" in capsys.readouterr().out
    assert run("info", lic) == 0
    said = capsys.readouterr().out
    for words in ("96x64 RGB, one tile", "quality   7.00", "format version 1", "every section is intact", "tile"):
        assert words in said
    assert run("decode", lic, back) == 0
    with Image.open(back) as im, Image.open(lic) as own:
        assert im.tobytes() == own.tobytes()
        assert im.format == "PNG"


def test_encode_to_a_size(png: Path) -> None:
    assert run("encode", png, png.with_suffix(".lic"), "--target-size", 800) == 0
    assert 700 < png.with_suffix(".lic").stat().st_size <= 800


def test_encode_a_region_better(png: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("encode", png, png.with_suffix(".lic"), "--roi", "0,0,48,64", "--roi", "50,0,60,10,0.5") == 0
    capsys.readouterr()
    assert run("info", png.with_suffix(".lic"), "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    low, high = facts["importance"]
    assert 1 <= low < facts["quality"] < high <= 10
    assert facts["sections"][0]["name"] == "importance"
    assert run("info", png.with_suffix(".lic")) == 0
    assert f"by place {low:.2f} to {high:.2f}" in capsys.readouterr().out


def test_options_of_the_encoder(png: Path) -> None:
    spec = models.choose(None)
    files = []
    for words in ([], ["--model", spec.number], ["--model", spec.name], ["--quality", 3]):
        assert run("encode", png, png.with_suffix(".lic"), *words) == 0
        files.append(png.with_suffix(".lic").read_bytes())
    *alike, other = files
    assert set(alike) == {files[0]}
    assert other != files[0]


def test_decode_to_any_format(lic: Path, tmp_path: Path) -> None:
    assert run("decode", lic, tmp_path / "x.jpg") == 0
    assert run("decode", lic, tmp_path / "x.dat", "--format", "webp", "--strip") == 0
    with Image.open(tmp_path / "x.jpg") as im:
        assert im.getexif()[274] == 6
    with Image.open(tmp_path / "x.dat") as im:
        assert (im.format, "exif" in im.info) == ("WEBP", False)


def test_convert(png: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = png.parent / "in"
    folder.mkdir()
    png.rename(folder / "a.png")
    (folder / "bad.png").write_bytes(b"no picture")
    out = png.parent / "out"
    assert run("convert", folder, out, "--to", "lic", "-j", 2, "-q", 4) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("1 converted, 0 there already, 1 failed; ")
    assert "% saved" in captured.out
    assert f"lic: {folder / 'bad.png'}: cannot identify image file" in captured.err
    (folder / "bad.png").unlink()
    assert run("convert", folder, out) == 0
    assert capsys.readouterr().out.startswith("0 converted, 1 there already, 0 failed; ")
    assert run("convert", folder, out, "--force") == 0
    assert capsys.readouterr().out.startswith("1 converted")
    assert run("convert", out, png.parent / "back", "--to", "png") == 0
    assert (png.parent / "back" / "a.png").is_file()
    assert run("convert", out, png.parent / "jpg", "--to", "jpg", "-q", 85) == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["encode", "none.png", "a.lic"], 1, "lic: [Errno 2] No such file or directory: 'none.png'"),
        (["encode", "a.png", "a.lic", "-q", "0"], 1, "lic: quality must be 1-10"),
        (["encode", "a.png", "a.lic", "-q", "5", "--target-size", "9"], 1, "lic: give one of quality"),
        (["encode", "a.png", "a.lic", "--model", "x"], 1, "lic: model must be the name or number of one of"),
        (["encode", "a.png", "a.lic", "--model", "0"], 1, "lic: model must be the name or number of one of"),
        (["decode", "a.png", "b.png"], 1, "lic: a.png: not a .lic file"),
        (["decode", "a.lic", "b.xyz"], 1, "lic: "),
        (["dump", "a.png", "b.npz"], 1, "lic: a.png: not a .lic file"),
        (["cut", "a.png", "b.lic", "--size", "9"], 1, "lic: a.png: not a .lic file"),
        (["extract", "a.png", "b.jpg"], 1, "lic: a.png: not a .lic file"),
        *(
            (["encode", "a.png", f"b{suffix}"], 2, "lic: encode writes .lic files, and")
            for suffix in (".png", ".pdf", ".mpo", ".heic", ".jxl", ".CR2")
        ),
        *(
            (["cut", "a.png", f"b{suffix}", "--size", "9"], 2, "lic: cut writes .lic files, got b.")
            for suffix in (".jpg", ".pdf", ".heic")
        ),
        *(
            (["extract", "a.png", f"b{suffix}"], 2, "lic: extract writes JPEG files, got b.")
            for suffix in (".png", ".pdf", ".heic", ".lic")
        ),
        (["convert", "a.png"], 2, "lic: convert needs at least one SRC and a DST"),
        (["convert", "a.png", "out", "--to", "xyz"], 1, "lic: Pillow cannot write .xyz files here"),
        (["convert", "a.png", "out", "-j", "0"], 1, "lic: workers must be a whole number, at least 1, got 0"),
    ],
)
def test_mistakes(
    png: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(png.parent)
    assert run(*words) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(said)
    assert captured.err.count("\n") == 1
    assert [path.name for path in png.parent.iterdir()] == ["a.png"]


def test_a_picture_over_pillows_limit(
    png: Path, lic: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    for words in (["encode", png, png.with_suffix(".lic")], ["decode", lic, lic.with_suffix(".png")]):
        assert run(*words) == 1
        assert capsys.readouterr().err.startswith("lic: Image size (6144 pixels) exceeds limit")


def test_interrupted(png: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pillow_lic.batch.conversion.convert", interrupt)
    assert run("convert", png, png.parent / "out") == 130
    assert "run the same command again to go on" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["autoload", "maybe"], ["encode"], ["convert", "a", "--so", "b"], ["info", "a", "--json", "-x"]],
)
def test_words_that_are_not_understood(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(*words)
    assert stopped.value.code == 2
    assert "usage: lic" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["convert", "restore"])
def test_names_may_stand_around_options(command: str, png: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(f"pillow_lic.commands.{command}.run", lambda args: given.append((args.paths, args.jobs)) or 0)
    assert run(command, "-q", "7", png, "-j", "2", "b.png", "c.png", "--strip", "out/") == 0
    assert given == [([str(png), "b.png", "c.png", "out/"], 2)]


def test_names_of_files_to_look_at_may_stand_around_options(
    lic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("info", lic, "--json", lic) == 0
    assert capsys.readouterr().out.count(str(lic)) == 2
    assert run("view", lic, "--out", tmp_path / "page.html", lic) == 0


def test_several_files_are_work_for_convert(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("encode", "a.png", "b.png", "c.png", "out/")
    said = capsys.readouterr().err
    assert "unrecognized arguments: c.png out/; encode takes one file, `lic convert` several" in said


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("--version")
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith("pillow-lic 0.")


def test_bench_gets_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, list[str]]] = []
    for name in ("measurement", "coder"):
        monkeypatch.setattr(f"pillow_lic.bench.{name}.main", lambda words, name=name: given.append((name, words)) or 0)
    assert run("bench", "--help", "x") == 0
    assert run("bench", "coder", "-n", "3") == 0
    assert given == [("measurement", ["--help", "x"]), ("coder", ["-n", "3"])]


def test_autoload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("pillow_lic.autoload.installation.site_directory", lambda: tmp_path)
    for what, state, files in (("status", "off", 0), ("on", "on", 3), ("status", "on", 3), ("off", "off", 0)):
        assert run("autoload", what) == 0
        assert capsys.readouterr().out.splitlines()[-1] == f"autoload is {state} in {tmp_path}"
        assert len([path for path in tmp_path.iterdir() if path.is_file()]) == files


@pytest.mark.parametrize(
    ("words", "taken", "work"),
    [
        (("demo", "a.png", "--html", "--keep", "out"), "demo.html", "bench.equal_bytes.compare"),
        (("demo", "a.png", "--keep", "out"), "demo.lic", "bench.equal_bytes.compare"),
        (("bench", ".", "--html", "--out", "out"), "bench.html", "bench.samples.run"),
        (("bench", ".", "--out", "out"), "bench.csv", "bench.samples.run"),
        (("papers", "out"), "papers.html", "papers.curves.measure"),
        (("papers", "out"), "psnr.svg", "papers.curves.measure"),
        (("probe", "--json", "out/a.json"), "a.json", "probe.probe.probe"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_minutes_of_measuring(
    words: tuple[str, ...],
    taken: str,
    work: str,
    png: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(png.parent)
    Path("out", taken).mkdir(parents=True)
    monkeypatch.setattr(f"pillow_lic.{work}", lambda *_, **__: pytest.fail("measured"))
    assert run(*words) == 1
    assert f"out/{taken}" in capsys.readouterr().err


def test_answers_that_cannot_be_kept_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk may become full in the minutes of asking."""

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pillow_lic.files.write_atomic", fail)
    assert run("probe", "--only", "LIC", "--row", "modes", "--json", tmp_path / "a.json") == 1
    said = capsys.readouterr()
    assert "RGBA" in said.out + said.err


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (RuntimeError("Failed to decode image"), "Failed to decode image"),
        (KeyError("tag"), "KeyError: 'tag'"),
        (struct.error("unpack requires 4 bytes"), "error: unpack requires 4 bytes"),
        (AssertionError(), "AssertionError"),
        (OSError(), "OSError"),
    ],
)
def test_a_plugin_that_raises_what_it_likes(
    png: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raised: Exception, said: str
) -> None:
    def broken(*_: object) -> None:
        raise raised

    monkeypatch.setattr(Image, "open", broken)
    assert run("encode", png, png.with_suffix(".lic")) == 1
    assert capsys.readouterr().err == f"lic: {said}\n"


def test_a_package_in_an_archive_says_why_it_cannot_be_there(tmp_path: Path) -> None:
    package = Path(plan.__file__).parent.parent
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("__init__.py", "process_start.py"):
            archive.write(package / name, Path("pillow_lic", name))
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'a.zip')!r}); import pillow_lic"
    found = subprocess.run([sys.executable, "-IS", "-c", program], capture_output=True, text=True, check=False)
    assert "ImportError: pillow_lic has compiled code and networks" in found.stderr
