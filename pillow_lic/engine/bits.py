"""Bits <-> the bytes of a stream, through the native coder that adapts to what it codes (FORMAT.md 7.4).

    planes uint8[planes, channels, rows, columns] of 0 and 1  --Encoder.write_planes-->  the contexts of their neighbours
    bits uint8[...], contexts uint16[...]                     --Encoder.write-------->   contexts that the caller knows
    symbols int8[channels, rows, columns]                     --symbol_bits---------->   bits and contexts of their planes
    signs int8[planes, rows, columns] of -1, 0, 1             --sign_bits------------>   bits, and contexts that a network picks

All calls of an `Encoder` write one stream, and a `Decoder` reads it by the same calls. A context is the index of a start value: there its
probability of a 1 begins, and then follows the bits that were coded in this context. All arithmetic is in integers, so that every machine
reads the same bits.

The first bytes of a stream give its first bits, so planes are written from the most important to the least.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from .._native import BitDecoder as _NativeDecoder
from .._native import BitEncoder as _NativeEncoder
from .._native import SignPredictor, StreamError
from .._native import symbol_bits as _symbol_bits
from ..errors import LicDamagedError, LicDesyncError
from . import entropy
from .ending import at_work

__all__ = [
    "CLASSES",
    "CONTEXTS_OF_A_CLASS",
    "Decoder",
    "Encoder",
    "SignPredictor",
    "sign_bits",
    "stored_predictor",
    "stored_starts",
    "symbol_bits",
]

Bits = npt.NDArray[np.uint8]
Classes = npt.NDArray[np.uint8]
Contexts = npt.NDArray[np.uint16]
Mask = npt.NDArray[np.bool_]
Starts = npt.NDArray[np.uint16]
Symbols = npt.NDArray[np.int8]
Signs = npt.NDArray[np.int8]
Counts = npt.NDArray[np.uint8]

CLASSES = 8
CONTEXTS_OF_A_CLASS = 512
"""The contexts of planes of class c are the 512 from 512 c on; at most 4096 contexts exist."""

OUTPUTS = 7
"""Outputs of a predictor for each plane: what is around, what is beside, four hidden ones, the odds."""

_SHORTEST = 7
"""Bytes of a stream without bits: prefix and state."""


def stored_starts(data: bytes) -> Starts:
    """Return start values as a model stores them: one u16 for each context, the probability of a 1 in 65536ths."""
    return np.frombuffer(data, "<u2").astype(np.uint16)


def symbol_bits(symbols: Symbols, tops: Bits, end: int) -> tuple[Bits, Contexts]:
    """Return the bits of the planes of symbols (channels, rows, columns), -31 to 31, and their contexts, in the order of FORMAT.md 14.13.

    tops: planes of each channel (channels,), 0 to 5. end: how many pairs of a plane and a channel are coded.
    """
    with at_work:
        return _symbol_bits(np.ascontiguousarray(symbols), np.ascontiguousarray(tops), end)


def stored_predictor(data: bytes, planes: int) -> SignPredictor:
    """Return the predictor of so many planes as a model stores it (FORMAT.md 14.15): i32 biases, u8 shifts, i8 weights.

    ValueError for other lengths, and numbers that are not legal.
    """
    outputs = OUTPUTS * planes
    biases, shifts, weights = (
        np.frombuffer(part, kind)
        for part, kind in (
            (data[: 4 * outputs], "<i4"),
            (data[4 * outputs : 5 * outputs], "u1"),
            (data[5 * outputs :], "i1"),
        )
    )
    return SignPredictor(np.concatenate([biases, shifts, weights]).astype(np.int32), planes)


def sign_bits(predictor: SignPredictor, signs: Signs, counts: Counts) -> tuple[Bits, Contexts]:
    """Return the bits of signs (steps, planes of a step, rows, columns), and their contexts, in the order of FORMAT.md 14.15.

    counts: steps that each place has signs of (rows, columns).
    """
    flat = np.ascontiguousarray(signs).reshape(-1, *signs.shape[2:])
    with at_work:
        return predictor.bits(flat, np.ascontiguousarray(counts), signs.shape[1])


class Encoder:
    """Takes bits call by call, then gives their stream. starts: uint16[C], C from 1 to 4096, else ValueError."""

    def __init__(self, starts: Starts) -> None:
        self._native = _NativeEncoder(starts)
        self._crc = 0

    def write(self, bits: Bits, contexts: Contexts) -> None:
        """Take bits of any shape, in C order, each in the context at its place.

        ValueError for a bit above 1, a context that is not below C, or other sizes.
        """
        bits = np.ravel(bits)
        with at_work:
            self._native.write(bits, np.ravel(contexts))
        self._crc = zlib.crc32(bits.data, self._crc)

    def write_planes(self, planes: Bits, classes: Classes, mask: Mask | None = None) -> None:
        """Take planes of bits, uint8[planes, channels, rows, columns]; the context of each is that of FORMAT.md 7.4.

        classes: uint8[planes, channels], 0 to 7 and such that 512 * (class + 1) <= C. mask: of the shape of the planes, False
        for bits that the decoder knows to be 0, which are not coded. ValueError where that does not hold.
        """
        planes = np.ascontiguousarray(planes)
        with at_work:
            self._native.write_planes(planes, np.ascontiguousarray(classes), _as_bytes(mask))
        self._crc = _crc_of(planes, mask, self._crc)

    def cost(self) -> float:
        """Return the ideal length of what was taken in bits: sum of -log2 of the probabilities that it was coded with."""
        return self._native.cost()

    def stream(self) -> bytes:
        """Return the stream of all bits taken so far."""
        return bytes(1) + (self._crc & 0xFFFF).to_bytes(2, "little") + self._native.stream()


class Decoder:
    """Reads the bits of one stream, by the calls that wrote them.

    cut: the stream may end anywhere. Every call then gives zeros for the missing bits, and `decoded` says how many bits were there. A
    cut stream has nothing that tells whether its bytes are right. LicDamagedError or LicUnsupportedError if the beginning of the
    stream is that of none.
    """

    def __init__(self, starts: Starts, stream: bytes | memoryview, *, cut: bool = False) -> None:
        lanes, check, coded = 1, 0, memoryview(b"")
        if not cut or len(stream) >= _SHORTEST:
            lanes, check, coded = entropy.parse_prefix(stream)
        if lanes != 1:
            msg = f"a stream of bits has one lane, got {lanes}"
            raise LicDamagedError(msg)
        self._check = check
        self._crc = 0
        self.decoded = 0
        """Bits that the calls so far have given, without those that a cut has taken away or a mask leaves out."""
        try:
            self._native = _NativeDecoder(starts, coded, cut)
        except StreamError as error:
            raise _damaged(error) from error

    def read(self, contexts: Contexts) -> Bits:
        """Return the next bits, of the shape of `contexts`.

        LicDamagedError if the stream ends early and is not `cut`; ValueError if a context is not below C.
        """
        bits = np.zeros(contexts.size, np.uint8)
        try:
            with at_work:
                self.decoded += self._native.read(np.ravel(contexts), bits)
        except StreamError as error:
            raise _damaged(error) from error
        self._crc = zlib.crc32(bits.data, self._crc)
        return bits.reshape(contexts.shape)

    def read_planes(self, classes: Classes, rows: int, columns: int, mask: Mask | None = None) -> Bits:
        """Return planes of bits, uint8[planes, channels, rows, columns]; `classes` and `mask` as they were written.

        Errors as of `read`, ValueError for a class that has no contexts.
        """
        planes = np.zeros((*classes.shape, rows, columns), np.uint8)
        try:
            with at_work:
                self.decoded += self._native.read_planes(planes, np.ascontiguousarray(classes), _as_bytes(mask))
        except StreamError as error:
            raise _damaged(error) from error
        self._crc = _crc_of(planes, mask, self._crc)
        return planes

    def read_symbols(self, shape: tuple[int, int, int], tops: Bits, end: int) -> tuple[Symbols, Bits]:
        """Return symbols of a shape (channels, rows, columns) by the planes that `symbol_bits` gives, and what of them is unknown.

        tops and end as there. Of a cut stream, bits that are not there are 0, and uint8 (channels, 2) says for each channel and half of
        a chequerboard how many of the lowest planes those are. Errors as of `read`.
        """
        symbols, unknown = np.empty(shape, np.int8), np.empty((shape[0], 2), np.uint8)
        try:
            with at_work:
                bits = self._native.read_symbols(symbols, np.ascontiguousarray(tops), end, unknown)
        except StreamError as error:
            raise _damaged(error) from error
        self.decoded += bits.size
        self._crc = zlib.crc32(bits.data, self._crc)
        return symbols, unknown

    def read_signs(self, predictor: SignPredictor, shape: tuple[int, int], counts: Counts) -> Signs:
        """Return signs, int8 of -1, 0 and 1 (steps, planes of a step, rows, columns), of `shape` = (steps, planes of a step).

        counts as of `sign_bits`; where it has no sign, and where a cut stream ends, there is 0. Errors as of `read`.
        """
        signs = np.empty((shape[0] * shape[1], *counts.shape), np.int8)
        try:
            with at_work:
                bits = self._native.read_signs(predictor, signs, np.ascontiguousarray(counts), shape[1])
        except StreamError as error:
            raise _damaged(error) from error
        self.decoded += bits.size
        self._crc = zlib.crc32(bits.data, self._crc)
        return signs.reshape(*shape, *counts.shape)

    def finish(self) -> None:
        """Raise LicDamagedError unless the stream ends exactly here, LicDesyncError unless its check is that of the bits read."""
        try:
            self._native.finish()
        except StreamError as error:
            raise _damaged(error) from error
        if self._crc & 0xFFFF != self._check:
            raise LicDesyncError(entropy.DESYNC.format("the bits are not those that were written"))


def _as_bytes(mask: Mask | None) -> npt.NDArray[np.uint8] | None:
    return None if mask is None else np.ascontiguousarray(mask, np.bool_).view(np.uint8)


def _crc_of(planes: Bits, mask: Mask | None, crc: int) -> int:
    """Return the CRC-32, started from `crc`, of the bits that are coded, a byte each."""
    coded: npt.NDArray[Any] = planes if mask is None else planes[mask]
    return zlib.crc32(np.ascontiguousarray(coded).data, crc)


def _damaged(error: StreamError) -> LicDamagedError:
    return LicDamagedError(f"the coded bits are damaged: {error}")
