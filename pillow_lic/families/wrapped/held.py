"""The rule `held`: luma is held within the intervals that the JPEG file gives, where a decoder cut colours off at 0 or 255.

    luma of what is shown ─DCT─▶ coefficients ─cut to half a step around those of the file's luma─▶ luma, whose change R, G and B take

A quantised coefficient gives an interval in which that of the original lies. Around coloured letters on white, where chroma is coarse,
decoded colours lie outside 0 to 255. Cutting them off changes luma by far more than half a step, although the file has the right luma. To
move coefficients into their intervals brings a picture nearer to every picture that has them there, such as the original (FORMAT.md 14.9).
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

BLOCK: Final = 8
"""Pixels of a JPEG block each way."""
LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
"""Shares of R, G and B in luma (ITU-T T.871, 7)."""
MIDDLE: Final = np.float32(128)
"""The luma that JPEG subtracts before its DCT."""
HALF: Final = np.float32(0.5)
"""How far the original's coefficient is at most from that in the file, in steps."""


def has_cut_off(pixels: Pixels) -> bool:
    """Whether any sample of pixels (H, W, 3) is 0 or 255."""
    return bool(pixels.size) and bool(pixels.min() == 0 or pixels.max() == 255)


def hold(shown: Pixels, decoded: Pixels, luma: Pixels, steps: Floats) -> Pixels:
    """Return the shown pixels (h, w, 3), held to the file in the blocks whose decoded pixels have a sample that is 0 or 255.

    decoded: the pixels (h, w, 3) of a JPEG decoder. luma: those of the file, (h, w). All three begin at the corner of a block. steps: of
    the quantiser of luma, (64,), frequencies in raster order. Blocks that the edge of the picture cuts stay as they are.
    """
    chosen = np.flatnonzero(((blocks(decoded) == 0) | (blocks(decoded) == 255)).any((1, 2, 3)))
    if not chosen.size:
        return shown
    colors = blocks(shown)[chosen].astype(np.float32)
    steps = steps.astype(np.float32).reshape(BLOCK, BLOCK)
    near: Floats = np.rint(_coefficients(blocks(luma[:, :, None])[chosen, :, :, 0].astype(np.float32)) / steps)
    own = _coefficients(colors @ LUMA)
    change = _pixels(np.clip(own, (near - HALF) * steps, (near + HALF) * steps) - own)
    rounded = np.rint(colors + change[..., None]).clip(0, 255).astype(np.uint8)
    result = shown.copy()
    rows, columns = np.divmod(chosen, shown.shape[1] // BLOCK)
    places = np.arange(BLOCK)
    result[BLOCK * rows[:, None, None] + places[:, None], BLOCK * columns[:, None, None] + places] = rounded
    return result


def blocks(pixels: Pixels) -> Pixels:
    """Return the whole blocks (n, 8, 8, C) of pixels (h, w, C) in raster order."""
    rows, columns = (length // BLOCK for length in pixels.shape[:2])
    cut = pixels[: BLOCK * rows, : BLOCK * columns]
    squares = cut.reshape(rows, BLOCK, columns, BLOCK, pixels.shape[2]).swapaxes(1, 2)
    return squares.reshape(rows * columns, BLOCK, BLOCK, pixels.shape[2])


@cache
def basis() -> Floats:
    """Return the rows of the DCT of 8 samples, orthonormal (ITU-T T.81, A.3.3)."""
    k, n = np.arange(BLOCK)[:, None], np.arange(BLOCK)
    rows = np.cos(np.pi * k * (2 * n + 1) / (2 * BLOCK)) * np.where(k == 0, np.sqrt(1 / BLOCK), np.sqrt(2 / BLOCK))
    return rows.astype(np.float32)


def _coefficients(luma: Floats) -> Floats:
    found: Floats = np.matmul(basis() @ (luma - MIDDLE), basis().T)
    return found


def _pixels(coefficients: Floats) -> Floats:
    found: Floats = np.matmul(basis().T @ coefficients, basis())
    return found
