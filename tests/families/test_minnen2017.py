"""Tiles predicted from decoded neighbours, which stop by quality: `minnen2017`."""

import contextlib
import io

import numpy as np
import onnxruntime as ort
import pytest
from made.pictures import photo_like
from reference import signs_reference, stranger

import pillow_lic
from families.coded import cat, check_format, encoded, in_tiles
from pillow_lic import codec, inspecting, metrics
from pillow_lic.engine import models
from pillow_lic.engine.models import Model
from pillow_lic.errors import LicDamagedError
from pillow_lic.families import minnen2017
from pillow_lic.families.shared import recurrence, sign_streams
from pillow_lic.fileformat import container, streams
from pillow_lic.fileformat.header import CHANNELS

MODEL = models.choose("minnen2017")
SIDE = MODEL.constants["tile"]


def signs_of(data: bytes) -> sign_streams.Signs:
    header, (payload,) = (parts := container.unpack(data)).header, parts.tiles
    return sign_streams.unpack(MODEL, streams.unpack(payload), (header.height, header.width))


@pytest.mark.parametrize(("height", "width", "mode"), [(1, 1, "L"), (17, 100, "RGBA"), (70, 33, "RGB"), (1, 300, "LA")])
def test_sizes_and_modes(height: int, width: int, mode: str) -> None:
    pixels = photo_like(height, width, CHANNELS[mode], seed=height)
    header, got = codec.decode(encoded(MODEL, pixels, mode, quality=10))
    assert (header.mode, header.width, header.height, header.tile_edge) == (mode, width, height, 0)
    assert np.abs(got.astype(int) - pixels).mean() < 16
    if mode.endswith("A"):
        np.testing.assert_array_equal(got[..., -1], pixels[..., -1])


def test_quality_raises_bytes_and_psnr() -> None:
    files = [encoded(MODEL, cat(), quality=quality) for quality in (1, 5.5, 10)]
    sizes, reached = [len(data) for data in files], [metrics.psnr(cat(), codec.decode(data)[1]) for data in files]
    assert sizes == sorted(sizes)
    assert reached == sorted(reached)
    assert reached[-1] > reached[0] + 2


def test_flat_tiles_take_no_signs_and_busy_ones_more() -> None:
    """All blocks of a tile take the same steps; on flat ground most take none."""
    pixels = np.full((128, 256, 3), 90, np.uint8)
    pixels[:, 160:] = photo_like(128, 96, seed=2)
    counts = signs_of(encoded(MODEL, pixels, quality=5.5)).counts
    tiles = counts.reshape(4, 2, 8, 2)
    np.testing.assert_array_equal(tiles.min((1, 3)), tiles.max((1, 3)))
    flat, busy = tiles[:, 0, :5, 0], tiles[:, 0, 5:, 0]
    assert (flat == 0).mean() > 0.5
    assert busy.mean() > 2 * flat.mean() + 0.5


def test_tiles_stop_at_the_error_that_the_level_means() -> None:
    pixels, level = cat()[:256, :320], 512
    signs = minnen2017.signs(MODEL, pixels, level)
    shown = minnen2017.decode(MODEL, [memoryview(sign_streams.pack(MODEL, signs))], (256, 320), level)
    squared = np.square(shown.astype(float) - pixels).reshape(8, SIDE, 10, SIDE, 3).mean((1, 3, 4))
    stopped = signs.counts[::2, ::2] < MODEL.constants["steps"]
    assert stopped.mean() > 0.2
    assert np.sqrt(squared[stopped]).max() < minnen2017.target(level) + 0.5
    assert minnen2017.target(0) == pytest.approx(32)
    assert minnen2017.target(1024) == pytest.approx(4)


