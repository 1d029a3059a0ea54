"""Speed and rate of the range coder beside constriction's, on the same symbols in the same run, and of the coder of bits.

The symbols imitate a picture: 64 Gaussian scales from .11 to 148, log-spaced, most of the indexes small. constriction
has no call for many stored tables at once, so it evaluates its Gaussians symbol by symbol, as its users do.

The bits are the planes of magnitudes of 0 to 63 whose scale changes from place to place; every context begins at one half.
Their ideal length is that of the adaptive model: what it costs to code each bit with the probability that it has by then.
Times are of the processor, on one core.
"""

import argparse
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .._native import BitDecoder, BitEncoder, Decoder, Tables, encode
from ..command_values import count, typed
from . import words

SCALES = [0.11 * (148 / 0.11) ** (i / 63) for i in range(64)]
SPREAD = 15
"""The indexes are |N(0, SPREAD)|: about 1.1 bits a symbol."""

PLANES, CHANNELS, BLOCK = 6, 4, 16
"""Of the array of bits: `BLOCK` x `BLOCK` magnitudes have one scale."""


def gaussian_tables() -> Tables:
    """Return one table for each of SCALES, reaching to four deviations, roughly rounded."""
    lows, tables = [], []
    for scale in SCALES:
        h = max(1, math.ceil(4 * scale))
        below = [0.5 * math.erfc(-(v - 0.5) / (scale * math.sqrt(2))) for v in range(-h, h + 2)]
        p = np.append(np.diff(below), 1e-4)
        f = np.maximum(1, np.rint(p / p.sum() * 65536)).astype(np.int64)
        f[h] += 65536 - f.sum()
        lows.append(-h)
        tables.append(f)
    return Tables(
        np.array(lows, np.int16),
        np.array([f.size for f in tables], np.uint16),
        np.concatenate(tables).astype(np.uint16),
    )


def picture_like(n: int, seed: int = 0) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """Return n symbols (int16) and the indexes of their scales (uint16, 0..63), the same for the same seed."""
    rng = np.random.default_rng(seed)
    indexes = np.minimum(63, np.abs(rng.normal(0, SPREAD, n))).astype(np.uint16)
    symbols = np.rint(rng.normal(0, 1, n) * np.array(SCALES)[indexes])
    return symbols.astype(np.int16), indexes


def bit_planes(n: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return about n bits, uint8[PLANES, CHANNELS, side, side], the most significant plane first; the same for the same seed."""
    rng = np.random.default_rng(seed)
    blocks = max(1, round(math.sqrt(n / (PLANES * CHANNELS)) / BLOCK))
    scales = np.exp(rng.normal(0.5, 1.2, (CHANNELS, blocks, 1, blocks, 1)))
    values = np.abs(rng.normal(0, 1, (CHANNELS, blocks, BLOCK, blocks, BLOCK))) * scales
    magnitudes = np.minimum(np.rint(values), 2**PLANES - 1).astype(np.uint8).reshape(CHANNELS, blocks * BLOCK, -1)
    return np.stack([magnitudes >> np.uint8(k) & np.uint8(1) for k in reversed(range(PLANES))])


def best_seconds(call: Callable[[], object], repeats: int) -> float:
    """Return the shortest time of `repeats` calls on the processor."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def _measure_ours(
    symbols: NDArray[np.int16], indexes: NDArray[np.uint16], lanes: int, repeats: int
) -> tuple[float, float]:
    tables = gaussian_tables()
    data = encode(tables, symbols, indexes, lanes)
    ideal = tables.cost(symbols, indexes) / 8

    def decode() -> NDArray[np.int16]:
        decoder = Decoder(tables, data, lanes)
        decoded = decoder.decode(indexes)
        decoder.finish()
        return decoded

    if not np.array_equal(decode(), symbols):
        message = "the decoded symbols differ from those encoded"
        raise RuntimeError(message)
    seconds = (best_seconds(lambda: encode(tables, symbols, indexes, lanes), repeats), best_seconds(decode, repeats))
    _print(f"pillow-lic, lanes {lanes}", symbols.size, seconds, len(data), ideal)
    return seconds


