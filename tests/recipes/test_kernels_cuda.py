"""Kernels of the GPU against those of the processor, without a GPU: the trellis in a warp of threads, Triton interpreted."""

import ctypes
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from onnx_models.recipes.common import kernels
from onnx_models.recipes.lic1 import scale_tables
from pillow_lic.families.lic1 import quantiser

RECIPES = Path(kernels.__file__).parent
WARP = Path(__file__).with_name("warp")


@pytest.fixture(scope="module")
def trellis(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """`kernels.cu` for this processor: see warp/cuda_runtime.h."""
    folder = tmp_path_factory.mktemp("warp")
    launch = r"choose<<<(.*?), kLanes, 0, .*?>>>\("
    text, found = re.subn(launch, r"launch(choose, \1, ", (RECIPES / "kernels.cu").read_text(), flags=re.S)
    assert found == 1
    source, built = folder / "kernels.cpp", folder / "kernels.so"
    source.write_text(text)
    options = ["-std=c++20", "-O2", "-ffp-contract=off", "-shared", "-fPIC", "-pthread", f"-I{WARP}"]
    subprocess.run(["c++", *options, str(source), "-o", str(built)], check=True)
    library = ctypes.CDLL(str(built))
    library.bytes_of_symbol.restype = ctypes.c_int64
    return library


def pointer(array: npt.NDArray[np.generic]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


@pytest.mark.parametrize(("rows", "n", "lowest"), [(2, 333, 0), (2, 64, 20), (1, 31, 0), (1, 32, 60), (1, 5120, 30)])
def test_a_warp_chooses_what_the_encoder_chooses(trellis: ctypes.CDLL, rows: int, n: int, lowest: int) -> None:
    """Escapes, rows that end within a step of the warp, and symbols that take no part are among them."""
    rng = np.random.default_rng(n)
    indexes = rng.integers(lowest, scale_tables.SCALES, (rows, n)).astype(np.int16)
    spread = rng.choice([1, 1, 1, 8], (rows, n)) * scale_tables.deviation(torch.from_numpy(indexes)).numpy()
    residuals = (rng.normal(size=(rows, n)) * spread).astype(np.float32)
    found, room = np.full((rows, n), np.nan, np.float32), np.empty(rows * n * trellis.bytes_of_symbol(), np.uint8)
    shapes, bits = scale_tables.gaussian_bits()
    tables = scale_tables.gaussian_tables()
    sizes = (rows, n, quantiser.FIRST_DEPENDENT, quantiser.offset(tables))
    failed = trellis.choose_rows(
        *(pointer(v) for v in (residuals, indexes, found, room, shapes, bits)),
        None,
        *(ctypes.c_int64(v) for v in sizes),
        ctypes.c_float(6 / math.log(2) / quantiser.ERROR_SHARE),
    )
    assert not failed
    for row, r, i in zip(found, residuals, indexes.astype(np.uint16), strict=True):
        np.testing.assert_array_equal(row, quantiser.steps(quantiser.Quantiser(tables).choose(r, i).values))


INTERPRETED = """
import torch
from onnx_models.recipes import kernels, kernels_cuda

torch.manual_seed(0)
for n, h, w, c, k, kind in ((2, 5, 3, 48, 5, torch.float32), (1, 9, 12, 32, 3, torch.bfloat16), (1, 3, 3, 16, 5, torch.bfloat16)):
    x, grad = (torch.randn(n, h, w, c).to(kind) for _ in range(2))
    taps, bias, near = torch.randn(k, k, c), torch.randn(c), {"rtol": 1e-2, "atol": 1e-3 if kind == torch.float32 else 5e-2}
    for start in (bias, None):
        torch.testing.assert_close(kernels_cuda.convolve(x, taps, start), kernels.convolve(x, taps, start), **near)
    torch.testing.assert_close(kernels_cuda.correlate(x, grad, k), kernels.correlate(x, grad, k), **near)
    rows, result = x.view(-1, c), torch.randn(n * h * w, c).to(kind)
    for slope in (1.0, 0.1):
        torch.testing.assert_close(kernels_cuda.biased(rows.clone(), bias, slope), kernels.biased(rows.clone(), bias, slope))
    pairs = zip(kernels_cuda.back(rows.clone(), result, 0.1), kernels.back(rows.clone(), result, 0.1), strict=True)
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, **near)
"""


def test_the_loops_in_triton_are_those_in_cpp() -> None:
    """Where Triton is installed, which torch for processors does not bring."""
    pytest.importorskip("triton")
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETED],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        cwd=RECIPES.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
