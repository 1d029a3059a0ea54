"""`lic desktop` and `lic thumbnail`: the files a desktop reads, read as a desktop does."""

import configparser
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from made.trees import not_listed
from PIL import Image, ImageCms

import pillow_lic
from pillow_lic.__main__ import main
from pillow_lic.desktop import directories, entries, registration, thumbnail
from pillow_lic.fileformat import header

MIME = "{http://www.freedesktop.org/standards/shared-mime-info}"

pytestmark = pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="no desktop that follows freedesktop.org")


@pytest.fixture
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "share of one"
    monkeypatch.setenv("XDG_DATA_HOME", str(path))
    return path


def entry(path: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(path, "utf-8")
    (section,) = parser.sections()
    return parser[section]


def command(line: str, **fields: str) -> list[str]:
    """Split an Exec key as file managers do, by the rules of a shell's quotes, and put what they know in its fields."""
    script = f"printf '%s\\n' {line.replace(chr(92) * 2, chr(92))}"
    words = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()
    return [fields.get(word[1:], word) if word[:1] == "%" else word.replace("%%", "%") for word in words]


def drawn(source: Path, size: int) -> Image.Image:
    with tempfile.NamedTemporaryFile(suffix=".png") as target:
        thumbnail.write(source, target.name, size)
        return Image.open(io.BytesIO(Path(target.name).read_bytes()))


def files(folder: Path) -> set[str]:
    ours = {"pillow-lic", "image-x-lic"}
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.stem in ours and path.is_file()}


