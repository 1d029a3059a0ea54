"""`minnen2018-local`: the choice of entries and its map; that it saves bytes is what it is for."""

import numpy as np
import pytest
from made.pictures import SAMPLE, photo_like
from PIL import Image

from pillow_lic.engine import entropy, models
from pillow_lic.families import minnen2018_local as local
from pillow_lic.families.shared import transform

MODEL = models.choose("minnen2018-local")
FIXED = models.choose("balle2017")


def sizes(pixels: np.ndarray, level: int) -> tuple[int, int]:
    """Return the bytes of the streams with fixed tables, and with local ones."""
    q = transform.rounded(transform.latents(FIXED, pixels, level))
    fixed = entropy.encode(FIXED.tables, q, transform.tables_by_channel(FIXED, q.shape, level))
    return len(fixed), sum(len(stream) for stream in local.encode(MODEL, pixels, level))


def test_it_names_the_graphs_of_balle2017() -> None:
    for role in ("analysis", "synthesis"):
        assert MODEL.files[role] == FIXED.files[role]
    assert {role for role in MODEL.files if MODEL.files[role].path.startswith("minnen2018-local-18/")} == {
        "tables",
        "dictionary",
        "starts",
    }


@pytest.mark.parametrize("level", [200, 800])
def test_a_photograph_takes_fewer_bytes_and_a_flat_drawing_a_third(level: int) -> None:
    with Image.open(SAMPLE) as im:
        fixed, own = sizes(np.asarray(im.convert("RGB")), level)
    assert own < 0.92 * fixed
    fixed, own = sizes(np.full((256, 256, 3), (32, 96, 160), np.uint8), level)
    assert own < 0.4 * fixed


def test_costs_are_those_of_the_coder_and_the_choice_is_the_cheapest() -> None:
    q = transform.rounded(transform.latents(MODEL, photo_like(48, 80), 400))
    entries, starts = local.of_level(MODEL, 400)
    blocks = local.in_blocks(q)
    costs = local.costs(blocks, entries, transform.bits_of_symbols(MODEL, local.LARGEST))
    assert costs.shape == (2, 3, 256)
    for i, j, entry in ((0, 0, 3), (1, 2, 250)):
        indexes = entries[entry].repeat(4).astype(np.uint16)
        assert costs[i, j, entry] == pytest.approx(MODEL.tables.cost(blocks[i, j].ravel(), indexes), rel=1e-4)
    none = np.zeros((local.CLASSES, 256), np.float32)
    np.testing.assert_array_equal(local.chosen(costs, none), costs.argmin(2))
    assert local.bits_of_choices(starts).shape == none.shape
    np.testing.assert_allclose((2.0 ** -local.bits_of_choices(starts)).sum(1), 1, rtol=1e-4)


def test_blocks_at_the_edge_count_what_is_not_there_as_zero() -> None:
    q = np.arange(2 * 3 * 5, dtype=np.int16).reshape(2, 3, 5)
    blocks = local.in_blocks(q)
    assert blocks.shape == (2, 3, 2, 4)
    assert blocks[0, 0, 1].tolist() == [15, 16, 20, 21]
    assert blocks[1, 2, 0].tolist() == [14, 0, 0, 0]


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (5, 4)])
def test_the_map_comes_back(shape: tuple[int, int]) -> None:
    choice = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    written: list[tuple[int, int]] = []
    local.write_map(choice, lambda bit, context: written.append((bit, context)))
    contexts = [context for _, context in written]
    assert min(contexts) >= 0
    assert max(contexts) < local.CLASSES * local.NODES
    bits = iter(written)

    def read(context: int) -> int:
        bit, wanted = next(bits)
        assert context == wanted
        return bit

    latents = 2 * shape[0] - 1, 2 * shape[1]
    np.testing.assert_array_equal(local.read_map(latents, read), choice)
