"""Files that earlier releases wrote open as they did then: symbols exactly, pixels within the tolerance of FORMAT.md."""

import json
from pathlib import Path

import make_golden
import pytest
from PIL import Image

from pillow_lic.errors import LicError

FOLDERS = sorted(make_golden.FOLDER.iterdir()) if make_golden.FOLDER.exists() else []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_golden_file_opens_as_it_was_written(folder: Path) -> None:
    make_golden.check(folder)
    with Image.open(folder / "file.lic") as im, Image.open(folder / "reference.png") as reference:
        assert (im.format, im.mode, im.size) == ("LIC", reference.mode, reference.size)
        im.load()


@pytest.mark.skipif(not FOLDERS, reason="no golden files yet: python tests/make_golden.py")
def test_every_case_has_its_file() -> None:
    assert set(make_golden.CASES) <= {folder.name for folder in FOLDERS}


@pytest.mark.parametrize("name", ["alpha-constant", "importance", "tile-larger-than-picture", "unknown-section"])
def test_a_new_file_passes_its_own_check(name: str, tmp_path: Path) -> None:
    assert make_golden.add(tmp_path / name, make_golden.CASES[name])
    make_golden.check(tmp_path / name)


def test_a_folder_that_exists_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    assert not make_golden.add(tmp_path / "x", lambda: pytest.fail("it was made"))
    assert not list((tmp_path / "x").iterdir())


def test_the_check_notices_every_kind_of_change(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    make_golden.add(folder, make_golden.CASES["16x16"])
    data, text = (folder / "file.lic").read_bytes(), (folder / "expect.json").read_text()
    expect = json.loads(text)
    for name, value in (("symbols", ["00"]), ("level", 1), ("mean", expect["mean"] + 1), ("metadata", {"xmp": "00"})):
        (folder / "expect.json").write_text(json.dumps(expect | {name: value}))
        with pytest.raises(AssertionError):
            make_golden.check(folder)
    (folder / "expect.json").write_text(text)
    (folder / "file.lic").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(LicError):
        make_golden.check(folder)
    (folder / "file.lic").write_bytes(data)
    with Image.open(folder / "reference.png") as im:
        darker = im.point(lambda value: max(0, value - 2))
    darker.save(folder / "reference.png")
    with pytest.raises(AssertionError, match="within 1"):
        make_golden.check(folder)
