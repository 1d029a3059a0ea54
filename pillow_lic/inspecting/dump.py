"""The content of a .lic file before it becomes a picture: symbols, indexes and latents of every tile, for teaching and research."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import families
from ..engine.settings import check_pixels, limited_time
from ..errors import LicDamagedError
from ..fileformat import container, importance_map
from . import model_of


@limited_time()
def dump(data: bytes) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a .lic file by name, `tile_0/symbols` and so on; which there are is up to the family of its model.

    `level` (0..1024) and `shape` (height, width) are those of the picture, `tile_0/area` the left, upper, right and lower
    pixels that a tile was coded from. ValueError for a model whose family shows nothing; else errors as of `codec.decode`.
    """
    parts = container.unpack(data)
    header = parts.header
    check_pixels(header.width, header.height)
    model = model_of(header)
    shape = (header.height, header.width)
    carried = parts.importance
    deltas = None if carried is None else importance_map.unpack(carried, importance_map.shape_of(*shape))
    found: dict[str, npt.NDArray[Any]] = {"level": np.array(header.level), "shape": np.array(shape)}
    for index, payload in enumerate(parts.tiles):
        if payload is None:
            msg = f"tile {index} is missing from the file"
            raise LicDamagedError(msg)
        coded = families.coded(model, header.tiling, index, payload, header.level, deltas)
        area = coded.area
        found[f"tile_{index}/area"] = np.array([area.x0, area.y0, area.x1, area.y1])
        found |= {f"tile_{index}/{name}": array for name, array in families.dump(model, coded).items()}
    return found


def as_npz(arrays: dict[str, npt.NDArray[Any]]) -> bytes:
    """Return arrays as the bytes of a compressed .npz file, for `numpy.load`."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
