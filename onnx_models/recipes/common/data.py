"""Training patches: a folder of pictures -> .npy files -> random crops.

    python -m onnx_models.recipes.common.data PICTURES_FOLDER PATCHES_FOLDER

Pictures that are already patches (at most 512 pixels a side) are kept whole; larger ones are halved until their short side is below
1500, so that traces of their own compression go, and cut into patches of 256. Every 48th patch is held out for validation.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .drawings import Pixels, drawing

PATCH, HELD_OUT = 256, 48


def patches_of(path: Path) -> Iterator[Pixels]:
    """Yield square or near-square uint8 RGB patches of a picture file."""
    with Image.open(path) as im:
        im = im.convert("RGB")
        if max(im.size) <= 2 * PATCH:
            yield np.asarray(im)
            return
        im = im.reduce(2)
        while min(im.size) >= 1500:
            im = im.reduce(2)
        a = np.asarray(im)
    for y in range(0, a.shape[0] - PATCH + 1, PATCH):
        for x in range(0, a.shape[1] - PATCH + 1, PATCH):
            yield a[y : y + PATCH, x : x + PATCH]


def build(pictures: Path, out: Path) -> int:
    """Write `train_<height>x<width>.npy` (N,h,w,3) and `validation.npy` (N,256,256,3); return the number of patches."""
    sizes: dict[str, list[Pixels]] = defaultdict(list)
    held, n = [], 0
    for path in sorted(p for p in pictures.rglob("*") if p.is_file()):
        for patch in patches_of(path):
            if min(patch.shape[:2]) < PATCH:
                continue
            if n % HELD_OUT == 7:
                held.append(patch[:PATCH, :PATCH])
            else:
                sizes[f"{patch.shape[0]}x{patch.shape[1]}"].append(patch)
            n += 1
    out.mkdir(parents=True, exist_ok=True)
    for size, patches in sizes.items():
        np.save(out / f"train_{size}.npy", np.stack(patches))
    np.save(out / "validation.npy", np.stack(held))
    return n


def whole_pictures(folder: Path) -> list[Tensor]:
    """Return the pictures of a folder as (1,H,W,3) uint8, cut at the right and bottom to multiples of 64; ValueError if there are none."""
    pictures = []
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        with Image.open(path) as im:
            a = np.asarray(im.convert("RGB"))
        pictures.append(torch.from_numpy(a[: a.shape[0] // 64 * 64, : a.shape[1] // 64 * 64].copy())[None])
    if not pictures:
        raise ValueError(f"a folder of pictures must have some, got {folder}")
    return pictures


class Patches:
    """Random crops from the files of `build`, with flips, transposition, a random downscale and a channel shuffle; and drawings."""

    DOWNSCALED, SHUFFLED, DRAWN = 0.25, 0.1, 0.03
    LARGEST = 1.7
    """Factor up to which crops are enlarged."""

    def __init__(self, folder: Path, enlarged: float = 0.0) -> None:
        """enlarged: share of crops that are made larger, and so are as soft as pictures of cameras are before they are made smaller."""
        files = sorted(folder.glob("train_*.npy"))
        if not files:
            raise FileNotFoundError(f"{folder} must hold train_*.npy; build them with onnx_models.recipes.common.data")
        self.folder, self.arrays = folder, [np.load(f, mmap_mode="r") for f in files]
        self.enlarged = enlarged
        self.ends = np.cumsum([len(a) for a in self.arrays])

    def __getitem__(self, i: int) -> Pixels:
        k = int(np.searchsorted(self.ends, i, "right"))
        patch: Pixels = self.arrays[k][i - (self.ends[k - 1] if k else 0)]
        return patch

    def some(self, n: int) -> list[Pixels]:
        """Return n patches spread evenly over the files, the same at every call."""
        return [self[int(i)] for i in np.linspace(0, self.ends[-1] - 1, n)]

    def validation(self) -> Tensor:
        return torch.from_numpy(np.load(self.folder / "validation.npy"))

    def batch(self, n: int, crop: int, rng: np.random.Generator) -> Tensor:
        """Return n random crops as (n,crop,crop,3) uint8."""
        return torch.from_numpy(
            np.stack([self.crop(self[int(i)], crop, rng) for i in rng.integers(0, self.ends[-1], n)])
        )

    def crop(self, patch: Pixels, crop: int, rng: np.random.Generator) -> Pixels:
        if crop > min(patch.shape[:2]):
            raise ValueError(f"crop must be at most {min(patch.shape[:2])}, the size of a patch, got {crop}")
        if rng.random() < self.DRAWN:
            return drawing(crop, rng)
        size = crop
        if rng.random() < self.enlarged:
            size = int(np.rint(crop / rng.uniform(1, self.LARGEST)))
        elif rng.random() < self.DOWNSCALED:
            size = int(rng.integers(crop, min(patch.shape[:2]) + 1))
        y, x = rng.integers(0, patch.shape[0] - size + 1), rng.integers(0, patch.shape[1] - size + 1)
        v = patch[y : y + size, x : x + size]
        if size != crop:
            v = np.asarray(Image.fromarray(v).resize((crop, crop), Image.Resampling.LANCZOS))
        v = v[:, ::-1] if rng.random() < 0.5 else v
        v = v[::-1] if rng.random() < 0.5 else v
        v = v.transpose(1, 0, 2) if rng.random() < 0.5 else v
        return v[:, :, rng.permutation(3)] if rng.random() < self.SHUFFLED else v


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("patches", type=Path)
    args = parser.parse_args()
    print(build(args.pictures, args.patches), "patches")
