"""The filter of a tile: coefficients that the encoder fits to this picture, sent after the last symbol (FORMAT.md, section 8.7).

    synthesis, detail ──▶ colours in sixteenths of a level ──native/filter.hpp──▶ pixels

The networks are right on average over all pictures; a linear filter of 5x5 pixels corrects part of their error on this one. There are
three kinds. A plain filter is the same for every pixel. An extended one also has directed coefficients, which are used beside edges and
turned with the direction of the edge, and alternating ones, whose sign depends on the place of a pixel in its cell of 2x2. A fixed one
belongs to the model, and the tile only names it (`fixed`). Models whose constant `fraction` is 0 have no filters.
Sources: the Wiener filter of AV1's loop restoration, the clipped differences of its CDEF, the turned classes of VVC's adaptive loop filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...engine import entropy, workers
from ...engine.native import filtered
from ...errors import LicDamagedError, LicUnsupportedError
from ...fileformat.areas import Area
from ...fileformat.limits import MAX_LEVEL

Pixels = npt.NDArray[np.uint8]
Fine = npt.NDArray[np.uint16]
Taps = npt.NDArray[np.int16]
Mask = npt.NDArray[np.bool_]

COLORS, PLACES, DIRECTED, TURNS, INNER = 3, 16, 24, 3, 4
"""Colours; places of a plain filter: 12 pairs of neighbours in 5x5, then the clipped ones of the 4 in 3x3; of directed coefficients: 12
pairs, then 12 clipped ones; ways to alternate: by rows, by columns, by both; places that do: those of 3x3."""
PLAIN = COLORS * PLACES
TAPS = PLAIN + DIRECTED + TURNS * COLORS * INNER
"""Coefficients of a colour that comes out: plain ones by colour that goes in and place, directed ones of luma by place, alternating ones
by way, colour that goes in and place."""
UNIT = 16
"""Parts of a level that colours come in."""
SHIFTS, MORE_SHIFTS = (6, 7, 8, 9), (5, 6, 7, 8, 9)
"""Shifts of a plain filter, and of an extended one."""
LARGEST = 127
"""Magnitude of a coefficient."""
THRESHOLD_UNIT, THRESHOLDS = 8, 64
"""Sixteenths of a level that a step of the threshold is; how many there are: 1 to 64 steps."""
LEAST_ROWS = 32
"""Rows that a thread filters at least: those around them, of which it takes the differences too, are six."""
TABLES = 16
"""Tables of a group: 0 says that its coefficients are 0, n that they have the scale index 4 n."""
TABLE_STEP = 4


class Number(NamedTuple):
    """A number before the coefficients: its name, the scale index of its symbol, what is added to that, and how many values are legal."""

    name: str
    table: int
    middle: int
    legal: int


EXTENDED = len(SHIFTS) + 1
"""The kind of an extended filter, whose shift comes next; 0 says that there is no filter, the others which shift a plain one has."""
FIXED = EXTENDED + 1
"""The kind of a fixed filter, whose number comes next, and nothing else."""
KIND, SHIFT = Number("kind", 24, 2, 2**16), Number("shift", 24, 2, len(MORE_SHIFTS))
THRESHOLD, TABLE = Number("threshold", 40, 8, THRESHOLDS), Number("table", 32, 2, TABLES)


class Filter(NamedTuple):
    """Coefficients (3, 108) in 2^-shift, by colour that comes out; threshold in sixteenths of a level."""

    taps: Taps
    threshold: int
    shift: int


NONE = Filter(np.zeros((COLORS, TAPS), np.int16), 0, 0)


class Coded(NamedTuple):
    """A filter as symbols (n,), int16, the indexes of their tables, uint16, and what the symbol check has of it, int16."""

    symbols: npt.NDArray[np.int16]
    indexes: npt.NDArray[np.uint16]
    checked: npt.NDArray[np.int16]


def _marked(first: int, colours: int, places: int, chosen: range) -> Mask:
    """Return the coefficients (3, 108) of these places, of `places`, in `colours` blocks from `first` on."""
    result = np.zeros((COLORS, TAPS), np.bool_)
    result[:, first : first + colours * places].reshape(COLORS, colours, places)[..., chosen.start : chosen.stop] = True
    return result


def _groups() -> tuple[tuple[Mask, ...], tuple[Mask, ...]]:
    own = np.zeros((COLORS, TAPS), np.bool_)
    for colour in range(COLORS):
        own[colour, PLACES * colour : PLACES * (colour + 1)] = True
        own[colour, PLAIN + DIRECTED :].reshape(TURNS, COLORS, INNER)[:, colour] = True
    plain = [_marked(0, COLORS, PLACES, places) for places in (range(4), range(4, 12), range(12, 16))]
    directed = [
        _marked(PLAIN, 1, DIRECTED, places) for places in (range(4), range(4, 12), range(12, 16), range(16, 24))
    ]
    alternating = _marked(PLAIN + DIRECTED, TURNS * COLORS, INNER, range(INNER))
    few = (*(own & part for part in plain), *(~own & part for part in plain))
    return few, (*few, *directed, own & alternating, ~own & alternating)


GROUPS, MORE_GROUPS = _groups()
"""The groups of coefficients that share a table, each as the mask (3, 108) of its own, in coding order: those of a plain filter, the
own colour's before the others', and those of an extended one."""


def nothing() -> tuple[Filter, Coded]:
    """Return no filter, and what a stream says of it."""
    return NONE, coded(NONE, (0,) * len(GROUPS))


def coded(found: Filter, tables: tuple[int, ...]) -> Coded:
    """Return the symbols of a filter whose groups have these tables, as many as one kind has; a single symbol if all are 0."""
    if not any(tables):
        return _coded([KIND], [0])
    if len(tables) == len(GROUPS):
        kinds, numbers = [KIND], [SHIFTS.index(found.shift) + 1]
    else:
        kinds, numbers = [KIND, SHIFT], [EXTENDED, MORE_SHIFTS.index(found.shift)]
    kinds += [THRESHOLD, *[TABLE] * len(tables)]
    numbers += [found.threshold // THRESHOLD_UNIT - 1, *tables]
    head = _coded(kinds, numbers)
    symbols, indexes = [head.symbols], [head.indexes]
    for table, group in zip(tables, MORE_GROUPS, strict=False):
        if table:
            symbols.append(found.taps[group])
            indexes.append(np.full(symbols[-1].shape, TABLE_STEP * table, np.uint16))
    joined = np.concatenate(symbols)
    return Coded(joined, np.concatenate(indexes), joined)


def _coded(kinds: Sequence[Number], numbers: Sequence[int]) -> Coded:
    symbols = np.array([number - kind.middle for number, kind in zip(numbers, kinds, strict=True)], np.int16)
    return Coded(symbols, np.array([kind.table for kind in kinds], np.uint16), symbols)


def named(fixed: Sequence[Filter], level: int) -> tuple[Filter, Coded]:
    """Return that of the fixed filters which is meant for a level, and what a stream says of it; no filter where there are none."""
    if not fixed:
        return nothing()
    number = _number_of(fixed, level)
    found = fixed[number.middle]
    said = _coded([KIND, number], [FIXED, number.middle])
    return found, said._replace(checked=np.concatenate([said.symbols, _content(found)]))


def _number_of(fixed: Sequence[Filter], level: int) -> Number:
    """Return how a fixed filter is named: beside the one that is meant for the level."""
    return Number("number", 12, len(fixed) * level // (MAX_LEVEL + 1), len(fixed))


def _content(found: Filter) -> npt.NDArray[np.int16]:
    """Return what a fixed filter is made of (2 + 3 * TAPS,), for the symbol check: a decoder that has another one must notice."""
    head = [MORE_SHIFTS.index(found.shift), found.threshold // THRESHOLD_UNIT - 1]
    return np.concatenate([np.array(head, np.int16), found.taps.ravel()])


def read(
    decoder: entropy.Decoder, fixed: Sequence[Filter] = (), level: int = 0
) -> tuple[Filter, npt.NDArray[np.int16]]:
    """Return the next filter of a stream, and what is checked of it (n,), for the model's fixed filters and the picture's level.

    LicDamagedError for one that no encoder writes, LicUnsupportedError for a kind of a later release.
    """
    symbols: list[npt.NDArray[np.int16]] = []

    def number(kind: Number) -> int:
        symbols.append(decoder.decode(np.array([kind.table], np.uint16)))
        value = int(symbols[-1][0]) + kind.middle
        if not 0 <= value < kind.legal:
            msg = f"the {kind.name} of a tile's filter must be 0 to {kind.legal - 1}, got {value}"
            raise LicDamagedError(msg)
        return value

    kind = number(KIND)
    known = FIXED if fixed else EXTENDED
    if kind > known:
        msg = (
            f"kind {kind} of a tile's filter is none that this release knows, 0 to {known}: written by a later release"
        )
        raise LicUnsupportedError(msg)
    if not kind:
        return NONE, symbols[0]
    if kind == FIXED:
        found = fixed[number(_number_of(fixed, level))]
        return found, np.concatenate([*symbols, _content(found)])
    shift = MORE_SHIFTS[number(SHIFT)] if kind == EXTENDED else SHIFTS[kind - 1]
    threshold = THRESHOLD_UNIT * (number(THRESHOLD) + 1)
    groups = MORE_GROUPS if kind == EXTENDED else GROUPS
    tables = [number(TABLE) for _ in groups]
    taps = np.zeros((COLORS, TAPS), np.int16)
    for table, group in zip(tables, groups, strict=True):
        if table:
            symbols.append(decoder.decode(np.full(np.count_nonzero(group), TABLE_STEP * table, np.uint16)))
            taps[group] = symbols[-1]
    largest = int(np.abs(taps.astype(np.int32)).max())
    if largest > LARGEST:
        msg = f"coefficients of a tile's filter must be -{LARGEST} to {LARGEST}, got {largest}"
        raise LicDamagedError(msg)
    return Filter(taps, threshold, shift), np.concatenate(symbols)


def parts(taps: Taps) -> tuple[Taps, Taps, Taps]:
    """Return the plain coefficients (3, 3, 16), the directed ones (3, 24) and the alternating ones (3, 3, 3, 4), way first, of (3, 108)."""
    plain, directed, alternating = np.split(taps, (PLAIN, PLAIN + DIRECTED), axis=1)
    by_way = alternating.reshape(COLORS, TURNS, COLORS, INNER).transpose(1, 0, 2, 3)
    return (
        np.ascontiguousarray(plain.reshape(COLORS, COLORS, PLACES)),
        np.ascontiguousarray(directed),
        np.ascontiguousarray(by_way),
    )


def applied(pixels: Fine, inside: Area, found: Filter) -> Pixels:
    """Return what `apply` writes."""
    out = np.empty((*inside.shape, COLORS), np.uint8)
    apply(pixels, inside, found, out)
    return out


def apply(pixels: Fine, inside: Area, found: Filter, out: Pixels) -> None:
    """Write the pixels of an area (H, W, 3) of colours (h, w, 3) in sixteenths; at the array's edges the nearest pixel goes on.

    The array begins at an even row and column of the picture. Every thread writes rows of its own.
    """
    coefficients = parts(found.taps)

    def write(first: int, last: int) -> None:
        place = (inside.y0 + first, inside.x0, last - first, inside.width)
        filtered(pixels, place, *coefficients, found.threshold, found.shift, out[first:last])

    workers.in_parts(write, inside.height, LEAST_ROWS)
