"""Symbols in bit planes: streams, their beginnings, and damaged ones."""

import numpy as np
import pytest
from reference import bitplanes_reference

from pillow_lic.engine import bits, models
from pillow_lic.errors import LicDamagedError, LicError
from pillow_lic.families.shared import bitplanes

FLAT = np.full(bitplanes.CONTEXTS, 32768, np.uint16)


def laplacian(shape: tuple[int, int, int], spread: float, seed: int = 0) -> np.ndarray:
    """Return symbols, smaller in later channels."""
    rng = np.random.default_rng(seed)
    falling = np.exp(-np.arange(shape[0]) / 20)[:, None, None]
    return np.clip(np.rint(rng.laplace(0, spread, shape) * falling), -31, 31).astype(np.int8)


@pytest.mark.parametrize(
    ("shape", "spread", "end"),
    [((96, 3, 4), 6, None), ((80, 1, 7), 20, 300), ((30, 5, 1), 4, 71), ((5, 4, 4), 9, 25), ((2, 2, 3), 9, 0)],
)
def test_the_format_is_enough_to_read_symbols(shape: tuple[int, int, int], spread: float, end: int | None) -> None:
    starts = np.random.default_rng(3).integers(1, 65535, bitplanes.CONTEXTS).astype(np.uint16)
    stream = bitplanes.pack(starts, laplacian(shape, spread), end)
    values = bitplanes_reference.symbols([int(v) for v in starts], stream, shape)
    np.testing.assert_array_equal(bitplanes.unpack(starts, stream, shape).values(), values)


@pytest.mark.parametrize(
    ("shape", "spread"), [((96, 2, 2), 3), ((96, 5, 7), 12), ((5, 3, 3), 2), ((1, 1, 1), 9), ((96, 4, 4), 0)]
)
def test_symbols_come_back(shape: tuple[int, int, int], spread: float) -> None:
    q = laplacian(shape, spread)
    found = bitplanes.unpack(FLAT, bitplanes.pack(FLAT, q), shape)
    np.testing.assert_array_equal(found.symbols, q)
    np.testing.assert_array_equal(found.values(), q)


def test_of_any_beginning_each_symbol_is_in_the_middle_of_what_it_can_be() -> None:
    q = laplacian((24, 6, 5), 9)
    stream, errors = bitplanes.pack(FLAT, q), []
    for size in range(len(stream) + 1):
        try:
            values = bitplanes.unpack(FLAT, memoryview(stream)[:size], q.shape, cut=True).values()
        except LicDamagedError:
            assert not errors
            continue
        assert (values * q >= 0).all()
        errors.append(float(np.square(values - q).mean()))
    assert len(errors) > 0.8 * len(stream)
    assert errors[0] == pytest.approx(np.square(q.astype(float)).mean())
    assert errors[-1] == 0
    assert np.diff(errors).max() < 0.05 * errors[0]


def test_a_shortened_stream_is_the_first_pairs_and_can_be_shortened_again() -> None:
    q = laplacian((96, 6, 5), 9)
    whole = bitplanes.unpack(FLAT, bitplanes.pack(FLAT, q), q.shape)
    for size in (150, 400, 800):
        short = bitplanes.shortened(FLAT, whole, size)
        assert 0.9 * size < len(short) <= size
        kept = bitplanes.unpack(FLAT, short, q.shape)
        pairs = 96 * (4 - np.arange(5)[::-1, None]) + np.arange(96) < kept.end
        for plane in range(5):
            bit = (np.abs(q) >> plane & 1) * pairs[4 - plane][:, None, None]
            np.testing.assert_array_equal(np.abs(kept.symbols) >> plane & 1, bit)
        assert bitplanes.shortened(FLAT, kept, len(short)) == short
    with pytest.raises(ValueError, match=r"size of a tile must be at least \d+ bytes, got 9"):
        bitplanes.shortened(FLAT, whole, 9)


def test_more_pairs_than_there_are_is_refused() -> None:
    coder = bits.Encoder(FLAT)
    coder.write(np.ones(10, np.uint8), np.arange(bitplanes.END, bitplanes.CONTEXTS).astype(np.uint16))
    with pytest.raises(LicDamagedError, match="at most 480, got 1023"):
        bitplanes.unpack(FLAT, coder.stream(), (96, 2, 2))


def test_damaged_streams_are_refused_or_read() -> None:
    """And nothing else is raised. In a whole stream the check finds what was changed, but for one of 65536."""
    starts = models.choose("rippel2017").starts
    q, rng = laplacian((96, 4, 4), 6), np.random.default_rng(1)
    stream, refused = bitplanes.pack(starts, q), 0
    for _ in range(300):
        changed = bytearray(stream)
        for at in rng.integers(0, len(stream), rng.integers(1, 4)):
            changed[at] = rng.integers(0, 256)
        wrong = bytes(changed[: rng.integers(1, len(stream) + 1)]) + bytes(int(rng.integers(0, 3)))
        for cut in (False, True):
            try:
                bitplanes.unpack(starts, wrong, q.shape, cut=cut)
            except LicError:
                refused += not cut
    assert refused >= 298


def test_planes_that_no_symbol_has_are_refused() -> None:
    q, tops = laplacian((4, 2, 2), 3), np.full(4, 6, np.uint8)
    with pytest.raises(ValueError, match="at most 5 planes, got 6"):
        bits.symbol_bits(q, tops, 20)
    with pytest.raises(ValueError, match="3 tops but 4 channels"):
        bits.symbol_bits(q, tops[:3], 20)
    with pytest.raises(ValueError, match="5 tops but 4 channels"):
        bits.Decoder(FLAT, bits.Encoder(FLAT).stream()).read_symbols(q.shape, np.full(5, 5, np.uint8), 20)
