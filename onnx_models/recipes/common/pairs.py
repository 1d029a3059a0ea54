"""Pictures, what JPEG shows of them, and what a model of this release makes of that: for networks that judge the latter.

photographs, what grounds.py, patterns.py, composed.py and drawings.py make, screens, parts of two of them ─JPEG─▶ decoded ─restore─▶ shown
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

import pillow_lic
from pillow_lic.engine.models import Model
from pillow_lic.families.wrapped import restoration
from pillow_lic.fileformat import jpeg
from pillow_lic.fileformat.areas import onto

from . import composed, grounds, patterns
from .data import Patches
from .drawings import Pixels, drawing
from .jpegs import HIGHEST, LOWEST, bent, standard

KINDS = {
    "photograph": 0.23,
    "gradient": 0.1,
    "shapes": 0.07,
    "drawing": 0.04,
    "screen": 0.08,
    "cloth": 0.05,
    "noise": 0.02,
    "parts": 0.03,
    "pattern": 0.04,
    "cells": 0.03,
    "clouds": 0.04,
    "shaded": 0.03,
    "treated": 0.05,
    "codes": 0.02,
    "composed": 0.17,
}
"""Shares of what the pictures show; drawings stand for screens where there are none."""
RARE = {
    "photograph": 0.04,
    "gradient": 0.1,
    "shapes": 0.09,
    "drawing": 0.02,
    "screen": 0.09,
    "cloth": 0.06,
    "noise": 0.01,
    "parts": 0.02,
    "pattern": 0.06,
    "cells": 0.05,
    "clouds": 0.07,
    "shaded": 0.05,
    "treated": 0.06,
    "codes": 0.05,
    "composed": 0.23,
}
"""Shares of those that are only looked at to find some that lose."""
MADE = {kind: getattr(grounds, kind) for kind in ("gradient", "shapes", "noise")} | {
    kind: getattr(patterns, kind) for kind in ("pattern", "cells", "clouds", "shaded", "codes")
}
"""What makes kinds of pictures by code, of a number of pixels each way."""
CHANGED = {"cloth": grounds.cloth, "treated": patterns.treated, "composed": composed.composed}
"""What makes kinds of pictures of photographs."""
GAIN = 0.02
"""dB gained, of luma or of RGB, below which a picture counts as one that loses."""
NOISE = 0.02
"""Squared levels that are added to errors before they are counted in dB."""
FINE = (0.15, 84, 97)
"""Share of files whose quality is between two high ones, at which most is lost."""
BENT, HALVED, GREY = 0.2, 0.68, 0.04
"""Shares of files with tables of other shapes than the standard's, with chroma halved, and without colours."""


