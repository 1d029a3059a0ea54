import math

import pytest

from pillow_lic import rate_search


def file_of(level: int) -> bytes:
    """Sizes of a codec with noise: nearly exponential in the level, not quite monotone."""
    return bytes(int(1000 * 1.003**level) + level * 7919 % 5)


@pytest.mark.parametrize("target", [1010, 1500, 5000, 20000, 21000])
def test_largest_file_that_fits(target: int) -> None:
    calls = []
    best = rate_search.largest_file(lambda v: (calls.append(v), file_of(v))[1], target)
    assert target * 0.99 <= len(best) <= target
    assert len(calls) <= 14


def test_ends_of_the_scale() -> None:
    assert len(rate_search.largest_file(file_of, 10**9)) == len(file_of(1024))
    with pytest.raises(ValueError, match=f"at least {len(file_of(0))} bytes"):
        rate_search.largest_file(file_of, 500)


def test_lowest_level_that_reaches_a_psnr() -> None:
    assert rate_search.level_for_psnr(lambda v: 25 + v / 64, 32) == 448
    assert rate_search.level_for_psnr(lambda v: 25 + v / 64, 20) == 0
    with pytest.raises(ValueError, match=r"at most 41.00 dB"):
        rate_search.level_for_psnr(lambda v: 25 + v / 64, 50)


@pytest.mark.parametrize("target", [24.0, 26.03, 30.0, 33.333, 38.9, 40.99])
def test_few_tries_find_the_lowest_level(target: float) -> None:
    """A curve steeper at its low end, with steps of whole levels that are not all alike, as those of photos are."""
    tried: list[int] = []

    def psnr(level: int) -> float:
        tried.append(level)
        return 26 + 15 * (level / 1024) ** 0.85 + 0.002 * math.sin(level)

    found = rate_search.level_for_psnr(psnr, target)
    assert len(tried) <= 9
    assert psnr(found) >= target
    assert found == 0 or psnr(found - 1) < target
