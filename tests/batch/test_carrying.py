"""Metadata goes from one picture file to another, and a message says so where it cannot."""

import io
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

import pillow_lic
from pillow_lic import color
from pillow_lic.batch import trial
from pillow_lic.batch.transcode import Transcoder

FORMATS = [".jpg", ".png", ".webp", ".tif", ".avif", ".bmp", ".gif", ".pdf", ".jp2", ".ppm", ".tga"]
ODD = {
    "orientation as text": struct.pack("<HHI4s", 274, 2, 2, b"6\0"),
    "resolution over nothing": struct.pack("<HHII", 282, 5, 1, 500),
    "a type that is none": struct.pack("<HHII", 271, 99, 1, 0),
    "many numbers": struct.pack("<HHII", 274, 3, 1000, 8),
    "date as numbers": struct.pack("<HHII", 306, 4, 1, 7),
    "no directory": struct.pack("<HHII", 34665, 4, 1, 10**6),
}


def transcoded(im: Image.Image, suffix: str, **options: object) -> tuple[bytes, list[str]]:
    work = Transcoder(suffix, **options)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        data = work.encode(work.prepare(im))
    return data, [str(warning.message) for warning in said]


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("kind", ODD)
def test_odd_exif_costs_no_picture(photo: Image.Image, suffix: str, kind: str) -> None:
    exif = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + ODD[kind] + bytes(4)
    im = pillow_lic.open(pillow_lic.encode(photo, exif=exif, quality=1))
    for keep in (True, False):
        data, _ = transcoded(im, suffix, keep_metadata=keep)
        assert len(data) > 100


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("exif", [b"junk", b"MM\0*\0\0\0\x08\xff\xff"])
def test_exif_of_which_nothing_can_be_read_is_left_out_and_said(photo: Image.Image, suffix: str, exif: bytes) -> None:
    data, said = transcoded(pillow_lic.open(pillow_lic.encode(photo, exif=exif, quality=1)), suffix)
    assert len(data) > 100
    if suffix != ".tif":  # whose writer makes tags of its own
        assert any(text.startswith("EXIF was left out: ") for text in said)


@pytest.mark.parametrize("suffix", [".webp", ".avif", ".jpg", ".png", ".tif", ".lic"])
@pytest.mark.parametrize("source", ["WEBP", "JPEG", "PNG", "AVIF", "TIFF"])
def test_exif_of_one_format_is_exif_of_another(photo: Image.Image, source: str, suffix: str) -> None:
    exif = Image.Exif()
    exif[271] = "maker"
    file = io.BytesIO()
    photo.save(file, source, exif=exif)
    data, said = transcoded(Image.open(file), suffix)
    assert Image.open(io.BytesIO(data)).getexif()[271] == "maker"
    assert not said


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("word", ["exif", "xmp"])
def test_what_has_no_room_is_left_out_and_said(photo: Image.Image, suffix: str, word: str) -> None:
    exif = Image.Exif()
    exif[270] = "x" * 70_000
    value = exif if word == "exif" else b"<x/>" * 20_000
    im = pillow_lic.open(pillow_lic.encode(photo, quality=1, **{word: value}))
    data, said = transcoded(im, suffix)
    if suffix == ".pdf":
        assert "left out" in said[0]
        return
    again = Image.open(io.BytesIO(data))
    again.load()
    held = again.getexif().get(270) if word == "exif" else again.info.get("xmp")
    assert bool(held) != any("left out" in text and "--strip" in text for text in said)


@pytest.mark.parametrize("suffix", [*FORMATS, ".lic"])
@pytest.mark.parametrize("keep", [True, False])
def test_a_photo_stays_upright_whatever_the_file_can_say(photo: Image.Image, suffix: str, keep: bool) -> None:
    exif = Image.Exif()
    exif[274] = 6
    im = pillow_lic.open(pillow_lic.encode(photo, quality=1, exif=exif))
    data, _ = transcoded(im, suffix, keep_metadata=keep)
    if suffix == ".pdf":
        assert b"MediaBox [ 0 0 64" in data.replace(b"[0 0", b"[ 0 0")
        return
    again = Image.open(io.BytesIO(data))
    again.load()
    assert keep or again.getexif().get(274, 1) == 1
    assert ImageOps.exif_transpose(again).size == photo.size[::-1]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB"])
