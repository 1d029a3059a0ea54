"""The passes of `lic1`: the order that latents are coded in, and what goes in and out of it."""

import numpy as np
import pytest

from pillow_lic.engine import entropy
from pillow_lic.families.lic1 import passes, quantiser
from pillow_lic.fileformat.areas import Area


@pytest.mark.parametrize("inside", [(1, 1), (1, 4), (3, 2), (4, 4), (5, 7)])
def test_the_four_passes_code_every_latent_inside_once(inside: tuple[int, int]) -> None:
    shape = (8, 8, 8)
    values = np.arange(512).reshape(shape)
    rebuilt = np.full(shape, -1)
    for t in range(passes.PASSES):
        passes.scatter(rebuilt, t, inside, passes.gather(values, t, inside))
    np.testing.assert_array_equal(rebuilt[:, : inside[0], : inside[1]], values[:, : inside[0], : inside[1]])
    assert (rebuilt == -1).sum() == 512 - 8 * inside[0] * inside[1]


@pytest.mark.parametrize("inside", [(5, 6), (5, 7), (8, 8)])
@pytest.mark.parametrize("window", [Area(0, 0, 8, 8), Area(4, 0, 7, 4), Area(2, 4, 3, 5), Area(0, 2, 1, 8)])
def test_a_window_has_the_values_of_its_own_latents(inside: tuple[int, int], window: Area) -> None:
    values = np.arange(512).reshape(8, 8, 8)
    window = window.intersection(Area(0, 0, inside[1], inside[0]))
    for t in range(passes.PASSES):
        found = passes.of_window(passes.gather(values, t, inside), t, inside, window)
        expected = passes.gather(values[:, *window.slices], t, window.shape)
        np.testing.assert_array_equal(found, expected)


def test_the_values_of_all_passes_are_spread_over_their_latents() -> None:
    values = np.arange(512).reshape(8, 8, 8)
    parts = [passes.gather(values, t, (5, 7)) for t in range(passes.PASSES)]
    found = passes.spread(parts, values.shape, (5, 7))
    np.testing.assert_array_equal(found[:, :5, :7], values[:, :5, :7])
    assert not found[:, 5:].any()
    assert not found[:, :, 7:].any()


