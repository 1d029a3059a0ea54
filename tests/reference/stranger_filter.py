"""The filter of a tile as FORMAT.md, 8.7 has it, for `stranger`: it imports nothing of pillow_lic."""

import numpy as np

PLACES = [(0, 1), (1, -1), (1, 0), (1, 1), (0, 2), (1, -2), (1, 2), (2, -2), (2, -1), (2, 0), (2, 1), (2, 2)]

TURNED = [
    range(12),
    [2, 1, 0, 3, 9, 8, 10, 7, 5, 4, 6, 11],
    [3, 0, 1, 2, 11, 6, 10, 4, 5, 7, 8, 9],
    [1, 0, 3, 2, 7, 5, 8, 4, 6, 11, 10, 9],
]


def no_filter():
    """Section 8.7: tap[o, c, n], edge[o, n], turn[o, t, c, n], threshold, shift."""
    return np.zeros((3, 3, 16), int), np.zeros((3, 24), int), np.zeros((3, 3, 3, 4), int), 0, 0


def filter_of(model, coder, coded, level):
    """Section 8.7, what is read."""
    tap, edge, turn, _, _ = no_filter()
    if not model.constants.get("fraction"):
        return no_filter()

    def number(table):
        coded.append(coder.symbol(table))
        return coded[-1]

    kind = number(24) + 2
    assert kind <= 6
    if not kind:
        return no_filter()
    if kind == 6:
        return fixed_filter(model, number(12) + len(model.filters) * level // 1025, coded)
    shift = number(24) + 7 if kind == 5 else kind + 5
    threshold = 8 * (number(40) + 8) + 8
    tables = [number(32) + 2 for _ in range(12 if kind == 5 else 6)]

    def of_group(group, o):
        ranges = range(4), range(4, 12), range(12, 16), range(16, 24)
        if group < 6:
            return [(tap, (o, c, n)) for c in range(3) if (o == c) == (group < 3) for n in ranges[group % 3]]
        if group < 10:
            return [(edge, (o, n)) for n in ranges[group - 6]]
        return [(turn, (o, t, c, n)) for t in range(3) for c in range(3) if (o == c) == (group == 10) for n in range(4)]

    for group, table in enumerate(tables):
        for o in range(3) if table else ():
            for coefficients, place in of_group(group, o):
                coefficients[place] = number(4 * table)
    return tap, edge, turn, threshold, shift


def fixed_filter(model, which, coded):
    """Section 8.7, a filter that is the model's."""
    assert which >= 0
    record = model.filters[which]
    coded += record.tolist()
    rows = record[2:].reshape(3, 108)
    tap, edge, turn = rows[:, :48].reshape(3, 3, 16), rows[:, 48:72], rows[:, 72:].reshape(3, 3, 3, 4)
    return tap, edge, turn, 8 * record[1] + 8, record[0] + 5


def filtered(levels, tap, edge, turn, threshold, shift):
    """Section 8.7, what is computed: levels (height, width, 3) to pixels."""
    height, width = levels.shape[:2]
    v = np.floor(np.clip(16 * levels, 0, 4080) + 0.5).astype(int)
    v = np.concatenate([v, (v @ [1, 2, 1] >> 2)[..., None]], 2)

    def clip(d):
        return np.clip(d, -threshold, threshold)

    def at(plane, y, x):
        rows, columns = np.clip(np.arange(height) + y, 0, height - 1), np.clip(np.arange(width) + x, 0, width - 1)
        return plane[rows][:, columns]

    def pair(n, clipped):
        y, x = PLACES[n]
        first, second = at(v, y, x) - v, at(v, -y, -x) - v
        return clip(first) + clip(second) if clipped else first + second

    total = np.zeros((height, width, 3), int)
    row, column = np.indices((height, width))[..., None]
    signs = [1 - 2 * (row % 2), 1 - 2 * (column % 2), 1 - 2 * ((row + column) % 2)]
    for n in range(16):
        change = pair(n % 12, n >= 12)[..., :3]
        total += change @ tap[:, :, n].T
        for t in range(3) if n < 4 else ():
            total += signs[t] * (change @ turn[:, t, :, n].T)
    way, clear = directions(v[..., 3])
    for n in range(24):
        for k in range(4):
            change = pair(TURNED[k][n % 12], n >= 12)[..., 3]
            total += ((way == k) * ((change >> 1) * clear >> 2))[..., None] * edge[:, n]
    return np.clip((v[..., :3] * 2**shift + total + 2 ** (shift + 3)) >> (shift + 4), 0, 255).astype(np.uint8)


def directions(luma):
    """Section 8.7: k, 0 to 3, and w, 0 to 8."""
    height, width = luma.shape
    q = np.pad(luma >> 2, 3, "edge")
    sums = []
    for y, x in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = q[1 + y : height + 5 + y, 1 + x : width + 5 + x]
        b = q[1 - y : height + 5 - y, 1 - x : width + 5 - x]
        bend = np.abs(2 * q[1:-1, 1:-1] - a - b)
        sums.append(sum(bend[i : i + height, j : j + width] for i in range(5) for j in range(5)))
    a, b, c, d = sums
    straight = np.abs(a - b) > np.abs(c - d)
    small = np.where(straight, np.minimum(a, b), np.minimum(c, d))
    most = np.maximum(np.abs(a - b), np.abs(c - d))
    lead = most - np.minimum(np.abs(a - b), np.abs(c - d))
    by_small = sum(most > (small >> 1) + j * (small >> 4) for j in range(1, 9))
    by_lead = sum(lead > j * (most >> 5) for j in range(1, 9))
    return np.where(straight, np.where(a > b, 0, 1), np.where(c > d, 2, 3)), np.minimum(by_small, by_lead)
