"""Shorter payloads for `cut`: the beginning of a tile's stream, and the number of values that it gives.

Every pass lies all over the tile, so what is cut off is detail everywhere. Only the networks of the `scales` run, which decide what the
range coder reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...deadlines import check_time
from ...engine import entropy
from ...errors import LicDamagedError
from ...fileformat import importance_map
from . import payload as payloads
from . import symbols
from .geometry import Grid, geometry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...engine.models import Model
    from ...fileformat.importance_map import Deltas
    from ...fileformat.tiling import Tiling


def cut(
    model: Model,
    tiling: Tiling,
    level: int,
    deltas: Deltas | None,
    whole: Sequence[bytes | memoryview],
    size: int,
) -> list[bytes | memoryview]:
    """Return payloads of at most `size` bytes together (`families.cut`), each shortened in proportion to its length.

    Short payloads are done first: if one of them needs more than its share, longer ones get less. ValueError naming the least size.
    """
    sizes, result = geometry(model), list(whole)
    left, waiting = size, sum(map(len, whole))
    for index in sorted(range(len(whole)), key=lambda index: len(whole[index])):
        check_time()
        most = max(left, 0) * len(whole[index]) // waiting
        if len(whole[index]) > most:
            tile = tiling.tile(index)
            grid, place = sizes.grid(*tile.shape), tile.over(sizes.stride)
            field = importance_map.level_field(level, deltas, grid.shape, place.y0, place.x0)
            result[index] = shorter(model, whole[index], level, field, grid, most)
        left, waiting = left - len(result[index]), waiting - len(whole[index])
    if left < 0:
        msg = f"size of the coded pixels must be at least {size - left} bytes, got {size}"
        raise ValueError(msg)
    return result


def shorter(
    model: Model, payload: bytes | memoryview, level: int, field: symbols.Floats, grid: Grid, size: int
) -> bytes:
    """Return the payload of at most `size` bytes, or the shortest one, that shows what the first values of a tile's do."""
    stream, known = payloads.parse(payload)
    room = max(size - payloads.LONGEST, 0)
    try:
        found = symbols.begun(model, memoryview(stream)[:room], level, field, grid, known)
    except LicDamagedError:
        room = _least(model, stream, level, grid)
        found = symbols.begun(model, memoryview(stream)[:room], level, field, grid, known)
    check = entropy.check_of(found.z_hat, *found.values)
    return payloads.cut(memoryview(stream)[:room], found.length, check)


def _least(model: Model, stream: bytes | memoryview, level: int, grid: Grid) -> int:
    """Return the bytes of the shortest beginning of a stream that gives all hyper-latents."""
    low, high = 0, len(stream)
    while high - low > 1:  # high is enough, low is not
        middle = (low + high) // 2
        try:
            symbols.hyper_latents(model, memoryview(stream)[:middle], level, grid)
        except LicDamagedError:
            low = middle
        else:
            high = middle
    return high
