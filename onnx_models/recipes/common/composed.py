"""Pictures made by chance of many parts, so that a network that judges pictures sees kinds that nobody thought of.

fields 0..1 ─bent, folded, cut into steps─▶ masks and colours ─up to four layers─▶ blurred, in large pixels, of few colours, repeated
"""

from __future__ import annotations

import string
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from .drawings import Pixels
from .grounds import color_of, rounded

Levels = npt.NDArray[np.float64]


def composed(patch: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a picture (H,W,3) of the size of a photograph, which may be a part of it."""
    finer = 2 if rng.random() < 0.3 else 1
    size = patch.shape[0] * finer
    photograph = np.asarray(Image.fromarray(np.ascontiguousarray(patch)).resize((size, size)), float)
    layers = int(rng.choice([0, 1, 2, 3], p=[0.35, 0.35, 0.2, 0.1]))
    made = _colored(size, photograph, rng, plain=0.25 if layers else 0)
    for _ in range(layers):
        much = _bent(_field(size, photograph, rng), rng)[..., None] * rng.choice([0.15, 0.5, 1, 1])
        layer = _colored(size, photograph, rng, plain=0.25)
        if rng.random() < 0.2:
            layer = made * layer / 255 if rng.random() < 0.5 else made + layer - 128
        made = made * (1 - much) + much * layer
    if finer > 1:
        made = made.reshape(patch.shape[0], finer, patch.shape[0], finer, 3).mean((1, 3))
    return _treated(rounded(made), rng)


def _colored(size: int, photograph: Levels, rng: np.random.Generator, plain: float) -> Levels:
    """Return a layer (size,size,3): one colour (a share `plain`), a photograph, a field between two or among several, or three fields."""
    if rng.random() < plain:
        return np.zeros((size, size, 3)) + color_of(rng)
    kind = rng.random()
    if kind < 0.1:
        return photograph
    field = _bent(_field(size, photograph, rng), rng)
    if kind < 0.65:
        first, last = np.array(color_of(rng), float), np.array(color_of(rng), float)
        return first + (last - first) * field[..., None] * rng.choice([0.1, 0.3, 1, 1])
    if kind < 0.85:
        palette = np.array([color_of(rng) for _ in range(int(rng.integers(3, 9)))], float)
        at = field * (len(palette) - 1)
        if rng.random() < 0.5:
            return palette[np.rint(at).astype(int)]
        low = np.minimum(at.astype(int), len(palette) - 2)
        return palette[low] + (palette[low + 1] - palette[low]) * (at - low)[..., None]
    others = [_bent(_field(size, photograph, rng), rng) for _ in range(2)]
    return 255 * np.stack([field, *others], 2)


def _field(size: int, photograph: Levels, rng: np.random.Generator) -> Levels:
    """Return a field (size,size) in 0..1: one of FIELDS on straight, turned, curled or round coordinates; one in six is the sum of two."""
    y, x = np.mgrid[:size, :size] + rng.uniform(-size, size, 2)[:, None, None] * (rng.random() < 0.6)
    kind = rng.random()
    if kind < 0.35:
        angle = rng.uniform(0, 2 * np.pi)
        y, x = y * np.cos(angle) - x * np.sin(angle), y * np.sin(angle) + x * np.cos(angle)
    elif kind < 0.45:
        y, x = np.hypot(y - size / 2, x - size / 2), np.arctan2(y - size / 2, x - size / 2) * size / np.pi
    elif kind < 0.6:
        period, far = size / rng.uniform(0.5, 8), 2 ** rng.uniform(0, 5)
        y, x = y + far * np.sin(2 * np.pi * x / period), x + far * np.sin(2 * np.pi * y / period)
    if rng.random() < 0.1:
        made = photograph @ np.array([0.299, 0.587, 0.114]) / 255
    elif rng.random() < 0.1:
        made = _letters(size, rng)
    else:
        made = FIELDS[int(rng.integers(len(FIELDS)))](y, x, rng)
    if rng.random() < 1 / 6:
        made = made + rng.uniform(0.2, 1.5) * FIELDS[int(rng.integers(len(FIELDS)))](y, x, rng)
    made = made - made.min()
    return made / max(made.max(), 1e-9)


def _slope(y: Levels, x: Levels, _: np.random.Generator) -> Levels:
    return x.astype(float)


def _waves(y: Levels, x: Levels, rng: np.random.Generator) -> Levels:
    period = 2 ** rng.uniform(1.2, 7)
    return np.sin(2 * np.pi * x / period) * (np.sin(2 * np.pi * y / period) if rng.random() < 0.5 else 1)


def _rings(y: Levels, x: Levels, rng: np.random.Generator) -> Levels:
    away = (x - x.mean() * rng.uniform(0, 2)) ** 2 + (y - y.mean() * rng.uniform(0, 2)) ** 2
    return np.sqrt(away) if rng.random() < 0.5 else np.sin(away * 2 ** rng.uniform(-10, -4))


def _boxes(y: Levels, x: Levels, rng: np.random.Generator) -> Levels:
    """Return cells of a grid, with a height each; some are few heights, some a board of two."""
    high, wide = (2 ** rng.uniform(1, 6, 2)) if rng.random() < 0.4 else (2 ** rng.uniform(1, 5.5),) * 2
    i, j = np.floor(y / high).astype(int), np.floor(x / wide).astype(int)
    if rng.random() < 0.25:
        return (i + j) % 2.0
    heights = rng.random((61, 67))
    return np.round(heights * rng.choice([1, 2, 5, 100]))[i % 61, j % 67]


def _inside(y: Levels, x: Levels, rng: np.random.Generator) -> Levels:
    """Return what repeats in each cell of a grid: a saw, or dots."""
    edge = 2 ** rng.uniform(1.5, 6)
    down, across = (y / edge) % 1 - 0.5, (x / edge) % 1 - 0.5
    return across if rng.random() < 0.3 else 1 - np.hypot(down, across)


def _smooth(y: Levels, x: Levels, rng: np.random.Generator) -> Levels:
    """Return octaves of smooth chance."""
    fall, total = rng.uniform(0.25, 0.8), np.zeros(y.shape)
    for octave in range(1, int(rng.integers(2, 8))):
        grid = Image.fromarray(rng.normal(0, 1, (2**octave + 2,) * 2).astype(np.float32))
        total += fall**octave * np.asarray(grid.resize(y.shape, Image.Resampling.BICUBIC), float)
    return total


def _grains(y: Levels, x: Levels, rng: np.random.Generator) -> Levels:
    edge = int(rng.choice([1, 1, 2, 3, 4, 6]))
    n = -(-y.shape[0] // edge)
    return np.kron(rng.random((n, n)), np.ones((edge, edge)))[: y.shape[0], : y.shape[1]]


def _cells(y: Levels, x: Levels, rng: np.random.Generator) -> Levels:
    """Return what is near points of chance: their numbers, how far the nearest is, or how far the next is beyond it."""
    n = int(2 ** rng.uniform(1.5, 5.5))
    i, j = rng.integers(0, y.shape[0], (2, n))
    away = np.hypot(y[..., None] - y[i, j], x[..., None] - x[i, j])
    if (kind := rng.integers(3)) == 0:
        return away.argmin(2) / n
    near = np.partition(away, 1, 2)
    return near[..., 0] if kind == 1 else near[..., 1] - near[..., 0]


def _spots(y: Levels, x: Levels, rng: np.random.Generator) -> Levels:
    """Return lights that fade, small or large."""
    total = np.zeros(y.shape)
    for _ in range(int(2 ** rng.uniform(0, 5))):
        i, j = rng.integers(0, y.shape[0], 2)
        total += rng.random() * np.exp(-((y - y[i, j]) ** 2 + (x - x[i, j]) ** 2) / 2 ** rng.uniform(0, 11))
    return total


def _shapes(y: Levels, x: Levels, rng: np.random.Generator) -> Levels:
    """Return boxes and discs, one over the other."""
    total = np.zeros(y.shape)
    for _ in range(int(2 ** rng.uniform(0, 5))):
        i, j = rng.integers(0, y.shape[0], 2)
        a, b = 2 ** rng.uniform(1, 6.5, 2)
        down, across = np.abs(y - y[i, j]) / a, np.abs(x - x[i, j]) / b
        total[(np.hypot(down, across) if rng.random() < 0.4 else np.maximum(down, across)) < 1] = rng.random()
    return total


FIELDS: list[Callable[[Levels, Levels, np.random.Generator], Levels]] = [
    _slope,
    _waves,
    _rings,
    _boxes,
    _inside,
    _smooth,
    _grains,
    _cells,
    _spots,
    _shapes,
]


def _letters(size: int, rng: np.random.Generator) -> Levels:
    im = Image.new("L", (size, size))
    draw, tall = ImageDraw.Draw(im), int(rng.integers(8, 60))
    for row in range(0, size, int(tall * rng.uniform(1, 2)) + 1):
        letters = rng.choice(list(string.ascii_letters + string.digits + "    .,-"), 40)
        draw.text((int(rng.integers(-20, 20)), row), "".join(letters), fill=255, font=ImageFont.load_default(tall))
    return np.asarray(im, float)


def _bent(field: Levels, rng: np.random.Generator) -> Levels:
    """Return a field 0..1 as it is, by a power, folded, in steps, or cut in two, sharply or not."""
    kind = rng.integers(7)
    if kind == 1:
        return np.asarray(field**2 ** rng.uniform(-2, 2))
    if kind == 2:
        return np.asarray(0.5 + 0.5 * np.sin(field * 2 ** rng.uniform(1, 6)))
    if kind == 3:
        steps = int(2 ** rng.uniform(1, 5))
        return np.floor(field * (steps - 1e-6)) / max(steps - 1, 1)
    if kind in (4, 5):
        sharp = 2 ** rng.uniform(1, 9)
        return np.clip(0.5 + sharp * (field - np.quantile(field, rng.uniform(0.1, 0.9))), 0, 1)
    return field


def _treated(made: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a picture (H,W,3), some with a part repeated, in large pixels, blurred, of few colours, with grain or a plain frame."""
    size, im = made.shape[0], Image.fromarray(made)
    if rng.random() < 0.08:
        period = int(rng.integers(4, size))
        made = np.tile(made[:period, :period], (-(-size // period),) * 2 + (1,))[:size, :size]
        im = Image.fromarray(made)
    kind = rng.random()
    if kind < 0.17:
        edge, (top, left) = int(rng.integers(2, 17)), rng.integers(0, 8, 2)
        n = -(-size // edge) + 8
        small = im.resize((n, n), Image.Resampling.BOX if rng.random() < 0.5 else Image.Resampling.NEAREST)
        large = np.asarray(small).repeat(edge, 0).repeat(edge, 1)
        im = Image.fromarray(large[top : top + size, left : left + size])
    elif kind < 0.27:
        im = im.filter(ImageFilter.GaussianBlur(2 ** rng.uniform(-1, 3.5)))
    if rng.random() < 0.12:
        dither = Image.Dither.FLOYDSTEINBERG if rng.random() < 0.4 else Image.Dither.NONE
        im = im.quantize(int(2 ** rng.uniform(1, 6)), dither=dither).convert("RGB")
    made = np.array(im)
    if rng.random() < 0.12:
        made = rounded(made + rng.normal(0, 2 ** rng.uniform(-1, 4), (size, size, int(rng.choice([1, 3])))))
    if rng.random() < 0.12:
        top, left = (int(v) for v in rng.integers(0, size // 2, 2))
        made[:top] = made[:, :left] = color_of(rng)
    return made
