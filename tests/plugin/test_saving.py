"""The Pillow contract: options of `save`, what is written where, metadata."""

import io
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from made.saved_pictures import psnr, reopened, saved
from packaging.version import Version
from PIL import ExifTags, Image

import pillow_lic
from pillow_lic import saving


def test_quality_means_more_bytes_and_better_pixels(photo: Image.Image) -> None:
    sizes = [len(saved(photo, quality=quality).getvalue()) for quality in (2, 5, 9)]
    assert sizes == sorted(set(sizes))
    assert psnr(photo, reopened(photo, quality=9)) > psnr(photo, reopened(photo, quality=2)) + 3


def test_percent(photo: Image.Image) -> None:
    assert saved(photo, quality=85).getvalue() == saved(photo, quality=8.5).getvalue()


@pytest.mark.parametrize("quality", [0, -3, 0.5, 101, float("nan"), "high", True])
def test_invalid_quality(photo: Image.Image, quality: object) -> None:
    with pytest.raises(ValueError, match=r"quality must be 1-10 \(or 11-100 as percent\), got "):
        saved(photo, quality=quality)


def test_what_applications_pass_to_every_format(photo: Image.Image) -> None:
    """As sorl-thumbnail and easy_thumbnails do: no warning, no error."""
    saved(photo, quality=95, optimize=1, progressive=True, subsampling=0, dpi=(72, 72), comment=b"x", save_all=False)


def test_unknown_keyword_is_named_once_with_what_was_meant(photo: Image.Image) -> None:
    with pytest.warns(UserWarning, match=r"'qualty' \(did you mean 'quality'\?\)") as seen:
        photo.save(io.BytesIO(), "LIC", qualty=3, zzz=1)
    assert len(seen) == 1
    assert "'zzz'" in str(seen[0].message)
    assert seen[0].filename == __file__


def test_unknown_keyword_to_our_own_functions(photo: Image.Image, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="'effrt'") as seen:
        pillow_lic.save(photo, tmp_path / "a.lic", effrt=3)
    assert seen[0].filename == __file__
    with pytest.warns(UserWarning, match="'effrt'") as seen:
        pillow_lic.encode(photo, effrt=3)
    assert seen[0].filename == __file__


