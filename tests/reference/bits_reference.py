"""The coding of bits of FORMAT.md 7.4 in plain Python integers, written from the specification and not from the C++."""

LOW = 1 << 24


class Model:
    def __init__(self, starts):
        self.fast, self.slow = list(starts), list(starts)

    def frequencies(self, context):
        """Return (start, frequency) of a 0 and of a 1."""
        p = min(max((self.fast[context] + self.slow[context]) // 2, 32), 65504)
        return (p, 65536 - p), (0, p)

    def change(self, context, bit):
        for values, divisor in ((self.fast, 16), (self.slow, 128)):
            v = values[context]
            values[context] = v + (65535 - v) // divisor if bit else v - v // divisor


def places(classes, rows, columns, mask=None):
    """Yield (plane, channel, row, column) of every coded bit in the order of coding."""
    for plane, row_of_classes in enumerate(classes):
        for channel in range(len(row_of_classes)):
            for row in range(rows):
                for column in range(columns):
                    if mask is None or mask[plane][channel][row][column]:
                        yield plane, channel, row, column


def context_of(bits, place, cls):
    """bits: a dict from places to the bits known so far; those that are missing count as 0."""
    plane, channel, row, column = place
    before = [(-1, 0, 0), (-1, -1, 0), (-1, 0, -1), (-1, 0, 1), (-1, 1, 0)]
    around = [(0, 0, -1), (0, -1, -1), (0, -1, 0), (0, -1, 1), *before]
    neighbours = [(plane + p, channel, row + r, column + c) for p, r, c in around]
    return 512 * cls + sum(bits.get(neighbour, 0) << k for k, neighbour in enumerate(neighbours))


def encode(starts, pairs):
    """Return state and bytes for pairs of (bit, context)."""
    model, steps, x, backwards = Model(starts), [], LOW, bytearray()
    for bit, context in pairs:
        steps.append(model.frequencies(context)[bit])
        model.change(context, bit)
    for start, frequency in reversed(steps):
        while x >= frequency << 16:
            backwards.append(x & 255)
            x >>= 8
        x = (x // frequency << 16) + x % frequency + start
    return x.to_bytes(4, "little") + bytes(reversed(backwards))


def encode_planes(starts, planes, classes, mask=None):
    return encode(starts, pairs_of(planes, classes, mask))


def pairs_of(planes, classes, mask=None):
    bits, pairs = {}, []
    for place in places(classes, len(planes[0][0]), len(planes[0][0][0]), mask):
        plane, channel, row, column = place
        context = context_of(bits, place, classes[plane][channel])
        bits[place] = planes[plane][channel][row][column]
        pairs.append((bits[place], context))
    return pairs


class Decoder:
    """Gives bit after bit; None from the first one on that the bytes do not decide."""

    def __init__(self, starts, data):
        self.model, self.x, self.rest = Model(starts), int.from_bytes(data[:4], "little"), iter(data[4:])
        self.ended = len(data) < 4

    def bit(self, context):
        if self.ended:
            return None
        zero, one = self.model.frequencies(context)
        slot = self.x % 65536
        bit = int(slot < one[1])
        start, frequency = one if bit else zero
        self.x = frequency * (self.x // 65536) + slot - start
        while self.x < LOW and not self.ended:
            byte = next(self.rest, None)
            self.ended = byte is None
            self.x = 256 * self.x + (byte or 0)
        self.model.change(context, bit)
        return bit

    def is_whole(self):
        return not self.ended and self.x == LOW and next(self.rest, None) is None
