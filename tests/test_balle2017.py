"""`balle2017` through Pillow and the codec: every size and mode, tiles, targets, refusals; and its symbols, which no network decides."""

import io
import zlib
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import stranger
from pictures import SAMPLE, photo_like
from PIL import Image

from pillow_lic import codec, families, metrics
from pillow_lic.engine import entropy, models, runtime
from pillow_lic.engine.models import Model
from pillow_lic.engine.settings import settings
from pillow_lic.errors import LicDamagedError, LicLimitError, LicRuntimeError
from pillow_lic.families import Request, balle2017
from pillow_lic.fileformat import container, streams
from pillow_lic.fileformat.header import CHANNELS, Header
from pillow_lic.fileformat.tiling import Tiling
from pillow_lic.options import EncodeOptions

MODEL = models.choose("balle2017")


def encoded(pixels: np.ndarray, mode: str = "RGB", **options: object) -> bytes:
    return codec.encode(pixels, mode, EncodeOptions(model="balle2017", **options))


def in_tiles(pixels: np.ndarray, edge: int, level: int) -> bytes:
    """A file of tiles that the encoder would make of a larger picture only."""
    writer = families.writer(MODEL, pixels, Request())
    writer.tiling = Tiling(pixels.shape[1], pixels.shape[0], edge)
    header = Header("RGB", pixels.shape[1], pixels.shape[0], edge, MODEL.number, MODEL.hash, level)
    return container.pack(header, writer.payloads(level))


def test_through_pillow(tmp_path: Path) -> None:
    path = tmp_path / "cat.lic"
    with Image.open(SAMPLE) as im:
        cat = im.convert("RGB")
    cat.save(path, model="balle2017", quality=7)
    with Image.open(path) as im:
        assert (im.format, im.size, im.info["lic_model"]) == ("LIC", cat.size, "balle2017")
        assert metrics.psnr(np.asarray(cat), np.asarray(im)) > 33
        assert list(families.drafts(MODEL)) == []
    with Image.open(path) as im:
        im.draft("RGB", (60, 40))
        assert im.size == cat.size
    codec.verify(path.read_bytes())


@pytest.mark.parametrize("mode", CHANNELS)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (17, 16), (130, 75)])
def test_sizes_and_modes(height: int, width: int, mode: str) -> None:
    pixels = photo_like(height, width, CHANNELS[mode], seed=height)
    header, got = codec.decode(encoded(pixels, mode, quality=9))
    assert (header.mode, header.width, header.height, header.tile_edge) == (mode, width, height, 0)
    assert got.shape == pixels.shape
    assert np.abs(got.astype(int) - pixels).mean() < 8
    if mode.endswith("A"):
        np.testing.assert_array_equal(got[..., -1], pixels[..., -1])


def test_quality_raises_bytes_and_psnr() -> None:
    with Image.open(SAMPLE) as im:
        cat = np.asarray(im.convert("RGB"))
    files = [encoded(cat, quality=quality) for quality in range(1, 11)]
    sizes, reached = [len(data) for data in files], [metrics.psnr(cat, codec.decode(data)[1]) for data in files]
    assert sizes == sorted(sizes)
    assert reached == sorted(reached)
    assert reached[-1] > reached[0] + 6
    target = (sizes[3] + sizes[4]) // 2
    assert 0.95 * target < len(encoded(cat, target_size=target)) <= target
    reads = codec.decode(encoded(cat, target_psnr=reached[5]))[1]
    assert metrics.psnr(cat, reads) == pytest.approx(reached[5], abs=0.05)


def test_a_picture_of_more_than_four_megapixels() -> None:
    pixels = np.tile(photo_like(256, 263), (8, 8, 1))
    data = encoded(pixels, quality=3)
    header, whole = codec.decode(data)
    assert (header.tile_edge, header.tile_count) == (2048, 2)
    assert metrics.psnr(pixels, whole) > 26
    part = codec.decode_region(io.BytesIO(data), (2040, 100, 2056, 120))
    assert np.abs(part.astype(int) - whole[100:120, 2040:2056]).max() <= 1


def test_a_seam_shows_no_more_than_the_rest() -> None:
    """Within 8 pixels of a border the error is that of the same places of the picture in one tile."""
    with Image.open(SAMPLE) as im:
        cat = np.asarray(im.convert("RGB"))
    for level in (0, 600):
        whole, tiled = (
            ((codec.decode(in_tiles(cat, edge, level))[1].astype(float) - cat) ** 2).mean(2) for edge in (0, 128)
        )
        near = np.zeros(whole.shape, bool)
        for border in range(128, 451, 128):
            near[border - 8 : border + 8] = near[:, border - 8 : border + 8] = True
        assert 10 * np.log10(tiled[near].mean() / whole[near].mean()) < 0.1
        assert abs(10 * np.log10(tiled[~near].mean() / whole[~near].mean())) < 0.05


