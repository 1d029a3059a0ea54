"""Many pictures within a number of bytes."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from made.pictures import photo_like
from PIL import Image

import pillow_lic
from pillow_lic import __main__ as command
from pillow_lic import command_values, metrics
from pillow_lic.batch import budget
from pillow_lic.batch.equal_slope import LEVELS, Share
from pillow_lic.batch.plan import Pair
from pillow_lic.batch.transcode import Transcoder
from pillow_lic.fileformat.levels import level_to_quality, quality_to_level
from pillow_lic.fileformat.limits import MAX_LEVEL


@pytest.fixture(scope="module")
def photos(photo: Image.Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Busy and smooth pictures of different sizes, one with alpha and EXIF."""
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(photo_like(80, 120)).save(folder / "discs.png")
    exif = Image.Exif()
    exif[271] = "maker"
    with_alpha = photo.copy()
    with_alpha.putalpha(Image.linear_gradient("L").resize(photo.size))
    with_alpha.save(folder / "alpha.png", exif=exif)
    photo.convert("L").resize((60, 40)).save(folder / "grey.png")
    return folder


def total(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.lic"))


def smallest(photos: Path, out: Path) -> int:
    pillow_lic.convert(photos, out, quality=1)
    return total(out)


@pytest.mark.parametrize("budget", [3000, 4000, 4150])
def test_nearly_all_of_the_budget_and_never_more(photos: Path, tmp_path: Path, budget: int) -> None:
    summary = pillow_lic.convert(photos, tmp_path / "out", budget=budget)
    assert summary.failed == []
    assert 0.99 * budget <= total(tmp_path / "out") <= budget
    assert summary.bytes_out == total(tmp_path / "out")
    with Image.open(tmp_path / "out/alpha.lic") as im:
        assert im.getexif()[271] == "maker"


def test_workers_and_executors_make_the_same(photos: Path, tmp_path: Path) -> None:
    pillow_lic.convert(photos, tmp_path / "one", budget=4150)
    with ThreadPoolExecutor(3) as executor:
        for name, how in (("two", {"workers": 2}), ("three", {"executor": executor})):
            assert pillow_lic.convert(photos, tmp_path / name, budget=4150, **how).failed == []
            for path in (tmp_path / "one").iterdir():
                assert path.read_bytes() == (tmp_path / name / path.name).read_bytes()


def test_what_is_there_counts(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pillow_lic.convert(photos, out, budget=4150)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    (out / "discs.lic").unlink()
    again = pillow_lic.convert(photos, out, budget=4150)
    assert (len(again.skipped), len(again.done)) == (2, 1)
    assert 0.98 * 4150 <= total(out) <= 4150
    assert (out / "alpha.lic").read_bytes() == before["alpha.lic"]
    assert len(pillow_lic.convert(photos, out, budget=4150).skipped) == 3
    with pytest.raises(ValueError, match=r"budget must be at least [\d,]+ bytes for what is there already, got 4,000"):
        pillow_lic.convert(photos, out, budget=4000)
    made = pillow_lic.convert(photos, out, budget=4000, force=True)
    assert len(made.done) == 3
    assert total(out) <= 4000


def test_out_of_reach(photos: Path, tmp_path: Path) -> None:
    least = smallest(photos, tmp_path / "small")
    said = f"budget must be at least {least:,} bytes, the total of 3 pictures at quality 1, got {least - 1:,}"
    with pytest.raises(ValueError, match=said):
        pillow_lic.convert(photos, tmp_path / "out", budget=least - 1)
    assert not (tmp_path / "out").exists()
    pillow_lic.convert(photos, tmp_path / "out", budget=least)
    assert total(tmp_path / "out") == least


def test_out_of_reach_because_of_what_is_there(photos: Path, tmp_path: Path) -> None:
    pillow_lic.convert(photos / "discs.png", tmp_path / "out", quality=10)
    there = total(tmp_path / "out")
    with pytest.raises(
        ValueError, match=rf"2 pictures at quality 1, got 10 \({there:,} of .* force makes those anew\)"
    ):
        pillow_lic.convert(photos, tmp_path / "out", budget=there + 10)


def test_more_than_can_be_used(photos: Path, tmp_path: Path) -> None:
    pillow_lic.convert(photos, tmp_path / "out", budget=1e12)
    for path in (tmp_path / "out").iterdir():
        with Image.open(path) as im:
            assert im.info["lic_quality"] == 10


def test_a_broken_picture_takes_no_share(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    seen: list[tuple[str, int, int]] = []
    summary = pillow_lic.convert(
        [photos, tmp_path / "bad.png"],
        tmp_path / "out",
        budget=4150,
        progress=lambda result, finished, total: seen.append((result.outcome, finished, total)),
    )
    assert [result.pair.source.name for result in summary.failed] == ["bad.png"]
    assert 0.99 * 4150 <= total(tmp_path / "out") <= 4150
    assert [finished for _, finished, _ in seen] == [1, 2, 3, 5, 6, 7, 8]
    assert {total for _, _, total in seen} == {8}


def test_a_curve_is_what_the_files_have(photos: Path) -> None:
    for name, mode in (("alpha.png", "RGB"), ("grey.png", "L")):
        found = budget.Measure(Transcoder())(Pair(photos / name, Path("unused")))
        with Image.open(photos / name) as im:
            data = pillow_lic.encode(im, quality=level_to_quality(LEVELS[3]), exif=im.info.get("exif"))
            with pillow_lic.open(data) as made:
                psnr = metrics.psnr(np.asarray(im.convert(mode)), np.asarray(made.convert(mode)))
            assert found.pixels == im.width * im.height
        assert found.sizes[3] == len(data)
        assert 10 * np.log10(255**2 / found.errors[3]) == pytest.approx(psnr)


@pytest.mark.parametrize("wrong", [-300, -40, 40, 300])
def test_a_wrong_guess_of_the_level_is_corrected(photos: Path, tmp_path: Path, wrong: int) -> None:
    size = len(pillow_lic.encode(Image.open(photos / "discs.png"), quality=5))
    level = min(max(quality_to_level(5) + wrong, 0), MAX_LEVEL)
    for growth in (0.002, 1.0):  # the second corrects nothing
        pair = budget.Allotted(photos / "discs.png", tmp_path / "a.lic", share=Share(size, level, growth))
        budget.Fit(Transcoder())(pair)
        assert 0.985 * size <= (tmp_path / "a.lic").stat().st_size <= size


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--budget", "1k", "-q", "5"],
            "give one of quality, target_size, target_bpp, target_psnr and budget, got budget",
        ),
        (["--budget", "1k", "--target-psnr", "40"], "give one of quality, target_size, target_bpp, target_psnr and"),
        (["--budget", "0"], "budget must be a positive number of bytes, got 0.0"),
        (["--budget", "0.01k"], "budget must be at least "),
        (["--budget", "1k", "--to", "png"], "budget must be left out for .png files: only .lic files know of it"),
        (["--target-size", "1k", "--to", "jpg"], "target_size must be left out for .jpg files"),
        (["--target-size", "0"], "target_size must be a positive number of bytes, got 0.0"),
    ],
)
def test_mistakes(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert command.main(["convert", *words, str(photos), str(tmp_path / "out")]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"lic: {said}")
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["-5", "12q", "k", "1.2.3k", "nan", "1e9", "5 GB", ""])
def test_bytes_that_are_not_understood(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["convert", f"--budget={text}", "a", "b"])
    assert f"must be a number of bytes such as 40000, 200k, 1.5M or 5GB, got '{text}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "size"), [("40000", 40_000), ("200k", 200_000), ("1.5M", 1.5e6), ("5GB", 5e9), ("7b", 7), ("2K", 2000)]
)
def test_bytes(text: str, size: float) -> None:
    assert command_values.byte_count(text) == size


def test_the_command(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["convert", "--budget", "5k", str(photos), str(tmp_path / "out")]) == 0
    used = total(tmp_path / "out")
    assert f"{used:,} of 5,000 bytes used, {used / 5000:.1%}" in capsys.readouterr().out
    assert command.main(["convert", "--target-size", "0.9k", os.fspath(photos / "discs.png"), str(tmp_path)]) == 0
    assert (tmp_path / "discs.lic").stat().st_size <= 900


def test_sources_of_one_name_share_one_part(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jpg").write_bytes(b"404")
    for name in ("a.png", "a.tif", "b.png"):
        with Image.open(photos / "discs.png") as im:
            im.save(tmp_path / "in" / name)
    seen: list[tuple[int, int]] = []
    summary = pillow_lic.convert(
        tmp_path / "in", tmp_path / "out", budget=3000, progress=lambda _, done, total: seen.append((done, total))
    )
    assert sorted(result.pair.source.name for result in summary.done) == ["a.png", "b.png"]
    assert sorted(result.pair.source.name for result in summary.failed) == ["a.jpg", "a.tif"]
    assert seen[-1] == (8, 8)
    assert total(tmp_path / "out") <= 3000
