"""The range coder: bytes and symbols are those of the reference, rates near the entropy, threads, the benchmark."""

import math
import threading

import numpy as np
import pytest
from reference import rans_reference

from engine.symbol_streams import LANES, decode_in_passes, native_tables, random_symbols, random_table
from pillow_lic import _native
from pillow_lic.bench import coder
from pillow_lic.engine import entropy
from pillow_lic.errors import LicDamagedError

LENGTHS = (0, 1, 2, 7, 8, 9, 15, 16, 17, 63, 511, 512, 513, 1030)


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
