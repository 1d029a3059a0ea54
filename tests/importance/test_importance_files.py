"""Importance as a user meets it: save, open, save again, `lic info`."""

import copy
import io
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from commands.command_line import run
from made.pictures import photo_like
from PIL import Image

import pillow_lic
from pillow_lic.engine import runtime
from pillow_lic.fileformat import container


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    return Image.fromarray(photo_like(250, 310, seed=3))


@pytest.fixture(scope="module")
def automatic(picture: Image.Image) -> bytes:
    return pillow_lic.encode(picture, quality=8, importance="auto")


def carried(data: bytes) -> bytes | None:
    return container.unpack(data).importance


def test_auto_writes_a_map_and_its_strength_scales_it(picture: Image.Image, automatic: bytes) -> None:
    assert carried(automatic)
    assert pillow_lic.encode(picture, quality=8, importance=1) == automatic
    assert pillow_lic.encode(picture, quality=8, importance=0) == pillow_lic.encode(picture, quality=8)
    fields = [
        np.asarray(pillow_lic.open(pillow_lic.encode(picture, quality=9, importance=s)).info["importance"])
        for s in (1.0, 0.3)
    ]
    assert fields[0].std() > 2 * fields[1].std() > 0


def test_auto_costs_less_than_a_percent(picture: Image.Image) -> None:
    for quality in (2, 5, 8):
        data = pillow_lic.encode(picture, quality=quality, importance="auto")
        assert len(carried(data) or b"") < 0.01 * len(data)


def test_auto_of_a_grey_picture_with_alpha_and_of_a_tiny_one(picture: Image.Image) -> None:
    grey = picture.convert("L")
    grey.putalpha(100)
    assert carried(pillow_lic.encode(grey, quality=10, importance="auto"))
    assert carried(pillow_lic.encode(Image.new("RGB", (1, 1)), importance="auto")) is None


@pytest.mark.parametrize(
    "words", [{"importance": None}, {"roi": (0, 0, 310, 250)}, {"importance": np.full((250, 310), 0.4)}]
)
def test_a_uniform_map_is_bit_identical_to_none(picture: Image.Image, words: dict[str, object]) -> None:
    assert pillow_lic.encode(picture, quality=4, **words) == pillow_lic.encode(picture, quality=4)


@pytest.mark.parametrize("words", [{"importance": "auto"}, {"roi": [(16, 16, 99, 80), (200, 100, 300, 240, 0.4)]}])
def test_the_map_of_a_file_can_be_given_again(picture: Image.Image, words: dict[str, object]) -> None:
    first = pillow_lic.encode(picture, quality=8, **words)
    found = pillow_lic.open(first).info["importance"]
    assert np.asarray(found).shape == (16, 20)
    assert pillow_lic.encode(picture, quality=8, importance=found) == first
    assert pillow_lic.encode(picture, quality=8, importance=np.asarray(found)) == first
    other = pillow_lic.encode(picture.rotate(180), quality=2, importance=found)
    assert pillow_lic.open(other).info["importance"] == found


def test_the_map_is_not_carried_unless_it_is_passed(automatic: bytes) -> None:
    out = io.BytesIO()
    pillow_lic.open(automatic).save(out, "LIC", quality=3)
    assert "importance" not in pillow_lic.open(out.getvalue()).info


def test_opening_a_file_with_a_map_runs_no_network_and_stays_a_plain_image(
    automatic: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "run", lambda *_, **__: pytest.fail("a network ran"))
    im = pillow_lic.open(automatic)
    assert pickle.loads(pickle.dumps(im.info)) == copy.deepcopy(im.info) == im.info


def test_a_damaged_map_does_not_hinder_opening(automatic: bytes) -> None:
    at = automatic.index(carried(automatic) or b"-")
    broken = bytearray(automatic)
    broken[at + 5] ^= 1
    im = pillow_lic.open(bytes(broken))
    assert "importance" not in im.info
    with pytest.raises(OSError, match="importance section is damaged"):
        im.load()


def test_a_map_of_another_size_is_refused(automatic: bytes) -> None:
    found = pillow_lic.open(automatic).info["importance"]
    with pytest.raises(ValueError, match=r"must have \(4, 6\) values, one for every 16x16 pixels .* got \(16, 20\)"):
        pillow_lic.encode(Image.new("RGB", (96, 64)), importance=found)


