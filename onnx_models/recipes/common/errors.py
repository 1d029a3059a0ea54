"""What comes of every share of what a network changes in the blocks of restored pictures, by the package's own rule."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from pillow_lic.families.wrapped.calm import levels, luma
from pillow_lic.families.wrapped.gate import mixed
from pillow_lic.families.wrapped.held import BLOCK, blocks

from .drawings import Pixels
from .pairs import Pairs

Errors = npt.NDArray[np.float32]


def errors_of(pairs: Pairs, steps: int) -> Errors:
    """Return the squared errors of the blocks of N pairs, (N,h,w,steps+1,steps+1,2), summed: of luma in whole levels, and of R, G and B.

    Axes 3 and 4: how many of so many steps of luma's change, and of that of colours, are shown.
    """
    made = np.empty(
        (len(pairs), *(length // BLOCK for length in pairs.originals.shape[1:3]), *2 * [steps + 1], 2), np.float32
    )
    for row, *pictures in zip(made, pairs.originals, pairs.decoded, pairs.shown, strict=True):
        row[:] = _of_blocks(*(blocks(picture) for picture in pictures), steps).reshape(row.shape)
    return made


def _of_blocks(original: Pixels, decoded: Pixels, shown: Pixels, steps: int) -> Errors:
    """Return the errors (n,steps+1,steps+1,2) of blocks (n,8,8,3)."""
    made = np.empty((len(original), steps + 1, steps + 1, 2), np.float32)
    made[:] = _squares(original, decoded)[:, None, None]
    changed = np.flatnonzero((decoded != shown).any((1, 2, 3)))
    wanted, old, new = original[changed], decoded[changed], shown[changed]
    shares = np.arange(steps + 1, dtype=np.float32)[:, None, None, None] / steps
    for i, j in itertools.product(range(steps + 1), repeat=2):
        found = new if i == j == steps else mixed(old, new, shares[i], shares[j])
        made[changed, i, j] = _squares(wanted, found)
    return made


def _squares(wanted: Pixels, found: Pixels) -> Errors:
    """Return the squared errors of blocks (n,8,8,3), of luma in whole levels and of R, G and B, (n,2)."""
    off = levels(luma(wanted)) - levels(luma(found))
    all_off = wanted.astype(np.int16) - found
    sums = np.einsum("nyx,nyx->n", off, off), np.einsum("nyxc,nyxc->n", all_off, all_off, dtype=np.int32)
    return np.stack(sums, 1).astype(np.float32)