@dataclass(frozen=True)
class Pairs:
    """Pictures as they were, as JPEG files show them, and as those are shown restored: (N,H,W,3) uint8 each.

    kinds: their numbers in KINDS, (N,). steps: of both tables, (N,2,64). halved: whether chroma has half of the rows and columns, (N,).
    """

    originals: Pixels
    decoded: Pixels
    shown: Pixels
    kinds: npt.NDArray[np.int64]
    steps: npt.NDArray[np.uint8]
    halved: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.kinds)

    def save(self, path: Path) -> None:
        np.savez(path, **vars(self))

    @classmethod
    def load(cls, path: Path) -> Pairs:
        with np.load(path) as arrays:
            return cls(**arrays)

    def pictures(self, index: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        """Return originals, decoded and shown pictures of an index, (B,3,H,W) in levels."""
        original, decoded, shown = (
            torch.from_numpy(a[index]).permute(0, 3, 1, 2).float() for a in (self.originals, self.decoded, self.shown)
        )
        return original, decoded, shown

    def told(self, index: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Return the steps (B,2,64) and what of chroma is halved (B,2) of an index."""
        halved = torch.from_numpy(self.halved[index]).float()[:, None].repeat(1, 2)
        return torch.from_numpy(self.steps[index]).float(), halved


def made(
    model: Model, patches: Patches, screens: Path | None, n: int, more: int, crop: int, rng: np.random.Generator
) -> Pairs:
    """Return n pairs of crop x crop pixels, restored by a model on one thread, and of `more` others those that lose.

    screens: a folder of folders of pictures of such.
    """
    patches.DRAWN = 0
    seen = [] if screens is None else _pictures(screens, crop)
    rows = []
    with pillow_lic.settings(threads=1):
        for number in range(n + more):
            shares = KINDS if number < n else RARE
            kind = str(rng.choice(list(shares), p=list(shares.values())))
            picture = np.ascontiguousarray(_picture(kind, patches, seen, crop, rng))
            share, *ends = FINE
            quality = LOWEST + (HIGHEST - LOWEST) * ((number % 64) + rng.random()) / 64
            row = _restored(model, picture, rng.uniform(*ends) if rng.random() < share else quality, rng)
            if number < n or abs(least := _gained(*row[:3])) > 1e-6 and least < GAIN:
                rows.append((list(KINDS).index(kind), *row))
    kinds, originals, decoded, shown, steps, halved = (np.stack(column) for column in zip(*rows, strict=True))
    return Pairs(originals, decoded, shown, kinds, steps, halved)


def _gained(original: Pixels, decoded: Pixels, shown: Pixels) -> float:
    """Return the dB that a restored picture gained, of luma or of RGB, whichever is less."""
    rows = []
    for of in (lambda p: np.asarray(Image.fromarray(p).convert("L"), np.float32), lambda p: p.astype(np.float32)):
        before, after = (np.square(of(p) - of(original)).mean() + NOISE for p in (decoded, shown))
        rows.append(10 * np.log10(before / after))
    return float(min(rows))


def _pictures(folder: Path, crop: int) -> list[Pixels]:
    """Return the pictures in the folders of a folder that are large enough."""
    found = []
    for path in sorted(folder.glob("*/*")):
        with Image.open(path) as im:
            if min(im.size) >= crop:
                found.append(np.asarray(im.convert("RGB")))
    return found


def _picture(kind: str, patches: Patches, screens: list[Pixels], crop: int, rng: np.random.Generator) -> Pixels:
    if kind == "screen" and screens:
        whole = screens[int(rng.integers(len(screens)))]
        y, x = (int(rng.integers(0, length - crop + 1)) for length in whole.shape[:2])
        part = whole[y : y + crop, x : x + crop]
        part = part[:, ::-1] if rng.random() < 0.5 else part
        return part.transpose(1, 0, 2) if rng.random() < 0.3 else part
    if kind in ("drawing", "screen"):
        return drawing(crop, rng)
    if kind in MADE:
        return MADE[kind](crop, rng)
    if kind == "parts":
        names = list(KINDS)
        first = _picture(names[int(rng.integers(5))], patches, screens, crop, rng).copy()
        other = _picture(names[int(rng.integers(1, 5))], patches, screens, crop, rng)
        end = int(rng.integers(crop // 4, 3 * crop // 4))
        part = np.s_[:end] if rng.random() < 0.5 else np.s_[:, end:]
        first[part] = other[part]
        return first
    photograph = patches.crop(patches[int(rng.integers(patches.ends[-1]))], crop, rng)
    return CHANGED[kind](photograph, rng) if kind in CHANGED else photograph


def _restored(
    model: Model, picture: Pixels, quality: float, rng: np.random.Generator
) -> tuple[Pixels, Pixels, Pixels, npt.NDArray[np.uint8], bool]:
    tables = standard(quality)
    tables = bent(tables, rng) if rng.random() < BENT else tables
    halved, grey = bool(rng.random() < HALVED), rng.random() < GREY
    im = Image.fromarray(picture)
    if grey:
        im = im.convert("L")
        picture = np.asarray(im.convert("RGB"))
    file, qtables = io.BytesIO(), tables.astype(int).tolist()
    im.save(file, "JPEG", qtables=qtables[: 1 if grey else 2], subsampling=2 if halved else 0)
    data = file.getvalue()
    facts = jpeg.facts_of(data)
    decoded = restoration.decoded(model, data, facts)
    shown = np.empty_like(decoded.pixels)
    restoration.restored(model, decoded, shown.shape[:2], onto(shown))
    return picture, decoded.pixels, shown, facts.steps.astype(np.uint8), facts.halved[0]