def alone(model: stranger.Model, coded: list[bytes], shape: tuple[int, int], level: int) -> np.ndarray:
    """FORMAT.md, 14.14."""
    (stream,), tile = coded, model.constants["tile"]
    parts, signs = signs_reference.read(MODEL.stored("contexts").read(), model.constants, stream, shape)
    pixels = np.full((3, 16 * parts.shape[1], 16 * parts.shape[2]), np.nan)
    for i in range(0, pixels.shape[1], tile):
        for j in range(0, pixels.shape[2], tile):
            corner, above, left = (
                np.full((3, 8, 8), np.nan),
                np.full((3, 8, tile), np.nan),
                np.full((3, 8, tile), np.nan),
            )
            if i % (tile * model.constants["group"]):
                above = pixels[:, i - 8 : i, j : j + tile] / 255 - 0.5
            if j % (tile * model.constants["group"]):
                left = np.concatenate(
                    [pixels[:, i + k : i + k + 8, j - 8 : j] / 255 - 0.5 for k in range(0, tile, 8)], 2
                )
            if i % (tile * model.constants["group"]) and j % (tile * model.constants["group"]):
                corner = pixels[:, i - 8 : i, j - 8 : j] / 255 - 0.5
            for c in range(3):
                known = [value for part in (above, left) for value in part[c].ravel() if not np.isnan(value)]
                for part in (corner, above, left):
                    part[c][np.isnan(part[c])] = sum(known) / len(known) if known else 0
            seen = np.concatenate([corner, above, left], 2)[None]
            x = model.run("predict", seen=seen)["tiles"][0]
            blocks = np.s_[..., i // 16 : (i + tile) // 16, j // 16 : (j + tile) // 16]
            square = signs_reference.square(model, parts[blocks], signs[blocks], x)
            pixels[:, i : i + tile, j : j + tile] = signs_reference.as_pixels(square)
    return pixels[:, : shape[0], : shape[1]].astype(np.uint8).transpose(1, 2, 0)


@pytest.mark.parametrize("quality", [2, 10])
def test_the_format_is_enough_to_decode(quality: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stranger.PLAIN, "minnen2017", alone)
    data = encoded(MODEL, photo_like(70, 100, 4, seed=3), "RGBA", quality=quality)
    check_format(data, most=2)


def test_differences_hardly_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a thousand tiles, with networks at another optimisation level: as FORMAT.md, 9 asks."""
    pixels = np.tile(photo_like(256, 250, seed=5), (4, 5, 1))[:1024, :1024]
    data = encoded(MODEL, pixels, quality=4, exact=False)
    shown = codec.decode(data)[1].astype(int)
    assert signs_of(data).counts.size == 4 * 1024
    options = ort.SessionOptions()
    options.graph_optimization_level, options.intra_op_num_threads = ort.GraphOptimizationLevel.ORT_DISABLE_ALL, 1
    sessions = {
        role: ort.InferenceSession(MODEL.stored(role).read(), options, providers=["CPUExecutionProvider"])
        for role in ("predict", "decoder_step")
    }
    monkeypatch.setattr(Model, "run", lambda _, role, **feeds: sessions[role].run(None, feeds))
    moved = np.abs(codec.decode(data)[1].astype(int) - shown)
    assert (moved <= 1).mean() >= 0.999
    assert moved.max() <= 2


def test_a_difference_ends_with_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first square is predicted eight levels off; nothing outside of its group of 256x256 pixels moves."""
    data = encoded(MODEL, photo_like(288, 288, seed=6), quality=4)
    shown = codec.decode(data)[1].astype(int)
    predicted, waves = minnen2017.predicted, []

    def shifted(model: Model, canvas: recurrence.Floats, wave: list[tuple[slice, slice]]) -> recurrence.Floats:
        waves.append(wave)
        tiles = predicted(model, canvas, wave)
        tiles[[place[0].start + place[1].start == 0 for place in wave]] += np.float32(8 / 255)
        return tiles

    monkeypatch.setattr(minnen2017, "predicted", shifted)
    moved = np.abs(codec.decode(data)[1].astype(int) - shown)
    assert len(waves) == 2 * MODEL.constants["group"] - 1
    assert moved[:SIDE, :SIDE].max() >= 7
    assert moved[SIDE : 2 * SIDE, :SIDE].max() >= 1
    assert max(moved[256:].max(), moved[:, 256:].max()) == 0


def test_no_network_has_a_part_in_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(MODEL, photo_like(64, 96, seed=5), quality=6)
    found = signs_of(data)
    monkeypatch.setattr(Model, "run", lambda *_, **__: pytest.fail("a network was run"))
    np.testing.assert_array_equal(signs_of(data).values, found.values)
    inspecting.verify(data)


def test_it_cannot_be_cut_and_says_so() -> None:
    data = encoded(MODEL, photo_like(64, 96), quality=6)
    with pytest.raises(ValueError, match="got one of minnen2017"):
        inspecting.cut(data, len(data) - 1)
    with pillow_lic.open(data, bytes=len(data) - 1) as im:
        assert set(np.asarray(im).ravel()) == {128}


def test_damage_is_refused() -> None:
    data = encoded(MODEL, photo_like(64, 96), quality=6)
    (stream,) = streams.unpack(container.unpack(data).tiles[0])
    front = container.read_front(io.BytesIO(data))
    rng = np.random.default_rng(1)
    changed = bytearray(stream)
    changed[1] ^= 1
    for wrong in (bytes(stream[:-1]), bytes(stream) + b"\0", bytes(changed), rng.bytes(len(stream)), b""):
        with pytest.raises((LicDamagedError, pillow_lic.LicUnsupportedError)):
            codec.decode(container.with_tiles(io.BytesIO(data), front, [streams.pack([wrong])]))
    for _ in range(60):  # with a checksum that is right again: a picture or an error, nothing else
        fuzzed = bytearray(stream)
        for at in rng.integers(0, len(fuzzed), 3):
            fuzzed[at] = rng.integers(256)
        with contextlib.suppress(LicDamagedError, pillow_lic.LicUnsupportedError):
            codec.decode(container.with_tiles(io.BytesIO(data), front, [streams.pack([bytes(fuzzed)])]))


def test_blocks_of_a_tile_that_take_different_steps_decode() -> None:
    """No encoder of ours writes them."""
    counts = np.array([[1, 0], [2, 1]], np.uint8)
    values = np.ones((MODEL.constants["steps"], MODEL.constants["bits"], 2, 2), np.int8)
    values *= (counts > np.arange(len(values))[:, None, None, None]).astype(np.int8)
    stream = sign_streams.pack(MODEL, sign_streams.Signs(counts, values))
    assert minnen2017.decode(MODEL, [memoryview(stream)], (32, 32), 0).shape == (32, 32, 3)


def test_a_picture_in_tiles_of_the_file_has_no_seam_but_those_of_its_squares() -> None:
    pixels = photo_like(100, 300, seed=8)
    data = in_tiles(MODEL, pixels, 128, 512)
    whole = codec.decode(encoded(MODEL, pixels, quality=5.5))[1]
    assert metrics.psnr(pixels, codec.decode(data)[1]) > metrics.psnr(pixels, whole) - 0.7
    with pillow_lic.open(data) as im:
        part = np.asarray(im.region((100, 30, 180, 90))).astype(int)
    assert np.abs(part - codec.decode(data)[1][30:90, 100:180]).max() <= 1
