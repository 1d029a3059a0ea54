"""Parts of a picture: the pixels are those of the whole, and only what is near the box is read."""

import io
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made.pictures import photo_like
from made.tiled import in_tiles
from PIL import Image, ImageFile

import pillow_lic
from pillow_lic import codec
from pillow_lic.errors import LicDamagedError, LicLimitError, LicTruncatedError
from pillow_lic.families.lic1 import reading, residuals, symbols
from pillow_lic.families.lic1.reading import MISSING
from pillow_lic.fileformat import container
from pillow_lic.options import EncodeOptions

WIDTH, HEIGHT = 460, 330


def encoded(mode: str, edge: int, **options: object) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        in_tiles(patch, edge)
        return codec.encode(
            photo_like(HEIGHT, WIDTH, codec.CHANNELS[mode], seed=8), mode, EncodeOptions(exact=False, **options)
        )


@pytest.fixture(scope="module")
def tiled() -> bytes:
    return encoded("RGBA", 128, roi=[(100, 100, 400, 300)])


@pytest.fixture(scope="module")
def in_one() -> bytes:
    return encoded("L", 0)


def check(data: bytes, whole: np.ndarray, box: tuple[int, int, int, int]) -> None:
    part = codec.decode_region(io.BytesIO(data), box)
    x0, y0, x1, y1 = box
    assert part.shape == (y1 - y0, x1 - x0, whole.shape[2])
    difference = np.abs(part.astype(int) - whole[y0:y1, x0:x1])
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.001 + 3 / difference.size


BOXES = [
    (0, 0, WIDTH, HEIGHT),
    (0, 0, 1, 1),
    (WIDTH - 1, HEIGHT - 1, WIDTH, HEIGHT),
    (127, 127, 129, 129),
    (256, 128, 384, 256),
    (33, 240, 450, 250),
    (400, 17, 410, 330),
]


@pytest.fixture(scope="module")
def wholes(tiled: bytes, in_one: bytes) -> list[tuple[bytes, np.ndarray]]:
    return [(data, codec.decode(data)[1]) for data in (tiled, in_one, encoded("RGB", 256))]


@pytest.mark.parametrize("box", BOXES)
def test_pixels_are_those_of_the_whole(wholes: list[tuple[bytes, np.ndarray]], box: tuple[int, int, int, int]) -> None:
    for data, whole in wholes:
        check(data, whole, box)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2), st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.integers(1, 99), st.integers(1, 99))
def test_any_box(wholes: list[tuple[bytes, np.ndarray]], which: int, x: int, y: int, w: int, h: int) -> None:
    check(*wholes[which], (x, y, min(WIDTH, x + w), min(HEIGHT, y + h)))


class Counting(io.BytesIO):
    """A file that counts the bytes that were read."""

    total = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.total += len(data)
        return data


def test_only_the_tiles_near_the_box_are_read(monkeypatch: pytest.MonkeyPatch, tiled: bytes) -> None:
    monkeypatch.setattr(reading, "TOGETHER", 128)
    data = tiled
    read: list[int] = []
    original = symbols.read
    monkeypatch.setattr(
        symbols, "read", lambda spec, payload, *a: read.append(len(payload)) or original(spec, payload, *a)
    )
    file = Counting(data)
    codec.decode_region(file, (140, 130, 250, 250))
    assert len(read) == 9
    read.clear()
    file = Counting(data)
    codec.decode_region(file, (0, 0, 20, 20))
    assert len(read) == 4
    assert sum(read) < len(data) / 2
    parts = container.unpack(data)
    sections = sum(len(part or b"") for part in (parts.alpha, parts.importance, parts.exact))
    front = 6 * 20 + 31
    assert file.total <= sum(read) + front + sections + 4 * 12


@pytest.mark.parametrize(
    ("model", "edge", "box", "expected"),
    [
        ("lic1", 0, (0, 0, 16, 16), [(4, 24)]),
        ("lic1", 0, (470, 60, 480, 64), [(4, 44)]),
        ("lic1", 512, (510, 20, 514, 24), [(4, 24), (4, 24)]),
        ("lic1", 512, (900, 0, 910, 10), [(4, 8), (4, 28)]),
        ("lic2", 0, (0, 0, 16, 16), [(4, 16)]),
        ("lic2", 0, (470, 60, 480, 64), [(4, 32)]),
        ("lic2", 512, (510, 20, 514, 24), [(4, 16), (4, 16)]),
        ("lic2", 512, (900, 0, 910, 10), [(4, 24)]),
    ],
)
def test_means_are_computed_near_the_box_only(
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    edge: int,
    box: tuple[int, int, int, int],
    expected: list[tuple[int, int]],
) -> None:
    in_tiles(monkeypatch, edge)
    data = codec.encode(photo_like(64, 1100, seed=9), "RGB", EncodeOptions(roi=[(300, 0, 950, 40)], model=model))
    whole = codec.decode(data)[1]
    seen: list[tuple[int, int]] = []
    original = residuals.reconstruct
    monkeypatch.setattr(
        residuals,
        "reconstruct",
        lambda spec, z_hat, v, field, *a: seen.append(field.shape) or original(spec, z_hat, v, field, *a),
    )
    check(data, whole, box)
    assert sorted(seen) == expected


