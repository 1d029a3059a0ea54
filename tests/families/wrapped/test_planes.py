"""JPEG files whose components are no luma and chroma, or are more than these, restored: RGB without a transform, CMYK and YCCK."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made.jpegs import jpeg_of, opened, subsampled_rgb_of, ycck_of
from made.pictures import photo_like
from PIL import Image

import pillow_lic
from pillow_lic import metrics
from pillow_lic.__main__ import main
from pillow_lic.engine import models
from pillow_lic.families.wrapped import restoration
from pillow_lic.fileformat import jpeg

Saved = Callable[[np.ndarray, int], bytes]


def rgb_of(picture: np.ndarray, quality: int) -> bytes:
    return jpeg_of(picture[:, :, :3], quality=quality, keep_rgb=True)


def cmyk_of(picture: np.ndarray, quality: int) -> bytes:
    return jpeg_of(picture, quality=quality)


def unmarked_cmyk_of(picture: np.ndarray, quality: int) -> bytes:
    """A file of CMYK without the marker of Adobe."""
    data = cmyk_of(picture, quality)
    start = data.index(b"Adobe") - 4
    return data[:start] + data[start + 16 :]


KINDS = [rgb_of, cmyk_of, unmarked_cmyk_of, ycck_of, subsampled_rgb_of]
each_kind = pytest.mark.parametrize("saved", KINDS)


def inked(colors: np.ndarray) -> np.ndarray:
    """Return colours (H, W, 3) as C, M, Y and K, with two thirds of the grey in K."""
    inks = 255 - colors.astype(int)
    black = inks.min(2, keepdims=True) * 2 // 3
    return np.dstack([255 * (inks - black) // (255 - black), black]).astype(np.uint8)


@pytest.mark.parametrize("quality", [20, 60])
@pytest.mark.parametrize("saved", [rgb_of, cmyk_of, ycck_of])
def test_every_channel_comes_nearer(saved: Saved, quality: int, cat: np.ndarray) -> None:
    picture = cat if saved is rgb_of else inked(cat)
    data = saved(picture, quality)
    before, after = opened(data), np.asarray(pillow_lic.restore(data))
    assert metrics.psnr(picture, after) > metrics.psnr(picture, before) + 0.7
    for k in range(picture.shape[2]):
        plane, *planes = (np.ascontiguousarray(pixels[:, :, k]) for pixels in (picture, before, after))
        assert metrics.psnr(plane, planes[1]) > metrics.psnr(plane, planes[0]) + 0.3


@each_kind
@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 3), (1, 300), (131, 75)])
def test_a_network_that_changes_nothing_leaves_pillows_pixels(
    saved: Saved, height: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the mode that Pillow opens the file in."""
    run = models.Model.run

    def unchanged(self: models.Model, role: str, **feeds: np.ndarray) -> list[np.ndarray]:
        return [feeds["pixels"][None]] if role == "restore" else run(self, role, **feeds)

    monkeypatch.setattr(models.Model, "run", unchanged)
    data = saved(60 + photo_like(height, width, 4, seed=width) // 2, 60)
    im = pillow_lic.restore(data)
    with Image.open(io.BytesIO(data)) as before:
        assert (im.mode, im.size) == (before.mode, before.size)
        np.testing.assert_array_equal(np.asarray(im), np.asarray(before))


TABLES = [[step] * 64 for step in (6, 14, 22, 34)]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 3), (61, 90)])
def test_planes_are_what_files_of_grey_become(height: int, width: int) -> None:
    """Each by its own table: of CMYK inverted, as the file has them."""
    picture = photo_like(height, width, 4, seed=5)
    cmyk = np.asarray(pillow_lic.restore(jpeg_of(picture, qtables=TABLES)))
    rgb = np.asarray(pillow_lic.restore(jpeg_of(picture[:, :, :3], qtables=TABLES[:3], keep_rgb=True)))
    for k in range(4):
        grey = pillow_lic.restore(jpeg_of(255 - picture[:, :, k : k + 1], qtables=[TABLES[k]]))
        np.testing.assert_array_equal(cmyk[:, :, k], 255 - np.asarray(grey))
    for k in range(3):
        grey = pillow_lic.restore(jpeg_of(picture[:, :, k : k + 1], qtables=[TABLES[k]]))
        np.testing.assert_array_equal(rgb[:, :, k], np.asarray(grey))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 3), (61, 90)])
def test_ycck_is_what_files_of_colours_and_of_grey_become(height: int, width: int) -> None:
    """With luma held to the file where colours were cut off, which needs the luma of YCCK."""
    picture = photo_like(height, width, 4, seed=5)
    picture[height // 2 :, : width // 2, :3] = (0, 255, 120)
    shown = np.asarray(pillow_lic.restore(ycck_of(picture, 40)))
    file = io.BytesIO()
    colors = Image.fromarray(np.ascontiguousarray(picture[:, :, :3])).convert("YCbCr")
    colors.save(file, "JPEG", quality=40, subsampling=0)
    np.testing.assert_array_equal(shown[:, :, :3], np.asarray(pillow_lic.restore(file.getvalue())))
    black = pillow_lic.restore(jpeg_of(255 - picture[:, :, 3:], quality=40))
    np.testing.assert_array_equal(shown[:, :, 3], 255 - np.asarray(black))


def test_the_luma_of_ycck_is_that_of_the_file() -> None:
    colors = photo_like(40, 50, 4)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(colors[:, :, :3])).convert("YCbCr").save(
        file, "JPEG", quality=60, subsampling=0
    )
    np.testing.assert_array_equal(jpeg.luma_of(ycck_of(colors, 60)), jpeg.luma_of(file.getvalue()))


