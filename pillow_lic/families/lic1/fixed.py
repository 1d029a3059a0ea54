"""The fixed filters of a model: the same for all pictures, one for each part of the scale, lowest levels first (FORMAT.md, section 8.7).

    file `filters` ──stored──▶ filters ──filtering.named(level)──▶ two symbols of a tile

A tile names one instead of sending coefficients, and an encoder needs no pixels to choose it. The file of the filters was added after the
model had written files, so it is not part of the model's hash; instead, the symbol check of every tile that names a filter includes its
coefficients.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ...engine.models import Model
from .filtering import COLORS, LARGEST, MORE_SHIFTS, TAPS, THRESHOLD_UNIT, Filter

ROLE = "filters"
"""The role of the file of a model that has fixed filters."""
RECORD = 2 + COLORS * TAPS
"""Bytes of a filter: the numbers that stand for shift and threshold, then coefficients as `Filter` has them."""


@cache
def stored(model: Model) -> tuple[Filter, ...]:
    """Return the fixed filters of a model; none of one that has no such file."""
    if ROLE not in model.extras:
        return ()
    records = np.frombuffer(model.stored(ROLE).read(), np.int8).reshape(-1, RECORD)
    return tuple(
        Filter(
            record[2:].astype(np.int16).reshape(COLORS, TAPS),
            THRESHOLD_UNIT * (int(record[1]) + 1),
            MORE_SHIFTS[record[0]],
        )
        for record in records
    )


def packed(filters: tuple[Filter, ...]) -> bytes:
    """Return the file of fixed filters; ValueError for a coefficient beyond the largest."""
    records = np.empty((len(filters), RECORD), np.int8)
    for record, found in zip(records, filters, strict=True):
        if np.abs(found.taps).max() > LARGEST:
            msg = f"coefficients must be -{LARGEST} to {LARGEST}, got {np.abs(found.taps).max()}"
            raise ValueError(msg)
        record[:2] = MORE_SHIFTS.index(found.shift), found.threshold // THRESHOLD_UNIT - 1
        record[2:] = found.taps.ravel()
    return records.tobytes()
