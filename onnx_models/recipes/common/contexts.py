"""Bits -> the start values of the contexts in which they are coded (FORMAT.md 7.4). Run once, at export; the result is stored."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pillow_lic.engine.bits import CONTEXTS_OF_A_CLASS

Counts = npt.NDArray[np.float64]
"""How many bits of each context are 0, and how many 1, (contexts, 2)."""

FEW = 4.0
"""Bits, half of them 1, that are added to those counted."""


def contexts_of(planes: npt.NDArray[np.uint8], classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Return the context of every bit of planes (planes, channels, rows, columns), classes (planes, channels): the table of 7.4."""
    framed = np.pad(planes.astype(np.int64), ((1, 0), (0, 0), (1, 1), (1, 1)))
    rows, columns = planes.shape[2:]

    def seen(before: int, down: int, right: int) -> npt.NDArray[np.int64]:
        return framed[1 - before : framed.shape[0] - before, :, 1 + down :, 1 + right :][:, :, :rows, :columns]

    same = ((0, -1), (-1, -1), (-1, 0), (-1, 1))
    before = ((0, 0), (-1, 0), (0, -1), (0, 1), (1, 0))
    places = [(0, *place) for place in same] + [(1, *place) for place in before]
    context = sum(seen(*place) << k for k, place in enumerate(places))
    return np.asarray(context + CONTEXTS_OF_A_CLASS * classes.astype(np.int64)[:, :, None, None])


def count(
    planes: npt.NDArray[np.uint8],
    classes: npt.NDArray[np.uint8],
    mask: npt.NDArray[np.bool_] | None,
    into: Counts,
) -> None:
    """Add the bits of planes, inside the mask alone, to counts."""
    context = contexts_of(planes, classes)
    inside = np.ones(planes.shape, bool) if mask is None else mask
    np.add.at(into, (context[inside], planes[inside]), 1)


def stored(counts: Counts) -> bytes:
    """Return the start values of counted contexts as a model stores them, the share of ones in 65536ths, u16."""
    share = (counts[:, 1] + FEW / 2) / (counts.sum(1) + FEW)
    clipped: bytes = np.clip(np.rint(65536 * share), 32, 65504).astype("<u2").tobytes()
    return clipped
