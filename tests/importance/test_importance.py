"""Maps of importance: how they are packed, what they do to levels, and what is refused of them."""

import pickle
import zlib

import numpy as np
import pytest
from made.pictures import photo_like

from pillow_lic.errors import LicDamagedError
from pillow_lic.fileformat import importance_map
from pillow_lic.importance import automatic, requested

LARGE = 1e6
"""Bytes of a file that leaves room for any map."""


def blank(height: int, width: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_round_trip() -> None:
    deltas = np.random.default_rng(0).integers(-128, 128, (7, 9)).astype(np.int8)
    np.testing.assert_array_equal(importance_map.unpack(importance_map.pack(deltas), (7, 9)), deltas)


def test_a_box_costs_less_than_a_percent_of_a_small_file() -> None:
    deltas = np.zeros((32, 48), np.int8)
    deltas[8:20, 10:30] = 24
    assert len(importance_map.pack(deltas)) < 60


def test_field_is_level_plus_steps_within_the_scale() -> None:
    deltas = np.array([[0, 1], [-127, 127]], np.int8)
    field = importance_map.level_field(500, deltas, (4, 4))
    assert field[:2, :2].tolist() == [[500, 508], [0, 1024]]
    assert (field[2:] == 500).all()
    assert (importance_map.level_field(3, None, (2, 2)) == 3).all()


@pytest.mark.parametrize(
    "payload", [b"", b"junk", zlib.compress(bytes(5)), zlib.compress(bytes(7)), zlib.compress(bytes(10**7))]
)
def test_damage_is_named(payload: bytes) -> None:
    with pytest.raises(LicDamagedError, match="importance section"):
        importance_map.unpack(payload, (2, 3))


def test_a_mask_moves_bits_and_keeps_their_mean() -> None:
    mask = np.zeros((64, 96), np.uint8)
    mask[:32, :48] = 255
    deltas = requested.request(mask, None, blank(64, 96)).deltas(LARGE)
    assert deltas is not None
    assert deltas.shape == (4, 6)
    assert abs(deltas.astype(float).mean()) < 0.5
    span = (int(deltas.max()) - int(deltas.min())) * importance_map.STEP * 9 / 1024
    assert span == pytest.approx(requested.SPAN, abs=0.1)
    np.testing.assert_array_equal(requested.request(((0, 0, 48, 32),), None, blank(64, 96)).deltas(LARGE), deltas)
    np.testing.assert_array_equal(requested.request(None, mask / 255.0, blank(64, 96)).deltas(LARGE), deltas)


def test_a_box_takes_every_latent_it_touches() -> None:
    deltas = requested.request(((15, 17, 33, 18),), None, blank(64, 96)).deltas(LARGE)
    assert deltas is not None
    assert np.argwhere(deltas > 0).tolist() == [[1, 0], [1, 1], [1, 2]]


def test_boxes_and_a_mask_add_up() -> None:
    mask = np.zeros((64, 96), np.uint8)
    mask[:16, :16] = 255
    deltas = requested.request(((0, 0, 16, 16), (64, 0, 80, 16)), mask, blank(64, 96)).deltas(LARGE)
    assert deltas is not None
    assert int(deltas[0, 0]) - int(deltas[1, 1]) == pytest.approx(2 * (int(deltas[0, 4]) - int(deltas[1, 1])), abs=1)


@pytest.mark.parametrize("value", [0, 77, 255])
def test_a_uniform_mask_is_no_mask(value: int) -> None:
    assert requested.request(np.full((40, 50), value, np.uint8), None, blank(40, 50)).deltas(LARGE) is None
    assert requested.request(None, np.full((3, 4), 0, np.int8), blank(40, 50)).deltas(LARGE) is None
    assert requested.request(((0, 0, 50, 40),), None, blank(40, 50)).deltas(LARGE) is None
    assert requested.request(None, None, blank(40, 50)).deltas(LARGE) is None


def test_a_map_is_made_coarser_until_it_costs_less_than_a_percent() -> None:
    noise = np.random.default_rng(0).random((512, 768), np.float32).repeat(16, 0).repeat(16, 1)[:512, :768]
    sizes = []
    for expected in (1e6, 1e5, 3e4, 1.5e4):
        deltas = requested.request(None, noise, blank(512, 768)).deltas(expected)
        assert deltas is not None
        sizes.append(len(importance_map.pack(deltas)))
        assert sizes[-1] < max(0.01 * expected, requested.LEAST_MAP_BYTES)
    assert sizes == sorted(sizes, reverse=True)


def test_deltas_are_taken_as_they_are_however_small_the_file() -> None:
    deltas = np.random.default_rng(0).integers(-128, 128, (32, 48)).astype(np.int8)
    asked = importance_map.Map((32, 48), importance_map.pack(deltas))
    for wanted in (asked, deltas):
        np.testing.assert_array_equal(requested.request(None, wanted, blank(512, 768)).deltas(1), deltas)
    box = requested.request(((0, 0, 16, 16),), np.zeros((32, 48), np.int8) + np.int8(3), blank(512, 768)).deltas(LARGE)
    assert box is not None
    assert box[0, 0] > box[1, 1] == 3


def test_a_map_is_a_value() -> None:
    deltas = np.arange(-3, 3, dtype=np.int8).reshape(2, 3)
    value = importance_map.Map((2, 3), importance_map.pack(deltas))
    again = pickle.loads(pickle.dumps(value))
    assert again == value
    assert hash(again) == hash(value)
    assert repr(value) == "Map(shape=(2, 3))"
    assert np.asarray(value).dtype == np.int8
    np.testing.assert_array_equal(np.asarray(value, np.float32), deltas)
    with pytest.raises(ValueError, match="without a copy"):
        value.__array__(copy=False)
    with pytest.raises(LicDamagedError, match="importance section must hold 81 deltas"):
        np.asarray(importance_map.Map((9, 9), value.payload))


def test_the_content_of_a_picture_gives_a_map() -> None:
    picture = photo_like(200, 300, seed=1)
    whole = automatic.values(picture)
    assert whole.shape == (13, 19)
    assert np.abs(whole).max() <= 1
    assert whole.std() > 0.01
    full, half = (requested.request(None, strength, picture).deltas(LARGE) for strength in (1.0, 0.5))
    assert full is not None
    assert half is not None
    assert abs(full.astype(float).mean()) < 0.5
    assert np.abs(full / 2.0 - half).max() <= 1
    assert requested.request(None, 0.0, picture).deltas(LARGE) is None
    assert requested.request(None, 1.0, blank(64, 64)).deltas(100) is None


def test_the_map_of_a_large_picture_is_that_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = photo_like(300, 600, seed=2)
    whole = automatic.values(picture)
    monkeypatch.setattr(automatic, "WINDOW", 128)
    np.testing.assert_allclose(automatic.values(picture), whole, atol=1e-4)


@pytest.mark.parametrize("rows", [[(0, 0, 20, 16), (32, 16, 48, 40)], [(0, 0, 20, 16, 0.5), (32, 16, 48, 40, 1.0)]])
def test_an_array_of_boxes_is_a_list_of_them(rows: list[tuple[float, ...]]) -> None:
    """A detector gives boxes as an array."""
    listed = requested.request(tuple(rows), None, blank(40, 50)).deltas(LARGE)
    assert listed is not None
    for dtype in (np.float32, np.float64, object):
        np.testing.assert_array_equal(
            requested.request(np.array(rows, dtype), None, blank(40, 50)).deltas(LARGE), listed
        )


def test_boxes_are_boxes_in_a_picture_of_their_shape() -> None:
    boxes = np.array([[0, 0, 4, 16], [0, 20, 2, 40]])
    deltas = requested.request(np.tile(boxes, (20, 1)), None, blank(40, 4)).deltas(LARGE)
    np.testing.assert_array_equal(deltas, requested.request(tuple(map(tuple, boxes)), None, blank(40, 4)).deltas(LARGE))


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float32, int])
def test_a_mask_of_a_wrong_size_is_not_read_as_boxes(dtype: type) -> None:
    """Four rows of (0, 0, 1, 1) would be four boxes of one pixel, and of (0, 0, 16, 16) four of a latent."""
    mask = np.array([[0, 0, 1, 1]] * 4, dtype) * (16 if dtype is np.uint8 else 1)
    with pytest.raises(
        ValueError, match=r"shape of the picture, \(40, 50\), got \(4, 4\) of .*: an array of boxes has numbers above 1"
    ):
        requested.named_mask(mask, "roi", 40, 50)
    assert requested.named_mask(mask, "roi", 4, 4).shape == (4, 4)


@pytest.mark.parametrize(
    ("roi", "wanted", "message"),
    [
        (np.zeros((3, 7), np.uint8), None, r"roi mask must have the shape of the picture, \(40, 50\), got \(3, 7\)"),
        (np.array([[0, 0, 51, 10]]), None, "inside the picture of 50x40 pixels"),
        (np.array([[9, 0, 5, 10]]), None, r"roi box must have right > left and lower > upper, got \(9, 0, 5, 10\)"),
        (np.full((40, 50), 1.5), None, "roi mask must be uint8 or numbers 0-1, got float64 from 1.5 to 1.5"),
        (np.full((40, 50), "x"), None, "roi mask must be uint8 or numbers 0-1, got an array of <U1"),
        (((0, 0, 51, 10),), None, "inside the picture of 50x40 pixels"),
        (None, np.full((40, 50), np.nan), "importance mask must be uint8 or numbers 0-1, got float64 from nan to nan"),
        (None, np.zeros((40, 50), np.int8), r"must have \(3, 4\) values, one for every 16x16 pixels .* got \(40, 50\)"),
    ],
)
def test_what_cannot_be_asked_for(roi: object, wanted: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        requested.request(roi, wanted, blank(40, 50)).deltas(LARGE)