def test_on_off_status(data_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = set(entries.contents())
    assert len(expected) == 4
    for what, state, there in (("status", "off", set()), ("on", "on", expected), ("status", "on", expected)):
        assert main(["desktop", what]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == f"desktop is {state} in {data_home}"
        assert files(data_home) == there
    thumbnailer = data_home / "thumbnailers" / "pillow-lic.thumbnailer"
    thumbnailer.write_text(thumbnailer.read_text().replace(sys.executable, "/gone/python"))
    assert registration.status() == "outdated"
    assert main(["desktop", "off"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"desktop is off in {data_home}"
    assert files(data_home) == set()


@pytest.mark.parametrize("value", ["", "relative"])
def test_a_data_home_that_is_none(value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert directories.data_home() == tmp_path / ".local" / "share"


def test_other_systems_are_told_so(
    data_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert main(["desktop", "on"]) == 1
    assert "this system is darwin" in capsys.readouterr().err
    assert not data_home.exists()


def test_the_type_knows_name_and_magic(data_home: Path) -> None:
    registration.turn_on()
    root = ElementTree.parse(data_home / "mime" / "packages" / "pillow-lic.xml").getroot()
    (kind,) = root.findall(f"{MIME}mime-type")
    assert kind.attrib["type"] == Image.MIME["LIC"]
    assert [glob.attrib["pattern"] for glob in kind.findall(f"{MIME}glob")] == ["*.lic"]
    (match,) = kind.iter(f"{MIME}match")
    assert header.MAGIC.startswith(match.attrib["value"].encode().decode("unicode_escape").encode("latin-1"))
    icon = data_home / "icons" / "hicolor" / "scalable" / "mimetypes" / f"{kind.find(f'{MIME}icon').attrib['name']}.svg"
    assert ElementTree.parse(icon).getroot().tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.skipif(not shutil.which("update-mime-database"), reason="needs shared-mime-info")
@pytest.mark.parametrize(("program", "desktop"), [("mimetype", ""), ("gio", "GNOME")])
def test_xdg_mime_names_the_type(
    data_home: Path, lic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, desktop: str
) -> None:
    """By its name, and of a file without one by its first bytes."""
    if not shutil.which("xdg-mime") or not shutil.which(program):
        pytest.skip(f"needs xdg-mime and {program}")
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", desktop)
    nameless = tmp_path / "nameless"
    shutil.copy(lic, nameless)

    def kinds() -> list[str]:
        words = ["xdg-mime", "query", "filetype"]
        return [
            subprocess.run([*words, path], capture_output=True, text=True).stdout.strip() for path in (lic, nameless)
        ]

    assert "image/x-lic" not in kinds()
    registration.turn_on()
    assert kinds() == ["image/x-lic"] * 2
    registration.turn_off()
    assert "image/x-lic" not in kinds()


@pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="needs desktop-file-utils")
def test_the_desktop_entry_is_valid(data_home: Path) -> None:
    registration.turn_on()
    entry = data_home / "applications" / "pillow-lic.desktop"
    result = subprocess.run(["desktop-file-validate", entry], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


def test_the_thumbnailer_runs_as_a_file_manager_runs_it(data_home: Path, photo: Image.Image, tmp_path: Path) -> None:
    """In a folder with a module of a name that the package imports, and on a file with a name that is hard to pass."""
    registration.turn_on()
    said = entry(data_home / "thumbnailers" / "pillow-lic.thumbnailer")
    assert said["MimeType"] == "image/x-lic;"
    assert os.access(said["TryExec"], os.X_OK)
    (tmp_path / "numpy.py").write_text("raise SystemExit(3)")
    source, target = tmp_path / "-a 'photo' $x.lic", tmp_path / "out.png"
    pillow_lic.save(photo, source)
    words = command(said["Exec"], i=str(source), o=str(target), s="48")
    with open(target, "w+b") as opened_before:  # as Xfce does
        subprocess.run(words, check=True, cwd=tmp_path, env={**os.environ, "PYTHONWARNINGS": "error"})
        data = opened_before.read()
    with Image.open(io.BytesIO(data)) as im:
        assert im.size == (48, 32)
        assert im.text == {"Thumb::Mimetype": "image/x-lic", "Thumb::Image::Width": "96", "Thumb::Image::Height": "64"}


def test_the_viewer_entry_calls_view(data_home: Path, lic: Path, tmp_path: Path) -> None:
    registration.turn_on()
    said = entry(data_home / "applications" / "pillow-lic.desktop")
    (page,) = (tmp_path / "page.html",)
    words = command(said["Exec"], F=str(lic))
    subprocess.run([*words, "--out", page], check=True, cwd=tmp_path)
    assert "photo.lic" in page.read_text("utf-8")


@pytest.mark.parametrize("python", ["/usr/bin/python3", "/home/a b/100%/py\"th'on$\\`x"])
def test_any_path_of_python_comes_back(python: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(entries.contents(python)["thumbnailers/pillow-lic.thumbnailer"])
    assert command(entry(tmp_path / "x")["Exec"])[:4] == [python, "-P", "-m", "pillow_lic"]


def test_what_the_system_lacks_is_said(
    data_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for program in ("bwrap", "xdg-mime"):
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("XDG_CURRENT_DESKTOP", raising=False)
    monkeypatch.setattr(sys, "prefix", "/home/someone/venv")
    assert main(["desktop", "on"]) == 0
    said = capsys.readouterr().err
    assert "update-mime-database is missing (package shared-mime-info)" in said
    assert "mimetype is missing (package libfile-mimeinfo-perl)" in said
    assert "GNOME's file manager" in said
    assert "/home/someone/venv" in said
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "GNOME")
    assert not any("mimetype" in sentence for sentence in registration.shortcomings())


def test_a_python_of_the_system_is_seen_by_the_sandbox() -> None:
    assert entries.is_seen_by_sandbox(["/usr", "/usr/lib/python3/dist-packages"])
    assert not entries.is_seen_by_sandbox(["/usr", "/home/someone/.local/lib"])


def test_a_failed_program_is_an_error(
    data_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "update-mime-database").write_text("#!/bin/sh\necho no room >&2\nexit 1\n")
    (tmp_path / "update-mime-database").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["desktop", "on"]) == 1
    assert "failed: no room" in capsys.readouterr().err


def test_a_thumbnail_is_upright_and_never_enlarged(lic: Path) -> None:
    with drawn(lic, 48) as im:
        assert im.size == (32, 48)
        assert im.getexif() == {}
    with drawn(lic, 1024) as im:
        assert im.size == (64, 96)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_a_thumbnail_has_the_mode_of_the_picture(mode: str, photo: Image.Image, tmp_path: Path) -> None:
    pillow_lic.save(photo.convert(mode), tmp_path / "a.lic")
    with drawn(tmp_path / "a.lic", 32) as im:
        assert im.mode == mode
        assert im.size == (32, 21)


@pytest.mark.parametrize("alpha", [None, 40])
def test_a_thumbnail_is_srgb(alpha: int | None, tmp_path: Path) -> None:
    """Colours of another profile come out as that profile means them; here it swaps red and blue."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tags = {srgb[at : at + 4]: at for at in range(132, 132 + 12 * int.from_bytes(srgb[128:132], "big"), 12)}
    swapped = bytearray(srgb)
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    swapped[red + 4 : red + 12], swapped[blue + 4 : blue + 12] = srgb[blue + 4 : blue + 12], srgb[red + 4 : red + 12]
    image = Image.new("RGB", (64, 64), (250, 5, 5))
    if alpha is not None:
        image.putalpha(alpha)
    pillow_lic.save(image, tmp_path / "a.lic", quality=10, icc_profile=bytes(swapped))
    with drawn(tmp_path / "a.lic", 64) as im:
        assert "icc_profile" not in im.info
        pixel = np.asarray(im, int)[32, 32]
    assert np.abs(pixel[:3] - (5, 5, 250)).max() < 12
    assert pixel[3:].tolist() == ([] if alpha is None else [alpha])


@pytest.mark.parametrize("size", [0, -1, 4097])
def test_a_wrong_size_is_named(size: int, lic: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"must be 1-4096, got {size}"):
        thumbnail.write(lic, tmp_path / "out.png", size)


@pytest.mark.parametrize("there", [True, False])
def test_a_full_disk_leaves_no_half_thumbnail(lic: Path, tmp_path: Path, there: bool) -> None:
    resource = pytest.importorskip("resource")
    target = tmp_path / "out" / "t.png"
    target.parent.mkdir()
    if there:
        target.touch()
    old, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, old[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            thumbnail.write(lic, target, 64)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path.read_bytes() for path in target.parent.iterdir()] == [b""] * there


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
def test_what_cannot_be_emptied_hides_no_failure(lic: Path) -> None:
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        thumbnail.write(lic, "/dev/full", 64)


def test_what_is_no_lic_file_gets_no_thumbnail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.lic").write_bytes(b"GIF89a")
    (tmp_path / "out.png").touch()
    assert main(["thumbnail", str(tmp_path / "a.lic"), str(tmp_path / "out.png")]) == 1
    assert (tmp_path / "out.png").read_bytes() == b""
    assert capsys.readouterr().err


# Thumbnails that file managers share


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "thumbnails"


def test_thumbnails_are_made_ahead_once(shared: Path, lic: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("broken.lic", "._photo.lic"):
        (lic.parent / name).write_bytes(lic.read_bytes()[:99])
    for counts in ("1 thumbnails made, 0 there already", "0 thumbnails made, 1 there already"):
        assert main(["desktop", "thumbnails", str(lic.parent)]) == 1
        said = capsys.readouterr()
        assert said.out == f"{counts}, 1 failed\n"
        assert said.err.startswith(f"lic: {lic.parent / 'broken.lic'}: ")
    os.utime(lic, (1, 1))
    assert main(["desktop", "thumbnails", str(lic)]) == 0
    assert capsys.readouterr().out == "1 thumbnails made, 0 there already, 0 failed\n"
    assert sorted(path.parent.name for path in shared.rglob("*.png")) == ["large", "normal", "x-large"]


def test_a_folder_that_cannot_be_listed_is_said(
    shared: Path, lic: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (lic.parent / "closed").mkdir()
    not_listed(monkeypatch, lic.parent / "closed")
    assert main(["desktop", "thumbnails", str(lic.parent)]) == 1
    said = capsys.readouterr()
    assert said.out == "1 thumbnails made, 0 there already, 1 failed\n"
    assert said.err == f"lic: [Errno 13] Permission denied: '{lic.parent / 'closed'}'\n"


def test_a_shared_thumbnail_is_named_by_the_uri(shared: Path, photo: Image.Image, tmp_path: Path) -> None:
    """The names of this URI and of its thumbnail were made with GLib 2.74 (`filename_to_uri`, `compute_checksum`)."""
    path = tmp_path / "a (1), ü;#.lic"
    pillow_lic.save(photo.resize((640, 320)), path)
    paths = thumbnail.share(path)
    for target, size in zip(paths, ((512, 256), (256, 128), (128, 64)), strict=True):
        with Image.open(target) as im:
            assert im.size == size
            assert im.info["Thumb::MTime"] == str(int(path.stat().st_mtime))
            assert im.info["Thumb::URI"].removeprefix(tmp_path.resolve().as_uri()) == "/a%20(1),%20%C3%BC%3B%23.lic"
    assert thumbnail._uri(Path("/a (1), ü;#.lic")) == "file:///a%20(1),%20%C3%BC%3B%23.lic"
    assert {target.stem for target in paths} == {hashlib.md5(im.info["Thumb::URI"].encode()).hexdigest()}


@pytest.mark.parametrize("words", [["thumbnails"], ["on", "a.lic"]])
def test_files_belong_to_thumbnails(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["desktop", *words]) == 2
    assert "lic desktop thumbnails" in capsys.readouterr().err


def test_a_folder_without_pictures_of_ours_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.heic").write_bytes(b"x")
    assert main(["desktop", "thumbnails", str(tmp_path)]) == 1
    assert f"{tmp_path}: a folder without .lic files" in capsys.readouterr().err
