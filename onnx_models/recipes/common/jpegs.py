"""Pictures that went through Pillow's JPEG, for networks that restore them: at any quality, with the usual tables and others.

pixels ─tables of quality 4..99, one in four of them bent─▶ JPEG ─▶ pixels, the steps of both tables, what of chroma was halved
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

Pixels = npt.NDArray[np.uint8]

LOWEST, HIGHEST = 4, 99
"""Qualities on Pillow's scale that a network is trained for."""
BENT, GREY, FULL = 0.25, 0.05, 0.3
"""Shares of JPEG files with tables of other shapes than the standard's, without colours, and with chroma at full resolution."""


class Jpegs(NamedTuple):
    """Pictures as JPEG files show them: pixels (B,H,W,3) uint8, steps (B,2,64) of luma and chroma in raster order, halved (B,2).

    halved: whether chroma has half of the rows, and of the columns.
    """

    pixels: Tensor
    steps: Tensor
    halved: Tensor


def standard(quality: float) -> npt.NDArray[np.float64]:
    """Return the tables (2, 64) of a quality 1..100, luma and chroma: those of the standard's annex K, scaled as libjpeg does."""
    with Image.open(io.BytesIO(_file(np.zeros((8, 8, 3), np.uint8), quality=50, subsampling=0))) as im:
        tables = np.array([im.quantization[number] for number in range(2)], np.float64)  # type: ignore[attr-defined]
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    scaled: npt.NDArray[np.float64] = np.clip(np.floor((tables * scale + 50) / 100), 1, 255)
    return scaled


def bent(tables: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return tables that are flatter than the standard's by any share, finer or coarser each, and rough, as cameras have them."""
    logs = np.log(tables)
    logs = logs + rng.random() * (logs.mean(1, keepdims=True) - logs)
    logs += rng.normal(0, 0.3, (2, 1)) + rng.normal(0, 0.1 * rng.random(), (2, 64))
    return np.clip(np.rint(np.exp(logs)), 1, 255)


def coded(
    pixels: Pixels, tables: npt.NDArray[np.float64], *, halved: bool, grey: bool = False
) -> tuple[Pixels, Pixels]:
    """Return what a JPEG file with these tables (2, 64) shows of pixels (H,W,3), and the tables as a reader finds them."""
    shown = np.asarray(Image.fromarray(pixels).convert("L")) if grey else pixels
    file = _file(shown, qtables=tables.astype(int).tolist(), subsampling=2 if halved else 0)
    with Image.open(io.BytesIO(file)) as im:
        found = im.quantization  # type: ignore[attr-defined]
        return np.asarray(im.convert("RGB")), np.array([found[0], found[0 if grey else 1]], np.uint8)


def _file(pixels: Pixels, **words: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", **words)
    return file.getvalue()


def batch_of(
    pictures: Tensor, rng: np.random.Generator, qualities: Sequence[int] | None = None, power: float = 1.0
) -> tuple[Tensor, Jpegs]:
    """Return pictures (B,H,W,3) uint8, some of them grey now, and what JPEG makes of them.

    At qualities spread over the scale, or at those given, which have the standard's tables, halved chroma and colours. power: 1
    spreads them evenly; the share of the scale below a quality is raised to the inverse of it, so that above 1 low ones are more.
    """
    rows = []
    for number, picture in enumerate(pictures.numpy()):
        if qualities is not None:
            rows.append((picture, True, *coded(picture, standard(qualities[number]), halved=True)))
            continue
        tables = standard(LOWEST + (HIGHEST - LOWEST) * ((number + rng.random()) / len(pictures)) ** power)
        tables = bent(tables, rng) if rng.random() < BENT else tables
        halved, grey = rng.random() >= FULL, rng.random() < GREY
        if grey:
            picture = np.asarray(Image.fromarray(picture).convert("L").convert("RGB"))
        rows.append((picture, halved and not grey, *coded(picture, tables, halved=halved, grey=grey)))
    originals, halves, shown, tables = (np.stack(column) for column in zip(*rows, strict=True))
    told = torch.from_numpy(halves).float()[:, None].repeat(1, 2)
    return torch.from_numpy(originals), Jpegs(torch.from_numpy(shown), torch.from_numpy(tables).float(), told)
