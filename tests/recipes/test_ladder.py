"""The ladder of priors: ideal lengths are those of counting symbol by symbol, and of what a decoder knows before each."""

import math

import numpy as np
import pytest

from onnx_models.recipes import ladder


def test_a_code_that_counts_takes_what_it_takes_symbol_by_symbol() -> None:
    rng = np.random.default_rng(0)
    symbols = rng.integers(-2, 3, (2, 5, 4)).astype(np.int16)
    kinds = rng.integers(0, 3, symbols.shape)
    shares = rng.dirichlet(np.ones(5), 3)
    counts, bits = ladder.WORTH * shares, 0.0
    for symbol, kind in zip(symbols.ravel(), kinds.ravel(), strict=True):
        bits -= math.log2(counts[kind, symbol + 2] / counts[kind].sum())
        counts[kind, symbol + 2] += 1
    assert ladder.counted(symbols, kinds, -np.log2(shares).astype(np.float32)) == pytest.approx(bits, rel=1e-5)


def test_a_place_is_known_before_its_latent() -> None:
    rng = np.random.default_rng(1)
    symbols = rng.integers(-9, 10, (3, 4, 5)).astype(np.int16)
    places = ladder.places(symbols)
    for m, y, x in np.ndindex(*symbols.shape):
        later = symbols.copy()
        later[m].reshape(-1)[y * 5 + x :] = 30
        assert ladder.places(later)[m, y, x] == places[m, y, x]
    assert ladder.places(np.zeros((1, 2, 2), np.int16)).max() == 0
    assert places[0, 1, 1] == np.digitize(np.abs(symbols[0, [1, 0, 0, 0], [0, 1, 0, 2]]) @ [2, 2, 1, 1], ladder.EDGES)


def test_every_rung_is_of_the_same_latents(cat: np.ndarray) -> None:
    fixed, adaptive, local, hyper, neighbours = ladder.rungs(cat[:128, :192], 512)
    assert adaptive < fixed
    assert local < fixed
    assert neighbours < hyper
