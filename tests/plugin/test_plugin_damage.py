"""The Pillow contract: files that are cut, altered, foreign or too large."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile, UnidentifiedImageError

import pillow_lic
from pillow_lic import plugin
from pillow_lic.engine import models
from pillow_lic.fileformat import container, header


def front_of(width: int, height: int, **changes: object) -> bytes:
    """A file that is a header and nothing else."""
    spec = models.choose(None)
    fields = {"tile_edge": 1024 if width * height > 2**21 else 0, "model_id": spec.number, "model_hash": spec.hash}
    return header.write_header(header.Header("RGB", width, height, **{**fields, "level": 500, **changes}))


def test_invalid_file() -> None:
    with pytest.raises(SyntaxError, match="not a .lic file"):
        plugin.LicImageFile(io.BytesIO(b"\x89PNG and so on, long enough"))
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(b"\x8aLJC\r\n" + bytes(50)))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (header.MAGIC, "ends after 6 bytes"),
        (header.MAGIC + b"\x02" + bytes(30), "format version 2"),
        (header.MAGIC.replace(b"\r\n", b"\n") + bytes(30), "text mode"),
        (front_of(64, 64, model_id=999), "needs model 999"),
        (front_of(64, 64, model_hash=b"\0\1\2\3"), "another model"),
    ],
)
def test_ours_but_not_readable_says_why(data: bytes, sentence: str) -> None:
    with pytest.raises(pillow_lic.LicError, match=sentence):
        Image.open(io.BytesIO(data))


def test_every_cut_is_noticed(lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pillow_lic.engine.runtime.run", lambda *_, **__: pytest.fail("a network ran"))
    data = lic.read_bytes()
    for length in range(16, len(data)):
        with pytest.raises(OSError, match=r"ends|missing|at least"):
            Image.open(io.BytesIO(data[:length])).load()


def test_verify_notices_every_changed_byte(lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pillow_lic.engine.runtime.run", lambda *_, **__: pytest.fail("a network ran"))
    data = bytearray(lic.read_bytes())
    Image.open(io.BytesIO(data)).verify()
    for position in range(len(data)):
        data[position] ^= 0x10
        with io.BytesIO(data) as fp, pytest.raises((OSError, SyntaxError)):
            Image.open(fp).verify()
        data[position] ^= 0x10


def test_verify_closes_the_file(lic: Path) -> None:
    im = Image.open(lic)
    fp = im.fp
    im.verify()
    assert fp.closed
    with pytest.raises(ValueError, match="Operation on closed image"):
        im.load()


def test_verify_after_load(lic: Path) -> None:
    with Image.open(lic) as im:
        im.load()
        im.verify()


def test_a_changed_payload_is_an_error_each_time(lic: Path) -> None:
    im = Image.open(io.BytesIO(lic.read_bytes()[:-10] + bytes(10)))
    for _ in range(2):
        with pytest.raises(OSError, match="tile section is damaged"):
            im.load()


def test_load_truncated_images(lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = lic.read_bytes()[:-20]
    with pytest.raises(OSError, match="ends inside its tile section"):
        Image.open(io.BytesIO(cut)).load()
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    assert np.abs(np.asarray(Image.open(io.BytesIO(cut))).astype(int) - np.asarray(Image.open(lic))).mean() < 8
    tile = container.read_front(io.BytesIO(lic.read_bytes())).sections[-1]
    assert Image.open(io.BytesIO(lic.read_bytes()[: tile.offset + 5])).getpixel((3, 3)) == (128, 128, 128)


# Limits


def test_decompression_bomb_warning() -> None:
    with pytest.warns(Image.DecompressionBombWarning):
        Image.open(io.BytesIO(front_of(10000, 10000)))


def test_decompression_bomb_error_comes_before_anything_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    data = io.BytesIO(front_of(50, 50))
    with pytest.raises(Image.DecompressionBombError):
        Image.open(data)
    data.seek(0)
    with pytest.raises(Image.DecompressionBombError):
        plugin.LicImageFile(data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert Image.open(data).size == (50, 50)


def test_max_pixels_of_the_settings(lic: Path) -> None:
    with pillow_lic.settings(max_pixels=96 * 64):
        Image.open(lic).close()
    with (
        pillow_lic.settings(max_pixels=96 * 64 - 1),
        pytest.raises(pillow_lic.LicLimitError, match="96x64 pixels, more than the 6143"),
    ):
        Image.open(lic)
