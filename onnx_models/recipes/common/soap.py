"""AdamW in the eigenbasis of each matrix's own gradients: SOAP (Vyas et al. 2024, arXiv 2409.11321).

    L <- E[G G^T],  R <- E[G^T G];   G' = Q_L^T G Q_R;   m', v' <- Adam's means of G', G'^2;   W <- W - lr Q_L (m' / sqrt v') Q_R^T

Matrices are the weights of 1x1 convolutions (o, i, 1, 1) of at most `LARGEST` a side; every other parameter gets plain Adam, in the same
state under the same names. The bases follow L and R by one step of orthogonal iteration every `EVERY` steps. Parameters of one shape are
one stack (n, *shape) throughout: a GPU spends its time on starting small products, not on doing them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

SMALLEST, LARGEST = 32, 512
EVERY, SEEN = 40, 4
"""Steps between turns of the bases, and between looks at L and R: each costs more than the rest of a step."""
BOUND = 2.0
"""Adam's own updates stay below 1.8 lr (Cauchy and Schwarz, with these betas). Squares that a turn has left with the mean of another
direction know no bound: where no gradient had been yet, a step came out 20 times as large."""
EARLY = (2, 5, 10, 20)
"""Steps that turn the bases too: the gradients of a first step span few directions."""


def is_matrix(p: Tensor) -> bool:
    return p.ndim == 4 and p.shape[2:] == (1, 1) and min(p.shape[:2]) >= SMALLEST and max(p.shape[:2]) <= LARGEST


def eigenvectors(symmetric: Tensor) -> Tensor:
    """Return eigenvectors as columns, float32; a touch of the identity parts the eigenvalues that a gradient of low rank leaves at zero."""
    exact = symmetric.double()
    touch = torch.linspace(1e-12, 2e-12, exact.shape[-1], dtype=exact.dtype, device=exact.device)
    trace = exact.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None]
    return torch.linalg.eigh(exact + torch.diag_embed(touch * (1 + trace))).eigenvectors.float()


class Soap(torch.optim.Optimizer):
    """The optimiser; `betas` are those of the mean gradient, and of the squares, L and R. No weight decay."""

    def __init__(
        self, params: Any, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.98), eps: float = 1e-8
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})
        self._stacks: dict[tuple[int, ...], dict[str, Tensor]] = {}

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        assert closure is None
        alike: dict[tuple[Any, ...], list[Tensor]] = defaultdict(list)
        for number, group in enumerate(self.param_groups):
            for p in group["params"]:
                if p.grad is not None:
                    alike[number, p.shape, self.state[p].get("step", 0)].append(p)
        for (number, *_), params in alike.items():
            self._update(params, self.param_groups[number])
        members = {tuple(id(p) for p in params) for params in alike.values()}
        self._stacks = {key: stack for key, stack in self._stacks.items() if key in members}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._stacks = {}

    def _stacked(self, params: list[Tensor]) -> dict[str, Tensor]:
        """Return the state of parameters of one shape as stacks; `state` of each holds views of them, or newer tensors, which count."""
        key, states = tuple(id(p) for p in params), [self.state[p] for p in params]
        stack = self._stacks.get(key)
        if not stack or any(s[k].data_ptr() != v[i].data_ptr() for i, s in enumerate(states) for k, v in stack.items()):
            stack = {k: torch.stack([s[k] for s in states]) for k in states[0] if k != "step"}
            for i, state in enumerate(states):
                state.update({k: v[i] for k, v in stack.items()})
            self._stacks[key] = stack
        return stack

    def _update(self, params: list[Tensor], group: dict[str, Any]) -> None:
        (b1, b2), turned = group["betas"], is_matrix(params[0])
        g = torch.stack([p.grad[:, :, 0, 0] if turned else p.grad for p in params])  # type: ignore[index, misc]
        if not self.state[params[0]]:
            self._begin(params, g, turned)
        state, step = self._stacked(params), self.state[params[0]]["step"] + 1
        for p in params:
            self.state[p]["step"] = step
        if turned:
            if step % SEEN == 0 or step in EARLY:
                state["left"].lerp_(g @ g.mT, 1 - b2**SEEN)
                state["right"].lerp_(g.mT @ g, 1 - b2**SEEN)
            g = state["left_basis"].mT @ g @ state["right_basis"]
        state["mean"].lerp_(g, 1 - b1)
        state["square"].lerp_(g.square(), 1 - b2)
        bias = math.sqrt(1 - b2**step) / (1 - b1**step)
        update = state["mean"] / (state["square"].sqrt() + group["eps"])
        update.clamp_(-BOUND / bias, BOUND / bias)
        if turned:
            update = (state["left_basis"] @ update @ state["right_basis"].mT)[..., None, None]
            if step % EVERY == 0 or step in EARLY:
                self._turn(state)
        torch._foreach_add_(params, list(update.unbind()), alpha=-group["lr"] * bias)

    def _begin(self, params: list[Tensor], g: Tensor, turned: bool) -> None:
        for p, here in zip(params, g, strict=True):
            self.state[p].update(step=0, mean=torch.zeros_like(here), square=torch.zeros_like(here))
        if turned:
            sides = {"left": g @ g.mT, "right": g.mT @ g}
            sides |= {f"{k}_basis": eigenvectors(v) for k, v in sides.items()}
            for i, p in enumerate(params):
                self.state[p].update({k: v[i] for k, v in sides.items()})

    @staticmethod
    def _turn(state: dict[str, Tensor]) -> None:
        """Move the bases one step nearer the eigenvectors and express the mean in them; the squares stay as a first guess."""
        turns = []
        for k in ("left", "right"):
            basis = state[f"{k}_basis"]
            nearer = torch.linalg.qr(state[k] @ basis)[0]
            turns.append(basis.mT @ nearer)
            basis.copy_(nearer)
        state["mean"].copy_(turns[0].mT @ state["mean"] @ turns[1])
