"""Filters for tests, through a stream and back."""

import numpy as np

from pillow_lic.engine import entropy, models
from pillow_lic.families.lic1 import filtering

SPEC = models.choose("lic2")


def some_taps(rng: np.random.Generator, largest: int, *, extended: bool = True) -> np.ndarray:
    taps = rng.integers(-largest, largest + 1, (3, filtering.TAPS)).astype(np.int16)
    taps[rng.random(taps.shape) < 0.3] = 0
    taps[:, filtering.PLAIN :] *= extended
    return taps


def read_back(coded: filtering.Coded, fixed: tuple[filtering.Filter, ...] = (), level: int = 0) -> filtering.Filter:
    stream = entropy.encode(SPEC.tables, coded.symbols, coded.indexes, entropy.check_of(coded.checked))
    decoder = entropy.Decoder(SPEC.tables, stream)
    found, checked = filtering.read(decoder, fixed, level)
    decoder.finish(checked)
    return found