def test_every_opaque_picture_of_8_bits_can_be_written(photo: Image.Image, suffix: str, mode: str) -> None:
    """A mode that a format lacks is no reason, as long as nothing is lost by another."""
    data, _ = transcoded(photo.convert(mode), suffix)
    if suffix != ".pdf":
        assert Image.open(io.BytesIO(data)).size == photo.size


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
@pytest.mark.parametrize("suffix", [".webp", ".avif", ".gif", ".jpg", ".png", ".tif", ".jp2", ".pdf"])
def test_more_than_8_bits_are_kept_or_refused(mode: str, suffix: str, tmp_path: Path) -> None:
    """Some of Pillow's writers make white of all values above 255."""
    Image.fromarray(np.full((8, 8), 40000, np.uint16)).convert(mode).save(tmp_path / "a.tif")
    (result,) = pillow_lic.convert(tmp_path / "a.tif", tmp_path / "out", to=suffix, force=True).results
    if result.outcome == "failed":
        assert f"mode {mode}" in result.error
    else:
        assert Image.open(result.pair.target).getpixel((3, 3)) == 40000


def test_alpha_that_hides_something_is_not_dropped(photo: Image.Image) -> None:
    im = photo.convert("RGBA")
    im.putpixel((3, 3), (0, 0, 0, 254))
    with pytest.raises(OSError, match="cannot write mode RGBA as JPEG: .jpg files have no transparency"):
        transcoded(im, ".jpg")


@pytest.mark.parametrize("suffix", [".webp", ".avif", ".png", ".jpg", ".tif", ".lic"])
@pytest.mark.parametrize(("mode", "space"), [("CMYK", b"CMYK"), ("L", b"GRAY"), ("RGB", b"RGB "), ("LAB", b"Lab ")])
def test_profiles_describe_the_colours_that_are_written(
    photo: Image.Image, suffix: str, mode: str, space: bytes
) -> None:
    im = photo.convert(mode)
    im.info["icc_profile"] = srgb()[:16] + space + srgb()[20:]
    again = Image.open(io.BytesIO(transcoded(im, suffix)[0]))
    profile = again.info.get("icc_profile", b"")
    assert not profile or color.fits(profile, again.mode)


def test_texts_of_png_and_comments_go_into_exif_or_are_told(photo: Image.Image, tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    for key, value in (("Author", "Ada"), ("Description", "Überfahrt"), ("Comment", "über alles"), ("prompt", "a cat")):
        text.add_itxt(key, value)
    photo.save(tmp_path / "a.png", pnginfo=text, dpi=(300, 300))
    photo.save(tmp_path / "a.jpg", comment=b"a word")
    with Image.open(tmp_path / "a.png") as im:
        data, said = transcoded(im, ".lic")
    tags = Image.open(io.BytesIO(data)).getexif()
    assert tags[315] == "Ada"
    assert tags[282] == 300
    assert tags.get_ifd(34665)[37510].endswith("über alles".encode("utf-16-le"))
    assert said == [text for text in said if "the text 'prompt' was left out" in text]
    with Image.open(tmp_path / "a.jpg") as im:
        data, said = transcoded(im, ".lic")
    assert Image.open(io.BytesIO(data)).getexif().get_ifd(34665)[37510] == b"ASCII\0\0\0a word"
    assert not said
    with Image.open(tmp_path / "a.png") as im:
        stripped, said = transcoded(im, ".lic", keep_metadata=False)
    assert "exif" not in Image.open(io.BytesIO(stripped)).info
    assert not said


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".bmp", ".pdf", ".webp"])
def test_resolution_goes_on(photo: Image.Image, suffix: str) -> None:
    im = pillow_lic.open(pillow_lic.encode(photo, dpi=(300, 300), quality=1))
    data, _ = transcoded(im, suffix)
    if suffix == ".pdf":
        return
    again = Image.open(io.BytesIO(data))
    dpi = again.info.get("dpi") or (again.getexif().get(282),)
    assert round(float(dpi[0])) == 300


@pytest.mark.parametrize("key", ["exif", "xmp", "icc_profile", "dpi", "transparency", "comment"])
def test_text_of_png_under_the_name_of_metadata(photo: Image.Image, key: str) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text(key, "no such thing")
    png = io.BytesIO()
    photo.save(png, "PNG", pnginfo=text)
    for suffix in (".lic", ".jpg", ".tif"):
        data, _ = transcoded(Image.open(png), suffix)
        assert Image.open(io.BytesIO(data)).size == photo.size


