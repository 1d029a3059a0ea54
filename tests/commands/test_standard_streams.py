"""Standard input, output and error of `lic`: pictures through pipes, closed and full ones, names that they cannot encode."""

import errno
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from commands.command_line import run
from pillow_lic import __main__ as command
from pillow_lic.fileformat import header


def test_standard_input_and_output(png: Path) -> None:
    def lic(*words: str, data: bytes) -> bytes:
        arguments = [sys.executable, "-m", "pillow_lic", *words]
        return subprocess.run(arguments, input=data, capture_output=True, check=True, cwd=png.parent).stdout

    coded = lic("encode", "-", "-", "-q", "3", data=png.read_bytes())
    assert coded.startswith(header.MAGIC)
    assert json.loads(lic("info", "--json", "-", data=coded))["quality"] == pytest.approx(3, abs=0.01)
    with Image.open(io.BytesIO(lic("decode", "-", "-", data=coded))) as im:
        assert (im.format, im.size) == ("PNG", (96, 64))


@pytest.mark.parametrize(
    ("words", "closed", "said"),
    [
        (["info", "-"], "stdin", "lic: -: standard input is closed\n"),
        (["encode", "-", "b.lic"], "stdin", "lic: standard input is closed\n"),
        (["encode", "a.png", "-"], "stdout", "lic: standard output is closed\n"),
    ],
)
def test_closed_standard_input_and_output(
    png: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    closed: str,
    said: str,
) -> None:
    monkeypatch.chdir(png.parent)
    monkeypatch.setattr(sys, closed, None)  # as Python has it after <&- or >&-
    assert command.main(words) == 1
    assert capsys.readouterr().err == said


def test_a_name_that_standard_output_cannot_encode(png: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "pillow_lic", "encode", "a.png", "\u00e9.lic"],
        capture_output=True,
        cwd=png.parent,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (result.returncode, result.stdout[:10]) == (0, rb"\xe9.lic: ")
    assert b"lic:" not in result.stderr


def test_words_that_the_locale_has_no_letters_for() -> None:
    """In a C locale without UTF-8 mode standard output takes the bytes of names, and nothing else outside ASCII."""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "pillow_lic", "models"]
    result = subprocess.run(command, capture_output=True, env=os.environ | plain)
    assert (result.returncode, result.stderr) == (0, b"")
    assert rb"\xe9" in result.stdout


def test_a_name_of_two_lines_stays_on_one(png: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = png.with_name("a\nlic: all is well.png")
    odd.write_bytes(png.read_bytes())
    target = odd.with_suffix(".lic")
    assert run("encode", odd, target) == 0
    assert run("convert", odd, png.parent / "out", "-v") == 0
    assert run("convert", odd, png.parent / "other", "-n") == 0
    assert run("decode", target, odd.with_suffix(".bmp")) == 0
    said = capsys.readouterr()
    assert [line for line in (said.out + said.err).splitlines() if line.startswith("lic: all")] == []
    assert "a\\nlic: all is well" in said.out


def test_standard_input_that_holds_no_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["encode", "-", tmp_path / "a.lic"], ["decode", "-", tmp_path / "a.png"]):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"no picture")))
        assert run(*words) == 1
        assert "standard input" in capsys.readouterr().err


def test_closed_standard_error(png: Path) -> None:
    words = f"{shlex.quote(sys.executable)} -m pillow_lic convert a.png out 2>&-"
    result = subprocess.run(["sh", "-c", words], cwd=png.parent, capture_output=True, check=False)
    assert (result.returncode, (png.parent / "out/a.lic").exists()) == (0, True)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX descriptors")
def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    """What a library prints would go into it."""
    program = (
        "import os, sys\n"
        "os.closerange(0, 3)\n"
        "sys.stdin = sys.stdout = sys.stderr = None\n"
        "from pillow_lic.__main__ import main\n"
        "sys.argv[1:] = ['models']\n"
        "main()\n"
        "open('found', 'w').write(' '.join(os.readlink(f'/proc/self/fd/{number}') for number in range(3)))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert (tmp_path / "found").read_text().split() == ["/dev/null"] * 3


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
@pytest.mark.parametrize(
    "words", [["--help"], ["models"], ["info", "a.lic"], ["decode", "a.lic", "-"], ["encode", "a.png", "b.lic"]]
)
def test_a_full_standard_output_is_one_sentence(png: Path, words: list[str]) -> None:
    """Also where it is noticed at the end, because Python keeps what is printed until then; never a traceback of its own."""
    assert run("encode", png, png.with_name("a.lic"), "-q", 2) == 0
    done = lic_into("/dev/full", words, png.parent)
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        [f"lic: [Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}: 'standard output'"],
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
def test_a_full_standard_output_is_named_where_it_is_written_at_once(tmp_path: Path) -> None:
    program = [sys.executable, "-u", "-m", "pillow_lic", "models"]
    with open("/dev/full", "wb") as stream:
        done = subprocess.run(program, stdout=stream, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False)
    assert done.stderr == f"lic: [Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}: 'standard output'\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes of POSIX")
@pytest.mark.parametrize("words", [["--help"], ["models"], ["models", "--json"]])
def test_a_reader_that_is_gone_is_no_fault(tmp_path: Path, words: list[str]) -> None:
    """As that of `lic models | head -1` may be."""
    read, write = os.pipe()
    os.close(read)
    done = lic_into(write, words, tmp_path)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def lic_into(output: str | int, words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `lic` with standard output kept back until its end, as users have it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    program = [sys.executable, "-m", "pillow_lic", *words]
    with open(output, "wb", closefd=isinstance(output, str)) as stream:
        return subprocess.run(
            program, stdout=stream, stderr=subprocess.PIPE, text=True, cwd=folder, env=environment, check=False
        )


class Full(io.StringIO):
    """Standard output on a full disk."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_is_wrong_with_standard_output_is_not_said_of_a_file(
    png: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("encode", png, png.with_suffix(".lic")) == 0
    monkeypatch.setattr(sys, "stdout", Full())
    assert run("info", png.with_suffix(".lic")) == 1
    said = capsys.readouterr().err
    assert "No space left" in said
    assert "a.lic" not in said


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no name of standard output")
@pytest.mark.parametrize(
    ("words", "end"),
    [
        (("info", "a.lic", "--map", "/dev/stdout"), b"IEND\xaeB`\x82"),
        (("view", "a.lic", "a.lic", "--out", "/dev/stdout", "-f"), b"</html>\n"),
        (("decode", "a.lic", "/dev/stdout", "--format", "png"), b"IEND\xaeB`\x82"),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else "",
)
def test_no_words_are_mixed_into_data_on_standard_output(png: Path, words: tuple[str, ...], end: bytes) -> None:
    assert run("encode", png, png.with_name("a.lic"), "--roi", "0,0,20,20") == 0
    program = [sys.executable, "-m", "pillow_lic", *words]
    assert subprocess.run(program, stdout=subprocess.PIPE, cwd=png.parent, check=True).stdout.endswith(end)
    with open(png.with_name("out"), "wb") as out:
        subprocess.run(program, stdout=out, cwd=png.parent, check=True)
    assert png.with_name("out").read_bytes().endswith(end)


def test_convert_makes_no_folder_of_a_minus(
    png: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(png.parent)
    assert run("convert", "a.png", "-") == 2
    assert "not to standard output" in capsys.readouterr().err
    assert not os.path.exists("-")
