"""Signs in steps, as `toderici2017` codes them: streams that end early or are shortened, damage, and what no network decides."""

import io
from collections.abc import Callable

import make_golden
import numpy as np
import onnxruntime as ort
import pytest
from engine.released import WRITING
from made.pictures import photo_like
from PIL import Image
from reference import predictor_reference, signs_reference, stranger

import pillow_lic
from families.coded import cat, check_format, check_size_and_mode, encoded, in_tiles
from pillow_lic import codec, families, inspecting, metrics
from pillow_lic.engine import bits, models
from pillow_lic.engine.models import Model
from pillow_lic.engine.settings import settings
from pillow_lic.errors import LicDamagedError, LicRuntimeError
from pillow_lic.families.shared import sign_streams, tilewise
from pillow_lic.fileformat import container, streams
from pillow_lic.fileformat.header import CHANNELS, Header
from pillow_lic.fileformat.tiling import Tiling

MODELS = [model for model in WRITING if "decoder_step" in model.files and families.is_progressive(model)]
MODEL = models.choose("toderici2017")
STEPS, BITS = MODEL.constants["steps"], MODEL.constants["bits"]


def signs_of(data: bytes, model: Model = MODEL) -> sign_streams.Signs:
    header, (payload,) = (parts := container.unpack(data)).header, parts.tiles
    return sign_streams.unpack(model, streams.unpack(payload), (header.height, header.width))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.number))
@pytest.mark.parametrize("mode", CHANNELS)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (17, 100), (130, 75)])
def test_sizes_and_modes(height: int, width: int, mode: str, model: Model) -> None:
    check_size_and_mode(model, height, width, mode, quality=10, most=16)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.number))
def test_quality_raises_bytes_and_psnr(model: Model) -> None:
    files = [encoded(model, cat(), quality=quality) for quality in (1, 2.5, 4, 6, 10)]
    sizes, reached = [len(data) for data in files], [metrics.psnr(cat(), codec.decode(data)[1]) for data in files]
    assert sizes == sorted(sizes)
    assert reached == sorted(reached)
    assert reached[-1] > reached[0] + 6
    assert len(encoded(model, cat(), target_size=sizes[2] + 5)) <= sizes[2] + 5


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.number))
def test_a_cut_file_is_valid_and_near_its_size(model: Model) -> None:
    """And its picture is no worse than a straight line between its neighbours in whole steps, less half a decibel."""
    data = encoded(model, cat(), quality=10)
    reached = []
    for share in (0.2, 0.45, 0.7, 0.95):
        size = int(share * len(data))
        smaller = pillow_lic.cut(data, size)
        assert size - 12 <= len(smaller) <= size
        inspecting.verify(smaller)
        reached.append(metrics.psnr(cat(), codec.decode(smaller)[1]))
        assert len(smaller) - 12 <= len(pillow_lic.cut(data, len(smaller))) <= len(smaller)
    assert reached == sorted(reached)
    assert reached[0] > 22
    header = container.unpack(data).header
    assert container.unpack(smaller).header == header


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.number))
def test_the_file_of_a_level_holds_those_of_all_lower_ones(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a search runs the encoder's steps of a picture once; every byte is as if it was coded for the level."""
    pixels, steps = photo_like(150, 210, seed=7), []
    run = Model.run

    def counted(self: Model, role: str, **feeds: np.ndarray) -> list[np.ndarray]:
        steps.append(role)
        return run(self, role, **feeds)

    qualities = [1, 3.6, 6, 10]
    alone = [encoded(model, pixels, quality=quality) for quality in qualities]
    monkeypatch.setattr(Model, "run", counted)
    assert encoded(model, pixels, target_size=len(alone[2])) == alone[2]
    assert steps.count("encoder_step") == STEPS + model.constants["priming"]


def test_tiles_are_lowered_each() -> None:
    pixels = photo_like(140, 300)
    tiling = lambda model, width, height: Tiling(width, height, 128)  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tilewise, "chosen_tiling", tiling)
        once = families.writer(MODEL, pixels, families.Request(search=True))
        for level in (439, 1024, 0):
            assert once.payloads(level) == families.writer(MODEL, pixels, families.Request()).payloads(level)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.number))
