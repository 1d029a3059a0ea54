import numpy as np
import pytest

from pillow_lic.families.lic1 import passes


@pytest.mark.parametrize("inside", [(1, 1), (1, 4), (3, 2), (4, 4), (5, 7)])
def test_the_four_passes_code_every_latent_inside_once(inside: tuple[int, int]) -> None:
    shape = (8, 8, 8)
    values = np.arange(512).reshape(shape)
    rebuilt = np.full(shape, -1)
    for t in range(passes.PASSES):
        passes.scatter(rebuilt, t, inside, passes.gather(values, t, inside))
    np.testing.assert_array_equal(rebuilt[:, : inside[0], : inside[1]], values[:, : inside[0], : inside[1]])
    assert (rebuilt == -1).sum() == 512 - 8 * inside[0] * inside[1]


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
