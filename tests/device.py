"""Does a device decode what the processor wrote, and the other way round? For a machine with a GPU and `pip install onnxruntime-gpu`.

    python tests/device.py                       # CUDA, a minute or two; exits 1 where something differs
    python tests/device.py --provider cpu        # the check itself, where there is no device

Of every picture and both models that people use: the symbols are the same, the pixels within one level, and how fast and in how
much memory. Without the provider one sentence says so, the pictures are made on the processor, and the exit code is 2.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
from PIL import Image

import pillow_lic
from pillow_lic.inspecting import dump

MODELS = ("lic1", "lic2")
SIZES = ((64, 64), (768, 512), (2100, 1400))
LARGEST_DIFFERENCE = 1
LARGEST_SHARE = 1e-2


def picture(width: int, height: int) -> Image.Image:
    """Return a picture with lines, grounds and noise."""
    photo = Image.effect_mandelbrot((width, height), (-2, -1, 1, 1), 60).convert("RGB")
    photo.paste(Image.effect_noise((width // 3, height // 3), 60).convert("RGB"), (width // 4, height // 4))
    return photo


def seconds(work: Callable[[], object], turns: int = 3) -> float:
    """Return the least time that the work takes, which was done before."""
    best = float("inf")
    for _ in range(turns):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best


def device_memory() -> str:
    """Return the memory of the device that is taken, as its own tool says; "unknown" without one."""
    if not shutil.which("nvidia-smi"):
        return "unknown"
    words = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def check(model: str, size: tuple[int, int], provider: str) -> bool:
    """Code one picture on the processor and on the device, print what differs, and return whether it is as little as it must be."""
    image = picture(*size)
    with pillow_lic.settings(providers="cpu"):
        data = pillow_lic.encode(image, model=model)
        expected, symbols = np.asarray(pillow_lic.open(data)).astype(int), dump.dump(data)
    with pillow_lic.settings(providers=provider):
        other = pillow_lic.encode(image, model=model)
        found, there_symbols = np.asarray(pillow_lic.open(data)).astype(int), dump.dump(data)
        on_device = seconds(lambda: pillow_lic.open(data).load())
    with pillow_lic.settings(providers="cpu"):
        back = np.asarray(pillow_lic.open(other)).astype(int)
        on_processor = seconds(lambda: pillow_lic.open(data).load())
    with pillow_lic.settings(providers=provider):
        again = np.asarray(pillow_lic.open(other)).astype(int)
    whole = [name for name, array in symbols.items() if np.issubdtype(array.dtype, np.integer)]
    equal = all(np.array_equal(symbols[name], there_symbols[name]) for name in whole)
    off = [np.abs(found - expected), np.abs(again - back)]
    largest, share = max(int(a.max()) for a in off), max(float((a > 0).mean()) for a in off)
    pixels = size[0] * size[1] / 1e6
    print(
        f"{model} {size[0]}x{size[1]}: {len(whole)} arrays of whole numbers {'equal' if equal else 'DIFFERENT'}, pixels up to {largest} "
        f"in {share:.1e} of the samples; decodes {pixels / on_device:.2f} MP/s, on the processor {pixels / on_processor:.2f}; "
        f"its own file has {len(other)} bytes for {len(data)}",
        flush=True,
    )
    return bool(whole) and equal and largest <= LARGEST_DIFFERENCE and share <= LARGEST_SHARE


def main() -> int:
    """Check all pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", default="cuda")
    provider = parser.parse_args().provider
    before = device_memory()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        wanted = provider if provider == "cpu" else f"{provider},cpu"
        good = [check(model, size, wanted) for size in SIZES for model in MODELS]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"memory: {peak:.0f} MB of the process at most; of the device {before} before, {device_memory()} after")
    vain = [str(warning.message) for warning in said if issubclass(warning.category, RuntimeWarning)]
    print(*vain, sep="\n", end="\n" * bool(vain))
    return 1 if not all(good) else 2 if vain else 0


if __name__ == "__main__":
    sys.exit(main())
