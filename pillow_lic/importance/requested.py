"""The map of deltas that a caller's mask, boxes, "auto" or "semantic" ask for (FORMAT.md, section 5.2; Li 2018, Balle-Li, MS-ROI).

A file may carry a map of deltas, one signed byte for every latent (16x16 pixels), in steps of 8 levels. Where it is
positive the quantiser step is finer, as if that place had a higher quality.

    mask, boxes, "auto", "semantic" ──▶ shift of every latent, mean 0 ──fitted──▶ deltas ──pack──▶ importance section
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..fileformat.importance_map import CELL, STEP, Deltas, Map, pack, shape_of
from ..fileformat.limits import MAX_LEVEL
from . import automatic, semantic
from .places import LEGAL_PLACES, LEGAL_ROI, are_boxes, box_shown, boxes

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[Any]
Box = tuple[float, ...]

SPAN = 4.0
"""Points of quality between the least and the most important place of a mask."""
AUTO_REACH = 256
"""Levels that importance="auto" may move a place by, in either direction, before the mean is taken off."""

MAP_SHARE, LEAST_MAP_BYTES, REMADE_SHARE = 0.0095, 64, 0.01
"""The share of the file that a map may cost, the bytes it always may if the user named the places, and the share above which
it is made anew."""
COARSER = ((1, 1), (1, 2), (1, 4), (1, 8), (1, 12), (1, 16)) + tuple(
    (c, s) for c in (2, 3, 4, 6, 8) for s in (8, 12, 16)
)
"""Ever coarser forms of a map, tried in turn: latents of a cell each way, and units between two of its values."""


@dataclass(frozen=True, eq=False)
class Requested:
    """The places that an encoder is asked to prefer.

    given: deltas taken as they are. shift: in units, with mean 0. named: whether the user named places.
    """

    given: Deltas
    shift: Floats
    named: bool

    def deltas(self, expected: float) -> Deltas | None:
        """Return the deltas for a file of about `expected` bytes, or None when all places are alike.

        The map is made so coarse that it costs less than a percent of the file.
        """
        fitted = _fitted(self.shift, MAP_SHARE * expected, self.named)
        deltas: Deltas = (self.given.astype(np.int16) + fitted).clip(-128, 127).astype(np.int8)
        return deltas if deltas.any() else None


def request(roi: Mask | Sequence[Box] | None, wanted: Mask | Map | float | str | None, rgb: Pixels) -> Requested:
    """Return what the options ask for; what finds "auto" and "semantic" places runs here, once for all sizes of the file.

    roi: a mask (H, W), uint8 0..255 or numbers 0..1, white being most important; or boxes (left, upper, right, lower[, weight
    0..1]) in pixels, as `EncodeOptions` has checked them or as the rows of an array (`places.are_boxes`). wanted: such a
    mask; the strength 0..1 of the map that the content of the picture (H, W, 3) asks for; "semantic" for the things in
    it; or int8 deltas, which are taken as they are. Both together add up.

    A full span of a mask is SPAN points of quality. The mean over the picture is kept at the quality asked for, so that
    bits move; the file grows all the same, the more the larger the finer part. Raises ValueError naming what is wrong and what is legal.
    """
    height, width = rgb.shape[:2]
    points = np.zeros(shape_of(height, width), np.float32)
    given = np.zeros(points.shape, np.int8)
    if isinstance(wanted, (int, float)):
        points += wanted * AUTO_REACH * 9 / MAX_LEVEL * automatic.values(rgb)
    elif isinstance(wanted, str):
        points += SPAN / 2 * semantic.values(rgb)
    elif wanted is not None:
        asked = np.asarray(wanted)
        if asked.dtype == np.int8:
            given = _deltas(asked, height, width)
        else:
            points += SPAN * _blocks(_mask(asked, "importance", height, width))
    if roi is not None:
        points += SPAN * _blocks(named_mask(roi, "roi", height, width, weighted=True))
    named = roi is not None or not isinstance(wanted, (int, float, str))
    return Requested(given, (points - points.mean()) * (MAX_LEVEL / 9 / STEP), named)


def named_mask(places: Mask | Sequence[Box], name: str, height: int, width: int, *, weighted: bool = False) -> Floats:
    """Return the mask (H, W), 0..1, of places given by an option: a mask, or boxes as `request` takes them.

    weighted: a box may have a weight. ValueError naming the option, what is wrong and what is legal.
    """
    if isinstance(places, np.ndarray) and are_boxes(places):
        places = boxes(name, places.tolist(), LEGAL_ROI if weighted else LEGAL_PLACES, weighted=weighted)
    return _mask(places, name, height, width) if isinstance(places, np.ndarray) else _boxed(places, name, height, width)


def _fitted(shift: Floats, budget: float, named: bool) -> Deltas:
    """Return the deltas nearest to a shift (h, w), in units, whose payload has at most `budget` bytes.

    Where no form is that small, a map that the user named is written all the same; any other is left out: all deltas are 0.
    """
    for cell, step in COARSER:
        means = _means(shift, cell).repeat(cell, 0).repeat(cell, 1)[: shift.shape[0], : shift.shape[1]]
        deltas: Deltas = (step * np.rint(means / step)).clip(-128, 127).astype(np.int8)
        if len(pack(deltas)) <= (max(budget, LEAST_MAP_BYTES) if named else budget):
            return deltas
    return deltas if named else np.zeros_like(deltas)


def _deltas(value: Mask, height: int, width: int) -> Deltas:
    """Return deltas, one for every latent, as they are; ValueError for those of a picture of another size."""
    shape = shape_of(height, width)
    if value.shape != shape:
        msg = f"importance map must have {shape} values, one for every 16x16 pixels of the picture, got {value.shape}"
        raise ValueError(msg)
    return value


def _mask(given: Mask, name: str, height: int, width: int) -> Floats:
    """Return a mask (height, width) of uint8, bool or numbers 0..1 as 0..1; ValueError for another shape, type or value."""
    if given.shape != (height, width):
        msg = f"{name} mask must have the shape of the picture, ({height}, {width}), got {given.shape}"
        if given.shape[1] in (4, 5):
            msg += f" of {given.dtype}: an array of boxes has numbers above 1 and is not uint8 or bool"
        raise ValueError(msg)
    if given.dtype.kind not in "buif":
        msg = f"{name} mask must be uint8 or numbers 0-1, got an array of {given.dtype}"
        raise ValueError(msg)
    mask: Floats = given.astype(np.float32) / np.float32(255 if given.dtype == np.uint8 else 1)
    if not (np.isfinite(mask).all() and mask.min() >= 0 and mask.max() <= 1):
        msg = f"{name} mask must be uint8 or numbers 0-1, got {given.dtype} from {given.min()} to {given.max()}"
        raise ValueError(msg)
    return mask


def _boxed(places: Sequence[Box], name: str, height: int, width: int) -> Floats:
    """Return the mask (height, width) of boxes, 0..1, each widened to whole latents: a latent that shows in a box counts as inside."""
    mask = np.zeros((height, width), np.float32)
    for box in places:
        left, upper, right, lower = box[:4]
        weight = box[4] if len(box) > 4 else 1.0
        if left < 0 or upper < 0 or right > width or lower > height:
            msg = f"{name} box must lie inside the picture of {width}x{height} pixels, got {box_shown(box[:4])}"
            raise ValueError(msg)
        x0, y0 = (int(v // CELL) * CELL for v in (left, upper))
        x1, y1 = (math.ceil(v / CELL) * CELL for v in (right, lower))
        area = mask[y0:y1, x0:x1]
        np.maximum(area, weight, out=area)
    return mask


def _blocks(mask: Floats) -> Floats:
    """Return the mean of a mask (h, w) over the 16x16 pixels of every latent."""
    return _means(mask, CELL)


def _means(values: Floats, cell: int) -> Floats:
    """Return the means of values (h, w) over cells of so many each way, with those of the right and bottom edge repeated where they lack."""
    down, right = -values.shape[0] % cell, -values.shape[1] % cell
    filled = np.pad(values, ((0, down), (0, right)), "edge")
    rows, columns = filled.shape[0] // cell, filled.shape[1] // cell
    result: Floats = filled.reshape(rows, cell, columns, cell).mean((1, 3))
    return result
