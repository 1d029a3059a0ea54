"""JPEG pictures restored, by functions and by commands: nearer to the original, seams, folders, what is refused."""

import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine.released import each_wrapping
from made.jpegs import jpeg_of, opened
from made.pictures import photo_like
from PIL import Image, ImageDraw, ImageFile, ImageFont

import pillow_lic
from pillow_lic import metrics
from pillow_lic.__main__ import main
from pillow_lic.engine import models
from pillow_lic.errors import LicLimitError
from pillow_lic.families.wrapped import restoration
from pillow_lic.fileformat import jpeg
from pillow_lic.fileformat.areas import onto


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [10, 40, 75])
def test_a_restored_picture_is_nearer_to_the_original(cat: np.ndarray, quality: int, subsampling: int) -> None:
    data = jpeg_of(cat, quality=quality, subsampling=subsampling, progressive=bool(subsampling), optimize=True)
    gain = metrics.psnr(cat, np.asarray(pillow_lic.restore(data))) - metrics.psnr(cat, opened(data))
    assert gain > 0.7


def test_several_views_come_nearer(cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """And in windows as in one, to one level, of sizes that are no whole blocks."""
    picture = cat[:203, :301]
    data = jpeg_of(picture, quality=20)
    shown = {views: np.asarray(pillow_lic.restore(data, views)) for views in (1, 2, 4)}
    dbs = [metrics.psnr(picture, pixels) for pixels in shown.values()]
    assert dbs[1] > dbs[0] + 0.01
    assert dbs[2] > dbs[1]
    model = models.choose("restored")
    cut = replace(model, constants=model.constants | {"window": 128})
    monkeypatch.setattr(models, "choose", lambda *_: cut)
    parts = np.asarray(pillow_lic.restore(data, 4))
    assert np.abs(parts.astype(int) - shown[4]).max() <= 1


@pytest.mark.parametrize("views", [0, 3, 5, -1, 2.5, "4", None])
def test_other_numbers_of_views_are_refused(views: object, photo_jpeg: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"views must be one of 1, 2, 4, got"):
        pillow_lic.restore(photo_jpeg, views)  # type: ignore[arg-type]
    if views:
        with pytest.raises(ValueError, match=r"views must be one of 1, 2, 4, got"):
            pillow_lic.convert(photo_jpeg, tmp_path / "out.png", restore=views)  # type: ignore[arg-type]
    assert not list(tmp_path.glob("out*"))


def test_the_command_takes_views(photo_jpeg: Path, tmp_path: Path) -> None:
    assert main(["restore", str(photo_jpeg), str(tmp_path / "out.png"), "--views", "2", "--quiet"]) == 0
    with Image.open(tmp_path / "out.png") as im:
        assert im.tobytes() == pillow_lic.restore(photo_jpeg, 2).tobytes() != pillow_lic.restore(photo_jpeg).tobytes()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (17, 16), (130, 75)])
def test_sizes_and_modes(height: int, width: int, channels: int) -> None:
    picture = photo_like(height, width, channels, seed=width)
    im = pillow_lic.restore(jpeg_of(picture, quality=60))
    assert (im.mode, im.size) == ("L" if channels == 1 else "RGB", (width, height))
    assert np.abs(np.asarray(im).reshape(picture.shape).astype(int) - picture).mean() < 12


@pytest.mark.parametrize("quality", [5, 60, 95, 100])
def test_no_photograph_or_flat_picture_gets_worse(cat: np.ndarray, quality: int) -> None:
    for picture in (cat[:200, :300], photo_like(90, 120), np.full((40, 40, 3), 137, np.uint8)):
        data = jpeg_of(picture, quality=quality)
        before, after = opened(data), np.asarray(pillow_lic.restore(data))
        luma, before, after = (np.asarray(Image.fromarray(a).convert("L")) for a in (picture, before, after))
        assert metrics.psnr(luma, after) > min(metrics.psnr(luma, before), 60) - 0.05


def drawn(gradient: bool) -> np.ndarray:
    """Letters, lines and a box on a flat ground, or on a gradient."""
    image = (
        Image.linear_gradient("L").resize((320, 240)).convert("RGB")
        if gradient
        else Image.new("RGB", (320, 240), (250, 248, 240))
    )
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 140, 90), fill=(200, 60, 40))
    draw.line((0, 239, 319, 120), fill=(20, 60, 160), width=3)
    for row in range(4):
        draw.text((150, 20 + 24 * row), "letters and lines", fill=(10, 10, 10), font=ImageFont.load_default(16))
    return np.asarray(image)


