"""The files that folders and patterns stand for: listed whole, each once, or named as what could not be."""

import glob
import os
from pathlib import Path

import pytest
from made.trees import names, touch

from pillow_lic.batch import locations, plan


def test_patterns(tmp_path: Path) -> None:
    touch(tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.jpg", tmp_path / "s/d.png", tmp_path / "x[1].png")
    found = plan.plan([tmp_path / "*.png"], tmp_path / "out", ".lic")
    assert [pair.source.name for pair in found] == ["a.png", "b.png", "x[1].png"]
    found = plan.plan([tmp_path / "**/*.png"], tmp_path / "out", ".lic")
    assert [pair.source.name for pair in found] == ["a.png", "b.png", "d.png", "x[1].png"]
    found = plan.plan([tmp_path / "x[1].png"], tmp_path / "out", ".lic")
    assert [pair.problem for pair in found] == [""]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.png")
    os.mkfifo(tmp_path / "in/b.png")
    told: list[tuple[str, str]] = []
    found = plan.plan(
        [tmp_path / "in"], tmp_path / "out", ".lic", passed_over=lambda place, reason: told.append((place.name, reason))
    )
    assert [pair.source.name for pair in found] == ["a.png"]
    assert told == [("b.png", "pipe or device")]


def test_a_directory_that_cannot_be_listed_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "in/a.png", tmp_path / "in/secret/b.png")
    original = os.scandir

    def refusing(path: str) -> object:
        if os.path.basename(path) == "secret":
            raise PermissionError(13, "Permission denied", path)
        return original(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = plan.plan([tmp_path / "in"], tmp_path / "out", ".lic")
    assert [(pair.source.name, pair.problem[:30]) for pair in found] == [
        ("a.png", ""),
        ("secret", "[Errno 13] Permission denied: "),
    ]


def test_two_stars_stand_for_files(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.png", tmp_path / "in/sub/b.png", tmp_path / "in/sub/raw/c.png")
    found = plan.plan([tmp_path / "in/**"], tmp_path / "out", ".lic")
    assert names(found, tmp_path) == [
        ("in/a.png", "out/a.lic"),
        ("in/sub/b.png", "out/b.lic"),
        ("in/sub/raw/c.png", "out/c.lic"),
    ]
    found = plan.plan([tmp_path / "in/**/raw"], tmp_path / "out", ".lic")
    assert names(found, tmp_path) == [("in/sub/raw/c.png", "out/c.lic")]


@pytest.mark.parametrize("top", [".", os.sep])
def test_a_directory_without_a_name_that_cannot_be_listed(top: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(path: str) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refusing)
    (pair,) = plan.plan([top], "out", ".lic")
    assert (pair.source, pair.problem[:28]) == (Path(top), "[Errno 13] Permission denied")


def test_two_stars_enter_no_folder_twice(tmp_path: Path) -> None:
    """Each link in a circle would double what is found, until names are too long: for hours."""
    touch(tmp_path / "in/a.png", tmp_path / "in/sub/b.png", tmp_path / "else/c.png")
    for name, aim in (("in/self", "."), ("in/sub/up", ".."), ("in/sub/out", "../../else")):
        (tmp_path / name).symlink_to(aim, target_is_directory=True)
    found = plan.plan([tmp_path / "in/**"], tmp_path / "out", ".lic")
    assert sorted(pair.source.name for pair in found) == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize("pattern", ["**", "in/**", "in/**/*.png", "*/**/sub*", "in/**/sub/**", "**/.*", "in/a**"])
def test_two_stars_are_those_of_glob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    touch(*(tmp_path / "in" / name for name in ("a.png", "sub/b.png", "sub/sub2/c.png", ".hidden/d.png", "[e]/f.png")))
    for top in ("", f"{tmp_path}{os.sep}"):
        monkeypatch.chdir(tmp_path)
        expected = {Path(name) for name in glob.glob(top + pattern, recursive=True)}
        files = {name for name in expected if not name.is_dir()}
        assert set(locations.matches(Path(top + pattern))) == (files if files and "**" in pattern else expected)
