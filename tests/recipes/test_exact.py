import numpy as np
import pytest
import torch

from onnx_models.recipes.common.exact import EXACT_LIMIT, ExactConv


def integers(layer: ExactConv, x: np.ndarray) -> np.ndarray:
    """The exported arithmetic in int64: floor((w x + b) / 2^s), clipped."""
    w, b, factor = (v.numpy() for v in layer.rounded())
    shift = np.rint(-np.log2(factor)).astype(np.int64)[:, None, None]
    w, b = w.astype(np.int64), b.astype(np.int64)[:, None, None]
    if layer.groups == 1:
        a = np.tensordot(w[:, :, 0, 0], x, 1)
    else:
        p = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        a = sum(
            p[:, i : i + x.shape[1], j : j + x.shape[2]] * w[:, 0, i, j, None, None] for i in range(3) for j in range(3)
        )
    a = (a + b) >> shift
    return a if layer.signed else a.clip(0, 255)


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("signed", [False, True])
def test_training_computes_what_is_exported(kernel: int, signed: bool) -> None:
    torch.manual_seed(kernel)
    layer = ExactConv(24, 24, kernel, 255, signed=signed)
    layer.bias.data.normal_(0, 2)
    x = torch.randint(0, 256, (1, 24, 9, 7)).float()
    np.testing.assert_array_equal(layer(x)[0].detach().numpy().astype(np.int64), integers(layer, x[0].long().numpy()))


def test_bounds_are_reached_by_the_worst_input() -> None:
    layer = ExactConv(16, 8, 1, [255] * 8 + [100] * 8, signed=True)
    w, b, _ = layer.rounded()
    limits = torch.tensor([255.0] * 8 + [100.0] * 8)
    worst = (w[:, :, 0, 0].sign() * limits * w[:, :, 0, 0]).sum(1) + b.abs()
    torch.testing.assert_close(layer.bounds().float(), worst)
    assert layer.bounds().max() < EXACT_LIMIT


def test_weights_use_their_seven_bits() -> None:
    layer = ExactConv(16, 8, 1, 255)
    w, _, _ = layer.rounded()
    assert torch.equal(w, w.round())
    assert ((w.abs().amax((1, 2, 3)) > 63) & (w.abs().amax((1, 2, 3)) <= 127)).all()


def test_gradients_pass_through_the_rounding() -> None:
    torch.manual_seed(0)
    layer = ExactConv(8, 8, 1, 255)
    x = torch.full((1, 8, 2, 2), 40.0, requires_grad=True)
    layer.bias.data.fill_(3.0)
    layer(x).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.abs().sum() > 0
    assert x.grad is not None
    assert x.grad.abs().sum() > 0
