"""The loops of training on a GPU that torch lacks or has slow: the trellis in `kernels.cu`, the loops of a block in Triton.

The loops are those of `kernels.py`: pixels as rows, channels side by side, sums in float32. torch's own depthwise convolutions are slow
with channels last, above all the gradient of the taps. Triton comes with torch for CUDA, nvcc does not.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import torch
import triton  # type: ignore[import-not-found]
import triton.language as tl  # type: ignore[import-not-found]
from torch import Tensor

from pillow_lic.families.lic1 import quantiser

from ..lic1.scale_tables import gaussian_bits, gaussian_tables
from .kernels import compiled

COMPILER = ("nvcc", "-O3", "-std=c++17", "-fmad=false", "-shared", "-Xcompiler", "-fPIC")
"""The compiler's command, without fused products, so that the trellis makes the encoder's choices."""
PIXELS, CHANNELS = 64, 32
"""Pixels and channels of one step of a program."""
STEPS = 32
"""Steps of a program that sums over pixels."""


@triton.jit  # type: ignore[untyped-decorator]
def _convolve(  # type: ignore[no-untyped-def]
    x,
    taps,
    bias,
    y,
    total,
    h,
    w,
    c,
    K: tl.constexpr,
    BIASED: tl.constexpr,
    PIXELS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    at = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    row, column, there = (at // w) % h, at % w, channel < c
    cells = at[:, None] * c + channel[None, :]
    sums = tl.zeros((PIXELS, CHANNELS), tl.float32)
    for i in tl.static_range(K):
        for j in tl.static_range(K):
            down, right = i - K // 2, j - K // 2
            inside = (at < total) & (row + down >= 0) & (row + down < h) & (column + right >= 0) & (column + right < w)
            pixels = tl.load(x + cells + (down * w + right) * c, mask=inside[:, None] & there[None, :], other=0.0)
            tap = tl.load(taps + (i * K + j) * c + channel, mask=there, other=0.0)
            sums += pixels.to(tl.float32) * tap[None, :]
    if BIASED:
        sums += tl.load(bias + channel, mask=there, other=0.0)[None, :]
    tl.store(y + cells, sums.to(y.dtype.element_ty), mask=(at < total)[:, None] & there[None, :])


@triton.jit  # type: ignore[untyped-decorator]
def _correlate(  # type: ignore[no-untyped-def]
    x, grad, taps, total, h, w, c, K: tl.constexpr, STEPS: tl.constexpr, PIXELS: tl.constexpr, CHANNELS: tl.constexpr
):
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    tap, there = tl.program_id(2), channel < c
    down, right = tap // K - K // 2, tap % K - K // 2
    sums = tl.zeros((PIXELS, CHANNELS), tl.float32)
    for step in range(STEPS):
        at = (tl.program_id(0) * STEPS + step) * PIXELS + tl.arange(0, PIXELS)
        row, column = (at // w) % h, at % w
        inside = (at < total) & (row + down >= 0) & (row + down < h) & (column + right >= 0) & (column + right < w)
        mask, cells = inside[:, None] & there[None, :], at[:, None] * c + channel[None, :]
        pixels = tl.load(x + cells + (down * w + right) * c, mask=mask, other=0.0)
        sums += pixels.to(tl.float32) * tl.load(grad + cells, mask=mask, other=0.0).to(tl.float32)
    tl.atomic_add(taps + tap * c + channel, tl.sum(sums, 0), mask=there)


@triton.jit  # type: ignore[untyped-decorator]
def _biased(rows, bias, total, c, slope, PIXELS: tl.constexpr, CHANNELS: tl.constexpr):  # type: ignore[no-untyped-def]
    at = tl.program_id(0) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    mask, cells = (at < total)[:, None] & (channel < c)[None, :], at[:, None] * c + channel[None, :]
    sums = tl.load(rows + cells, mask=mask, other=0.0).to(tl.float32)
    sums += tl.load(bias + channel, mask=channel < c, other=0.0)[None, :]
    tl.store(rows + cells, tl.where(sums > 0, sums, slope * sums).to(rows.dtype.element_ty), mask=mask)


@triton.jit  # type: ignore[untyped-decorator]
def _back(  # type: ignore[no-untyped-def]
    grad, result, sums, total, c, slope, STEPS: tl.constexpr, PIXELS: tl.constexpr, CHANNELS: tl.constexpr
):
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    of_all = tl.zeros((PIXELS, CHANNELS), tl.float32)
    for step in range(STEPS):
        at = (tl.program_id(0) * STEPS + step) * PIXELS + tl.arange(0, PIXELS)
        mask, cells = (at < total)[:, None] & (channel < c)[None, :], at[:, None] * c + channel[None, :]
        after = tl.load(grad + cells, mask=mask, other=0.0).to(tl.float32)
        positive = tl.load(result + cells, mask=mask, other=0.0).to(tl.float32) > 0
        before = tl.where(positive, after, slope * after)
        tl.store(grad + cells, before.to(grad.dtype.element_ty), mask=mask)
        of_all += before
    tl.atomic_add(sums + channel, tl.sum(of_all, 0), mask=channel < c)


def _grid(total: int, c: int, steps: int = 1) -> tuple[int, int]:
    return triton.cdiv(total, PIXELS * steps), triton.cdiv(c, CHANNELS)


def convolve(x: Tensor, taps: Tensor, start: Tensor | None) -> Tensor:
    """Return the depthwise convolution of pictures (n,h,w,c), any float type, with taps (k,k,c) and bias (c) or None, float32, in x's type."""
    n, h, w, c = x.shape
    y, bias = torch.empty_like(x), taps if start is None else start
    sizes = {"PIXELS": PIXELS, "CHANNELS": CHANNELS, "K": taps.shape[0], "BIASED": start is not None}
    _convolve[_grid(n * h * w, c)](x, taps, bias, y, n * h * w, h, w, c, **sizes)
    return y


