"""The symbols of one tile <-> its payload: parse first, compute afterwards (FORMAT.md, sections 8.2 to 8.4).

    write:  z_hat, chosen symbols, filter ──tables──▶ rANS stream
    read:   z_hat ──▶ features ──▶ indexes of pass 0 ──▶ values of pass 0 ──▶ magnitudes ──▶ indexes of pass 1 ──▶ ...

Only integers decide. Values are whole numbers of twentieths of a quantiser step (`quantiser`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...engine import entropy
from ...engine.models import Model
from ...errors import LicDamagedError, LicDesyncError, LicRuntimeError
from . import filtering, passes, quantiser
from .filtering import Filter
from .geometry import Grid, geometry
from .quantiser import Chosen
from .scales import Scales, z_indexes

Floats = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.uint16]
Values = npt.NDArray[np.int32]
Take = Callable[[Indexes], Values]

Z_MAX = 127
"""Largest magnitude of a hyper-latent."""
CUT_STEP = 256
"""Symbols of a cut stream that are read at once: fewer than that are lost at its end."""


class Parsed(NamedTuple):
    """What the payload of a tile holds: z_hat (Z, h/4, w/4), integers as float32, the values (M, h, w) and its filter."""

    z_hat: Floats
    values: Values
    filter: Filter


def write(
    model: Model, z_hat: Floats, chosen: Sequence[Chosen], level: int, coded: filtering.Coded | None = None
) -> bytes:
    """Return the payload of a tile: z_hat (Z, h/4, w/4), integers as float32, and the choices for every pass, at the picture's level.

    coded: the filter, of a model that has them.

    LicRuntimeError when z_hat is no numbers.
    """
    if not np.abs(z_hat).max() <= Z_MAX:
        msg = f"the networks gave hyper-latents up to {np.abs(z_hat).max():g}, {Z_MAX} is the most: the engine failed"
        raise LicRuntimeError(msg)
    hyper = z_hat.astype(np.int16).ravel()
    last = [coded] if coded else []
    indexes = np.concatenate(
        [z_indexes(level, z_hat.shape), *(part.numbers for part in chosen), *(part.indexes for part in last)]
    )
    symbols = np.concatenate([hyper, *(part.symbols for part in chosen), *(part.symbols for part in last)])
    check = entropy.check_of(z_hat, *(part.values for part in chosen), *(part.symbols for part in last))
    return entropy.encode(model.tables, symbols, indexes, check)


def read(model: Model, payload: memoryview | bytes, level: int, field: Floats, grid: Grid) -> Parsed:
    """Return what a tile payload holds whose checksum was right.

    LicDamagedError when the stream breaks before anything computed decides what is read, LicDesyncError after that or when
    the symbols are others than those written.
    """
    decoder = entropy.Decoder(model.tables, payload)
    z_hat = _read_hyper(model, decoder, level, grid)
    parts: list[npt.NDArray[Any]] = []
    found = filtering.NONE

    def take(indexes: Indexes) -> Values:
        values = _next(model, decoder, indexes)
        parts.append(values)
        return values

    try:
        values = _read_values(model, take, z_hat, field, grid)
        if geometry(model).fraction:
            found, coded = filtering.read(decoder)
            parts.append(coded)
        decoder.finish(z_hat, *parts)
    except LicDamagedError as error:
        raise LicDesyncError(entropy.DESYNC.format(f"{error}")) from error
    return Parsed(z_hat, values, found)


def read_cut(model: Model, payload: memoryview | bytes, level: int, field: Floats, grid: Grid) -> Parsed:
    """Return z_hat, and the values as far as they go, then 0, of the beginning of a tile payload; its filter was for more than that.

    Earlier passes lie all over the tile, so what is missing is detail everywhere, not places. LicDamagedError when not even
    z_hat is there whole.
    """
    decoder = entropy.Decoder(model.tables, payload)
    ended = False

    def take(indexes: Indexes) -> Values:
        nonlocal ended
        found = np.zeros(indexes.shape, np.int32)
        for start in range(0, indexes.size, CUT_STEP):
            some = slice(start, start + CUT_STEP)
            try:
                if not ended:
                    found[some] = _next(model, decoder, indexes[some])
            except LicDamagedError:
                ended = True
        return found

    z_hat = _read_hyper(model, decoder, level, grid)
    return Parsed(z_hat, _read_values(model, take, z_hat, field, grid), filtering.NONE)


def _read_hyper(model: Model, decoder: entropy.Decoder, level: int, grid: Grid) -> Floats:
    shape = (model.constants["hyper_latents"], *grid.hyper)
    return decoder.decode(z_indexes(level, shape)).astype(np.float32).reshape(shape)


def _next(model: Model, decoder: entropy.Decoder, indexes: Indexes) -> Values:
    return decoder.decode_dependent(indexes, quantiser.FIRST_DEPENDENT, quantiser.offset(model.tables))


def _read_values(model: Model, take: Take, z_hat: Floats, field: Floats, grid: Grid) -> Values:
    """Return the values (M, h, w), pass by pass; `take` gives the next ones for their scale indexes."""
    scales = Scales(model, z_hat, field, grid)
    result = np.zeros((model.constants["latents"], *grid.shape), np.int32)

    def code(t: int) -> Values:
        values = take(scales.before(t))
        passes.scatter(result, t, grid.inside, values)
        return values

    passes.each(code, scales)
    return result
