"""The two convolutions of a block as a CPU trains them quickest: depthwise in `depthwise.cpp`, 1x1 as one matrix product.

oneDNN's weight gradient of a depthwise convolution takes 30 times as long as its forward pass (torch 2.13, 5x5, 8x128x16x16), and with
one thread torch multiplies a float32 1x1 convolution picture by picture through a copy (`_slow_conv2d`). On CUDA, and without gradients
(export), both are torch's own.
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


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):  # type: ignore[no-untyped-def]
        x, taps = x.permute(0, 2, 3, 1).contiguous(), weight[:, 0].permute(1, 2, 0).contiguous()
        ctx.save_for_backward(x, taps)
        return convolve(x, taps, bias).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        x, taps = ctx.saved_tensors
        grad = grad.permute(0, 2, 3, 1).contiguous()
        grad_x = convolve(grad, taps.flip(0, 1).contiguous(), None).permute(0, 3, 1, 2)
        grad_weight = correlate(x, grad, taps.shape[0]).permute(2, 0, 1)[:, None]
        return grad_x, grad_weight, grad.sum((0, 1, 2))


def depthwise(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Same-size convolution of every channel (n,c,h,w) with its own (c,1,k,k), k 3 or 5; computed in float32 where it is trained on a CPU."""
    if x.is_cuda or not torch.is_grad_enabled() or x.shape[1] % LANES:
        return F.conv2d(x, weight, bias, padding=weight.shape[2] // 2, groups=weight.shape[0])
    y: Tensor = _Depthwise.apply(x.float(), weight, bias)  # type: ignore[no-untyped-call]
    return y


def pointwise(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolution of (n,i,h,w) with (o,i,1,1)."""
    if x.is_cuda or not torch.is_grad_enabled():
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