@pytest.mark.parametrize(
    ("option", "name"),
    [({"effort": 3}, "effort"), ({"roi": [(0, 0, 9, 9)]}, "roi"), ({"importance": "auto"}, "importance")],
)
def test_options_of_other_models_are_refused(option: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be left out for model balle2017"):
        encoded(photo_like(20, 20), **option)


def decode_alone(model: stranger.Model, coded: list[bytes], shape: tuple[int, int], level: int) -> np.ndarray:
    """FORMAT.md, 14.3."""
    (stream,), channels = coded, model.constants["latents"]
    h, w = (-(-length // model.constants["stride"]) for length in shape)
    anchor = (level + model.constants["level_spacing"] // 2) // model.constants["level_spacing"]
    coder = stranger.Stream(model, stream)
    q = [coder.symbol(channels * anchor + channel) for channel in range(channels) for _ in range(h * w)]
    coder.finish(q)
    made = model.run("synthesis", q=np.reshape(q, (1, channels, h, w)), level=np.full((1, 1, 1, 1), level))
    return made["pixels"][0, : shape[0], : shape[1]]


@pytest.mark.parametrize("quality", [1, 5.6, 10])
def test_the_format_is_enough_to_decode(quality: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stranger.PLAIN, "balle2017", decode_alone)
    pixels = photo_like(40, 70, 4, seed=3)
    for data in (encoded(pixels, "RGBA", quality=quality), in_tiles(photo_like(30, 200), 128, int(quality * 100))):
        ours, theirs = codec.decode(data)[1], stranger.decode(data)
        assert np.abs(ours.astype(int) - theirs).max() <= 1


def read_symbols(data: bytes) -> np.ndarray:
    header, (payload,) = (parts := container.unpack(data)).header, parts.tiles
    rows, columns = (-(-length // 16) for length in (header.height, header.width))
    tables = balle2017._tables_of(MODEL, (256, rows, columns), header.level)
    return entropy.decode(MODEL.tables, streams.unpack(payload)[0], tables)


LEVELS = [
    ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
]


def test_symbols_are_the_same_at_every_optimisation_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """And pixels are within 1: no network has a part in what is read."""
    data = encoded(photo_like(90, 120, seed=5), quality=6)
    symbols, shown = read_symbols(data), codec.decode(data)[1]
    graph = MODEL.stored("synthesis").read()
    for level in LEVELS:
        options = ort.SessionOptions()
        options.graph_optimization_level, options.intra_op_num_threads = level, 1
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        monkeypatch.setattr(Model, "run", lambda _, __, session=session, **feeds: session.run(None, feeds))
        np.testing.assert_array_equal(read_symbols(data), symbols)
        assert np.abs(codec.decode(data)[1].astype(int) - shown).max() <= 1
    monkeypatch.setattr(Model, "run", lambda *_, **__: pytest.fail("a network was run"))
    np.testing.assert_array_equal(read_symbols(data), symbols)
    codec.verify(data)


@pytest.mark.parametrize("threads", [1, 2])
def test_bytes_do_not_depend_on_threads(threads: int) -> None:
    pixels = photo_like(140, 300)
    with settings(threads=1):
        alone = in_tiles(pixels, 128, 500)
    with settings(threads=threads):
        assert in_tiles(pixels, 128, 500) == alone


def test_streams_of_another_picture_are_refused() -> None:
    data = encoded(photo_like(64, 64), quality=5)
    header, (payload,) = (parts := container.unpack(data)).header, parts.tiles
    (stream,) = streams.unpack(payload)
    two = streams.pack([stream, b"more"])
    smaller = Header("RGB", 48, 64, 0, MODEL.number, MODEL.hash, header.level)
    other_level = Header("RGB", 64, 64, 0, MODEL.number, MODEL.hash, 1000)
    changed = bytearray(stream)
    changed[1] ^= 1
    for head, wrong in (
        (header, two),
        (smaller, payload),
        (other_level, payload),
        (header, streams.pack([stream[:-1]])),
    ):
        with pytest.raises(LicDamagedError):
            codec.decode(container.pack(head, [wrong]))
    with pytest.raises(LicDamagedError, match="not those that were written"):
        codec.decode(container.pack(header, [streams.pack([bytes(changed)])]))


def test_a_tile_over_the_limit_of_the_model_is_refused() -> None:
    header = Header("RGB", 4096, 2048, 4096, MODEL.number, MODEL.hash, 0)
    with pytest.raises(LicLimitError, match="limit of 4194304 of model balle2017"):
        codec.decode(container.pack(header, [b""]))


def test_latents_that_are_no_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (np.nan, 40000.0):
        monkeypatch.setattr(runtime, "run", lambda *_, value=value: [np.full((1, 256, 1, 1), value, np.float32)])
        with pytest.raises(LicRuntimeError, match="32767 is the most"):
            encoded(photo_like(16, 16))


def test_the_check_is_that_of_the_symbols() -> None:
    data = encoded(photo_like(32, 32), quality=4)
    (stream,) = streams.unpack(container.unpack(data).tiles[0])
    assert int.from_bytes(stream[1:3], "little") == zlib.crc32(read_symbols(data).astype("<i4").tobytes()) & 0xFFFF
