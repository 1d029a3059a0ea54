"""The section of exact pixels in a file: every tile's part, damaged ones, cut files, tiles that hold every pixel as it is."""

import io
from unittest import mock

import numpy as np
import pytest
from made.drawn_pages import LEVEL, aim, nothing, page, text_of
from PIL import Image, ImageFile

import pillow_lic
from pillow_lic import codec, families, inspecting
from pillow_lic.engine import models
from pillow_lic.errors import LicDamagedError
from pillow_lic.exact import search
from pillow_lic.families import Request
from pillow_lic.fileformat import container, exact_layer, vp8l
from pillow_lic.fileformat.areas import Area, onto
from pillow_lic.fileformat.exact_layer import ExactLayer
from pillow_lic.fileformat.header import CHANNELS, Header
from pillow_lic.fileformat.levels import quality_to_level
from pillow_lic.fileformat.sections import EXACT
from pillow_lic.fileformat.tiling import Tiling
from pillow_lic.options import EncodeOptions


def with_exact(data: bytes, payload: bytes) -> bytes:
    parts = container.unpack(data)
    tiles = [bytes(tile) for tile in parts.tiles if tile is not None]
    return container.pack(parts.header, tiles, alpha=parts.alpha, exact=payload)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_exact_pixels_lie_over_lossless_tiles_too(mode: str) -> None:
    """No writer of ours makes such a file; FORMAT.md allows it."""
    tile = np.random.default_rng(1).integers(1, 256, (13, 20, CHANNELS[mode]), np.uint8)
    if mode.endswith("A"):
        tile[:, :, -1] = 90
    places = np.zeros((13, 20), np.bool_)
    places[2:9, 3:7] = True
    section = exact_layer.pack(
        [exact_layer.written(np.full((13, 20, 1), 7, np.uint8), np.uint8(255) * places)], Tiling(20, 13, 0)
    )
    data = with_exact(codec.encode(tile, mode, EncodeOptions(lossless=True)), section)
    inspecting.verify(data)
    colors = tile[:, :, :-1] if mode.endswith("A") else tile
    colors[places] = 7
    assert (codec.decode(data)[1] == tile).all()


def test_a_whole_file_without_the_colours_under_alpha_0_is_not_called_lossless() -> None:
    for hidden in (False, True):
        im = page().convert("RGBA")
        if hidden:
            im.paste((255, 200, 10, 0), (0, 0, 320, 20))
        again = pillow_lic.open(pillow_lic.encode(im, quality=10, exact=(0, 0, *im.size)))
        assert again.info["lic_model"] == "lossless"
        assert again.info["lossless"] == (again.tobytes() == im.tobytes()) == (not hidden)


def test_bad_sections_are_refused_before_anything_is_decoded(mixed: bytes) -> None:
    with io.BytesIO(mixed) as fp:
        payload = container.read_section(fp, container.read_front(fp), EXACT)
    assert payload is not None
    streams = exact_layer.ExactLayer(payload, Tiling(320, 256, 0))
    streams.check()
    small = exact_layer.written(np.zeros((9, 9, 3), np.uint8), np.full((9, 9), 255, np.uint8))
    bad = {
        b"": "ends inside its 1 lengths",
        payload + b"x": "by its lengths",
        payload[:-1]: "by its lengths",
        exact_layer.pack([small], Tiling(320, 256, 0)): "must be 320x256, their bitstream says 9x9",
        b"\x05\x2f\xff\xff\xff\x0f": "bitstream says 16384x16384",
    }
    for section, words in bad.items():
        data = with_exact(mixed, section)
        for act in (inspecting.verify, codec.decode):
            with (
                mock.patch.object(Image, "open", side_effect=AssertionError("it was opened")),
                pytest.raises(LicDamagedError, match=words),
            ):
                act(data)


