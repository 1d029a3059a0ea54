"""The block PCA that the linear path starts from: a network without it is not as good after thousands of steps (measured)."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK = 16


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


class SmallerBlocks:
    """The components of square blocks of up to 16 pixels a side, from those of blocks of 16."""

    def __init__(self, patches: Iterable[npt.NDArray[np.uint8]]) -> None:
        self._components, variance = (torch.from_numpy(v).clone() for v in block_pca(patches))
        covariance = self._components.T @ (variance[:, None] * self._components)
        self._covariance = covariance.view(3, BLOCK, BLOCK, 3, BLOCK, BLOCK)

    def strongest(self, size: int, count: int) -> Tensor:
        """Return the strongest components of blocks of `size` pixels a side, (count, 3 size^2), orthonormal rows."""
        if size == BLOCK:
            return self._components[:count]
        block = self._covariance[:, :size, :size, :, :size, :size].reshape(3 * size**2, 3 * size**2)
        return torch.linalg.eigh(block.double()).eigenvectors.flip(1).T[:count].float()


def in_quarters(components: Tensor, parts: Tensor) -> Tensor:
    """Return components (n, 3 size^2) in terms of those of their quarters, (m, 3 (size/2)^2): (n,4,m), quarters in raster order."""
    half = math.isqrt(components.shape[1] // 3) // 2
    quarters = F.unfold(components.view(-1, 3, 2 * half, 2 * half), half, stride=half)
    return quarters.transpose(1, 2) @ parts.T
