"""Sources and destinations in stores of fsspec: an object store (memory://) and one with folders and renames (local://)."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import pillow_lic
from batch.object_stores import names, put
from pillow_lic.batch import jobs, locations, plan
from pillow_lic.batch.plan import Pair
from pillow_lic.batch.stores import StorePath

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(params=["memory", "local"])
def root(request: pytest.FixtureRequest, memory: Any, tmp_path: Path) -> str:
    """The URL of an empty folder."""
    return "memory://top" if request.param == "memory" else f"local://{tmp_path.as_posix()}/top"


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