@pytest.mark.parametrize("quality", [75, 85, 90, 95])
def test_drawings_at_high_quality_stay_as_they_are(quality: int) -> None:
    for picture in (drawn(gradient=False), drawn(gradient=True)):
        data = jpeg_of(picture, quality=quality)
        luma, before, after = (
            np.asarray(Image.fromarray(a).convert("L"))
            for a in (picture, opened(data), np.asarray(pillow_lic.restore(data)))
        )
        assert metrics.psnr(luma, after) > metrics.psnr(luma, before) - 0.05


def test_what_else_the_file_has_is_kept(photo_jpeg: Path) -> None:
    im = pillow_lic.restore(photo_jpeg)
    with Image.open(photo_jpeg) as before:
        assert im.getexif() == before.getexif() != {}
        assert (im.info["icc_profile"], im.info["dpi"]) == (before.info["icc_profile"], before.info["dpi"])
        assert im.size == before.size
        again = pillow_lic.restore(before)
        before.load()
        assert again.tobytes() == pillow_lic.restore(before).tobytes() == im.tobytes()
    with photo_jpeg.open("rb") as file:
        assert pillow_lic.restore(file).tobytes() == im.tobytes()


def test_what_cannot_be_restored_is_refused(photo_jpeg: Path, cat: np.ndarray) -> None:
    data = photo_jpeg.read_bytes()
    png = io.BytesIO()
    Image.fromarray(cat).save(png, "PNG")
    for wrong, words in (
        (png.getvalue(), "only JPEG files can be restored, got one of PNG"),
        (data[: len(data) // 2], "truncated"),
        (b"nothing", "cannot identify image file of 7 bytes"),
    ):
        with pytest.raises(OSError, match=words):
            pillow_lic.restore(wrong)
    with pytest.raises(ValueError, match="an image of no file"):
        pillow_lic.restore(Image.fromarray(cat))
    with Image.open(photo_jpeg) as im:
        im.putpixel((0, 0), (1, 2, 3))
        with pytest.raises(ValueError, match="its pixels were changed"):
            pillow_lic.restore(im)
    with pytest.raises(LicLimitError), pillow_lic.settings(max_pixels=1000):
        pillow_lic.restore(data)
    photo_jpeg.write_bytes(b"nothing")
    with pytest.raises(OSError, match=r"cannot identify image file '.*cat\.jpg'"):
        pillow_lic.restore(photo_jpeg)


def test_only_the_first_of_several_pictures_is_restored(cat: np.ndarray) -> None:
    file = io.BytesIO()
    pictures = [Image.fromarray(part) for part in (cat[:40, :60], cat[100:140, 100:160])]
    pictures[0].save(file, "MPO", save_all=True, append_images=pictures[1:], quality=40)
    with Image.open(file) as im:
        first = pillow_lic.restore(im)
        im.seek(1)
        for _ in range(2):
            with pytest.raises(
                ValueError, match="only the first picture of a file can be restored, got .* number 1, from 0"
            ):
                pillow_lic.restore(im)
            im.load()
    assert (
        first.tobytes()
        == pillow_lic.restore(file.getvalue()).tobytes()
        != pillow_lic.restore(jpeg_of(cat[100:140, 100:160], quality=40)).tobytes()
    )


@each_wrapping
def test_windows_leave_no_seam(cat: np.ndarray, model: models.Model) -> None:
    """Restored in squares of 128 a picture is what it is in one piece, but for samples that round otherwise."""
    scale = model.constants["scale"]
    picture = np.tile(cat, (2, 2, 1))[:500, :700]
    data = jpeg_of(picture, quality=20)
    shape = (500 * scale, 700 * scale)
    results = []
    for window in (128, 1024):
        shown = np.zeros((*shape, 3), np.uint8)
        cut = replace(model, constants=dict(model.constants) | {"window": window})
        restoration.restored(cut, restoration.Decoded(jpeg.pixels_of(data), jpeg.facts_of(data)), shape, onto(shown))
        results.append(shown.astype(int))
    different = np.abs(results[0] - results[1])
    assert different.max() <= 1
    assert (different > 0).mean() < 1e-3


def test_restoring_folders(photo_jpeg: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = photo_jpeg.parent / "in", tmp_path / "out"
    folder.mkdir()
    photo_jpeg.rename(folder / "cat.jpg")
    Image.new("L", (20, 30), 90).save(folder / "grey.jpeg")
    Image.new("RGB", (20, 30)).save(folder / "other.png")
    (folder / "broken.jpg").write_bytes((folder / "cat.jpg").read_bytes()[:3000])
    assert main(["restore", str(folder), str(out), "--dry-run"]) == 0
    assert not out.exists()
    assert main(["restore", str(folder), str(out)]) == 1
    said = capsys.readouterr()
    assert "broken.jpg" in said.err
    assert "truncated" in said.err
    assert sorted(path.name for path in out.iterdir()) == ["cat.png", "grey.png"]
    with Image.open(out / "cat.png") as im:
        assert im.tobytes() == pillow_lic.restore(folder / "cat.jpg").tobytes()
        assert im.getexif()[0x0112] == 6
    (folder / "broken.jpg").unlink()
    assert main(["restore", str(folder), str(out), "--json"]) == 0
    assert capsys.readouterr().out.count('"skipped"') >= 2
    assert main(["restore", str(folder / "other.png"), str(tmp_path / "x.png")]) == 1
    assert "only what was opened from a JPEG file can be restored, got an image of PNG" in capsys.readouterr().err
    assert main(["restore", str(folder / "cat.jpg"), str(tmp_path / "new.jpg"), "-q", "9.5"]) == 0
    with Image.open(tmp_path / "new.jpg") as im:
        assert im.format == "JPEG"


def piped(words: list[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "pillow_lic", *words], input=data, capture_output=True)


def test_restoring_through_pipes(photo_jpeg: Path) -> None:
    data, expected = photo_jpeg.read_bytes(), pillow_lic.restore(photo_jpeg, 2)
    for source in ("-", str(photo_jpeg)):
        ran = piped(["restore", source, "-", "--views", "2"], data)
        with Image.open(io.BytesIO(ran.stdout)) as im:
            assert (im.format, im.tobytes(), ran.stderr) == ("PNG", expected.tobytes(), b"")
            assert im.getexif()[0x010F] == "a camera"
    with Image.open(io.BytesIO(piped(["restore", "-", "-", "--to", "webp"], data).stdout)) as im:
        assert (im.format, im.size) == ("WEBP", expected.size)
    target = photo_jpeg.with_name("out.png")
    assert piped(["restore", "-", str(target)], data).returncode == 0
    with Image.open(target) as im:
        assert im.tobytes() == pillow_lic.restore(photo_jpeg).tobytes()


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["-", "a.jpg", "out"], 2, "restore takes one SRC and one DST where one of them is -, got - a.jpg out"),
        (["-"], 2, "restore takes one SRC and one DST where one of them is -, got -"),
        (["-", "-", "-j", "2"], 2, "--jobs must be left out where SRC or DST is -"),
        (["-", "-", "--dry-run"], 2, "--dry-run must be left out where SRC or DST is -"),
        (["-", "out.png", "--to", "webp"], 2, "--to must be the format of the target out.png, got webp"),
        (["-", "-", "-q", "5"], 1, "quality must be left out for .png files: they have none"),
        (["-", "out.png"], 1, "cannot identify image file standard input"),
    ],
)
def test_what_cannot_go_through_pipes_is_said(
    words: list[str],
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"nothing")))
    assert main(["restore", *words]) == status
    assert capsys.readouterr() == ("", f"lic: {said}\n")
    assert not list(tmp_path.iterdir())


def test_bench_prints_what_is_gained(tmp_path: Path, cat: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(cat[:128, :128]).save(tmp_path / "cat.png")
    assert main(["bench", "restore", str(tmp_path), "--qualities", "20,60", "-v"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("restored +") == printed.count("dB, RGB +") == 2
    assert "| quality | bpp | PSNR | SSIM | PSNR-B | PSNR gained: mean, least, most | of RGB: mean, least |" in printed
    (tmp_path / "empty").mkdir()
    assert main(["bench", "restore", str(tmp_path / "empty")]) == 1


def test_a_loaded_stream_and_truncated_files_that_pillow_may_load(
    photo_jpeg: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = photo_jpeg.read_bytes()
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    assert pillow_lic.restore(data[: len(data) // 2]).size == pillow_lic.restore(data).size
    with pytest.warns(UserWarning, match="not kept.*ends early"):
        pillow_lic.encode(Image.open(io.BytesIO(data[: len(data) // 2])), model="restored")
