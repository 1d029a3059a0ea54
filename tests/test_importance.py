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
