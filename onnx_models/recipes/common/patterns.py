"""More pictures made by code that a restorer may make worse than their JPEG files are, and photographs that were changed before.

boards, stripes and plaids; codes; cells; clouds; balls in a light; photographs: blurred, enlarged, of few or of false colours
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from .drawings import Pixels
from .grounds import color_of, rounded

Levels = npt.NDArray[np.float64]


def pattern(size: int, rng: np.random.Generator) -> Pixels:
    """Return boards, stripes and plaids (size,size,3): of two to five colours, hard or soft, straight or turned, some with grain."""
    turn = 0.0 if rng.random() < 0.6 else rng.uniform(0, np.pi)
    y, x = np.mgrid[:size, :size] + rng.uniform(0, 40, 2)[:, None, None]
    across = [x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)]
    made = np.zeros((size, size, 3)) + color_of(rng)
    board = rng.random() < 0.4
    for number in range(1 if board else int(rng.integers(1, 5))):
        period, share = 2 ** rng.uniform(1.5, 6.5), rng.uniform(0.2, 0.8)
        waves = [np.sin(2 * np.pi * a / period) for a in across]
        wave = waves[0] * waves[1] if board else waves[number % 2] + 1 - 2 * share
        sharp = rng.choice([0.5, 1, 3, 1000])
        much = np.clip(0.5 + sharp * wave / 2, 0, 1)[..., None] * (1 if board else rng.choice([0.5, 1]))
        made = made * (1 - much) + much * color_of(rng)
    if rng.random() < 0.25:
        made = made + rng.normal(0, 2 ** rng.uniform(-1, 3), (size, size, 1))
    return rounded(made)


def cells(size: int, rng: np.random.Generator) -> Pixels:
    """Return cells (size,size,3) of one colour each, those next to one of a few points; half with lines between them."""
    n = int(2 ** rng.uniform(1, 5.5))
    points = rng.uniform(0, size, (n, 2))
    y, x = np.mgrid[:size, :size]
    away = np.hypot(y[..., None] - points[:, 0], x[..., None] - points[:, 1])
    colors = np.array([color_of(rng) for _ in range(n)], float)
    if rng.random() < 0.4:
        colors = colors[0] + (colors - colors[0]) * rng.uniform(0.02, 0.3)
    made = colors[away.argmin(2)]
    nearest = np.partition(away, 1, 2)[..., :2] if n > 1 else np.stack([away[..., 0], away[..., 0] + size], 2)
    if rng.random() < 0.5:
        line = np.clip(rng.uniform(1, 4) - np.ptp(nearest, axis=2), 0, 1)[..., None]
        made = made * (1 - line) + line * color_of(rng)
    return rounded(made)


def codes(size: int, rng: np.random.Generator) -> Pixels:
    """Return squares or bars in two colours (size,size,3), most often black and white, as codes that are scanned have them."""
    edge = int(rng.integers(1, 13))
    n = -(-size // edge)
    dark = rng.random((n, n) if rng.random() < 0.6 else (1, n)) < rng.uniform(0.2, 0.8)
    squares = np.broadcast_to(dark, (n, n)).repeat(edge, 0).repeat(edge, 1)[:size, :size]
    black = (0, 0, 0) if rng.random() < 0.6 else color_of(rng)
    white = (255, 255, 255) if rng.random() < 0.7 else color_of(rng)
    made = np.where(squares[..., None], black, white).astype(np.uint8)
    quiet = int(rng.integers(0, size // 3))
    made[:quiet] = made[:, :quiet] = white
    return np.ascontiguousarray(made.transpose(1, 0, 2) if rng.random() < 0.5 else made)


def clouds(size: int, rng: np.random.Generator) -> Pixels:
    """Return smooth random shapes (size,size,3) of several sizes, between two colours or in three channels of their own; some in bands."""
    channels = 3 if rng.random() < 0.3 else 1
    fall, octaves = rng.uniform(0.25, 0.65), int(rng.integers(2, 7))
    planes = []
    for _ in range(channels):
        total = np.zeros((size, size))
        for octave in range(1, octaves + 1):
            grid = rng.normal(0, 1, (2**octave + 2,) * 2).astype(np.float32)
            total += fall**octave * np.asarray(
                Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC), float
            )
        planes.append((total - total.min()) / max(np.ptp(total), 1e-9))
    much = np.stack(planes, 2)
    kind = rng.random()
    if kind < 0.2:
        much = np.abs(np.sin(much * rng.uniform(3, 20)))
    elif kind < 0.4:
        bands = int(rng.integers(3, 25))
        much = np.floor(much * bands) / bands
    first = np.array(color_of(rng), float)
    return rounded(first + (np.array(color_of(rng)) - first) * much * rng.choice([0.1, 0.4, 1]))


def shaded(size: int, rng: np.random.Generator) -> Pixels:
    """Return balls in a light (size,size,3), some with a gloss, with soft shadows or glows, on a ground of one colour or a gradient."""
    y, x = np.mgrid[:size, :size] / size
    made = np.zeros((size, size, 3)) + color_of(rng)
    if rng.random() < 0.5:
        made = made * (1 - rng.uniform(0.05, 0.6) * (y if rng.random() < 0.5 else x)[..., None])
    for _ in range(int(rng.integers(1, 5))):
        cy, cx = rng.uniform(0, 1, 2)
        radius = rng.uniform(0.06, 0.6)
        away = ((x - cx) ** 2 + (y - cy) ** 2) / radius**2
        height = np.sqrt(np.clip(1 - away, 0, 1))
        angle = rng.uniform(0, 2 * np.pi)
        light = height * 0.7 + ((x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)) / radius * 0.6
        glow = np.exp(-np.clip(away - 1, 0, None) * rng.uniform(1, 6))[..., None] * rng.uniform(0, 0.7)
        made = made * (1 - glow) + glow * rng.choice([0, 255]) if rng.random() < 0.5 else made
        ball = np.array(color_of(rng)) * (0.15 + 0.85 * np.clip(light, 0, 1)[..., None])
        if rng.random() < 0.5:
            ball = ball + 200 * np.clip(light, 0, 1)[..., None] ** 25
        if rng.random() < 0.7:
            cover = np.clip((1 - away) * radius * size / 2, 0, 1)[..., None]
            made = made * (1 - cover) + cover * ball
    return rounded(made)


def treated(patch: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photograph (H,W,3) changed: blurred, enlarged, of few colours, of two, dark or bright, or of false colours.

    Not one that was JPEG before: to take marks of JPEG away is right, though what is judged by is a picture that has them.
    """
    im, size = Image.fromarray(np.ascontiguousarray(patch)), (patch.shape[1], patch.shape[0])
    kind = int(rng.integers(6))
    if kind == 0:
        return np.asarray(im.filter(ImageFilter.GaussianBlur(rng.uniform(1, 10))))
    if kind == 1:
        share = rng.uniform(1.7, 6)
        how = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)[int(rng.integers(3))]
        return np.asarray(im.crop((0, 0, int(size[0] / share) + 1, int(size[1] / share) + 1)).resize(size, how))
    if kind == 2:
        dither = Image.Dither.FLOYDSTEINBERG if rng.random() < 0.4 else Image.Dither.NONE
        few = im.quantize(int(2 ** rng.uniform(1, 7)), dither=dither).convert("RGB")
        if rng.random() < 0.45:
            factor = int(rng.integers(2, 9))
            return np.asarray(
                few.crop((0, 0, -(-size[0] // factor), -(-size[1] // factor))).resize(
                    (factor * -(-size[0] // factor), factor * -(-size[1] // factor)), Image.Resampling.NEAREST
                )
            )[: size[1], : size[0]]
        return np.asarray(few)
    if kind == 3:
        grey = np.asarray(im.convert("L"), float)[..., None] / 255
        return rounded(np.array(color_of(rng)) * (1 - grey) + np.array(color_of(rng)) * grey)
    if kind == 4:
        a, much = np.asarray(im) / 255, rng.uniform(0.03, 0.4)
        return rounded(255 * (a * much if rng.random() < 0.6 else 1 - (1 - a) * much))
    a = np.asarray(im)[..., rng.permutation(3)]
    return np.ascontiguousarray(255 - a if rng.random() < 0.5 else a)
