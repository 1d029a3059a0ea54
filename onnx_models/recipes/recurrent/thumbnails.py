"""Training patches -> thumbnails for `toderici2015`: patches a quarter as wide, of which crops of 32x32 are taken.

python -m onnx_models.recipes.recurrent.thumbnails PATCHES THUMBNAILS
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

SIDE, FACTOR = 32, 4
"""Pixels of a thumbnail each way, pixels of a patch that become one."""


def small(patches: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return patches (N,h,w,3) as the means of squares of their pixels, (N,h/FACTOR,w/FACTOR,3)."""
    n, height, width, _ = patches.shape
    means = patches.reshape(n, height // FACTOR, FACTOR, width // FACTOR, FACTOR, 3).mean((2, 4))
    return np.rint(means).astype(np.uint8)


def pieces(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return pictures (N,h,w,3), h and w multiples of SIDE, in pieces (M,SIDE,SIDE,3)."""
    n, height, width, _ = pictures.shape
    cut = pictures.reshape(n, height // SIDE, SIDE, width // SIDE, SIDE, 3).transpose(0, 1, 3, 2, 4, 5)
    return np.ascontiguousarray(cut.reshape(-1, SIDE, SIDE, 3))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("patches", type=Path)
    p.add_argument("out", type=Path)
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    for path in sorted(a.patches.glob("train_*.npy")):
        patches = np.load(path, mmap_mode="r")
        found = np.concatenate([small(patches[i : i + 256]) for i in range(0, len(patches), 256)])
        np.save(a.out / f"train_{found.shape[1]}x{found.shape[2]}.npy", found)
    np.save(a.out / "validation.npy", pieces(small(np.load(a.patches / "validation.npy"))))


if __name__ == "__main__":
    main()
