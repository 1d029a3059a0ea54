"""FORMAT.md 14.15 in plain Python integers, written from the specification and not from the C++."""

import zlib

import numpy as np

from reference import bits_reference


def within(value, low, high):
    return min(max(value, low), high)


class Predictor:
    """The integer network of so many planes, from the bytes of the file behind its start values."""

    def __init__(self, stored, planes):
        n = 7 * planes
        self.bias = np.frombuffer(stored[: 4 * n], "<i4").reshape(7, planes).tolist()
        self.shift = np.frombuffer(stored[4 * n : 5 * n], np.uint8).reshape(7, planes).tolist()
        weights = np.frombuffer(stored[5 * n :], np.int8).tolist()
        self.sides = np.array(weights[: 18 * planes]).reshape(2, planes, 9).tolist()
        self.rows, at = [], 18 * planes
        for p in range(planes):
            self.rows.append([])
            for length in [2 * p + 2] * 4 + [2 * p + 6]:
                self.rows[-1].append(weights[at : at + length])
                at += length
        assert at == len(weights)

    def layer(self, number, p, total):
        return (total + self.bias[number][p]) >> self.shift[number][p]

    def side(self, number, p, x, i, j):
        """x: a dict from blocks to -16 and 16."""
        around = [x.get((i + y, j + z), 0) for y in (-1, 0, 1) for z in (-1, 0, 1)]
        total = sum(w * v for w, v in zip(self.sides[number][p], around, strict=True))
        return within(self.layer(number, p, total), -255, 255)

    def index(self, p, before, x, i, j):
        """before: such dicts of all planes before, and what is around their blocks. x: that of the first half of plane p."""
        second = (i + j) % 2
        seen = [value for signs, around in before for value in (signs.get((i, j), 0), around[i, j])]
        seen += [self.side(1, p, x, i, j) if second else 0, 16 * second]
        sums = [sum(w * v for w, v in zip(row, seen, strict=True)) for row in self.rows[p][:4]]
        seen += [within(self.layer(2 + k, p, total), 0, 255) for k, total in enumerate(sums)]
        odds = self.layer(6, p, sum(w * v for w, v in zip(self.rows[p][4], seen, strict=True)))
        return within((odds + 2 >> 2) + 32, 0, 63)


def contexts(predictor, planes, h, w, taken, bit):
    """Return the signs (planes, h, w): `bit` gives the one of a context, a plane and a block; `taken` says which blocks have one."""
    signs, before = np.zeros((planes, h, w), int), []
    for p in range(planes):
        x = {}
        for half in (0, 1):
            found = {}
            for i, j in np.ndindex(h, w):
                if (i + j) % 2 == half and taken(p, i, j):
                    found[i, j] = 32 * bit(512 + predictor.index(p, before, x, i, j), p, i, j) - 16
            x |= found
        for block, value in x.items():
            signs[(p, *block)] = value // 16
        before.append((x, {block: predictor.side(0, p, x, *block) for block in np.ndindex(h, w)}))
    return signs


def read(stored, constants, stream, shape):
    """The parts (steps, h, w) and signs (steps, bits, h, w) of a stream, by the file `predictor` and the constants of a model."""
    steps, count, align = (constants[name] for name in ("steps", "bits", "align"))
    h, w = (-(-length // align) * align // 16 for length in shape)
    coder, check = bits_reference.Decoder(np.frombuffer(stored[: 2 * 576], "<u2").tolist(), stream[3:]), []

    def bit(context, *_):
        check.append(coder.bit(context))
        return check[-1]

    found = {}
    for place in bits_reference.places([[0]] * steps, h, w):
        found[place] = bit(bits_reference.context_of(found, place, 0))
    parts = np.zeros((steps, h, w), int)
    for (t, _, i, j), value in found.items():
        parts[t, i, j] = value
    predictor = Predictor(stored[2 * 576 :], steps * count)
    signs = contexts(predictor, steps * count, h, w, lambda p, i, j: parts[p // count, i, j], bit)
    assert coder.is_whole()
    assert zlib.crc32(bytes(check)) & 0xFFFF == int.from_bytes(stream[1:3], "little")
    return parts, signs.reshape(steps, count, h, w)
