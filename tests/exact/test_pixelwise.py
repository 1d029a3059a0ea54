"""What native code does pixel by pixel for the exact layer, against numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from pillow_lic import _native
from pillow_lic.exact import pixelwise
from pillow_lic.fileformat import squares

Pixels = npt.NDArray[np.uint8]
SHAPES = [(1, 1), (1, 7), (16, 16), (37, 50), (33, 16)]


def noise(height: int, width: int, channels: int, levels: int = 256) -> Pixels:
    return np.random.default_rng(height * width + channels).integers(0, levels, (height, width, channels), np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_sums_over_blocks(shape: tuple[int, int], channels: int) -> None:
    one, other = noise(*shape, channels), noise(*shape, channels, 99)
    wanted = squares.sums(np.square(one.astype(np.float32) - other).sum(2), 16) / np.float32(channels)
    assert (pixelwise.errors(one, other) == wanted).all()
    apart = squares.sums(one.astype(np.int64) - other, 8)
    shifts = squares.sums(np.square(apart).sum(2) / squares.counts(shape, 8), 2) / channels
    assert np.allclose(pixelwise.visible_errors(one, other), wanted + 2 * shifts, rtol=1e-5)
    levels, steps = one.astype(np.int64), np.zeros(shape, np.int64)
    steps[:, 1:] += np.abs(np.diff(levels, axis=1)).sum(2)
    steps[1:] += np.abs(np.diff(levels, axis=0)).sum(2)
    assert (pixelwise.contrast(one) == squares.sums(steps, 16) / np.float32(channels)).all()
    assert (pixelwise.marked(one[:, :, 0] > 99) == squares.sums(one[:, :, 0] > 99, 16)).all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_neighbours_of_every_pixel(shape: tuple[int, int], channels: int) -> None:
    pixels = noise(*shape, channels, 6)
    levels = np.pad(pixels.astype(np.int64), ((2, 2), (2, 2), (0, 0)), constant_values=-1)
    middle = levels[2:-2, 2:-2]

    def beside(row: int, column: int) -> npt.NDArray[np.int64]:
        return levels[2 + row : 2 + row + shape[0], 2 + column : 2 + column + shape[1]]

    near = [beside(*place) for place in ((0, 1), (1, 0), (0, -1), (-1, 0))]
    far = [beside(*place) for place in ((0, 2), (2, 0), (0, -2), (-2, 0))]
    steps = [np.where(other < 0, 0, np.abs(other - middle)).max(2) for other in near]
    assert (pixelwise.flat(pixels, 2) == (np.max(steps, 0) <= 2)).all()
    within, ends = pixelwise.strokes(pixels, 2, 2, 4)
    assert (within == (sum((other == middle).all(2).astype(int) for other in near) >= 2)).all()
    assert (ends == (np.max([np.where(other < 0, 0, np.abs(other - middle)).max(2) for other in far], 0) >= 4)).all()


def test_numbers_that_differ() -> None:
    for numbers in (np.zeros(0, np.uint32), np.random.default_rng(1).integers(0, 2**32, 9999, np.uint32) & 0xFFFF0FFF):
        found = pixelwise.distinct(numbers)
        kinds, places, counts = np.unique(numbers, return_inverse=True, return_counts=True)
        assert all((one == other).all() for one, other in zip(found, (kinds, places, counts), strict=True))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("limit", [0, 30, 3000])
def test_colours_that_stay_and_the_nearest_of_them(limit: int, channels: int) -> None:
    kinds = noise(1, 600, channels)[0]
    order = np.random.default_rng(2).permutation(600)
    distances = np.square(kinds[:, None].astype(np.int64) - kinds).sum(2)
    chosen = list(order[:5])
    for row in order[5:]:
        if len(chosen) < 50 and (distances[row, chosen] > limit).all():
            chosen.append(row)
    assert (pixelwise.leaders(kinds, order, 5, limit, 50) == chosen).all()
    assert (pixelwise.leaders(kinds, order, 5, limit, 3) == order[:5]).all()
    assert (pixelwise.nearest(kinds, kinds[chosen]) == distances[:, chosen].argmin(1)).all()


def doubled(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    for axis in (0, 1):
        length = values.shape[axis]
        here = np.arange(2 * length) // 2
        beside = np.clip(here + np.where(np.arange(2 * length) % 2, 1, -1), 0, length - 1)
        values = np.float32(0.75) * values.take(here, axis) + np.float32(0.25) * values.take(beside, axis)
    return values


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [*SHAPES, (64, 90)])
def test_a_ground_goes_on_between_the_middles_of_squares(shape: tuple[int, int], channels: int) -> None:
    pixels, gone = noise(*shape, channels), noise(*shape, 1)[:, :, 0] < 200
    gone[:, 30:70] = True
    means = np.random.default_rng(3).random((-(-shape[0] // 16), -(-shape[1] // 16), channels), np.float32) * 255
    marks = (~gone[:, :, None]).astype(np.float32)
    levels = [(pixels * marks, marks)]
    for _ in range(3):
        levels.append((squares.sums(levels[-1][0], 2), squares.sums(levels[-1][1], 2)))
    smooth = means
    for sums, counts in reversed(levels):
        height, width = counts.shape[:2]
        smooth = np.where(counts > 0, sums / np.maximum(counts, 1), doubled(smooth)[:height, :width])
    assert (pixelwise.continued(pixels, gone, means) == np.rint(smooth)).all()


def test_planes_through_marked_pixels() -> None:
    pixels = noise(32, 48, 3)
    places, among = np.array([5, 0, 3]), np.random.default_rng(4).random((3, 256)) < 0.4
    row, column = (place.ravel() / 16 - 0.5 for place in np.mgrid[:16, :16])
    basis = np.stack([np.ones_like(row), row, column], 1)
    blocks = pixels.reshape(2, 16, 3, 16, 3).swapaxes(1, 2).reshape(6, 256, 3)[places]
    wanted = [
        np.linalg.lstsq(basis[flags], block[flags].astype(float))[0] for block, flags in zip(blocks, among, strict=True)
    ]
    planes = pixelwise.fitted_planes(pixels, places, among)
    assert np.allclose(planes, wanted, atol=0.02)
    away = np.abs(blocks - basis @ planes).max(2)
    near, noise_of = pixelwise.near_planes(pixels, places, planes, 90)
    assert (near == (away <= 90)).all()
    assert np.allclose(noise_of, [np.square(one[one <= 90]).mean() for one in away], rtol=1e-4)
    prior = planes + np.float32(9)
    held = pixelwise.fitted_planes(pixels, places, np.zeros_like(among), prior, 0.15)
    assert np.allclose(held, prior, atol=0.1)


@pytest.mark.parametrize(
    "call",
    [
        lambda: _native.continued(
            np.zeros((9, 9, 3), np.uint8), np.zeros((9, 8), np.bool_), np.zeros((1, 1, 3), np.float32)
        ),
        lambda: _native.continued(
            np.zeros((17, 9, 3), np.uint8), np.zeros((17, 9), np.bool_), np.zeros((1, 1, 3), np.float32)
        ),
        lambda: _native.contrast(np.zeros((9, 0, 3), np.uint8)),
        lambda: _native.flat(np.zeros((9, 9, 5), np.uint8), 2),
        lambda: _native.leaders(np.zeros((9, 3), np.uint8), np.array([9]), 0, 1, 5),
        lambda: _native.nearest(np.zeros((9, 3), np.uint8), np.zeros((9, 1), np.uint8)),
        lambda: _native.squared_errors(np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9, 1), np.uint8)),
        lambda: _native.squared_shifts(np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9, 1), np.uint8)),
        lambda: _native.strokes(np.zeros((9, 9, 3), np.uint8), 2, 0, 9),
        lambda: _native.near_planes(np.zeros((16, 31, 3), np.uint8), np.array([1]), np.zeros((1, 3, 3), np.float32), 1),
        lambda: _native.near_planes(np.zeros((16, 32, 3), np.uint8), np.array([1]), np.zeros((2, 3, 3), np.float32), 1),
        lambda: _native.fit_planes(
            np.zeros((16, 32, 3), np.uint8), np.array([-1]), np.zeros((1, 256), np.bool_), None, 0
        ),
        lambda: _native.fit_planes(
            np.zeros((16, 32, 3), np.uint8), np.array([1]), np.zeros((1, 255), np.bool_), None, 0
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="must|there are"):
        call()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", SHAPES)
def test_pixels_of_two_pictures(shape: tuple[int, int], channels: int) -> None:
    one, other = noise(*shape, channels), noise(*shape, channels, 99)
    marked = one[:, :, 0] > 60
    assert (pixelwise.chosen(marked, one, other) == np.where(marked[:, :, None], one, other)).all()
    squared = np.square(one.astype(np.float32) - other).sum(2) * marked
    assert (pixelwise.errors_of_marked(marked, one, other) == squares.sums(squared, 16) / np.float32(channels)).all()
    sums, counts = pixelwise.sums_of_others(one, marked)
    assert (sums == squares.sums(one * ~marked[:, :, None], 16)).all()
    assert (counts[:, :, 0] == squares.sums(~marked, 16)).all()
    wanted = sum(one[:, :, c].astype(np.uint32) << 8 * (channels - 1 - c) for c in range(channels))
    assert (pixelwise.packed(one) == wanted).all()
    with pytest.raises(ValueError, match="rows of flags"):
        pixelwise.chosen(np.zeros((shape[0] + 1, shape[1]), np.bool_), one, other)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_lies_beside_colours(shape: tuple[int, int]) -> None:
    pixels = noise(*shape, 3, 3) * np.uint8(30)
    within = noise(*shape, 1)[:, :, 0] > 99
    kinds = np.array([[0, 30, 60], [30, 30, 30]], np.uint8)
    own, counts = pixelwise.beside_kinds(pixels, within, kinds, 30, 59)
    for kind, color in enumerate(kinds):
        its_own = within & (pixels == color).all(2)
        assert ((own >> kind & 1).astype(np.bool_) == its_own).all()
        around = np.pad(its_own, 1)
        beside = np.any([around[y : y + shape[0], x : x + shape[1]] for y in range(3) for x in range(3)], 0)
        distances = np.abs(pixels[beside].astype(int) - color).max(1, initial=0)
        wanted = [
            (distances > 0).sum(),
            ((distances > 0) & (distances <= 30)).sum(),
            ((distances > 0) & (distances <= 59)).sum(),
        ]
        assert (counts[kind] == wanted).all()
    with pytest.raises(ValueError, match="32 kinds"):
        pixelwise.beside_kinds(pixels, within, np.zeros((33, 3), np.uint8), 30, 59)


def test_inks_that_cover_a_ground() -> None:
    rng = np.random.default_rng(3)
    ground = np.stack([np.full((256, 3), level, np.float32) for level in (200, 90, 40)])
    inks = np.array([[10, 20, 30], [250, 240, 20]], np.float32)
    cover = rng.choice([0, 0, 77, 255], (3, 256)).astype(np.uint8)
    share = cover[:, :, None] / np.float32(255)
    pixels = np.rint(ground + share * (inks[[0, 1, 1]][:, None] - ground)).astype(np.float32)
    pixels[2] = rng.integers(0, 255, (256, 3))  # what no ink explains
    foreground = np.abs(pixels - ground).max(2) > 2
    contrasts = (np.abs(pixels - ground).max(2) * foreground).astype(np.float32)
    limits = {"tolerance": 3.0, "explained": 0.9, "seen": 1, "most": 2}
    ink, found, explained, cores = pixelwise.blended_inks(pixels, ground, foreground, contrasts, inks, **limits)
    assert explained.tolist() == [True, True, False]
    assert not found[2].any()
    assert not ink[2].any()
    assert np.abs(found[:2].astype(int) - cover[:2]).max() <= 2
    assert (ink[:2][found[:2] > 0] == inks.repeat(256, 0).reshape(2, 256, 3)[found[:2] > 0]).all()
    assert (cores[:2] == (found[:2] == 255).sum(1)).all()
    assert cores[2] == 0


def test_cells_that_vary() -> None:
    pixels = noise(2, 256, 3, 12).astype(np.float32)
    ground = np.full_like(pixels, 5)
    cells = (pixels - ground).reshape(2, 4, 4, 4, 4, 3)
    wanted = (np.ptp(cells, (2, 4)) >= 11).any(3).repeat(4, 1).repeat(4, 2).reshape(2, 256)
    assert 0 < wanted.mean() < 1
    assert (pixelwise.varying(pixels, ground, 4, 11) == wanted).all()
    with pytest.raises(ValueError, match="divide 16"):
        pixelwise.varying(pixels, ground, 5, 11)
