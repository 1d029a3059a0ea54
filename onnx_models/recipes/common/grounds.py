"""Pictures made by code that JPEG leaves nearly as they were, or errs on otherwise than on photographs: a restorer may make them worse.

gradients, plain or grainy; shapes on plain grounds; noise; cloth of one strong colour
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from .drawings import Pixels

Levels = npt.NDArray[np.float64]

SHARPER = 4
"""Times each way that shapes with soft edges are drawn larger."""


def gradient(size: int, rng: np.random.Generator) -> Pixels:
    """Return a gradient (size,size,3): linear, around a centre, or wavy, between two or three colours near one another or not."""
    y, x = np.meshgrid(*[np.linspace(-1, 1, size)] * 2, indexing="ij")
    angle, centre = rng.uniform(0, 2 * np.pi), rng.uniform(-1.5, 1.5, 2)
    across = x * np.cos(angle) + y * np.sin(angle)
    kind = rng.integers(4)
    if kind == 1:
        across = np.hypot(x - centre[0], (y - centre[1]) * rng.uniform(0.5, 2))
    elif kind == 2:
        across = np.sin(across * rng.uniform(1, 8) + centre[0]) * np.sin(
            rng.uniform(0, 6) * (x * np.sin(angle) + centre[1])
        )
    elif kind == 3:
        across = np.arctan2(y - centre[0], x - centre[1])
    across = (across - across.min()) / max(np.ptp(across), 1e-9)
    if rng.random() < 0.3:
        across **= rng.uniform(0.4, 2.5)
    first = rng.uniform(0, 255, 3) if rng.random() < 0.7 else np.full(3, rng.uniform(0, 255))
    contrast = 2 ** rng.uniform(1, 8.5)
    change = rng.uniform(-1, 1, 3) if rng.random() < 0.7 else np.full(3, rng.choice([-1, 1]))
    made = first + contrast * change * across[..., None]
    return _levels(made, rng, grain=0.4)


def shapes(size: int, rng: np.random.Generator) -> Pixels:
    """Return one to four boxes, discs or lines on a plain ground or a gradient, with hard or with soft edges."""
    factor = SHARPER if rng.random() < 0.5 else 1
    ground = color_of(rng)
    im = Image.new("RGB", (size * factor,) * 2, ground)
    if rng.random() < 0.25:
        im = Image.fromarray(gradient(size, rng)).resize(im.size, Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(im)
    for _ in range(int(rng.integers(1, 5))):
        corner, extent = rng.uniform(-0.2, 0.9, 2), rng.uniform(0.03, 0.8, 2)
        box = [float(v) for v in size * factor * np.concatenate([corner, corner + extent])]
        near = tuple(int(v) for v in np.clip(np.array(ground) + rng.normal(0, 2 ** rng.uniform(1, 7), 3), 0, 255))
        color = near if rng.random() < 0.4 else color_of(rng)
        kind = rng.integers(4)
        if kind < 2:
            draw.rectangle(box, fill=color)
        elif kind == 2:
            draw.ellipse(box, fill=color)
        else:
            draw.line(box, fill=color, width=int(factor * rng.integers(1, 6)))
    made = np.asarray(im.resize((size, size), Image.Resampling.BOX) if factor > 1 else im, float)
    return _levels(made, rng, grain=0.1)


def noise(size: int, rng: np.random.Generator) -> Pixels:
    """Return noise of a deviation of 1 to 90 levels on a plain ground, grey or coloured, of pixels or of larger grains."""
    grain = int(rng.choice([1, 1, 1, 2, 3]))
    channels = 1 if rng.random() < 0.5 else 3
    values = rng.normal(0, 2 ** rng.uniform(0, 6.5), (-(-size // grain), -(-size // grain), channels))
    whole = values.repeat(grain, 0).repeat(grain, 1)[:size, :size]
    return rounded(np.array(color_of(rng)) + whole)


def cloth(patch: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photograph (H,W,3) in colours as strong as those of dyed cloth, flowers and lamps: of one colour, or all its own."""
    p = patch.astype(float)
    grey = p @ [0.299, 0.587, 0.114]
    if rng.random() < 0.5:
        strong = grey[..., None] + (p - grey[..., None]) * rng.uniform(1.5, 4)
        return rounded(strong)
    color = rng.uniform(0, 0.25, 3)
    color[rng.choice(3, int(rng.integers(1, 3)), replace=False)] = rng.uniform(0.5, 1.6, 1)
    own = rng.uniform(0, 0.4)
    return rounded(
        color * grey[..., None] * (1 - own) + own * (p - p.mean() * rng.uniform(0, 1)) + rng.uniform(-20, 20)
    )


def color_of(rng: np.random.Generator) -> tuple[int, int, int]:
    """Return a colour; a third of them are grey, and some of those black or white."""
    grey = int(rng.choice([0, 255, *rng.integers(0, 256, 2)]))
    r, g, b = (int(v) for v in rng.integers(0, 256, 3))
    return (grey,) * 3 if rng.random() < 0.33 else (r, g, b)


def _levels(made: Levels, rng: np.random.Generator, grain: float) -> Pixels:
    """Return levels as pixels: some with dither, a share of them, `grain`, with the noise of a camera of up to 8 levels."""
    if rng.random() < grain:
        made = made + rng.normal(0, 2 ** rng.uniform(-2, 3), made.shape[:2] + (3 if rng.random() < 0.5 else 1,))
    elif rng.random() < 0.3:
        made = made + rng.uniform(-0.5, 0.5, made.shape)
    return rounded(made)


def rounded(made: Levels) -> Pixels:
    return np.rint(made).clip(0, 255).astype(np.uint8)
