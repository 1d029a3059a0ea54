"""The filter of a tile: coefficients that the encoder fits to this picture, sent after the last symbol (FORMAT.md, section 8.7).

    synthesis, detail ──▶ colours in sixteenths of a level ──native/filter.hpp──▶ pixels

The networks are right on average over all pictures; a linear filter of 5x5 pixels takes away what they leave of this one. Models
whose `fraction` is 0 have none. Sources: the Wiener filter of AV1's loop restoration, the clipped differences of its CDEF.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...engine import entropy
from ...engine.filters import filtered
from ...errors import LicDamagedError
from ...fileformat.areas import Area

Pixels = npt.NDArray[np.uint8]
Fine = npt.NDArray[np.uint16]
Taps = npt.NDArray[np.int16]

COLOURS, TAPS = 3, 16
"""Colours, and places of a filter: 12 pairs of neighbours in 5x5, then the clipped ones of the 4 in 3x3."""
REACH = 2
"""Pixels around one that decide it."""
UNIT = 16
"""Parts of a level that colours come in."""
GROUPS = (slice(0, 4), slice(4, 12), slice(12, 16))
"""The places that share a table: the wide ones of 3x3, those around them, the clipped ones."""
SHIFTS = (6, 7, 8, 9)
LARGEST = 127
"""Magnitude of a coefficient."""
THRESHOLD_UNIT, THRESHOLDS = 8, 64
"""Sixteenths of a level that a step of the threshold is; how many there are: 1 to 64 steps."""
TABLES = 16
"""Tables of a group: 0 says that its coefficients are 0, n that they have the scale index 4 n."""
TABLE_STEP = 4
HEAD, HEAD_MIDDLE = (24, 40, 32, 32, 32, 32, 32, 32), (2, 8, 2, 2, 2, 2, 2, 2)
"""Scale indexes of the symbols before the coefficients, and what is taken off each: shift, threshold, tables of six groups."""


class Filter(NamedTuple):
    """Coefficients (3, 3, 16) in 2^-shift, by colour that comes out, colour that goes in and place; threshold in sixteenths of a level."""

    taps: Taps
    threshold: int
    shift: int


NONE = Filter(np.zeros((COLOURS, COLOURS, TAPS), np.int16), 0, 0)


class Coded(NamedTuple):
    """A filter as symbols (n,), int16, and the indexes of their tables, uint16."""

    symbols: npt.NDArray[np.int16]
    indexes: npt.NDArray[np.uint16]


def nothing() -> tuple[Filter, Coded]:
    """Return no filter, and what a stream says of it."""
    return NONE, coded(NONE, (0,) * 6)


def groups() -> Iterator[tuple[bool, slice]]:
    """Yield the six groups of coefficients in their order: of the own colour or of others, and the places."""
    for own in (True, False):
        for places in GROUPS:
            yield own, places


def members(taps: Taps, own: bool, places: slice) -> npt.NDArray[np.int16]:
    """Return the coefficients of a group, (n,), in coding order."""
    found: npt.NDArray[np.int16] = taps[np.eye(COLOURS, dtype=bool) == own][:, places].ravel()
    return found


def coded(found: Filter, tables: tuple[int, ...]) -> Coded:
    """Return the symbols of a filter whose six groups have these tables; only the first one where all of them are 0."""
    if not any(tables):
        return Coded(np.array([-HEAD_MIDDLE[0]], np.int16), np.array(HEAD[:1], np.uint16))
    numbers = (SHIFTS.index(found.shift) + 1, found.threshold // THRESHOLD_UNIT - 1, *tables)
    symbols = [np.array(numbers, np.int16) - np.array(HEAD_MIDDLE, np.int16)]
    indexes = [np.array(HEAD, np.uint16)]
    for table, group in zip(tables, groups(), strict=True):
        if table:
            symbols.append(members(found.taps, *group))
            indexes.append(np.full(symbols[-1].shape, TABLE_STEP * table, np.uint16))
    return Coded(np.concatenate(symbols), np.concatenate(indexes))


def read(decoder: entropy.Decoder) -> tuple[Filter, npt.NDArray[np.int16]]:
    """Return the next filter of a stream, and its symbols. LicDamagedError for one that no encoder writes."""
    head = [_number(decoder, 0, len(SHIFTS) + 1)]
    if not head[0]:
        return NONE, np.array([-HEAD_MIDDLE[0]], np.int16)
    head.append(_number(decoder, 1, THRESHOLDS))
    head += [_number(decoder, place, TABLES) for place in range(2, len(HEAD))]
    symbols = [np.array(head, np.int16) - np.array(HEAD_MIDDLE, np.int16)]
    taps = np.zeros((COLOURS, COLOURS, TAPS), np.int16)
    for table, (own, places) in zip(head[2:], groups(), strict=True):
        if table:
            shape = taps[np.eye(COLOURS, dtype=bool) == own][:, places].shape
            symbols.append(decoder.decode(np.full(np.prod(shape), TABLE_STEP * table, np.uint16)))
            part = np.zeros((shape[0], TAPS), np.int16)
            part[:, places] = symbols[-1].reshape(shape)
            taps[np.eye(COLOURS, dtype=bool) == own] += part
    if np.abs(taps).max() > LARGEST:
        msg = f"coefficients of a tile's filter must be -{LARGEST} to {LARGEST}, got {np.abs(taps).max()}"
        raise LicDamagedError(msg)
    return Filter(taps, THRESHOLD_UNIT * (head[1] + 1), SHIFTS[head[0] - 1]), np.concatenate(symbols)


def _number(decoder: entropy.Decoder, place: int, count: int) -> int:
    number = int(decoder.decode(np.array(HEAD[place : place + 1], np.uint16))[0]) + HEAD_MIDDLE[place]
    if not 0 <= number < count:
        msg = f"number {place} of a tile's filter must be 0 to {count - 1}, got {number}"
        raise LicDamagedError(msg)
    return number


def applied(pixels: Fine, inside: Area, found: Filter) -> Pixels:
    """Return the pixels of an area (H, W, 3) of colours (h, w, 3) in sixteenths; at the array's edges the nearest pixel goes on."""
    part = (inside.y0, inside.x0, inside.height, inside.width)
    return filtered(pixels, part, found.taps, found.threshold, found.shift)