def test_coding_order_is_group_channel_row_column() -> None:
    a = np.arange(4 * 2 * 4 * 4).reshape(8, 4, 4)
    expected = []
    for channel in range(8):
        row, column = divmod(passes.ORDER[channel // 2][2], 2)
        expected += [a[channel, y, x] for y in range(row, 4, 2) for x in range(column, 4, 2)]
    assert passes.gather(a, 2, (4, 4)).tolist() == expected


@pytest.mark.parametrize("inside", [(1, 1), (1, 4), (3, 2), (4, 4), (5, 7)])
def test_what_networks_say_of_a_pass_is_in_the_same_order(inside: tuple[int, int]) -> None:
    whole = np.arange(512).reshape(8, 8, 8)
    for t in range(passes.PASSES):
        said = np.concatenate(
            [
                whole[2 * group : 2 * group + 2, place // 2 :: 2, place % 2 :: 2]
                for group, place in enumerate(order[t] for order in passes.ORDER)
            ]
        )
        found = passes.gather_cells(said, t, inside, np.uint16)
        assert found.dtype == np.uint16
        assert found.tolist() == passes.gather(whole, t, inside).tolist()


def test_magnitudes_of_all_sizes_are_those_of_division() -> None:
    values = np.arange(-6000, 6000, dtype=np.int32)
    for most in (0, 1, 8, 254, 255):
        out = np.zeros((4, 2, 6000), np.uint8)
        entropy.scatter_magnitudes(out, (0, 1, 2, 3), (2, 6000), values, most)
        found = np.concatenate([out[0, 0, ::2], out[1, 0, 1::2], out[2, 1, ::2], out[3, 1, 1::2]])
        np.testing.assert_array_equal(found, np.minimum((abs(values) + 10) // 20, most))


def test_magnitudes_are_rounded_half_up_and_end_at_8() -> None:
    values = np.array([0, 20, -20, 13, -26, 39, 130, 160, 169, -(2**31), 2**31 - 1, 9], np.int32)
    out = np.full((4, 6, 2), 99, np.uint8)
    entropy.scatter_magnitudes(out, (0, 3, 2, 1), (6, 2), values, quantiser.MAGNITUDE_MAX)
    found = [*out[0, ::2, 0], *out[1, 1::2, 1], *out[2, 1::2, 0], *out[3, ::2, 1]]
    assert found == [0, 1, 1, 1, 1, 2, 7, 8, 8, 8, 8, 0]
    assert (out == 99).sum() == 48 - 12


@pytest.mark.parametrize("inside", [(1, 1), (1, 4), (3, 2), (8, 8), (5, 7)])
def test_sums_and_magnitudes_are_in_their_order(inside: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for t in range(passes.PASSES):
        values = rng.integers(-2000, 2000, passes.gather(np.empty((8, 8, 8)), t, inside).shape).astype(np.int32)
        means = rng.normal(0, 9, (8, 4, 4)).astype(np.float32)
        asked = (passes.places(t), inside, values)
        sums, by_numpy = np.full((2, 8, 8, 8), 9, np.float32)
        magnitudes = np.full((8, 8, 8), 9, np.uint8)
        entropy.scatter_sums(sums, *asked, means)
        passes.scatter(by_numpy, t, inside, passes.gather_cells(means, t, inside, np.float32) + quantiser.steps(values))
        np.testing.assert_array_equal(sums, by_numpy)
        entropy.scatter_magnitudes(magnitudes, *asked, 8)
        expected = np.full_like(magnitudes, 9)
        passes.scatter(expected, t, inside, np.minimum((abs(values) + 10) // 20, 8))
        np.testing.assert_array_equal(magnitudes, expected)


def test_values_of_other_passes_are_errors() -> None:
    out, values, means = np.empty((8, 4, 4), np.uint8), np.zeros(32, np.int32), np.empty((8, 2, 2), np.float32)
    for arguments, said in (
        ((out, (0, 1, 2, 4), (4, 4), values), "places"),
        ((out, (0, 1, 2, 3), (5, 4), values), "inside"),
        ((out, (0, 1, 2, 3), (4, 4), values[1:]), "31 values but 32"),
        ((out[1:], (0, 1, 2, 3), (4, 4), values), "multiple of 4"),
    ):
        with pytest.raises(ValueError, match=said):
            entropy.scatter_magnitudes(*arguments, 8)
    with pytest.raises(ValueError, match="0-255, got 256"):
        entropy.scatter_magnitudes(out, (0, 1, 2, 3), (4, 4), values, 256)
    with pytest.raises(ValueError, match="a mean for every cell"):
        entropy.scatter_sums(out.astype(np.float32), (0, 1, 2, 3), (4, 4), values, means[1:])


def test_each_pass_has_one_place_of_every_group() -> None:
    for t in range(passes.PASSES):
        assert sorted(order[t] for order in passes.ORDER) == [0, 1, 2, 3]
    for order in passes.ORDER:
        assert sorted(order) == [0, 1, 2, 3]


def test_cells_mark_the_place_and_nothing_outside() -> None:
    cells = passes.cells((4, 4), (3, 2))
    assert cells.sum(0).tolist() == [[1, 1, 0, 0]] * 3 + [[0, 0, 0, 0]]
    assert cells[2, 1, 0] == 1
    assert cells[3, 1, 1] == 1


def test_passes_of_a_stage_share_a_run() -> None:
    for stages, of_last in ((4, [3]), (3, [2, 3]), (1, [0, 1, 2, 3])):
        runs: list[int] = []

        def run(stage: int, stages: int = stages, runs: list[int] = runs) -> np.ndarray:
            runs.append(stage)
            return np.concatenate([np.full((8, 2, 3), t) for t in passes.of_stage(stage, stages)])

        shared = passes.Shared(stages)
        for t in range(passes.PASSES):
            found = shared.of_pass(t, run)
            assert found.shape == (8, 2, 3)
            assert (found == t).all()
        assert runs == list(range(stages))
        assert list(passes.of_stage(stages - 1, stages)) == of_last
        assert [t for stage in range(stages) for t in passes.of_stage(stage, stages)] == list(range(4))
