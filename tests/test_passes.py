import numpy as np
import pytest

from pillow_lic import passes


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
