"""The frequency tables of the recipes, which are not installed and so are loaded from the checkout."""

import importlib.util
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from pillow_lic.engine import entropy

PATH = Path(__file__).parents[2] / "onnx_models" / "recipes" / "common" / "tables.py"
spec = importlib.util.spec_from_file_location("recipe_tables", PATH)
tables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tables)


def extra_bits(p, f):
    return sum(q * math.log2(q * 65536 / g) for q, g in zip(p, f.tolist(), strict=True) if q)


@pytest.mark.parametrize("seed", range(20))
def test_quantise_is_a_valid_table_near_the_entropy(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.choice([2, 3, 50, 1200]))
    p = rng.gamma(rng.choice([0.02, 1, 30]), size=n) + 1e-300
    p /= p.sum()
    f = tables.quantise(p)
    assert f.dtype == np.uint16
    assert f.min() >= 1
    assert int(f.astype(int).sum()) == 65536
    # Each symbol that is lifted to frequency 1 takes 2^-16 from the others.
    assert extra_bits(p, f) <= 2 * n / 65536


@pytest.mark.parametrize("seed", range(10))
def test_quantise_cannot_be_improved_by_moving_units(seed):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(6, 0.3))
    f = tables.quantise(p)
    best = extra_bits(p, f)
    for a, b, units in product(range(6), range(6), (1, 2, 3)):
        if a != b and f[a] > units and int(f[b]) + units <= 65535:
            moved = f.copy()
            moved[a] -= units
            moved[b] += units
            assert extra_bits(p, moved) >= best - 1e-12


def test_quantise_at_the_edges():
    assert tables.quantise([1, 0]).tolist() == [65535, 1]
    assert tables.quantise([0, 0, 3]).tolist() == [1, 1, 65534]
    assert tables.quantise(np.ones(4)).tolist() == [16384] * 4
    assert sorted(tables.quantise(np.ones(65535)).tolist()) == [1] * 65534 + [2]
    for wrong in ([1.0], [], [[0.5, 0.5]], [1, -1e-9], [1, math.nan], [0, 0], np.ones(65536)):
        with pytest.raises(ValueError, match="symbols in one dimension|finite"):
            tables.quantise(wrong)


def test_gaussian_tables_cost_what_the_gaussian_does():
    rng = np.random.default_rng(5)
    scales = tables.scale_levels()
    assert len(scales) == 64
    assert scales[0] == 0.11
    assert scales[-1] == pytest.approx(148)
    packed = [tables.gaussian_table(scale) for scale in scales]
    coder = entropy.Tables(*tables.pack(packed))
    assert coder.count == 64
    for index in range(20, 64, 4):
        symbols = np.rint(rng.normal(0, scales[index], 20_000)).astype(np.int16)
        bits = coder.cost(symbols, np.full(symbols.size, index, np.uint16)) / symbols.size
        _, counts = np.unique(symbols, return_counts=True)
        share = counts / counts.sum()
        plug_in = -(share * np.log2(share)).sum()
        # The plug-in entropy is low by about (values seen - 1) / (2 n ln 2).
        assert plug_in - 1e-9 < bits < plug_in + counts.size / (2 * symbols.size * math.log(2)) * 2 + 0.01


@pytest.mark.parametrize(("sigma", "tail"), [(0, 0.1), (-1, 0.1), (math.inf, 0.1), (math.nan, 0.1), (1, 0), (1, 1)])
def test_gaussian_table_refuses(sigma, tail):
    with pytest.raises(ValueError, match="sigma must be positive and tail within"):
        tables.gaussian_table(sigma, tail)


def test_counted_tables_leave_rare_ends_to_the_escape():
    counts, prior = np.zeros(101), np.zeros(101)
    counts[[30, 50, 51, 52]] = 1e-3, 500, 300, 200
    low, f = tables.counted_table(-50, counts, prior)
    assert (low, len(f)) == (0, 4), "three values and the escape"
    assert f[-1] == 1
    np.testing.assert_allclose(f[:3] / 65536, [0.5, 0.3, 0.2], atol=1e-4)
    prior[49:54] = 100
    low, f = tables.counted_table(-50, counts, prior)
    assert (low, len(f)) == (-1, 6)
    np.testing.assert_allclose(f[:5] / 65536, np.array([100, 600, 400, 300, 100]) / 1500, atol=1e-4)