def _measure_bits(planes: NDArray[np.uint8], repeats: int) -> None:
    flat = planes.ravel()
    classes = np.repeat(np.arange(PLANES, dtype=np.uint8), CHANNELS).reshape(PLANES, CHANNELS)
    contexts = np.repeat(np.arange(PLANES, dtype=np.uint16), flat.size // PLANES)

    def read_planes(decoder: BitDecoder) -> NDArray[np.uint8]:
        decoded = np.zeros_like(planes)
        decoder.read_planes(decoded, classes, None)
        return decoded.ravel()

    def read(decoder: BitDecoder) -> NDArray[np.uint8]:
        decoded = np.zeros_like(flat)
        decoder.read(contexts, decoded)
        return decoded

    _measure_door("bits of planes", flat, lambda e: e.write_planes(planes, classes, None), read_planes, repeats)
    _measure_door("bits, contexts given", flat, lambda e: e.write(flat, contexts), read, repeats)


def _measure_door(
    name: str,
    bits: NDArray[np.uint8],
    write: Callable[[BitEncoder], None],
    read: Callable[[BitDecoder], NDArray[np.uint8]],
    repeats: int,
) -> None:
    starts = np.full(4096, 32768, np.uint16)

    def encoder() -> BitEncoder:
        full = BitEncoder(starts)
        write(full)
        return full

    data, ideal = encoder().stream(), encoder().cost() / 8

    def decode() -> NDArray[np.uint8]:
        decoder = BitDecoder(starts, data, False)
        decoded = read(decoder)
        decoder.finish()
        return decoded

    if not np.array_equal(decode(), bits):
        message = "the decoded bits differ from those encoded"
        raise RuntimeError(message)
    seconds = (best_seconds(lambda: encoder().stream(), repeats), best_seconds(decode, repeats))
    _print(name, bits.size, seconds, len(data), ideal, "bits")


def _measure_constriction(symbols: NDArray[np.int16], indexes: NDArray[np.uint16]) -> tuple[float, float] | None:
    try:
        import constriction
    except ImportError:
        print("constriction is not installed (pip install constriction): no peer to compare with.")
        return None
    stream = constriction.stream
    family = stream.model.QuantizedGaussian(-1000, 1000)
    values, scales = symbols.astype(np.int32), np.array(SCALES)[indexes]
    means = np.zeros_like(scales)
    coder = stream.stack.AnsCoder()
    encode_seconds = best_seconds(lambda: coder.encode_reverse(values, family, means, scales), 1)
    size = 4 * coder.num_words()
    decoded: list[NDArray[np.int32]] = []
    decode_seconds = best_seconds(lambda: decoded.append(coder.decode(family, means, scales)), 1)
    if not np.array_equal(decoded[0], values):
        message = "constriction's decoded symbols differ from those encoded"
        raise RuntimeError(message)
    _print("constriction ANS", symbols.size, (encode_seconds, decode_seconds), size, None)
    return encode_seconds, decode_seconds


def _print(
    name: str, n: int, seconds: tuple[float, float], size: int, ideal: float | None, what: str = "symbols"
) -> None:
    over = "" if ideal is None else f", {100 * (size / ideal - 1):+.4f} % over the ideal"
    print(
        f"{name:20} encode {n / seconds[0] / 1e6:7.1f} M {what}/s, decode {n / seconds[1] / 1e6:7.1f} M {what}/s, "
        f"{size} bytes{over}"
    )


def parser() -> argparse.ArgumentParser:
    """Return the parser of the words of `lic bench coder`."""
    found = words.parser(
        "lic bench coder",
        "Measure the coders of symbols and of bits alone.",
        "lic bench coder --symbols 200000 --repeats 3",
    )
    found.add_argument(
        "--symbols",
        type=typed(count),
        default=1_500_000,
        metavar="N",
        help="symbols, and about as many bits, 1 or more; default 1500000",
    )
    found.add_argument("--repeats", type=typed(count), default=7, metavar="K", help="best of K, 1 or more; default 7")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark of `lic bench coder`, print it, and return the exit status 0."""
    arguments = parser().parse_args(argv)
    symbols, indexes = picture_like(arguments.symbols)
    for lanes in (1, 2, 4, 8):
        ours = _measure_ours(symbols, indexes, lanes, arguments.repeats)
    _measure_bits(bit_planes(arguments.symbols), arguments.repeats)
    peer = _measure_constriction(symbols, indexes)
    if peer:
        print(
            f"ratio to constriction: encode {peer[0] / ours[0]:.1f} times, decode {peer[1] / ours[1]:.1f} times as fast"
        )
    return 0
