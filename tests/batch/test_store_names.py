"""Names of places in stores of fsspec, archives and chains of stores among them: what they mean, and which are refused."""

from __future__ import annotations

import io
import os
import pickle
import sys
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

import pillow_lic
from batch.object_stores import names, put
from pillow_lic import __main__ as command
from pillow_lic.batch import plan
from pillow_lic.batch.stores import StorePath

fsspec = pytest.importorskip("fsspec")


def test_parts_of_a_url() -> None:
    place = StorePath("memory://a/b.tar.png/")
    assert (str(place), place.name, place.suffix) == ("memory://a/b.tar.png", "b.tar.png", ".png")
    assert str(StorePath("memory://a") / PurePosixPath("b/c.lic")) == "memory://a/b/c.lic"
    assert str(StorePath("memory://") / PurePosixPath("c.lic")) == "memory://c.lic"
    assert pickle.loads(pickle.dumps(place)) == place


def zipped(url: str, *names: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    put(url, stream.getvalue())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("simplecache::memory://top", ""),
        ("filecache::memory://top", ""),
        ("zip://top", "::memory://a.zip"),
        ("simplecache::zip://top", "::memory://a.zip"),
        ("zip://top", "::simplecache::memory://a.zip"),
    ],
)
def test_chained_urls(before: str, after: str, memory: Any) -> None:
    for name in ("top/a.png", "top/sub/b.png"):
        put(f"memory://{name}")
    zipped("memory://a.zip", "top/a.png", "top/sub/b.png")
    place = StorePath(f"{before}/a.png{after}")
    assert (place.name, place.suffix, place.read_only, place.kind()) == ("a.png", ".png", False, "file")
    folder = StorePath(f"{before}/{after}")
    assert str(folder) == f"{before}{after}"
    assert str(folder / PurePosixPath("a.png")) == str(place)
    assert place.is_relative_to(folder)
    assert not place.is_relative_to(folder / PurePosixPath("a"))
    assert [(str(file), str(below)) for file, below in folder.walk(None, print)] == [
        (f"{before}/a.png{after}", "a.png"),
        (f"{before}/sub/b.png{after}", "sub/b.png"),
    ]
    assert [str(found) for found, _ in StorePath(f"{before}/**/*.png{after}").glob()] == [
        f"{before}/a.png{after}",
        f"{before}/sub/b.png{after}",
    ]


def test_all_of_an_archive(memory: Any) -> None:
    zipped("memory://a.zip", "a.png")
    found = plan.plan(["zip::memory://a.zip"], "simplecache::memory://out", ".lic")
    assert names(found, "") == [("zip://a.png::memory://a.zip", "simplecache::memory://out/a.lic")]


def test_names_in_an_archive_that_no_folder_leads_to_are_failures(tmp_path: Path) -> None:
    """fsspec lists neither absolute names nor those with empty parts."""
    archive = tmp_path / "a.zip"
    odd = ["/abs/a.png", "x//b.png"]
    with zipfile.ZipFile(archive, "w") as file:
        for name in (*odd, "x/c.png", "d.png"):
            file.writestr(name, b"")
    url = f"zip://::{archive}"
    found = plan.plan([url], tmp_path / "out", ".lic")
    assert [pair.target.name for pair in found if not pair.problem] == ["d.lic", "c.lic"]
    assert [pair.source for pair in found if pair.problem] == [StorePath(f"zip://{name}::{archive}") for name in odd]
    below = plan.plan([f"zip://x::{archive}"], tmp_path / "out", ".lic")
    assert [bool(pair.problem) for pair in below] == [False, True]


def test_a_name_in_an_archive_that_no_url_has_costs_itself_only(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("a.png", "b::c.png", "d.png"):
            file.writestr(name, b"")
    found = plan.plan([f"zip://::{archive}"], tmp_path / "out", ".lic")
    assert [pair.target.name for pair in found if not pair.problem] == ["a.lic", "d.lic"]
    (odd,) = (pair.problem for pair in found if pair.problem)
    assert odd.startswith("no URL is of 'b::c.png', which is in it: ")


def test_long_names_in_a_store_that_renames(tmp_path: Path) -> None:
    name = "\N{CJK UNIFIED IDEOGRAPH-7167}" * 83 + ".lic"
    StorePath(f"local://{tmp_path.as_posix()}/{name}").write_atomic(b"x")
    assert os.listdir(tmp_path) == [name]


def test_a_cache_before_a_store_is_written_through(memory: Any) -> None:
    StorePath("simplecache::memory://out/a.lic").write_atomic(b"new")
    assert StorePath("memory://out/a.lic").read_bytes() == b"new"


def test_places_beside_a_relative_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put("local://./in/a.png")
    ((found, below),) = StorePath("local://./in").walk(None, print)
    assert (found.read_bytes(), str(below)) == (b"x", "a.png")


def test_the_query_of_a_web_address_is_no_part_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StorePath, "_at", lambda self: (None, ""))
    place = StorePath("https://host/pictures/a.png?width=3")
    assert (place.name, place.suffix, place.read_only) == ("a.png", ".png", True)


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        (
            "nonsense://a/b",
            ValueError,
            "nonsense://a/b is no URL that fsspec understands: Protocol not known: nonsense",
        ),
        ("zip://*.png::memory://none.zip", OSError, "cannot open zip://.*none.zip"),
    ],
)
def test_urls_that_cannot_be_used(url: str, kind: type[Exception], said: str, memory: Any, tmp_path: Path) -> None:
    with pytest.raises(kind, match=said):
        pillow_lic.convert(url, tmp_path / "out")
    with pytest.raises(kind, match=said):
        pillow_lic.convert(tmp_path, url)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    missing = "Install no_such_package to reach it"
    fsspec.register_implementation("rare", "no_such_package.System", clobber=True, errtxt=missing)
    assert command.main(["convert", "rare://a", "out"]) == 1
    assert capsys.readouterr().err == "lic: rare:// needs one package more: Install no_such_package to reach it\n"
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    assert command.main(["convert", "memory://a", "out"]) == 1
    assert capsys.readouterr().err == 'lic: memory:// needs fsspec: pip install "pillow-lic[fsspec]"\n'


def test_nothing_is_written_to_the_web(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(StorePath, "_at", lambda self: (None, ""))
    with pytest.raises(ValueError, match="destination must be a place that can be written, got https://host/out"):
        pillow_lic.convert(tmp_path, "https://host/out")
