"""The filter of a tile: what native code computes, what a stream says of it, and what an encoder gains by it (FORMAT.md, 8.7)."""

import io

import numpy as np
import pytest
from coded import encoded, in_tiles
from pictures import SAMPLE
from PIL import Image
from stranger import filtered as strangers

import pillow_lic
from pillow_lic import _native, codec
from pillow_lic.engine import entropy, models
from pillow_lic.engine.settings import settings
from pillow_lic.errors import LicDamagedError
from pillow_lic.families.lic1 import filtering, fitting
from pillow_lic.fileformat.areas import Area
from pillow_lic.metrics import psnr
from pillow_lic.options import EncodeOptions

SPEC = models.choose("lic2")


@pytest.fixture(scope="module")
def cat() -> np.ndarray:
    with Image.open(SAMPLE) as im:
        return np.asarray(im.convert("RGB"))[:256, 40:400]


def some_taps(rng: np.random.Generator, largest: int) -> np.ndarray:
    taps = rng.integers(-largest, largest + 1, (3, 3, 16)).astype(np.int16)
    taps[rng.random(taps.shape) < 0.3] = 0
    return taps


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (3, 40), (37, 5), (40, 64)])
@pytest.mark.parametrize(("largest", "threshold", "shift"), [(3, 8, 6), (127, 512, 9), (127, 4080, 6)])
def test_native_code_computes_what_the_format_says(
    size: tuple[int, int], largest: int, threshold: int, shift: int
) -> None:
    rng = np.random.default_rng(0)
    fine = rng.integers(0, 4081, (*size, 3)).astype(np.uint16)
    taps = some_taps(rng, largest)
    found = filtering.applied(fine, Area(0, 0, size[1], size[0]), filtering.Filter(taps, threshold, shift))
    np.testing.assert_array_equal(found, strangers(fine / 16, taps.astype(int), threshold, shift))


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (9, 15), (40, 64)])
@pytest.mark.parametrize(("largest", "threshold", "shift"), [(127, 4080, 6), (127, 0, 0), (1, 40, 9)])
def test_every_processor_computes_the_same(size: tuple[int, int], largest: int, threshold: int, shift: int) -> None:
    """Whatever its vectors are."""
    rng = np.random.default_rng(2)
    fine = (4080 * rng.integers(0, 2, (*size, 3))).astype(np.uint16)
    for taps in (
        some_taps(rng, largest),
        np.where(rng.random((3, 3, 16)) < 0.1, some_taps(rng, largest), 0).astype(np.int16),
    ):
        arguments = (fine, (0, 0, *size), taps, threshold, shift)
        np.testing.assert_array_equal(_native.filtered(*arguments), _native.filtered(*arguments, plain=True))


def test_a_part_is_that_of_the_whole() -> None:
    rng = np.random.default_rng(1)
    fine = rng.integers(0, 4081, (30, 50, 3)).astype(np.uint16)
    found = filtering.Filter(some_taps(rng, 20), 40, 7)
    whole, part = filtering.applied(fine, Area(0, 0, 50, 30), found), Area(7, 3, 21, 30)
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
    taps = np.full((3, 3, 16), tap, np.int16)
    with pytest.raises(ValueError, match=words):
        _native.filtered(np.zeros((2, 2, 3), np.uint16), inside, taps, threshold, shift)


def read_back(symbols: np.ndarray, indexes: np.ndarray) -> filtering.Filter:
    decoder = entropy.Decoder(SPEC.tables, entropy.encode(SPEC.tables, symbols, indexes))
    found, coded = filtering.read(decoder)
    decoder.finish(coded)
    return found


@pytest.mark.parametrize("tables", [(1, 2, 3, 4, 5, 6), (0, 0, 0, 0, 0, 9), (15, 0, 1, 0, 2, 0)])
def test_a_stream_brings_a_filter_back(tables: tuple[int, ...]) -> None:
    taps = some_taps(np.random.default_rng(2), 127)
    for table, (own, places) in zip(tables, filtering.groups(), strict=True):
        if not table:
            for o in range(3):
                for c in range(3):
                    taps[o, c, places] *= (o == c) != own
    given = filtering.Filter(taps, 48, 8)
    found = read_back(*filtering.coded(given, tables))
    np.testing.assert_array_equal(found.taps, taps)
    assert (found.threshold, found.shift) == (48, 8)


def test_no_filter_is_one_symbol() -> None:
    coded = filtering.nothing()[1]
    assert coded.symbols.size == 1
    assert read_back(*coded).shift == 0


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [(0, 5, "number 0 .* 0 to 4, got 5"), (1, 64, "0 to 63, got 64"), (1, -1, "got -1"), (4, 16, "0 to 15, got 16")],
)
def test_numbers_that_no_encoder_writes_are_refused(place: int, value: int, words: str) -> None:
    coded = filtering.coded(filtering.Filter(some_taps(np.random.default_rng(3), 9), 48, 8), (1, 2, 3, 4, 5, 6))
    coded.symbols[place] = value - filtering.HEAD_MIDDLE[place]
    with pytest.raises(LicDamagedError, match=words):
        read_back(*coded)


def test_a_coefficient_beyond_the_largest_is_refused() -> None:
    coded = filtering.coded(filtering.Filter(some_taps(np.random.default_rng(3), 9), 48, 8), (1, 2, 3, 4, 5, 6))
    coded.symbols[-1] = -128
    with pytest.raises(LicDamagedError, match="-127 to 127, got 128"):
        read_back(*coded)


def test_the_fit_undoes_what_a_known_filter_undoes(cat: np.ndarray) -> None:
    """A picture is made from colours by a filter: the fit finds one that makes nearly the same of them."""
    rng = np.random.default_rng(4)
    fine = (16 * cat.astype(int) + rng.integers(-20, 21, cat.shape)).clip(0, 4080).astype(np.uint16)
    taps = np.zeros((3, 3, 16), np.int16)
    for c in range(3):
        taps[c, c, :4], taps[c, (c + 1) % 3, 12:] = 12, 9
    whole = Area(0, 0, cat.shape[1], cat.shape[0])
    wanted = filtering.applied(fine, whole, filtering.Filter(taps, 64, 8))
    found, coded = fitting.fit(fine, wanted, 500)
    assert (
        psnr(wanted, filtering.applied(fine, whole, found))
        > 50
        > 3 + psnr(wanted, filtering.applied(fine, whole, filtering.NONE))
    )
    assert read_back(*coded).taps.any()


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
        patch.setattr(filtering, "read", lambda decoder, read=filtering.read: (filtering.NONE, read(decoder)[1]))
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