def test_any_beginning_shows_all_of_the_picture(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(model, cat(), quality=10)
    reached = []
    for share in (0.1, 0.4, 0.9):
        with pillow_lic.open(data, bytes=int(share * len(data))) as im:
            reached.append(metrics.psnr(cat(), np.asarray(im)))
    assert reached == sorted(reached)
    assert reached[0] > 18
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    with Image.open(io.BytesIO(data[: int(0.9 * len(data))])) as im:
        assert metrics.psnr(cat(), np.asarray(im)) == pytest.approx(reached[-1], abs=0.05)
    with Image.open(io.BytesIO(data[:33])) as im:
        assert set(np.asarray(im).ravel()) == {families.MISSING}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: str(model.number))
def test_more_bytes_never_look_worse(model: Model) -> None:
    """Of a cut file and of a beginning, within each of the last steps too: PSNR falls by no more than 0.1 dB."""
    pixels = cat()[32:160, 128:288]
    data = encoded(model, pixels, quality=10)
    beginnings, cuts = [], []
    for i, size in enumerate(np.linspace(0.15 * len(data), len(data), 86).astype(int)):
        with pillow_lic.open(data, bytes=int(size)) as im:
            beginnings.append(metrics.psnr(pixels, np.asarray(im)))
        if i % 5 == 0:
            cuts.append(metrics.psnr(pixels, codec.decode(pillow_lic.cut(data, int(size)))[1]))
    for reached in (beginnings, cuts):
        assert np.diff(reached).min() > -0.1
        assert reached[-1] > reached[0] + 3


