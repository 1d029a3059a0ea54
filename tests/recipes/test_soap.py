"""SOAP: a step in each matrix's own eigenbasis goes where Adam has to learn the way."""

import copy

import pytest
import torch
from torch import nn

from onnx_models.recipes.soap import EVERY, Soap, is_matrix


def badly_scaled(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs whose principal directions are turned and differ 100 times in size, and the outputs of a matrix to be found."""
    generator = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(32, 32, generator=generator))[0]
    x = torch.randn(512, 32, generator=generator) * torch.logspace(0, -2, 32) @ turn
    return x[:, :, None, None], (x @ torch.randn(32, 32, generator=generator))[:, :, None, None]


def trained(optimizer: type[torch.optim.Optimizer], steps: int) -> float:
    torch.manual_seed(0)
    net = nn.Conv2d(32, 32, 1)
    x, y = badly_scaled(1)
    steps_of = optimizer(net.parameters(), lr=0.02)
    for _ in range(steps):
        loss = ((net(x) - y) ** 2).mean()
        steps_of.zero_grad()
        loss.backward()
        steps_of.step()
    return loss.item()


def test_beats_adam_where_directions_are_turned() -> None:
    assert trained(Soap, 400) < 0.2 * trained(torch.optim.Adam, 400)


@pytest.mark.parametrize("shape", [(7,), (64, 1, 5, 5), (16, 64, 1, 1), (640, 64, 1, 1), (64, 64, 2, 2)])
def test_what_is_no_matrix_gets_adam(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    ours = nn.Parameter(torch.randn(shape))
    theirs = nn.Parameter(ours.detach().clone())
    assert not is_matrix(ours)
    a, b = Soap([ours], lr=0.1), torch.optim.Adam([theirs], lr=0.1, betas=(0.9, 0.98))
    for _ in range(5):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        a.step()
        b.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_a_stack_of_alike_is_each_alone() -> None:
    torch.manual_seed(0)
    start, gradients = torch.randn(3, 48, 32, 1, 1), torch.randn(2 * EVERY, 3, 48, 32, 1, 1)
    found = []
    for groups in ([[0, 1, 2]], [[0], [1], [2]]):
        weights = [nn.Parameter(v.clone()) for v in start]
        optimizers = [Soap([weights[i] for i in group], lr=0.1) for group in groups]
        for step in gradients:
            for weight, g in zip(weights, step, strict=True):
                weight.grad = g.clone()
            for optimizer in optimizers:
                optimizer.step()
        found.append(torch.stack(weights))
    torch.testing.assert_close(*found, rtol=1e-3, atol=1e-3)


def test_one_that_gets_its_first_gradient_later_begins_then() -> None:
    torch.manual_seed(0)
    early, late = (nn.Parameter(torch.zeros(32, 32, 1, 1)) for _ in range(2))
    optimizer = Soap([early, late], lr=0.1)
    for with_late in (False, True, True, False, True):
        early.grad, late.grad = torch.randn(32, 32, 1, 1), torch.randn(32, 32, 1, 1) if with_late else None
        optimizer.step()
    assert (optimizer.state[early]["step"], optimizer.state[late]["step"]) == (5, 3)
    assert early.isfinite().all()
    assert late.isfinite().all()


def test_goes_on_from_its_saved_state() -> None:
    torch.manual_seed(0)
    gradients = [torch.randn(48, 32, 1, 1) for _ in range(2 * EVERY)]
    whole = nn.Parameter(torch.zeros(48, 32, 1, 1))
    optimizer = Soap([whole], lr=0.1)
    for i, g in enumerate(gradients):
        if i == EVERY // 2:
            half, saved = nn.Parameter(whole.detach().clone()), copy.deepcopy(optimizer.state_dict())
        whole.grad = g
        optimizer.step()
    again = Soap([half], lr=0.1)
    again.load_state_dict(saved)
    for g in gradients[EVERY // 2 :]:
        half.grad = g
        again.step()
    torch.testing.assert_close(half, whole)
