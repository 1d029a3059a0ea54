"""`lic probe`: rows whose answers are known for JPEG and LIC, and that a child that dies or hangs is an answer."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from pillow_lic import __main__ as command
from pillow_lic.probe import probe, questions
from pillow_lic.probe.plugins import PLUGINS, Plugin
from pillow_lic.probe.probe import Answer

KNOWN: dict[str, tuple[bool | str, bool | str]] = {
    "verify_cut": (False, True),
    "parser": (True, True),
    "pickled": (True, True),
    "frames": (False, True),
    "modes": ("L, RGB", True),
    "alpha": ("n.a.", True),
    "exif": (True, True),
    "exif_out": ('b""', True),
    "xmp": (True, True),
    "icc": (True, True),
    "icc_kept": (False, True),
    "unknown_option": (False, True),
    "quality_error": ("accepted", True),
    "resaved": (True, True),
    "failed_save": (False, False),
    "failed_own_save": ("n.a.", True),
}


@pytest.mark.parametrize("key", KNOWN)
def test_known_answers(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", False)  # a row leaves it changed
    jpeg, lic = (questions.ROWS[key].ask(PLUGINS[name]) for name in ("JPEG", "LIC"))
    assert (jpeg, lic) == KNOWN[key]


def test_a_cut_file_shows_all_of_a_small_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", False)
    jpeg, lic = (str(questions.ROWS["part_small"].ask(PLUGINS[name])) for name in ("JPEG", "LIC"))
    assert int(jpeg.split("%")[0]) > 40
    assert int(lic.split()[1]) > int(jpeg.split()[1])


def test_every_row_states_its_method() -> None:
    assert len(questions.ROWS) > 25
    assert all(row.title and row.ask.__doc__ for row in questions.ROWS.values())


def test_an_exception_in_the_child_is_an_error() -> None:
    assert probe.ask("JPEG", "save_all") == Answer("error", "KeyError: 'JPEG'")


def test_another_plugin_does_not_answer() -> None:
    jpeg = PLUGINS["JPEG"]
    other = Plugin("JPEG", "pillow_other", "pillow", "")
    with pytest.raises(LookupError, match="JPEG was opened by PIL.JpegImagePlugin, not by pillow_other"):
        other.open(jpeg.encode(Image.new("L", (4, 4))))


@pytest.mark.skipif(sys.platform == "win32", reason="the children are shell scripts")
@pytest.mark.parametrize(
    ("program", "answer"),
    [("kill -SEGV $$", Answer("crash", "exit code -11")), ("exec sleep 9", Answer("hang", "no answer in 0.3 s"))],
)
def test_the_end_of_the_child_is_an_answer(
    program: str, answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\n{program}\n")
    script.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(script))
    monkeypatch.setitem(
        questions.ROWS, "frames", questions.ROWS["frames"]._replace(limit=0.3 if answer.word == "hang" else 60)
    )
    assert probe.ask("JPEG", "frames") == answer


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["probe", "--only", "JPEG", "--only", "LIC", "--row", "frames", "--json", str(tmp_path / "a.json")]
    assert command.main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["JPEG", "LIC"]
    assert lines[1].split() == ["n_frames", "and", "is_animated", "are", "there", "no", "yes"]
    raw = json.loads((tmp_path / "a.json").read_text())
    assert raw["rows"][0]["answers"]["LIC"] == {"word": "yes", "detail": ""}
    assert raw["versions"]["LIC"].startswith("pillow-lic 0.")
    assert command.main([*words, "--markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["|  | JPEG | LIC |", "|---|---|---|", "| `n_frames` and `is_animated` are there | no | yes |"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--only", "GIF"], 2, "lic: not installed: GIF"),
        (["--only", "LIC", "--row", "nonsense"], 1, "row must be one of lazy, bomb"),
    ],
)
def test_wrong_words(words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["probe", *words]) == code
    assert said in capsys.readouterr().err