def test_encoderinfo_on_the_image(photo: Image.Image) -> None:
    im = photo.copy()
    im.encoderinfo = {"quality": 2}
    assert saved(im).getvalue() == saved(photo, quality=2).getvalue()


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_empty_image(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot write empty image"):
        saved(Image.new("RGB", size))


@pytest.mark.parametrize("mode", ["I", "F", "I;16", "I;16B"])
def test_unsupported_modes_say_what_to_do(mode: str) -> None:
    with pytest.raises(OSError, match=rf'cannot write mode {mode} as LIC.*im\.convert\("L"\)'):
        saved(Image.new(mode, (8, 8)))


class WriteOnly:
    """The least a target can be; counts its calls."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.calls.append(bytes(data))
        return len(data)


def test_the_target_is_written_once(photo: Image.Image) -> None:
    target = WriteOnly()
    photo.save(target, "LIC")  # type: ignore[arg-type]
    assert len(target.calls) == 1
    assert target.calls[0] == saved(photo).getvalue()


def test_a_failed_save_removes_a_new_file(photo: Image.Image, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="quality"):
        photo.save(tmp_path / "a.lic", quality=1000)
    assert list(tmp_path.iterdir()) == []


def test_our_save_keeps_the_old_file_when_it_fails(lic: Path, photo: Image.Image) -> None:
    before = lic.read_bytes()
    for options in ({"quality": 1000}, {"exif": 5}, {"model": "none"}):
        with pytest.raises((ValueError, TypeError)):
            pillow_lic.save(photo, lic, **options)
    with pytest.raises(OSError, match="cannot write mode F"):
        pillow_lic.save(photo.convert("F"), lic)
    assert lic.read_bytes() == before
    assert list(lic.parent.iterdir()) == [lic]


def test_our_save_takes_paths_and_files(photo: Image.Image, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    pillow_lic.save(photo, buffer, quality=3)
    pillow_lic.save(photo, tmp_path / "any.name", quality=3)
    pillow_lic.save(photo, str(tmp_path / "b.lic"), quality=3)
    expected = pillow_lic.encode(photo, quality=3)
    assert buffer.getvalue() == (tmp_path / "any.name").read_bytes() == (tmp_path / "b.lic").read_bytes() == expected


def test_resave_onto_itself(lic: Path) -> None:
    with Image.open(lic) as im:
        im.save(lic, quality=4)
    with Image.open(lic) as im:
        assert im.info["lic_quality"] == 4
        im.load()


def test_edits_are_saved_not_the_old_file(lic: Path, tmp_path: Path) -> None:
    with Image.open(lic) as im:
        im.paste((255, 0, 0), (0, 0, 96, 64))
        im.save(tmp_path / "red.lic", quality=9)
    with Image.open(tmp_path / "red.lic") as im:
        red, green, blue = im.getpixel((48, 32))
    assert red > 220
    assert max(green, blue) < 40


def test_save_all(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "one.lic", save_all=True)
    with Image.open(tmp_path / "one.lic") as im:
        im.load()
    with pytest.raises(OSError, match="cannot write 3 frames as LIC"):
        photo.save(tmp_path / "three.lic", save_all=True, append_images=[photo, photo])
    if Version(PIL.__version__) >= Version("12"):  # before, Pillow ignored append_images without save_all
        with pytest.raises(OSError, match="cannot write 2 frames as LIC"):
            photo.save(tmp_path / "two.lic", append_images=[photo])
    for write in (pillow_lic.encode, lambda image, **words: pillow_lic.save(image, tmp_path / "ours.lic", **words)):
        with pytest.raises(OSError, match="cannot write 2 frames as LIC"):
            write(photo, append_images=[photo])
        with pytest.raises(OSError, match="cannot write 3 frames as LIC"):
            write(photo, save_all=True, append_images=[photo, photo])
    assert pillow_lic.encode(photo, save_all=False, append_images=[photo]) == (tmp_path / "one.lic").read_bytes()
    assert pillow_lic.encode(photo, save_all=True, append_images=None) == (tmp_path / "one.lic").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["one.lic"]


def test_background_from_gif(photo: Image.Image) -> None:
    gif = io.BytesIO()
    photo.quantize(16).save(gif, "GIF", save_all=True, append_images=[photo.rotate(90).quantize(16)])
    with Image.open(gif) as im:
        assert reopened(im).size == photo.size
        with pytest.raises(OSError, match="cannot write 2 frames"):
            saved(im, save_all=True)


@pytest.mark.parametrize(
    ("target", "limit"), [({"target_size": 900}, 900), ({"target_bpp": 1.0}, 96 * 64 / 8)], ids=["size", "bpp"]
)
def test_target_is_not_exceeded(photo: Image.Image, target: dict[str, float], limit: float) -> None:
    size = len(saved(photo, **target).getvalue())
    assert 0.9 * limit < size <= limit


def test_target_psnr(photo: Image.Image) -> None:
    assert psnr(photo, reopened(photo, target_psnr=32)) == pytest.approx(32, abs=0.3)


def test_one_aim_at_a_time(photo: Image.Image) -> None:
    with pytest.raises(ValueError, match="give one of .* got quality and target_size"):
        saved(photo, quality=5, target_size=1000)


def test_a_mask_may_be_an_image() -> None:
    mask = Image.new("RGB", (6, 4), "white")
    chosen = saving.encode_options({"roi": mask, "importance": mask})
    assert chosen.roi.tolist() == chosen.importance.tolist() == [[255] * 6] * 4


def test_region_of_interest(photo: Image.Image) -> None:
    mask = Image.new("L", photo.size)
    mask.paste(255, (0, 0, 48, 64))
    box = (0, 0, 48, 64)
    by_mask = saved(photo, quality=4, roi=mask).getvalue()
    assert by_mask == saved(photo, quality=4, roi=[box]).getvalue()
    assert by_mask == saved(photo, quality=4, roi=memoryview(np.asarray(mask))).getvalue()
    plain, better = reopened(photo, quality=4), pillow_lic.open(by_mask)
    assert psnr(photo.crop(box), better.crop(box)) > psnr(photo.crop(box), plain.crop(box)) + 0.5
    with pytest.raises(ValueError, match=r"roi mask must have the shape of the picture, \(64, 96\), got \(2, 2\)"):
        saved(photo, roi=mask.resize((2, 2)))


# Metadata


def test_icc_profile_is_kept_by_default(photo: Image.Image) -> None:
    im = photo.copy()
    im.info["icc_profile"] = b"profile"
    out = reopened(im)
    assert out.info["icc_profile"] == b"profile"
    assert reopened(out).info["icc_profile"] == b"profile"


@pytest.mark.parametrize("value", [None, b"", ""[:0].encode()])
def test_metadata_is_stripped_by_nothing(photo: Image.Image, value: bytes | None) -> None:
    im = photo.copy()
    im.info.update(icc_profile=b"profile", exif=b"Exif\0\0MM", xmp=b"<x/>")
    out = reopened(im, icc_profile=value, exif=value, xmp=value)
    assert out.info.keys().isdisjoint({"icc_profile", "exif", "xmp"})


def test_exif_and_xmp_only_when_passed(photo: Image.Image) -> None:
    im = photo.copy()
    im.info.update(exif=b"Exif\0\0MM", xmp=b"<x/>")
    assert reopened(im).info.keys().isdisjoint({"exif", "xmp"})


def test_exif_in_every_form(photo: Image.Image) -> None:
    exif = Image.Exif()
    exif[274] = 6
    exif[271] = "maker"
    for form in (exif, exif.tobytes(), exif.tobytes().removeprefix(b"Exif\0\0"), bytearray(exif.tobytes())):
        out = reopened(photo, exif=form)
        assert out.info["exif"] == exif.tobytes()
        assert out.getexif()[271] == "maker"
        assert out._getexif()[274] == 6
    assert "exif" not in reopened(photo, exif=Image.Exif()).info
    assert reopened(photo)._getexif() is None


def test_exif_of_other_directories_alone(photo: Image.Image) -> None:
    """What a program puts into the directories of GPS and Exif is not counted by `len` of the object."""
    exif, jpeg = Image.Exif(), io.BytesIO()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[1] = "N"
    photo.save(jpeg, "JPEG", exif=exif)
    with Image.open(jpeg) as reference:
        expected = reference.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert reopened(photo, exif=exif).getexif().get_ifd(ExifTags.IFD.GPSInfo) == expected


def test_orientation_is_kept_and_not_applied(lic: Path, photo: Image.Image) -> None:
    with Image.open(lic) as im:
        assert im.size == photo.size
        assert im.getexif()[274] == 6


def test_xmp_in_every_form(photo: Image.Image) -> None:
    for form in ("<x>é</x>", "<x>é</x>".encode(), memoryview("<x>é</x>".encode())):
        assert reopened(photo, xmp=form).info["xmp"] == "<x>é</x>".encode()


def test_icc_profile_object(photo: Image.Image) -> None:
    ImageCms = pytest.importorskip("PIL.ImageCms")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    assert reopened(photo, icc_profile=profile).info["icc_profile"] == profile.tobytes()


@pytest.mark.parametrize("name", ["exif", "icc_profile", "xmp"])
def test_metadata_of_a_wrong_type(photo: Image.Image, name: str) -> None:
    with pytest.raises(TypeError, match=rf"{name} must be bytes, .* got int"):
        saved(photo, **{name: 5})


@pytest.mark.parametrize("name", ["exif", "icc_profile", "xmp"])
def test_empty_text_is_no_metadata(photo: Image.Image, name: str) -> None:
    """Programs write `icc_profile=image.info.get("icc_profile", "")`."""
    assert saved(photo, **{name: ""}).getvalue() == saved(photo, **{name: None}).getvalue()


@pytest.mark.parametrize(("tag", "value"), [(274, "six"), (70000, 1), (0x829A, object()), (0x8769, 5)])
def test_tags_that_cannot_be_written(photo: Image.Image, tag: int, value: object) -> None:
    exif = Image.Exif()
    exif[tag] = value
    with pytest.raises(ValueError, match="exif must hold tags that can be written, one of these cannot: "):
        saved(photo, exif=exif)


def test_large_metadata(photo: Image.Image) -> None:
    profile = np.random.default_rng(1).bytes(300_000)
    assert zlib.crc32(reopened(photo, icc_profile=profile).info["icc_profile"]) == zlib.crc32(profile)


@pytest.mark.parametrize(
    ("image", "shown"), [(np.zeros((8, 8, 3), np.uint8), r"an array of shape \(8, 8, 3\)"), ("a.png", "'a.png'")]
)
def test_what_is_no_image(image: Any, shown: str, tmp_path: Path) -> None:
    said = f"image must be a PIL.Image.Image, which Image.fromarray makes of an array, got {shown}"
    with pytest.raises(TypeError, match=said):
        pillow_lic.encode(image)
    with pytest.raises(TypeError, match=said):
        pillow_lic.save(image, tmp_path / "a.lic")


def test_info_of_a_picture_can_be_given_to_save_it(photo: Image.Image) -> None:
    again = pillow_lic.open(pillow_lic.encode(photo, quality=4))
    assert pillow_lic.open(pillow_lic.encode(again, **again.info)).info["lic_quality"] == 4


@pytest.mark.parametrize("box", [np.array([0, 0, 32, 32]), [np.array([0, 0, 32, 32])], np.array([[0, 0, 32, 32]])])
def test_boxes_as_arrays(photo: Image.Image, box: object) -> None:
    assert pillow_lic.encode(photo, roi=box) == pillow_lic.encode(photo, roi=(0, 0, 32, 32))


def test_the_map_of_another_size_costs_no_picture(photo: Image.Image) -> None:
    """`**im.info` of a picture that was resized passes it on; whoever names it alone means it."""
    small = pillow_lic.open(pillow_lic.encode(photo, roi=(0, 0, 32, 32))).resize((40, 20))
    with pytest.warns(UserWarning, match="the importance map is left out: it is that of a picture of another size"):
        data = pillow_lic.encode(small, **small.info)
    assert "importance" not in pillow_lic.open(data).info
    with pytest.raises(ValueError, match="one for every 16x16 pixels"):
        pillow_lic.encode(small, importance=small.info["importance"])
