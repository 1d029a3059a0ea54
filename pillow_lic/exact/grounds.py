"""The smooth grounds beneath letters: of every block that has something on one, the plane through the pixels of the ground.

Where letters leave few flat pixels, as dense and bold ones do, the plane of a block beside goes on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import pixelwise
from .blockwise import BLOCK

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

_FLAT = 2
"""Levels to each neighbour up to which a pixel is flat."""
_LEAST_GROUND, _LEAST_BESIDE = 0.35, 0.1
"""Share of a block's pixels that must be ground, and where the plane of a block beside tells which they are."""
_LEAST_CONTRAST = 500.0
"""Contrast, in levels, of a block that has more than ground."""
_NEAR, _NOISE = 2.0, 0.8
"""Levels from the plane up to which a pixel is ground, and the most that the ground may differ from it (RMS): sensors make more noise."""
_BAND = 12.0
"""Levels around the commonest flat level within which pixels begin the plane."""
_ROUNDS = 2
"""Blocks in a row over which a plane goes on."""
_TRUST = 0.15
"""Weight of every pixel of a plane that goes on, where one of the ground has 1."""
_ONE_COLOR = 1.0
"""Levels within a block below which a ground is of one colour."""
_BESIDE = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if row or column]


class Ground(NamedTuple):
    """Blocks (n) of a square by raster index, their pixels and the ground beneath (n, 256, C), and which pixels (n, 256) are none of it.

    even: whether the ground is of one colour.
    """

    places: Places
    pixels: Floats
    ground: Floats
    foreground: Mask
    even: Mask


class _Fit(NamedTuple):
    """Planes of blocks (n, 3, C): at the middle, and from the first row to the row after the last, and as much for columns.

    weights: which pixels (n, 256) are ground. smooth: where that is enough of them, with little noise.
    """

    planes: Floats
    weights: Mask
    smooth: Mask


def smooth(colors: Pixels, taken: Mask | None) -> Ground:
    """Return the blocks of a square of whole blocks (h, w, 1 or 3) that have contrast, on grounds that are planes.

    taken: blocks that are left out where their ground is of one colour.
    """
    is_flat = pixelwise.flat(colors, _FLAT)
    busy = pixelwise.contrast(colors) >= _LEAST_CONTRAST
    known = pixelwise.marked(is_flat) >= _LEAST_GROUND * BLOCK**2
    near = _spread(busy)
    places = np.flatnonzero(known & near)
    fit = _fitted(colors, places, _at(is_flat, places))
    planes = np.zeros((busy.size, 3, colors.shape[2]), np.float32)
    has_plane = np.zeros(busy.shape, np.bool_)
    planes[places[fit.smooth]] = fit.planes[fit.smooth]
    has_plane.ravel()[places[fit.smooth]] = True
    wanted = fit.smooth & busy.ravel()[places] & ~fit.weights.all(1)
    found = [(places[wanted], fit.planes[wanted], fit.weights[wanted])]
    for _ in range(_ROUNDS):
        places, beside = _continued(colors, planes, has_plane, busy)
        planes[places], has_plane.ravel()[places] = beside.planes, True
        found.append((places, beside.planes, beside.weights))
    places, fitted, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
    even = ((BLOCK - 1) / BLOCK * np.abs(fitted[:, 1:]).sum(1) < _ONE_COLOR).all(1)
    if taken is not None:
        kept = taken[: busy.shape[0], : busy.shape[1]].ravel()[places]
        stays = ~kept | ~even
        places, fitted, weights, even = places[stays], fitted[stays], weights[stays], even[stays]
    return Ground(places, at(colors, places), _BASIS @ fitted, ~weights, even)


def joined(one: Ground, other: Ground) -> Ground:
    """Return the blocks of both."""
    return Ground(
        np.concatenate([one.places, other.places]),
        np.concatenate([one.pixels, other.pixels]),
        np.concatenate([one.ground, other.ground]),
        np.concatenate([one.foreground, other.foreground]),
        np.concatenate([one.even, other.even]),
    )


def are_even(ground: Floats) -> Mask:
    """Return which grounds (n, 256, C) are of one colour."""
    even: Mask = (np.ptp(ground, 1) < _ONE_COLOR).all(1)
    return even


