"""Quantisation tables for a JPEG file of half size: more even than the standard's.

The standard's tables (ITU-T T.81, annex K) are coarser for high frequencies, as the eye is at the size they were made for. Of a picture
that is shown twice as large every frequency is half as high, and those that are left carry what the enlargement builds on.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ...fileformat.jpeg import Steps

EVEN: Final = 0.8
"""How far the steps of luma are moved towards their geometric mean: 0 not at all, 1 to it."""
FINER: Final = 0.62
"""Factor of the steps of luma, with which a quality takes about as many bytes as by the standard's tables."""


def evened(steps: Steps) -> Steps:
    """Return steps (2, 64) of luma and chroma as whole numbers 1-255, those of luma more even and finer; chroma as it is."""
    logs = np.log(steps[0])
    luma = np.exp((1 - EVEN) * logs + EVEN * logs.mean()) * FINER
    return np.stack([np.clip(np.rint(luma), 1, 255), steps[1]]).astype(np.float32)