def test_a_subsampled_plane_stays_as_it_is(cat: np.ndarray) -> None:
    data = subsampled_rgb_of(cat, 30)
    before, after = opened(data), np.asarray(pillow_lic.restore(data))
    np.testing.assert_array_equal(after[:, :, 1:], before[:, :, 1:])
    luma = np.asarray(Image.fromarray(cat).convert("L"))
    planes = [np.ascontiguousarray(pixels[:, :, 0]) for pixels in (before, after)]
    assert metrics.psnr(luma, planes[1]) > metrics.psnr(luma, planes[0]) + 0.7


@pytest.mark.parametrize(
    ("saved", "parts"),
    [
        (rgb_of, [(0, 1, False), (1, 2, False), (2, 3, False)]),
        (cmyk_of, [(0, 1, True), (1, 2, True), (2, 3, True), (3, 4, True)]),
        (unmarked_cmyk_of, [(0, 1, True), (1, 2, True), (2, 3, True), (3, 4, True)]),
        (ycck_of, [(0, 3, False), (3, 4, True)]),
        (lambda picture, _: jpeg_of(picture[:, :, :3]), [(0, 3, False)]),
        (lambda picture, _: jpeg_of(picture[:, :, :1]), [(0, 1, False)]),
    ],
)
def test_the_parts_of_a_file(saved: Saved, parts: list[tuple[int, int, bool]]) -> None:
    found = jpeg.parts_of(saved(photo_like(20, 30, 4), 50))
    assert [(part.first, part.end, part.is_inverted) for part in found] == parts
    assert all(part.is_full and (part.facts.width, part.facts.height) == (30, 20) for part in found)
    assert [part.facts.is_grey for part in found] == [end == first + 1 for first, end, _ in parts]


@pytest.mark.parametrize("saved", [cmyk_of, ycck_of])
def test_windows_leave_no_seam_in_planes(saved: Saved, cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(inked(cat)[:203, :301], 20)
    whole = np.asarray(pillow_lic.restore(data, 2))
    model = models.choose("restored")
    cut = replace(model, constants=model.constants | {"window": 128})
    monkeypatch.setattr(models, "choose", lambda *_: cut)
    parts = np.asarray(pillow_lic.restore(data, 2))
    assert np.abs(parts.astype(int) - whole).max() <= 1


@pytest.mark.parametrize("saved", [rgb_of, cmyk_of, ycck_of])
def test_opened_images_are_restored_unless_they_were_changed(saved: Saved, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(saved(photo_like(30, 40, 4), 30))
    expected = pillow_lic.restore(path)
    with Image.open(path) as im:
        assert pillow_lic.restore(im).tobytes() == expected.tobytes() != im.tobytes()
        im.load()
        assert pillow_lic.restore(im).tobytes() == expected.tobytes()
        im.putpixel((3, 4), (1, 2, 3, 4)[: len(im.getbands())])
        with pytest.raises(ValueError, match="its pixels were changed"):
            pillow_lic.restore(im)
    data = path.read_bytes()
    with pytest.raises(OSError, match="truncated"):
        pillow_lic.restore(data[: len(data) // 2 + 300])


def test_no_plane_is_restored_by_a_file_over_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restoration, "restored", lambda *_, **__: pytest.fail("it was restored"))
    with pytest.raises(pillow_lic.LicError), pillow_lic.settings(max_pixels=100):
        pillow_lic.restore(cmyk_of(photo_like(30, 40, 4), 30))


PROFILE = bytes(16) + b"CMYK" + bytes(16) + b"acsp" + bytes(88)
"""An ICC profile for CMYK, as far as its header goes."""


def folder_of_each(path: Path) -> Path:
    """Return a folder with a file of each kind; that of CMYK has a profile."""
    path.mkdir()
    picture = photo_like(30, 40, 4)
    (path / "rgb.jpg").write_bytes(rgb_of(picture, 30))
    (path / "ycck.jpg").write_bytes(ycck_of(picture, 30))
    (path / "cmyk.jpg").write_bytes(jpeg_of(picture, quality=30, icc_profile=PROFILE))
    return path


@pytest.mark.parametrize(("to", "mode"), [("png", "RGB"), ("webp", "RGB"), ("tif", "CMYK")])
def test_folders_by_the_rules_of_convert(to: str, mode: str, tmp_path: Path) -> None:
    """A format without CMYK gets the colours that `convert` makes of it, and no profile of CMYK."""
    folder, out = folder_of_each(tmp_path / "in"), tmp_path / "out"
    assert main(["restore", str(folder), str(out), "--to", to, "-j", "2", "--quiet"]) == 0
    assert sorted(path.stem for path in out.iterdir()) == ["cmyk", "rgb", "ycck"]
    for path in out.iterdir():
        restored = pillow_lic.restore(folder / f"{path.stem}.jpg")
        with Image.open(path) as im:
            assert im.mode == ("RGB" if path.stem == "rgb" else mode)
            assert im.info.get("icc_profile") == (PROFILE if (path.stem, mode) == ("cmyk", "CMYK") else None)
            if to != "webp":
                assert im.tobytes() == (restored if im.mode == restored.mode else restored.convert("RGB")).tobytes()


def test_a_jpeg_file_of_cmyk_stays_one(tmp_path: Path) -> None:
    source, target = folder_of_each(tmp_path / "in") / "cmyk.jpg", tmp_path / "new.jpg"
    assert main(["restore", str(source), str(target), "-q", "10", "--quiet"]) == 0
    with Image.open(target) as im:
        assert (im.mode, im.info["icc_profile"]) == ("CMYK", PROFILE)
        assert metrics.psnr(np.asarray(pillow_lic.restore(source)), np.asarray(im)) > 45