def test_trials() -> None:
    assert trial.mode_kept("JPEG", "RGB") == "RGB"
    assert trial.mode_kept("JPEG", "RGBA") is None
    assert trial.mode_kept("WEBP", "L") == "RGB"
    assert trial.mode_kept("PDF", "RGB") == ""
    assert "too long" in trial.write("JPEG", "RGB", {"exif": bytes(70_000)}).refusal


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif", ".tif", ".png", ".lic"])
@pytest.mark.parametrize("source", ["JPEG", "GIF", "PNG"])
def test_a_text_costs_no_other_metadata(photo: Image.Image, source: str, suffix: str) -> None:
    exif, text, file = Image.Exif(), PngImagePlugin.PngInfo(), io.BytesIO()
    exif[271] = "maker"
    text.add_text("Comment", "a word")
    words = {"PNG": {"pnginfo": text}}.get(source, {"comment": b"a word"})
    photo.save(file, source, **words, **({} if source == "GIF" else {"exif": exif}))
    data, said = transcoded(Image.open(file), suffix)
    again = Image.open(io.BytesIO(data))
    assert not said
    assert source == "GIF" or again.getexif()[271] == "maker"
    held = again.text["Comment"] if suffix == ".png" else again.getexif().get_ifd(34665)[37510]
    assert held in ("a word", b"ASCII\0\0\0a word")


def test_of_exif_that_is_too_long_the_rest_is_kept(photo: Image.Image) -> None:
    exif = Image.Exif()
    exif[271] = "maker"
    exif.get_ifd(34665)[37500] = bytes(70_000)
    data, said = transcoded(pillow_lic.open(pillow_lic.encode(photo, exif=exif, quality=1)), ".jpg")
    assert Image.open(io.BytesIO(data)).getexif()[271] == "maker"
    assert [text.partition(" was left out")[0] for text in said] == ["the maker note in EXIF"]


@pytest.mark.parametrize(("word", "name"), [("xmp", "XMP"), ("icc_profile", "the ICC profile"), ("exif", "EXIF")])
def test_metadata_over_the_limit_of_a_lic_file_costs_no_picture(photo: Image.Image, word: str, name: str) -> None:
    """PNG, TIFF and WebP files have room for more."""
    photo.info = {word: b"II*\0" + bytes(2**26), "dpi": (300, 300)}
    data, said = transcoded(photo, ".lic")
    assert [text.partition(" was left out: LIC files have room for 67108864 bytes of it")[0] for text in said] == [name]
    again = pillow_lic.open(data)
    assert (again.size, again.info["dpi"], word in again.info) == (photo.size, (300, 300), word == "exif")


@pytest.mark.parametrize("source", ["BMP", "PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("suffix", [*FORMATS, ".lic", ".pcx", ".qoi"])
def test_resolution_is_kept_or_told(photo: Image.Image, source: str, suffix: str) -> None:
    """WebP and AVIF have room for it in EXIF alone, and PCX files are all of 100 dots per inch."""
    file = io.BytesIO()
    photo.save(file, source, dpi=(300, 300))
    data, said = transcoded(Image.open(file), suffix)
    if suffix == ".pdf":
        assert not any("the resolution" in text for text in said)
        return
    again = Image.open(io.BytesIO(data))
    found = again.info.get("dpi", (0,))[0] or again.getexif().get(282)
    assert (round(float(found or 0)) == 300) != any("the resolution was left out" in text for text in said)


@pytest.mark.parametrize("source", ["TIFF", "JPEG"])
@pytest.mark.parametrize("suffix", [".lic", ".jpg", ".png", ".webp"])
def test_no_resolution_is_made_up(photo: Image.Image, source: str, suffix: str) -> None:
    """Pillow says 1 dot per inch of a TIFF file that says nothing, and 72 of a JPEG file with EXIF that says nothing."""
    file, exif = io.BytesIO(), Image.Exif()
    exif[270] = "words"
    photo.save(file, source, exif=exif)
    data, said = transcoded(Image.open(file), suffix)
    again = Image.open(io.BytesIO(data))
    assert not said
    assert (again.getexif()[270], again.getexif().get(282)) == ("words", None)
    assert again.info.get("dpi") is None or again.info["jfif_unit"] == 0


@pytest.mark.parametrize("suffix", [".lic", ".webp"])
@pytest.mark.parametrize(
    ("gamma", "besides", "is_told"),
    [(1.0, None, True), (0.45455, None, False), (0.4545, None, False), (1.0, b"sRGB", False), (0.0, None, False)],
)
def test_a_gamma_that_is_lost_is_told(
    gamma: float, besides: bytes | None, is_told: bool, suffix: str, photo: Image.Image, tmp_path: Path
) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"gAMA", round(gamma * 100_000).to_bytes(4, "big"))
    if besides is not None:
        chunks.add(besides, b"\0")
    photo.save(tmp_path / "a.png", pnginfo=chunks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (done,) = pillow_lic.convert(tmp_path / "a.png", tmp_path / f"a{suffix}").done
    assert any("gamma 1," in warning for warning in done.warnings) == is_told
    assert len(done.warnings) == is_told
