"""Sources and destinations in stores of fsspec: an object store (memory://) and one with folders and renames (local://)."""

from __future__ import annotations

import io
import os
import pickle
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from PIL import Image

import pillow_lic
from pillow_lic import __main__ as command
from pillow_lic.batch import jobs, locations, plan
from pillow_lic.batch.plan import Pair
from pillow_lic.batch.stores import StorePath

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def memory() -> Iterator[Any]:
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.fixture(params=["memory", "local"])
def root(request: pytest.FixtureRequest, memory: Any, tmp_path: Path) -> str:
    """The URL of an empty folder."""
    return "memory://top" if request.param == "memory" else f"local://{tmp_path.as_posix()}/top"


def put(url: str, data: bytes = b"x") -> None:
    system, path = fsspec.core.url_to_fs(url)
    system.makedirs(system._parent(path), exist_ok=True)
    system.pipe_file(path, data)


def names(found: list[Pair], root: str) -> list[tuple[str, str]]:
    return [(str(pair.source).removeprefix(root), str(pair.target).removeprefix(root)) for pair in found]


# Names


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


# Pairing


def test_folders_patterns_and_files(root: str) -> None:
    for name in ("in/a.png", "in/sub/b.jpg", "in/notes.txt", "in/old.lic", "in/out/c.png"):
        put(f"{root}/{name}")
    found = plan.plan([f"{root}/in"], f"{root}/in/out", ".lic", readable=lambda place: place.suffix != ".txt")
    assert names(found, root) == [("/in/a.png", "/in/out/a.lic"), ("/in/sub/b.jpg", "/in/out/sub/b.lic")]
    found = plan.plan([f"{root}/in/*.png", f"{root}/in/**/*.jpg"], f"{root}/out", ".lic")
    assert names(found, root) == [("/in/a.png", "/out/a.lic"), ("/in/sub/b.jpg", "/out/b.lic")]
    found = plan.plan([f"{root}/in/**"], f"{root}/other", ".lic", readable=lambda place: place.suffix != ".txt")
    assert [pair.target.name for pair in found] == ["a.lic", "notes.lic", "old.lic", "c.lic", "b.lic"]
    found = plan.plan([f"{root}/in/a.png"], f"{root}/one.lic", ".lic")
    assert names(found, root) == [("/in/a.png", "/one.lic")]
    found = plan.plan([f"{root}/in/a.png"], f"{root}/in/sub", ".lic")
    assert names(found, root) == [("/in/a.png", "/in/sub/a.lic")]


def test_what_is_not_there(root: str, tmp_path: Path) -> None:
    put(f"{root}/a.png")
    found = plan.plan([f"{root}/none*", f"{root}/gone/b.png"], tmp_path, ".lic")
    assert [pair.problem for pair in found] == [
        f"no file or folder matches {root}/none*",
        f"no file or folder matches {root}/gone/b.png",
    ]


