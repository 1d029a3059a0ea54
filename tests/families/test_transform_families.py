"""The families of one analysis and one synthesis, through Pillow and the codec: sizes, modes, tiles, targets, refusals, and their symbols."""

import dataclasses
import zlib
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from made.pictures import SAMPLE, photo_like
from PIL import Image
from reference import bits_reference, stranger

from families.coded import check_format, check_size_and_mode, encoded, in_tiles, of_one_and_two_tiles
from pillow_lic import codec, families, inspecting, metrics
from pillow_lic.engine import models, runtime
from pillow_lic.engine.models import Model
from pillow_lic.errors import LicDamagedError, LicDesyncError, LicRuntimeError
from pillow_lic.families import Coded
from pillow_lic.families.shared import factorised, transform
from pillow_lic.fileformat import container, streams
from pillow_lic.fileformat.header import CHANNELS, Header

NAMES = ("balle2017", "balle2018", "minnen2018-local", "theis2017")
OF_ONE_TRANSFORM = ("balle2017", "balle2018", "minnen2018-local")
"""Those whose files of one picture have the same symbols, and so the same pixels."""


@pytest.fixture(params=NAMES)
def model(request: pytest.FixtureRequest) -> Model:
    return models.choose(request.param)


def test_through_pillow(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "cat.lic"
    with Image.open(SAMPLE) as im:
        cat = im.convert("RGB")
    cat.save(path, model=model.name, quality=7)
    with Image.open(path) as im:
        assert (im.format, im.size, im.info["lic_model"]) == ("LIC", cat.size, model.name)
        assert metrics.psnr(np.asarray(cat), np.asarray(im)) > 28
        assert list(families.drafts(model)) == []
    with Image.open(path) as im:
        im.draft("RGB", (60, 40))
        assert im.size == cat.size
    inspecting.verify(path.read_bytes())


@pytest.mark.parametrize("mode", CHANNELS)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (17, 16), (130, 75)])
def test_sizes_and_modes(model: Model, height: int, width: int, mode: str) -> None:
    check_size_and_mode(model, height, width, mode, quality=9, most=8)


def test_quality_raises_bytes_and_psnr(model: Model) -> None:
    with Image.open(SAMPLE) as im:
        cat = np.asarray(im.convert("RGB"))
    files = [encoded(model, cat, quality=quality) for quality in range(1, 11)]
    sizes, reached = [len(data) for data in files], [metrics.psnr(cat, codec.decode(data)[1]) for data in files]
    assert sizes == sorted(sizes)
    assert reached == sorted(reached)
    assert reached[-1] > reached[0] + 6
    target = (sizes[3] + sizes[4]) // 2
    assert 0.95 * target < len(encoded(model, cat, target_size=target)) <= target
    reads = codec.decode(encoded(model, cat, target_psnr=reached[5]))[1]
    assert metrics.psnr(cat, reads) == pytest.approx(reached[5], abs=0.05)


def test_a_seam_shows_no_more_than_the_rest(model: Model) -> None:
    """Within 8 pixels of a border the error is that of the same places of the picture in one tile."""
    with Image.open(SAMPLE) as im:
        cat = np.asarray(im.convert("RGB"))
    for level in (0, 600):
        whole, tiled = (
            ((codec.decode(in_tiles(model, cat, edge, level))[1].astype(float) - cat) ** 2).mean(2) for edge in (0, 128)
        )
        near = np.zeros(whole.shape, bool)
        for border in range(128, 451, 128):
            near[border - 8 : border + 8] = near[:, border - 8 : border + 8] = True
        assert 10 * np.log10(tiled[near].mean() / whole[near].mean()) < 0.1
        assert abs(10 * np.log10(tiled[~near].mean() / whole[~near].mean())) < 0.05


