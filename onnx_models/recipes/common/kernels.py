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
"""What channels must be a multiple of."""
COMPILER = ("c++", "-O3", "-march=native", "-std=c++17", "-shared", "-fPIC")


def processor() -> bytes:
    """What "native" means to the compiler here: a home may be shared between unlike machines. Empty where it does not say."""
    asked = [COMPILER[0], "-march=native", "-Q", "--help=target"]
    return subprocess.run(asked, capture_output=True, check=False).stdout


def compiled(source: Path, compiler: tuple[str, ...]) -> ctypes.CDLL:
    """A library, compiled once for each version of its source, processor and user; RuntimeError with what the compiler said if it fails."""
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
    """`kernels.cpp`."""
    return compiled(Path(__file__).with_suffix(".cpp"), COMPILER)


def _call(name: str, tensors: tuple[Tensor | None, ...], *numbers: float) -> None:
    """A function of `kernels.cpp` for the type of the first tensor; the others are of it or float32, and all are contiguous."""
    assert tensors[0] is not None
    assert all(t is None or (t.is_contiguous() and t.dtype in (tensors[0].dtype, torch.float32)) for t in tensors)
    kind = str(tensors[0].dtype).removeprefix("torch.")
    getattr(native(), f"{name}_{kind}")(
        *(ctypes.c_void_p(t.data_ptr() if t is not None else None) for t in tensors),
        *(ctypes.c_int64(v) if isinstance(v, int) else ctypes.c_float(v) for v in numbers),
    )


def convolve(x: Tensor, taps: Tensor, start: Tensor | None) -> Tensor:
    """Pictures x (n,h,w,c), float32 or bfloat16, taps (k,k,c), start (c), float32 -> (n,h,w,c) like x."""
    assert taps.shape[0] in (3, 5)
    y = torch.empty_like(x)
    _call("depthwise_convolve", (x, taps, start, y), *x.shape, taps.shape[0])
    return y


def correlate(x: Tensor, grad: Tensor, k: int) -> Tensor:
    """Pictures x and the gradient of the result, both (n,h,w,c) of one type -> gradient of the taps (k,k,c), float32."""
    assert k in (3, 5)
    taps = x.new_zeros(k, k, x.shape[3], dtype=torch.float32)
    _call("depthwise_correlate", (x, grad, taps), *x.shape, k)
    return taps


def biased(rows: Tensor, bias: Tensor, slope: float = 1.0) -> Tensor:
    """LeakyReLU of rows (n,c) + bias (c) float32, in the place of the rows; a slope of 1 is none."""
    _call("rows_activate", (rows, bias), *rows.shape, slope)
    return rows


def back(grad: Tensor, result: Tensor, slope: float) -> tuple[Tensor, Tensor]:
    """The gradient before a LeakyReLU, in the place of the one after it, both (n,c), and its sum over rows (c) float32."""
    sums = grad.new_zeros(grad.shape[1], dtype=torch.float32)
    _call("rows_back", (grad, result, sums), *grad.shape, slope)
    return grad, sums


def activated(pictures: Tensor, context: Tensor | None, k: int, slope: float) -> Tensor:
    """LeakyReLU of pictures (n,h,w,c) + context (n,h/k,w/k,c), a value for each cell of k x k, in the place of the pictures."""
    _call("cells_activate", (pictures, context), *pictures.shape, k, slope)
    return pictures


def activated_back(
    grad: Tensor, result: Tensor, k: int, slope: float, *, context: bool
) -> tuple[Tensor, Tensor | None]:
    """The gradient of `activated` -> those of the pictures and of the context, if there was one."""
    n, h, w, c = grad.shape
    before, to_context = torch.empty_like(grad), grad.new_empty(n, h // k, w // k, c) if context else None
    _call("cells_back", (grad, result, before, to_context), *grad.shape, k, slope)
    return before, to_context


def similarity(shown: Tensor, original: Tensor, window: Tensor, c1: float, c2: float) -> tuple[Tensor, Tensor]:
    """Planes (...,h,w) and a window of 2k+1 taps, float32 -> similarity (...,h-2k,w-2k), and what `similarity_back` needs of it.

    Without luminance where c1 < 0.
    """
    *others, h, w = shown.shape
    less = len(window) - 1
    result = shown.new_empty(*others, h - less, w - less)
    slopes = shown.new_empty(3, *result.shape)
    numbers = (shown[..., 0, 0].numel(), h, w, len(window), c1, c2)
    _call("similarity_ahead", (shown, original, window, result, slopes), *numbers)
    return result, slopes


def similarity_back(shown: Tensor, original: Tensor, window: Tensor, grad: Tensor, slopes: Tensor) -> Tensor:
    """The gradient of `similarity` -> that of shown."""
    result = torch.empty_like(shown)
    sizes = (shown[..., 0, 0].numel(), *shown.shape[-2:], len(window))
    _call("similarity_behind", (shown, original, window, grad, slopes, result), *sizes)
    return result
