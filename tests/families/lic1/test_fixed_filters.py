"""The fixed filters of a model: what names them, what a decoder with other ones does, and what they are worth (FORMAT.md, 8.7)."""

import io
from unittest import mock

import numpy as np
import pytest

import pillow_lic
from families.lic1.filters import read_back
from pillow_lic import codec
from pillow_lic.engine import models
from pillow_lic.errors import LicDamagedError, LicDesyncError, LicUnsupportedError
from pillow_lic.families.lic1 import filtering, fitting, fixed
from pillow_lic.fileformat.areas import Area
from pillow_lic.metrics import psnr
from pillow_lic.options import EncodeOptions

SPEC = models.choose("lic2")
FILTERS = fixed.stored(SPEC)


@pytest.fixture(scope="module")
def cat(cat: np.ndarray) -> np.ndarray:
    return cat[:256, 40:400]


def written(pixels: np.ndarray, quality: float = 4, effort: int = 0) -> bytes:
    return codec.encode(pixels, "RGB", EncodeOptions(model="lic2", quality=quality, effort=effort))


def filters_read(data: bytes) -> list[filtering.Filter]:
    found = []

    def noted(*words: object, read=filtering.read) -> object:
        result = read(*words)
        found.append(result[0])
        return result

    with mock.patch.object(filtering, "read", noted):
        codec.decode(data)
    return found


def test_a_file_of_filters_is_read_as_it_was_written() -> None:
    assert len(FILTERS) == 8
    assert fixed.packed(FILTERS) == SPEC.stored(fixed.ROLE).read()
    assert fixed.stored(models.choose("lic1")) == ()
    for found in FILTERS:
        assert found.taps.any()
        assert not found.taps[:, filtering.PLAIN + filtering.DIRECTED :].any()
    assert [found.threshold for found in FILTERS] == sorted((found.threshold for found in FILTERS), reverse=True)


def test_a_coefficient_beyond_the_largest_is_refused() -> None:
    taps = np.full((3, filtering.TAPS), -128, np.int16)
    with pytest.raises(ValueError, match="-127 to 127, got 128"):
        fixed.packed((filtering.Filter(taps, 8, 6),))


@pytest.mark.parametrize("level", [0, 127, 128, 129, 500, 1024])
def test_a_level_has_its_filter(level: int) -> None:
    found, said = filtering.named(FILTERS, level)
    assert found is FILTERS[8 * level // 1025]
    assert said.symbols.tolist() == [4, 0]
    assert said.checked.size == 2 + fixed.RECORD
    assert said.checked[2:].astype(np.int8).tobytes() == fixed.packed((found,))
    assert read_back(said, FILTERS, level) is found


def test_any_of_them_may_be_named_and_no_other() -> None:
    said = filtering.named(FILTERS, 300)[1]
    for number in range(-3, 11):
        symbols = np.array([4, number - 2], np.int16)
        if 0 <= number < 8:
            checked = filtering.named(FILTERS, 128 * number + 10)[1].checked[2:]
            coded = filtering.Coded(symbols, said.indexes, np.concatenate([symbols, checked]))
            assert read_back(coded, FILTERS, 300) is FILTERS[number]
        else:
            with pytest.raises(LicDamagedError, match=f"number of a tile's filter must be 0 to 7, got {number}"):
                read_back(filtering.Coded(symbols, said.indexes, symbols), FILTERS, 300)


def test_a_model_without_them_refuses_one() -> None:
    with pytest.raises(LicUnsupportedError, match="kind 6 of a tile's filter is none that this release knows, 0 to 5"):
        read_back(filtering.named(FILTERS, 300)[1])


def test_what_a_small_file_names_is_worth_its_bytes(cat: np.ndarray) -> None:
    """It costs a byte or two, and a tenth more bytes are worth 0.38 dB at least."""
    small = np.ascontiguousarray(cat[60:140, 40:120])
    for quality in (2, 3, 5):
        data = written(small, quality)
        (found,) = filters_read(data)
        assert found is filtering.named(FILTERS, round(1024 * (quality - 1) / 9))[0]
        with mock.patch.object(fixed, "stored", return_value=()):
            plain = written(small, quality)
        assert filters_read(plain) == [filtering.NONE]
        score, without = (psnr(small, codec.decode(one)[1]) - 4 * np.log(len(one)) for one in (data, plain))
        assert score > without


@pytest.mark.parametrize("change", ["taps", "threshold", "shift"])
def test_a_decoder_with_other_filters_loses_the_tile(cat: np.ndarray, change: str) -> None:
    """It never shows other pixels in silence."""
    data = written(cat[:64, :64])
    right = filtering.named(FILTERS, round(1024 / 3))[0]
    wrong = {
        "taps": right._replace(taps=right.taps + (np.arange(filtering.TAPS) == 70)),
        "threshold": right._replace(threshold=right.threshold + 8),
        "shift": right._replace(shift=right.shift - 1),
    }[change]
    others = tuple(wrong if found is right else found for found in FILTERS)
    with mock.patch.object(fixed, "stored", return_value=others), pytest.raises(LicDesyncError):
        codec.decode(data)


def test_where_nothing_can_be_fitted_one_is_named(cat: np.ndarray) -> None:
    """A small picture cannot pay for coefficients of its own."""
    small = np.ascontiguousarray(cat[60:140, 40:120])
    (found,) = filters_read(written(small, 3, effort=1))
    assert found is filtering.named(FILTERS, round(1024 * 2 / 9))[0]


def test_the_better_filter_is_kept(cat: np.ndarray) -> None:
    """A picture that a fixed filter makes of colours names it; one that another filter makes has coefficients of its own."""
    rng = np.random.default_rng(1)
    fine = (16 * cat.astype(int) + rng.integers(-20, 21, cat.shape)).clip(0, 4080).astype(np.uint16)
    meant = filtering.named(FILTERS, 500)[0]
    whole = Area(0, 0, cat.shape[1], cat.shape[0])
    assert fitting.fit(fine, filtering.applied(fine, whole, meant), 500, FILTERS)[0] is meant
    other = filtering.Filter(-meant.taps, meant.threshold, meant.shift)
    found = fitting.fit(fine, filtering.applied(fine, whole, other), 500, FILTERS)[0]
    assert found.taps.any()
    assert found is not meant
    still = np.full(cat.shape, 128, np.uint8)
    assert fitting.fit((16 * still.astype(int)).astype(np.uint16), still, 500, FILTERS)[0] is filtering.NONE


def test_a_search_for_bytes_names_one(cat: np.ndarray) -> None:
    data = codec.encode(cat, "RGB", EncodeOptions(model="lic2", effort=0, target_size=6000))
    assert len(data) <= 6000
    assert len(filters_read(data)) == 1


def test_a_cut_file_has_none(cat: np.ndarray) -> None:
    data = written(cat)
    cut = pillow_lic.cut(io.BytesIO(data), len(data) - 20)
    assert filters_read(cut) == []
    assert psnr(codec.decode(data)[1], codec.decode(cut)[1]) > 30
