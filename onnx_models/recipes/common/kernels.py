"""The loops of `kernels.cpp` on tensors of a CPU, compiled at their first use."""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

LANES = 16
"""The number that channels must be a multiple of."""
COMPILER = ("c++", "-O3", "-march=native", "-std=c++17", "-shared", "-fPIC")


def processor() -> bytes:
    """Return the processor that "native" means to the compiler, "" if it does not say: unlike machines may share a home."""
    asked = [COMPILER[0], "-march=native", "-Q", "--help=target"]
    return subprocess.run(asked, capture_output=True, check=False).stdout


def compiled(source: Path, compiler: tuple[str, ...]) -> ctypes.CDLL:
    """Return a library, compiled once for each version of its source, processor and user; RuntimeError with the compiler's words."""
    folder = Path.home() / ".cache" / "lic1-recipes"
    version = hashlib.sha256(source.read_bytes() + " ".join(compiler).encode() + processor()).hexdigest()[:12]
    library = folder / f"{source.name}-{version}.so"
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as part:
            built = Path(part) / library.name
            command = [*compiler, str(source), "-o", str(built)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False)
            except FileNotFoundError as error:
                raise RuntimeError(f"{compiler[0]} must be there to compile {source}") from error
            if done.returncode:
                raise RuntimeError(f"{compiler[0]} must compile {source}, it said: {done.stderr[-500:]}")
            built.replace(library)
    return ctypes.CDLL(str(library))


@cache
def native() -> ctypes.CDLL:
    """Return the library of `kernels.cpp`."""
    return compiled(Path(__file__).with_suffix(".cpp"), COMPILER)


def _call(name: str, tensors: tuple[Tensor | None, ...], *numbers: float) -> None:
    """Call a function of `kernels.cpp` for the type of the first tensor; the others have it or are float32, and all are contiguous."""
    assert tensors[0] is not None
    assert all(t is None or (t.is_contiguous() and t.dtype in (tensors[0].dtype, torch.float32)) for t in tensors)
    kind = str(tensors[0].dtype).removeprefix("torch.")
    getattr(native(), f"{name}_{kind}")(
        *(ctypes.c_void_p(t.data_ptr() if t is not None else None) for t in tensors),
        *(ctypes.c_int64(v) if isinstance(v, int) else ctypes.c_float(v) for v in numbers),
    )


def convolve(x: Tensor, taps: Tensor, start: Tensor | None) -> Tensor:
    """Return the depthwise convolution (n,h,w,c) of pictures x, float32 or bfloat16, with taps (k,k,c) and biases start (c), float32."""
    assert taps.shape[0] in (3, 5)
    y = torch.empty_like(x)
    _call("depthwise_convolve", (x, taps, start, y), *x.shape, taps.shape[0])
    return y


def correlate(x: Tensor, grad: Tensor, k: int) -> Tensor:
    """Return the gradient of the taps (k,k,c), float32, for pictures x and the gradient of the result, both (n,h,w,c) of one type."""
    assert k in (3, 5)
    taps = x.new_zeros(k, k, x.shape[3], dtype=torch.float32)
    _call("depthwise_correlate", (x, grad, taps), *x.shape, k)
    return taps


def biased(rows: Tensor, bias: Tensor, slope: float = 1.0) -> Tensor:
    """Overwrite rows (n,c) with the LeakyReLU of rows + bias (c) float32; a slope of 1 only adds the bias."""
    _call("rows_activate", (rows, bias), *rows.shape, slope)
    return rows


def back(grad: Tensor, result: Tensor, slope: float) -> tuple[Tensor, Tensor]:
    """Overwrite the gradient after a LeakyReLU (n,c) with the one before it, and return its sum over rows (c) float32."""
    sums = grad.new_zeros(grad.shape[1], dtype=torch.float32)
    _call("rows_back", (grad, result, sums), *grad.shape, slope)
    return grad, sums


def activated(pictures: Tensor, context: Tensor | None, k: int, slope: float) -> Tensor:
    """Overwrite pictures (n,h,w,c) with the LeakyReLU of them + context (n,h/k,w/k,c), a value for each cell of k x k."""
    _call("cells_activate", (pictures, context), *pictures.shape, k, slope)
    return pictures


def activated_back(
    grad: Tensor, result: Tensor, k: int, slope: float, *, context: bool
) -> tuple[Tensor, Tensor | None]:
    """Return the gradients of the pictures and of the context, if there was one, for the gradient of `activated`."""
    n, h, w, c = grad.shape
    before, to_context = torch.empty_like(grad), grad.new_empty(n, h // k, w // k, c) if context else None
    _call("cells_back", (grad, result, before, to_context), *grad.shape, k, slope)
    return before, to_context


def similarity(shown: Tensor, original: Tensor, window: Tensor, c1: float, c2: float) -> tuple[Tensor, Tensor]:
    """Return the similarity (...,h-2k,w-2k) of planes (...,h,w) in a window of 2k+1 taps, float32, and the state of `similarity_back`.

    With c1 < 0 luminance is left out.
    """
    *others, h, w = shown.shape
    less = len(window) - 1
    result = shown.new_empty(*others, h - less, w - less)
    slopes = shown.new_empty(3, *result.shape)
    numbers = (shown[..., 0, 0].numel(), h, w, len(window), c1, c2)
    _call("similarity_ahead", (shown, original, window, result, slopes), *numbers)
    return result, slopes


def similarity_back(shown: Tensor, original: Tensor, window: Tensor, grad: Tensor, slopes: Tensor) -> Tensor:
    """Return the gradient of `shown` for the gradient of `similarity`."""
    result = torch.empty_like(shown)
    sizes = (shown[..., 0, 0].numel(), *shown.shape[-2:], len(window))
    _call("similarity_behind", (shown, original, window, grad, slopes, result), *sizes)
    return result
