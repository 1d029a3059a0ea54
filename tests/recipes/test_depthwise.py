"""The quick convolutions of training give torch's results and gradients."""

import contextlib

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from onnx_models.recipes.common import depthwise, kernels, layers
from onnx_models.recipes.common.layers import Block


def gradients(y: Tensor, inputs: list[Tensor], grad: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(y, inputs, grad))


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("shape", [(4, 128, 16, 16), (2, 96, 9, 7), (1, 16, 1, 3), (2, 6, 9, 8)])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_equal_to_torch(kernel: int, shape: tuple[int, ...], layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    c = shape[1]
    x = torch.randn(shape).to(memory_format=layout).requires_grad_()
    weight = torch.randn(c, 1 if kernel > 1 else c, kernel, kernel, requires_grad=True)
    bias, grad = torch.randn(c, requires_grad=True), torch.randn(shape)
    ours = (depthwise.depthwise if kernel > 1 else depthwise.pointwise)(x, weight, bias)
    theirs = F.conv2d(x, weight, bias, padding=kernel // 2, groups=c if kernel > 1 else 1)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    for a, b in zip(gradients(ours, [x, weight, bias], grad), gradients(theirs, [x, weight, bias], grad), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=2e-3)


def test_under_autocast_it_stays_float32() -> None:
    conv = depthwise.Depthwise(32, 5)
    x = torch.randn(2, 32, 8, 8).to(torch.bfloat16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = conv(x)
    y.sum().backward()
    assert y.dtype == torch.float32
    torch.testing.assert_close(
        y, F.conv2d(x.float(), conv.weight, conv.bias, padding=2, groups=32), rtol=1e-4, atol=1e-4
    )
    assert conv.weight.grad is not None


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_a_block_is_its_layers(kernel: int, layout: torch.memory_format, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    block = Block(32, kernel)
    x, grad = torch.randn(2, 32, 9, 7).to(memory_format=layout).requires_grad_(), torch.randn(2, 32, 9, 7)
    assert depthwise.takes_block(x)
    found = []
    for quick in (True, False):
        monkeypatch.setattr(layers, "takes_block", lambda _, quick=quick: quick)
        y = block(x)
        found.append([y, *gradients(y, [x, *block.parameters()], grad)])
    assert [v.shape for v in found[0]] == [v.shape for v in found[1]]
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def relative(found: Tensor, wanted: Tensor) -> float:
    return ((found - wanted).norm() / wanted.norm()).item()


@pytest.mark.parametrize("full", [False, True])
def test_a_block_under_autocast_is_near_its_layers(full: bool) -> None:
    """In bfloat16; within `in_full` the picture is that of float32 and gradients alone are near."""
    torch.manual_seed(0)
    block = Block(32, 5)
    x, grad = torch.randn(2, 32, 9, 7).requires_grad_(), torch.randn(2, 32, 9, 7)
    wanted = [block(x)]
    wanted += gradients(wanted[0], [x, *block.parameters()], grad)
    with torch.autocast("cpu", dtype=torch.bfloat16), depthwise.in_full(x) if full else contextlib.nullcontext():
        found = [block(x)]
    assert found[0].dtype == (torch.float32 if full else torch.bfloat16)
    found += gradients(found[0], [x, *block.parameters()], grad.to(found[0].dtype))
    if full:
        torch.testing.assert_close(found[0], wanted[0])
    assert all(v.dtype == torch.float32 for v in found[1:])
    assert 0 < max(map(relative, found, wanted)) < 0.06


def test_a_product_in_full_is_exact_and_its_gradients_are_near() -> None:
    torch.manual_seed(0)
    x, weight, bias = (torch.randn(s, requires_grad=True) for s in ((2, 48, 6, 5), (32, 48, 1, 1), (32,)))
    grad = torch.randn(2, 32, 6, 5)
    wanted = F.conv2d(x, weight, bias)
    with torch.autocast("cpu", dtype=torch.bfloat16), depthwise.in_full(x):
        found = depthwise.pointwise(x, weight, bias)
    torch.testing.assert_close(found, wanted)
    pairs = zip(*(gradients(v, [x, weight, bias], grad) for v in (found, wanted)), strict=True)
    assert all(relative(a, b) < 0.01 for a, b in pairs)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("cell", [None, 1, 4])
def test_activation_with_a_context(kind: torch.dtype, cell: int | None) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 32, 8, 12).to(kind).requires_grad_()
    context = None if cell is None else torch.randn(2, 32, 8 // cell, 12 // cell).to(kind).requires_grad_()
    inputs, grad = [v for v in (x, context) if v is not None], torch.randn(2, 32, 8, 12).to(kind)
    ours = depthwise.activated(x.clone(), context)
    sums = x if context is None or cell is None else x + context.repeat_interleave(cell, 2).repeat_interleave(cell, 3)
    theirs = F.leaky_relu(sums, depthwise.SLOPE)
    close = {"rtol": 0.02, "atol": 0.1} if kind == torch.bfloat16 else {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(ours, theirs, **close)
    for a, b in zip(gradients(ours, inputs, grad), gradients(theirs, inputs, grad), strict=True):
        torch.testing.assert_close(a, b, **close)


def test_integers_stay_exact() -> None:
    torch.manual_seed(0)
    x = torch.randint(0, 256, (1, 64, 8, 8)).float()
    weight, bias = torch.randint(-127, 128, (64, 1, 3, 3)).float(), torch.randint(-5000, 5000, (64,)).float()
    exact = F.conv2d(x.double(), weight.double(), bias.double(), padding=1, groups=64)
    assert torch.equal(depthwise.depthwise(x, weight, bias).double(), exact)


def test_a_compiler_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(kernels.Path, "home", lambda: tmp_path)
    monkeypatch.setattr(kernels, "COMPILER", ("false",))
    with pytest.raises(RuntimeError, match="false must compile"):
        kernels.native.__wrapped__()
