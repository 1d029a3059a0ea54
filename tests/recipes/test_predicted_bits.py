"""The network that predicts bits: it sees only what a decoder has, in whole numbers, and learns what bits tell of each other."""

import numpy as np
import pytest
import torch

from onnx_models.recipes import predicted_bits as recipe
from onnx_models.recipes.common.exact import UNIT
from onnx_models.recipes.recurrent import predicted
from pillow_lic.engine import bits, models
from pillow_lic.families import li2018
from pillow_lic.families.shared import recurrence, sign_streams

PLANES, SIDE = 5, 6


def net() -> recipe.Predictor:
    torch.manual_seed(0)
    made = recipe.Predictor(PLANES)
    with torch.no_grad():
        for layer in made.children():
            layer.weight.mul_(8)
    return made


def code(rng: np.random.Generator, masked: float = 0.0) -> recipe.Code:
    """Planes of which each is the one before it, but for one bit in eight; the first is of chance."""
    bits = np.cumsum(rng.random((PLANES, SIDE, SIDE)) < np.array([0.5, *[1 / 8] * (PLANES - 1)])[:, None, None], 0) % 2
    mask = rng.random(bits.shape) >= masked
    return recipe.Code((bits * mask).astype(np.uint8), mask, 0.0)


@torch.no_grad()
def test_a_bit_is_predicted_by_those_that_were_coded_before_it_and_by_no_other() -> None:
    predictor, x = net(), recipe.inputs(code(np.random.default_rng(0)))
    second = np.indices((SIDE, SIDE)).sum(0) % 2
    turn = 2 * np.arange(PLANES)[:, None, None] + second
    before, reached = predictor(x)[0].numpy(), set()
    for place in np.ndindex(PLANES, SIDE, SIDE):
        other = x.clone()
        other[0][place] *= -1
        changed = predictor(other)[0].numpy() != before
        assert (turn[changed] > turn[place]).all()
        reached |= {int(turn[where] - turn[place]) for where in zip(*np.nonzero(changed), strict=True)}
    assert reached >= {1, 2, 3}


@torch.no_grad()
def test_what_it_gives_are_whole_numbers_that_no_order_of_sums_changes() -> None:
    predictor, x = net(), recipe.inputs(code(np.random.default_rng(1), masked=0.3))
    predictor.check()
    odds = predictor(x)
    assert torch.equal(odds, odds.round())
    assert torch.equal(odds, predictor.double()(x.double()).float())


def test_tables_are_chosen_by_the_nearest_logarithm_of_odds() -> None:
    odds = torch.tensor([-10_000.0, -3, -2, 1, 2, 5, 6, 10_000])
    assert recipe.index_of(odds).tolist() == [0, 31, 32, 32, 33, 33, 34, 63]


def test_native_code_picks_what_the_network_says() -> None:
    predictor, rng = net(), np.random.default_rng(5)
    made = bits.stored_predictor(predicted.numbers(predictor), PLANES)
    for _ in range(5):
        counts = rng.integers(0, PLANES + 1, (SIDE, SIDE)).astype(np.uint8)
        mask = np.arange(PLANES)[:, None, None] < counts
        one = code(rng)._replace(mask=mask)
        one = one._replace(bits=one.bits * mask)
        signs = np.where(mask, 2 * one.bits.astype(np.int8) - 1, 0).astype(np.int8)
        index, ones = recipe.picked(predictor, one)
        coded, contexts = bits.sign_bits(made, signs[:, None], counts)
        np.testing.assert_array_equal(contexts - 512, index)
        np.testing.assert_array_equal(coded, ones)
        assert len(set(index.tolist())) > 3


def test_multiply_adds_are_those_of_the_weights_that_may_differ_from_0() -> None:
    earlier = PLANES * (PLANES - 1)  # of both kinds
    sees = earlier + 2 * PLANES
    assert net().macs() == PLANES * (8 + 4) + (recipe.HIDDEN + 1) * sees + recipe.HIDDEN * PLANES


def test_it_learns_what_planes_tell_of_each_other() -> None:
    """A bit that is another one but once in eight times takes 0.54 bits."""
    rng = np.random.default_rng(2)
    predictor, codes = recipe.Predictor(PLANES), [code(rng) for _ in range(60)]
    recipe.learn(predictor, codes, 100, 8, rate=0.02)
    tables = recipe.counted(predictor, codes)
    held_out = [code(rng) for _ in range(20)]
    fixed, adaptive = np.sum([recipe.predicted(predictor, tables, one) for one in held_out], 0) / (20 * SIDE**2)
    assert fixed == pytest.approx(1 + (PLANES - 1) * 0.544, rel=0.06)
    assert adaptive == pytest.approx(fixed, rel=0.06)


@pytest.mark.parametrize("name", recipe.LEVELS)
def test_codes_are_those_of_the_files(name: str) -> None:
    """All but a map, or counts of steps: a stream has those too, a check and a state."""
    model = recipe.with_contexts(recipe.CONTEXTS[name])
    pixels = np.random.default_rng(3).integers(0, 256, (4, 4, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    found = recipe.code_of(model, pixels, 1024)
    assert found.bits.shape == found.mask.shape
    assert not found.bits[~found.mask].any()
    assert recipe.inputs(found).abs().max() == UNIT
    if name == "li2018":
        stream = li2018.encode(model, pixels, 1024)[0]
    else:  # superseded: its decoder reads what the networks of the newer number give
        stream = sign_streams.pack(model, recurrence.everywhere(models.choose(name), pixels, 1024))
    length = 8 * len(stream)
    assert found.shipped < length < found.shipped + 8 * 60
