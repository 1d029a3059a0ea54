"""A block and its two convolutions as a CPU trains them quickest: depthwise in `depthwise.cpp`, 1x1 as one matrix product.

oneDNN's weight gradient of a depthwise convolution takes 30 times as long as its forward pass (torch 2.13, 5x5, 8x128x16x16), and with
one thread torch multiplies a float32 1x1 convolution picture by picture through a copy (`_slow_conv2d`). A third of what then remains is
copies between the layers, which a block as one function has none of. On CUDA, and without gradients (export), all is torch's own.
"""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LANES = 16
"""What the channels of `depthwise.cpp` must be a multiple of."""
SLOPE = 0.1
"""Of every LeakyReLU in the networks."""
COMPILER = ("c++", "-O3", "-march=native", "-std=c++17", "-shared", "-fPIC")


def processor() -> bytes:
    """What "native" means to the compiler here: a home may be shared between unlike machines. Empty where it does not say."""
    asked = [COMPILER[0], "-march=native", "-Q", "--help=target"]
    return subprocess.run(asked, capture_output=True, check=False).stdout


@cache
def native() -> ctypes.CDLL:
    """`depthwise.cpp`, compiled once for each version of it, processor and user; RuntimeError with what the compiler said where that fails."""
    source = Path(__file__).with_suffix(".cpp")
    folder = Path.home() / ".cache" / "lic1-recipes"
    library = folder / f"depthwise-{hashlib.sha256(source.read_bytes() + processor()).hexdigest()[:12]}.so"
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as part:
            built = Path(part) / library.name
            done = subprocess.run(
                [*COMPILER, str(source), "-o", str(built)], capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise RuntimeError(f"{COMPILER[0]} must compile {source}, it said: {done.stderr[-500:]}")
            built.replace(library)
    return ctypes.CDLL(str(library))


def _call(name: str, tensors: tuple[Tensor | None, ...], sizes: tuple[int, ...]) -> None:
    getattr(native(), name)(
        *(ctypes.c_void_p(t.data_ptr() if t is not None else None) for t in tensors), *map(ctypes.c_int64, sizes)
    )


def convolve(x: Tensor, taps: Tensor, start: Tensor | None) -> Tensor:
    """Pictures x (n,h,w,c), taps (k,k,c), start (c), all float32 and contiguous -> (n,h,w,c)."""
    y = torch.empty_like(x)
    _call("depthwise_convolve", (x, taps, start, y), (*x.shape, taps.shape[0]))
    return y


def correlate(x: Tensor, grad: Tensor, k: int) -> Tensor:
    """Pictures x and the gradient of the result, both (n,h,w,c), float32 and contiguous -> gradient of the taps (k,k,c)."""
    taps = x.new_zeros(k, k, x.shape[3])
    _call("depthwise_correlate", (x, grad, taps), (*x.shape, k))
    return taps


def _taps(weight: Tensor) -> Tensor:
    """Weight (c,1,k,k) -> (k,k,c)."""
    return weight[:, 0].permute(1, 2, 0).contiguous()


def _gradients(x: Tensor, grad: Tensor, taps: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures and the gradient of the result, both (n,h,w,c) -> the gradient of the pictures, and of the weight (c,1,k,k)."""
    to_weight = correlate(x, grad, taps.shape[0]).permute(2, 0, 1)[:, None]
    return convolve(grad, taps.flip(0, 1).contiguous(), None), to_weight


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):  # type: ignore[no-untyped-def]
        x, taps = x.permute(0, 2, 3, 1).contiguous(), _taps(weight)
        ctx.save_for_backward(x, taps)
        return convolve(x, taps, bias).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        x, taps = ctx.saved_tensors
        grad = grad.permute(0, 2, 3, 1).contiguous()
        grad_x, grad_weight = _gradients(x, grad, taps)
        return grad_x.permute(0, 3, 1, 2), grad_weight, grad.sum((0, 1, 2))


def _trains(x: Tensor) -> bool:
    """Whether what is here is for this input: training on a CPU."""
    return torch.is_grad_enabled() and not x.is_cuda


def depthwise(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Same-size convolution of every channel (n,c,h,w) with its own (c,1,k,k), k 3 or 5; computed in float32 where it is trained on a CPU."""
    if not _trains(x) or x.shape[1] % LANES:
        return F.conv2d(x, weight, bias, padding=weight.shape[2] // 2, groups=weight.shape[0])
    y: Tensor = _Depthwise.apply(x.float(), weight, bias)  # type: ignore[no-untyped-call]
    return y


class _Block(torch.autograd.Function):
    """Pixels as rows of matrices throughout: sums join the products, and nothing is copied but the picture, if its channels are not last."""

    @staticmethod
    def forward(ctx, x, a, a0, taps, taps0, b, b0, f, f0, g, g0):  # type: ignore[no-untyped-def]
        shape = n, h, w, c = x.shape[0], x.shape[2], x.shape[3], x.shape[1]
        a, b, f, g = (weight.flatten(1) for weight in (a, b, f, g))
        taps = _taps(taps)
        x = x.permute(0, 2, 3, 1).reshape(-1, c)
        entered = F.leaky_relu_(torch.addmm(a0, x, a.t()), SLOPE)
        around = convolve(entered.view(shape), taps, taps0).view(-1, c)
        half = torch.addmm(x, around, b.t()).add_(b0)
        wide = F.leaky_relu_(torch.addmm(f0, half, f.t()), SLOPE)
        ctx.save_for_backward(x, entered, around, half, wide, a, taps, b, f, g)
        ctx.shape = shape
        return torch.addmm(half, wide, g.t()).add_(g0).view(shape).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        x, entered, around, half, wide, a, taps, b, f, g = ctx.saved_tensors
        shape = ctx.shape
        grad = grad.permute(0, 2, 3, 1).reshape(-1, shape[3])
        to_wide = _through(grad @ g, wide)
        to_half = torch.addmm(grad, to_wide, f)
        to_around = to_half @ b
        to_entered, to_taps = _gradients(entered.view(shape), to_around.view(shape), taps)
        to_entered = _through(to_entered.view_as(entered), entered)
        to_x = torch.addmm(to_half, to_entered, a).view(shape).permute(0, 3, 1, 2)
        sides = ((to_entered, x), (to_half, around), (to_wide, half), (grad, wide))
        to_a, to_b, to_f, to_g = ((left.t() @ right)[:, :, None, None] for left, right in sides)
        sums = [v.sum(0) for v in (to_entered, to_around, to_half, to_wide, grad)]
        return to_x, to_a, sums[0], to_taps, sums[1], to_b, sums[2], to_f, sums[3], to_g, sums[4]


def _through(grad: Tensor, result: Tensor) -> Tensor:
    """The gradient before a LeakyReLU, in the place of the one after it."""
    torch.ops.aten.leaky_relu_backward.grad_input(grad, result, SLOPE, True, grad_input=grad)
    return grad


def block(x: Tensor, weights: list[Tensor]) -> Tensor:
    """A `Block` of `lic1.py` with its weights in order; the same numbers as layer by layer, in 0.6 of the time."""
    y: Tensor = _Block.apply(x, *weights)  # type: ignore[no-untyped-call]
    return y


def takes_block(x: Tensor) -> bool:
    """Whether `block` is for this input: training in float32 on a CPU."""
    single = x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    return _trains(x) and single and x.shape[1] % LANES == 0


def pointwise(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolution of (n,i,h,w) with (o,i,1,1)."""
    if not _trains(x):
        return F.conv2d(x, weight, bias)
    return F.linear(x.permute(0, 2, 3, 1), weight[:, :, 0, 0], bias).permute(0, 3, 1, 2)


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
