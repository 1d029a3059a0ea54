"""Symbols of 6 bits as bit planes: from the highest plane to the lowest, each bit in a context of what is known by then.

    q (C,h,w) in -31..31 ──│q│ in 5 planes, and signs──▶ bits and contexts ──engine.bits──▶ stream

A plane is walked in groups of channels, and a group in two halves of a chequerboard, so that the second half sees the first. A bit is
one of three kinds:

* significance: whether a magnitude that was 0 so far has a 1 in this plane. Context: magnitudes around it in its channel, magnitudes
  of all channels around its place, how many planes the channel has above, and the group.
* sign, as soon as a magnitude is not 0. Context: the signs around it, and for the first channels the channel.
* refinement: a further bit of a magnitude that is not 0. Context: on which side of the middle the values beside it are.

In the first channels, those of means, the values beside a symbol and how far apart they are take the place of magnitudes.

First come the number of (plane, channel) pairs that are coded at all, and how many planes each channel has. Whatever prefix of the
bits is known, `Planes.values` is the middle of what every symbol can be. All of it are integers (FORMAT.md 14.13).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ..engine import bits as coder
from ..engine.settings import check_time
from ..errors import LicDamagedError

Bits = npt.NDArray[np.uint8]
Contexts = npt.NDArray[np.uint16]
Symbols = npt.NDArray[np.int8]
Numbers = npt.NDArray[np.int32]

PLANES: Final = 5
"""Planes of magnitudes; with the sign a symbol has 6 bits."""
LARGEST: Final = 2**PLANES - 1
"""Largest magnitude of a symbol."""
GROUPS: Final = (0, 1, 3, 6, 12, 24, 48, 72)
"""First channel of every group."""
OWN_SIGNS: Final = 24
"""Channels, the first ones, whose signs have contexts of their own."""

SMOOTH: Final = 2
"""Groups, the first ones, whose channels are so smooth that neighbours tell their values, not only how large these are."""

AROUND: Final = np.array([0, 1, 2, 3, 3, 4, 4, 5, 5, 5, 6, 6, 6, 6, 6, 6, 7], np.uint16)
"""The eighth that a sum of magnitudes around belongs to; larger sums are of the last one."""

BUSY: Final = np.array([1, 8, 16, 32, 64, 128, 256])
"""The least sum of magnitudes of all channels that belongs to the second eighth, and so on."""

SIGNIFICANCE: Final = 0
SIGN: Final = SIGNIFICANCE + len(GROUPS) * PLANES * 64
REFINEMENT: Final = SIGN + (OWN_SIGNS + 1) * 9
TOPS: Final = REFINEMENT + len(GROUPS) * 3 * 7
END: Final = TOPS + len(GROUPS) * (PLANES + 1) * PLANES
CONTEXTS: Final = END + 10
"""The first context of each kind, and the number of all."""


class Asked(NamedTuple):
    """Bits that come next: of which symbols, as flat indexes, and their contexts (n,). plane -1: their signs, 1 for negative ones."""

    plane: int
    where: npt.NDArray[np.intp]
    contexts: Contexts


class Planes:
    """Symbols (C,h,w) of which more and more bits are known."""

    def __init__(self, shape: tuple[int, int, int], tops: npt.NDArray[np.uint8], end: int) -> None:
        """tops: planes of each channel (C,), 0 to PLANES. end: (plane, channel) pairs that are coded, at most PLANES * C."""
        self.shape, self.tops, self.end = shape, tops, end
        channels, rows, columns = shape
        self.magnitude = np.zeros((channels, rows + 2, columns + 2), np.int8)
        self.sign = np.zeros(self.magnitude.shape, np.int8)
        self.unknown = np.repeat(tops[:, None, None], rows, 1).repeat(columns, 2).astype(np.int8)
        self._half = np.indices((rows, columns)).sum(0) % 2

    def walk(self) -> Generator[Asked, Bits, None]:
        """Yield what is asked and take its bits, in the order of the stream."""
        channels = self.shape[0]
        for plane in range(PLANES - 1, -1, -1):
            coded = max(0, min(channels, self.end - (PLANES - 1 - plane) * channels))
            for group, first in enumerate(GROUPS):
                last = min(*GROUPS[group + 1 : group + 2], channels, coded)
                chosen = first + np.flatnonzero(self.tops[first:last] > plane)
                if chosen.size:
                    yield from self._group(plane, group, chosen)

    def _group(self, plane: int, group: int, chosen: npt.NDArray[np.intp]) -> Generator[Asked, Bits, None]:
        _, rows, columns = self.shape
        inner = np.s_[:, 1 : rows + 1, 1 : columns + 1]
        magnitude, sign = self.magnitude[chosen], self.sign[chosen]
        before = magnitude[inner] != 0
        above = (self.tops[chosen] - 1 - plane).astype(np.uint16)[:, None, None]
        places = chosen[:, None, None] * (rows * columns) + np.arange(rows * columns).reshape(rows, columns)
        unknown = self.unknown[chosen]
        for half in (0, 1):
            here = self._half == half
            level, spread = _beside(magnitude, sign, unknown, plane)
            if group < SMOOTH:
                contexts = np.minimum(np.abs(level) + 1 >> 1, 7) + 8 * np.minimum(spread, 7)
                size = np.minimum(spread, 4) >> 1
            else:
                contexts = AROUND[self._near(magnitude, plane).clip(max=len(AROUND) - 1)] + 8 * self._busy(plane)
                size = np.minimum(magnitude[inner] >> plane + 1, 4) >> 1
            asked = ~before & here
            contexts = SIGNIFICANCE + contexts + 64 * (PLANES * group + above)
            bits = yield Asked(plane, places[asked], contexts[asked].astype(np.uint16))
            found = np.zeros(before.shape, bool)
            found[asked] = bits

            left, up = np.sign(sign[:, 1:-1, :-2] + sign[:, 1:-1, 2:]), np.sign(sign[:, :-2, 1:-1] + sign[:, 2:, 1:-1])
            contexts = SIGN + 9 * np.minimum(chosen, OWN_SIGNS)[:, None, None] + 3 * (left + 1) + up + 1
            negative = yield Asked(-1, places[found], contexts[found].astype(np.uint16))

            known = before & here
            middle = 2 * (magnitude[inner].astype(np.int32) >> plane) + 2
            side = np.clip(level * sign[inner] - middle + 7 >> 1, 0, 6)
            contexts = REFINEMENT + 21 * group + 7 * size.astype(np.int32) + side
            bits = yield Asked(plane, places[known], contexts[known].astype(np.uint16))

            magnitude[inner][known] |= (bits << plane).astype(np.int8)
            magnitude[inner][found], sign[inner][found] = 1 << plane, 1 - 2 * negative.astype(np.int8)
            unknown[:, here] = plane
            self.magnitude[chosen], self.sign[chosen], self.unknown[chosen] = magnitude, sign, unknown

    def _near(self, magnitude: Symbols, plane: int) -> Numbers:
        """Return the sums of magnitudes around each of channels (n,h+2,w+2), in units of the plane: twice beside it, once at its corners."""
        m = np.minimum(magnitude >> plane, 3).astype(np.int32)
        columns = m[:, :-2] + 2 * m[:, 1:-1] + m[:, 2:]
        result: Numbers = columns[:, :, :-2] + 2 * columns[:, :, 1:-1] + columns[:, :, 2:] - 4 * m[:, 1:-1, 1:-1]
        return result

    def _busy(self, plane: int) -> npt.NDArray[np.uint16]:
        """Return how much there is of all channels at each place (h,w), and half as much beside it: 0 to 7."""
        m = np.minimum(self.magnitude >> plane, 3).sum(0, dtype=np.int32)
        around = 4 * m[1:-1, 1:-1] + m[:-2, 1:-1] + m[2:, 1:-1] + m[1:-1, :-2] + m[1:-1, 2:]
        eighth: npt.NDArray[np.uint16] = np.searchsorted(BUSY, around, "right").astype(np.uint16)
        return eighth

    def values(self) -> npt.NDArray[np.float32]:
        """Return the middle of what each symbol can be, (C,h,w); 0 for one that may still be 0."""
        inner = np.s_[:, 1:-1, 1:-1]
        magnitude = self.magnitude[inner].astype(np.float32)
        middle = (np.exp2(self.unknown.astype(np.float32)) - 1) / 2
        return np.where(magnitude > 0, self.sign[inner] * (magnitude + middle), np.float32(0)).astype(np.float32)

    def symbols(self) -> Symbols:
        """Return the symbols as far as they are known, (C,h,w): unknown bits are 0."""
        return (self.magnitude * self.sign)[:, 1:-1, 1:-1]


def _beside(magnitude: Symbols, sign: Symbols, unknown: Symbols, plane: int) -> tuple[Numbers, Numbers]:
    """Return the mean of the values at the four sides in halves of the plane's unit, and how far apart they are in its units.

    magnitude, sign: framed channels (n,h+2,w+2). unknown: how many of the lowest planes of each symbol are unknown, (n,h,w).
    """
    rest = np.pad(1 << unknown.astype(np.int32), ((0, 0), (1, 1), (1, 1)))
    twice = np.where(magnitude != 0, sign * (2 * magnitude.astype(np.int32) + rest), 0)
    sides = np.stack([twice[:, 1:-1, :-2], twice[:, 1:-1, 2:], twice[:, :-2, 1:-1], twice[:, 2:, 1:-1]])
    return sides.sum(0) >> plane + 2, sides.max(0) - sides.min(0) >> plane + 1


def tops_of(q: Symbols) -> npt.NDArray[np.uint8]:
    """Return how many planes each channel of q (C,h,w) has."""
    tops: npt.NDArray[np.uint8] = np.searchsorted(1 << np.arange(PLANES), np.abs(q).max((1, 2)), "right").astype(
        np.uint8
    )
    return tops


def answers(q: Symbols, asked: Asked) -> Bits:
    """Return the bits that are asked of q (C,h,w)."""
    chosen = q.reshape(-1)[asked.where]
    return (chosen < 0 if asked.plane < 0 else np.abs(chosen) >> asked.plane & 1).astype(np.uint8)


def parts(
    q: Symbols, end: int | None = None, tops: npt.NDArray[np.uint8] | None = None
) -> Generator[tuple[Bits, Contexts], None, None]:
    """Yield the bits of q (C,h,w), magnitudes up to LARGEST, and their contexts, in the order of the stream.

    end: how many (plane, channel) pairs are coded, all by default. tops: planes of each channel, by default those it needs.
    """
    tops = tops_of(q) if tops is None else tops
    end = PLANES * len(q) if end is None else end
    yield ((end >> np.arange(9, -1, -1)) & 1).astype(np.uint8), np.arange(END, CONTEXTS).astype(np.uint16)
    steps = np.minimum(tops + 1, PLANES)
    which = np.repeat(np.arange(len(q)), steps)
    step = np.arange(len(which)) - np.repeat(np.cumsum(steps) - steps, steps)
    before = np.concatenate([tops[:1] * 0, tops[:-1]])
    yield (tops[which] > step).astype(np.uint8), _of_top(group_of(len(q))[which], before[which], step)
    walk = Planes(q.shape, tops, end).walk()
    asked = next(walk, None)
    while asked is not None:
        bits = answers(q, asked)
        yield bits, asked.contexts
        try:
            asked = walk.send(bits)
        except StopIteration:
            return


def group_of(channels: int) -> npt.NDArray[np.intp]:
    """Return the group of every channel, (C,)."""
    return np.searchsorted(np.array(GROUPS), np.arange(channels), "right") - 1


def pack(starts: Contexts, q: Symbols, end: int | None = None, tops: npt.NDArray[np.uint8] | None = None) -> bytes:
    """Return the stream of q (C,h,w); starts: uint16[CONTEXTS], end and tops as of `parts`."""
    encoder = coder.Encoder(starts)
    for bits, contexts in parts(q, end, tops):
        check_time()
        encoder.write(bits, contexts)
    return encoder.stream()


def unpack(starts: Contexts, stream: bytes | memoryview, shape: tuple[int, int, int], *, cut: bool = False) -> Planes:
    """Return what a stream says of symbols of a shape (C,h,w); with `cut` as far as it goes.

    LicDamagedError or LicDesyncError for a stream that `pack` did not make, LicDamagedError for a cut one that ends before the
    first plane.
    """
    channels = shape[0]
    decoder = coder.Decoder(starts, stream, cut=cut)
    end = int(decoder.read(np.arange(END, CONTEXTS).astype(np.uint16)) @ (1 << np.arange(9, -1, -1)))
    if end > PLANES * channels:
        msg = f"pairs of a plane and a channel must be at most {PLANES * channels}, got {end}"
        raise LicDamagedError(msg)
    tops, asked_for, group = np.zeros(channels, np.uint8), CONTEXTS - END, group_of(channels)
    for k in range(channels):
        while tops[k] < PLANES:
            before = tops[k - 1 : k] if k else tops[:1] * 0
            context = _of_top(group[k : k + 1], before, tops[k : k + 1].astype(np.intp))
            asked_for += 1
            if not decoder.read(context)[0]:
                break
            tops[k] += 1
    if decoder.decoded < asked_for:
        msg = "the stream ends before it says how many planes its channels have"
        raise LicDamagedError(msg)
    planes = Planes(shape, tops, end)
    walk = planes.walk()
    asked = next(walk, None)
    while asked is not None:
        check_time()
        bits, asked_for = decoder.read(asked.contexts), asked_for + asked.contexts.size
        if decoder.decoded < asked_for:
            return planes
        try:
            asked = walk.send(bits)
        except StopIteration:
            break
    if not cut:
        decoder.finish()
    return planes


def shortened(starts: Contexts, planes: Planes, size: int) -> bytes:
    """Return the stream of at most `size` bytes with as many of the (plane, channel) pairs as fit; ValueError naming the least size."""
    q = planes.symbols()
    if len(whole := pack(starts, q, planes.end, planes.tops)) <= size:
        return whole
    best, low, high = pack(starts, q, 0, planes.tops), 0, planes.end
    if len(best) > size:
        msg = f"size of a tile must be at least {len(best)} bytes, got {size}"
        raise ValueError(msg)
    while high - low > 1:  # low fits, high does not
        middle = (low + high) // 2
        tried = pack(starts, q, middle, planes.tops)
        if len(tried) <= size:
            low, best = middle, tried
        else:
            high = middle
    return best


def _of_top(group: npt.NDArray[np.intp], before: Bits, step: npt.NDArray[np.intp]) -> Contexts:
    """Return the contexts of bits that say whether channels of groups have more planes than `step`, those before them having `before`."""
    return (TOPS + (group * (PLANES + 1) + before) * PLANES + step).astype(np.uint16)
