"""AdamW in the eigenbasis of each matrix's own gradients: SOAP (Vyas et al. 2024, arXiv 2409.11321).

    L <- E[G G^T],  R <- E[G^T G];   G' = Q_L^T G Q_R;   m', v' <- Adam's means of G', G'^2;   W <- W - lr Q_L (m' / sqrt v') Q_R^T

Matrices are the weights of 1x1 convolutions (o, i, 1, 1) of at most `LARGEST` a side; every other parameter gets plain Adam, in the same
state under the same names. The bases follow L and R by one step of orthogonal iteration every `EVERY` steps.
"""

from __future__ import annotations

import math
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
    """Columns, float32; a touch of the identity parts the eigenvalues that a gradient of low rank leaves at zero."""
    exact = symmetric.double()
    touch = torch.linspace(1e-12, 2e-12, len(exact), dtype=exact.dtype, device=exact.device) * (1 + exact.trace())
    return torch.linalg.eigh(exact + torch.diag(touch)).eigenvectors.float()


class Soap(torch.optim.Optimizer):
    """`betas`: of the mean gradient and of the squares, of L and R. No weight decay."""

    def __init__(
        self, params: Any, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.98), eps: float = 1e-8
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        assert closure is None
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._update(p, p.grad, group)

    def _update(self, p: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        (b1, b2), state = group["betas"], self.state[p]
        turned = is_matrix(p)
        g = grad[:, :, 0, 0] if turned else grad
        if not state:
            state.update(step=0, mean=torch.zeros_like(g), square=torch.zeros_like(g))
            if turned:
                state.update(left=g @ g.t(), right=g.t() @ g)
                state.update({f"{k}_basis": eigenvectors(state[k]) for k in ("left", "right")})
        state["step"] += 1
        if turned:
            if state["step"] % SEEN == 0 or state["step"] in EARLY:
                state["left"].lerp_(g @ g.t(), 1 - b2**SEEN)
                state["right"].lerp_(g.t() @ g, 1 - b2**SEEN)
            g = state["left_basis"].t() @ g @ state["right_basis"]
        state["mean"].lerp_(g, 1 - b1)
        state["square"].lerp_(g.square(), 1 - b2)
        bias = math.sqrt(1 - b2 ** state["step"]) / (1 - b1 ** state["step"])
        update = state["mean"] / (state["square"].sqrt() + group["eps"])
        update.clamp_(-BOUND / bias, BOUND / bias)
        if turned:
            update = (state["left_basis"] @ update @ state["right_basis"].t())[:, :, None, None]
            if state["step"] % EVERY == 0 or state["step"] in EARLY:
                self._turn(state)
        p.sub_(update, alpha=group["lr"] * bias)

    @staticmethod
    def _turn(state: dict[str, Tensor]) -> None:
        """Bases one step nearer the eigenvectors; the mean is expressed in the new ones, the squares stay as a first guess."""
        turns = []
        for k in ("left", "right"):
            old = state[f"{k}_basis"]
            state[f"{k}_basis"] = torch.linalg.qr(state[k] @ old)[0]
            turns.append(old.t() @ state[f"{k}_basis"])
        state["mean"] = turns[0].t() @ state["mean"] @ turns[1]
