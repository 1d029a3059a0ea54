"""Pictures from one format to another, with what belongs to them."""

import io
import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageOps, PngImagePlugin

import pillow_lic
from pillow_lic import metrics
from pillow_lic.batch.transcode import Transcoder


@pytest.fixture
def photos(photo: Image.Image, tmp_path: Path) -> Path:
    """A folder of three pictures with metadata, one of them broken."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    exif = Image.Exif()
    exif[271] = "maker"
    photo.save(folder / "a.png", exif=exif, icc_profile=b"profile")
    photo.save(folder / "sub" / "b.jpg", exif=exif, xmp=b"<x/>")
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:200])
    for path in folder.rglob("*.*"):
        os.utime(path, (1.5e9, 1.5e9))
    return folder


def test_what_a_killed_run_left_is_gone_after_the_next(photos: Path, tmp_path: Path) -> None:
    left = tmp_path / "out/sub/.b.lic.0123456789ab.lic-part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    os.utime(left, (1.5e9, 1.5e9))
    pillow_lic.convert(photos, tmp_path / "out", dry_run=True)
    assert left.exists()
    pillow_lic.convert(photos, tmp_path / "out")
    assert not left.exists()


def test_convert_there_and_back(photos: Path, tmp_path: Path, photo: Image.Image) -> None:
    summary = pillow_lic.convert(photos, tmp_path / "out", quality=8)
    assert [result.pair.source.name for result in summary.failed] == ["broken.png"]
    assert sorted(result.pair.target.name for result in summary.done) == ["a.lic", "b.lic"]
    with Image.open(tmp_path / "out/a.lic") as im:
        assert im.getexif()[271] == "maker"
        assert im.info["icc_profile"] == b"profile"
        assert im.info["lic_quality"] == 8
    with Image.open(tmp_path / "out/sub/b.lic") as im:
        assert im.info["xmp"] == b"<x/>"
    assert (tmp_path / "out/a.lic").stat().st_mtime == 1.5e9
    for format_ in ("png", "jpg", "webp", "tif"):
        back = pillow_lic.convert(tmp_path / "out", tmp_path / format_, to=format_)
        assert (len(back.done), back.failed) == (2, [])
        with Image.open(tmp_path / format_ / "sub" / f"b.{format_}") as im:
            assert im.size == photo.size
            assert im.getexif()[271] == "maker"
            assert im.info["xmp"] == b"<x/>"


def test_targets_hold_for_every_picture(photos: Path, tmp_path: Path, photo: Image.Image) -> None:
    (photos / "broken.png").unlink()
    pillow_lic.convert(photos, tmp_path / "size", target_size=1500)
    assert {1400 < path.stat().st_size <= 1500 for path in (tmp_path / "size").rglob("*.lic")} == {True}
    pillow_lic.convert(photos, tmp_path / "psnr", target_psnr=33)
    with Image.open(tmp_path / "psnr/a.lic") as im:
        assert metrics.psnr(np.asarray(photo), np.asarray(im)) == pytest.approx(33, abs=0.1)


def test_convert_without_metadata(photos: Path, tmp_path: Path) -> None:
    pillow_lic.convert(photos / "a.png", tmp_path / "a.lic", keep_metadata=False)
    with Image.open(tmp_path / "a.lic") as im:
        assert "exif" not in im.info
        assert im.info["icc_profile"] == b"profile"


def test_no_file_is_made_from_itself(photos: Path) -> None:
    pillow_lic.convert(photos / "a.png", photos / "a.lic")
    before = (photos / "a.lic").read_bytes()
    summary = pillow_lic.convert(photos / "a.lic", photos, force=True, quality=2)
    assert [result.error for result in summary.failed] == [
        f"{photos / 'a.lic'} is the source itself: name another destination"
    ]
    assert len(pillow_lic.convert(photos / "a.lic", photos, quality=2).skipped) == 1
    assert (photos / "a.lic").read_bytes() == before


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def metadata_elsewhere(photo: Image.Image, kind: str) -> bytes:
    """A file with EXIF that Pillow's `info` does not show when it is opened: maker, date, and the picture on its side."""
    exif = Image.Exif()
    exif[271], exif[274], exif[34665] = "maker", 6, {36867: "2020:01:01 00:00:00"}
    buffer = io.BytesIO()
    if kind == "tags of TIFF":
        photo.save(buffer, "TIFF", exif=exif.tobytes())
        return buffer.getvalue()
    text = PngImagePlugin.PngInfo()
    if kind == "text of PNG":
        text.add_text("Raw profile type exif", f"\nexif\n{len(exif.tobytes()):8}\n{exif.tobytes().hex()}")
    photo.save(buffer, "PNG", pnginfo=text)
    data = buffer.getvalue()
    if kind == "after the pixels of PNG":
        xmp = png_chunk(b"iTXt", b"XML:com.adobe.xmp" + bytes(5) + b"<x/>")
        data = data[:-12] + png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + xmp + data[-12:]
    return data


