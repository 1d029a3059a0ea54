"""`lic view`: what is made to be seen, where, and what is said of pictures that cannot be shown."""

import base64
import errno
import io
import os
import re
import stat
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import pillow_lic
from desktop.browser import Browser
from pillow_lic.__main__ import main
from pillow_lic.batch import formats
from pillow_lic.desktop import opening, view


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of a user without a desktop."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def folder(photo: Image.Image, tmp_path: Path) -> Path:
    """A grey picture, one that lies on its side, one that is cut off, one of another format, a text, and a hidden file."""
    path = tmp_path / "photos"
    path.mkdir()
    exif = Image.Exif()
    exif[274] = 6
    pillow_lic.save(photo.convert("L"), path / "a.lic")
    pillow_lic.save(photo, path / "b & c.lic", exif=exif)
    (path / "d.lic").write_bytes((path / "a.lic").read_bytes()[:-9])
    photo.save(path / "e.png")
    (path / "notes.txt").write_text("no picture")
    (path / "._a.lic").write_bytes(b"what macOS keeps of a.lic")
    return path


def shown(page: Path) -> list[Image.Image]:
    found = re.findall(r"base64,([^\"]+)", page.read_text("utf-8"))
    return [Image.open(io.BytesIO(base64.b64decode(text))) for text in found]


