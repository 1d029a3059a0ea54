"""Changes of pictures on the way: frames, orientation, size, background."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageOps, TiffImagePlugin

import pillow_lic
from pillow_lic import __main__ as command
from pillow_lic.batch import adjustment
from pillow_lic.batch.adjustment import Adjustment


@pytest.fixture
def phone(photo: Image.Image, tmp_path: Path) -> Path:
    """A photo that lies on its side, 96x64 in the file, 64x96 upright, and says so in EXIF and XMP."""
    exif = Image.Exif()
    exif[274], exif[271] = 6, "maker"
    photo.save(tmp_path / "phone.jpg", exif=exif, xmp=b'<x tiff:Orientation="6"/>')
    return tmp_path / "phone.jpg"


@pytest.mark.parametrize("to", ["lic", "png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("how", [{"keep_metadata": False}, {"auto_orient": True}])
def test_pixels_are_turned_where_nothing_says_so_any_more(
    phone: Path, tmp_path: Path, to: str, how: dict[str, bool]
) -> None:
    assert pillow_lic.convert(phone, tmp_path / f"a.{to}", **how).failed == []
    with Image.open(tmp_path / f"a.{to}") as im:
        assert im.size == ImageOps.exif_transpose(im).size == (64, 96)
        assert im.getexif().get(274, 1) == 1
        assert (im.getexif().get(271) == "maker") == ("auto_orient" in how)
        assert b"Orientation" not in im.info.get("xmp", b"")


def test_what_says_how_it_lies_is_kept_without_being_asked(phone: Path, tmp_path: Path) -> None:
    pillow_lic.convert(phone, tmp_path / "a.lic")
    with Image.open(tmp_path / "a.lic") as im:
        assert (im.size, im.getexif()[274]) == ((96, 64), 6)


@pytest.mark.parametrize(
    ("resize", "size"),
    [(48, (48, 32)), ((24, None), (24, 16)), ((None, 16), (24, 16)), ((24, 8), (12, 8)), (500, (96, 64))],
)
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA"])
def test_resize_fits_and_never_enlarges(
    photo: Image.Image, tmp_path: Path, mode: str, resize: int, size: tuple[int, int]
) -> None:
    photo.convert(mode).save(tmp_path / "a.png")
    assert pillow_lic.convert(tmp_path / "a.png", tmp_path / "b.lic", resize=resize, force=True).failed == []
    with Image.open(tmp_path / "b.lic") as im:
        assert im.size == size


def test_a_size_is_that_of_the_upright_picture(phone: Path, tmp_path: Path) -> None:
    for how in ({}, {"auto_orient": True}):
        pillow_lic.convert(phone, tmp_path / "a.lic", resize=(32, None), force=True, **how)
        with Image.open(tmp_path / "a.lic") as im:
            assert ImageOps.exif_transpose(im).size == (32, 48)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_a_background_for_what_is_transparent(tmp_path: Path, mode: str) -> None:
    clear = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    clear.convert(mode).save(tmp_path / "a.png")
    for to in ("jpg", "lic", "png"):
        summary = pillow_lic.convert(tmp_path / "a.png", tmp_path / f"b.{to}", background="#fff")
        assert summary.failed == []
        with Image.open(tmp_path / f"b.{to}") as im:
            assert not im.has_transparency_data
            assert im.convert("L").getpixel((8, 8)) > 250


def test_the_first_frame(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "a.gif", save_all=True, append_images=[photo.rotate(90)])
    (failed,) = pillow_lic.convert(tmp_path / "a.gif", tmp_path / "a.lic").failed
    assert "--first-frame (first_frame=True) takes the first" in failed.error
    assert pillow_lic.convert(tmp_path / "a.gif", tmp_path / "a.lic", first_frame=True).failed == []


@pytest.mark.parametrize(
    "pages", [[{}, {254: 1}], [{254: 1}, {}], [{}, {254: 4}], [{}, {255: 2}], [{254: 1}, {}, {254: 1}, {254: 5}]]
)
def test_previews_and_masks_in_a_tiff_are_no_frames(
    photo: Image.Image, tmp_path: Path, pages: list[dict[int, int]]
) -> None:
    with TiffImagePlugin.AppendingTiffWriter(tmp_path / "a.tif", True) as file:
        for tags in pages:
            (photo.resize((24, 16)) if tags else photo).save(file, "TIFF", tiffinfo=tags)
            file.newFrame()
    with Image.open(tmp_path / "a.tif") as im:
        assert im.n_frames == len(pages)
    assert pillow_lic.convert(tmp_path / "a.tif", tmp_path / "a.lic").failed == []
    with Image.open(tmp_path / "a.lic") as im:
        assert im.size == photo.size


def test_pages_of_a_tiff_are_frames(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "b.tif", save_all=True, append_images=[photo])
    assert len(pillow_lic.convert(tmp_path / "b.tif", tmp_path / "b.lic").failed) == 1


def test_nothing_to_do_leaves_the_image(photo: Image.Image) -> None:
    assert Adjustment(first_frame=True, upright=True, size=(999, None), background=(1, 2, 3)).apply(photo) is photo


@pytest.mark.parametrize("background", [5, "nocolor", (1, 2), (1, 2, 300), (0.5, 0, 0)])
def test_wrong_backgrounds(background: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="background must be a colour such as white"):
        pillow_lic.convert(tmp_path, tmp_path / "out", background=background)


@pytest.mark.parametrize("resize", [0, True, -1, (None, None), (0, 5), (5,), "8", 1.5])
def test_wrong_sizes(resize: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="resize must be pixels"):
        pillow_lic.convert(tmp_path, tmp_path / "out", resize=resize)


@pytest.mark.parametrize(
    ("text", "size"), [("1920", (1920, 1920)), ("8x6", (8, 6)), ("8x", (8, None)), ("x6", (None, 6))]
)
def test_written_sizes(text: str, size: object) -> None:
    assert adjustment.size(text) == size


@pytest.mark.parametrize("words", [["--resize", "x"], ["--resize", "0"], ["--background", "whitish"], ["-j", "some"]])
def test_words_that_are_not_understood(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["convert", *words, "a", "b"])
    assert f"got '{words[1]}'" in capsys.readouterr().err


def test_the_commands_have_them(photo: Image.Image, phone: Path, tmp_path: Path) -> None:
    lic, jpg = tmp_path / "a.lic", tmp_path / "a.jpg"
    clear = Image.new("RGBA", (64, 32))
    clear.save(tmp_path / "clear.png")
    assert command.main(["encode", str(tmp_path / "clear.png"), str(lic)]) == 0
    assert command.main(["decode", str(lic), str(jpg)]) == 1
    assert command.main(["decode", str(lic), str(jpg), "--background", "white", "--resize", "32"]) == 0
    assert size_of(jpg) == (32, 16)
    assert command.main(["encode", str(phone), str(lic), "--auto-orient", "-f"]) == 0
    assert size_of(lic) == (64, 96)


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as im:
        return im.size


@pytest.mark.parametrize(("mode", "clear"), [("RGB", (255, 255, 255)), ("L", 255), ("P", 255)])
@pytest.mark.parametrize("to", ["png", "lic"])
def test_a_transparent_colour_does_not_blend_with_its_neighbours(
    tmp_path: Path, mode: str, clear: object, to: str
) -> None:
    disc = Image.new("L", (400, 400), 255)
    ImageDraw.Draw(disc).ellipse((50, 50, 350, 350), fill=0)
    disc.convert(mode).save(tmp_path / "a.png", transparency=clear)
    assert pillow_lic.convert(tmp_path / "a.png", tmp_path / f"b.{to}", resize=100).failed == []
    color, *_, alpha = Image.open(tmp_path / f"b.{to}").convert("RGBA").split()
    pale = ImageChops.darker(color.point(lambda level: 255 * (level > 40)), alpha.point(lambda a: 255 * (a > 64)))
    assert pale.getbbox() is None


@pytest.mark.parametrize("how", [{"resize": 10}, {"background": "white"}])
def test_a_transparent_colour_that_is_none_of_the_mode_costs_no_picture(photo: Image.Image, how: dict) -> None:
    im = photo.copy()
    im.info["transparency"] = 5
    made = Adjustment.of(**{"first_frame": False, "auto_orient": False, "resize": None, "background": None} | how)
    assert made.apply(im).convert("RGB").size == ((10, 7) if "resize" in how else photo.size)


def test_numbers_of_numpy(tmp_path: Path) -> None:
    Image.new("RGBA", (60, 40)).save(tmp_path / "a.png")
    how = {"resize": np.int64(30), "background": tuple(np.array([9, 200, 9], np.uint8))}
    assert pillow_lic.convert(tmp_path / "a.png", tmp_path / "b.png", force=True, **how).failed == []
    with Image.open(tmp_path / "b.png") as im:
        assert (im.size, im.getpixel((0, 0))) == ((30, 20), (9, 200, 9))
