"""EXIF, XMP, profiles and resolution in every form that callers give them."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

import pillow_lic
from pillow_lic import metadata
from pillow_lic.__main__ import main


def exif_of(**tags: object) -> bytes:
    exif = Image.Exif()
    exif.update({int(name.removeprefix("t")): value for name, value in tags.items()})
    return metadata.exif_bytes(exif)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("unit", "expected"), [(2, (300.0, 150.0)), (3, (762.0, 381.0)), (1, None), (9, None)])
def test_resolution_of_exif(order: str, unit: int, expected: tuple[float, float] | None) -> None:
    fields = [(282, 5, 1, 50), (283, 5, 1, 58), (296, 3, 1, unit << (16 if order == ">" else 0))]
    head = struct.pack(f"{order}2sHIH", b"II" if order == "<" else b"MM", 42, 8, len(fields))
    body = b"".join(struct.pack(f"{order}HHII", *field) for field in fields) + bytes(4)
    exif = head + body + struct.pack(f"{order}4I", 300, 1, 300, 2)
    assert metadata.resolution(exif) == expected


def test_resolution_of_broken_exif_is_none() -> None:
    exif = exif_of(t282=300.0, t283=300.0, t296=2)
    assert metadata.resolution(exif) == (300, 300)
    for length in range(len(exif)):
        assert metadata.resolution(exif[:length]) in (None, (300, 300))
    for place in range(len(exif)):
        metadata.resolution(exif[:place] + b"\xff" + exif[place + 1 :])
    assert metadata.resolution(exif_of(t282=0.0, t283=0.0)) is None


@pytest.mark.parametrize(
    ("dpi", "expected"),
    [
        ((300, 300), (300, 300)),
        (72, (72, 72)),
        ((299.9994, 72.009), (300, 72)),
        ([1.5, 2.25], (1.5, 2.25)),
        (np.array([96, 48]), (96, 48)),
        (np.array(96), (96, 96)),
    ],
)
def test_resolution_is_written_into_exif(dpi: object, expected: tuple[float, float]) -> None:
    with_it = metadata.with_resolution(exif_of(t271="maker"), dpi)
    assert metadata.resolution(with_it) == expected
    again = Image.Exif()
    again.load(with_it)
    assert again[271] == "maker"


@pytest.mark.parametrize(
    "dpi", [None, (0, 0), (-1, 3), "many", (float("nan"), 1), (1, 2, 3), (10**12, 1), (), 10**400, True, "300"]
)
def test_what_is_no_resolution_leaves_exif_alone(dpi: object) -> None:
    assert metadata.with_resolution(b"", dpi) == b""


def test_text_that_is_none_in_utf8_is_named(photo: Image.Image) -> None:
    with pytest.raises(ValueError, match="xmp must be text that UTF-8 can hold"):
        pillow_lic.encode(photo, xmp="<x>\udc80</x>")


def test_exif_keeps_a_resolution_of_its_own_and_broken_exif_its_bytes() -> None:
    own = exif_of(t282=72.0)
    assert metadata.with_resolution(own, 300) == own
    assert metadata.with_resolution(b"no TIFF", 300) == b"no TIFF"


def test_dpi_given_to_save_is_there_when_opened(photo: Image.Image) -> None:
    again = pillow_lic.open(pillow_lic.encode(photo, dpi=(300, 300)))
    assert again.info["dpi"] == (300, 300)
    jpeg = io.BytesIO()
    again.save(jpeg, "JPEG", **again.info)
    assert Image.open(jpeg).info["dpi"] == (300, 300)


def test_exif_of_an_image_is_read_after_its_pixels(photo: Image.Image) -> None:
    """Pillow turns a TIFF upright when it is loaded, and takes the orientation out of the same Exif object."""
    exif = Image.Exif()
    exif[274] = 6
    tiff = io.BytesIO()
    photo.save(tiff, "TIFF", exif=exif)
    for encode in (pillow_lic.encode, lambda im, **words: _saved(im, **words)):
        im = Image.open(io.BytesIO(tiff.getvalue()))
        out = pillow_lic.open(encode(im, exif=im.getexif()))
        assert ImageOps.exif_transpose(out).size == (photo.height, photo.width)


def _saved(im: Image.Image, **words: object) -> bytes:
    buffer = io.BytesIO()
    im.save(buffer, "LIC", **words)
    return buffer.getvalue()


def tiff(tag: int, kind: int, value: bytes) -> bytes:
    """EXIF of one tag."""
    return b"II*\0\x08\0\0\0" + struct.pack("<HHHI", 1, tag, kind, 1) + value.ljust(4, b"\0") + bytes(4)


ODD_EXIF = {
    "no TIFF": b"junk",
    "cut": b"MM\0*\0\0\0\x08\0\x05",
    "orientation as text": tiff(274, 2, b"x"),
    "orientation of a fraction": tiff(274, 11, struct.pack("<f", 6.5)),
    "orientation 70000": tiff(274, 4, struct.pack("<I", 70000)),
}


@pytest.mark.parametrize("exif", ODD_EXIF.values(), ids=ODD_EXIF)
@pytest.mark.filterwarnings("ignore:.*EXIF")
def test_odd_exif_costs_no_picture(exif: bytes, photo: Image.Image, tmp_path: Path) -> None:
    """Nobody who turns pictures upright fails on EXIF that says nothing: thumbnails, pages, conversions."""
    source = tmp_path / "a.lic"
    pillow_lic.save(photo, source, exif=exif)
    with Image.open(source) as im:
        assert ImageOps.exif_transpose(im).size == photo.size
    assert main(["thumbnail", str(source), str(tmp_path / "small.png")]) == 0
    assert main(["view", str(source), "--out", str(tmp_path / "page.html")]) == 0
    for words in ({"auto_orient": True}, {"keep_metadata": False}, {"resize": 50}):
        summary = pillow_lic.convert(source, tmp_path / "out", to="png", force=True, **words)
        assert not summary.failed
        with Image.open(tmp_path / "out/a.png") as im:
            assert im.width > im.height


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright(orientation: int) -> None:
    im = Image.frombytes("L", (3, 2), bytes(range(6)))
    exif = Image.Exif()
    exif[metadata.ORIENTATION] = orientation
    with Image.open(io.BytesIO(pillow_lic.encode(im, exif=exif, lossless=True))) as opened:
        assert metadata.orientation(opened) == orientation
        upright = metadata.upright(opened)
        expected = ImageOps.exif_transpose(opened)
        assert (upright.size, upright.tobytes()) == (expected.size, expected.tobytes())
        assert metadata.orientation(upright) == 1


def test_bytes_are_compared_with_no_text() -> None:
    """Programs that are tested with `python -bb` would be refused."""
    program = (
        "import pillow_lic; from PIL import Image; im = Image.new('L', (1, 1)); "
        "pillow_lic.encode(im, exif=b'II*\\0', xmp=b'<x/>', icc_profile=b'', dpi=b'300')"
    )
    done = subprocess.run([sys.executable, "-bb", "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
