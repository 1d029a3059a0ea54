"""Dependent quantisation: the trellis finds the cheapest path, the decoder walks it again, and it is worth its trouble."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from engine.released import models_of, name_and_number
from made.pictures import SAMPLE
from PIL import Image

from pillow_lic import _native, codec
from pillow_lic.bench import coder
from pillow_lic.engine import models
from pillow_lic.errors import LicRuntimeError
from pillow_lic.families.lic1 import quantiser
from pillow_lic.metrics import psnr
from pillow_lic.options import EncodeOptions

FIRST, OFFSET = 10, 30


def quantise(*given: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Symbols, tables and values, and the state after them, of a way that is searched in one go."""
    way = _native.Way(*given)
    way.search(0, way.PARTS)
    return way.finish()


def walk(found: tuple[int, ...], indexes: np.ndarray, state: int) -> tuple[list[int], list[int], int]:
    """Tables and values of symbols, and the state after them: FORMAT 8.4, written again."""
    chosen, values = [], []
    for k, i in zip(found, indexes.tolist(), strict=True):
        if i < FIRST:
            chosen.append(i)
            values.append(20 * k)
            continue
        odd = state % 2
        chosen.append(i + OFFSET * odd)
        values.append(13 * (2 * k - odd * ((k > 0) - (k < 0))))
        state = state // 2 ^ 78 * odd ^ 43 * (k % 2)
    return chosen, values, state


@pytest.fixture(scope="module")
def tables() -> _native.Tables:
    return coder.gaussian_tables()


@pytest.mark.parametrize("seed", range(12))
def test_no_sequence_is_cheaper(tables: _native.Tables, seed: int) -> None:
    rng = np.random.default_rng(seed)
    indexes = rng.choice([4, 12, 16, 20], 5, p=[0.2, 0.3, 0.3, 0.2]).astype(np.uint16)
    drawn, weight, state = rng.normal(0, 1.2, 5).astype(np.float32), float(rng.uniform(2, 20)), 11 * seed % 128

    def cost(found: tuple[int, ...]) -> float:
        chosen, values, _ = walk(found, indexes, state)
        error = ((drawn - np.array(values) / 20) ** 2).sum()
        return tables.cost(np.array(found, np.int16), np.array(chosen, np.uint16)) + weight * error

    found, *rest = quantise(tables, drawn, indexes, FIRST, OFFSET, weight, state)
    chosen, values, after = walk(tuple(found.tolist()), indexes, state)
    assert [part if isinstance(part, int) else part.tolist() for part in rest] == [chosen, values, after]
    near = [range(-2, 3) if i >= FIRST else {0, round(float(d))} for i, d in zip(indexes, drawn, strict=True)]
    assert cost(tuple(found.tolist())) <= min(map(cost, itertools.product(*near))) + 1e-4


