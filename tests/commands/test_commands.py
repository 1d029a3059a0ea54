"""The room of commands: each file is one, light to import, and explains itself."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pillow_lic import __main__ as command
from pillow_lic import commands
from pillow_lic.desktop import thumbnail

COMMANDS = commands.commands()


def test_every_file_is_a_command() -> None:
    files = {path.stem for path in Path(commands.__file__).parent.glob("[!_]*.py")}
    assert set(COMMANDS) == files > {"encode", "decode", "info", "convert"}


def test_no_word_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert all(f"    {name}" in said.err for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_explained_in_the_list_and_in_its_own_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], [name, "--help"]):
        with pytest.raises(SystemExit) as stopped:
            command.main(words)
        assert stopped.value.code == 0
    assert name in capsys.readouterr().out
    assert COMMANDS[name].SUMMARY.endswith(".")


def test_a_word_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["desktop"])
    assert capsys.readouterr().err.endswith("required: on|off|status|thumbnails\n")


def test_the_help_of_bench_names_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["bench", "--help"])
    said = capsys.readouterr().out
    assert [name for name in COMMANDS["bench"]._MODULES if f"{name}," not in said] == []


@pytest.mark.parametrize("name", ["encode", "convert"])
def test_help_speaks_of_what_a_command_line_can_say(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main([name, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "--exact" in said
    assert not [word for word in ("mask", "uint8", "Image.info", "True", "False") if word in said]


@pytest.mark.parametrize(
    "words",
    [["coder", "--symbols"], ["coder", "--repeats"], ["profile", "a.png", "--repeats"], ["times", ".", "--rounds"]],
)
def test_a_count_of_nothing_is_named_with_what_is_legal(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for count in ("0", "1.5"):
        with pytest.raises(SystemExit) as stopped:
            command.main(["bench", *words, count])
        assert stopped.value.code == 2
        assert f"{words[-1]}: must be a whole number, at least 1, got '{count}'" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in COMMANDS if hasattr(COMMANDS[name], "run")])
def test_the_examples_are_understood(name: str) -> None:
    lines = [line for line in COMMANDS[name].EXAMPLES.splitlines() if line.strip()]
    assert lines
    for line in lines:
        words = shlex.split(line.partition("#")[0])
        words = words[words.index("lic") + 1 :]
        if ">" in words:
            words = words[: words.index(">")]
        assert command._parser().parse_args(words).run is COMMANDS[name].run


BENCH = [(), ("coder",), ("profile",), ("boxes",), ("restore",), ("prefixes",), ("times",)]


@pytest.mark.parametrize("words", [*((name,) for name in COMMANDS), *(("bench", *words) for words in BENCH)])
def test_every_help_has_examples_and_every_number_a_range(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.main([*words, "--help"])
    said = capsys.readouterr().out
    assert "examples:\n  lic" in said
    numbers = re.findall(r"\n  (?:-\w \w+, )?--[\w-]+ (?:N|K|Q|BYTES|DB|BPP|N,N|Q,Q)\n? .*(?:\n {20,}.*)*", said)
    for text in numbers:
        assert re.search(
            r"[0-9]-[0-9]|or more|positive|above 0|more than 0|own scale|CODEC=", " ".join(text.split())
        ), text


def test_sizes_of_thumbnails_are_those_that_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["thumbnail", "--help"])
    assert f"1-{thumbnail.MAX_SIZE}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("--limit", "x"),
        ("--limit", "0"),
        ("--repeats", "-1"),
        ("--crops", "1.5"),
        ("--crops-at", "nan"),
        ("--crops-at", "x"),
    ],
)
def test_wrong_numbers_of_bench_are_named(words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["bench", ".", *words])
    assert re.search(rf"{words[0]}: must be a .*, got '{words[1]}'", capsys.readouterr().err)


def test_commands_load_nothing_heavy() -> None:
    program = "import sys, pillow_lic.commands; pillow_lic.commands.commands(); print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"numpy", "onnxruntime", "asyncio", "multiprocessing"}.isdisjoint(ran.stdout.split())


@pytest.mark.parametrize(
    "words",
    [
        *(["view", ""], ["papers", ""], ["papers", "page", "--pictures", ""], ["desktop", "thumbnails", ""], ["info", ""]),
        *(["bench", ""], ["bench", "times", ""], ["bench", "prefixes", ""], ["bench", "restore", ""], ["bench", "boxes", ""]),
        *(["bench", "profile", ""], ["cut", "", "b.lic", "--size", "1k"], ["extract", "", "b.jpg"], ["restore", "", "out"]),
        *(["demo", ""], ["decode", "", "."], ["encode", ".", "."], ["extract", "", "./"]),
        *(["decode", "", "b.png"], ["encode", "", "b.lic"], ["dump", "", "b.npz"], ["thumbnail", "", "b.png"]),
    ],
)  # fmt: skip
def test_an_empty_name_is_no_folder(
    words: list[str], lic: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a shell writes a variable that is not set; `Path` takes it for the working directory, which has a picture here."""
    monkeypatch.chdir(lic.parent)
    before = sorted(Path().rglob("*"))
    assert command.main(words) in (1, 2)
    assert "lic" in capsys.readouterr().err
    assert [path for path in sorted(Path().rglob("*")) if path != Path("page")] == before


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize(
    "words",
    [
        *(["view", "{}", "--out", "{}", "-f"], ["thumbnail", "{}", "{}"], ["cut", "{}", "{}", "--size", "300", "-f"]),
        *(["extract", "{}", "{}", "-f"], ["dump", "{}", "{}", "-f"], ["info", "{}", "--map", "{}", "-f"]),
        *(["decode", "{}", "{}", "-f"], ["encode", "{}", "{}", "-f"], ["convert", "{}", "{}", "-f"], ["restore", "{}", "{}", "-f"]),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_no_command_writes_over_its_source(words: list[str], linked: bool, lic: Path) -> None:
    before, target = lic.read_bytes(), lic
    if linked:
        target = lic.with_name("link.lic")
        target.symlink_to(lic)
    first = words.index("{}")
    named = [*words[:first], str(lic), *(str(target) if word == "{}" else word for word in words[first + 1 :])]
    assert command.main(named) in (1, 2)
    assert lic.read_bytes() == before


def test_extract_writes_no_jpeg_under_another_name(lic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["extract", str(lic), str(lic.with_name("b.png"))]) == 2
    assert "extract writes JPEG files, got" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["cut", "--size", "9"], ["extract"], ["decode"], ["dump"], ["info"], ["thumbnail"]],
    ids=lambda words: words[0],
)
def test_a_file_of_another_format_is_named_once(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, suffixes = tmp_path / "other.lic", {"cut": ".lic", "dump": ".npz"}
    Image.new("L", (8, 8)).save(source, "PNG")
    target = [] if words[0] == "info" else [str(tmp_path / f"new{suffixes.get(words[0], '')}")]
    assert command.main([words[0], str(source), *target, *words[1:]]) == 1
    assert capsys.readouterr().err.count(str(source)) == 1
