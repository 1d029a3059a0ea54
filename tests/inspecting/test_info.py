"""`lic info`: what files say about themselves, in words and as JSON, good ones and bad."""

import json
from pathlib import Path

import pytest
from commands.command_line import run
from made.trees import not_entered, not_listed

from pillow_lic.engine import models
from pillow_lic.fileformat import container, header


def test_info_of_an_importance_section_that_holds_none(lic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = container.unpack(lic.read_bytes())
    lic.write_bytes(container.pack(parts.header, [bytes(parts.tiles[0])], importance=b"no zlib"))
    assert run("info", lic) == 1
    assert "importance section is damaged" in capsys.readouterr().out


def test_info_as_json(lic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lic.write_bytes(lic.read_bytes() + b"more")
    assert run("info", lic, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert [section["name"] for section in facts["sections"]] == ["EXIF", "XMP", "tile"]
    assert (facts["width"], facts["height"], facts["mode"], facts["trailing"]) == (96, 64, "RGB", 4)
    assert facts["damage"] is None
    assert facts["importance"] is None
    assert facts["model"] == models.choose(None).name
    assert run("info", lic) == 0
    assert "4 bytes that are not part of the picture" in capsys.readouterr().out


def test_info_of_bad_files(lic: Path, png: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lic.write_bytes(lic.read_bytes()[:-5])
    assert run("info", lic.with_name("none.lic"), png, lic) == 1
    captured = capsys.readouterr()
    assert "ends inside its tile section" in captured.out
    assert "none.lic: [Errno 2]" in captured.err
    assert f"lic: {png}: not a .lic file" in captured.err


def test_info_of_a_model_this_release_does_not_have(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = header.write_header(header.Header("RGB", 8, 8, 0, 77, b"abcd", 500))
    (tmp_path / "a.lic").write_bytes(data)
    assert run("info", tmp_path / "a.lic") == 1
    assert "not in this release (number 77, hash 61626364)" in capsys.readouterr().out


def test_info_of_a_folder_tells_of_every_file_and_of_what_it_cannot_see(
    lic: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a/1.lic", "b/2.lic", "c/3.LIC", "d/4.lic", "d/._4.lic"):
        (lic.parent / name).parent.mkdir(exist_ok=True)
        (lic.parent / name).write_bytes(lic.read_bytes() if "._" not in name else b"beside-file of macOS")
    not_entered(monkeypatch, lic.parent / "b")
    not_listed(monkeypatch, lic.parent / "c")
    assert run("info", lic.parent, "--json") == 1
    said = capsys.readouterr()
    told = [Path(json.loads(line)["file"]) for line in said.out.splitlines()]
    assert told == [lic, *(lic.parent / name for name in ("a/1.lic", "d/4.lic"))]
    refused = f"[Errno 13] Permission denied: '{lic.parent}"
    assert said.err.splitlines() == [f"lic: {refused}/c'", f"lic: {lic.parent}/b/2.lic: {refused}/b/2.lic'"]
