"""Streams of bits for tests: cases drawn at random, and what writes them."""

import numpy as np
from hypothesis import strategies as st

from pillow_lic.engine import bits

PREFIX = 3


@st.composite
def contexts_and_bits(draw):
    """Draw start values, bits and their contexts."""
    count = draw(st.sampled_from([1, 2, 7, 4096]))
    n = draw(st.integers(0, 1100))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    starts = rng.integers(0, 65536, count).astype(np.uint16)
    contexts = rng.integers(0, count, n).astype(np.uint16)
    values = (rng.random(n) < rng.choice([0.0, 0.01, 0.3, 0.5, 1.0])).astype(np.uint8)
    return starts, values, contexts


def written(starts, values, contexts):
    encoder = bits.Encoder(starts)
    encoder.write(values, contexts)
    return encoder


def written_planes(starts, planes, classes, mask=None):
    encoder = bits.Encoder(starts)
    encoder.write_planes(planes, classes, mask)
    return encoder
