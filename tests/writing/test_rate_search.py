"""The search for the level of a target, on functions whose best level is known."""

import math
from collections.abc import Sequence

import pytest

from pillow_lic.options import EncodeOptions
from pillow_lic.writing import rate_search

LEVELS = range(1025)


def file_of(level: int) -> bytes:
    """Sizes of a codec with noise: nearly exponential in the level, not quite monotone."""
    return bytes(int(1000 * 1.003**level) + level * 7919 % 5)


@pytest.mark.parametrize("target", [1010, 1500, 5000, 20000, 21000])
def test_largest_file_that_fits(target: int) -> None:
    calls = []
    best = rate_search.largest_file(lambda v: (calls.append(v), file_of(v))[1], target, LEVELS)
    assert target * 0.99 <= len(best) <= target
    assert len(calls) <= 14


def test_ends_of_the_scale() -> None:
    assert len(rate_search.largest_file(file_of, 10**9, LEVELS)) == len(file_of(1024))
    with pytest.raises(ValueError, match=f"at least {len(file_of(0))} bytes"):
        rate_search.largest_file(file_of, 500, LEVELS)


def test_lowest_level_that_reaches_a_psnr() -> None:
    assert rate_search.level_for_psnr(lambda v: 25 + v / 64, 32, LEVELS) == 448
    assert rate_search.level_for_psnr(lambda v: 25 + v / 64, 20, LEVELS) == 0
    with pytest.raises(ValueError, match=r"at most 41.00 dB"):
        rate_search.level_for_psnr(lambda v: 25 + v / 64, 50, LEVELS)


@pytest.mark.parametrize("target", [24.0, 26.03, 30.0, 33.333, 38.9, 40.99])
def test_few_tries_find_the_lowest_level(target: float) -> None:
    """A curve steeper at its low end, with steps of whole levels that are not all alike, as those of photos are."""
    tried: list[int] = []

    def psnr(level: int) -> float:
        tried.append(level)
        return 26 + 15 * (level / 1024) ** 0.85 + 0.002 * math.sin(level)

    found = rate_search.level_for_psnr(psnr, target, LEVELS)
    assert len(tried) <= 9
    assert psnr(found) >= target
    assert found == 0 or psnr(found - 1) < target


@pytest.mark.parametrize("levels", [[0, 128, 512, 700, 1024], [300], range(0, 1025, 128)])
def test_only_levels_that_the_model_writes_are_tried(levels: Sequence[int]) -> None:
    tried: list[int] = []
    for target in (1500, 30_000):
        found = rate_search.largest_file(
            lambda v: (tried.append(v), bytes(1000 + 25 * v))[1], max(target, 1000 + 25 * levels[0]), levels
        )
        best = max(v for v in levels if 1000 + 25 * v <= max(target, 1000 + 25 * levels[0]))
        assert len(found) == 1000 + 25 * best
    assert rate_search.level_for_psnr(lambda v: (tried.append(v), 25 + v / 64)[1], 25, levels) == levels[0]
    assert set(tried) <= set(levels)


def test_the_ends_of_a_scale_of_steps_are_named() -> None:
    levels = [128, 512, 768]
    with pytest.raises(ValueError, match="at least 1000 bytes, the size at quality 2.125, got 999"):
        rate_search.largest_file(lambda v: bytes(872 + v), 999, levels)
    with pytest.raises(ValueError, match="at least 8 bits per pixel, those at quality 2.125, got 4"):
        rate_search.largest_file(lambda v: bytes(872 + v), 500, levels, 1000)
    with pytest.raises(ValueError, match=r"at most 37.00 dB, the PSNR at quality 7.75, got 50"):
        rate_search.level_for_psnr(lambda v: 25 + v / 64, 50, levels)


def test_a_goal_is_a_level_unless_there_is_a_target() -> None:
    def reached(**words: float) -> bytes:
        return rate_search.Goal(EncodeOptions(**words), LEVELS, 800).reached(512, file_of, lambda v: 25 + v / 64)

    assert reached() == reached(quality=9) == file_of(512)
    assert len(reached(target_size=5000)) <= 5000
    assert len(reached(target_bpp=50)) == len(reached(target_size=5000))
    assert reached(target_psnr=32) == file_of(448)
    with pytest.raises(ValueError, match="target_bpp must be at least"):
        reached(target_bpp=1)


def test_the_size_that_is_expected_is_the_target_or_follows_from_the_quality() -> None:
    def expected(**words: float) -> float:
        return rate_search.Goal(EncodeOptions(**words), LEVELS, 800).expected_size((0.1, 2.0))

    assert expected(target_size=123) == 123
    assert expected(target_bpp=2) == 200
    assert expected(quality=1) == expected(target_psnr=30) == pytest.approx(10)
    assert expected(quality=10) == pytest.approx(200)
