"""The filter that an encoder fits: it undoes what a known one undoes, is worth its bytes, and costs the least that is near."""

import numpy as np
import pytest

from families.lic1.filters import read_back
from pillow_lic import _native, codec
from pillow_lic.engine.settings import settings
from pillow_lic.families.lic1 import filtering, fitting
from pillow_lic.fileformat.areas import Area
from pillow_lic.metrics import psnr
from pillow_lic.options import EncodeOptions


@pytest.fixture(scope="module")
def cat(cat: np.ndarray) -> np.ndarray:
    return cat[:256, 40:400]


@pytest.mark.parametrize("kind", ["plain", "directed", "alternating"])
def test_the_fit_undoes_what_a_known_filter_undoes(cat: np.ndarray, kind: str) -> None:
    """A picture is made from colours by a filter: the fit finds one that makes nearly the same of them."""
    rng = np.random.default_rng(4)
    fine = (16 * cat.astype(int) + rng.integers(-20, 21, cat.shape)).clip(0, 4080).astype(np.uint16)
    taps = np.zeros((3, filtering.TAPS), np.int16)
    tap, edge, turn = np.split(taps, (filtering.PLAIN, filtering.PLAIN + filtering.DIRECTED), 1)
    if kind == "plain":
        for c in range(3):
            tap[c, 16 * c : 16 * c + 4], tap[c, (16 * c + 28) % 48 : (16 * c + 28) % 48 + 4] = 12, 9
    elif kind == "directed":
        edge[:, (0, 2, 4, 13)] = 20, -12, 6, 15
    else:
        turn[:, (0, 1, 2, 17, 30)] = 15, -12, 11, 14, -13
    whole = Area(0, 0, cat.shape[1], cat.shape[0])
    wanted = filtering.applied(fine, whole, filtering.Filter(taps, 64, 8))
    found, coded = fitting.fit(fine, wanted, 500)
    before = psnr(wanted, filtering.applied(fine, whole, filtering.NONE))
    assert psnr(wanted, filtering.applied(fine, whole, found)) > max(50, before + 3)
    np.testing.assert_array_equal(read_back(coded).taps, found.taps)
    assert found.taps[:, filtering.PLAIN :].any() == (kind != "plain")


def test_the_fit_sees_both_rows_of_a_cell() -> None:
    """The rows that are looked at are an odd number apart: what even rows alone need is not done to all."""
    for height in range(40, 2000, 60):
        rows = np.arange(0, height, fitting.rows_apart(height * 1024))
        assert np.unique(rows % 2).size == 2


def test_where_nothing_is_to_be_gained_there_is_none(cat: np.ndarray) -> None:
    still, coded = fitting.fit(np.full(cat.shape, 2048, np.uint16), np.full(cat.shape, 128, np.uint8), 500)
    assert still is filtering.NONE
    assert coded.symbols.size == 1
    noise = np.random.default_rng(5).integers(0, 256, (2, 16, 16, 3))
    assert fitting.fit((16 * noise[0]).astype(np.uint16), noise[1].astype(np.uint8), 500)[0] is filtering.NONE


@pytest.mark.parametrize("quality", [2, 5, 8])
def test_a_filter_is_worth_its_bytes(cat: np.ndarray, quality: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two qualities a tenth more bytes are worth 0.38 dB at least; a small file may have none."""

    def score() -> float:
        data = codec.encode(cat, "RGB", EncodeOptions(model="lic2", quality=quality, effort=1))
        return psnr(cat, codec.decode(data)[1]) - 4 * np.log(len(data))

    with_filter = score()
    monkeypatch.setattr(fitting, "fit", lambda *_: filtering.nothing())
    assert with_filter >= score() + (0.03 if quality > 2 else 0)


def test_threads_choose_the_same_filter(cat: np.ndarray) -> None:
    made = []
    for threads in (1, 2):
        with settings(threads=threads):
            made.append(codec.encode(cat, "RGB", EncodeOptions(model="lic2", quality=5, effort=1)))
    assert made[0] == made[1]


def test_equations_are_solved_by_halves() -> None:
    random = np.random.default_rng(0)
    root, x = random.normal(size=(217, 217)), random.normal(size=(217, 3))
    matrix = root @ root.T + np.eye(217)
    np.testing.assert_allclose(fitting._solved(matrix, matrix @ x), x, rtol=1e-6, atol=1e-6)


def a_sweep() -> tuple[np.ndarray, ...]:
    """Coefficients, slopes at them, squares, steps, prices and tables as `filter_sweep` takes them, of 9 places and two steps."""
    rng = np.random.default_rng(7)
    mixed = rng.normal(size=(9, 20))
    gram, products, steps = mixed @ mixed.T, 9 * rng.normal(size=(9, 3)), np.array([2.0, 8.0])
    taps = np.rint(rng.normal(0, 3, (2, 9, 3)))
    apart = steps[:, None, None]
    slopes = (products - gram @ (taps / apart)) / apart
    return taps, slopes, gram, steps, rng.uniform(0, 0.3, (3, 128)).cumsum(1), rng.integers(0, 3, (2, 9, 3))


def test_coefficients_move_to_the_cheapest_beside_them() -> None:
    taps, slopes, gram, steps, prices, tables = a_sweep()
    expected, slope = taps.copy(), slopes.copy()
    for k, place, colour in np.ndindex(taps.shape):
        here, unit = expected[k, place, colour], gram[:, place] / steps[k] ** 2
        best = np.rint(here + slope[k, place, colour] / unit[place])
        moves = np.array([here, best, best - 1, best + 1, 0]).clip(-127, 127) - here
        costs = moves * (unit[place] * moves - 2 * slope[k, place, colour])
        costs += prices[tables[k, place, colour], np.abs(here + moves).astype(int)]
        expected[k, place, colour] += moves[costs.argmin()]
        slope[k, :, colour] -= unit * moves[costs.argmin()]
    assert (expected != taps).any()
    _native.filter_sweep(taps, slopes, gram, steps, prices, tables)
    np.testing.assert_array_equal(taps, expected)
    np.testing.assert_allclose(slopes, slope, atol=1e-9)


def test_a_sweep_refuses_other_shapes_and_numbers() -> None:
    good = a_sweep()
    shapes = "there must be a coefficient, a slope and a table for every step, place and colour, and prices of 0-127"
    numbers = "coefficients must be -127 to 127, and tables those that have prices"
    for place, bad, message in (
        (0, good[0][:, :8].copy(), shapes),
        (2, good[2][:8].copy(), shapes),
        (3, good[3][:1], shapes),
        (4, good[4][:, :127].copy(), shapes),
        (4, good[4][:2], numbers),
        (5, good[5] - 1, numbers),
        (0, good[0] + 127, numbers),
        (0, good[0] * np.nan, numbers),
    ):
        with pytest.raises(ValueError, match=message):
            _native.filter_sweep(*good[:place], bad, *good[place + 1 :])
    coefficients = good[0].copy()
    _native.filter_sweep(coefficients, good[1] * np.nan, *good[2:])
    assert np.abs(coefficients).max() <= 127
