"""The filter of a tile: what native code computes, and what of it is in parts of pictures (FORMAT.md, 8.7)."""

import io

import numpy as np
import pytest
from reference.stranger_filter import filtered as strangers

import pillow_lic
from families.coded import encoded, in_tiles
from families.lic1.filters import SPEC, some_taps
from pillow_lic import _native, codec
from pillow_lic.families.lic1 import filtering
from pillow_lic.fileformat.areas import Area
from pillow_lic.metrics import psnr


@pytest.fixture(scope="module")
def cat(cat: np.ndarray) -> np.ndarray:
    return cat[:256, 40:400]


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
