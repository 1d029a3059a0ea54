"""The float networks as functions: analysis, latents (hyper-analysis inside), synthesis. The means are in `residuals`.

None of them can lose a stream: they run before the symbols are coded or after they are parsed. Arrays carry no batch axis
here; sizes are those of one tile, (h, w) = latents of 16x16 pixels, padded to multiples of 4 except in `synthesis`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...engine import runtime
from ...engine.models import ModelSpec
from . import passes
from .symbols import STRIDE

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

STRIP = 16
"""Rows of latents whose pixels the last layers make in one go."""
DETAIL_REACH = 1
"""Rows of latents around a strip that decide its pixels: a mean and three convolutions of 3x3 at 1/2 reach 8 pixels."""


class Trunk(NamedTuple):
    """What the analysis gives before it knows the quality: features (C, 2h, 2w) and the linear path (M, h, w)."""

    features: Floats
    linear: Floats


def analysis(spec: ModelSpec, pixels: Pixels) -> Trunk:
    """Pixels (H, W, 3) uint8, H and W multiples of 64 -> trunk. The costly half, independent of the quality."""
    features, linear = runtime.run(spec, "analysis", {"pixels": pixels})
    return Trunk(features[0], linear[0])


def latents(spec: ModelSpec, trunk: Trunk, level: Floats) -> tuple[Floats, Floats]:
    """Trunk and level field (h, w) -> y (M, h, w) in quantiser steps, z_hat (Z, h/4, w/4) integers in -127..127."""
    feeds = {"trunk": trunk.features[None], "linear": trunk.linear[None], "level": level[None, None]}
    z_hat, y = runtime.run(spec, "latents", feeds)
    return y[0], z_hat[0]


def synthesis(spec: ModelSpec, y_hat: Floats, level: Floats) -> Pixels:
    """y_hat (M, h, w), any h and w >= 1, and level field (h, w) -> pixels (16 h, 16 w, 3) uint8.

    The layers that see single pixels work on strips of them: at once they would take more memory than all the others.
    """
    field = level[None, None]
    picture, context = runtime.run(spec, "synthesis", {"y_hat": y_hat[None], "level": field})
    rows, columns = level.shape
    pixels = np.empty((STRIDE * rows, STRIDE * columns, 3), np.uint8)
    for top in range(0, rows, STRIP):
        bottom = min(top + STRIP, rows)
        first, last = max(top - DETAIL_REACH, 0), min(bottom + DETAIL_REACH, rows)
        seen = {"picture": picture[:, :, 8 * first : 8 * last], "context": context[:, :, 2 * first : 2 * last]}
        cells = runtime.run(spec, "detail", seen | {"level": field[:, :, first:last]})[0][0]
        _spread(cells[:, 8 * (top - first) : 8 * (bottom - first)], pixels[STRIDE * top : STRIDE * bottom])
    return pixels


def _spread(cells: Pixels, pixels: Pixels) -> None:
    """Pixels by color, row and column of their cell of 2x2 (12, h, w) -> (2h, 2w, 3), a plane at a time: quicker than any transposition."""
    for channel, plane in enumerate(cells):
        color, row, column = channel // 4, channel // 2 % 2, channel % 2
        pixels[row::2, column::2, color] = plane


def draft_latents(spec: ModelSpec, z_hat: Floats, v: Floats, level: Floats, inside: tuple[int, int]) -> Floats:
    """An estimate of what `residuals.reconstruct` makes of the same, good enough for `draft`, in half the time."""
    feeds = {"z_hat": z_hat, "v": v, "level": level[None], "cells": passes.cells(level.shape, inside)}
    first = runtime.run(spec, "draft_means", {k: a[None] for k, a in feeds.items()})[0][0]
    return np.concatenate([first, v[len(first) :]])


def draft(spec: ModelSpec, scale: int, y_hat: Floats, level: Floats) -> Pixels:
    """y_hat (M, h, w) and level field (h, w) -> pixels (16 h / scale, 16 w / scale, 3) uint8, near the mean of the full ones."""
    feeds = {"y_hat": y_hat[None], "level": level[None, None]}
    pixels: Pixels = runtime.run(spec, f"draft_{scale}", feeds)[0][0]
    return pixels
