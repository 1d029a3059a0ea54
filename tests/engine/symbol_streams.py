"""Tables and symbols for tests of the range coder, and what decodes them."""

import numpy as np

from pillow_lic import _native
from pillow_lic.engine import entropy

LANES = (1, 2, 4, 8)


def native_tables(tables):
    lo = np.array([low for low, _ in tables], np.int16)
    sizes = np.array([len(f) for _, f in tables], np.uint16)
    return entropy.Tables(lo, sizes, np.array([f for _, table in tables for f in table], np.uint16))


def random_table(rng):
    n = int(rng.choice([2, 3, 4, 9, 40, 300]))
    p = rng.gamma(rng.choice([0.05, 1.0, 20.0]), size=n) + 1e-12
    f = 1 + np.floor(p / p.sum() * (65536 - n)).astype(np.int64)
    f[rng.integers(n)] += 65536 - f.sum()
    return int(rng.choice([-32768, -n // 2, 0, 32769 - n, rng.integers(-32768, 32769 - n)])), f.tolist()


def random_symbols(rng, tables, n, escapes=0.05):
    """Symbols drawn from their tables, and some from all of int16."""
    indexes = rng.integers(len(tables), size=n).astype(np.uint16)
    symbols = np.empty(n, np.int16)
    for k, index in enumerate(indexes):
        lo, f = tables[index]
        s = np.searchsorted(np.cumsum(f), rng.integers(65536), side="right")
        symbols[k] = rng.integers(-32768, 32768) if s == len(f) - 1 or rng.random() < escapes else lo + s
    return symbols, indexes


def decode_in_passes(tables, data, indexes, lanes, cuts):
    decoder = _native.Decoder(tables, data, lanes)
    parts = [decoder.decode(part) for part in np.split(indexes, cuts)]
    decoder.finish()
    return np.concatenate(parts)
