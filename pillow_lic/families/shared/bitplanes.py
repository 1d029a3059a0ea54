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
bits is known, `Planes.values` is the middle of what every symbol can be. All of it are integers (FORMAT.md 14.13). The walk itself is
native/bitplanes.hpp.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ...deadlines import check_time
from ...engine import bits as coder
from ...errors import LicDamagedError

Bits = npt.NDArray[np.uint8]
Contexts = npt.NDArray[np.uint16]
Symbols = npt.NDArray[np.int8]

PLANES: Final = 5
"""Planes of magnitudes; with the sign a symbol has 6 bits."""
LARGEST: Final = 2**PLANES - 1
"""Largest magnitude of a symbol."""
GROUPS: Final = (0, 1, 3, 6, 12, 24, 48, 72)
"""First channel of every group."""
TOPS: Final = len(GROUPS) * PLANES * 64 + 25 * 9 + len(GROUPS) * 3 * 7
END: Final = TOPS + len(GROUPS) * (PLANES + 1) * PLANES
CONTEXTS: Final = END + 10
"""The first context of tops, after those of planes (native/bitplanes.hpp), the first of *end*, and the number of all."""


class Planes(NamedTuple):
    """Symbols (C,h,w) as far as they are known.

    symbols: unknown bits are 0. unknown: how many of the lowest planes are unknown where i + j is even, and where it is odd (C,2).
    tops: planes of each channel (C,), 0 to PLANES. end: (plane, channel) pairs that are coded, at most PLANES * C.
    """

    symbols: Symbols
    unknown: Bits
    tops: Bits
    end: int

    def values(self) -> npt.NDArray[np.float32]:
        """Return the middle of what each symbol can be, (C,h,w); 0 for one that may still be 0."""
        half = np.indices(self.symbols.shape[1:]).sum(0) % 2
        middle = ((np.exp2(self.unknown.astype(np.float32)) - 1) / 2)[:, half]
        known = self.symbols.astype(np.float32)
        values: npt.NDArray[np.float32] = known + np.sign(known) * middle.astype(np.float32)
        return values


def tops_of(q: Symbols) -> Bits:
    """Return how many planes each channel of q (C,h,w) has."""
    tops: Bits = np.searchsorted(1 << np.arange(PLANES), np.abs(q).max((1, 2)), "right").astype(np.uint8)
    return tops


def parts(q: Symbols, end: int | None = None, tops: Bits | None = None) -> Iterator[tuple[Bits, Contexts]]:
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
    yield coder.symbol_bits(q, tops, end)


def group_of(channels: int) -> npt.NDArray[np.intp]:
    """Return the group of every channel, (C,)."""
    return np.searchsorted(np.array(GROUPS), np.arange(channels), "right") - 1


def pack(starts: Contexts, q: Symbols, end: int | None = None, tops: Bits | None = None) -> bytes:
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
    symbols, unknown = decoder.read_symbols(shape, tops, end)
    if not cut:
        decoder.finish()
    return Planes(symbols, unknown, tops, end)


def shortened(starts: Contexts, planes: Planes, size: int) -> bytes:
    """Return the stream of at most `size` bytes with as many of the (plane, channel) pairs as fit; ValueError naming the least size."""
    if len(whole := pack(starts, planes.symbols, planes.end, planes.tops)) <= size:
        return whole
    best, low, high = pack(starts, planes.symbols, 0, planes.tops), 0, planes.end
    if len(best) > size:
        msg = f"size of a tile must be at least {len(best)} bytes, got {size}"
        raise ValueError(msg)
    while high - low > 1:  # low fits, high does not
        middle = (low + high) // 2
        tried = pack(starts, planes.symbols, middle, planes.tops)
        if len(tried) <= size:
            low, best = middle, tried
        else:
            high = middle
    return best


def _of_top(group: npt.NDArray[np.intp], before: Bits, step: npt.NDArray[np.intp]) -> Contexts:
    """Return the contexts of bits that say whether channels of groups have more planes than `step`, those before them having `before`."""
    return (TOPS + (group * (PLANES + 1) + before) * PLANES + step).astype(np.uint16)
