"""lossless=True: every pixel back, by Pillow, imageio and the command, without a network; the bitstreams it is made of."""

import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made.drawn_pages import page, slide
from made.pictures import photo_like
from PIL import Image, ImageFile, features

import pillow_lic
from pillow_lic import codec, inspecting
from pillow_lic.__main__ import main
from pillow_lic.errors import LicDamagedError, LicRuntimeError
from pillow_lic.fileformat import container, streams, vp8l
from pillow_lic.fileformat.limits import MAX_LEVEL
from pillow_lic.inspecting.description import describe
from pillow_lic.options import EncodeOptions

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def noise(mode: str, height: int, width: int, seed: int = 0) -> Image.Image:
    size = (width, height)
    return Image.frombytes(mode, size, np.random.default_rng(seed).bytes(height * width * CHANNELS[mode]))


@settings(max_examples=40)
@given(st.sampled_from(list(CHANNELS)), st.integers(1, 70), st.integers(1, 70))
def test_every_pixel_comes_back(mode: str, height: int, width: int) -> None:
    im = noise(mode, height, width)
    again = pillow_lic.open(pillow_lic.encode(im, lossless=True))
    assert (again.mode, again.size, again.tobytes()) == (im.mode, im.size, im.tobytes())
    assert again.info["lossless"]


@pytest.mark.parametrize(("mode", "stored"), [("1", "L"), ("P", "RGB")])
def test_narrow_modes_widen_exactly(mode: str, stored: str, photo: Image.Image) -> None:
    im = photo.convert(mode)
    assert pillow_lic.open(pillow_lic.encode(im, lossless=True)).tobytes() == im.convert(stored).tobytes()


def test_large_and_long_pictures_are_cut(photo: Image.Image) -> None:
    """WebP ends at 16383 pixels a side, a tile at 4 MP."""
    for size in ((20_000, 3), (2, 17_000), (2100, 2001)):
        im = Image.new("RGB", size, "navy")
        im.paste(photo.resize((min(96, size[0]), min(64, size[1]))), (size[0] - 50, size[1] - 9))
        data = pillow_lic.encode(im, lossless=True)
        again = pillow_lic.open(data)
        box = (size[0] - 2, 0, size[0], 2)
        assert again.region(box).tobytes() == im.crop(box).tobytes()
        assert again.tobytes() == im.tobytes()
    assert container.unpack(data).header.tile_count == 2


def test_size_is_that_of_webp(photo: Image.Image) -> None:
    gradient = slide(160, 128)
    for im in (photo, noise("RGBA", 64, 64), gradient):
        file = io.BytesIO()
        im.save(file, "WEBP", lossless=True, method=6, quality=100, exact=True)
        assert len(pillow_lic.encode(im, lossless=True)) <= 1.02 * len(file.getvalue()) + 32


