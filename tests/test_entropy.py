import math
import threading

import numpy as np
import pytest
import rans_reference
from tiled import stream_of

from pillow_lic import _native
from pillow_lic.bench import coder
from pillow_lic.engine import entropy
from pillow_lic.errors import LicDamagedError, LicDesyncError

LANES = (1, 2, 4, 8)
LENGTHS = (0, 1, 2, 7, 8, 9, 15, 16, 17, 63, 511, 512, 513, 1030)


def native_tables(tables):
    lo = np.array([low for low, _ in tables], np.int16)
    sizes = np.array([len(f) for _, f in tables], np.uint16)
    return entropy.Tables(lo, sizes, np.array([f for _, table in tables for f in table], np.uint16))


def random_table(rng):
    n = int(rng.choice([2, 3, 4, 9, 40, 300]))
    p = rng.gamma(rng.choice([0.05, 1.0, 20.0]), size=n) + 1e-12
    f = 1 + np.floor(p / p.sum() * (65536 - n)).astype(np.int64)
    f[rng.integers(n)] += 65536 - f.sum()
    return int(rng.choice([-32768, -n // 2, 0, 32769 - n, rng.integers(-32768, 32769 - n)])), f.tolist()


def random_symbols(rng, tables, n, escapes=0.05):
    """Symbols drawn from their tables, and some from all of int16."""
    indexes = rng.integers(len(tables), size=n).astype(np.uint16)
    symbols = np.empty(n, np.int16)
    for k, index in enumerate(indexes):
        lo, f = tables[index]
        s = np.searchsorted(np.cumsum(f), rng.integers(65536), side="right")
        symbols[k] = rng.integers(-32768, 32768) if s == len(f) - 1 or rng.random() < escapes else lo + s
    return symbols, indexes


def decode_in_passes(tables, data, indexes, lanes, cuts):
    decoder = _native.Decoder(tables, data, lanes)
    parts = [decoder.decode(part) for part in np.split(indexes, cuts)]
    decoder.finish()
    return np.concatenate(parts)


def read_in_passes(tables, stream, indexes, cuts):
    decoder = entropy.Decoder(tables, stream)
    parts = [decoder.decode(part) for part in np.split(indexes, cuts)]
    decoder.finish(*parts)
    return np.concatenate(parts)


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("n", LENGTHS)
def test_bytes_and_symbols_equal_the_reference(n, lanes):
    rng = np.random.default_rng(100 * n + lanes)
    for _ in range(3):
        reference = [random_table(rng) for _ in range(5)]
        symbols, indexes = random_symbols(rng, reference, n)
        tables = native_tables(reference)
        data = _native.encode(tables, symbols, indexes, lanes)
        assert data == rans_reference.encode(reference, symbols.tolist(), indexes.tolist(), lanes)
        assert rans_reference.decode(reference, data, indexes.tolist(), lanes) == symbols.tolist()
        cuts = np.sort(rng.integers(0, n + 1, size=3))
        assert np.array_equal(decode_in_passes(tables, data, indexes, lanes, cuts), symbols)


EXTREME = {
    "certain value": (0, [65535, 1]),
    "certain escape": (0, [1, 65535]),
    "rare value first": (-1, [1, 65534, 1]),
    "even": (-5, [32768, 32768]),
    "all of frequency 1": (-32768, [1] * 65534 + [2]),
    "one wide among many narrow": (100, [1] * 500 + [65536 - 1000] + [1] * 500),
    "up to 32767": (32766, [30000, 30000, 5536]),
}


@pytest.mark.parametrize("name", EXTREME)
def test_extreme_tables_equal_the_reference(name):
    rng = np.random.default_rng(1)
    lo, f = EXTREME[name]
    inside = lo + rng.integers(0, len(f) - 1, 40)
    symbols = np.concatenate([inside, [-32768, 32767, 0, lo, lo + len(f) - 2], np.full(60, inside[0])]).astype(np.int16)
    indexes = np.zeros(symbols.size, np.uint16)
    tables = native_tables([(lo, f)])
    for lanes in (1, 8):
        data = _native.encode(tables, symbols, indexes, lanes)
        assert data == rans_reference.encode([(lo, f)], symbols.tolist(), indexes.tolist(), lanes)
        assert np.array_equal(decode_in_passes(tables, data, indexes, lanes, []), symbols)


@pytest.mark.parametrize("table", [(0, [65535, 1]), (-1, [1, 65533, 1, 1]), (-32768, [1, 65535]), (32767, [1, 65535])])
def test_every_int16_value_survives(table):
    symbols = np.arange(-32768, 32768).astype(np.int16)
    indexes = np.zeros(symbols.size, np.uint16)
    tables = native_tables([table])
    stream = entropy.encode(tables, symbols, indexes)
    assert np.array_equal(read_in_passes(tables, stream, indexes, [3, 40000]), symbols)
    ideal = sum(-math.log2(f / 65536) for v in symbols.tolist() for _, f in rans_reference.steps(table, v))
    assert tables.cost(symbols, indexes) == pytest.approx(ideal, rel=1e-6)


def test_every_short_sequence_over_three_values():
    rng = np.random.default_rng(3)
    for f in [[1, 1, 1, 65533], [65533, 1, 1, 1], [1, 65533, 1, 1], [21845, 21845, 21845, 1], [9, 60000, 5000, 527]]:
        tables = native_tables([(-1, f)])
        lanes = int(rng.choice(LANES))
        for n in range(7):
            indexes = np.zeros(n, np.uint16)
            for code in range(3**n):
                symbols = np.array([code // 3**k % 3 - 1 for k in range(n)], np.int16)
                data = _native.encode(tables, symbols, indexes, lanes)
                decoder = _native.Decoder(tables, data, lanes)
                assert decoder.decode(indexes).tolist() == symbols.tolist()
                decoder.finish()


@pytest.mark.parametrize("n", [0, 1, 5, 100, 3_000, 20_000, 100_000, 300_000])
def test_rate_is_within_a_thousandth_and_four_bytes_of_the_entropy(n):
    tables = coder.gaussian_tables()
    for seed in range(5):
        symbols, indexes = coder.picture_like(n, seed)
        allowed = 1.001 * tables.cost(symbols, indexes) / 8 + 4
        assert len(_native.encode(tables, symbols, indexes, 1)) <= allowed
        assert len(entropy.parse_prefix(entropy.encode(tables, symbols, indexes)).coded) <= allowed


def test_lanes_grow_with_the_stream_and_are_never_more_than_its_symbols():
    assert [entropy.choose_lanes(10**6, size) for size in (0, 3999, 4000, 11999, 12000, 27999, 28000, 1e9)] == [
        *(1, 1, 2, 2, 4, 4, 8, 8)
    ]
    assert [entropy.choose_lanes(n, 1e9) for n in (0, 1, 2, 3, 4, 7, 8)] == [1, 1, 2, 2, 4, 4, 8]


def test_million_symbols_keep_their_shape():
    tables = coder.gaussian_tables()
    symbols, indexes = (a.reshape(4, 250, 1000) for a in coder.picture_like(1_000_000))
    stream = entropy.encode(tables, symbols, indexes)
    assert entropy.parse_prefix(stream).lanes == 8
    decoder = entropy.Decoder(tables, memoryview(stream))
    read = np.stack([decoder.decode(part) for part in indexes])
    assert np.array_equal(read, symbols)
    decoder.finish(read)
    assert np.array_equal(entropy.decode(tables, stream, indexes), symbols)


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


def test_threads_share_tables_and_even_a_decoder():
    tables = coder.gaussian_tables()
    inputs = [coder.picture_like(60_000, seed) for seed in range(6)]
    expected = [entropy.encode(tables, *pair) for pair in inputs]
    common = entropy.Decoder(tables, expected[0])
    results: list[bool] = []

    def work(k):
        symbols, indexes = inputs[k]
        for _ in range(5):
            stream = entropy.encode(tables, symbols, indexes)
            decoded = read_in_passes(tables, stream, indexes, [1000])
            results.append(stream == expected[k] and np.array_equal(decoded, symbols))
            try:
                common.decode(inputs[0][1][:3000])
            except LicDamagedError:
                continue

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 30


def test_a_decoder_keeps_its_tables_and_its_bytes():
    symbols, indexes = coder.picture_like(5000)
    data = bytearray(_native.encode(coder.gaussian_tables(), symbols, indexes, 4))
    decoder = _native.Decoder(coder.gaussian_tables(), data, 4)
    data[:] = bytes(len(data))
    assert np.array_equal(decoder.decode(indexes), symbols)
    decoder.finish()


def test_the_benchmark_runs(capsys):
    assert coder.main(["--symbols", "2000", "--repeats", "1"]) == 0
    out = capsys.readouterr().out
    assert "pillow-lic, lanes 8" in out
    assert "constriction" in out