def anchor_of(model: stranger.Model, level: int) -> int:
    return (level + model.constants["level_spacing"] // 2) // model.constants["level_spacing"]


def shown(model: stranger.Model, q: np.ndarray, shape: tuple[int, int], level: int) -> np.ndarray:
    made = model.run("synthesis", q=q, level=np.full((1, 1, 1, 1), level))
    return made["pixels"][0, : shape[0], : shape[1]]


def by_channel(model: stranger.Model, coded: list[bytes], shape: tuple[int, int], level: int) -> np.ndarray:
    """FORMAT.md, 14.3."""
    (stream,), channels = coded, model.constants["latents"]
    h, w = (-(-length // model.constants["stride"]) for length in shape)
    coder = stranger.Stream(model, stream)
    first = channels * anchor_of(model, level)
    q = [coder.symbol(first + channel) for channel in range(channels) for _ in range(h * w)]
    coder.finish(q)
    return shown(model, np.reshape(q, (1, channels, h, w)), shape, level)


def by_block(model: stranger.Model, coded: list[bytes], shape: tuple[int, int], level: int) -> np.ndarray:
    """FORMAT.md, 14.5."""
    (first, second), channels, anchor = coded, model.constants["latents"], anchor_of(model, level)
    h, w = (-(-length // model.constants["stride"]) for length in shape)
    starts = np.frombuffer(model.files["starts"].read_bytes(), "<u2").reshape(9, 4080)[anchor].tolist()
    dictionary = np.frombuffer(model.files["dictionary"].read_bytes(), np.uint8).reshape(9, 256, channels)[anchor]
    assert first[0] == 0
    map_coder, seen = bits_reference.Decoder(starts, first[3:]), []
    choice = {}
    for i in range(-(-h // 2)):
        for j in range(-(-w // 2)):
            mean = (choice.get((i, j - 1), 0) + choice.get((i - 1, j), 0) + 1) // 2
            node = 1
            for _ in range(8):
                seen.append(map_coder.bit(255 * (mean // 16) + node - 1))
                node = 2 * node + seen[-1]
            choice[i, j] = node - 256
    assert map_coder.is_whole()
    assert zlib.crc32(bytes(seen)) & 0xFFFF == int.from_bytes(first[1:3], "little")
    coder = stranger.Stream(model, second)
    q = [
        coder.symbol(int(dictionary[choice[i // 2, j // 2], channel]))
        for channel in range(channels)
        for i in range(h)
        for j in range(w)
    ]
    coder.finish(q)
    return shown(model, np.reshape(q, (1, channels, h, w)), shape, level)


def by_scale(model: stranger.Model, coded: list[bytes], shape: tuple[int, int], level: int) -> np.ndarray:
    """FORMAT.md, 14.6."""
    (stream,), channels, hyper_latents = coded, model.constants["latents"], model.constants["hyper_latents"]
    h, w = (-(-length // model.constants["stride"]) for length in shape)
    hz, wz = (-(-length // model.constants["hyper_stride"]) for length in (h, w))
    coder = stranger.Stream(model, stream)
    first = 64 + hyper_latents * anchor_of(model, level)
    z = [coder.symbol(first + channel) for channel in range(hyper_latents) for _ in range(hz * wz)]
    z_hat = np.reshape(z, (1, hyper_latents, hz, wz))
    told = model.run("scales", z_hat=z_hat, level=np.full((1, 1, 1, 1), level))
    coded = [coder.symbol(table) for table in told["index"][0, :, :h, :w].ravel().tolist()]
    coder.finish(z + coded)
    q = np.reshape(coded, (1, channels, h, w))
    centres = told["centre"][:, :, :h, :w]
    q[:, : centres.shape[1]] = (q[:, : centres.shape[1]] + centres).clip(-32767, 32767)
    return shown(model, q, shape, level)


ALONE = {"balle2017": by_channel, "balle2018": by_scale, "minnen2018_local": by_block, "theis2017": by_channel}


@pytest.mark.parametrize("quality", [1, 5.6, 10])
def test_the_format_is_enough_to_decode(model: Model, quality: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stranger.PLAIN, model.procedure, ALONE[model.procedure])
    check_format(*of_one_and_two_tiles(model, quality))


def read_symbols(model: Model, data: bytes) -> np.ndarray:
    header, (payload,) = (parts := container.unpack(data)).header, parts.tiles
    assert payload is not None
    tile = Coded(payload, header.tiling.whole, header.level, None)
    return families.dump(model, tile)["symbols"]


@pytest.mark.parametrize("level", [0, 300, 1024])
def test_files_of_one_transform_have_the_same_symbols(level: int) -> None:
    pixels = photo_like(90, 77, seed=8)
    files = {name: in_tiles(models.choose(name), pixels, 0, level) for name in OF_ONE_TRANSFORM}
    first, *others = (read_symbols(models.choose(name), data) for name, data in files.items())
    for symbols in others:
        np.testing.assert_array_equal(symbols, first)


LEVELS = [
    ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
]


def test_symbols_are_the_same_at_every_optimisation_level(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """And pixels are within 1: where a network has a part in what is read, it is exact."""
    data = encoded(model, photo_like(90, 120, seed=5), quality=6)
    symbols, pixels = read_symbols(model, data), codec.decode(data)[1]
    networks = [role for role, file in model.files.items() if file.path.endswith(".onnx") and file.side != "encoder"]
    for level in LEVELS:
        options = ort.SessionOptions()
        options.graph_optimization_level, options.intra_op_num_threads = level, 1
        made = {
            role: ort.InferenceSession(model.stored(role).read(), options, providers=["CPUExecutionProvider"])
            for role in networks
        }
        monkeypatch.setattr(Model, "run", lambda _, role, made=made, **feeds: made[role].run(None, feeds))
        np.testing.assert_array_equal(read_symbols(model, data), symbols)
        assert np.abs(codec.decode(data)[1].astype(int) - pixels).max() <= 1


def test_no_other_than_an_exact_network_has_a_part_in_the_parse(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    data, run = encoded(model, photo_like(40, 50), quality=6), Model.run

    def only_exact(self: Model, role: str, **feeds: np.ndarray) -> list[np.ndarray]:
        assert self.stored(role).exact, f"{role} was run"
        return run(self, role, **feeds)

    monkeypatch.setattr(Model, "run", only_exact)
    read_symbols(model, data)
    inspecting.verify(data)


def test_streams_of_another_picture_are_refused(model: Model) -> None:
    data = encoded(model, photo_like(64, 64), quality=5)
    header, (payload,) = (parts := container.unpack(data)).header, parts.tiles
    *others, stream = streams.unpack(payload)
    smaller = Header("RGB", 48, 64, 0, model.number, model.hash, header.level)
    other_level = Header("RGB", 64, 64, 0, model.number, model.hash, 1000)
    changed = bytearray(stream)
    changed[1] ^= 1
    for head, wrong in (
        (header, streams.pack([*others, stream, b"more"])),
        (smaller, payload),
        (other_level, payload),
        (header, streams.pack([*others, stream[:-1]])),
        (header, streams.pack([*others, bytes(changed)])),
    ):
        with pytest.raises((LicDamagedError, LicDesyncError)):
            codec.decode(container.pack(head, [wrong]))


@pytest.mark.parametrize("name", ["balle2017", "minnen2018-local"])
def test_other_symbols_are_damage_where_no_network_has_a_part(name: str) -> None:
    model = models.choose(name)
    parts = container.unpack(encoded(model, photo_like(64, 64), quality=5))
    coded = [bytearray(stream) for stream in streams.unpack(parts.tiles[0])]
    for stream in coded:
        stream[1] ^= 1
        with pytest.raises(LicDamagedError, match="not those that were written"):
            codec.decode(container.pack(parts.header, [streams.pack([bytes(v) for v in coded])]))
        stream[1] ^= 1


def test_latents_that_are_no_numbers_are_refused(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = (1, model.constants["latents"], 1, 1)
    for value in (np.nan, 40000.0):
        monkeypatch.setattr(runtime, "run", lambda *_, value=value: [np.full(shape, value, np.float32)])
        with pytest.raises(LicRuntimeError, match="32767 is the most"):
            encoded(model, photo_like(16, 16))


def test_the_check_is_that_of_the_symbols() -> None:
    model = models.choose("balle2017")
    data = encoded(model, photo_like(32, 32), quality=4)
    (stream,) = streams.unpack(container.unpack(data).tiles[0])
    check = zlib.crc32(read_symbols(model, data).astype("<i4").tobytes()) & 0xFFFF
    assert int.from_bytes(stream[1:3], "little") == check


def test_what_a_symbol_costs_is_what_the_coder_takes() -> None:
    model = models.choose("balle2017")
    known = transform.bits_of_symbols(model, 300)
    symbols = np.array([-300, -64, -1, 0, 1, 2, 64, 77, 300], np.int16)
    for table in (0, 100, 9 * 256 - 1):
        for symbol in symbols:
            cost = model.tables.cost(np.array([symbol]), np.array([table], np.uint16))
            assert known[table, symbol + 300] == pytest.approx(cost, abs=1e-3)


def test_a_symbol_is_made_smaller_where_that_saves_more_than_its_error_is_worth() -> None:
    rng = np.random.default_rng(5)
    y = rng.laplace(0, 1.5, (2, 40, 50)).astype(np.float32)
    q, width = np.rint(y).astype(np.int16), factorised.LARGEST
    magnitudes = np.abs(np.arange(-width, width + 1))
    costs = np.stack([1.0 + 2.5 * magnitudes, np.full(2 * width + 1, 9.0)]).astype(np.float32)
    chosen = factorised.cheaper(y, q, costs, 20)
    assert chosen.dtype == np.int16
    np.testing.assert_array_equal(chosen[1], q[1])  # all cost the same
    for value, near, found in zip(y[0].flat, q[0].flat, chosen[0].flat, strict=True):
        options = {int(near), int(near - np.sign(near))}
        total = {option: 2.5 * abs(option) + 20 * (value - option) ** 2 for option in options}
        assert total[int(found)] == min(total.values())
    assert 0.02 < (chosen[0] != q[0]).mean() < 0.5
    far = np.full((1, 1, 1), 700.3, np.float32)
    assert factorised.cheaper(far, np.rint(far).astype(np.int16), costs[:1], 20)[0, 0, 0] == 700


def test_theis2017_takes_less_of_bits_and_error_than_rounding_does() -> None:
    model = models.choose("theis2017")
    rounding = dataclasses.replace(model, constants={k: v for k, v in model.constants.items() if k != "worth"})
    with Image.open(SAMPLE) as im:
        cat = np.asarray(im.convert("RGB"))[:256, :256]
    for level in (200, 700):
        weight = 0.0008 * 100 ** (level / 1024)  # of a squared error against bits for a pixel, as in training
        found = []
        for way in (rounding, model):
            (stream,) = factorised.encode(way, cat, level)
            shown = factorised.decode(way, [memoryview(stream)], (256, 256), level)
            error = np.square(cat.astype(float) - shown).mean()
            found.append((len(stream), 8 * len(stream) / 65536 + weight * error))
        (plain, plain_cost), (fewer, cost) = found
        assert fewer < 0.95 * plain
        assert cost < 0.99 * plain_cost
