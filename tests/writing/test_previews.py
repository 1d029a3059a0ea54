"""Previews: what large pictures are written with, and what thumbnails of them are made of."""

import io
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import make_golden
import numpy as np
import pytest
from commands.command_line import run
from made.pictures import photo_like
from made.tiled import in_tiles
from PIL import Image, ImageFile
from reference import stranger

import pillow_lic
from pillow_lic import codec, color, inspecting, missing_tiles
from pillow_lic.engine import models
from pillow_lic.errors import LicDamagedError
from pillow_lic.families.lic1 import transforms
from pillow_lic.fileformat import container, preview
from pillow_lic.fileformat.areas import Area
from pillow_lic.fileformat.header import write_header
from pillow_lic.fileformat.limits import MAX_PREVIEW_PIXELS
from pillow_lic.fileformat.sections import PREVIEW
from pillow_lic.inspecting.description import describe
from pillow_lic.metrics import psnr
from pillow_lic.options import EncodeOptions
from pillow_lic.writing import previews

EDGE = 64


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pictures of this size take the place of large ones."""
    monkeypatch.setattr(previews, "EDGE", EDGE)


@pytest.fixture(scope="module")
def cat(cat: np.ndarray) -> np.ndarray:
    return cat[:256, 40:400]


@pytest.fixture(scope="module")
def file(cat: np.ndarray) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(previews, "EDGE", EDGE)
        return codec.encode(cat, "RGB", EncodeOptions(quality=6, preview=True), metadata={"xmp": b"<x/>"})


def names(data: bytes) -> list[str]:
    return [section["name"] for section in describe(data)["sections"]]


def payload_of(data: bytes) -> bytes:
    fp = io.BytesIO(data)
    found = container.read_section(fp, container.read_front(fp), PREVIEW)
    assert found is not None
    return found


def with_payload(data: bytes, payload: bytes) -> bytes:
    """The same file with another payload of its preview, all checksums right."""
    parts = container.unpack(data)
    tiles = [bytes(tile) for tile in parts.tiles if tile is not None]
    return container.pack(parts.header, tiles, metadata=parts.metadata, preview=payload, exact=parts.exact)


def test_auto_is_for_large_pictures(cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "SHARE", 1.0)
    assert "preview" not in names(codec.encode(cat, "RGB", EncodeOptions()))
    monkeypatch.setattr(previews, "SHOWN_FROM", cat.shape[0] * cat.shape[1])
    assert names(codec.encode(cat, "RGB", EncodeOptions()))[0] == "preview"
    assert "preview" not in names(codec.encode(cat[1:], "RGB", EncodeOptions()))
    assert "preview" not in names(codec.encode(cat, "RGB", EncodeOptions(preview=False)))
    assert "preview" not in names(codec.encode(cat, "RGB", EncodeOptions(model="balle2017")))
    assert "preview" not in names(codec.encode(cat, "RGB", EncodeOptions(lossless=True)))
    with pytest.raises(ValueError, match="preview must be left out for model balle2017: it has no such option"):
        codec.encode(cat, "RGB", EncodeOptions(model="balle2017", preview=True))


def test_it_is_a_small_share_of_the_file(cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """The coarser of three levels takes its place where it is too large, and none, where nobody asked for it."""
    monkeypatch.setattr(previews, "SHOWN_FROM", 1)
    share, sizes = 1.0, [10**9]
    for _ in range(3):
        monkeypatch.setattr(previews, "SHARE", share)
        data = codec.encode(cat, "RGB", EncodeOptions(quality=6))
        sizes.append(len(payload_of(data)))
        assert sizes[-1] < sizes[-2]
        share = (sizes[-1] - 1) / (len(data) - sizes[-1])
    monkeypatch.setattr(previews, "SHARE", share)
    assert "preview" not in names(codec.encode(cat, "RGB", EncodeOptions(quality=6)))
    assert "preview" in names(codec.encode(cat, "RGB", EncodeOptions(quality=6, preview=True)))


@pytest.mark.parametrize("mode", codec.CHANNELS)
def test_it_is_a_lic_file_of_the_means_of_squares(mode: str) -> None:
    pixels = photo_like(151, 190, codec.CHANNELS[mode], seed=3)
    data = codec.encode(pixels, mode, EncodeOptions(quality=10, exact=False, preview=True))
    found = preview.unpack(payload_of(data), container.unpack(data).header)
    assert found.scale == 2
    header, shown = codec.decode(found.file)
    assert (header.mode, shown.shape) == (mode, (76, 95, codec.CHANNELS[mode]))
    assert psnr(pixels[:150].reshape(75, 2, 95, 2, -1).mean((1, 3)).round().astype(np.uint8), shown[:75]) > 26
    np.testing.assert_array_equal(codec.decode(data)[1], codec.decode(with_payload_left_out(data))[1])


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_bands_are_reduced_as_the_whole_is(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(color, "BAND_PIXELS", 50 * 70)
    whole = Image.fromarray(photo_like(131, 70, 4)).convert(mode)
    pixels = np.asarray(whole).reshape(131, 70, -1)
    assert (color.reduced(pixels, mode, 7) == np.asarray(whole.reduce(7)).reshape(19, 10, -1)).all()


def with_payload_left_out(data: bytes) -> bytes:
    parts = container.unpack(data)
    tiles = [bytes(tile) for tile in parts.tiles if tile is not None]
    return container.pack(parts.header, tiles, alpha=parts.alpha)


def test_a_stranger_reads_it() -> None:
    data = (make_golden.FOLDER / "preview" / "file.lic").read_bytes()
    theirs = stranger.preview(data)
    with pillow_lic.open(data) as im:
        im.draft(None, (20, 20))
        difference = np.abs(np.asarray(im).astype(int) - theirs)
    assert difference.shape == (38, 55, 3)
    assert (difference <= 1).mean() >= 0.999


def test_thumbnails_are_made_of_it(file: bytes, cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    original = transforms.synthesis

    def noted(model: models.Model, y_hat: np.ndarray, *a: Any, **options: Any) -> np.ndarray:
        seen.append(y_hat.size)
        return original(model, y_hat, *a, **options)

    monkeypatch.setattr(transforms, "synthesis", noted)
    with Image.open(io.BytesIO(file)) as im:
        im.thumbnail((32, 32))
        shown = np.asarray(im)
    with Image.fromarray(cat) as im:
        im.thumbnail((32, 32))
        assert psnr(np.asarray(im), shown) > 27
    assert 0 < max(seen) < models.choose(None).constants["latents"] * 16 * 23, "layers saw the preview alone"


def test_pillows_contract(file: bytes) -> None:
    scale = preview.unpack(payload_of(file), container.unpack(file).header).scale
    assert scale == 256 // EDGE == 4
    with pillow_lic.open(file) as im:
        info = dict(im.info)
        assert im.draft("L", (90, 64)) == ("RGB", (0, 0, 90, 64))
        assert im.draft(None, (10, 10)) is None, "once only"
        assert (im.size, im.mode, im.info) == ((90, 64), "RGB", info)
        again = pickle.loads(pickle.dumps(im))
        np.testing.assert_array_equal(np.asarray(again), np.asarray(im))
        np.testing.assert_array_equal(np.asarray(im), codec.decode(payload_of(file)[1:])[1])
        with pytest.raises(ValueError, match="a draft of it at 1/4 was loaded: open it again"):
            im.region((0, 0, 5, 5))
    with pillow_lic.open(file) as im:
        im.draft(None, (91, 64))
        assert im.size == (180, 128), "the preview is smaller than that"
        np.testing.assert_array_equal(np.asarray(im), codec.decode(file, scale=2)[1])
    with pillow_lic.open(file) as im:
        im.draft(None, (20, 20))
        part = np.asarray(im.region((300, 200, 350, 250)), int)
    assert np.abs(part - codec.decode(file)[1][200:250, 300:350]).max() <= 1


def test_one_that_is_twice_as_wide_as_a_draft_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    data = (make_golden.FOLDER / "preview" / "file.lic").read_bytes()
    for wanted, size in (((55, 37), (55, 38)), ((27, 18), (28, 19)), ((13, 9), (14, 10))):
        with pillow_lic.open(data) as im:
            im.draft(None, wanted)
            assert (im.size, np.asarray(im).shape[1::-1]) == (size, size)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pillow_lic.open(data[:-100]) as im:
        im.draft(None, (13, 9))
        assert im.size == (55, 38), "all of it is there"


def test_a_part_of_the_file_has_it_already(file: bytes) -> None:
    start = next(section["offset"] for section in describe(file)["sections"] if section["name"] == "tile")
    parser = ImageFile.Parser()
    parser.feed(file[:start])
    parser.feed(file[start : start + 40])
    early = parser.image
    assert early is not None
    early.draft(None, (80, 60))
    assert early.size == (90, 64)
    np.testing.assert_array_equal(np.asarray(early), codec.decode(payload_of(file)[1:])[1])


def in_small_tiles(cat: np.ndarray, mode: str = "RGB") -> tuple[np.ndarray, bytes]:
    """A picture, and its file in six tiles with a preview."""
    pixels = cat if mode == "RGB" else photo_like(256, 360, codec.CHANNELS[mode], seed=1)
    with pytest.MonkeyPatch.context() as patch:
        in_tiles(patch, 128)
        return pixels, codec.encode(pixels, mode, EncodeOptions(quality=8, exact=False, preview=True))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_it_stands_in_for_tiles_that_are_missing(mode: str, cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, data = in_small_tiles(cat, mode)
    tiles = [section for section in describe(data)["sections"] if section["name"] == "tile"]
    assert len(tiles) == 6
    whole = codec.decode(data)[1]
    part = data[: tiles[2]["offset"] - 9]
    for length in (len(part), tiles[0]["offset"] + 9):
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
        with pillow_lic.open(part[:length]) as im:
            early = np.asarray(im).reshape(whole.shape)
        np.testing.assert_array_equal(early, codec.decode(part[:length], strict=False)[1])
        assert psnr(pixels[128:], early[128:]) > 18, "no grey"
    assert np.abs(codec.decode(part, strict=False)[1][:120, :240].astype(int) - whole[:120, :240]).max() <= 40
    with pillow_lic.open(part) as im:
        box = (200, 100, 330, 200)
        there = np.asarray(im.region(box)).reshape(100, 130, -1).astype(int)
    wanted = codec.decode(part, strict=False)[1][100:200, 200:330]
    assert np.abs(there - wanted).max() <= 1
    with pytest.raises(OSError, match="file ends"):
        codec.decode(part)


def test_it_is_shown_linear_between_the_middles_of_its_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    small = np.array([[[0], [40]], [[80], [120]]], np.uint8).repeat(3, 2)
    shown: list[np.ndarray] = []
    header = container.unpack(codec.encode(photo_like(4, 4), "RGB", EncodeOptions(exact=False))).header
    missing_tiles.fill(
        {0}, header, preview.Preview(2, b""), Area(0, 0, 4, 4), lambda _, found: shown.append(found), small
    )
    assert shown[0][:, :, 1].tolist() == [[0, 10, 30, 40], [20, 30, 50, 60], [60, 70, 90, 100], [80, 90, 110, 120]]


def test_a_damaged_tile_is_as_the_preview_has_it(cat: np.ndarray) -> None:
    data = bytearray(in_small_tiles(cat)[1])
    last = describe(bytes(data))["sections"][-1]
    data[last["offset"] + 20] ^= 1
    shown = codec.decode(bytes(data), strict=False)[1]
    assert psnr(cat[128:, 256:], shown[128:, 256:]) > 18


def test_a_budget_of_bytes_is_for_the_picture(file: bytes) -> None:
    with pillow_lic.open(file, bytes=len(file) - 10) as im:
        im.draft(None, (80, 60))
        with pillow_lic.open(with_payload_left_out(file)) as whole:
            whole.draft(None, (80, 60))
            assert im.size == whole.size


def inner_with(**sections: object) -> Callable[[bytes], bytes]:
    def changed(payload: bytes) -> bytes:
        parts = container.unpack(payload[1:])
        return payload[:1] + container.pack(parts.header, [bytes(parts.tiles[0] or b"")], **sections)

    return changed


def of_size(payload: bytes) -> bytes:
    parts = container.unpack(payload[1:])
    return payload[:1] + container.pack(replace(parts.header, width=91), [bytes(parts.tiles[0] or b"")])


UNSOUND: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda _: b"", "preview section must hold a .lic file: file ends after 0 bytes"),
    "no file": (lambda p: p[:1] + b"\xff\xd8\xff\xe0", "must hold a .lic file: not a .lic file"),
    "scale 1": (lambda p: b"\1" + p[1:], "must have a scale of at least 2, got 1"),
    "another scale": (lambda p: b"\5" + p[1:], "must hold 72x52 RGB by the model of the picture, got 90x64 RGB"),
    "another size": (of_size, "must hold 90x64 RGB by the model of the picture, got 91x64"),
    "another model": (
        lambda p: p[:1] + codec.encode(photo_like(64, 90), "RGB", EncodeOptions(model="lic1", exact=False)),
        "must hold 90x64 RGB by the model of the picture, got 90x64 RGB by model 13",
    ),
    "another mode": (
        lambda p: p[:1] + codec.encode(photo_like(64, 90, 1), "L", EncodeOptions(exact=False)),
        "must hold 90x64 RGB by the model of the picture, got 90x64 L",
    ),
    "metadata": (inner_with(metadata={"exif": b"II*\0"}), "must hold nothing but a picture, got EXIF"),
    "nested": (inner_with(preview=b"\2"), "must hold nothing but a picture, got preview"),
    "more bytes": (lambda p: p + b"more", "must hold nothing but a picture, got bytes after it"),
    "cut": (lambda p: p[:-9], "preview section is damaged: file ends inside its tile section"),
    "damaged": (lambda p: p[:-9] + bytes([p[-9] ^ 1]) + p[-8:], "preview section is damaged: tile section is damaged"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNSOUND)
def test_verify_refuses_and_thumbnails_do_without(case: str, file: bytes) -> None:
    change, said = UNSOUND[case]
    data = with_payload(file, change(payload_of(file)))
    with pytest.raises(LicDamagedError, match=said):
        inspecting.verify(data)
    with pillow_lic.open(data) as im, pytest.raises(OSError, match=said):
        im.verify()
    with pillow_lic.open(data) as im:
        im.thumbnail((32, 32))
        shown = np.asarray(im)
    with pillow_lic.open(with_payload_left_out(file)) as im:
        im.thumbnail((32, 32))
        np.testing.assert_array_equal(np.asarray(im), shown)


def test_one_of_too_many_pixels_is_refused(file: bytes) -> None:
    side = int(MAX_PREVIEW_PIXELS**0.5) + 1
    inner = replace(container.unpack(file).header, width=side, height=side)
    payload = preview.pack(preview.Preview(2, write_header(inner)))
    with pytest.raises(LicDamagedError, match="at most 1048576 pixels, got 1025x1025"):
        preview.unpack(payload, replace(inner, width=2 * side, height=2 * side))


def test_targets_count_it(cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    data = codec.encode(cat, "RGB", EncodeOptions(target_size=6000, preview=True))
    assert 5000 < len(data) <= 6000
    assert "preview" in names(data)


def test_cut_keeps_it(file: bytes) -> None:
    less = pillow_lic.cut(file, len(file) * 3 // 4)
    assert payload_of(less) == payload_of(file)


@pytest.mark.parametrize("wrong", [1, 0, "on", "AUTO", 1.5])
def test_other_values_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=f'preview must be "auto", True or False, got {wrong!r}'):
        EncodeOptions(preview=wrong)


def test_lossless_files_have_none() -> None:
    assert EncodeOptions(lossless=True, preview=False).preview is False
    with pytest.raises(ValueError, match="preview must be left out with lossless=True"):
        EncodeOptions(lossless=True, preview=True)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(photo_like(150, 150)).save(tmp_path / "a.png")
    for word, is_there in (("on", True), ("off", False), ("auto", False)):
        assert run("encode", tmp_path / "a.png", tmp_path / f"{word}.lic", "--preview", word) == 0
        assert ("preview" in names((tmp_path / f"{word}.lic").read_bytes())) == is_there
    with pytest.raises(SystemExit):
        run("encode", tmp_path / "a.png", tmp_path / "b.lic", "--preview", "yes")
    assert "--preview: must be auto, on or off, got 'yes'" in capsys.readouterr().err
