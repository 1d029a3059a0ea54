"""importance="semantic": the things that a picture is of get the bits of the rest, in .lic and in JPEG files."""

from pathlib import Path

import numpy as np
import pytest
from made.pictures import SAMPLE, photo_like
from PIL import Image

import pillow_lic
from pillow_lic import metrics
from pillow_lic.__main__ import main
from pillow_lic.importance import requested, semantic
from pillow_lic.importance.percentiles import percentiles
from pillow_lic.inspecting import description
from pillow_lic.options import EncodeOptions


@pytest.fixture(scope="module")
def cat() -> Image.Image:
    with Image.open(SAMPLE) as im:
        return im.convert("RGB")


def with_disc() -> tuple[np.ndarray, np.ndarray]:
    """A meadow with a red disc a little off its middle, and the pixels of the disc."""
    rng = np.random.default_rng(0)
    ground = np.array([70, 120, 60]) + rng.normal(0, 12, (384, 576, 1))
    rows, columns = np.mgrid[:384, :576]
    disc = (rows - 170) ** 2 + (columns - 330) ** 2 < 90**2
    ground[disc] = np.array([190, 40, 30]) + rng.normal(0, 12, (int(disc.sum()), 1))
    return ground.clip(0, 255).astype(np.uint8), disc


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (17, 33), (191, 193), (300, 451), (1200, 2000)])
def test_every_size_has_a_value_for_every_cell(size: tuple[int, int]) -> None:
    values = semantic.values(photo_like(*size, 3, seed=1))
    assert values.shape == (-(-size[0] // 16), -(-size[1] // 16))
    assert np.abs(values).max() <= 1
    assert values.mean() == pytest.approx(0, abs=1e-6)


def test_a_percentile_is_the_place_among_all() -> None:
    values = np.array([[3, 1, 1], [7, 3, 9]], np.float32)
    np.testing.assert_allclose(percentiles(values), [[0, -2 / 3, -2 / 3], [0.5, 0, 5 / 6]], atol=1e-6)
    assert not percentiles(np.full((4, 5), 2, np.float32)).any()


def test_means_are_those_of_areas() -> None:
    values = np.arange(24, dtype=np.float32).reshape(4, 6, 1)
    np.testing.assert_allclose(semantic.resampled(values, 2, 3)[:, :, 0], [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]])
    np.testing.assert_array_equal(semantic.resampled(values, 8, 6)[:, :, 0], values[:, :, 0].repeat(2, 0))


def test_a_thing_is_more_important_than_its_ground() -> None:
    pixels, disc = with_disc()
    values = semantic.values(pixels).repeat(16, 0).repeat(16, 1)
    assert values[disc].mean() > 0.5
    assert values[~disc].mean() < 0
    other = semantic.values(pixels[:, ::-1]).repeat(16, 0).repeat(16, 1)
    assert other[disc[:, ::-1]].mean() > 0.5


def test_a_file_carries_its_map(cat: Image.Image) -> None:
    data = pillow_lic.encode(cat, importance="semantic", quality=7)
    facts = description.describe(data)
    low, high = facts["importance"]
    assert 2 < high - low <= requested.SPAN + 0.1
    (section,) = [one["bytes"] for one in facts["sections"] if one["name"] == "importance"]
    assert section <= 0.01 * len(data)


def test_bits_move_to_the_thing_at_equal_bytes() -> None:
    pixels, disc = with_disc()
    plain = pillow_lic.encode(Image.fromarray(pixels), quality=4, exact=False)
    weighed = pillow_lic.encode(Image.fromarray(pixels), importance="semantic", target_size=len(plain), exact=False)
    assert len(weighed) <= len(plain)
    before, after = (np.asarray(pillow_lic.open(data)) for data in (plain, weighed))
    assert metrics.psnr(pixels[disc], after[disc]) > metrics.psnr(pixels[disc], before[disc]) + 0.5


def test_the_command_writes_both_formats(cat: Image.Image, tmp_path: Path) -> None:
    cat.save(tmp_path / "a.png")
    for name in ("a.lic", "a.jpg"):
        assert main(["encode", str(tmp_path / "a.png"), str(tmp_path / name), "--importance", "semantic"]) == 0
    with Image.open(tmp_path / "a.jpg") as im:
        assert metrics.psnr(np.asarray(cat), np.asarray(im)) > 27


def test_options_know_the_word() -> None:
    assert EncodeOptions(importance="semantic").importance == "semantic"
    with pytest.raises(ValueError, match='importance must be None, "auto", "semantic", a strength 0-1'):
        EncodeOptions(importance="things")
    with pytest.raises(ValueError, match="importance must be left out for model balle2017"):
        pillow_lic.encode(Image.new("RGB", (8, 8)), importance="semantic", model="balle2017")
