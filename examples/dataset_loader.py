"""A data set of .lic files as batches of arrays, decoded in worker processes; made for PyTorch, needs none of it.

    python dataset_loader.py pictures/ 2

With PyTorch, `LicFolder(...)` is a map-style data set as it stands: `DataLoader(LicFolder(folder), batch_size=32,
num_workers=4)`. Importing pillow_lic in this module is what makes Pillow know .lic in spawned workers too.
"""

import multiprocessing
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import pillow_lic

SIDE = 64


class LicFolder:
    """The pictures of a folder, each as uint8 (64, 64, 3)."""

    def __init__(self, folder: str) -> None:
        self.paths = sorted(Path(folder).glob("**/*.lic"))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> np.ndarray:
        # One thread a picture: the workers are the parallelism.
        with pillow_lic.settings(threads=1), Image.open(self.paths[index]) as im:
            return np.asarray(im.convert("RGB").resize((SIDE, SIDE)))


if __name__ == "__main__":
    data = LicFolder(sys.argv[1])
    workers = int(sys.argv[2])
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for number, picture in enumerate(pool.imap(data.__getitem__, range(len(data)), chunksize=8)):
            print(f"{data.paths[number].name}: mean {picture.mean():.1f}")