def test_neither_writing_nor_reading_loads_the_engine(tmp_path: Path) -> None:
    program = """
import io, sys
from PIL import Image
import pillow_lic
data = pillow_lic.encode(Image.new("RGB", (9, 9), "red"), lossless=True)
Image.open(io.BytesIO(data)).load()
assert "onnxruntime" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)


def test_imageio_and_the_command(photo: Image.Image, tmp_path: Path) -> None:
    wanted = pillow_lic.encode(photo, lossless=True)
    assert iio.imwrite("<bytes>", np.asarray(photo), extension=".lic", lossless=True) == wanted
    photo.save(tmp_path / "a.png")
    assert main(["encode", str(tmp_path / "a.png"), str(tmp_path / "a.lic"), "--lossless"]) == 0
    assert (tmp_path / "a.lic").read_bytes() == wanted
    assert (iio.imread(tmp_path / "a.lic") == np.asarray(photo)).all()


def test_info_asks_for_lossless_again(photo: Image.Image) -> None:
    data = pillow_lic.encode(photo, lossless=True)
    im = pillow_lic.open(data)
    assert pillow_lic.encode(im, **im.info) == data
    lossy = pillow_lic.open(pillow_lic.encode(photo, quality=100))
    assert not lossy.info["lossless"]
    again = pillow_lic.open(pillow_lic.encode(lossy, **lossy.info | {"lossless": True}))
    assert (again.info["lossless"], again.tobytes()) == (True, lossy.tobytes())


@pytest.mark.parametrize(
    "words", [{"target_size": 9}, {"roi": (0, 0, 9, 9)}, {"exact": False}, {"effort": 2}, {"model": "lic1"}]
)
def test_what_contradicts_it_is_refused(words: dict[str, object], photo: Image.Image) -> None:
    with pytest.raises(ValueError, match="must be left out with lossless=True"):
        pillow_lic.encode(photo, lossless=True, **words)
    with pytest.raises(ValueError, match="lossless must be True or False, got 1"):
        EncodeOptions(lossless=1)  # type: ignore[arg-type]


def test_the_info_of_a_lossless_file_can_be_saved_in_every_way(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "a.lic", lossless=True)
    with Image.open(tmp_path / "a.lic") as im:
        im.save(tmp_path / "b.lic", **im.info)
        im.save(tmp_path / "b.webp", **im.info)
        lossy = im.info | {"lossless": False}
        im.save(tmp_path / "c.lic", **lossy, target_size=900)
        im.save(tmp_path / "d.lic", **lossy | {"lic_quality": 2})
        with pytest.raises(ValueError, match="target_size must be left out with lossless=True"):
            im.save(tmp_path / "e.lic", **im.info, target_size=900)
    assert (tmp_path / "b.lic").read_bytes() == (tmp_path / "a.lic").read_bytes()
    with Image.open(tmp_path / "b.webp") as again:
        assert again.tobytes() == photo.tobytes()
    assert (tmp_path / "c.lic").stat().st_size <= 900
    assert (tmp_path / "d.lic").read_bytes() == pillow_lic.encode(photo, quality=2)


def test_the_info_of_a_file_without_networks_that_is_not_lossless() -> None:
    im = Image.new("RGB", (64, 64), "white")
    again = pillow_lic.open(pillow_lic.encode(im, quality=2, exact=(0, 0, 64, 64)))
    assert (again.info["lic_model"], again.info["lossless"]) == ("lossless", False)
    third = pillow_lic.open(pillow_lic.encode(again, **again.info, exact=(0, 0, 64, 64)))
    assert (third.info["lic_quality"], third.info["lossless"]) == (2, False)


def test_the_model_by_its_name_is_lossless(photo: Image.Image) -> None:
    wanted = pillow_lic.encode(photo, lossless=True)
    for name in ("lossless", 15):
        assert pillow_lic.encode(photo, model=name) == wanted
        assert pillow_lic.encode(photo, model=name, lossless=True, quality=3) == wanted
        assert pillow_lic.encode(photo, model=name, lic_quality=3.0, lic_model="lic1") == wanted


@pytest.mark.parametrize(
    "words", [{"quality": 3}, {"target_psnr": 30}, {"exact": False}, {"exact": (0, 0, 9, 9)}, {"effort": 2}]
)
def test_what_contradicts_the_model_is_refused(words: dict[str, object], photo: Image.Image) -> None:
    with pytest.raises(ValueError, match="must be left out for model lossless"):
        pillow_lic.encode(photo, model="lossless", **words)


def test_verify_and_info_see_what_is_no_bitstream_of_the_tile(photo: Image.Image) -> None:
    parts = container.unpack(pillow_lic.encode(photo, lossless=True))
    (other,) = vp8l.write(photo_like(9, 9, 3), vp8l.Search.LONG)
    for stream, words in ((b"RIFF....WEBP", "VP8L bitstream of version 0"), (other, "must be 96x64, .* says 9x9")):
        data = container.pack(parts.header, [streams.pack([stream])])
        for act in (inspecting.verify, codec.decode):
            with pytest.raises(LicDamagedError, match=words):
                act(data)
        assert re.search(words, describe(data)["damage"])


def test_bytes_after_a_bitstream_mean_nothing() -> None:
    pixels = photo_like(20, 30, 3)
    (stream,) = vp8l.write(pixels, vp8l.Search.LONG)
    for more in (b"\0", b"\xff" * 9):
        assert (vp8l.read([stream + more], (20, 30))[:, :, :3] == pixels).all()


def test_cut_and_damaged_files(photo: Image.Image) -> None:
    data = pillow_lic.encode(photo.convert("RGBA"), lossless=True)
    with pytest.raises(OSError, match="ends inside its tile"):
        pillow_lic.open(data[:-50]).load()
    with mock.patch.object(ImageFile, "LOAD_TRUNCATED_IMAGES", True):
        assert pillow_lic.open(data[:-50]).getextrema()[:3] == ((128, 128),) * 3
    with pytest.raises(OSError, match="damaged"):
        pillow_lic.open(data[:-9] + b"\0" + data[-8:]).verify()


def test_the_alpha_hint_has_no_part_in_decoding() -> None:
    pixels = np.frombuffer(noise("RGBA", 9, 11).tobytes(), np.uint8).reshape(9, 11, 4)
    (stream,) = vp8l.write(pixels, vp8l.Search.LONG)
    for hint in (0, 0x10):
        assert (vp8l.read([stream[:4] + bytes([stream[4] & ~0x10 | hint]) + stream[5:]], (9, 11)) == pixels).all()


def test_alpha_that_does_not_fit_the_model_is_refused(photo: Image.Image) -> None:
    lossy, lossless = (
        container.unpack(pillow_lic.encode(photo.convert("RGBA"), lossless=kept)) for kept in (False, True)
    )
    for parts, payload, words in ((lossy, b"\2", "must not say that"), (lossless, b"\1\xff", "must say that")):
        data = container.pack(parts.header, [bytes(tile or b"") for tile in parts.tiles], alpha=payload)
        for act in (inspecting.verify, codec.decode):
            with pytest.raises(LicDamagedError, match=f"alpha section {words} the tiles have it"):
                act(data)
        assert f"alpha section {words}" in describe(data)["damage"]


def test_without_webp_there_is_a_sentence(photo: Image.Image) -> None:
    data = pillow_lic.encode(photo, lossless=True)
    with mock.patch.object(features, "check", return_value=False):
        with pytest.raises(LicRuntimeError, match="writing exact pixels needs WebP.*install"):
            pillow_lic.encode(photo, lossless=True)
        with pytest.raises(LicRuntimeError, match="reading exact pixels needs WebP.*install"):
            pillow_lic.open(data).load()
        pillow_lic.open(pillow_lic.encode(photo, quality=2)).load()


def test_only_bitstreams_of_the_right_size_are_opened() -> None:
    pixels = photo_like(20, 30, 3)
    (stream,) = vp8l.write(pixels, vp8l.Search.LONG)
    assert (vp8l.read([stream], (20, 30))[:, :, :3] == pixels).all()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    bad = [b"", file.getvalue(), b"\x2f" + b"\xff" * 4, stream[:4] + bytes([stream[4] | 0x20]) + stream[5:]]
    with mock.patch.object(Image, "open", side_effect=AssertionError("it was opened")):
        for other in bad:
            with pytest.raises(LicDamagedError, match="VP8L bitstream of version 0"):
                vp8l.read([other], (20, 30))
        for shape in ((30, 20), (20, 31), (9000, 30)):
            with pytest.raises(LicDamagedError, match=r"says 30x20|must have 2 bitstreams"):
                vp8l.read([stream], shape)
    with pytest.raises(LicDamagedError, match="cannot be decoded"):
        vp8l.read([stream[:30]], (20, 30))


def test_alpha_belongs_where_the_model_puts_it(photo: Image.Image) -> None:
    kept = container.unpack(pillow_lic.encode(photo.convert("RGBA"), lossless=True))
    coded = container.unpack(pillow_lic.encode(photo.convert("RGBA"), quality=2))
    for parts, other in ((kept, coded), (coded, kept)):
        tiles = [bytes(tile) for tile in parts.tiles if tile is not None]
        with pytest.raises(LicDamagedError, match="that the tiles have it"):
            codec.decode(container.pack(parts.header, tiles, alpha=other.alpha))


def test_the_level_says_that_it_was_asked_for() -> None:
    pixels = photo_like(16, 16, 3)
    assert codec.decode(codec.encode(pixels, "RGB", EncodeOptions(lossless=True)))[0].level == MAX_LEVEL


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The methods and qualities of libwebp that pixels are written with."""
    found: list[tuple[int, int]] = []
    save = Image.Image.save

    def counted(im: Image.Image, *words: object, **options: int) -> None:
        found.append((options["method"], options["quality"]))
        save(im, *words, **options)

    monkeypatch.setattr(Image.Image, "save", counted)
    return found


