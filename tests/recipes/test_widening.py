"""A wider network with the weights of a narrow one computes the same, and its new channels learn."""

from dataclasses import replace

import pytest
import torch

from onnx_models.recipes.lic1.model import Lic1, Sizes
from onnx_models.recipes.lic1.widening import widened

NARROW = Sizes(a=32, a2=16, c=16, c2=16, m=32, z=8, p=16, s=16, k=3, analysis=1, synthesis=1)


def network(sizes: Sizes, seed: int) -> Lic1:
    torch.manual_seed(seed)
    return Lic1(torch.eye(768), torch.linspace(1, 0.01, 768), sizes)


def test_the_same_function_and_new_channels_that_learn() -> None:
    narrow, wide = network(NARROW, 0), network(replace(NARROW, a=48, a2=32, c=32, c2=48, d=48), 1)
    wide.load_state_dict(widened(narrow.state_dict(), wide))
    x, base = torch.rand(2, 3, 64, 64), torch.tensor([200.0, 800.0])
    level = base.view(2, 1, 1, 1).expand(2, 1, 4, 4)
    for net in (narrow, wide):
        net.eval()
    for ours, theirs in zip(wide(x, level, base), narrow(x, level, base), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    wide(x, level, base)[0].square().mean().backward()
    read = wide.synthesis.leave.weight.grad
    assert read is not None
    assert read[:, 16:].abs().max() > 0


def test_what_does_not_fit_is_refused() -> None:
    state = network(NARROW, 0).state_dict()
    with pytest.raises(ValueError, match=r"\(32, 192, 1, 1\) cannot become \(16, 192, 1, 1\)"):
        widened(state, network(replace(NARROW, a=16), 1))
    with pytest.raises(ValueError, match=r"only one network has analysis\.body\.1\.a\.bias, .*"):
        widened(state, network(replace(NARROW, analysis=2), 1))
    with pytest.raises(ValueError, match=r"\(32, 1, 3, 3\) cannot become \(32, 1, 5, 5\)"):
        widened(state, network(replace(NARROW, k=5), 1))
    with pytest.raises(ValueError, match="cannot become"):
        widened(state, network(replace(NARROW, p=32), 1))
