"""Sharing bytes at equal slope, on curves whose best shares are known."""

import math
from itertools import pairwise

import numpy as np
import pytest

from pillow_lic.batch import equal_slope
from pillow_lic.batch.equal_slope import LEVELS, Curve
from pillow_lic.fileformat.limits import MAX_LEVEL


def curve(scale: float, pixels: int = 10_000, busy: float = 1.0) -> Curve:
    """A picture whose root of the mean squared error is `busy` * 5000 / bytes, exactly."""
    sizes = tuple(round(scale * 1000 * 10 ** (level / MAX_LEVEL)) for level in LEVELS)
    return Curve(pixels, sizes, tuple((busy * 5000 / size) ** 2 for size in sizes))


def test_the_best_shares() -> None:
    """Minimising the sum of pixels * busy / bytes gives bytes in proportion to the root of pixels * busy."""
    pictures = [curve(1), curve(1, busy=4), curve(1, pixels=40_000), curve(1)]
    shares = equal_slope.allot(pictures, 18_000)
    assert [share.size for share in shares] == pytest.approx([3000, 6000, 6000, 3000], rel=0.02)
    assert 18_000 - 4 <= sum(share.size for share in shares) <= 18_000


def test_no_exchange_of_bytes_helps() -> None:
    rng = np.random.default_rng(0)
    pictures = [
        curve(scale, int(pixels))
        for scale, pixels in zip(rng.uniform(1, 3, 20), rng.uniform(1e3, 1e5, 20), strict=True)
    ]
    budget = 2.5 * sum(picture.sizes[0] for picture in pictures)
    slopes = []
    for picture, share in zip(pictures, equal_slope.allot(pictures, budget), strict=True):
        if picture.sizes[0] * 1.01 < share.size < picture.sizes[-1] * 0.99:
            slopes.append(picture.pixels * 5000 / share.size**2)
    assert len(slopes) > 5
    assert max(slopes) / min(slopes) < 1.1  # the grid has 2 % steps, the slope goes with the square


@pytest.mark.parametrize("times", [1, 1.001, 1.1, 3, 9, 9.99])
def test_all_of_the_budget_is_shared(times: float) -> None:
    pictures = [curve(1), curve(2.5, 77_000), curve(0.3, 500)]
    budget = times * sum(picture.sizes[0] for picture in pictures)
    shares = equal_slope.allot(pictures, budget)
    assert budget - len(shares) <= sum(share.size for share in shares) <= budget
    for picture, share in zip(pictures, shares, strict=True):
        assert picture.sizes[0] <= share.size <= picture.sizes[-1]


def test_the_level_takes_nearly_the_share() -> None:
    pictures = [curve(1), curve(2, busy=3)]
    for share, picture in zip(equal_slope.allot(pictures, 9000), pictures, strict=True):
        size = picture.sizes[0] * 10 ** (share.level / MAX_LEVEL)
        assert size == pytest.approx(equal_slope.AIM * share.size, rel=0.003)
        assert share.growth == pytest.approx(math.log(10) / MAX_LEVEL, rel=0.01)
        assert share.corrected(share.level, round(size * 1.1)) == pytest.approx(share.level - 42, abs=2)


def test_more_than_can_be_used() -> None:
    (share,) = equal_slope.allot([curve(1)], 1e12)
    assert (share.size, share.level) == (10_000, MAX_LEVEL)
    assert share.corrected(MAX_LEVEL, 5000) == MAX_LEVEL


def test_too_little() -> None:
    said = "budget must be at least 3,000 bytes, the total of 2 pictures at quality 1, got 2,999"
    with pytest.raises(ValueError, match=said):
        equal_slope.allot([curve(1), curve(2)], 2999)
    assert [share.size for share in equal_slope.allot([curve(1), curve(2)], 3000)] == [1000, 2000]


def test_no_pictures() -> None:
    assert equal_slope.allot([], 10) == []


def test_flat_pictures_take_no_more_than_they_use() -> None:
    """All levels alike, and no error: nothing to gain, nothing to divide by."""
    flat = Curve(100, (300,) * 5, (0.0,) * 5)
    shares = equal_slope.allot([flat, curve(1)], 4300)
    assert [share.size for share in shares] == [300, 4000]
    assert shares[0].corrected(0, 300) == 0


@pytest.mark.parametrize("budget", [0, -1, math.nan, math.inf, pytest.param(10**400, id="huge"), "5G", True, None])
def test_budgets_that_are_none(budget: object) -> None:
    with pytest.raises(ValueError, match="budget must be a positive number of bytes, got "):
        equal_slope.check_budget(budget)


def test_more_budget_never_takes_from_a_picture() -> None:
    pictures = [curve(1), curve(2, busy=3), curve(0.5, 90_000)]
    shares = [[share.size for share in equal_slope.allot(pictures, budget)] for budget in range(4000, 34_000, 3000)]
    assert all(b >= a for less, more in pairwise(shares) for a, b in zip(less, more, strict=True))


def test_budgets_of_any_number_type() -> None:
    assert equal_slope.check_budget(np.int64(5)) == 5


@pytest.mark.parametrize("seed", range(40))
def test_the_smallest_budget_gives_all_their_least(seed: int) -> None:
    pictures = [curve(scale) for scale in np.random.default_rng(seed).uniform(0.1, 3, 3)]
    shares = equal_slope.allot(pictures, sum(picture.sizes[0] for picture in pictures))
    assert [share.size for share in shares] == [picture.sizes[0] for picture in pictures]
