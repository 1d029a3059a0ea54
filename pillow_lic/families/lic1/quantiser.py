"""Dependent quantisation: the values that symbols stand for, and the encoder's choice of them (Schwarz et al., DCC 2019).

If the scale index is below FIRST_DEPENDENT, symbols are mostly 0, and a symbol counts whole steps. From there on it counts half steps: the
even ones, or the odd ones and 0. Which of the two follows from the parity of the symbols before, so that two coarse quantisers act as
one fine one (native/dependent.hpp, FORMAT 8.4). Of all sequences of symbols the encoder takes the one that
is cheapest in bits and error (native/trellis.hpp).

With the step that is optimal for a lambda, step^2 = 18 / (ln 2 * lambda * 255^2), an error of d steps costs 6 d^2 / ln 2 bits.
The error counts for more than that: symbols also make their neighbours predictable.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...engine import entropy, workers
from ...engine.ending import at_work
from ...engine.entropy import LARGEST_RESIDUAL, STEP
from ...errors import LicRuntimeError

Floats = npt.NDArray[np.float32]
Indexes = npt.NDArray[np.uint16]
Values = npt.NDArray[np.int32]

SCALES = 64
"""The number of scale indexes; a higher index means a larger deviation."""
MAGNITUDE_MAX = 8
"""Largest magnitude that later passes see."""
FIRST_DEPENDENT = 15
"""Smallest scale index that takes part: a deviation of 0.61 steps."""
NONE_DEPENDENT = 2**16 - 1
"""The same where none does."""
ERROR_BITS = 6 / math.log(2)
"""The bits that a squared error of one step is worth."""
ERROR_SHARE = 0.4
"""The part of the bits saved that may be paid for with error; 1 is the theory. 0.35 and 0.45 are as good, 0.55 costs 0.3 %."""

LEAST_SYMBOLS = 2**14
"""Symbols that a thread chooses at least."""


class Chosen(NamedTuple):
    """Symbols (n,) in coding order, the numbers of their tables, their values in twentieths of a step, and their scale indexes."""

    symbols: npt.NDArray[np.int16]
    numbers: Indexes
    values: Values
    indexes: Indexes


def offset(tables: entropy.Tables) -> int:
    """Return the distance from a scale index's table for the even half steps to that for the odd ones, which stand last."""
    return tables.count - SCALES


def steps(values: Values) -> Floats:
    """Return values in twentieths of a step, of any shape, as steps."""
    result: Floats = values.astype(np.float32) / np.float32(STEP)
    return result


class Quantiser:
    """The choice of the symbols of one tile, pass by pass.

    is_rough: every symbol counts whole steps: the nearest, or 0 instead of 1 if that is cheaper. No file holds such symbols, but their errors
    are about those of a file, in a tenth of the time.
    """

    def __init__(self, tables: entropy.Tables, *, is_rough: bool = False) -> None:
        self._tables, self._state = tables, 0
        self._first = NONE_DEPENDENT if is_rough else FIRST_DEPENDENT

    def choose(self, residuals: Floats, indexes: Indexes) -> Chosen:
        """Return the next symbols for residuals (n,) in steps, in coding order, and their scale indexes.

        LicRuntimeError where a residual is not a number or more than LARGEST_RESIDUAL.
        """
        largest = np.abs(residuals).max(initial=0)
        if not largest <= LARGEST_RESIDUAL:
            msg = f"the networks gave latents up to {largest:g} steps from their means, {LARGEST_RESIDUAL} is the most: the engine failed"
            raise LicRuntimeError(msg)
        second, weight = offset(self._tables), ERROR_BITS / ERROR_SHARE
        with at_work:
            way = entropy.Way(self._tables, residuals, indexes, self._first, second, weight, self._state)
        parts = entropy.Way.PARTS
        workers.in_rows(way.search, rows=parts, least=min(parts, max(1, LEAST_SYMBOLS * parts // max(len(indexes), 1))))
        with at_work:
            symbols, tables, values, self._state = way.finish()
        return Chosen(symbols, tables, values, indexes)
