"""Alpha planes as files hold them: every value comes back, what they cost, and what is refused."""

import zlib

import numpy as np
import pytest
from made.pictures import photo_like

from pillow_lic.errors import LicDamagedError
from pillow_lic.fileformat import alpha


def disc(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot(y - height / 2, x - width / 2)
    return (255 * (height / 3 - distance).clip(0, 1)).astype(np.uint8)


@pytest.mark.parametrize(
    "plane",
    [
        np.zeros((1, 1), np.uint8),
        np.full((3, 5), 255, np.uint8),
        disc(61, 67),
        photo_like(40, 50, 1)[..., 0],
        np.random.default_rng(0).integers(0, 256, (33, 29)).astype(np.uint8),
        np.arange(256, dtype=np.uint8).repeat(4).reshape(16, 64),
        np.tile(np.arange(64, dtype=np.uint8), (16, 1)),
    ],
)
def test_lossless(plane: np.ndarray) -> None:
    np.testing.assert_array_equal(alpha.unpack(alpha.pack(plane), plane.shape), plane)


def test_every_filter_is_read_as_defined() -> None:
    rng = np.random.default_rng(1)
    plane = rng.integers(0, 256, (10, 17)).astype(np.uint8)
    rows = bytearray()
    for y, row in enumerate(plane):
        kind = y % 3
        rows.append(kind)
        for x, value in enumerate(row):
            left = int(row[x - 1]) if x else 0
            up = int(plane[y - 1, x]) if y else 0
            rows.append((int(value) - (0, left, up)[kind]) & 255)
    np.testing.assert_array_equal(alpha.unpack(b"\0" + zlib.compress(bytes(rows)), plane.shape), plane)


def test_soft_edges_cost_little() -> None:
    assert len(alpha.pack(disc(256, 256))) < 0.05 * 256**2
    assert len(alpha.pack(np.full((1000, 1000), 255, np.uint8))) == 2


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"", "got nothing"),
        (b"\2" + zlib.compress(bytes(12)), "0 and rows, or 1 and a value, got 0278"),
        (b"\1\2\3", "got 0102"),
        (b"\0garbage", "alpha section is damaged"),
        (b"\0" + zlib.compress(bytes(11)), "must hold 3 rows of 3 values"),
        (b"\0" + zlib.compress(bytes(13)), "must hold 3 rows of 3 values"),
        (b"\0" + zlib.compress(bytes(12))[:-2], "must hold 3 rows of 3 values"),
        (b"\0" + zlib.compress(bytes([3] + [0] * 11)), "filter 3, 0-2 are legal"),
    ],
)
def test_damage_is_named(payload: bytes, message: str) -> None:
    with pytest.raises(LicDamagedError, match=message):
        alpha.unpack(payload, (3, 3))


def test_a_bomb_is_not_inflated() -> None:
    bomb = b"\0" + zlib.compress(bytes(50_000_000))
    with pytest.raises(LicDamagedError):
        alpha.unpack(bomb, (10, 10))
