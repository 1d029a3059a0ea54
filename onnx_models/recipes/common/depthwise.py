"""The block of `layers.py` and its convolutions, quick to train: depthwise in `kernels.cpp` or `kernels_cuda.py`, 1x1 as one product.

oneDNN's weight gradient of a depthwise convolution takes 30 times as long as its forward pass (torch 2.13, 5x5, 8x128x16x16), and with
one thread torch multiplies a float32 1x1 convolution picture by picture through a copy (`_slow_conv2d`). A third of what then remains is
copies between the layers, which a block as one function has none of. Under autocast products are of bfloat16, which processors with AMX
multiply six times as quickly; `in_full` keeps the forward pass in float32. Without gradients (export) all is torch's own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import kernels
from .kernels import LANES

SLOPE = 0.1
"""Slope of every LeakyReLU of `lic1` for values below 0; one of 0 makes it a ReLU."""

_gradients_in: ContextVar[torch.dtype | None] = ContextVar("_gradients_in", default=None)
"""The type that autocast would have had, within `in_full`; else None."""


@contextlib.contextmanager
def in_full(x: Tensor) -> Iterator[None]:
    """Let layers compute in float32 for a `with` block, whatever autocast says of the device of x; gradients keep autocast's type."""
    token = _gradients_in.set(_gradients_in.get() or _type(x))
    try:
        with torch.autocast(x.device.type, enabled=False):
            yield
    finally:
        _gradients_in.reset(token)


def _type(x: Tensor) -> torch.dtype:
    """Return the type of matrix products on the device of x."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32


def _taps(weight: Tensor) -> Tensor:
    """Return the weight (c,1,k,k) as taps (k,k,c)."""
    return weight[:, 0].permute(1, 2, 0).contiguous()


def _gradients(x: Tensor, grad: Tensor, taps: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures and the gradient of the result, both (n,h,w,c) -> the gradient of the pictures, and of the weight (c,1,k,k)."""
    loops = _loops(x)
    to_weight = loops.correlate(x, grad, taps.shape[0]).permute(2, 0, 1)[:, None]
    return loops.convolve(grad, taps.flip(0, 1).contiguous(), None), to_weight


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):  # type: ignore[no-untyped-def]
        x, taps = x.permute(0, 2, 3, 1).contiguous(), _taps(weight)
        ctx.save_for_backward(x, taps)
        return _loops(x).convolve(x, taps, bias).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        x, taps = ctx.saved_tensors
        grad = grad.permute(0, 2, 3, 1).contiguous()
        grad_x, grad_weight = _gradients(x, grad, taps)
        return grad_x.permute(0, 3, 1, 2), grad_weight, grad.sum((0, 1, 2))


def _loops(x: Tensor) -> ModuleType:
    """Return the module that has the loops over pixels for the device of x."""
    if x.is_cuda:
        from . import kernels_cuda

        return kernels_cuda
    return kernels


