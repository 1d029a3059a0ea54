"""Symbols in bit planes (FORMAT.md 14.13) in plain Python, written from the specification and not from the C++."""

import zlib
from bisect import bisect_right
from collections.abc import Callable
from itertools import product

import numpy as np

from reference import bits_reference


def group(k: int) -> int:
    return bisect_right([0, 1, 3, 6, 12, 24, 48, 72], k) - 1


def head(bit: Callable[[int], int], channels: int) -> tuple[int, list[int]]:
    """Return *end*, and the *top* of each channel."""
    end = 0
    for context in range(3193, 3203):
        end = 2 * end + bit(context)
    top = [0] * channels
    for k in range(channels):
        before = top[k - 1] if k else 0
        while top[k] < 5 and bit(2953 + 5 * (6 * group(k) + before) + top[k]):
            top[k] += 1
    return end, top


def symbols(starts: list[int], stream: bytes, shape: tuple[int, int, int]) -> np.ndarray:
    """Return what each symbol (channels, rows, columns) of a stream stands for."""
    channels, h, w = shape
    coder, check = bits_reference.Decoder(starts, stream[3:]), []

    def bit(context: int) -> int:
        check.append(coder.bit(context))
        return check[-1]

    end, top = head(bit, channels)
    m, s, u = (dict.fromkeys(np.ndindex(*shape), 0) for _ in range(3))
    for place in m:
        u[place] = top[place[0]]
    sides, corners = [(0, -1), (0, 1), (-1, 0), (1, 0)], [(-1, -1), (-1, 1), (1, -1), (1, 1)]

    def seen(values: dict[tuple[int, ...], int], k: int, i: int, j: int, around: list[tuple[int, int]]) -> list[int]:
        return [values.get((k, i + y, j + x), 0) for y, x in around]

    for p, g in product(range(4, -1, -1), range(8)):
        coded = [k for k in range(channels) if group(k) == g and top[k] > p and channels * (4 - p) + k < end]
        were = {place for place in m if m[place]}
        for half in (0, 1):
            n = {place: min(value >> p, 3) for place, value in m.items()}
            everything = {(0, i, j): sum(n[k, i, j] for k in range(channels)) for i in range(h) for j in range(w)}
            v = {place: s[place] * (2 * m[place] + 2 ** u[place]) for place in m}
            of_half = [(k, i, j) for k, i, j in product(coded, range(h), range(w)) if (i + j) % 2 == half]
            level = {place: sum(seen(v, *place, sides)) >> (p + 2) for place in of_half}
            spread = {place: max(seen(v, *place, sides)) - min(seen(v, *place, sides)) >> (p + 1) for place in of_half}
            found, signs, refined = [], {}, {}
            for k, i, j in of_half:
                if (k, i, j) in were:
                    continue
                near = 2 * sum(seen(n, k, i, j, sides)) + sum(seen(n, k, i, j, corners))
                busy = 4 * everything[0, i, j] + sum(seen(everything, 0, i, j, sides))
                a, b = bisect_right([1, 2, 3, 5, 7, 10, 16], near), bisect_right([1, 8, 16, 32, 64, 128, 256], busy)
                if g < 2:
                    a, b = min((abs(level[k, i, j]) + 1) >> 1, 7), min(spread[k, i, j], 7)
                if bit(64 * (5 * g + top[k] - 1 - p) + 8 * b + a):
                    found.append((k, i, j))
            for k, i, j in found:
                across, along = (int(np.sign(sum(seen(s, k, i, j, sides[o : o + 2])))) for o in (0, 2))
                signs[k, i, j] = 1 - 2 * bit(2560 + 9 * min(k, 24) + 3 * (across + 1) + along + 1)
            for place in of_half:
                if place in were:
                    t = min(spread[place], 4) >> 1 if g < 2 else min(m[place] >> (p + 1), 4) >> 1
                    d = min(max((s[place] * level[place] - 2 * (m[place] >> p) + 5) >> 1, 0), 6)
                    refined[place] = m[place] + (bit(2785 + 21 * g + 7 * t + d) << p)
            s.update(signs)
            m.update(dict.fromkeys(found, 2**p) | refined)
            u.update(dict.fromkeys(of_half, p))
    assert coder.is_whole()
    assert zlib.crc32(bytes(check)) & 0xFFFF == int.from_bytes(stream[1:3], "little")
    values = [s[place] * (m[place] + (2 ** u[place] - 1) / 2) if m[place] else 0 for place in m]
    return np.array(values).reshape(shape)
