"""The content of a tile's payload, for `lic dump`: the parse again, and then everything that it went through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...fileformat import importance_map
from . import passes, residuals, symbols
from .geometry import geometry
from .scales import Scales

if TYPE_CHECKING:
    from ...engine.models import Model
    from .. import Coded


def dump(model: Model, coded: Coded) -> dict[str, npt.NDArray[Any]]:
    """Return what a tile holds (`families.dump`), padded to whole hyper-latents.

    hyper_latents (Z, h/4, w/4) int16; levels (h, w) float32; indexes (M, h, w) uint8, of the scales, 0 where nothing is coded;
    residuals (M, h, w) int32, in twentieths of a step; latents (M, h, w) float32, y_hat in steps; filter
    (3, 108) int16, its coefficients (`filtering.TAPS`), 0 where there is none.
    """
    sizes = geometry(model)
    grid, place = sizes.grid(*coded.area.shape), coded.area.over(sizes.stride)
    field = importance_map.level_field(coded.level, coded.deltas, grid.shape, place.y0, place.x0)
    z_hat, values, found = symbols.read(model, coded.payload, coded.level, field, grid)
    scales = Scales(model, z_hat, field, grid)
    found_indexes = list[npt.NDArray[Any]]()

    def code(t: int) -> npt.NDArray[Any]:
        found_indexes.append(scales.before(t).astype(np.uint8))
        return values[t]

    passes.each(code, scales)
    shape = (sizes.latents, *grid.shape)
    return {
        "hyper_latents": z_hat.astype(np.int16),
        "levels": field,
        "indexes": passes.spread(found_indexes, shape, grid.inside),
        "residuals": passes.spread(values, shape, grid.inside),
        "latents": residuals.reconstruct(model, z_hat, values, field, grid.inside),
        "filter": found.taps,
    }
