"""The block PCA that the linear path starts from: a network without it is not as good after thousands of steps (measured)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


def block_pca(
    patches: Iterable[npt.NDArray[np.uint8]], blocks_per_patch: int = 40, seed: int = 0
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the components (768,768) of patches (h,w,3) as rows, strongest first, and their variances (768,).

    16x16x3 blocks about mid-grey (pixels / 255 - 0.5), not about their mean, flattened as channel, row, column.
    """
    rng, blocks = np.random.default_rng(seed), []
    for patch in patches:
        p = patch.astype(np.float32) / 255 - 0.5
        for _ in range(blocks_per_patch):
            y, x = rng.integers(0, p.shape[0] - 15), rng.integers(0, p.shape[1] - 15)
            blocks.append(p[y : y + 16, x : x + 16].transpose(2, 0, 1).ravel())
    a = np.stack(blocks)
    variance, components = np.linalg.eigh(a.T @ a / len(a))
    return components[:, ::-1].T.copy(), variance[::-1].copy()
