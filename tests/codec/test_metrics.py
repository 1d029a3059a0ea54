"""Metrics against the libraries that papers quote."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio

from pillow_lic.metrics import bd_rate, bpp, decibels, ms_ssim, psnr, psnr_b, ssim

HEVC = [(0.1, 27.0), (0.25, 30.1), (0.55, 33.4), (1.02, 36.5), (1.9, 40.2)]
AVIF = [(0.12, 28.2), (0.21, 30.4), (0.44, 33.1), (0.9, 36.9), (1.7, 41.0), (2.5, 43.0)]


def pictures(height: int, width: int, channels: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Waves with little and with much noise; the stored MS-SSIM values below are of these very arrays."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack([127 + 100 * np.sin(x / (9 + k)) * np.cos(y / (13 + 2 * k)) for k in range(channels)], -1)
    quiet, loud = (np.clip(np.round(base + rng.normal(0, sigma, base.shape)), 0, 255) for sigma in (8, 20))
    return quiet.astype(np.uint8), loud.astype(np.uint8)


def test_bpp_is_of_the_whole_file() -> None:
    assert bpp(49152, 768, 512) == 1.0


def test_psnr_is_pooled_over_the_colours() -> None:
    a, b = pictures(40, 30, 3, 5)
    assert psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a, b, data_range=255), abs=1e-10)
    assert psnr(a, a) == math.inf
    assert psnr(np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8)) == 0


@pytest.mark.parametrize("block", [1, 90, 100, 1000])
def test_psnr_does_not_depend_on_its_blocks(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    a, b = pictures(40, 30, 3, 5)
    whole = psnr(a, b)
    monkeypatch.setattr("pillow_lic.metrics._BLOCK", block)
    assert psnr(a, b) == whole


@pytest.mark.parametrize(
    ("shape", "seed", "expected"),
    [  # pytorch_msssim 1.0 on float64 pictures; its Gaussian is float32, hence the tolerance
        ((161, 200, 3), 1, 0.8940027311360259),
        ((256, 256, 3), 2, 0.8954798263491984),
        ((193, 177, 1), 3, 0.9088505567407729),
        ((333, 222, 4), 4, 0.8887064302966828),
    ],
)
def test_ms_ssim_is_that_of_pytorch_msssim(shape: tuple[int, int, int], seed: int, expected: float) -> None:
    a, b = pictures(*shape, seed)
    assert ms_ssim(a, b) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("samples", [1, 200 * 20, 10**6])
def test_ms_ssim_does_not_depend_on_its_strips(samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = pictures(161, 200, 3, 1)
    monkeypatch.setattr("pillow_lic.metrics._STRIP", samples)
    assert ms_ssim(a, b) == pytest.approx(0.8940027311360259, abs=1e-6)


def test_ms_ssim_ends() -> None:
    a, _ = pictures(161, 161, 3, 6)
    assert ms_ssim(a, a) == pytest.approx(1)
    assert ms_ssim(a, 255 - a) == 0
    assert ms_ssim(a[..., 0], a[..., 0]) == pytest.approx(1)
    with pytest.raises(ValueError, match="above 160 pixels, got 161x160"):
        ms_ssim(a[:160], a[:160])


@pytest.mark.parametrize("metric", [psnr, ms_ssim])
def test_wrong_pictures(metric) -> None:  # type: ignore[no-untyped-def]
    a = np.zeros((170, 170, 3), np.uint8)
    for b in (a[:-1], a.astype(np.float32), a[..., 0]):
        with pytest.raises(ValueError, match="two uint8 arrays of one shape"):
            metric(a, b)


def test_decibels() -> None:
    assert decibels(0.99) == pytest.approx(20)
    assert decibels(1) == math.inf


def test_bd_rate_is_that_of_bjontegaard() -> None:
    bjontegaard = pytest.importorskip("bjontegaard")
    for anchor, curve in [(HEVC, AVIF), (AVIF, HEVC), (HEVC[:4], AVIF[1:5])]:
        arguments = (*zip(*anchor, strict=True), *zip(*curve, strict=True))
        expected = bjontegaard.bd_rate(
            *map(list, arguments), method="pchip", require_matching_points=False, min_overlap=0
        )
        assert bd_rate(anchor, curve) == pytest.approx(expected, abs=1e-9)


def test_bd_rate_of_stored_values() -> None:
    """The same without the library: bjontegaard 1.3.0, pchip."""
    assert bd_rate(HEVC, AVIF) == pytest.approx(-18.6123155971, abs=1e-9)


@given(st.floats(0.1, 10))
def test_bd_rate_of_a_scaled_curve_is_the_scale(factor: float) -> None:
    scaled = [(rate * factor, quality) for rate, quality in HEVC]
    assert bd_rate(HEVC, scaled) == pytest.approx(100 * (factor - 1), abs=1e-9)


def test_bd_rate_does_not_ask_for_an_order() -> None:
    assert bd_rate(HEVC[::-1], AVIF) == bd_rate(HEVC, AVIF)


@pytest.mark.parametrize(
    ("curve", "reason"),
    [
        (HEVC[:3], "at least 4 points, got 3"),
        ([(0, 20), *HEVC], "rate above 0"),
        ([*HEVC, (2.5, 40.2)], "must rise"),
        ([(rate, quality - 20) for rate, quality in HEVC], "share no quality"),
        ([*HEVC, (3, math.inf)], "must rise"),
    ],
)
def test_bd_rate_refuses(curve: list[tuple[float, float]], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        bd_rate(HEVC, curve)


def test_ssim_is_one_for_equal_pictures_and_the_formula_for_one_window() -> None:
    x = np.random.default_rng(0).integers(0, 256, (11, 11), np.uint8)
    y = np.random.default_rng(1).integers(0, 256, (11, 11), np.uint8)
    assert ssim(x, x) == pytest.approx(1)
    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights = np.outer(taps, taps) / taps.sum() ** 2
    mx, my = (float((weights * a).sum()) for a in (x, y))
    vx, vy = (float((weights * (a.astype(float) - m) ** 2).sum()) for a, m in ((x, mx), (y, my)))
    covariance = float((weights * (x - mx) * (y - my)).sum())
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = (2 * mx * my + c1) * (2 * covariance + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    assert ssim(x, y) == pytest.approx(expected)
    with pytest.raises(ValueError, match="at least 11 pixels, got 11x10"):
        ssim(x[:10], y[:10])


def test_psnr_b_counts_steps_at_borders_of_blocks_and_no_others() -> None:
    flat = np.full((16, 32), 100, np.uint8)
    steps = np.repeat(np.repeat(np.array([[90, 110, 90, 110], [110, 90, 110, 90]], np.uint8), 8, 0), 8, 1)
    # every border steps by 20, nothing else does: 400 * log2(8) / log2(16) comes to an error of 100
    assert psnr_b(flat, steps) == pytest.approx(10 * np.log10(255**2 / (100 + 400 * 3 / 4)))
    shifted = np.roll(steps, 4, (0, 1))
    assert psnr_b(flat, shifted) == pytest.approx(psnr(flat, shifted))
    assert psnr_b(flat, flat) == np.inf
    with pytest.raises(ValueError, match=r"got shape \(16, 32, 1\)"):
        psnr_b(flat[..., None], flat[..., None])
