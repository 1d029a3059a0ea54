"""A JPEG whose places have different qualities, which any decoder shows.

After MS-ROI (Prakash and others 2017, arXiv 1612.08712): a place has the quality of its percentile of importance, and the file no
more bytes than the plain one. A JPEG has one table of quantiser steps. MS-ROI takes the pixels of each place from one of ten
JPEGs and saves the collage once more, so that most places are quantised twice. Here the steps are finer than the plain file's,
and a coefficient is left out where it is below a threshold in steps, the higher the less important the place (Crouse and
Ramchandran 1997): what is left is quantised once.

    planes ─DCT─▶ coefficients ─threshold(percentile)─▶ inverse DCT ─▶ Pillow saves at the highest quality that fits
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..fileformat.importance_map import CELL
from .percentiles import percentiles

Floats = npt.NDArray[np.float32]

LEAST, MOST = 0.5, 6.0
"""Thresholds of the most and of the least important place, in steps: rounding itself leaves out what is below one half."""
POWER = 1.6
"""Of the share of places that are more important: above 1 the most important ones keep all but what rounding leaves out."""
LAST_TRIES = 3
"""Of thresholds between those of the highest quality that fits and none, to use the bytes that are left."""
HIGHEST = 95
"""The highest quality that Pillow advises."""
BLOCK = 8
"""Values of a block of JPEG, each way; its cells of 16x16 pixels hold four blocks of luma and one of each chroma."""
FIXED = {"optimize": True, "subsampling": "4:2:0"}


def _basis() -> Floats:
    """Return the rows of the orthonormal cosine transform, (8, 8)."""
    k = np.arange(BLOCK)
    rows = np.cos((2 * k + 1) * k[:, None] * math.pi / (2 * BLOCK)) / 2
    rows[0] /= math.sqrt(2)
    return rows.astype(np.float32)


DCT = _basis()


def encode(image: Image.Image, quality: int, importance: Floats, **words: Any) -> bytes:
    """Return a JPEG file of at most as many bytes as the plain one of `quality`, 1..95 on JPEG's scale, with halved colours.

    image: L or RGB, ValueError for another mode. importance (rows, columns): one value for every 16x16 pixels; only their order counts. words:
    save options of JPEG but `subsampling` and `qtables`.
    """
    if image.mode not in ("L", "RGB"):
        msg = f"importance must be left out for JPEG files of mode {image.mode}, it is for L and RGB"
        raise ValueError(msg)
    plain = _saved(image, quality=quality, **words)
    coefficients = [_transformed(plane) for plane in _planes(image)]
    unimportant = ((1 - percentiles(importance)) / 2) ** POWER

    def made(highest: int, most: float) -> bytes:
        threshold = (LEAST * (most / LEAST) ** unimportant).astype(np.float32)
        shown = []
        for i, (values, steps) in enumerate(zip(coefficients, _steps(image.mode, highest), strict=True)):
            kept = _without_small(values, steps, threshold.repeat(2, 0).repeat(2, 1) if i == 0 else threshold)
            shown.append(_untransformed(kept))
        return _saved(_joined(shown, image), quality=highest, **words)

    best = plain
    low, high = min(quality, HIGHEST), HIGHEST
    while low < high:
        middle = (low + high + 1) // 2
        tried = made(middle, MOST)
        if len(tried) <= len(plain):
            low, best = middle, tried
        else:
            high = middle - 1
    fitting, most = MOST, MOST / 2
    for _ in range(LAST_TRIES if best is not plain else 0):
        tried = made(low, most)
        if len(tried) <= len(plain):
            best, fitting, most = tried, most, most / (fitting / most) ** 0.5
        else:
            most = (most * fitting) ** 0.5
    return best


def _planes(image: Image.Image) -> list[Floats]:
    """Return luma (h, w), and of RGB both chromas (h / 2, w / 2), less 128, their sides multiples of a cell's; the edge is repeated."""
    pixels = np.asarray(image if image.mode == "L" else image.convert("YCbCr"), np.float32) - 128
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    rows, columns = (-length % CELL for length in pixels.shape[:2])
    pixels = np.pad(pixels, ((0, rows), (0, columns), (0, 0)), "edge")
    height, width = pixels.shape[:2]
    chromas = pixels[:, :, 1:].reshape(height // 2, 2, width // 2, 2, -1).mean((1, 3))
    return [pixels[:, :, 0], *np.moveaxis(chromas, 2, 0)]


def _joined(planes: list[Floats], like: Image.Image) -> Image.Image:
    """Return the picture of planes as `_planes` gives them, of mode L or YCbCr, in the size of `like`."""
    wide = [planes[0], *(plane.repeat(2, 0).repeat(2, 1) for plane in planes[1:])]
    pixels = np.rint(np.stack(wide, 2) + 128).clip(0, 255).astype(np.uint8)[: like.height, : like.width]
    return Image.fromarray(pixels[:, :, 0]) if len(planes) == 1 else Image.fromarray(pixels, "YCbCr")


def _transformed(plane: Floats) -> Floats:
    """Return the coefficients of every block (H, W), each block in its place."""
    height, width = plane.shape
    down = (DCT @ plane.reshape(-1, BLOCK, width)).reshape(height, width)
    return (down.reshape(-1, BLOCK) @ DCT.T).reshape(height, width).astype(np.float32, copy=False)


def _untransformed(values: Floats) -> Floats:
    height, width = values.shape
    up = (DCT.T @ values.reshape(-1, BLOCK, width)).reshape(height, width)
    return (up.reshape(-1, BLOCK) @ DCT).reshape(height, width).astype(np.float32, copy=False)


def _without_small(values: Floats, steps: Floats, threshold: Floats) -> Floats:
    """Return coefficients, 0 where they are below the threshold of their block (H/8, W/8) times the step (8, 8); means stay."""
    height, width = values.shape
    blocks = values.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    least = threshold[:, None, :, None] * steps[:, None, :]
    least[:, 0, :, 0] = 0
    return np.where(np.abs(blocks) < least, np.float32(0), blocks).reshape(height, width)


def _steps(mode: str, quality: int) -> list[Floats]:
    """Return the steps (8, 8) of every plane at a quality, as Pillow's own JPEG has them."""
    with Image.open(io.BytesIO(_saved(Image.new(mode, (CELL, CELL)), quality=quality)), formats=["JPEG"]) as im:
        tables: dict[int, list[int]] = im.quantization  # type: ignore[attr-defined]  # of JPEG files
    steps = [np.array(tables[number], np.float32).reshape(BLOCK, BLOCK) for number in sorted(tables)]
    return steps if mode == "L" else [steps[0], steps[-1], steps[-1]]


def _saved(image: Image.Image, **words: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **FIXED | words)
    return buffer.getvalue()
