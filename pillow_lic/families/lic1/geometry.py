"""The sizes that a `lic1` model's networks work in, from its constants in the manifest; and the latents of one tile."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from ...engine.models import Model


class Grid(NamedTuple):
    """The latents of one tile: `inside` of them (rows, columns) hold pixels, `shape` is that in whole hyper-latents."""

    inside: tuple[int, int]
    hyper_stride: int

    @property
    def hyper(self) -> tuple[int, int]:
        """Rows and columns of the hyper-latents."""
        return (-(-self.inside[0] // self.hyper_stride), -(-self.inside[1] // self.hyper_stride))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the latents."""
        return (self.hyper[0] * self.hyper_stride, self.hyper[1] * self.hyper_stride)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the latents that hold pixels."""
        return (slice(self.inside[0]), slice(self.inside[1]))


class Geometry(NamedTuple):
    """Strides, halos and reaches of a model.

    latents, hyper_latents: channels of y and z. stride: pixels of a latent each way; hyper_stride: latents of a hyper-latent.
    align: pixels that the analysis wants a multiple of. tile_pixels: the most of a tile, padded to `align`.

    analysis_halo: pixels around a tile that the analysis sees. halo: latents around a tile that the synthesis sees; the network
    reaches further, and the last ones weigh next to nothing. reach: latents around a box that decide its pixels. means_reach:
    latents around one that decide its mean. detail_reach: rows of latents around a strip that decide its pixels in `detail`.

    stages: how often the networks of means and scales run, for one pass each and the last time for all that are left.
    fraction: bits after the point of the colours that `detail` gives; where there are any, a filter follows (`filtering`).
    """

    latents: int
    hyper_latents: int
    stride: int
    hyper_stride: int
    align: int
    tile_pixels: int
    analysis_halo: int
    halo: int
    reach: int
    means_reach: int
    detail_reach: int
    stages: int
    fraction: int = 0

    @property
    def color_type(self) -> type[np.uint8 | np.uint16]:
        """The dtype of the colours that `detail` gives."""
        return np.uint16 if self.fraction else np.uint8

    def grid(self, height: int, width: int) -> Grid:
        """Return the latents of a tile of so many pixels."""
        return Grid((-(-height // self.stride), -(-width // self.stride)), self.hyper_stride)


@cache
def geometry(model: Model) -> Geometry:
    """Return the geometry of a model."""
    return Geometry(**model.constants)
