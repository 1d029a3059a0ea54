"""importance="semantic": the things that a picture is of get the bits of the rest, in .lic and in JPEG files."""

from pathlib import Path

import numpy as np
import pytest
from made.pictures import SAMPLE, photo_like
from PIL import Image

import pillow_lic
from pillow_lic import metrics
from pillow_lic.__main__ import main
from pillow_lic.importance import cues, requested, semantic
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
    np.testing.assert_allclose(cues.resampled(values, 2, 3)[:, :, 0], [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]])
    np.testing.assert_array_equal(cues.resampled(values, 8, 6)[:, :, 0], values[:, :, 0].repeat(2, 0))


def test_a_thing_is_more_important_than_its_ground() -> None:
    pixels, disc = with_disc()
    values = semantic.values(pixels).repeat(16, 0).repeat(16, 1)
    assert values[disc].mean() > 0.5
    assert values[~disc].mean() < 0
    other = semantic.values(pixels[:, ::-1]).repeat(16, 0).repeat(16, 1)
    assert other[disc[:, ::-1]].mean() > 0.5


def test_the_map_is_that_of_the_released_network() -> None:
    means = [
        [-0.89, -0.61, -0.42, 0.08, 0.37, 0.46, 0.19, -0.24, -0.69],
        [-0.66, -0.16, 0.22, 0.54, 0.75, 0.77, 0.56, 0.08, -0.35],
        [-0.26, 0.02, 0.36, 0.69, 0.92, 0.92, 0.74, 0.32, -0.44],
        [-0.32, -0.02, 0.31, 0.64, 0.88, 0.90, 0.68, 0.27, -0.34],
        [-0.74, -0.38, 0.0, 0.25, 0.44, 0.47, 0.27, -0.23, -0.72],
        [-0.92, -0.83, -0.39, -0.42, -0.38, -0.47, -0.52, -0.81, -0.90],
    ]
    values = semantic.values(with_disc()[0])
    np.testing.assert_allclose(cues.resampled(values[:, :, None], 6, 9)[:, :, 0], means, atol=0.02)


def test_several_things_are_found_at_once() -> None:
    pixels, disc = with_disc()
    both = np.concatenate([pixels, pixels[:, ::-1]], 1)
    values = semantic.values(both).repeat(16, 0).repeat(16, 1)
    left, right = (np.concatenate(masks, 1) for masks in ((disc, disc & False), (disc & False, disc[:, ::-1])))
    assert values[left].mean() > 0.3
    assert values[right].mean() > 0.3
    assert values[~(left | right)].mean() < 0


def test_a_mirrored_picture_has_the_mirrored_map() -> None:
    pixels = photo_like(256, 384, 3, seed=3)
    here, there = semantic.values(pixels), semantic.values(np.ascontiguousarray(pixels[:, ::-1]))
    assert np.corrcoef(here.ravel(), there[:, ::-1].ravel())[0, 1] > 0.99


def test_features_are_shares_of_contrast_and_place() -> None:
    flat = cues.features(np.full((96, 128, 3), 90, np.uint8), 6, 8)
    assert flat.shape == (cues.FEATURES, 6, 8)
    first = cues.PLACES + cues.COLORS
    np.testing.assert_allclose(flat[first : first + 3], np.log(cues.DARK), atol=1e-3)
    lines = np.zeros((96, 128, 3), np.uint8)
    lines[:, ::2] = 255
    fine, middle, coarse = np.exp(cues.features(lines, 6, 8)[first : first + 3]) - cues.DARK
    np.testing.assert_allclose(fine, 0.25, rtol=1e-3)
    assert max(middle.max(), coarse.max()) < 1e-6
    near = cues.features(photo_like(96, 128, 3, seed=1), 6, 8)[2]
    assert near[2:4, 3:5].min() > near[[0, 0, -1, -1], [0, -1, 0, -1]].max()


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
