"""Streams of symbols that are cut, extended, altered or made up, and wrong tables and arguments: refused, and never a crash."""

import numpy as np
import pytest
from made.tiled import stream_of
from reference import rans_reference

from engine.symbol_streams import LANES, decode_in_passes, native_tables, random_symbols, random_table
from pillow_lic import _native
from pillow_lic.bench import coder
from pillow_lic.engine import entropy
from pillow_lic.errors import LicDamagedError, LicDesyncError


def test_other_symbols_than_were_written_are_a_desync():
    tables = coder.gaussian_tables()
    symbols, indexes = coder.picture_like(1000)
    stream = entropy.encode(tables, symbols, indexes)
    with pytest.raises(LicDesyncError, match="not those that were written"):
        entropy.decode(tables, stream[:1] + bytes([stream[1] ^ 1]) + stream[2:], indexes)
    entropy.decode(tables, entropy.encode(tables, symbols, indexes, entropy.check_of(symbols)), indexes)


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(7)
    reference = [random_table(rng) for _ in range(3)]
    symbols, indexes = random_symbols(rng, reference, 61, escapes=0.2)
    return native_tables(reference), symbols, indexes


def outcome(tables, data, lanes, indexes):
    """Decode and return the symbols, or None if the decoder refused."""
    try:
        return decode_in_passes(tables, data, indexes, lanes, [len(indexes) // 3])
    except _native.StreamError:
        return None


@pytest.mark.parametrize("lanes", LANES)
def test_every_truncation_and_every_extension_is_refused(small, lanes):
    tables, symbols, indexes = small
    data = _native.encode(tables, symbols, indexes, lanes)
    assert np.array_equal(outcome(tables, data, lanes, indexes), symbols)
    assert all(outcome(tables, data[:size], lanes, indexes) is None for size in range(len(data)))
    assert all(outcome(tables, data + bytes(extra), lanes, indexes) is None for extra in (1, 2, 100))


@pytest.mark.parametrize("lanes", LANES)
def test_every_bit_flip_is_refused_or_changes_symbols(small, lanes):
    tables, symbols, indexes = small
    data = _native.encode(tables, symbols, indexes, lanes)
    refused = 0
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        result = outcome(tables, bytes(flipped), lanes, indexes)
        # rANS maps streams to symbols one to one, so a stream that ends well holds other symbols.
        assert result is None or not np.array_equal(result, symbols)
        refused += result is None
    # Flipped raw bits of an escape change that value alone; the rest loses its way and does not end at 2^24.
    assert refused > 4 * len(data)


def test_random_bytes_never_crash_the_decoder():
    rng = np.random.default_rng(11)
    reference = [random_table(rng) for _ in range(20)] + [(0, [1, 65535])]
    tables = native_tables(reference)
    ended = 0
    for _ in range(3000):
        data = rng.integers(0, 256, int(rng.integers(0, 300)), dtype=np.uint8).tobytes()
        indexes = rng.integers(0, len(reference), int(rng.integers(0, 600))).astype(np.uint16)
        ended += outcome(tables, data, int(rng.choice(LANES)), indexes) is not None
    assert ended == 0


def test_random_bytes_give_what_the_reference_gives():
    rng = np.random.default_rng(12)
    reference = [random_table(rng) for _ in range(4)]
    tables = native_tables(reference)
    for _ in range(300):
        lanes = int(rng.choice(LANES))
        data = rng.integers(0, 256, int(rng.integers(4 * lanes, 60)), dtype=np.uint8)
        data[3 : 4 * lanes : 4] |= 1
        indexes = rng.integers(0, 4, int(rng.integers(1, 12))).astype(np.uint16)
        decoder = _native.Decoder(tables, data, lanes)
        try:
            got = decoder.decode(indexes).tolist()
        except _native.StreamError:
            got = None
        assert got == reference_prefix(reference, data.tobytes(), indexes.tolist(), lanes)


def reference_prefix(tables, data, indexes, lanes):
    """Return the symbols that the reference decodes before it checks the end, which random bytes do not pass."""
    symbols = []
    try:
        rans_reference.decode(tables, data, indexes, lanes, symbols)
    except ValueError:
        return symbols if len(symbols) == len(indexes) else None
    return symbols


def test_a_failed_decoder_stays_failed(small):
    tables, symbols, indexes = small
    data = _native.encode(tables, symbols, indexes, 2)
    decoder = entropy.Decoder(tables, stream_of(2, 0, data[:-3]))
    with pytest.raises(LicDamagedError, match="ends before its last symbol"):
        decoder.decode(indexes)
    with pytest.raises(LicDamagedError, match="failed before"):
        decoder.decode(indexes[:0])
    with pytest.raises(LicDamagedError, match="failed before"):
        decoder.finish()


def test_finish_before_the_last_symbol_is_refused(small):
    tables, symbols, indexes = small
    decoder = entropy.Decoder(tables, stream_of(4, 0, _native.encode(tables, symbols, indexes, 4)))
    decoder.decode(indexes[:-1])
    with pytest.raises(LicDamagedError, match="coded symbols are damaged"):
        decoder.finish()


def int16(*values):
    return np.array(values, np.int16)


def uint16(*values):
    return np.array(values, np.uint16)


@pytest.mark.parametrize(
    ("lo", "sizes", "frequencies", "reason"),
    [
        (int16(), uint16(), uint16(), "1 to 65536 tables, got 0"),
        (int16(0), uint16(2, 2), uint16(1, 65535), "1 minima but 2 sizes"),
        (int16(0), uint16(3), uint16(1, 65535), "add up to 3, but there are 2"),
        (int16(0), uint16(1), uint16(65535), "table 0 needs 2 or more symbols, got 1"),
        (int16(0, 0), uint16(2, 2), uint16(1, 65535, 0, 65535), "table 1 has frequency 0 at symbol 0"),
        (int16(0), uint16(2), uint16(1, 65534), "add up to 65535, not 65536"),
        (int16(0), uint16(3), uint16(32768, 32768, 65535), "not 65536"),
        (int16(32767), uint16(3), uint16(1, 1, 65534), "ends at 32768, above 32767"),
    ],
)
def test_tables_are_checked(lo, sizes, frequencies, reason):
    with pytest.raises(ValueError, match=reason):
        entropy.Tables(lo, sizes, frequencies)


def test_arguments_are_checked(small):
    tables, symbols, indexes = small
    assert tables.count == 3
    beyond = indexes.copy()
    beyond[-1] = 3
    data = _native.encode(tables, symbols, indexes, 1)
    for call in (
        lambda: _native.encode(tables, symbols, beyond, 1),
        lambda: entropy.encode(tables, symbols, beyond),
        lambda: tables.cost(symbols, beyond),
        lambda: entropy.Decoder(tables, stream_of(1, 0, data)).decode(beyond),
    ):
        with pytest.raises(ValueError, match="below 3, got 3") as caught:
            call()
        assert caught.type is ValueError
    for lanes in (0, 3, 16):
        with pytest.raises(ValueError, match=f"1, 2, 4 or 8, got {lanes}"):
            _native.encode(tables, symbols, indexes, lanes)
        with pytest.raises(ValueError, match=f"1, 2, 4 or 8, got {lanes}"):
            _native.Decoder(tables, data, lanes)
    with pytest.raises(ValueError, match="61 symbols but 60 indexes"):
        entropy.encode(tables, symbols, indexes[1:])
    with pytest.raises(TypeError):
        _native.encode(tables, symbols.astype(np.int32), indexes, 1)
    with pytest.raises(TypeError):
        _native.encode(tables, np.repeat(symbols, 2)[::2], indexes, 1)
