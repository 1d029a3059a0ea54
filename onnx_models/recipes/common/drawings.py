"""Pictures made by code: flat grounds, gradients, straight edges, thin lines and letters, which photographs hardly have."""

from __future__ import annotations

import string
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Pixels = npt.NDArray[np.uint8]

PLAIN = 0.2
"""Share of drawings that are nothing but their ground."""
SHAPES = 24
"""Largest number of shapes on a drawing that has more than its ground."""


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _color(rng: np.random.Generator) -> tuple[int, int, int]:
    """Return a random colour; half of them are grey, as half of what is drawn on screens is."""
    r, g, b = (int(v) for v in rng.integers(0, 256, 3))
    grey = int(rng.choice([0, 255, r]))
    return (r, g, b) if rng.random() < 0.5 else (grey,) * 3


def _ground(size: int, rng: np.random.Generator) -> Image.Image:
    """Return a ground of one colour, or a linear gradient between two in any direction."""
    first, last = np.array(_color(rng), float), np.array(_color(rng), float)
    if rng.random() < 0.5:
        last = first
    angle, at = rng.uniform(0, 2 * np.pi), np.linspace(-0.5, 0.5, size)
    slope = np.clip(0.5 + at[:, None] * np.sin(angle) + at[None] * np.cos(angle), 0, 1)[..., None]
    return Image.fromarray(np.rint(first + (last - first) * slope).astype(np.uint8))


def drawing(size: int, rng: np.random.Generator) -> Pixels:
    """Return a drawing, (size,size,3) uint8."""
    im = _ground(size, rng)
    draw = ImageDraw.Draw(im)
    for _ in range(0 if rng.random() < PLAIN else int(rng.integers(1, SHAPES + 1))):
        (x0, y0), (x1, y1) = np.sort(rng.integers(-size // 4, size + size // 4, (2, 2)), 0).tolist()
        color, width, kind = _color(rng), int(rng.integers(1, 5)), rng.integers(5)
        if kind == 0:
            draw.rectangle((x0, y0, x1, y1), fill=color)
        elif kind == 1:
            draw.rectangle((x0, y0, x1, y1), outline=color, width=width)
        elif kind == 2:
            draw.ellipse((x0, y0, x1, y1), fill=color)
        elif kind == 3:
            draw.line((x0, y1, x1, y0) if rng.random() < 0.5 else (x0, y0, x1, y1), fill=color, width=width)
        else:
            letters = rng.choice(list(string.ascii_letters + string.digits + "  .,-"), int(rng.integers(4, 30)))
            draw.text((x0, y0), "".join(letters), fill=color, font=_font(int(rng.integers(8, 33))))
    return np.asarray(im)
