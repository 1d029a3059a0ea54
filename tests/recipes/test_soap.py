"""SOAP: a step in each matrix's own eigenbasis goes where Adam has to learn the way."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

from onnx_models.recipes.common.soap import EVERY, Soap, is_matrix


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


def test_a_stack_that_parts_and_meets_again_is_each_alone() -> None:
    """Together, apart and together, so that a stack made before is of old states when its members come back to it."""
    torch.manual_seed(0)
    present = [(True, True)] * 3 + [(True, False), (False, True)] + [(True, True)] * 3
    start, gradients = torch.randn(2, 32, 32, 1, 1), torch.randn(len(present), 2, 32, 32, 1, 1)
    found = []
    for together in (True, False):
        weights = [nn.Parameter(v.clone()) for v in start]
        optimizers = [Soap(weights, lr=0.1)] if together else [Soap([w], lr=0.1) for w in weights]
        for here, step in zip(present, gradients, strict=True):
            for weight, is_here, g in zip(weights, here, step, strict=True):
                weight.grad = g.clone() if is_here else None
            for optimizer in optimizers:
                optimizer.step()
        found.append(torch.stack(weights))
    torch.testing.assert_close(*found, rtol=1e-3, atol=1e-3)


def rolled_back(optimizer: Soap, saved: dict[str, Any], way: str) -> Soap:
    if way == "load":
        optimizer.load_state_dict(saved)
    elif way == "assign":  # as ZeroRedundancyOptimizer does
        for p, state in zip(optimizer.param_groups[0]["params"], saved["state"].values(), strict=True):
            optimizer.state[p] = state
    else:
        optimizer.load_state_dict(saved)
        optimizer = copy.deepcopy(optimizer)
    return optimizer


@pytest.mark.parametrize("way", ["load", "assign", "copy"])
def test_a_state_put_back_counts(way: str) -> None:
    torch.manual_seed(0)
    gradients = torch.randn(9, 2, 32, 32, 1, 1)
    weights = [nn.Parameter(torch.zeros(32, 32, 1, 1)) for _ in range(2)]
    optimizer = Soap(weights, lr=0.1)

    def steps(numbers: range) -> list[torch.Tensor]:
        for i in numbers:
            for weight, g in zip(optimizer.param_groups[0]["params"], gradients[i], strict=True):
                weight.grad = g.clone()
            optimizer.step()
        return [p.detach().clone() for p in optimizer.param_groups[0]["params"]]

    then = steps(range(3))
    saved = copy.deepcopy(optimizer.state_dict())
    wanted = steps(range(3, 6))
    optimizer = rolled_back(optimizer, saved, way)
    with torch.no_grad():
        for p, v in zip(optimizer.param_groups[0]["params"], then, strict=True):
            p.copy_(v)
    torch.testing.assert_close(steps(range(3, 6)), wanted)


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