@pytest.mark.parametrize(
    ("size", "words", "is_long"),
    [
        ((320, 256), {}, False),
        ((320, 256), {"effort": 2}, True),
        ((320, 256), {"lossless": True}, True),
        ((256, 256), {}, True),
    ],
)
def test_a_page_is_searched_for_long_where_it_is_small_or_somebody_asks(
    asked: list[tuple[int, int]], size: tuple[int, int], words: dict[str, Any], is_long: bool
) -> None:
    im = page(*size, with_photo=False)
    data = pillow_lic.encode(im, **words)
    assert ((6, 100) in asked) == is_long
    assert (np.asarray(pillow_lic.open(data)) == np.asarray(im)).all()


def test_what_is_searched_for_in_noise_and_in_drawings(asked: list[tuple[int, int]]) -> None:
    """libwebp takes 100 s/MP to try everything on noise, and 80 on photographs, for one percent."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    drawn = np.kron(np.eye(6, 8, dtype=np.uint8)[:, :, None] * np.uint8(200), np.ones((10, 10, 3), np.uint8))
    search = vp8l.Search
    for pixels, how, expected in (
        (noise, search.LONG, [(4, 75), (5, 100)]),
        (drawn, search.LONG, [(4, 75), (6, 100)]),
        (noise, search.FILE, [(5, 100)]),
        (drawn, search.FILE, [(4, 100)]),
        (drawn, search.PART, [(4, 100)]),
        (drawn, search.QUICK, [(4, 80)]),
    ):
        asked.clear()
        streams = vp8l.write(pixels, how)
        assert asked == expected
        np.testing.assert_array_equal(vp8l.read(streams, pixels.shape[:2])[..., :3], pixels)
