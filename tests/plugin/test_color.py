"""Modes in and out, and which ICC profile describes what is stored."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL._util import DeferredError

from pillow_lic import color


def pixels_of(im: Image.Image) -> np.ndarray:
    return color.to_pixels(im).array


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_stored_modes_go_through_unchanged(photo: Image.Image, mode: str) -> None:
    im = photo.convert(mode)
    stored = color.to_pixels(im)
    assert stored.mode == mode
    assert stored.array.dtype == np.uint8
    assert stored.array.shape == (64, 96, len(mode))
    assert stored.array.flags.c_contiguous
    assert color.to_image(stored.array, mode).tobytes() == im.tobytes()


@pytest.mark.parametrize(
    ("mode", "stored"),
    [("1", "L"), ("P", "RGB"), ("RGBX", "RGB"), ("RGBa", "RGBA"), ("CMYK", "RGB"), ("YCbCr", "RGB"), ("HSV", "RGB")],
)
def test_other_modes_show_the_same_picture(photo: Image.Image, mode: str, stored: str) -> None:
    im = photo.convert("RGBA").convert(mode) if mode == "RGBa" else photo.convert(mode)
    found = color.to_pixels(im)
    assert found.mode == stored
    assert found.array.shape[2] == len(stored)
    shown = color.to_image(found.array, stored).convert("RGB")
    assert shown.tobytes() == (im.convert("RGBA") if mode == "RGBa" else im).convert("RGB").tobytes()


def test_two_step_modes(photo: Image.Image) -> None:
    gray = photo.convert("LA").convert("La")
    assert color.to_pixels(gray).mode == "LA"
    palette = photo.convert("P").convert("PA")
    assert color.to_pixels(palette).mode == "RGBA"
    lab = photo.convert("LAB")
    assert color.to_pixels(lab).mode == "RGB"
    assert np.abs(pixels_of(lab).astype(int) - pixels_of(photo)).mean() < 3


def test_premultiplied_alpha_is_undone() -> None:
    im = Image.new("RGBA", (1, 1), (200, 100, 50, 128))
    assert np.abs(pixels_of(im.convert("RGBa")).astype(int) - pixels_of(im)).max() <= 1


def test_palette_with_transparency(photo: Image.Image) -> None:
    im = photo.quantize(8)
    im.info["transparency"] = 0
    stored = color.to_pixels(im)
    assert stored.mode == "RGBA"
    np.testing.assert_array_equal(stored.array[:, :, 3] == 0, np.asarray(im) == 0)


@pytest.mark.parametrize(("mode", "transparent", "stored"), [("L", 7, "LA"), ("RGB", (1, 2, 3), "RGBA")])
def test_a_transparent_colour_becomes_alpha(mode: str, transparent: object, stored: str) -> None:
    im = Image.new(mode, (2, 1))
    im.putpixel((0, 0), transparent)
    im.info["transparency"] = transparent
    found = color.to_pixels(im)
    assert found.mode == stored
    assert found.array[0, :, -1].tolist() == [0, 255]


@pytest.mark.parametrize("mode", ["I", "F", "I;16", "I;16B", "I;16L"])
def test_deep_modes_are_refused(mode: str) -> None:
    with pytest.raises(OSError, match=f"cannot write mode {mode} as LIC"):
        color.to_pixels(Image.new(mode, (2, 2)))


def test_empty_images_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot write empty image"):
        color.to_pixels(Image.new("L", (3, 0)))


def cmyk_profile() -> bytes:
    """An ICC header that says CMYK, with nothing behind it that littlecms could use."""
    header = bytearray(128)
    header[16:20] = b"CMYK"
    header[36:40] = b"acsp"
    return bytes(header)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_profiles_that_fit_are_kept(photo: Image.Image) -> None:
    for mode in ("RGB", "RGBA", "P", "YCbCr"):
        im = photo.convert(mode)
        im.info["icc_profile"] = srgb_profile()
        stored = color.to_pixels(im)
        assert stored.icc_profile == srgb_profile()
        assert stored.lost == ""


def test_a_pillow_without_littlecms(photo: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageCms, "core", DeferredError(ImportError("No module named 'PIL._imagingcms'")))
    im = photo.convert("CMYK")
    im.info["icc_profile"] = cmyk_profile()
    stored = color.to_pixels(im)
    assert (stored.mode, stored.icc_profile) == ("RGB", b"")
    assert "CMYK image does not describe RGB" in stored.lost


def test_a_cmyk_profile_does_not_describe_rgb(photo: Image.Image) -> None:
    im = photo.convert("CMYK")
    im.info["icc_profile"] = cmyk_profile()
    stored = color.to_pixels(im)
    assert stored.icc_profile == b""
    assert "CMYK image does not describe RGB" in stored.lost


@pytest.mark.parametrize(
    ("space", "mode"),
    [(b"CMYK", "RGB"), (b"GRAY", "RGBA"), (b"GRAY", "P"), (b"CMYK", "L"), (b"RGB ", "L"), (b"RGB ", "LA")],
)
def test_profiles_that_convert_left_behind_are_dropped(photo: Image.Image, space: bytes, mode: str) -> None:
    im = photo.convert(mode)
    im.info["icc_profile"] = cmyk_profile().replace(b"CMYK", space)
    stored = color.to_pixels(im)
    assert stored.icc_profile == b""
    assert f"{mode} image does not describe these colours" in stored.lost


def test_grey_profiles_of_grey_are_kept(photo: Image.Image) -> None:
    im = photo.convert("LA")
    im.info["icc_profile"] = cmyk_profile().replace(b"CMYK", b"GRAY")
    assert color.to_pixels(im).icc_profile == im.info["icc_profile"]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LA", "YCbCr"])
@pytest.mark.parametrize(
    "stray", [b"\0\x80" * 200, (1, 2, 3, 4), (1, 2, 300), -1, 256, "white", None, 1.5, ((1, 2), 3, 4)]
)
def test_a_transparency_that_the_mode_cannot_have_is_ignored(photo: Image.Image, mode: str, stray: object) -> None:
    """Programs copy `info` from images of other modes, and a PNG may have text of that name."""
    im = photo.convert(mode)
    expected = color.to_pixels(im)
    im.info["transparency"] = stray
    found = color.to_pixels(im)
    assert found.mode == expected.mode
    np.testing.assert_array_equal(found.array, expected.array)
    assert im.info["transparency"] is stray


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "CMYK", "YCbCr", "LAB"])
@pytest.mark.parametrize("space", [b"CMYK", b"GRAY", b"Lab ", b"RGB "])
@pytest.mark.parametrize("given", [False, True])
def test_no_profile_is_stored_with_colours_it_cannot_describe(
    photo: Image.Image, mode: str, space: bytes, given: bool
) -> None:
    im = photo.convert(mode)
    profile = cmyk_profile().replace(b"CMYK", space)
    im.info = {} if given else {"icc_profile": profile}
    found = color.to_pixels(im, profile if given else None)
    kept = found.icc_profile[16:20]
    assert kept in (b"", b"GRAY" if found.mode == "L" else b"RGB ")
    assert bool(kept) != bool(found.lost)


def test_a_profile_given_with_cmyk_describes_the_result(photo: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    im = photo.convert("CMYK")
    im.info["icc_profile"] = cmyk_profile()
    targets = []

    def transform(given: Image.Image, _: io.BytesIO, to: io.BytesIO, outputMode: str) -> Image.Image:
        targets.append(to.read())
        return Image.new(outputMode, given.size, (1, 2, 3))

    monkeypatch.setattr(ImageCms, "profileToProfile", transform)
    stored = color.to_pixels(im, srgb_profile())
    assert (stored.icc_profile, stored.lost, targets) == (srgb_profile(), "", [srgb_profile()])
    assert stored.array[0, 0].tolist() == [1, 2, 3]
    stripped = color.to_pixels(photo, b"")
    assert (stripped.icc_profile, stripped.lost) == (b"", "")


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_no_transparent_colour(photo: Image.Image, mode: str) -> None:
    im = photo.convert(mode)
    im.info["transparency"] = None
    assert color.to_pixels(im).mode == {"1": "L"}.get(mode, mode)


def test_cmyk_goes_through_its_profile(photo: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    im = photo.convert("CMYK")
    im.info["icc_profile"] = cmyk_profile()

    def transform(given: Image.Image, profile: io.BytesIO, to: object, outputMode: str) -> Image.Image:
        assert (given.mode, profile.read(), outputMode) == ("CMYK", cmyk_profile(), "RGB")
        return Image.new("RGB", given.size, (1, 2, 3))

    monkeypatch.setattr(ImageCms, "profileToProfile", transform)
    stored = color.to_pixels(im)
    assert stored.array[0, 0].tolist() == [1, 2, 3]
    assert (stored.icc_profile, stored.lost) == (b"", "")


@pytest.mark.parametrize(("shape", "mode"), [((4, 5), "L"), ((4, 5, 1), "L"), ((4, 5, 2), "LA"), ((4, 5, 3), "RGB")])
def test_arrays(shape: tuple[int, ...], mode: str) -> None:
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    im = color.from_array(array)
    assert (im.mode, im.size) == (mode, (5, 4))
    np.testing.assert_array_equal(np.asarray(im).ravel(), array.ravel())


def test_arrays_that_are_views_or_bool() -> None:
    array = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)[::-1, ::2]
    np.testing.assert_array_equal(np.asarray(color.from_array(array)), array)
    assert np.asarray(color.from_array(np.array([[True, False]]))).tolist() == [[255, 0]]


def test_array_of_another_mode() -> None:
    assert color.from_array(np.zeros((2, 2, 3), np.uint8), "YCbCr").mode == "YCbCr"
    with pytest.raises(ValueError, match="8-bit mode of 3 channels, got 'RGBA'"):
        color.from_array(np.zeros((2, 2, 3), np.uint8), "RGBA")


@pytest.mark.parametrize("mode", ["I", "F", "1", "nonsense"])
def test_array_of_a_mode_without_bytes(mode: str) -> None:
    with pytest.raises(ValueError, match="8-bit mode of 1 channels"):
        color.from_array(np.zeros((2, 2), np.uint8), mode)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 4), np.float32), "array of float32: scale it to 0-255"),
        (np.zeros((4, 4), np.uint16), "array of uint16"),
        (np.zeros((2, 4, 4, 3), np.uint8), r"got shape \(2, 4, 4, 3\)"),
        (np.zeros((4, 4, 5), np.uint8), r"got shape \(4, 4, 5\)"),
        (np.array(5, np.uint8), r"got shape \(\)"),
        (np.zeros((0, 4), np.uint8), "empty image"),
    ],
)
def test_arrays_that_are_not_pictures(array: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        color.from_array(array)


def test_masks() -> None:
    values = np.array([[0, 1], [0, 255]], np.uint8)
    for mode in ("L", "LA", "RGB", "RGBA"):
        np.testing.assert_array_equal(color.to_map(Image.fromarray(values).convert(mode)), values)
    np.testing.assert_array_equal(color.to_map(Image.fromarray(values > 0)), [[0, 255], [0, 255]])
    numbers = np.array([[0, 0.25], [0.5, 1]], np.float32)
    np.testing.assert_array_equal(color.to_map(Image.fromarray(numbers)), numbers)
    assert color.to_map(Image.fromarray(values.astype(np.uint16))).dtype == np.uint16
