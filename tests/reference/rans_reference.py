"""The range coder of FORMAT.md in plain Python integers, written from the specification and not from the C++.

A table is (lo, frequencies), the last frequency being the escape's.
"""

from itertools import accumulate

LOW = 1 << 24


def steps(table, value):
    """Yield (start, frequency) of every coding step of one value, in decoding order."""
    lo, frequencies = table
    starts = [0, *accumulate(frequencies)]
    escape = len(frequencies) - 1
    if lo <= value < lo + escape:
        yield starts[value - lo], frequencies[value - lo]
        return
    yield starts[escape], frequencies[escape]
    hi = lo + escape - 1
    code = 1 + (2 * (value - hi - 1) if value > hi else 2 * (lo - 1 - value) + 1)
    bits = code.bit_length() - 1
    yield bits << 11, 1 << 11
    rest = code - (1 << bits)
    for width, part in [(8, rest >> 8), (8, rest & 255)] if bits == 16 else [(bits, rest)] if bits else []:
        yield part << (16 - width), 1 << (16 - width)


def encode(tables, symbols, indexes, lanes):
    states, backwards = [LOW] * lanes, bytearray()
    for k in reversed(range(len(symbols))):
        for start, frequency in reversed(list(steps(tables[indexes[k]], symbols[k]))):
            x = states[k % lanes]
            while x >= frequency << 16:
                backwards.append(x & 255)
                x >>= 8
            states[k % lanes] = (x // frequency << 16) + x % frequency + start
    return b"".join(x.to_bytes(4, "little") for x in states) + bytes(reversed(backwards))


def decode(tables, data, indexes, lanes, symbols=None):
    """Append to `symbols` and return them; ValueError if the stream is not exactly right for these indexes."""
    symbols = [] if symbols is None else symbols
    states = [int.from_bytes(data[4 * lane : 4 * lane + 4], "little") for lane in range(lanes)]
    rest = iter(data[4 * lanes :])

    def take(lane, bounds):
        slot = states[lane] & 0xFFFF
        symbol = next(s for s in range(len(bounds) - 1) if bounds[s] <= slot < bounds[s + 1])
        x = (bounds[symbol + 1] - bounds[symbol]) * (states[lane] >> 16) + slot - bounds[symbol]
        while x < LOW:
            byte = next(rest, None)
            if byte is None:
                raise ValueError("truncated")
            x = x << 8 | byte
        states[lane] = x
        return symbol

    def raw(lane, bits):
        return take(lane, range(0, 65537, 1 << (16 - bits))) if bits else 0

    for k, index in enumerate(indexes):
        lane, (lo, frequencies) = k % lanes, tables[index]
        symbol = take(lane, [0, *accumulate(frequencies)])
        if symbol == len(frequencies) - 1:
            bits = raw(lane, 5)
            if bits > 16:
                raise ValueError("escape too long")
            rest_bits = raw(lane, 8) << 8 | raw(lane, 8) if bits == 16 else raw(lane, bits)
            folded = (1 << bits | rest_bits) - 1
            symbol = -1 - (folded >> 1) if folded & 1 else symbol + (folded >> 1)
            if not -32768 <= lo + symbol <= 32767:
                raise ValueError("escape outside int16")
        symbols.append(lo + symbol)
    if next(rest, None) is not None or states != [LOW] * lanes or len(data) < 4 * lanes:
        raise ValueError("does not end as it must")
    return symbols
