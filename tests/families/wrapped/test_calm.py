"""Restored pictures where a network has nothing to say: gradients keep the luma of their JPEG, noise all of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made.jpegs import jpeg_of, opened
from PIL import Image
from reference import blocks_reference

import pillow_lic
from pillow_lic import metrics
from pillow_lic.families.wrapped.calm import calmed
from pillow_lic.families.wrapped.noise import keep_noise
from pillow_lic.fileformat import jpeg
from pillow_lic.fileformat.areas import Area


def luma(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).convert("L"))


def gradient(number: int) -> np.ndarray:
    """A gradient between two colours across, or from the middle on, with or without noise of one level; or a faint one of tints."""
    rng = np.random.default_rng(number)
    first, last = rng.integers(0, 256, (2, 3)).astype(float)
    y, x = np.mgrid[:120, :136] / 135
    away = [x, np.hypot(x - 0.5, y - 0.4), 0.15 * (0.7 * x + 0.3 * y), x][number % 4]
    picture = first + (last - first) * away[..., None] + (number % 4 == 3) * rng.normal(0, 1, (120, 136, 3))
    return np.rint(picture.clip(0, 255)).astype(np.uint8)


@pytest.mark.parametrize("quality", [50, 75, 85, 90, 93, 97])
def test_gradients_lose_no_luma_and_gain_colour(quality: int) -> None:
    gains = []
    for picture in map(gradient, range(8)):
        data = jpeg_of(picture, quality=quality)
        before, after = opened(data), np.asarray(pillow_lic.restore(data))
        lumas = luma(picture), luma(before), luma(after)
        at_most = metrics.psnr(*lumas[:2])  # infinite where JPEG has it right
        assert metrics.psnr(lumas[0], lumas[2]) >= min(at_most, 99) - 0.05
        gains.append(metrics.psnr(picture, after) - metrics.psnr(picture, before))
    assert min(gains) >= -0.05
    assert np.mean(gains) > 0.2 or quality > 75


@pytest.mark.parametrize("quality", [70, 85, 90, 93])
@pytest.mark.parametrize("deviation", [30, 90])
def test_noise_is_left_as_it_is(quality: int, deviation: int) -> None:
    rng = np.random.default_rng(deviation)
    picture = (128 + rng.normal(0, deviation, (128, 128, 1)).repeat(3, 2)).clip(0, 255).astype(np.uint8)
    data = jpeg_of(picture, quality=quality)
    lumas = luma(picture), luma(opened(data)), luma(np.asarray(pillow_lic.restore(data)))
    assert metrics.psnr(lumas[0], lumas[2]) > metrics.psnr(*lumas[:2]) - 0.05


def test_most_of_a_photograph_is_restored(cat: np.ndarray) -> None:
    """What is kept of noise and calm places are a few blocks of it."""
    data = jpeg_of(cat, quality=75)
    decoded, shown = opened(data), np.asarray(pillow_lic.restore(data))
    changed = (decoded != shown).any(2)
    assert changed.mean() > 0.8
    steps = jpeg.facts_of(data).steps[0]
    assert keep_noise(shown, decoded, steps, Area(0, 0, cat.shape[1], cat.shape[0])) is shown


@given(st.integers(0, 2**32 - 1), st.integers(1, 90), st.integers(1, 90))
def test_blocks_are_kept_as_the_format_says(seed: int, height: int, width: int) -> None:
    """In an area of a picture as in all of it."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(0, rng.integers(0, 60), width)[None, :, None] * rng.integers(0, 2, 3)
    noise = rng.normal(0, rng.choice([0, 0.4, 30]), (height, width, 3))
    decoded = (rng.integers(0, 256, 3) + slope + noise).clip(0, 255).astype(np.uint8)
    shown = (decoded + rng.normal(0, rng.choice([0, 0.4, 1, 3]), decoded.shape)).clip(0, 255).astype(np.uint8)
    steps = rng.integers(1, 40, 64).astype(np.float32)
    whole = Area(0, 0, width, height)
    x, y = (8 * int(rng.integers(0, (length + 7) // 8)) for length in (width, height))
    x1, y1 = (min(length, start + 8 * int(rng.integers(1, 12))) for start, length in ((x, width), (y, height)))
    area = Area(x, y, x1, y1)
    calm = blocks_reference.calmed(shown, decoded)
    np.testing.assert_array_equal(calmed(shown, decoded, whole), calm)
    np.testing.assert_array_equal(calmed(shown[area.slices], decoded, area), calm[area.slices])
    noisy = np.where(blocks_reference.noisy(decoded, steps.tolist())[..., None], decoded, shown)
    np.testing.assert_array_equal(keep_noise(shown, decoded, steps, whole), noisy)
    np.testing.assert_array_equal(keep_noise(shown[area.slices], decoded, steps, area), noisy[area.slices])