def test_one_picture_becomes_a_file_for_the_viewer(home: Path, lic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", str(lic)]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path.is_relative_to(home)
    with Image.open(path) as im, pillow_lic.open(lic) as original:
        assert im.format == "PNG"
        assert im.size == original.size[::-1]
        assert im.tobytes() == original.transpose(Image.Transpose.ROTATE_270).tobytes()


@pytest.mark.skipif(os.name != "posix", reason="names of 255 bytes")
def test_a_full_disk_leaves_no_half_picture(home: Path, lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as caught:
        view.view([str(lic)])
    assert caught.value.filename.endswith(f"{lic.stem}.png")
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_a_long_name(home: Path, lic: Path, tmp_path: Path) -> None:
    long = tmp_path / ("\N{CAT FACE}" * 63)
    long.write_bytes(lic.read_bytes())
    assert view.view([str(long)]).path.suffix == ".png"


def test_the_file_is_for_this_user_alone(home: Path, lic: Path) -> None:
    path = view.view([str(lic)]).path
    for around in (path.parent, home / "pillow-lic" / "view"):
        assert not stat.S_IMODE(around.stat().st_mode) & 0o077


def test_what_earlier_days_left_is_removed(home: Path, lic: Path) -> None:
    old, new = (view.view([str(lic)]).path for _ in range(2))
    past = time.time() - 2 * 86_400
    os.utime(old.parent, (past, past))
    view.view([str(lic)])
    assert not old.exists()
    assert new.exists()


@pytest.mark.parametrize("home_is", ["none", "closed"])
def test_a_user_without_a_place_of_his_own(
    home_is: str, home: Path, lic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    if home_is == "none":
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setattr(Path, "home", none)
    else:
        home.write_bytes(b"a file")
    monkeypatch.setattr(opening.tempfile, "tempdir", str(tmp_path))
    path = view.view([str(lic)]).path
    assert path.parent.parent == tmp_path
    assert not stat.S_IMODE(path.parent.stat().st_mode) & 0o077


def test_another_view_may_remove_what_earlier_days_left(home: Path, lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view.view([str(lic)])
    gone = home / "pillow-lic" / "view" / "gone"
    monkeypatch.setattr(Path, "iterdir", lambda _: iter([gone]))
    assert view.view([str(lic)]).path.is_relative_to(home)


def test_a_folder_becomes_a_page(home: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", str(folder)]) == 1
    said = capsys.readouterr()
    assert re.fullmatch(r"lic: \S*d\.lic: .*(missing|ends).*\n", said.err)
    page = Path(said.out.strip())
    pictures = shown(page)
    assert [(im.mode, im.size) for im in pictures] == [("L", (96, 64)), ("RGB", (64, 96)), ("RGB", (96, 64))]
    text = page.read_text("utf-8")
    assert "<h1>4 pictures</h1>" in text
    assert "<b>b &amp; c.lic</b> 64 x 96, " in text
    assert re.search(r'class="fault" id="p3"><b>d\.lic</b><p>.*(missing|ends)', text)
    assert "notes" not in text


@pytest.mark.parametrize("suffix", [".tif", ".jpg", ".lic"])
@pytest.mark.parametrize("edge", [None, 40])
def test_the_size_that_is_said_is_upright(suffix: str, edge: int | None, photo: Image.Image, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    photo.save(tmp_path / f"a{suffix}", exif=exif)
    found = view._load(tmp_path / f"a{suffix}", edge)
    assert found.size == photo.size[::-1]
    assert found.image is not None
    assert found.image.height > found.image.width


def test_large_pictures_are_shown_smaller_and_that_is_said(home: Path, tmp_path: Path) -> None:
    Image.new("RGB", (3000, 90), "navy").save(tmp_path / "wide.png")
    page = tmp_path / "page.html"
    assert view.view([str(tmp_path / "wide.png")], page).path == page
    (im,) = shown(page)
    assert im.size == (2048, 61)
    assert "3000 x 90" in page.read_text("utf-8")
    assert "shown at 2048 x 61" in page.read_text("utf-8")


def test_many_pictures_are_shown_at_half_the_edge(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "MANY", 2)
    for name in "abc":
        Image.new("RGB", (3000, 90), "navy").save(tmp_path / f"{name}.png")
    names = [str(tmp_path / f"{name}.png") for name in "abc"]
    for count, width in ((2, 2048), (3, 1024)):
        pictures = shown(view.view(names[:count]).path)
        assert [im.width for im in pictures] == [width] * count


def test_one_broken_picture_is_a_page_that_says_so(home: Path, folder: Path) -> None:
    """Who clicked on it in a file manager sees no terminal."""
    outcome = view.view([str(folder / "d.lic")])
    assert outcome.path.suffix == ".html"
    assert outcome.failed[0].fault in outcome.path.read_text("utf-8")


def test_a_plugin_that_fails_in_its_own_way_ends_no_page(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow's plugins raise what they come upon in a broken file; what a signal handler raises is not theirs and passes."""
    whole = formats.open_picture

    def failing(source: Path) -> Image.Image:
        if source.name == "e.png":
            raise broken
        return whole(source)

    monkeypatch.setattr(formats, "open_picture", failing)
    broken: BaseException = AttributeError("no palette")
    outcome = view.view([str(folder)])
    assert [shown.fault for shown in outcome.failed if shown.path.name == "e.png"] == ["no palette"]
    assert len(shown(outcome.path)) == 2
    broken = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        view.view([str(folder)])


def test_what_the_extras_read_is_shown(home: Path, lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HEIC and raw files are opened as `lic convert` opens them."""
    asked: list[Path] = []
    whole = formats.open_picture
    monkeypatch.setattr(formats, "open_picture", lambda source: (asked.append(source), whole(source))[1])
    assert not view.view([str(lic)]).failed
    assert asked == [lic]


def test_what_is_missing_or_empty(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", str(tmp_path / "nowhere.lic")]) == 1
    assert "nowhere.lic" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["view", str(tmp_path / "empty")]) == 1
    assert "empty has no pictures" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["", "-"])
def test_a_page_has_a_name(out: str, home: Path, lic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", str(lic), "--out", out]) == 2
    assert f"--out must name a file to write the page to, got {out!r}" in capsys.readouterr().err


def test_a_page_replaces_nothing_unasked(
    home: Path, lic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    assert main(["view", str(lic), "--out", str(page)]) == 2
    assert page.read_text() == "mine"
    assert "-f" in capsys.readouterr().err
    assert main(["view", str(lic), "--out", str(page), "-f"]) == 0
    assert len(shown(page)) == 1


@pytest.mark.skipif(os.name != "posix", reason="the program is a shell script")
@pytest.mark.parametrize(("code", "is_open"), [(0, True), (4, False)])
def test_the_desktop_is_asked_to_open_it(
    home: Path, lic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, is_open: bool
) -> None:
    program = tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/asked"\nexit {code}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    assert not view.view([str(lic)]).is_open
    assert not (tmp_path / "asked").exists()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    outcome = view.view([str(lic)])
    assert outcome.is_open == is_open
    assert (tmp_path / "asked").read_text() == f"{outcome.path}\n"


def test_a_desktop_without_a_program_to_open_with(home: Path, lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PATH", "")
    assert not opening.opened(lic)


def test_no_picture_takes_the_whole_page(chromium: Browser, tmp_path: Path) -> None:
    """One a pixel wide and 400 high would be as high as a hundred screens if it were as wide as the others."""
    folder, page = tmp_path / "in", tmp_path / "page.html"
    folder.mkdir()
    for name, size in {"slim": (1, 400), "tall": (500, 6000), "wide": (3000, 20), "icon": (16, 16)}.items():
        Image.new("RGB", size, "navy").save(folder / f"{name}.png")
    assert main(["view", str(folder), "--out", str(page)]) == 0

    def sizes() -> list[list[float]]:
        found = "[...document.images].map((image) => [image.clientWidth, image.clientHeight])"
        return list(chromium.evaluate(found))

    chromium.open(page.as_uri())
    assert all(height <= 480 for _, height in sizes())
    assert [16, 16] in sizes()
    assert [1, 400] in sizes()
    number = next(n for n, size in enumerate(sizes(), 1) if size[1] == 480)
    chromium.evaluate(f"location.hash = '#p{number}'")
    assert max(height for _, height in sizes()) == 2048  # as high as it is on the page
