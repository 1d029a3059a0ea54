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
from . import filtering, fixed, passes, quantiser
from . import payload as payloads
from .filtering import Filter
from .geometry import Grid, geometry
from .quantiser import Chosen
from .scales import Scales, z_indexes

Floats = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.uint16]
Values = npt.NDArray[np.int32]
Take = Callable[[Indexes], Values]
Told = Callable[[npt.NDArray[Any]], object]
"""Takes z_hat, and then the values of every pass, as soon as they are read."""

Z_MAX = 127
"""Largest magnitude of a hyper-latent."""
CUT_STEP = 256
"""Symbols of a cut stream that are read at once: fewer than that are lost at its end."""


class Parsed(NamedTuple):
    """The content of a payload: z_hat (Z, h/4, w/4), integers as float32, the values of every pass in coding order, the tile's filter."""

    z_hat: Floats
    values: list[Values]
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
    check = entropy.check_of(z_hat, *(part.values for part in chosen), *(part.checked for part in last))
    return entropy.encode(model.tables, symbols, indexes, check)


class Begun(NamedTuple):
    """The hyper-latents z_hat (Z, h/4, w/4), and the values of every pass in coding order, of which `length` were read."""

    z_hat: Floats
    values: list[Values]
    length: int


def _nobody(_: npt.NDArray[Any]) -> None:
    """Take what is read, for nobody (`Told`)."""


def read(
    model: Model, payload: memoryview | bytes, level: int, field: Floats, grid: Grid, told: Told = _nobody
) -> Parsed:
    """Return what a tile payload holds whose checksum was right; one that was cut has no filter.

    LicDamagedError when the stream breaks before anything computed decides what is read, LicDesyncError after that or when
    the symbols are others than those written.
    """
    stream, count = payloads.parse(payload)
    decoder = entropy.Decoder(model.tables, stream)
    z_hat = _read_hyper(model, decoder, level, grid)
    told(z_hat)
    take, found = _Take(model, decoder, count), filtering.NONE
    try:
        values = _read_values(model, take, z_hat, field, grid, told)
        if count is not None:
            decoder.compare(z_hat, *values)
        elif geometry(model).fraction:
            found, checked = filtering.read(decoder, fixed.stored(model), level)
            decoder.finish(z_hat, *values, checked)
        else:
            decoder.finish(z_hat, *values)
    except LicDamagedError as error:
        raise LicDesyncError(entropy.DESYNC.format(f"{error}")) from error
    if count is not None and take.count < count:
        msg = f"tile says that {count} of its values are there, it has {take.count}"
        raise LicDamagedError(msg)
    return Parsed(z_hat, values, found)


def read_cut(
    model: Model, payload: memoryview | bytes, level: int, field: Floats, grid: Grid, told: Told = _nobody
) -> Parsed:
    """Return z_hat, and the values as far as they go, then 0, of the beginning of a tile payload; its filter was for more than that.

    Earlier passes lie all over the tile, so what is missing is detail everywhere, not places. LicDamagedError when not even
    z_hat is there whole.
    """
    stream, count = payloads.parse(payload)
    found = begun(model, stream, level, field, grid, count, told)
    return Parsed(found.z_hat, found.values, filtering.NONE)


def begun(
    model: Model,
    stream: memoryview | bytes,
    level: int,
    field: Floats,
    grid: Grid,
    most: int | None,
    told: Told = _nobody,
) -> Begun:
    """Return what the beginning of a stream gives, no more than `most` residuals; errors of `read_cut`."""
    decoder = entropy.Decoder(model.tables, stream)
    z_hat = _read_hyper(model, decoder, level, grid)
    told(z_hat)
    take = _Take(model, decoder, most, ends_early=True)
    values = _read_values(model, take, z_hat, field, grid, told)
    return Begun(z_hat, values, take.count)


def hyper_latents(model: Model, stream: memoryview | bytes, level: int, grid: Grid) -> Floats:
    """Return z_hat (Z, h/4, w/4) of the beginning of a stream; LicDamagedError when it is not there whole."""
    return _read_hyper(model, entropy.Decoder(model.tables, stream), level, grid)


class _Take:
    """Reads the next values of a stream for their scale indexes; 0 after `most` of them, and where it `ends_early` (`Take`)."""

    def __init__(self, model: Model, decoder: entropy.Decoder, most: int | None, *, ends_early: bool = False) -> None:
        self._model, self._decoder, self._left, self._ends_early = model, decoder, most, ends_early
        self.count = 0

    def __call__(self, indexes: Indexes) -> Values:
        if self._left is None and not self._ends_early:
            self.count += indexes.size
            return self._next(indexes)
        found = np.zeros(indexes.shape, np.int32)
        here = indexes.size if self._left is None else min(indexes.size, self._left - self.count)
        step = CUT_STEP if self._ends_early else max(here, 1)
        for start in range(0, here, step):
            some = slice(start, min(start + step, here))
            try:
                found[some] = self._next(indexes[some])
            except LicDamagedError:
                if not self._ends_early:
                    raise
                self._left = self.count
                break
            self.count += some.stop - some.start
        return found

    def _next(self, indexes: Indexes) -> Values:
        offset = quantiser.offset(self._model.tables)
        return self._decoder.decode_dependent(indexes, quantiser.FIRST_DEPENDENT, offset)


def _read_hyper(model: Model, decoder: entropy.Decoder, level: int, grid: Grid) -> Floats:
    shape = (model.constants["hyper_latents"], *grid.hyper)
    return decoder.decode(z_indexes(level, shape)).astype(np.float32).reshape(shape)


def _read_values(model: Model, take: Take, z_hat: Floats, field: Floats, grid: Grid, told: Told) -> list[Values]:
    """Return the values (n,) of every pass in coding order; `take` gives the next ones for their scale indexes."""
    scales, found = Scales(model, z_hat, field, grid), list[Values]()

    def code(t: int) -> Values:
        found.append(take(scales.before(t)))
        told(found[-1])
        return found[-1]

    passes.each(code, scales)
    return found
