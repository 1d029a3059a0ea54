"""JPEG files whose places have different qualities: no larger than the plain file, and better where it matters."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made.pictures import SAMPLE
from PIL import Image

import pillow_lic
from pillow_lic import metrics
from pillow_lic.__main__ import main
from pillow_lic.bench import boxes
from pillow_lic.importance import jpeg

LEFT = (0, 0, 160, 296)


@pytest.fixture(scope="module")
def cat() -> Image.Image:
    with Image.open(SAMPLE) as im:
        return im.convert("RGB").crop((8, 0, 328, 296))


def left_half(image: Image.Image) -> np.ndarray:
    rows, columns = -(-image.height // 16), -(-image.width // 16)
    return np.broadcast_to(np.arange(columns) < columns // 2, (rows, columns)).astype(np.float32)


def shown(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as im:
        assert im.format == "JPEG"
        return np.asarray(im)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("quality", [10, 50, 85, 95])
def test_no_larger_and_better_inside(cat: Image.Image, quality: int, mode: str) -> None:
    image = cat.convert(mode)
    plain = io.BytesIO()
    image.save(plain, "JPEG", quality=quality, optimize=True, subsampling="4:2:0")
    data = jpeg.encode(image, quality, left_half(image))
    assert len(data) <= len(plain.getvalue())
    if quality == 95:
        assert data == plain.getvalue()
        return
    pixels, before, after = np.asarray(image), shown(plain.getvalue()), shown(data)
    assert metrics.psnr(pixels[:, :160], after[:, :160]) > metrics.psnr(pixels[:, :160], before[:, :160]) + 0.35
    assert metrics.psnr(pixels[:, 160:], after[:, 160:]) < metrics.psnr(pixels[:, 160:], before[:, 160:])


def test_the_transform_is_that_of_jpeg() -> None:
    np.testing.assert_allclose(jpeg.DCT @ jpeg.DCT.T, np.eye(8), atol=1e-6)
    flat = np.full((16, 24), 10, np.float32)
    values = jpeg._transformed(flat)
    assert values[::8, ::8] == pytest.approx(80)
    np.testing.assert_allclose(jpeg._untransformed(values), flat, atol=1e-4)
    noise = np.random.default_rng(0).normal(0, 50, (32, 40)).astype(np.float32)
    np.testing.assert_allclose(jpeg._untransformed(jpeg._transformed(noise)), noise, atol=1e-3)


def test_what_is_left_out_is_below_its_threshold() -> None:
    values = np.random.default_rng(1).normal(0, 20, (16, 16)).astype(np.float32)
    steps = np.arange(8, 72, dtype=np.float32).reshape(8, 8)
    threshold = np.array([[0.5, 1], [2, 4]], np.float32)
    kept = jpeg._without_small(values, steps, threshold)
    least = np.kron(threshold, steps)
    least[::8, ::8] = 0
    np.testing.assert_array_equal(kept, np.where(np.abs(values) < least, 0, values))


@pytest.mark.parametrize("size", [(1, 1), (17, 5), (16, 16), (33, 47)])
def test_every_size(cat: Image.Image, size: tuple[int, int]) -> None:
    small = cat.crop((100, 60, 100 + size[0], 60 + size[1]))
    values = np.arange(-(-size[1] // 16) * -(-size[0] // 16), dtype=np.float32).reshape(-(-size[1] // 16), -1)
    assert shown(jpeg.encode(small, 40, values)).shape == (size[1], size[0], 3)


def test_other_modes_are_refused(cat: Image.Image) -> None:
    with pytest.raises(ValueError, match="importance must be left out for JPEG files of mode CMYK"):
        jpeg.encode(cat.convert("CMYK"), 50, left_half(cat))


def test_the_command_takes_boxes_and_keeps_metadata(cat: Image.Image, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[271] = "maker"
    cat.save(tmp_path / "a.png", exif=exif)
    assert main(["convert", str(tmp_path / "a.png"), str(tmp_path / "plain.jpg"), "-q", "4"]) == 0
    box = ",".join(map(str, LEFT))
    assert main(["encode", str(tmp_path / "a.png"), str(tmp_path / "b.jpg"), "-q", "4", "--roi", box]) == 0
    with Image.open(tmp_path / "b.jpg") as im:
        assert im.getexif()[271] == "maker"
        seen = np.asarray(im)
    pixels = np.asarray(cat)
    plain = shown((tmp_path / "plain.jpg").read_bytes())
    assert metrics.psnr(pixels[:, :160], seen[:, :160]) > metrics.psnr(pixels[:, :160], plain[:, :160]) + 0.5
    assert (tmp_path / "b.jpg").stat().st_size <= 1.02 * (tmp_path / "plain.jpg").stat().st_size


def test_a_folder_of_jpegs(cat: Image.Image, tmp_path: Path) -> None:
    cat.save(tmp_path / "a.png")
    pillow_lic.convert(tmp_path / "a.png", tmp_path / "plain.jpg", quality=5)
    summary = pillow_lic.convert(tmp_path / "a.png", tmp_path / "b.jpeg", quality=5, roi=LEFT)
    assert not summary.failed
    with pytest.raises(ValueError, match="effort must be left out for .jpg files: only .lic files know of it"):
        pillow_lic.convert(tmp_path / "a.png", tmp_path / "c.jpg", roi=LEFT, effort=1)
    with pytest.raises(ValueError, match="left out for .webp files: only .lic and .jpg files know of it"):
        pillow_lic.convert(tmp_path / "a.png", tmp_path / "c.webp", importance="auto")
    with pytest.raises(ValueError, match="importance must be None"):
        pillow_lic.convert(tmp_path / "a.png", tmp_path / "c.jpg", importance="all")


def test_encode_still_writes_no_other_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["a.jpg"], ["a.webp", "--importance", "auto"]):
        assert main(["encode", str(SAMPLE), str(tmp_path / words[0]), *words[1:]]) == 2
        assert "encode writes .lic files, and .jpg files with --importance or --roi" in capsys.readouterr().err


def test_the_format_of_what_has_no_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cat = tmp_path / "cat.webp"
    cat.write_bytes(SAMPLE.read_bytes())
    words = ["--importance", "semantic", "--to", "jpg"]
    assert main(["encode", str(cat), f"{tmp_path}/", *words]) == 0
    ran = subprocess.run([sys.executable, "-m", "pillow_lic", "encode", str(cat), "-", *words], capture_output=True)
    with Image.open(tmp_path / "cat.jpg") as im:
        assert (im.format, ran.stdout) == ("JPEG", (tmp_path / "cat.jpg").read_bytes())
    for name, wanted in (("a.lic", "jpg"), ("a.jpg", "lic")):
        capsys.readouterr()
        assert main(["encode", str(cat), str(tmp_path / name), *words[:2], "--to", wanted]) == 2
        assert f"--to must be the format of the target {tmp_path / name}, got {wanted}" in capsys.readouterr().err
    assert main(["encode", str(cat), "-", "--to", "jpg"]) == 2
    assert "with --importance or --roi, got .jpg" in capsys.readouterr().err


def test_boxes_of_the_benchmark_lie_inside_kodak() -> None:
    upright = {"kodim04", "kodim09", "kodim17", "kodim18", "kodim19"}
    for name, found in boxes.BOXES.items():
        width, height = (512, 768) if name in upright else (768, 512)
        for left, upper, right, lower in found:
            assert 0 <= left < right <= width
            assert 0 <= upper < lower <= height
    assert boxes.inside([(1, 2, 3, 5)], (6, 4)).sum() == 6


def test_the_benchmark_of_boxes(tmp_path: Path, cat: Image.Image, capsys: pytest.CaptureFixture[str]) -> None:
    cat.resize((768, 512)).save(tmp_path / "kodim20.png")
    cat.save(tmp_path / "other.png")
    assert boxes.main([str(tmp_path), "--form", "jpeg", "--map", "middle"]) == 0
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head == "1 pictures, 1 boxes"
    assert [row.split()[:3] for row in rows] == [["jpeg", quality, "middle"] for quality in ("20", "50", "80")]
    assert all(float(row.split()[-1].rstrip("%")) <= 0 for row in rows)
    assert boxes.main([str(tmp_path / "none"), "--map", "middle"]) == 1
