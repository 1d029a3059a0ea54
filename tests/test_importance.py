import zlib

import numpy as np
import pytest

from pillow_lic import importance
from pillow_lic.errors import LicDamagedError


def test_round_trip() -> None:
    deltas = np.random.default_rng(0).integers(-128, 128, (7, 9)).astype(np.int8)
    np.testing.assert_array_equal(importance.unpack(importance.pack(deltas), (7, 9)), deltas)


def test_a_box_costs_less_than_a_percent_of_a_small_file() -> None:
    deltas = np.zeros((32, 48), np.int8)
    deltas[8:20, 10:30] = 24
    assert len(importance.pack(deltas)) < 60


def test_field_is_level_plus_steps_within_the_scale() -> None:
    deltas = np.array([[0, 1], [-127, 127]], np.int8)
    field = importance.level_field(500, deltas, (4, 4))
    assert field[:2, :2].tolist() == [[500, 508], [0, 1024]]
    assert (field[2:] == 500).all()
    assert (importance.level_field(3, None, (2, 2)) == 3).all()


@pytest.mark.parametrize(
    "payload", [b"", b"junk", zlib.compress(bytes(5)), zlib.compress(bytes(7)), zlib.compress(bytes(10**7))]
)
def test_damage_is_named(payload: bytes) -> None:
    with pytest.raises(LicDamagedError, match="importance section"):
        importance.unpack(payload, (2, 3))


def test_a_mask_moves_bits_and_keeps_their_mean() -> None:
    mask = np.zeros((64, 96), np.uint8)
    mask[:32, :48] = 255
    deltas = importance.of(mask, None, 64, 96)
    assert deltas is not None
    assert deltas.shape == (4, 6)
    assert abs(deltas.astype(float).mean()) < 0.5
    span = (int(deltas.max()) - int(deltas.min())) * importance.STEP * 9 / 1024
    assert span == pytest.approx(importance.SPAN, abs=0.1)
    np.testing.assert_array_equal(importance.of(((0, 0, 48, 32),), None, 64, 96), deltas)
    np.testing.assert_array_equal(importance.of(None, mask / 255.0, 64, 96), deltas)


@pytest.mark.parametrize("value", [0, 77, 255])
def test_a_uniform_mask_is_no_mask(value: int) -> None:
    assert importance.of(np.full((40, 50), value, np.uint8), None, 40, 50) is None
    assert importance.of(((0, 0, 50, 40),), None, 40, 50) is None
    assert importance.of(None, None, 40, 50) is None


@pytest.mark.parametrize(
    ("roi", "wanted", "message"),
    [
        (np.zeros((3, 4), np.uint8), None, r"roi mask must have the shape of the picture, \(40, 50\), got \(3, 4\)"),
        (np.full((40, 50), 1.5), None, "roi mask must be uint8 or numbers 0-1, got float64 from 1.5 to 1.5"),
        (((0, 0, 51, 10),), None, "inside the picture of 50x40 pixels"),
        (None, np.full((40, 50), np.nan), "importance mask must be uint8 or numbers 0-1, got float64 from nan to nan"),
    ],
)
def test_what_cannot_be_asked_for(roi: object, wanted: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        importance.of(roi, wanted, 40, 50)
