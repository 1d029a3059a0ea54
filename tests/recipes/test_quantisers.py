"""What stands for rounding in training: slopes, means, and what evaluation does."""

import pytest
import torch

from onnx_models.recipes.common.quantisers import KINDS, mean_before, quantised, softly_rounded


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_slope_and_stays_within_a_step(kind: str) -> None:
    torch.manual_seed(0)
    y = torch.linspace(-3, 3, 2001, requires_grad=True)
    for training in (True, False):
        coded, shown = quantised(y, kind, training=training, progress=0.3)
        assert (coded - y).abs().max() <= 1
        assert (shown - y).abs().max() <= 1
    coded, shown = quantised(y, kind, training=True, progress=0.3)
    (coded.sum() + shown.sum()).backward()
    assert y.grad is not None
    assert (y.grad > 0).all()


@pytest.mark.parametrize("kind", ["noise", "straight", "mixed", "soft"])
def test_evaluation_rounds(kind: str) -> None:
    y = torch.tensor([-1.6, -0.2, 0.4, 0.6, 2.3])
    for values in quantised(y, kind, training=False):
        torch.testing.assert_close(values, y.round())


def test_dither_in_evaluation_is_distributed_as_noise_in_training() -> None:
    torch.manual_seed(0)
    y = torch.full((40_000,), 0.3)
    coded, shown = quantised(y, "dither", training=False)
    assert coded is shown
    assert ((coded - y).abs() <= 0.5 + 1e-6).all()
    assert coded.mean().item() == pytest.approx(0.3, abs=0.01)
    assert coded.var().item() == pytest.approx(1 / 12, rel=0.03)


def test_soft_rounding_hardens_and_its_mean_is_that_of_what_it_came_from() -> None:
    y = torch.tensor([0.1, 0.5, 0.9, 1.0, -0.3])
    torch.testing.assert_close(softly_rounded(y, 1e-3), y, atol=1e-3, rtol=0)
    torch.testing.assert_close(
        softly_rounded(torch.tensor([0.1, 0.9, -0.3]), 40.0), torch.tensor([0.0, 1.0, 0.0]), atol=1e-4, rtol=0
    )
    torch.manual_seed(0)
    before = 4 * torch.rand(400_000) - 2
    after = softly_rounded(before, 3.0) + torch.rand(len(before)) - 0.5
    near = (after - 0.6).abs() < 0.01
    assert before[near].mean().item() == pytest.approx(mean_before(torch.tensor(0.6), 3.0).item(), abs=0.02)
    whole = torch.tensor([-2.0, 0.0, 1.0])
    torch.testing.assert_close(mean_before(whole, 3.0), whole)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="quantiser must be one of noise, .*got 'hard'"):
        quantised(torch.zeros(1), "hard", training=True)
