"""One picture by several codecs at nearly the same number of bytes, so that eyes can compare what is left of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import metrics

if TYPE_CHECKING:
    from .peers import Codec, Pixels

Sizes = Mapping[str, Mapping[float, int]]
NOTHING: Mapping[float, int] = {}


@dataclass(frozen=True)
class Coded:
    """A picture coded once: its file, the pixels (H, W, 3) uint8 that come back, RGB PSNR in dB, seconds each way."""

    codec: Codec
    quality: float
    data: bytes
    pixels: Pixels
    psnr: float
    encode_seconds: float
    decode_seconds: float


@dataclass(frozen=True)
class Compared:
    """One picture, uint8 (H, W, 3), and what codecs made of it at nearly equal bytes; the first of them set how many."""

    name: str
    pixels: Pixels
    coded: Sequence[Coded]


def compare(name: str, pixels: Pixels, codecs: Sequence[Codec], quality: float, known: Sizes | None = None) -> Compared:
    """Return pixels (H, W, 3) by the first codec at this quality, and by each other where its file comes nearest to that in bytes.

    known: bytes of the picture's files by quality, of codecs by their names; what is known is not encoded to find the quality.
    """
    first = code(codecs[0], pixels, quality)
    return Compared(name, pixels, [first, *beside(len(first.data), pixels, codecs[1:], known)])


def code(codec: Codec, pixels: Pixels, quality: float) -> Coded:
    """Encode uint8 RGB pixels (H, W, 3) and decode what was made."""
    begun = time.perf_counter()
    data = codec.encode(pixels, quality)
    encoded = time.perf_counter()
    decoded = codec.decode(data)
    ended = time.perf_counter()
    return Coded(codec, quality, data, decoded, metrics.psnr(pixels, decoded), encoded - begun, ended - encoded)


def beside(wanted: int, pixels: Pixels, codecs: Iterable[Codec], known: Sizes | None = None) -> Iterator[Coded]:
    """Yield the picture by every codec at the quality whose file comes nearest to `wanted` bytes; `known` as of `compare`."""
    for codec in codecs:
        sizes = dict((known or {}).get(codec.name, {}))

        def size(quality: float, codec: Codec = codec, sizes: dict[float, int] = sizes) -> int:
            if quality not in sizes:
                sizes[quality] = len(codec.encode(pixels, quality))
            return sizes[quality]

        yield code(codec, pixels, nearest(size, wanted, codec.searched, sizes))


def nearest(
    size: Callable[[float], int], wanted: int, qualities: Sequence[float], known: Mapping[float, int] = NOTHING
) -> float:
    """Return the one of the ascending qualities whose file is nearest to `wanted` bytes; sizes must grow with quality.

    known: sizes of some qualities.
    """
    sizes = {i: known[quality] for i, quality in enumerate(qualities) if quality in known}
    low = max((i for i, found in sizes.items() if found <= wanted), default=0)
    high = min((i for i, found in sizes.items() if i > low and found > wanted), default=len(qualities) - 1)
    while high - low > 1:
        middle = (low + high) // 2
        if size(qualities[middle]) <= wanted:
            low = middle
        else:
            high = middle
    return min((qualities[low], qualities[high]), key=lambda quality: abs(size(quality) - wanted))
