"""The filter of a tile: what native code computes, what a stream says of it, and what an encoder gains by it (FORMAT.md, 8.7)."""

import io
from unittest import mock

import numpy as np
import pytest
from reference.stranger_filter import filtered as strangers

import pillow_lic
from families.coded import encoded, in_tiles
from pillow_lic import _native, codec
from pillow_lic.engine import entropy, models
from pillow_lic.engine.settings import settings
from pillow_lic.errors import LicDamagedError, LicUnsupportedError
from pillow_lic.families.lic1 import filtering, fitting, fixed
from pillow_lic.fileformat.areas import Area
from pillow_lic.metrics import psnr
from pillow_lic.options import EncodeOptions

SPEC = models.choose("lic2")


@pytest.fixture(scope="module")
def cat(cat: np.ndarray) -> np.ndarray:
    return cat[:256, 40:400]


def some_taps(rng: np.random.Generator, largest: int, *, extended: bool = True) -> np.ndarray:
    taps = rng.integers(-largest, largest + 1, (3, filtering.TAPS)).astype(np.int16)
    taps[rng.random(taps.shape) < 0.3] = 0
    taps[:, filtering.PLAIN :] *= extended
    return taps


def smooth(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Colours (h, w, 3) whose pixels have every direction, and none."""
    y, x = np.indices(size)
    waves = [np.sin(rng.uniform(0, 3) * y + rng.uniform(0, 3) * x) for _ in range(6)]
    parts = np.where((y // 7 + x // 9) % 3 == 0, waves[0] + waves[1], np.where((y // 7 + x // 9) % 3 == 1, *waves[2:4]))
    fine = 2000 + 900 * parts[..., None] + 300 * np.stack([waves[4], waves[5], waves[0]], 2)
    return (fine + rng.integers(-9, 10, fine.shape)).clip(0, 4080).astype(np.uint16)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (3, 40), (37, 5), (40, 64)])
@pytest.mark.parametrize(("largest", "threshold", "shift"), [(3, 8, 6), (127, 512, 9), (127, 4080, 5)])
@pytest.mark.parametrize("extended", [False, True])
def test_native_code_computes_what_the_format_says(
    size: tuple[int, int], largest: int, threshold: int, shift: int, *, extended: bool
) -> None:
    rng = np.random.default_rng(0)
    taps = some_taps(rng, largest, extended=extended)
    tap, edge, turn = filtering.parts(taps)
    for fine in (rng.integers(0, 4081, (*size, 3)).astype(np.uint16), smooth(rng, size)):
        found = filtering.applied(fine, Area(0, 0, size[1], size[0]), filtering.Filter(taps, threshold, shift))
        wanted = strangers(fine / 16, tap, edge, turn.transpose(1, 0, 2, 3), threshold, shift)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("degrees", [0, 45, 90, 135])
def test_a_directed_filter_is_turned_to_the_edge(degrees: int) -> None:
    """What smooths across the edge of one direction smooths across that of another: the stripes stay, the flat ground is untouched."""
    y, x = np.indices((60, 60))
    across = {0: x, 45: x + y, 90: y, 135: x - y}[degrees]
    stripes = 2048 + 600 * np.sin(across * {0: 1.2, 45: 0.6, 90: 1.2, 135: 0.6}[degrees])
    fine = np.where((x > 8)[..., None] & (x < 52)[..., None], stripes[..., None], 2048).repeat(3, 2).astype(np.uint16)
    taps = np.zeros((3, filtering.TAPS), np.int16)
    taps[:, filtering.PLAIN] = 16
    found = filtering.applied(fine, Area(0, 0, 60, 60), filtering.Filter(taps, 64, 6)).astype(int)
    plain = filtering.applied(fine, Area(0, 0, 60, 60), filtering.NONE).astype(int)
    inner, outer = np.s_[20:40, 20:40], np.s_[20:40, :4]
    assert np.ptp(found[inner]) < 0.8 * np.ptp(plain[inner])
    np.testing.assert_array_equal(found[outer], plain[outer])


def test_the_largest_sum_fits() -> None:
    """Every difference and coefficient at its bound: nothing wraps round."""
    fine = np.zeros((9, 9, 3), np.uint16)
    fine[4, 4] = 4080
    for sign in (1, -1):
        taps = np.full((3, filtering.TAPS), 127 * sign, np.int16)
        found = filtering.applied(fine, Area(0, 0, 9, 9), filtering.Filter(taps, 4080, 9))
        assert found[4, 4].tolist() == [0 if sign == 1 else 255] * 3


def test_a_part_is_that_of_the_whole() -> None:
    rng = np.random.default_rng(1)
    fine = smooth(rng, (30, 50))
    found = filtering.Filter(some_taps(rng, 20), 40, 7)
    whole = filtering.applied(fine, Area(0, 0, 50, 30), found)
    for part in (Area(7, 3, 21, 30), Area(8, 4, 50, 5), Area(0, 0, 1, 30)):
        np.testing.assert_array_equal(filtering.applied(fine, part, found), whole[part.slices])


def test_without_a_filter_colours_are_rounded_half_up() -> None:
    fine = np.array([[[0, 7, 8], [4080, 4071, 4072]]], np.uint16)
    found = filtering.applied(fine, Area(0, 0, 2, 1), filtering.NONE)
    assert found.tolist() == [[[0, 0, 1], [255, 254, 255]]]


def test_cells_become_sixteenths() -> None:
    cells = np.zeros((12, 1, 2), np.float32)
    cells[:, 0, 0] = (0.03, 0.032, 254.99, 300, -1, np.nan, np.inf, -np.inf, 1, 2, 3, 4)
    out = np.empty((2, 4, 3), np.uint16)
    _native.spread(cells, 0, 1, out)
    assert out[..., 0].tolist() == [[0, 1, 0, 0], [4080, 4080, 0, 0]]
    assert out[..., 1].tolist() == [[0, 0, 0, 0], [4080, 0, 0, 0]]
    assert out[..., 2].tolist() == [[16, 32, 0, 0], [48, 64, 0, 0]]


@pytest.mark.parametrize(
    ("inside", "threshold", "shift", "tap", "words"),
    [
        ((0, 0, 3, 2), 8, 6, 1, "inside an array"),
        ((2, 0, 1, 1), 8, 6, 1, "inside an array"),
        ((0, 0, 2, 2), -1, 6, 1, "got -1 and 6"),
        ((0, 0, 2, 2), 8, 10, 1, "got 8 and 10"),
        ((0, 0, 2, 2), 8, 6, 128, "got 128"),
    ],
)
def test_native_code_refuses(
    inside: tuple[int, int, int, int], threshold: int, shift: int, tap: int, words: str
) -> None:
    for wrong in range(3):
        parts = [np.ones(part.shape, np.int16) for part in filtering.parts(filtering.NONE.taps)]
        parts[wrong][:] = tap
        out = np.empty((inside[2], inside[3], 3), np.uint8)
        with pytest.raises(ValueError, match=words):
            _native.filtered(np.zeros((2, 2, 3), np.uint16), inside, *parts, threshold, shift, out)


def read_back(coded: filtering.Coded, fixed: tuple[filtering.Filter, ...] = (), level: int = 0) -> filtering.Filter:
    stream = entropy.encode(SPEC.tables, coded.symbols, coded.indexes, entropy.check_of(coded.checked))
    decoder = entropy.Decoder(SPEC.tables, stream)
    found, checked = filtering.read(decoder, fixed, level)
    decoder.finish(checked)
    return found


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


PLAIN_KINDS = [filtering.KIND, filtering.THRESHOLD, *[filtering.TABLE] * 6]
KINDS = [filtering.KIND, filtering.SHIFT, filtering.THRESHOLD, *[filtering.TABLE] * 12]


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


@pytest.mark.parametrize("kind", ["plain", "directed", "alternating"])
def test_the_fit_undoes_what_a_known_filter_undoes(cat: np.ndarray, kind: str) -> None:
    """A picture is made from colours by a filter: the fit finds one that makes nearly the same of them."""
    rng = np.random.default_rng(4)
    fine = (16 * cat.astype(int) + rng.integers(-20, 21, cat.shape)).clip(0, 4080).astype(np.uint16)
    taps = np.zeros((3, filtering.TAPS), np.int16)
    tap, edge, turn = np.split(taps, (filtering.PLAIN, filtering.PLAIN + filtering.DIRECTED), 1)
    if kind == "plain":
        for c in range(3):
            tap[c, 16 * c : 16 * c + 4], tap[c, (16 * c + 28) % 48 : (16 * c + 28) % 48 + 4] = 12, 9
    elif kind == "directed":
        edge[:, (0, 2, 4, 13)] = 20, -12, 6, 15
    else:
        turn[:, (0, 1, 2, 17, 30)] = 15, -12, 11, 14, -13
    whole = Area(0, 0, cat.shape[1], cat.shape[0])
    wanted = filtering.applied(fine, whole, filtering.Filter(taps, 64, 8))
    found, coded = fitting.fit(fine, wanted, 500)
    before = psnr(wanted, filtering.applied(fine, whole, filtering.NONE))
    assert psnr(wanted, filtering.applied(fine, whole, found)) > max(50, before + 3)
    np.testing.assert_array_equal(read_back(coded).taps, found.taps)
    assert found.taps[:, filtering.PLAIN :].any() == (kind != "plain")


def test_the_fit_sees_both_rows_of_a_cell() -> None:
    """The rows that are looked at are an odd number apart: what even rows alone need is not done to all."""
    for height in range(40, 2000, 60):
        rows = np.arange(0, height, fitting.rows_apart(height * 1024))
        assert np.unique(rows % 2).size == 2


def test_where_nothing_is_to_be_gained_there_is_none(cat: np.ndarray) -> None:
    still, coded = fitting.fit(np.full(cat.shape, 2048, np.uint16), np.full(cat.shape, 128, np.uint8), 500)
    assert still is filtering.NONE
    assert coded.symbols.size == 1
    noise = np.random.default_rng(5).integers(0, 256, (2, 16, 16, 3))
    assert fitting.fit((16 * noise[0]).astype(np.uint16), noise[1].astype(np.uint8), 500)[0] is filtering.NONE


@pytest.mark.parametrize("quality", [2, 5, 8])
def test_a_filter_is_worth_its_bytes(cat: np.ndarray, quality: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two qualities a tenth more bytes are worth 0.38 dB at least; a small file may have none."""

    def score() -> float:
        data = codec.encode(cat, "RGB", EncodeOptions(model="lic2", quality=quality, effort=1))
        return psnr(cat, codec.decode(data)[1]) - 4 * np.log(len(data))

    with_filter = score()
    monkeypatch.setattr(fitting, "fit", lambda *_: filtering.nothing())
    assert with_filter >= score() + (0.03 if quality > 2 else 0)


def test_threads_choose_the_same_filter(cat: np.ndarray) -> None:
    made = []
    for threads in (1, 2):
        with settings(threads=threads):
            made.append(codec.encode(cat, "RGB", EncodeOptions(model="lic2", quality=5, effort=1)))
    assert made[0] == made[1]


def test_a_cut_file_has_no_filter(cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last bytes are those of the filter: the picture is that of the file without them, to the level."""
    data = encoded(SPEC, cat, quality=5, effort=1)
    with pillow_lic.open(io.BytesIO(data), bytes=len(data) - 6) as im:
        cut = np.asarray(im)
    with monkeypatch.context() as patch:
        patch.setattr(filtering, "read", lambda *words, read=filtering.read: (filtering.NONE, read(*words)[1]))
        plain = codec.decode(data)[1]
    assert np.abs(cut.astype(int) - plain).max() <= 1
    assert np.abs(codec.decode(data)[1].astype(int) - plain).max() > 1


def test_a_box_and_tiles_are_filtered_as_the_picture(cat: np.ndarray) -> None:
    data = in_tiles(SPEC, cat, 128, 500)
    whole = codec.decode(data)[1]
    assert psnr(cat, whole) > 33
    for box in ((0, 0, 50, 50), (100, 90, 260, 200), (127, 127, 129, 129), (300, 200, 360, 256)):
        x0, y0, x1, y1 = box
        assert np.abs(codec.decode_region(io.BytesIO(data), box).astype(int) - whole[y0:y1, x0:x1]).max() <= 1


def test_equations_are_solved_by_halves() -> None:
    random = np.random.default_rng(0)
    root, x = random.normal(size=(217, 217)), random.normal(size=(217, 3))
    matrix = root @ root.T + np.eye(217)
    np.testing.assert_allclose(fitting._solved(matrix, matrix @ x), x, rtol=1e-6, atol=1e-6)


def a_sweep() -> tuple[np.ndarray, ...]:
    """Coefficients, slopes at them, squares, steps, prices and tables as `filter_sweep` takes them, of 9 places and two steps."""
    rng = np.random.default_rng(7)
    mixed = rng.normal(size=(9, 20))
    gram, products, steps = mixed @ mixed.T, 9 * rng.normal(size=(9, 3)), np.array([2.0, 8.0])
    taps = np.rint(rng.normal(0, 3, (2, 9, 3)))
    apart = steps[:, None, None]
    slopes = (products - gram @ (taps / apart)) / apart
    return taps, slopes, gram, steps, rng.uniform(0, 0.3, (3, 128)).cumsum(1), rng.integers(0, 3, (2, 9, 3))


def test_coefficients_move_to_the_cheapest_beside_them() -> None:
    taps, slopes, gram, steps, prices, tables = a_sweep()
    expected, slope = taps.copy(), slopes.copy()
    for k, place, colour in np.ndindex(taps.shape):
        here, unit = expected[k, place, colour], gram[:, place] / steps[k] ** 2
        best = np.rint(here + slope[k, place, colour] / unit[place])
        moves = np.array([here, best, best - 1, best + 1, 0]).clip(-127, 127) - here
        costs = moves * (unit[place] * moves - 2 * slope[k, place, colour])
        costs += prices[tables[k, place, colour], np.abs(here + moves).astype(int)]
        expected[k, place, colour] += moves[costs.argmin()]
        slope[k, :, colour] -= unit * moves[costs.argmin()]
    assert (expected != taps).any()
    _native.filter_sweep(taps, slopes, gram, steps, prices, tables)
    np.testing.assert_array_equal(taps, expected)
    np.testing.assert_allclose(slopes, slope, atol=1e-9)


def test_a_sweep_refuses_other_shapes_and_numbers() -> None:
    good = a_sweep()
    shapes = "there must be a coefficient, a slope and a table for every step, place and colour, and prices of 0-127"
    numbers = "coefficients must be -127 to 127, and tables those that have prices"
    for place, bad, message in (
        (0, good[0][:, :8].copy(), shapes),
        (2, good[2][:8].copy(), shapes),
        (3, good[3][:1], shapes),
        (4, good[4][:, :127].copy(), shapes),
        (4, good[4][:2], numbers),
        (5, good[5] - 1, numbers),
        (0, good[0] + 127, numbers),
        (0, good[0] * np.nan, numbers),
    ):
        with pytest.raises(ValueError, match=message):
            _native.filter_sweep(*good[:place], bad, *good[place + 1 :])
    coefficients = good[0].copy()
    _native.filter_sweep(coefficients, good[1] * np.nan, *good[2:])
    assert np.abs(coefficients).max() <= 127
