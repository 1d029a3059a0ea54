"""Pixels -> file -> pixels through the real networks."""

import contextlib
import weakref
from collections.abc import Iterator

import numpy as np
import onnxruntime as ort
import pytest
from made.pictures import SAMPLE, photo_like
from made.tiled import in_tiles, stream_of
from PIL import Image

from pillow_lic import codec, metrics
from pillow_lic.engine import entropy, runtime
from pillow_lic.engine.models import Model
from pillow_lic.engine.settings import settings
from pillow_lic.errors import LicDamagedError, LicDesyncError, LicLimitError, LicRuntimeError, LicTruncatedError
from pillow_lic.families.lic1 import analysis, detail, means, scales, symbols, synthesis
from pillow_lic.families.lic1.reading import MISSING
from pillow_lic.fileformat import container
from pillow_lic.metrics import psnr
from pillow_lic.options import EncodeOptions

QUALITY6 = EncodeOptions(quality=6)


def encode(pixels: np.ndarray, mode: str = "RGB", **options: object) -> bytes:
    return codec.encode(pixels, mode, EncodeOptions(**options))


@contextlib.contextmanager
def fresh_sessions() -> Iterator[None]:
    before, runtime._sessions = runtime._sessions, {}
    yield
    runtime._sessions = before


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (17, 33), (64, 64), (100, 150), (129, 65)])
@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)])
def test_every_size_and_mode_comes_back(size: tuple[int, int], mode: str, channels: int) -> None:
    pixels = photo_like(*size, channels)
    header, decoded = codec.decode(encode(pixels, mode, quality=8))
    assert (header.mode, header.height, header.width) == (mode, *size)
    assert decoded.shape == pixels.shape
    assert decoded.dtype == np.uint8
    if mode.endswith("A"):
        np.testing.assert_array_equal(decoded[..., -1], pixels[..., -1])
    colors = channels - mode.endswith("A")
    assert psnr(pixels[..., :colors], decoded[..., :colors]) > 27


def test_quality_trades_size_for_psnr() -> None:
    pixels = photo_like(192, 256)
    files = [encode(pixels, quality=q) for q in (1, 3.5, 6, 8, 10)]
    sizes = [len(f) for f in files]
    quality = [psnr(pixels, codec.decode(f)[1]) for f in files]
    assert sizes == sorted(sizes)
    assert quality == sorted(quality)
    assert quality[-1] > quality[0] + 6


def test_overhead_is_at_most_32_bytes() -> None:
    """Everything that is not the range coder's stream."""
    data = encode(photo_like(128, 192))
    coded = entropy.parse_prefix(container.unpack(data).tiles[0]).coded
    assert len(data) - len(coded) <= 32


def test_encoding_is_repeatable_and_threads_do_not_change_symbols() -> None:
    pixels = photo_like(150, 180)
    with settings(threads=1):
        one = encode(pixels)
        assert one == encode(pixels)
        expected = codec.decode(one)[1].astype(int)
    with settings(threads=2):
        assert np.abs(codec.decode(one)[1] - expected).max() <= 1