def depthwise(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return each channel of (n,c,h,w) convolved with its own (c,1,k,k), k 3 or 5, at the same size; float32 where a CPU trains it."""
    if not torch.is_grad_enabled() or x.shape[1] % LANES:
        return F.conv2d(x, weight, bias, padding=weight.shape[2] // 2, groups=weight.shape[0])
    y: Tensor = _Depthwise.apply(x if x.is_cuda else x.float(), weight, bias)  # type: ignore[no-untyped-call]
    return y


class _Block(torch.autograd.Function):
    """The block as one function of autograd, with pixels as rows of matrices: only a picture whose channels are not last is copied.

    The rows, the matrices and their products are of the type `ahead`, in the backward pass `behind`, and so are three of the sums over
    rows; biases and taps are float32.
    """

    @staticmethod
    def forward(ctx, ahead, behind, slope, x, a, a0, taps, taps0, b, b0, f, f0, g, g0):  # type: ignore[no-untyped-def]
        shape = n, h, w, c = x.shape[0], x.shape[2], x.shape[3], x.shape[1]
        a, b, f, g = (weight.flatten(1).to(ahead) for weight in (a, b, f, g))
        taps = _taps(taps)
        x = x.permute(0, 2, 3, 1).reshape(-1, c).to(ahead)
        loops = _loops(x)
        entered = loops.biased(x @ a.t(), a0, slope)
        around = loops.convolve(entered.view(shape), taps, taps0).view(-1, c)
        half = loops.biased(torch.addmm(x, around, b.t()), b0)
        wide = loops.biased(half @ f.t(), f0, slope)
        ctx.save_for_backward(taps, *(v.to(behind) for v in (x, entered, around, half, wide, a, b, f, g)))
        ctx.shape, ctx.slope = shape, slope
        return loops.biased(torch.addmm(half, wide, g.t()), g0).view(shape).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        taps, x, entered, around, half, wide, a, b, f, g = ctx.saved_tensors
        shape, slope = ctx.shape, ctx.slope
        grad = grad.permute(0, 2, 3, 1).reshape(-1, shape[3]).to(x.dtype)
        loops = _loops(x)
        to_wide, to_f0 = loops.back(grad @ g, wide, slope)
        to_half = torch.addmm(grad, to_wide, f)
        to_around = to_half @ b
        to_entered, to_taps = _gradients(entered.view(shape), to_around.view(shape), taps)
        to_entered, to_a0 = loops.back(to_entered.view_as(entered), entered, slope)
        to_x = torch.addmm(to_half, to_entered, a).view(shape).permute(0, 3, 1, 2)
        sides = ((to_entered, x), (to_half, around), (to_wide, half), (grad, wide))
        to_a, to_b, to_f, to_g = ((left.t() @ right)[:, :, None, None].float() for left, right in sides)
        to_b0, to_g0, to_taps0 = (v.sum(0).float() for v in (to_half, grad, to_around))
        return None, None, None, to_x, to_a, to_a0, to_taps, to_taps0, to_b, to_b0, to_f, to_f0, to_g, to_g0


class _Product(torch.autograd.Function):
    """Rows (n,i), weight (o,i), bias (o) -> (n,o) in float32; products of the gradients are of the type `behind`."""

    @staticmethod
    def forward(ctx, behind, rows, weight, bias):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(rows.to(behind), weight.to(behind))
        return F.linear(rows, weight, bias)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        rows, weight = ctx.saved_tensors
        to_bias = grad.sum(0) if ctx.needs_input_grad[3] else None
        grad = grad.to(rows.dtype)
        to_rows = (grad @ weight).float() if ctx.needs_input_grad[1] else None
        return None, to_rows, (grad.t() @ rows).float(), to_bias


def block(x: Tensor, weights: list[Tensor], slope: float = SLOPE) -> Tensor:
    """Return what a `Block` of `layers.py` with these weights, in order, gives for x; in half of the time."""
    ahead = _type(x)
    y: Tensor = _Block.apply(ahead, _gradients_in.get() or ahead, slope, x, *weights)  # type: ignore[no-untyped-call]
    return y


def takes_block(x: Tensor) -> bool:
    """Whether `block` may be used for this input: training on a CPU."""
    return torch.is_grad_enabled() and x.shape[1] % LANES == 0


class _Activated(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, context, slope):  # type: ignore[no-untyped-def]
        rows, about = (None if v is None else v.to(x.dtype).permute(0, 2, 3, 1).contiguous() for v in (x, context))
        ctx.cell = rows.shape[1] // about.shape[1] if about is not None else 1
        y = kernels.activated(rows, about, ctx.cell, slope)
        ctx.save_for_backward(y)
        ctx.slope = slope
        return y.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        (y,) = ctx.saved_tensors
        grad = grad.permute(0, 2, 3, 1).to(y.dtype).contiguous()
        to_x, to_context = kernels.activated_back(grad, y, ctx.cell, ctx.slope, context=ctx.needs_input_grad[1])
        return to_x.permute(0, 3, 1, 2), None if to_context is None else to_context.permute(0, 3, 1, 2), None


def activated(x: Tensor, context: Tensor | None = None, slope: float = SLOPE) -> Tensor:
    """Return the LeakyReLU of x (n,c,h,w) + context (n,c,h/k,w/k), enlarged to it. It may overwrite x, which nothing may need any more."""
    if torch.is_grad_enabled() and not x.is_cuda and x.shape[1] % LANES == 0:
        y: Tensor = _Activated.apply(x, context, slope)  # type: ignore[no-untyped-call]
        return y
    return F.leaky_relu(x if context is None else x + F.interpolate(context, size=x.shape[2:], mode="nearest"), slope)


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return the convolution of (n,i,h,w) with (o,i,1,1)."""
    if not torch.is_grad_enabled():
        return F.conv2d(x, weight, bias)
    x, weight, behind = x.permute(0, 2, 3, 1), weight[:, :, 0, 0], _gradients_in.get()
    if behind in (None, torch.float32):
        return F.linear(x, weight, bias).permute(0, 3, 1, 2)
    y: Tensor = _Product.apply(behind, x.reshape(-1, x.shape[3]), weight, bias)  # type: ignore[no-untyped-call]
    return y.view(*x.shape[:3], -1).permute(0, 3, 1, 2)


class Depthwise(nn.Conv2d):
    def __init__(self, c: int, k: int) -> None:
        super().__init__(c, c, k, padding=k // 2, groups=c)

    def forward(self, x: Tensor) -> Tensor:
        assert self.bias is not None
        return depthwise(x, self.weight, self.bias)


class Pointwise(nn.Conv2d):
    def __init__(self, i: int, o: int) -> None:
        super().__init__(i, o, 1)

    def forward(self, x: Tensor) -> Tensor:
        assert self.bias is not None
        return pointwise(x, self.weight, self.bias)