def correlate(x: Tensor, grad: Tensor, k: int) -> Tensor:
    """Return the gradient of the taps (k,k,c), float32, for pictures x and the gradient of the result, both (n,h,w,c) of one type."""
    n, h, w, c = x.shape
    taps = x.new_zeros(k, k, c, dtype=torch.float32)
    sizes = {"PIXELS": PIXELS, "CHANNELS": CHANNELS, "STEPS": STEPS, "K": k}
    _correlate[(*_grid(n * h * w, c, STEPS), k * k)](x, grad, taps, n * h * w, h, w, c, **sizes)
    return taps


def biased(rows: Tensor, bias: Tensor, slope: float = 1.0) -> Tensor:
    """Overwrite rows (n,c) with the LeakyReLU of rows + bias (c) float32; a slope of 1 only adds the bias."""
    n, c = rows.shape
    _biased[_grid(n, c)](rows, bias, n, c, slope, PIXELS=PIXELS, CHANNELS=CHANNELS)
    return rows


def back(grad: Tensor, result: Tensor, slope: float) -> tuple[Tensor, Tensor]:
    """Overwrite the gradient after a LeakyReLU (n,c) with the one before it, and return its sum over rows (c) float32."""
    n, c = grad.shape
    sums = grad.new_zeros(c, dtype=torch.float32)
    _back[_grid(n, c, STEPS // 4)](grad, result, sums, n, c, slope, PIXELS=PIXELS, CHANNELS=CHANNELS, STEPS=STEPS // 4)
    return grad, sums


@cache
def _native() -> ctypes.CDLL:
    major, minor = torch.cuda.get_device_capability()
    library = compiled(Path(__file__).with_name("kernels.cu"), (*COMPILER, f"-arch=sm_{major}{minor}"))
    library.bytes_of_symbol.restype = ctypes.c_int64
    return library


@cache
def _tables(device: torch.device) -> list[Tensor]:
    return [torch.from_numpy(v).to(device) for v in gaussian_bits()]


def chosen(residuals: Tensor, indexes: Tensor) -> Tensor:
    """Return the choice of the trellis for each row of residuals (rows,n) float32 with scale indexes int16, in steps: `Quantiser.choose`."""
    residuals, indexes = residuals.contiguous(), indexes.contiguous()
    steps = torch.empty_like(residuals)
    room = residuals.new_empty(residuals.numel() * _native().bytes_of_symbol(), dtype=torch.uint8)
    tensors = (residuals, indexes, steps, room, *_tables(residuals.device))
    numbers = (*residuals.shape, quantiser.FIRST_DEPENDENT, quantiser.offset(gaussian_tables()))
    failed = _native().choose_rows(
        *(ctypes.c_void_p(t.data_ptr()) for t in tensors),
        ctypes.c_void_p(torch.cuda.current_stream().cuda_stream),
        *(ctypes.c_int64(v) for v in numbers),
        ctypes.c_float(quantiser.ERROR_BITS / quantiser.ERROR_SHARE),
    )
    if failed:
        raise RuntimeError(f"the trellis was not launched, CUDA said {failed}")
    return steps
