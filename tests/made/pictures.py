"""A photo, and pictures made by code: the same bytes on every machine, with edges, texture and smooth parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

SAMPLE = Path(__file__).parents[2] / "pillow_lic" / "bench" / "chelsea.webp"
"""A cat, 451x300 pixels."""


def photo_like(height: int, width: int, channels: int = 3, seed: int = 0) -> npt.NDArray[np.uint8]:
    """(height, width, channels) uint8: coloured discs over gradients, and a textured corner."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    picture = np.stack([60 + 120 * (x + k * y) / (width + k * height) for k in range(channels)], -1)
    for _ in range(12):
        cy, cx, radius = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(2, max(3, min(height, width) / 4))
        inside = (y - cy) ** 2 + (x - cx) ** 2 < radius**2
        picture[inside] = 0.6 * picture[inside] + 0.4 * rng.uniform(0, 255, channels)
    texture = 25 * np.sin(x / 2.3 + y / 3.7) * (x > width / 2) * (y > height / 2)
    return (picture + texture[..., None]).clip(0, 255).astype(np.uint8)