def test_a_folder_that_cannot_be_listed_is_not_passed_over(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put("memory://in/a.png")
    put("memory://in/secret/b.png")
    original = type(memory).ls

    def refusing(self: Any, path: str, detail: bool = True, **more: Any) -> Any:
        if path.endswith("secret"):
            msg = "Access Denied"
            raise PermissionError(msg)
        return original(self, path, detail, **more)

    monkeypatch.setattr(type(memory), "ls", refusing)
    found = plan.plan(["memory://in"], "memory://out", ".lic")
    assert [(str(pair.source), pair.problem) for pair in found] == [
        ("memory://in/a.png", ""),
        ("memory://in/secret", "cannot list memory://in/secret: Access Denied"),
    ]


# Writing


def test_the_old_file_or_the_new(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = StorePath(f"{root}/deep/a.lic")
    place.write_atomic(b"old")
    place.write_atomic(b"new")
    assert place.read_bytes() == b"new"
    system, _ = place._at()
    step = "pipe_file" if root.startswith("memory") else "mv"

    def fail(*_: object, **__: object) -> None:
        msg = "no space left"
        raise RuntimeError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(type(system), step, fail)
        with pytest.raises(OSError, match=f"cannot write {place}: no space left"):
            place.write_atomic(b"newer")
    assert place.read_bytes() == b"new"
    assert [str(file) for file, _ in StorePath(root).walk(None, lambda *_: None)] == [str(place)]


def test_a_folder_is_no_file(root: str) -> None:
    put(f"{root}/a.png")
    put(f"{root}/a.lic/b.png")
    source, folder = StorePath(f"{root}/a.png"), StorePath(f"{root}/a.lic")
    assert not locations.is_current(folder, source)
    with pytest.raises(OSError, match=f"cannot write {folder}: "):
        folder.write_atomic(b"new")
    assert [file.name for file, _ in StorePath(root).walk(None, print)] == ["a.png", "b.png"]


def test_a_bucket_that_is_not_there(
    memory: Any, photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo.save(tmp_path / "a.png")

    def absent(*_: object, **__: object) -> None:
        msg = "The specified bucket does not exist"
        raise FileNotFoundError(msg)

    monkeypatch.setattr(type(memory), "pipe_file", absent)
    summary = pillow_lic.convert(tmp_path / "a.png", "memory://bucket/out")
    said = "cannot write memory://bucket/out/a.lic: The specified bucket does not exist"
    assert [result.error for result in summary.failed] == [said]


# Pictures


def test_there_and_back(root: str, photo: Image.Image, tmp_path: Path) -> None:
    stream = io.BytesIO()
    photo.save(stream, "PNG")
    for name in ("a.png", "sub/b.png"):
        put(f"{root}/in/{name}", stream.getvalue())
    put(f"{root}/in/bad.png", b"no picture")
    summary = pillow_lic.convert(f"{root}/in", f"{root}/out", quality=3)
    assert sorted(str(result.pair.target) for result in summary.done) == [f"{root}/out/a.lic", f"{root}/out/sub/b.lic"]
    assert [str(result.pair.source) for result in summary.failed] == [f"{root}/in/bad.png"]
    assert summary.bytes_in == 2 * len(stream.getvalue())
    with Image.open(io.BytesIO(StorePath(f"{root}/out/a.lic").read_bytes())) as im:
        assert im.info["lic_quality"] == pytest.approx(3, abs=0.01)
        assert summary.bytes_out == 2 * im.fp.seek(0, 2)  # type: ignore[union-attr]
    back = pillow_lic.convert(f"{root}/out/**/*.lic", tmp_path / "back", to="png")
    assert sorted(os.listdir(tmp_path / "back")) == ["a.png", "b.png"]
    made = StorePath(f"{root}/out/a.lic").stat().st_mtime
    assert made is not None
    assert (tmp_path / "back/a.png").stat().st_mtime == pytest.approx(made, abs=0.001)
    assert back.failed == []


def test_what_is_wrong_with_a_file_in_a_store_is_said_with_its_name(root: str, tmp_path: Path) -> None:
    """In Pillow's words too, which know of a stream without a name."""
    for name, data in (
        ("a.lic", b""),
        ("b.lic", b"other bytes"),
        ("c.lic", pillow_lic.encode(Image.new("L", (9, 9)))[:-1]),
    ):
        put(f"{root}/{name}", data)
    found = pillow_lic.convert(root, tmp_path / "out", to="png")
    unknown = [f"cannot identify image file {f'{root}/{name}'!r}" for name in ("a.lic", "b.lic")]
    assert [result.error for result in found.failed[:2]] == [f"{unknown[0]}: it is empty", unknown[1]]
    assert found.failed[2].error.startswith("file ends inside its tile section")


def test_what_is_finished_is_skipped(root: str, tmp_path: Path) -> None:
    put(f"{root}/in/a.png")
    put(f"{root}/in/b.png")

    def copy(pair: Pair) -> None:
        assert isinstance(pair.source, StorePath)
        locations.deliver(pair.source.read_bytes(), pair.target, locations.state(pair.source))

    for destination in (f"{root}/out", tmp_path / "out"):
        found = plan.plan([f"{root}/in"], destination, ".lic")
        assert len(jobs.run(found, copy).done) == 2
        assert [result.bytes_out for result in jobs.run(found, copy).skipped] == [1, 1]
        assert len(jobs.run(found, copy, force=True).done) == 2


def test_without_times_it_is_enough_to_be_there(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put("memory://a.png")
    put("memory://a.lic")
    source, target = StorePath("memory://a.png"), StorePath("memory://a.lic")
    put("memory://a.png")
    memory.store["/a.lic"].modified = memory.store["/a.png"].modified.replace(year=2000)
    assert not locations.is_current(target, source)

    def unknown(self: Any, path: str) -> None:
        raise NotImplementedError

    monkeypatch.setattr(type(memory), "modified", unknown)
    assert locations.is_current(target, source)
    put("memory://a.lic", b"")
    assert not locations.is_current(target, source)


@pytest.mark.parametrize("source", ["simplecache::memory://in", "memory:///in"])
def test_all_urls_of_a_file_are_that_file(memory: Any, source: str) -> None:
    for name in ("x.jpg", "x.png"):
        put(f"memory://in/{name}")
    assert locations.is_same(locations.place(f"{source}/x.jpg"), locations.place("memory://in/x.jpg"))
    assert [p.keep for p in plan.plan([f"{source}/x.jpg"], "memory://in", ".png")] == [True]
    named = plan.plan([f"{source}/x.jpg", "memory://in/x.png", f"{source}/x.png"], "memory://in", ".png")
    assert len(named) == 2
    assert named[0].problem == "memory://in/x.png is itself a source: name another destination"
