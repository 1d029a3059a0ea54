"""Training patches of 256x256 and more -> thumbnails of 32x32, the means of squares, for `toderici2015`.

python -m onnx_models.recipes.recurrent.thumbnails PATCHES THUMBNAILS
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

SIDE = 32


def small(patches: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return patches (N,h,w,3), h and w at least SIDE, as thumbnails (N,SIDE,SIDE,3) of their top-left corners."""
    factor = min(patches.shape[1:3]) // SIDE
    cut = patches[:, : SIDE * factor, : SIDE * factor]
    means = cut.reshape(len(cut), SIDE, factor, SIDE, factor, 3).mean((2, 4))
    return np.rint(means).astype(np.uint8)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("patches", type=Path)
    p.add_argument("out", type=Path)
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    parts = []
    for path in sorted(a.patches.glob("train_*.npy")):
        patches = np.load(path, mmap_mode="r")
        parts += [small(patches[i : i + 256]) for i in range(0, len(patches), 256)]
    np.save(a.out / f"train_{SIDE}x{SIDE}.npy", np.concatenate(parts))
    np.save(a.out / "validation.npy", small(np.load(a.patches / "validation.npy")))


if __name__ == "__main__":
    main()
