"""What a stream says of a filter: coefficients come back, and what no encoder writes is refused (FORMAT.md, 8.7)."""

from unittest import mock

import numpy as np
import pytest

from families.lic1.filters import SPEC, read_back, some_taps
from pillow_lic import codec
from pillow_lic.engine import entropy
from pillow_lic.errors import LicDamagedError, LicUnsupportedError
from pillow_lic.families.lic1 import filtering, fitting, fixed
from pillow_lic.options import EncodeOptions

PLAIN_KINDS = [filtering.KIND, filtering.THRESHOLD, *[filtering.TABLE] * 6]
KINDS = [filtering.KIND, filtering.SHIFT, filtering.THRESHOLD, *[filtering.TABLE] * 12]


@pytest.fixture(scope="module")
def cat(cat: np.ndarray) -> np.ndarray:
    return cat[:256, 40:400]


@pytest.mark.parametrize(
    "tables",
    [
        (1, 2, 3, 4, 5, 6),
        (0, 0, 0, 0, 0, 9),
        (15, 0, 1, 0, 2, 0),
        tuple(range(1, 13)),
        (0,) * 11 + (15,),
        (0, 9, 0) * 4,
    ],
)
def test_a_stream_brings_a_filter_back(tables: tuple[int, ...]) -> None:
    taps = np.zeros((3, filtering.TAPS), np.int16)
    for table, group in zip(tables, filtering.MORE_GROUPS, strict=False):
        taps[group] = some_taps(np.random.default_rng(2), 127)[group] * (table > 0)
    given = filtering.Filter(taps, 48, 8)
    found = read_back(filtering.coded(given, tables))
    np.testing.assert_array_equal(found.taps, taps)
    assert (found.threshold, found.shift) == (48, 8)


def test_every_coefficient_is_in_one_group() -> None:
    plain, whole = np.sum(filtering.GROUPS, axis=0), np.sum(filtering.MORE_GROUPS, axis=0)
    assert (whole == 1).all()
    assert (plain == (np.arange(filtering.TAPS) < filtering.PLAIN)).all()


def test_no_filter_is_one_symbol() -> None:
    coded = filtering.nothing()[1]
    assert coded.symbols.size == 1
    assert read_back(coded).shift == 0


@pytest.mark.parametrize(
    ("kinds", "place", "value", "words"),
    [
        (PLAIN_KINDS, 0, -1, "kind .* got -1"),
        (PLAIN_KINDS, 1, 64, "threshold .* 0 to 63, got 64"),
        (PLAIN_KINDS, 1, -1, "got -1"),
        (PLAIN_KINDS, 4, 16, "table .* 0 to 15, got 16"),
        (KINDS, 1, 5, "shift .* 0 to 4, got 5"),
        (KINDS, 1, -1, "shift .* 0 to 4, got -1"),
        (KINDS, 2, 64, "threshold .* 0 to 63, got 64"),
        (KINDS, 14, 16, "table .* 0 to 15, got 16"),
    ],
)
def test_numbers_that_no_encoder_writes_are_refused(
    kinds: list[filtering.Number], place: int, value: int, words: str
) -> None:
    tables = tuple(range(1, len(kinds) - kinds.index(filtering.TABLE) + 1))
    coded = filtering.coded(filtering.Filter(some_taps(np.random.default_rng(3), 9), 48, 8), tables)
    assert coded.indexes[: len(kinds)].tolist() == [kind.table for kind in kinds]
    coded.symbols[place] = value - kinds[place].middle
    with pytest.raises(LicDamagedError, match=words):
        read_back(coded)


@pytest.mark.parametrize("kind", [7, 8, 900])
def test_kinds_of_later_releases_are_refused_in_a_sentence(cat: np.ndarray, kind: int) -> None:
    symbols = np.array([kind - filtering.KIND.middle], np.int16)
    later = filtering.Coded(symbols, np.array([24], np.uint16), symbols)
    with pytest.raises(LicUnsupportedError, match=f"kind {kind} of a tile's filter.*later release"):
        read_back(later)
    with mock.patch.object(fitting, "fit", return_value=(filtering.NONE, later)):
        data = codec.encode(cat[:40, :50], "RGB", EncodeOptions(model="lic2", quality=5, effort=1))
    with pytest.raises(LicUnsupportedError, match="later release"):
        codec.decode(data)


@pytest.mark.parametrize("count", [6, 12])
def test_a_coefficient_beyond_the_largest_is_refused(count: int) -> None:
    taps = some_taps(np.random.default_rng(3), 9)
    coded = filtering.coded(filtering.Filter(taps, 48, 8), tuple(range(1, count + 1)))
    for value in (-128, 128, -32768):
        coded.symbols[-1] = value
        with pytest.raises(LicDamagedError, match=f"-127 to 127, got {abs(value)}"):
            read_back(coded)


def test_any_symbols_are_a_filter_or_refused() -> None:
    """What a damaged or hostile stream may hold, behind a right checksum: one of two errors, or coefficients within their bounds."""
    rng = np.random.default_rng(6)
    outcomes = set()
    for _ in range(300):
        tables = tuple(rng.integers(0, 16, rng.choice([6, 12])).tolist())
        coded = filtering.coded(filtering.Filter(some_taps(rng, 127), 8 * int(rng.integers(1, 65)), 8), tables)
        for _ in range(rng.integers(0, 4)):
            coded.symbols[int(coded.symbols.size * rng.random() ** 3)] = rng.integers(-200, 201)
        decoder = entropy.Decoder(SPEC.tables, entropy.encode(SPEC.tables, coded.symbols, coded.indexes))
        try:
            found, symbols = filtering.read(decoder, fixed.stored(SPEC), 500)
        except (LicDamagedError, LicUnsupportedError) as error:
            outcomes.add(type(error))
        else:
            assert np.abs(found.taps).max() <= filtering.LARGEST
            assert symbols.size <= 15 + 3 * filtering.TAPS
            outcomes.add(filtering.Filter)
    assert outcomes == {LicDamagedError, LicUnsupportedError, filtering.Filter}
