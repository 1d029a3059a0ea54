"""The aim of a file of a level: the bits that error is worth to its model, and whether drawn pixels keep their colours.

One quality means other bits and errors to every model, so nothing of the layer is weighed by quality itself.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..fileformat.levels import quality_to_level

EXACT_QUALITY: Final = 5.0
"""Quality from which on exact pixels keep their colours, with every model."""


class Aim(NamedTuple):
    """slope: the bits that a squared level of error of a pixel, the mean of its channels, is worth. is_exact: colours are kept."""

    slope: float
    is_exact: bool


def aim(slope: float, level: int) -> Aim:
    """Return the aim of files of a level, of a model to which error is worth so many bits there."""
    return Aim(slope, level >= quality_to_level(EXACT_QUALITY))