def test_alpha_between_blends(mixed: bytes) -> None:
    over = np.random.default_rng(2).integers(0, 256, (256, 320, 4), np.uint8)
    section = exact_layer.pack([exact_layer.vp8l.write(over, exact_layer.vp8l.Search.PART)], Tiling(320, 256, 0))
    beneath = codec.decode(with_exact(mixed, b"\0"))[1]
    shown = codec.decode(with_exact(mixed, section))[1]
    share = over[:, :, 3:] / 255
    assert np.abs(shown - (share * over[:, :, :3] + (1 - share) * beneath)).max() <= 0.5
    assert (exact_layer.blended(beneath, over[:, :, :3], np.full((256, 320), 255, np.uint8)) == over[:, :, :3]).all()
    assert (exact_layer.blended(beneath, over[:, :, :3], np.zeros((256, 320), np.uint8)) == beneath).all()


def test_areas_of_a_layer_need_no_alignment() -> None:
    found = search.found(np.asarray(page()), LEVEL, aim, nothing)
    assert found is not None
    whole = found.exact(Area(0, 0, 320, 256))
    assert whole[40, 40]
    assert (found.exact(Area(7, 9, 100, 90)) == whole[9:90, 7:100]).all()
    assert found.share == pytest.approx(whole.mean())


@pytest.mark.parametrize("scale", [1, 2])
def test_a_part_of_a_tile_is_not_decoded_for_every_window(monkeypatch: pytest.MonkeyPatch, scale: int) -> None:
    """A picture of one large tile (model restored) is drawn window by window, by every thread."""
    monkeypatch.setattr(vp8l, "MAX_PART_SIDE", 128)
    tiling = Tiling(300, 200, 0)
    rng = np.random.default_rng(0)
    pixels, cover = (rng.integers(0, 256, (200, 300, channels), np.uint8) for channels in (3, 1))
    layer = ExactLayer(
        exact_layer.pack([vp8l.write(np.concatenate([pixels, cover], 2), vp8l.Search.PART)], tiling), tiling
    )
    decoded: list[object] = []
    read = vp8l._read
    monkeypatch.setattr(vp8l, "_read", lambda stream: decoded.append(stream) or read(stream))
    draft = tiling.whole.over(scale)
    shown, whole = (np.zeros((*draft.shape, 3), np.uint8) for _ in range(2))
    for area in Tiling(draft.width, draft.height, 128).tiles():
        for half in (Area(area.x0, area.y0, area.x1, area.y0 + 9), Area(area.x0, area.y0 + 9, area.x1, area.y1)):
            layer.over(onto(shown), tiling.whole, scale)(half, np.full((*half.shape, 3), 7, np.uint8))
    assert len(decoded) == 6
    layer.over(onto(whole), tiling.whole, scale)(draft, np.full((*draft.shape, 3), 7, np.uint8))
    np.testing.assert_array_equal(shown, whole)
    if scale == 1:
        np.testing.assert_array_equal(whole, exact_layer.blended(np.full_like(pixels, 7), pixels, cover[:, :, 0]))


def test_every_tile_has_its_own() -> None:
    pixels = np.asarray(page())
    tiling, level, model = Tiling(320, 256, 128), quality_to_level(6), models.choose(None)
    found = search.found(pixels, LEVEL, aim, nothing)
    assert found is not None
    writer = families.writer(model, pixels, Request())
    writer.tiling = tiling
    header = Header("RGB", 320, 256, 128, model.number, model.hash, level)
    data = container.pack(header, writer.payloads(level), exact=found.payload(level, tiling))
    whole = codec.decode(data)[1]
    assert (text_of(Image.fromarray(whole)) == text_of(page())).all()
    area = Area(100, 20, 300, 140)
    region = codec.decode_region(io.BytesIO(data), area)
    assert np.abs(region.astype(int) - whole[area.slices]).max() <= 1
    half = whole.reshape(128, 2, 160, 2, 3).mean((1, 3))
    assert np.abs(codec.decode(data, scale=2)[1] - half)[:, :72].max() <= 1


def test_a_cut_file_shows_its_letters(mixed: bytes) -> None:
    with pytest.raises(OSError, match="ends inside its tile"):
        pillow_lic.open(mixed[:-100]).load()
    with mock.patch.object(ImageFile, "LOAD_TRUNCATED_IMAGES", True):
        assert (text_of(pillow_lic.open(mixed[:-100])) == text_of(page())).all()