def test_info_draws_the_map(picture: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "a.lic", tmp_path / "map.png"
    pillow_lic.save(picture, source, quality=4, roi=(16, 32, 100, 90))
    assert run("info", source, "--map", target) == 0
    assert "by place" in capsys.readouterr().out
    with Image.open(target) as drawn:
        assert (drawn.mode, drawn.size) == ("L", picture.size)
        shades = np.asarray(drawn)
    assert (shades[32:96, 16:112] == 255).all()
    assert (shades == 255).sum() == 64 * 96
    assert shades.min() == 0


def test_info_has_no_map_to_draw(
    picture: Image.Image, automatic: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "a.lic", tmp_path / "map.png"
    pillow_lic.save(picture.crop((0, 0, 64, 64)), source, quality=4)
    assert run("info", source, "--map", target) == 1
    assert (
        capsys.readouterr().err == "lic: there is no importance map to draw: quality 4.00 holds for the whole picture\n"
    )
    assert run("info", source, source, "--map", target) == 2
    assert "--map draws the map of one file, got 2" in capsys.readouterr().err
    assert not target.exists()


def test_importance_on_the_command_line(picture: Image.Image, automatic: bytes, tmp_path: Path) -> None:
    source, target = tmp_path / "a.png", tmp_path / "a.lic"
    picture.save(source)
    assert run("encode", source, target, "-q", "8", "--importance", "auto") == 0
    assert target.read_bytes() == automatic
    assert run("encode", source, target, "--importance", "2") == 1
    with pytest.raises(SystemExit):
        run("encode", source, target, "--importance", "much")


def test_an_image_of_numbers_is_a_mask_of_numbers(picture: Image.Image) -> None:
    mask = np.zeros((250, 310), np.float32)
    mask[:128, :160] = 1
    expected = pillow_lic.encode(picture, quality=4, roi=mask)
    assert carried(expected)
    assert pillow_lic.encode(picture, quality=4, roi=Image.fromarray(mask)) == expected
    with pytest.raises(ValueError, match="roi mask must be uint8 or numbers 0-1, got uint16 from 0 to 9"):
        pillow_lic.encode(picture, quality=4, roi=Image.fromarray((9 * mask).astype(np.uint16)))


@pytest.mark.parametrize("words", [{"target_size": 10**9}, {"target_bpp": 50}, {"target_psnr": 30}])
def test_a_target_far_from_the_size_leaves_the_map_cheap(words: dict[str, float]) -> None:
    """The first is above all files of the scale; a smooth picture has a PSNR for less than a photo needs."""
    y, x = np.indices((256, 384))
    pixels = np.stack([x / 2, y / 2, (x + y) / 4], 2).astype(np.uint8)
    pixels[:, :100] = photo_like(256, 100, seed=2)
    data = pillow_lic.encode(Image.fromarray(pixels), importance="auto", **words)
    assert len(carried(data) or b"") < 0.01 * len(data)


def test_a_target_out_of_reach_is_said_in_its_own_unit(picture: Image.Image) -> None:
    small = picture.crop((0, 0, 64, 48))
    least = len(pillow_lic.encode(small, quality=1))
    with pytest.raises(ValueError, match=f"target_size must be at least {least} bytes, the size at quality 1, got 9"):
        pillow_lic.encode(small, target_size=9)
    with pytest.raises(ValueError, match="target_bpp must be at least (.*) bits per pixel, .*, got 0.01") as caught:
        pillow_lic.encode(small, target_bpp=0.01)
    bpp = float(str(caught.value).split()[5])
    assert len(pillow_lic.encode(small, target_bpp=bpp)) == least


def test_a_box_outside_is_shown_as_it_was_written(picture: Image.Image) -> None:
    with pytest.raises(ValueError, match=r"inside the picture of 310x250 pixels, got \(0, 0.5, 311, 8\)"):
        pillow_lic.encode(picture, roi=(0, 0.5, 311, 8))


def test_info_leaves_its_own_file_alone(
    automatic: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.lic").write_bytes(automatic)
    for target in ("a.lic", tmp_path / "a.lic", "-"):
        assert run("info", "a.lic", "--map", target) == 2
        assert f"--map must name a file to write other than a .lic file, got {target}" in capsys.readouterr().err
    assert Path("a.lic").read_bytes() == automatic


@pytest.mark.parametrize(
    ("option", "text", "legal"),
    [
        ("--importance", "none", "auto, semantic or a strength 0-1"),
        ("--roi", "mask.png", r"the numbers left,upper,right,lower\[,weight\]"),
    ],
)
def test_words_that_are_no_importance(option: str, text: str, legal: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("encode", "a.png", "a.lic", option, text)
    assert re.search(f"argument {option}: must be {legal}, got '{text}'", capsys.readouterr().err)