def test_damage_elsewhere_does_not_matter(tiled: bytes) -> None:
    parts = container.unpack(tiled)
    broken = bytearray(tiled)
    broken[tiled.find(bytes(parts.tiles[0])) + 9] ^= 1
    far, at = (420, 300, 460, 330), (20, 20, 80, 80)
    np.testing.assert_array_equal(
        codec.decode_region(io.BytesIO(broken), far), codec.decode_region(io.BytesIO(tiled), far)
    )
    with pytest.raises(LicDamagedError, match="tile section is damaged"):
        codec.decode_region(io.BytesIO(broken), at)
    assert (codec.decode_region(io.BytesIO(broken), at, strict=False)[..., :3] == MISSING).all()
    cut = tiled[: tiled.find(bytes(parts.tiles[10]))]
    codec.decode_region(io.BytesIO(cut), (5, 5, 20, 20))
    with pytest.raises(LicTruncatedError, match="file ends before tile 11 of 12"):
        codec.decode_region(io.BytesIO(cut), (430, 300, 440, 320))


@pytest.mark.parametrize(
    "box", [(0, 0, 0, 5), (-1, 0, 5, 5), (0, 0, WIDTH + 1, 5), (5, 5, 4, 6), (1, 2, 3), (0.5, 0, 3, 3), 7, "abcd", None]
)
def test_other_boxes_are_refused(tiled: bytes, box: object) -> None:
    with (
        pillow_lic.open(tiled) as im,
        pytest.raises(ValueError, match=r"box must be four whole numbers \(x0, y0, x1, y1\) with 0 <= x0 <"),
    ):
        im.region(box)  # type: ignore[arg-type]


def test_of_an_opened_picture(tiled: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.lic"
    path.write_bytes(tiled)
    with pillow_lic.open(path) as im:
        before = im.region((40, 50, 140, 250))
        assert im.size == (WIDTH, HEIGHT)
        assert (before.mode, before.size) == ("RGBA", (100, 200))
        assert before.info == im.info
        assert before.info is not im.info
        im.load()
        after = im.region((40, 50, 140, 250))
        assert after.size == before.size
        assert np.abs(np.asarray(after, int) - np.asarray(before)).max() <= 1
        np.testing.assert_array_equal(np.asarray(after), np.asarray(im.crop((40, 50, 140, 250))))
        with pytest.raises(ValueError, match="box must be"):
            im.region((0, 0, 9999, 1))


def test_a_part_of_a_picture_over_the_limit(tiled: bytes) -> None:
    """The limit is on what is decoded: a part of a huge picture is the use of it."""
    with pillow_lic.settings(max_pixels=100):
        assert codec.decode_region(io.BytesIO(tiled), (5, 5, 15, 15)).shape == (10, 10, 4)
        with pytest.raises(LicLimitError, match="10x11 pixels, more than the 100 that settings"):
            codec.decode_region(io.BytesIO(tiled), (5, 5, 15, 16))


def test_truncated_images_flag(tiled: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with pillow_lic.open(tiled[:-50]) as im, pytest.raises(OSError, match="file ends before tile 12 of 12"):
        im.region((450, 320, 460, 330))
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    for cut, grey in ((tiled[:-50], False), (tiled[:-500], True)):
        with pillow_lic.open(cut) as im:
            part = np.asarray(im.region((450, 320, 460, 330)))[..., :3]
        whole = codec.decode(cut, strict=False)[1][320:330, 450:460, :3]
        assert np.abs(part.astype(int) - whole).max() <= 1
        assert (part == MISSING).all() == grey


def test_imageio(in_one: bytes, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / "a.lic"
    with pillow_lic.open(in_one) as im:
        pillow_lic.save(im, path, exif=exif)
    whole = iio.imread(path)
    part = iio.imread(path, region=(10, 20, 110, 60))
    assert part.shape == (40, 100)
    assert np.abs(part.astype(int) - whole[20:60, 10:110]).max() <= 1
    assert iio.imread(path, region=(10, 20, 110, 60), index=...).shape == (1, 40, 100)
    assert iio.imread(path, region=(10, 20, 110, 60), rotate=True).shape == (100, 40)
    assert iio.imread(path, region=(10, 20, 110, 60), mode="RGB").shape == (40, 100, 3)
    with pytest.raises(ValueError, match="box must be"):
        iio.imread(path, region=(10, 20, 10, 60))
    with pytest.raises(TypeError, match="not with the deprecated pilmode"):
        iio.imread(path, region=(10, 20, 30, 60), pilmode="L")