@pytest.mark.parametrize("level", ["ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("native", "share"), [(False, 0.001), (True, 0.01)])
def test_same_symbols_at_every_optimisation_level(
    monkeypatch: pytest.MonkeyPatch, level: str, threads: int, native: bool, share: float
) -> None:
    """And the pixels up to one level: of networks in few samples; the last bit of a mean can move what native code rounds by a step.

    A file that is written again is as good: a step of effort goes by what the networks draw, and their last bit can turn a choice.
    """
    if not native:
        for module in (scales, synthesis, detail):
            monkeypatch.setattr(module, "_native", lambda model: None)
    pixels = photo_like(130, 140, seed=3)
    data = encode(pixels)
    reference = codec.decode(data)[1]
    original = ort.SessionOptions

    def limited() -> ort.SessionOptions:
        options = original()
        options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
        return options

    monkeypatch.setattr(ort, "SessionOptions", limited)
    with fresh_sessions(), settings(threads=threads):
        difference = np.abs(codec.decode(data)[1].astype(int) - reference)
        assert difference.max() <= 1
        assert (difference > 0).mean() < share
        again = encode(pixels)
    assert len(again) == pytest.approx(len(data), rel=0.01)
    assert metrics.psnr(pixels, codec.decode(again)[1]) == pytest.approx(metrics.psnr(pixels, reference), abs=0.05)


def test_noise_in_every_float_network_moves_pixels_never_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (detail, means, synthesis):
        monkeypatch.setattr(module, "_native", lambda model: None)
    pixels = photo_like(200, 230, seed=5)
    data = encode(pixels, quality=7)
    clean = codec.decode(data)[1]
    read: list[np.ndarray] = []
    original, original_read = runtime.run, symbols.read
    rng = np.random.default_rng(0)

    def noisy(spec, role, feeds):
        outputs = original(spec, role, feeds)
        if spec.stored(role).exact:
            return outputs
        return [with_noise(o) for o in outputs]

    def with_noise(a: np.ndarray) -> np.ndarray:
        if a.dtype == np.uint8 or np.array_equal(a, np.rint(a)):
            return a
        return a * (1 + 1e-3 * rng.standard_normal(a.shape)).astype(np.float32)

    def recorded(*args):
        result = original_read(*args)
        read.append(np.concatenate([result.z_hat.ravel(), *result.values]))
        return result

    monkeypatch.setattr(symbols, "read", recorded)
    codec.decode(data)
    monkeypatch.setattr(runtime, "run", noisy)
    moved = codec.decode(data)[1]
    np.testing.assert_array_equal(read[0], read[1])
    assert (moved != clean).any()
    assert psnr(pixels, clean) - psnr(pixels, moved) < 0.05
    noisy_file = encode(pixels, quality=7)
    monkeypatch.setattr(runtime, "run", original)
    assert psnr(pixels, clean) - psnr(pixels, codec.decode(noisy_file)[1]) < 0.3


def test_desync_is_told_from_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every checksum holds, but the exact path of another machine gave other scale indexes."""
    data = encode(photo_like(64, 64))
    header = container.unpack(data).header
    tile = entropy.parse_prefix(container.unpack(data).tiles[0])
    wrong = container.pack(header, [stream_of(tile.lanes, tile.check ^ 1, bytes(tile.coded))])
    with pytest.raises(LicDesyncError, match="desync"):
        codec.decode(wrong)
    original = symbols.Scales.before
    monkeypatch.setattr(symbols.Scales, "before", lambda *a: np.minimum(original(*a) + 1, 63))
    with pytest.raises(LicDesyncError, match="desync"):
        codec.decode(data)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e5])
@pytest.mark.parametrize("name", ["z_hat", "y"])
def test_an_engine_that_computes_nonsense_writes_no_file(
    monkeypatch: pytest.MonkeyPatch, name: str, bad: float
) -> None:
    original = analysis.latents

    def failing(*args):
        found = dict(zip(("y", "z_hat"), original(*args), strict=True))
        found[name][0, 0, 0] = bad
        return found["y"], found["z_hat"]

    monkeypatch.setattr(analysis, "latents", failing)
    with pytest.raises(LicRuntimeError, match="the networks gave (hyper-)?latents up to"):
        encode(photo_like(64, 64))


def test_a_damaged_tile_is_grey_alone() -> None:
    pixels = photo_like(256, 256)
    with pytest.MonkeyPatch.context() as patch:
        in_tiles(patch, 128)
        data = bytearray(encode(pixels, exact=False))
    clean = codec.decode(bytes(data))[1]
    payloads = container.unpack(bytes(data)).tiles
    data[data.find(bytes(payloads[2])) + 20] ^= 1
    with pytest.raises(LicDamagedError):
        codec.decode(bytes(data))
    partial = codec.decode(bytes(data), strict=False)[1]
    assert (partial[128:, :128] == MISSING).all()
    changed = np.abs(partial[:128].astype(int) - clean[:128])
    assert changed[:64].max() <= 1, "a missing neighbour touches only what is near it"
    assert changed[64:].mean() < 1
    cut = codec.decode(bytes(data[: data.find(bytes(payloads[1])) + 5]), strict=False)[1]  # not even one lane is there
    assert (cut[:, 128:] == MISSING).all()
    assert psnr(pixels[:100, :100], cut[:100, :100]) > 25


def test_a_cut_tile_has_the_detail_that_is_there() -> None:
    pixels = photo_like(192, 256)
    data = encode(pixels, exact=False)
    gains = [psnr(pixels, codec.decode(data[: len(data) * part // 100], strict=False)[1]) for part in (30, 60, 90, 100)]
    assert gains[0] > 18, "all of the picture, not grey"
    assert gains == sorted(gains)
    assert gains[2] > gains[0] + 3
    for end in range(len(data) - 40, len(data), 7):
        with pytest.raises(LicTruncatedError):
            codec.decode(data[:end])


@pytest.mark.parametrize(("model", "filter_bytes"), [("lic1", 0), ("lic2", 100)])
@pytest.mark.parametrize("quality", [2.1, 5.3, 8.7])
def test_target_size_is_met_and_never_exceeded(quality: float, model: str, filter_bytes: int) -> None:
    """As far as sizes grow with the quality: a filter of the picture's own comes and goes where it is just worth its bytes."""
    pixels = photo_like(256, 256)
    target = len(encode(pixels, quality=quality, model=model, exact=False)) + 3
    size = len(encode(pixels, target_size=target, model=model, exact=False))
    assert min(target * 0.99, target - filter_bytes) <= size <= target


def test_targets_out_of_reach_name_what_is_possible() -> None:
    pixels = photo_like(64, 64)
    with pytest.raises(ValueError, match=r"at least \d+ bytes, the size at quality 1, got 40"):
        encode(pixels, target_size=40)
    with pytest.raises(ValueError, match=r"at most \d+\.\d+ dB"):
        encode(pixels, target_psnr=99)
    assert len(encode(pixels, target_size=10**6)) == len(encode(pixels, quality=10))


def test_target_bpp_and_psnr() -> None:
    pixels = photo_like(192, 256)
    assert 8 * len(encode(pixels, target_bpp=0.5)) / pixels[..., 0].size == pytest.approx(0.5, rel=0.01)
    reached = psnr(pixels, codec.decode(encode(pixels, target_psnr=36))[1])
    assert 36 <= reached < 36.3


@pytest.mark.parametrize(
    ("pixels", "mode", "error", "message"),
    [
        (np.zeros((4, 4, 3), np.uint8), "CMYK", ValueError, "mode must be one of L, LA, RGB, RGBA, got 'CMYK'"),
        (np.zeros((4, 4), np.uint8), "L", ValueError, r"\(height, width, 1\), got uint8 \(4, 4\)"),
        (np.zeros((4, 4, 3), np.uint16), "RGB", ValueError, "got uint16"),
        (np.zeros((0, 4, 3), np.uint8), "RGB", ValueError, "cannot write empty image"),
        (np.zeros((1, 65536, 3), np.uint8), "RGB", LicLimitError, "got 65536x1"),
    ],
)
def test_what_cannot_be_written(pixels: np.ndarray, mode: str, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        codec.encode(pixels, mode, QUALITY6)


def test_pixel_limit_of_the_caller() -> None:
    data = encode(photo_like(40, 50))
    with (
        settings(max_pixels=1999),
        pytest.raises(LicLimitError, match="50x40 pixels, more than the 1999 that settings"),
    ):
        codec.decode(data)
    with settings(max_pixels=2000):
        codec.decode(data)


def test_a_region_of_interest_gets_sharper_at_equal_size() -> None:
    with Image.open(SAMPLE) as im:
        pixels = np.asarray(im)[:256, :320]
    box = (160, 120, 256, 216)
    plain = encode(pixels, quality=4)
    marked = encode(pixels, target_size=len(plain), roi=[box])
    assert len(marked) <= len(plain)
    inside = np.s_[box[1] : box[3], box[0] : box[2]]
    before, after = codec.decode(plain)[1], codec.decode(marked)[1]
    assert psnr(pixels[inside], after[inside]) > psnr(pixels[inside], before[inside]) + 3
    assert encode(pixels, quality=4, roi=np.ones(pixels.shape[:2])) == plain


def test_flat_pictures_cost_next_to_nothing() -> None:
    flat = np.full((256, 256, 3), (200, 30, 90), np.uint8)
    data = encode(flat)
    assert len(data) < 700
    assert np.abs(codec.decode(data)[1].astype(int) - flat).max() <= 6


def test_analysis_runs_once_in_a_search_and_is_kept_for_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    kept: list[weakref.ref] = []
    original = analysis.analyse

    def counted(*args):
        trunk = original(*args)
        calls.append(sum(ref() is not None for ref in kept))
        kept.append(weakref.ref(trunk.linear.base if trunk.linear.base is not None else trunk.linear))
        return trunk

    monkeypatch.setattr(analysis, "analyse", counted)
    in_tiles(monkeypatch, 128)
    with settings(threads=1):
        encode(photo_like(128, 512), target_size=5000, exact=False)
    assert len(calls) == 4
    assert calls[-1] == 3
    calls.clear()
    kept.clear()
    with settings(threads=1):
        encode(photo_like(128, 512), exact=False)
    assert len(calls) == 4
    assert max(calls) <= 1


@pytest.mark.parametrize(("shape", "mode"), [((4096, 1), "RGB"), ((3, 2000), "L"), ((1500, 15), "RGBA")])
@pytest.mark.parametrize("quality", [1, 6, 10])
def test_a_slim_picture_that_a_few_bytes_keep_needs_no_network(
    shape: tuple[int, int], mode: str, quality: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A latent of a picture one pixel wide stands for 16 of its pixels: without networks its lines and gradients are smaller and exact."""
    ramp = np.linspace(0, 255, max(shape)).astype(np.uint8).reshape(-1, 1 if shape[0] > shape[1] else max(shape), 1)
    pixels = np.broadcast_to(ramp, (*shape, codec.CHANNELS[mode])).copy()
    pixels[..., -1] |= 1  # no alpha is 0, under which colours are not kept
    in_tiles(monkeypatch, 128)
    data = encode(pixels, mode, quality=quality)
    assert len(data) < len(encode(pixels, mode, quality=quality, exact=False))
    with monkeypatch.context() as patch:
        patch.setattr(Model, "run", None)
        _, decoded = codec.decode(data)
    np.testing.assert_array_equal(decoded, pixels)


def test_a_slim_picture_of_noise_is_coded_with_loss_in_fewer_bytes() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (900, 2, 3), np.uint8)
    data = encode(noise, "RGB", quality=2)
    assert data == encode(noise, "RGB", quality=2, exact=False)
    assert len(data) < noise.size / 2


def test_slim_tiles_cost_more_than_their_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture one pixel wide in many tiles takes the work of 96 times its pixels: the limit is of work too."""
    data = encode(photo_like(128, 64), "RGB", quality=1)
    monkeypatch.setattr(codec, "SMALL_PICTURE", 1)
    with settings(max_pixels=128 * 64):
        codec.decode(data)
    in_tiles(monkeypatch, 128)
    slim = encode(photo_like(640, 1), "RGB", quality=1, exact=False)
    with settings(max_pixels=640), pytest.raises(LicLimitError, match="takes the work of .* pixels, at most 2560"):
        codec.decode(slim)
    codec.decode(slim)