@pytest.mark.parametrize("weight", [12.0, 3e5])
def test_a_long_path_is_as_cheap_as_in_double_precision(tables: _native.Tables, weight: float) -> None:
    n, index = 20_001, 20
    drawn = np.random.default_rng(5).normal(0, 1.1, n).astype(np.float32)
    every = np.arange(-9, 10)
    branches = np.full((2, 2, n), np.inf)  # by quantiser and parity
    for odd, k in itertools.product((0, 1), every.tolist()):
        bits = tables.cost(np.array([k], np.int16), np.array([index + OFFSET * odd], np.uint16))
        total = bits + weight * (drawn - 13 * (2 * k - odd * np.sign(k)) / 20.0) ** 2
        branches[odd, k % 2] = np.minimum(branches[odd, k % 2], total)
    states = np.arange(128)
    reached = np.stack([states // 2 ^ 78 * (states % 2) ^ 43 * parity for parity in (0, 1)])
    came = np.argsort(reached.ravel(), kind="stable").reshape(128, 2)  # 128 * parity + state, for each state two
    least = np.where(states == 0, 0.0, np.inf)
    for i in range(n):
        least = (least + branches[states % 2, :, i].T).ravel()[came].min(1)

    indexes = np.full(n, index, np.uint16)
    found, chosen, values, _ = quantise(tables, drawn, indexes, FIRST, OFFSET, weight, 0)
    cost = tables.cost(found, chosen) + weight * ((drawn - values / 20) ** 2).sum()
    assert cost == pytest.approx(least.min(), rel=1e-4)


@pytest.mark.parametrize("lanes", [1, 2, 4, 8])
def test_the_decoder_walks_the_same_path(tables: _native.Tables, lanes: int) -> None:
    rng = np.random.default_rng(lanes)
    indexes = rng.integers(0, 34, 5000).astype(np.uint16)
    drawn = (rng.standard_t(3, 5000) * 0.11 * np.exp(indexes * 0.114)).astype(np.float32)
    first = quantise(tables, drawn[:1777], indexes[:1777], FIRST, OFFSET, 12.0, 0)
    second = quantise(tables, drawn[1777:], indexes[1777:], FIRST, OFFSET, 12.0, first[3])
    found, chosen, values = (np.concatenate(parts) for parts in list(zip(first, second, strict=True))[:3])
    assert np.abs(drawn - values / 20).max() < 1.5
    assert 100 < (chosen != indexes).sum() < (indexes >= FIRST).sum()
    decoder = _native.Decoder(tables, _native.encode(tables, found, chosen, lanes), lanes)
    cuts = [0, 1, 2, 700, 701, 3000, 5000]
    parts = [decoder.decode_dependent(indexes[a:b], FIRST, OFFSET) for a, b in itertools.pairwise(cuts)]
    decoder.finish()
    np.testing.assert_array_equal(np.concatenate(parts), values)


@pytest.mark.parametrize("lanes", [1, 2, 4, 8])
@pytest.mark.parametrize("likely", [0.5, 0.97, 0.999])
def test_symbols_that_are_read_together_are_those_that_are_read_alone(lanes: int, likely: float) -> None:
    """Stretches of zeros, of which the tables of every seventh index have none, of few others, and of dependent ones, from any lane on."""
    rng = np.random.default_rng(lanes)
    peak = round(likely * 65536)
    rest = (65536 - peak) // 9
    frequencies = np.array([rest, rest, rest, rest, 65536 - 9 * rest, rest, rest, rest, rest, rest], np.uint16)
    low = np.array([1 if t % 7 == 3 else -4 for t in range(FIRST + 2 * OFFSET)], np.int16)
    tables = _native.Tables(low, np.full(low.size, 10, np.uint16), np.tile(frequencies, low.size))
    indexes = np.repeat(rng.choice([0, 1, 3, 5, FIRST - 1, FIRST, FIRST + 4], 120), rng.integers(1, 60, 120))
    indexes = np.where(rng.random(indexes.size) < 0.02, rng.integers(0, FIRST + OFFSET, indexes.size), indexes).astype(
        np.uint16
    )
    symbols = np.where(rng.random(indexes.size) < likely, 0, rng.integers(-300, 300, indexes.size)).astype(np.int16)
    chosen, values, _ = walk(tuple(symbols.tolist()), indexes, 0)
    data = _native.encode(tables, symbols, np.array(chosen, np.uint16), lanes)
    for cuts in ([0, indexes.size], [0, 3, 10, 517, 518, 519, indexes.size], range(indexes.size + 1)):
        decoder = _native.Decoder(tables, data, lanes)
        parts = [decoder.decode_dependent(indexes[a:b], FIRST, OFFSET) for a, b in itertools.pairwise(cuts)]
        decoder.finish()
        np.testing.assert_array_equal(np.concatenate(parts), values)


def test_large_residuals_keep_their_size(tables: _native.Tables) -> None:
    drawn = np.array([32000, -32000, 31999.4, 900.2], np.float32)
    for index in (FIRST - 1, FIRST):
        indexes = np.full(4, index, np.uint16)
        found, chosen, values, _ = quantise(tables, drawn, indexes, FIRST, OFFSET, 12.0, 0)
        assert np.abs(values / 20 - drawn).max() < 1
        decoder = _native.Decoder(tables, _native.encode(tables, found, chosen, 1), 1)
        np.testing.assert_array_equal(decoder.decode_dependent(indexes, FIRST, OFFSET), values)


def test_parts_in_any_order_choose_the_same(tables: _native.Tables) -> None:
    rng = np.random.default_rng(3)
    indexes = rng.integers(0, 34, 40_000).astype(np.uint16)
    drawn = (rng.standard_t(3, indexes.size) * 0.11 * np.exp(indexes * 0.114)).astype(np.float32)
    given = (tables, drawn, indexes, FIRST, OFFSET, 12.0, 5)
    whole, way = quantise(*given), _native.Way(*given)
    for first, last in ((40, way.PARTS), (0, 1), (1, 1), (1, 40)):
        way.search(first, last)
    for found, expected in zip(way.finish(), whole, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_way_is_searched_whole_and_finished_once(tables: _native.Tables) -> None:
    way = _native.Way(tables, np.zeros(3, np.float32), np.full(3, 12, np.uint16), FIRST, OFFSET, 12.0, 0)
    for first, last in ((2, 1), (0, way.PARTS + 1)):
        with pytest.raises(ValueError, match=f"parts must be 0 to {way.PARTS}"):
            way.search(first, last)
    way.search(0, way.PARTS - 1)
    with pytest.raises(ValueError, match="every part must be searched once"):
        way.finish()
    way = _native.Way(tables, np.zeros(3, np.float32), np.full(3, 12, np.uint16), FIRST, OFFSET, 12.0, 0)
    way.search(0, way.PARTS)
    way.finish()
    with pytest.raises(ValueError, match="a way is finished once"):
        way.finish()


def test_wrong_arguments(tables: _native.Tables) -> None:
    indexes, drawn = np.full(3, 12, np.uint16), np.zeros(3, np.float32)
    good = (tables, drawn, indexes, FIRST, OFFSET, 12.0, 0)
    assert quantise(*good)[0].tolist() == [0, 0, 0]
    for place, bad, message in (
        (2, np.full(3, 34, np.uint16), "table indexes must be below 34, got 34"),
        (2, indexes[1:], "there are 3 residuals but 2 indexes"),
        (6, 128, "state must be below 128, got 128"),
        *((1, np.array([0, v, 0], np.float32), "residuals must be within 32000 steps, got") for v in (np.nan, 4e4)),
    ):
        with pytest.raises(ValueError, match=message):
            quantise(*good[:place], bad, *good[place + 1 :])
    data = _native.encode(tables, np.zeros(3, np.int16), indexes, 1)
    with pytest.raises(ValueError, match="table indexes must be below 34, got 34"):
        _native.Decoder(tables, data, 1).decode_dependent(np.full(3, 34, np.uint16), FIRST, OFFSET)
    with pytest.raises(_native.StreamError, match="ends early|ends before"):
        _native.Decoder(tables, data, 1).decode_dependent(np.full(3000, 33, np.uint16), FIRST, OFFSET)
    with pytest.raises(LicRuntimeError, match="gave latents up to nan steps from their means, 32000 is the most"):
        quantiser.Quantiser(tables).choose(np.full(3, np.nan, np.float32), indexes)


def test_values_are_twentieths_of_a_step() -> None:
    values = np.array([13, -26], np.int32)
    assert quantiser.steps(values).tolist() == [np.float32(0.65), np.float32(-1.3)]


@pytest.mark.parametrize("spec", models_of("lic1"), ids=name_and_number)
def test_every_dependent_scale_has_two_tables(spec: models.Model) -> None:
    stored = spec.tables
    assert (
        stored.count
        == quantiser.SCALES + 9 * spec.constants["hyper_latents"] + quantiser.SCALES - quantiser.FIRST_DEPENDENT
    )
    none = np.zeros(1, np.int16)
    for index in range(quantiser.FIRST_DEPENDENT, quantiser.SCALES):
        even, odd = (stored.cost(none, np.array([i], np.uint16)) for i in (index, index + quantiser.offset(stored)))
        assert 0 < odd - even < 2, "the odd ones' 0 is half as wide"


def measured(pixels: np.ndarray, model: str, quality: float) -> tuple[float, float]:
    """PSNR and the logarithm of the bytes."""
    data = codec.encode(pixels, "RGB", EncodeOptions(quality=quality, model=model))
    return psnr(pixels, codec.decode(data)[1]), math.log(len(data))


@pytest.mark.parametrize(("model", "quality"), [("lic1", 3), ("lic1", 6), ("lic2", 3), ("lic2", 4.3)])
def test_weighing_bits_pays(model: str, quality: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """At equal PSNR files are smaller by 2.5 % or more than with the nearest values: lic2 has the bytes of lic1 at 6 at 4.3."""
    with Image.open(SAMPLE) as im:
        pixels = np.asarray(im.convert("RGB"))[:192, :256]
    reached, size = measured(pixels, model, quality)
    monkeypatch.setattr(quantiser, "ERROR_SHARE", 1e-4)
    plain = [measured(pixels, model, q) for q in (quality - 2, quality)]
    assert plain[0][0] < reached < plain[1][0]
    assert size < np.interp(reached, *zip(*plain, strict=True)) - 0.025