@pytest.mark.parametrize("kind", ["tags of TIFF", "text of PNG", "after the pixels of PNG"])
def test_metadata_wherever_it_is(photo: Image.Image, tmp_path: Path, kind: str) -> None:
    (tmp_path / "in.bin").write_bytes(metadata_elsewhere(photo, kind))
    for target in ("a.lic", "a.jpg", "a.tif"):
        pillow_lic.convert(tmp_path / "in.bin", tmp_path / target, to=target[2:])
        with Image.open(tmp_path / target) as im:
            upright = ImageOps.exif_transpose(im)
            exif = im.getexif()
        assert upright.size == photo.size[::-1]
        assert (exif[271], exif.get_ifd(34665)[36867]) == ("maker", "2020:01:01 00:00:00")
        assert ("xmp" in im.info) == (kind == "after the pixels of PNG")
        if target != "a.tif":
            assert not {256, 258, 273, 279} & set(exif)


def test_broken_exif_is_no_reason_to_lose_a_picture(photo: Image.Image, tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Raw profile type exif", "\nexif\n    4\nnot hexadecimal")
    photo.save(tmp_path / "a.png", pnginfo=text)
    assert len(pillow_lic.convert(tmp_path / "a.png", tmp_path / "a.lic").done) == 1


def test_convert_with_workers(photos: Path, tmp_path: Path) -> None:
    summary = pillow_lic.convert([photos / "a.png", photos / "sub"], tmp_path / "out", workers=2, quality=3)
    assert len(summary.done) == 2
    one = pillow_lic.convert(photos / "a.png", tmp_path / "one.lic", quality=3)
    assert len(one.done) == 1
    assert (tmp_path / "one.lic").read_bytes() == (tmp_path / "out/a.lic").read_bytes()


def test_settings_hold_for_those_who_do_the_work(lic: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in "ab":
        (tmp_path / "in" / f"{name}.lic").write_bytes(lic.read_bytes())
    with ThreadPoolExecutor(1) as executor, pillow_lic.settings(max_pixels=100):
        for how in ({"workers": 2}, {"executor": executor}):
            summary = pillow_lic.convert(tmp_path / "in", tmp_path / "out", to="png", **how)
            assert [result.error.split(",")[0] for result in summary.failed] == ["picture has 96x64 pixels"] * 2


def test_the_format_comes_from_the_destination(photos: Path, tmp_path: Path) -> None:
    pillow_lic.convert(photos / "a.png", tmp_path / "x.webp")
    with Image.open(tmp_path / "x.webp") as im:
        assert im.format == "WEBP"


@pytest.mark.parametrize(("name", "to"), [("x.tif", "tiff"), ("x.JPG", "jpeg"), ("x.png", "png")])
def test_a_destination_file_may_have_another_extension_of_the_format(
    photos: Path, tmp_path: Path, name: str, to: str
) -> None:
    assert [result.pair.target for result in pillow_lic.convert(photos / "a.png", tmp_path / name, to=to).done] == [
        tmp_path / name
    ]
    assert (tmp_path / name).is_file()
    pillow_lic.convert(photos / "a.png", tmp_path / "y.png", to=to)
    assert (tmp_path / "y.png" / f"a.{to}").is_file() == (to != "png")


def test_mistakes_are_found_before_any_file_is_read(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="quality must be"):
        pillow_lic.convert(photos, tmp_path / "out", quality=0)
    with pytest.raises(ValueError, match="threads must be a whole number of threads, 1-1024, got 0"):
        pillow_lic.convert(photos, tmp_path / "out", threads=0)
    for workers in (0, "2", True):
        with pytest.raises(ValueError, match=f"workers must be a whole number, at least 1, got {workers!r}"):
            pillow_lic.convert(photos, tmp_path / "out", workers=workers)
    with pytest.raises(ValueError, match=r"Pillow cannot write \.xyz files here"):
        pillow_lic.convert(photos, tmp_path / "out", to="xyz")
    for to in (5, "", "."):
        with pytest.raises(ValueError, match="to must be the name of a format such as"):
            pillow_lic.convert(photos, tmp_path / "out", to=to)  # type: ignore[arg-type]
    for helper in ("progress", "executor"):
        with pytest.raises(TypeError, match=f"{helper} must be .*, got 3"):
            pillow_lic.convert(photos, tmp_path / "out", **{helper: 3})
    for nothing in (5, None, Image.new("L", (1, 1)), [b"a.png", 5]):
        with pytest.raises(TypeError, match="expected str, bytes or os.PathLike object, not"):
            pillow_lic.convert(nothing, tmp_path / "out")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_wrong_environment_is_no_failure_of_each_picture(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIC_MAX_SECONDS", "soon")
    with pytest.raises(ValueError, match="LIC_MAX_SECONDS must be"):
        pillow_lic.convert(photos, tmp_path / "out")


def test_frames_are_not_lost_silently(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "a.gif", save_all=True, append_images=[photo.rotate(90)])
    summary = pillow_lic.convert(tmp_path / "a.gif", tmp_path / "a.lic")
    assert "picture has 2 frames" in summary.failed[0].error
    assert not (tmp_path / "a.lic").exists()


def test_the_photo_of_a_camera_with_a_preview(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[photo.resize((24, 16))])
    assert pillow_lic.convert(tmp_path / "a.jpg", tmp_path / "a.lic").failed == []
    with Image.open(tmp_path / "a.lic") as im:
        assert im.size == photo.size


def test_an_old_target_survives_a_failure(photos: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.lic"
    target.write_bytes(b"old")
    summary = pillow_lic.convert(photos / "broken.png", target, force=True)
    assert len(summary.failed) == 1
    assert target.read_bytes() == b"old"


def test_transparency_that_a_format_lacks_is_said(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8)).save(tmp_path / "a.png")
    summary = pillow_lic.convert(tmp_path / "a.png", tmp_path / "a.jpg")
    assert "cannot write mode RGBA as JPEG: .jpg files have no transparency, .png" in summary.failed[0].error


@pytest.mark.parametrize(
    "suffix", ["png", "tif", "webp", "avif", "gif", "jp2", "tga", "lic", "jpg", "bmp", "ppm", "pcx", "pdf"]
)
@pytest.mark.parametrize(
    ("mode", "clear"), [("P", 0), ("P", bytes(1)), ("L", 0), ("RGB", (0, 0, 0)), ("1", 0), ("LA", None), ("RGBA", None)]
)
def test_what_is_transparent_is_so_or_refused(tmp_path: Path, suffix: str, mode: str, clear: object) -> None:
    """Pillow's writers have no room for every way of saying it, and many say nothing."""
    im = Image.new(mode, (16, 16))
    im.paste(Image.new(mode, (8, 16), 1 if mode in "1P" else "white"), (8, 0))
    im.save(tmp_path / "a.png", **({} if clear is None else {"transparency": clear}))
    (result,) = pillow_lic.convert(tmp_path / "a.png", tmp_path / "out", to=suffix, force=True).results
    if suffix in ("jpg", "bmp", "ppm", "pcx"):
        assert f": .{suffix} files have no transparency, .png" in result.error
    else:
        assert (result.outcome, result.warnings) == ("done", ())
        if suffix != "pdf":
            with Image.open(result.pair.target) as made:
                alpha = made.convert("RGBA").getchannel("A")
            assert (alpha.getpixel((3, 3)), alpha.getpixel((12, 3))) == (0, 255)


def test_half_transparency_that_a_format_lacks_is_told(tmp_path: Path) -> None:
    im = Image.new("RGBA", (8, 8), (255, 0, 0, 128))
    for low in (128, 0):
        im.putpixel((3, 3), (0, 0, 0, low))
        im.save(tmp_path / "a.png")
        with pytest.warns(UserWarning, match="GIF files know no half transparency"):
            assert pillow_lic.convert(tmp_path / "a.png", tmp_path / "a.gif", force=True).failed == []


@pytest.mark.parametrize("suffix", ["jpg", "gif", "png", "bmp"])
@pytest.mark.parametrize(
    ("mode", "clear"), [("P", b"\xff" * 9), ("P", b"\xff" * 5 + b"\0" * 4), ("P", 7), ("L", 7), ("RGB", (7, 7, 7))]
)
def test_transparency_of_nothing_is_no_obstacle(tmp_path: Path, suffix: str, mode: str, clear: object) -> None:
    """All is opaque, or what is not is nowhere in the picture: several indexes, which GIF has not, are no obstacle then either."""
    Image.new(mode, (8, 8), 3 if mode != "RGB" else (3, 3, 3)).save(tmp_path / "a.png", transparency=clear)
    (result,) = pillow_lic.convert(tmp_path / "a.png", tmp_path / "out", to=suffix, force=True).results
    assert (result.outcome, result.error, result.warnings) == ("done", "", ())


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "RGB", "1"])
@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 8])
def test_a_tiff_on_its_side_is_not_sheared(tmp_path: Path, mode: str, orientation: int) -> None:
    """Pillow 13.0 maps such files into memory by the size that they have when they are turned."""
    levels = np.add.outer(np.arange(24) * 5, np.arange(32) * 4).astype(np.uint8)
    stored, exif = Image.fromarray(levels).convert("RGB").convert(mode), Image.Exif()
    exif[274] = orientation
    stored.save(tmp_path / "a.tif", exif=exif)
    pillow_lic.convert(tmp_path / "a.tif", tmp_path / "a.png")
    stored.info["exif"] = exif.tobytes()
    upright = ImageOps.exif_transpose(stored).convert("RGB")
    with Image.open(tmp_path / "a.png") as im:
        difference = ImageChops.difference(im.convert("RGB"), upright)
    assert max(high for _, high in difference.getextrema()) <= 3


@pytest.mark.parametrize("budget", [None, 100_000])
def test_a_source_that_changes_while_it_is_read_is_another_one(
    photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int | None
) -> None:
    source, real, moments = tmp_path / "a.png", Transcoder.encode, count(int(1.6e9))
    photo.save(source)
    os.utime(source, (1.5e9, 1.5e9))

    def slow(*what: object, **how: object) -> bytes:
        data = real(*what, **how)
        Image.new("L", (16, 16), 200).save(source)
        os.utime(source, (next(moments),) * 2)
        return data

    with monkeypatch.context() as patched:
        patched.setattr(Transcoder, "encode", slow)
        assert len(pillow_lic.convert(source, tmp_path / "out", budget=budget).done) == 1
    outcomes = [pillow_lic.convert(source, tmp_path / "out").results[0].outcome for _ in range(2)]
    assert outcomes == ["done", "skipped"]
    with Image.open(tmp_path / "out/a.lic") as im:
        assert im.size == (16, 16)
