"""The dictionary of `minnen2018-local`: k-means by the length of a code."""

import numpy as np

from onnx_models.recipes import minnen2018_local as recipe
from pillow_lic.families import minnen2018_local as family


def kinds(count: int, seed: int) -> np.ndarray:
    """Blocks of three kinds: flat with their own mean in channel 0, flat with another, and busy."""
    rng = np.random.default_rng(seed)
    blocks = np.zeros((count, recipe.LATENTS, 4), np.int16)
    kind = rng.integers(0, 3, count)
    blocks[kind == 0, 0], blocks[kind == 1, 0] = 40, -40
    blocks[kind == 2] = rng.normal(0, 5, (int((kind == 2).sum()), recipe.LATENTS, 4)).astype(np.int16)
    return blocks


def test_the_first_tables_are_distributions() -> None:
    found = recipe.first_probabilities()
    assert found.shape == (recipe.TABLES, recipe.SIZE)
    assert recipe.TABLES < 256
    np.testing.assert_allclose(found.sum(1), 1)
    assert found[recipe.SCALES :].argmax(1).tolist() != found[: recipe.SCALES].argmax(1).tolist()


def test_rounds_shorten_the_code_and_flat_blocks_get_tables_around_their_mean() -> None:
    blocks, held = kinds(1200, 0), kinds(300, 1)
    fixed = recipe.histogram(blocks) + 1e-3
    bits = recipe.bits_of(fixed / fixed.sum(1, keepdims=True))
    by_channel = family.costs(held[None], np.arange(recipe.LATENTS, dtype=np.uint8)[None], bits)[0, :, 0].mean()
    (found,), tables = recipe.dictionaries([blocks], 3)
    assert len(tables) == recipe.TABLES
    known = np.stack([-np.log2(np.maximum(1e-9, _dense(*table))) for table in tables]).astype(np.float32)
    local = found.costs(held, known).min(1).mean()
    assert local < 0.8 * by_channel
    flat = held[(held[:, 0] == 40).all(1)]
    entry = found.entries[found.costs(flat, known)[0].argmin()]
    assert known[entry[0]].argmin() - recipe.LARGEST == 40


def _dense(low: int, frequencies: np.ndarray) -> np.ndarray:
    shares = np.zeros(recipe.SIZE)
    shares[low + recipe.LARGEST :][: len(frequencies) - 1] = frequencies[:-1] / 65536
    return shares


def test_start_values_follow_the_choices() -> None:
    (found,), tables = recipe.dictionaries([kinds(1152, 2)], 2)
    known = np.stack([-np.log2(np.maximum(1e-9, _dense(*table))) for table in tables]).astype(np.float32)
    starts = recipe.start_values(found, known, 8)
    assert starts.shape == (family.CLASSES * family.NODES,)
    assert starts.min() >= 64
    assert starts.max() <= 65472
    assert (starts != 32768).any()