def test_a_shortened_stream_has_the_first_signs_all_over_the_picture() -> None:
    data = encoded(MODEL, cat(), quality=10)
    header, (payload,) = (parts := container.unpack(data)).header, parts.tiles
    whole = signs_of(data)
    (short,) = (sign_streams.shortened(MODEL, whole, len(payload) // 3),)
    kept = sign_streams.unpack(MODEL, [memoryview(short)], (header.height, header.width))
    assert (kept.values == np.where(kept.values, whole.values, 0)).all()
    assert int(kept.counts.max()) - int(kept.counts.min()) <= 1
    more = kept.counts == kept.counts.max()
    halves = [more[: len(more) // 2].mean(), more[len(more) // 2 :].mean()]
    assert abs(halves[0] - halves[1]) < 0.1
    assert sign_streams.shortened(MODEL, whole, len(payload)) == bytes(streams.unpack(payload)[0])


def test_the_least_size_is_named() -> None:
    with pytest.raises(ValueError, match=r"size of a tile must be at least \d+ bytes, got -?\d"):
        inspecting.cut(encoded(MODEL, photo_like(40, 40)), 32)


def alone(own: Model) -> Callable[..., np.ndarray]:
    """The decoder of a model's tiles by FORMAT.md, 14.8 and 14.15."""

    def decode(model: stranger.Model, coded: list[bytes], shape: tuple[int, int], level: int) -> np.ndarray:
        (stream,) = coded
        role, read = ("contexts", signs_reference.read)
        if "predictor" in own.files:
            role, read = ("predictor", predictor_reference.read)
        parts, signs = read(own.stored(role).read(), model.constants, stream, shape)
        x = np.zeros((3, 16 * parts.shape[1], 16 * parts.shape[2]))
        side = model.constants.get("tile", 0) // 16 or max(parts.shape)
        for i in range(0, parts.shape[1], side):
            for j in range(0, parts.shape[2], side):
                blocks, pixels = (
                    np.s_[..., i : i + side, j : j + side],
                    np.s_[:, 16 * i : 16 * (i + side), 16 * j : 16 * (j + side)],
                )
                x[pixels] = signs_reference.square(model, parts[blocks], signs[blocks], x[pixels])
        return signs_reference.as_pixels(x)[:, : shape[0], : shape[1]].astype(np.uint8).transpose(1, 2, 0)

    return decode


@pytest.mark.parametrize(("number", "quality"), [(26, 5.6), (30, 1), (30, 10)])
def test_the_format_is_enough_to_decode(number: int, quality: float, monkeypatch: pytest.MonkeyPatch) -> None:
    model = models.choose(number)
    monkeypatch.setitem(stranger.PLAIN, model.procedure, alone(model))
    pixels = photo_like(40, 70, 4, seed=3)
    whole = encoded(model, pixels, "RGBA", quality=quality)
    check_format(whole, inspecting.cut(whole, len(whole) - 4), in_tiles(model, photo_like(30, 200), 128, 585))


@pytest.mark.parametrize("name", ["quality-1", "quality-10", "rgba"])
def test_the_format_is_enough_for_files_of_number_27(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (model,) = (found for found in models.models() if found.number == 27)
    monkeypatch.setitem(stranger.PLAIN, model.procedure, alone(model))
    data = (make_golden.FOLDER / f"toderici2017-{name}" / "file.lic").read_bytes()
    check_format(data, inspecting.cut(data, len(data) - 4))


LEVELS = [
    ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
]


def test_no_network_has_a_part_in_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """And pixels are within 1 at every optimisation level."""
    data = encoded(MODEL, photo_like(90, 120, seed=5), quality=6)
    found, shown = signs_of(data).values, codec.decode(data)[1]
    graph = MODEL.stored("decoder_step").read()
    for level in LEVELS:
        options = ort.SessionOptions()
        options.graph_optimization_level, options.intra_op_num_threads = level, 1
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        monkeypatch.setattr(Model, "run", lambda _, __, session=session, **feeds: session.run(None, feeds))
        assert np.abs(codec.decode(data)[1].astype(int) - shown).max() <= 1
    monkeypatch.setattr(Model, "run", lambda *_, **__: pytest.fail("a network was run"))
    np.testing.assert_array_equal(signs_of(data).values, found)
    inspecting.verify(inspecting.cut(data, len(data) * 2 // 3))


@pytest.mark.parametrize("threads", [1, 2])
def test_bytes_do_not_depend_on_threads(threads: int) -> None:
    pixels = photo_like(140, 300)
    with settings(threads=1):
        alone = in_tiles(MODEL, pixels, 128, 439)
    with settings(threads=threads):
        assert in_tiles(MODEL, pixels, 128, 439) == alone


def test_streams_of_another_picture_are_refused() -> None:
    data = encoded(MODEL, photo_like(64, 64), quality=5)
    header, (payload,) = (parts := container.unpack(data)).header, parts.tiles
    (stream,) = streams.unpack(payload)
    smaller = Header("RGB", 48, 64, 0, MODEL.number, MODEL.hash, header.level)
    changed = bytearray(stream)
    changed[1] ^= 1
    for head, wrong in (
        (header, streams.pack([stream, b"more"])),
        (smaller, payload),
        (header, streams.pack([stream[:-1]])),
        (header, streams.pack([bytes(changed)])),
    ):
        with pytest.raises(LicDamagedError):
            codec.decode(container.pack(head, [wrong]))


def test_blocks_that_come_back_are_refused() -> None:
    """A block that takes no part in a step takes part in none after it."""
    counts = np.zeros((4, 4), np.uint8)
    values = np.zeros((STEPS, BITS, 4, 4), np.int8)
    stream = sign_streams.pack(MODEL, sign_streams.Signs(counts, values))
    assert sign_streams.unpack(MODEL, [memoryview(stream)], (64, 64)).counts.max() == 0
    own = sign_streams.coder(MODEL)
    planes = np.zeros((STEPS, 1, 4, 4), np.uint8)
    planes[1, 0, 2, 2] = 1
    encoder = bits.Encoder(own.starts)
    encoder.write_planes(planes, np.full((STEPS, 1), own.counts, np.uint8))
    with pytest.raises(LicDamagedError, match="steps of the blocks"):
        sign_streams.unpack(MODEL, [memoryview(encoder.stream())], (64, 64))


def test_codes_that_are_no_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = [np.full((1, STEPS * BITS, 1, 1), np.nan, np.float32), np.zeros((1, 128, 1, 1), np.float32)]
    monkeypatch.setattr(Model, "run", lambda *_, **__: wrong)
    with pytest.raises(LicRuntimeError, match="codes that are no numbers"):
        encoded(MODEL, photo_like(16, 16))


def test_a_larger_picture_goes_by_tiles() -> None:
    pixels = np.tile(photo_like(256, 263), (8, 5, 1))
    data = encoded(MODEL, pixels, quality=1, exact=False)
    header, whole = codec.decode(data)
    assert (header.tile_edge, header.tile_count) == (1024, 4)
    assert metrics.psnr(pixels, whole) > 18
    smaller = inspecting.cut(data, len(data) // 2)
    assert len(smaller) <= len(data) // 2
    inspecting.verify(smaller)