def blocks_of(plane: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Return the blocks (rows, columns, 16, 16, ...) of a plane of whole ones, as a view."""
    rows, columns = (side // BLOCK for side in plane.shape[:2])
    cut = plane.reshape(rows, BLOCK, columns, BLOCK, *plane.shape[2:])
    return np.moveaxis(cut, 2, 1)


def largest(values: Floats) -> Floats:
    """Return the largest of the channels of values (n, 256, C)."""
    result: Floats = values[:, :, 0]
    for channel in range(1, values.shape[2]):
        result = np.maximum(result, values[:, :, channel])
    return result


def _basis() -> Floats:
    """Return the three planes (256, 3) that all others are made of."""
    row, column = (place.ravel() / BLOCK - 0.5 for place in np.mgrid[:BLOCK, :BLOCK])
    return np.stack([np.ones_like(row), row, column], 1).astype(np.float32)


_BASIS = _basis()


def _spread(blocks: Mask) -> Mask:
    """Return the flags of blocks and of those beside them."""
    whole = np.pad(blocks, 1)
    height, width = blocks.shape
    parts = [whole[1 + row : 1 + row + height, 1 + column : 1 + column + width] for row, column in _BESIDE]
    spread: Mask = blocks | np.logical_or.reduce(parts)
    return spread


def at(plane: npt.NDArray[np.generic], places: Places) -> Floats:
    """Return blocks of a plane (h, w, ...) of whole ones by raster index: (n, 256, ...)."""
    return _at(plane, places).astype(np.float32)


def _at(plane: npt.NDArray[Any], places: Places) -> npt.NDArray[Any]:
    """Return the same as they are."""
    rows, columns = np.divmod(places, plane.shape[1] // BLOCK)
    return blocks_of(plane)[rows, columns].reshape(len(places), BLOCK**2, *plane.shape[2:])


def _fitted(colors: Pixels, places: Places, flat: Mask) -> _Fit:
    """Return the planes through the ground of blocks (n) whose flat pixels (n, 256) are ground or letters."""
    middle = _at(colors[:, :, colors.shape[2] // 2], places)
    weights = flat & (np.abs(middle - _commonest(middle, flat)[:, None]) <= _BAND)
    for _ in range(3):
        planes = pixelwise.fitted_planes(colors, places, weights)
        weights, noise = pixelwise.near_planes(colors, places, planes, _NEAR)
    return _Fit(planes, weights, (weights.mean(1) >= _LEAST_GROUND) & (noise <= _NOISE**2))


def _continued(colors: Pixels, planes: Floats, has_plane: Mask, busy: Mask) -> tuple[Places, _Fit]:
    """Return the busy blocks without a plane (n) where that of one beside goes on, and the planes that fit it and their own ground."""
    whole = np.pad(has_plane, 1)
    height, width = busy.shape
    places = np.flatnonzero(busy & ~has_plane & _spread(has_plane))
    most = np.zeros(len(places), np.intp)
    best = np.zeros((len(places), 3, colors.shape[2]), np.float32)
    for row, column in _BESIDE:
        there = whole[1 + row : 1 + row + height, 1 + column : 1 + column + width].ravel()[places]
        on = planes[places[there] + row * width + column].copy()
        on[:, 0] -= row * on[:, 1] + column * on[:, 2]
        count = pixelwise.near_planes(colors, places[there], on, _NEAR)[0].sum(1)
        index = np.flatnonzero(there)
        better = count > most[index]
        most[index[better]], best[index[better]] = count[better], on[better]
    weights, noise = pixelwise.near_planes(colors, places, best, _NEAR)
    for _ in range(2):
        best = pixelwise.fitted_planes(colors, places, weights, best, _TRUST)
        weights, noise = pixelwise.near_planes(colors, places, best, _NEAR)
    stays = (weights.mean(1) >= _LEAST_BESIDE) & (noise <= _NOISE**2)
    return places[stays], _Fit(best[stays], weights[stays], stays[stays])


def _commonest(levels: Pixels, among: Mask) -> Floats:
    """Return the level (n) in whose neighbourhood most of the marked levels (n, p) lie."""
    bins = (levels >> 3) + 32 * np.arange(len(levels))[:, None]
    counts = np.bincount(bins[among], minlength=32 * len(levels)).reshape(-1, 32)
    counts[:, :-1] += counts[:, 1:]
    commonest: Floats = (8 * (counts.argmax(1) + 1)).astype(np.float32)
    return commonest
