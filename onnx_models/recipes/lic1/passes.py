"""The four passes in training: each works on what it codes, one place of every 2x2 cell for each of four channel groups.

    y (B,M,h,w) ──split──▶ four of (B,M,h/2,w/2) ──merged──▶ (B,M,h,w), 0 where later passes come

A place is the number 2 * (row % 2) + column % 2 of a latent in its 2x2 cell. The order of the passes is the codec's
(`pillow_lic.families.lic1.passes`). Each function has a gradient that copies no more than the function does.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from pillow_lic.families.lic1.passes import ORDER

from ..common.depthwise import pointwise


def places(x: Tensor) -> list[Tensor]:
    """Return the values of (B,C,h,w) at each of the four places, four of (B,C,h/2,w/2)."""
    return [x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]


def _whole(part: Tensor) -> Tensor:
    """Return an empty tensor (B,C,2h,2w) for four parts (B,C,h,w), channels last."""
    b, c, h, w = part.shape
    return torch.empty(b, c, 2 * h, 2 * w, dtype=part.dtype, device=part.device, memory_format=torch.channels_last)


class _Split(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        groups = [places(part) for part in x.chunk(4, 1)]
        return tuple(
            torch.cat([group[order[t]] for group, order in zip(groups, ORDER, strict=True)], 1) for t in range(4)
        )

    @staticmethod
    def backward(ctx, *grads):  # type: ignore[no-untyped-def]
        return merged(grads)


def split(x: Tensor) -> tuple[Tensor, ...]:
    """Return the latents of each pass, four of (B,M,h/2,w/2), out of all latents (B,M,h,w)."""
    result: tuple[Tensor, ...] = _Split.apply(x)  # type: ignore[no-untyped-call]
    return result


class _Merged(torch.autograd.Function):
    @staticmethod
    def forward(ctx, *parts):  # type: ignore[no-untyped-def]
        ctx.count = len(parts)
        x = _whole(parts[0]).zero_()
        for group, order in zip(range(4), ORDER, strict=True):
            at = places(x.chunk(4, 1)[group])
            for t, part in enumerate(parts):
                at[order[t]].copy_(part.chunk(4, 1)[group])
        return x

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        return split(grad)[: ctx.count]


def merged(parts: Sequence[Tensor]) -> Tensor:
    """Return all latents (B,M,h,w) out of those of the first passes, each (B,M,h/2,w/2); 0 for later passes."""
    x: Tensor = _Merged.apply(*parts)  # type: ignore[no-untyped-call]
    return x


class _Places(torch.autograd.Function):
    """`places` with one gradient: each slice by itself would bring one of the whole size."""

    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        return tuple(v.contiguous(memory_format=torch.channels_last) for v in places(x))

    @staticmethod
    def backward(ctx, *grads):  # type: ignore[no-untyped-def]
        x = _whole(grads[0])
        for at, grad in zip(places(x), grads, strict=True):
            at.copy_(grad)
        return x


def of_pass(t: int, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return a 1x1 convolution (M,C,1,1) of (B,C,h,w) for the latents of pass t alone, (B,M,h/2,w/2)."""
    at = _Places.apply(x)  # type: ignore[no-untyped-call]
    parts = zip(ORDER, weight.chunk(4), bias.chunk(4), strict=True)
    return torch.cat([pointwise(at[order[t]], w, b) for order, w, b in parts], 1)
