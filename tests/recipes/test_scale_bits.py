"""What symbols cost by tables of scale indexes, in training."""

import numpy as np
import torch

from onnx_models.recipes.common.scale_bits import costs, long_tailed_masses, occurrences, table_bits

SIGMAS = torch.tensor([0.2, 1.0, 5.0])


def test_costs_are_those_of_the_masses_of_both_signs() -> None:
    masses = long_tailed_masses(SIGMAS, 200)
    both = masses[:, :1] + 2 * masses[:, 1:].sum(1, keepdim=True)
    torch.testing.assert_close(both, torch.ones(3, 1).double())
    table = costs(1000 * masses)
    torch.testing.assert_close(table[:, :4], -torch.log2(masses[:, :4].clamp_min(2.0**-23)).float())
    assert table.max() <= 23


def test_bits_lie_on_straight_lines_between_whole_indexes() -> None:
    table = costs(long_tailed_masses(SIGMAS, 20))
    index = torch.tensor([[0.0, 0.25, 1.0], [1.5, 2.0, 0.75]], requires_grad=True)
    magnitude = torch.tensor([[0.0, 2.0, 1.0], [20.0, 3.0, 0.0]])
    bits = table_bits(index, magnitude, table)
    below = index.detach().floor().clamp_max(1).long()
    low, high = (table[i, magnitude.long()] for i in (below, below + 1))
    torch.testing.assert_close(bits, low + (index.detach() - below) * (high - low))
    (2 * bits).sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(index.grad, 2 * (high - low))


def test_occurrences_are_counted_by_index_and_magnitude() -> None:
    rng = np.random.default_rng(0)
    index, magnitude = rng.integers(0, 3, 500), rng.integers(0, 6, 500)
    found = occurrences(torch.from_numpy(index).float(), torch.from_numpy(magnitude).float(), (3, 6))
    wanted = np.zeros((3, 6))
    np.add.at(wanted, (index, magnitude), 1)
    np.testing.assert_array_equal(found.numpy(), wanted)
