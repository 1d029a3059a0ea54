"""`rippel2017`: what its file says is enough to decode it, beginnings and cuts of files, and symbols in bit planes."""

import io
import zlib
from bisect import bisect_right
from itertools import product

import bits_reference
import numpy as np
import pytest
import stranger
from coded import cat, check_format, encoded, in_tiles
from pictures import photo_like
from PIL import Image

import pillow_lic
from pillow_lic import codec, families, inspection, metrics
from pillow_lic.engine import bits, models, runtime
from pillow_lic.errors import LicDamagedError, LicError, LicRuntimeError
from pillow_lic.families import bitplanes

MODEL = models.choose("rippel2017")
FLAT = np.full(bitplanes.CONTEXTS, 32768, np.uint16)


def laplacian(shape: tuple[int, int, int], spread: float, seed: int = 0) -> np.ndarray:
    """Return symbols, smaller in later channels."""
    rng = np.random.default_rng(seed)
    falling = np.exp(-np.arange(shape[0]) / 20)[:, None, None]
    return np.clip(np.rint(rng.laplace(0, spread, shape) * falling), -31, 31).astype(np.int8)


def symbols_alone(starts: list[int], stream: bytes, shape: tuple[int, int, int]) -> np.ndarray:
    """FORMAT.md, 14.13 and 7.4."""
    channels, h, w = shape
    coder, check = bits_reference.Decoder(starts, stream[3:]), []

    def bit(context: int) -> int:
        check.append(coder.bit(context))
        return check[-1]

    def group(k: int) -> int:
        return bisect_right([0, 1, 3, 6, 12, 24, 48, 72], k) - 1

    end = 0
    for context in range(3193, 3203):
        end = 2 * end + bit(context)
    top = [0] * channels
    for k in range(channels):
        before = top[k - 1] if k else 0
        while top[k] < 5 and bit(2953 + 5 * (6 * group(k) + before) + top[k]):
            top[k] += 1
    m, s, u = (dict.fromkeys(np.ndindex(*shape), 0) for _ in range(3))
    for place in m:
        u[place] = top[place[0]]
    sides, corners = [(0, -1), (0, 1), (-1, 0), (1, 0)], [(-1, -1), (-1, 1), (1, -1), (1, 1)]

    def seen(values: dict[tuple[int, ...], int], k: int, i: int, j: int, around: list[tuple[int, int]]) -> list[int]:
        return [values.get((k, i + y, j + x), 0) for y, x in around]

    for p, g in product(range(4, -1, -1), range(8)):
        coded = [k for k in range(channels) if group(k) == g and top[k] > p and channels * (4 - p) + k < end]
        were = {place for place in m if m[place]}
        for half in (0, 1):
            n = {place: min(value >> p, 3) for place, value in m.items()}
            everything = {(0, i, j): sum(n[k, i, j] for k in range(channels)) for i in range(h) for j in range(w)}
            v = {place: s[place] * (2 * m[place] + 2 ** u[place]) for place in m}
            of_half = [(k, i, j) for k, i, j in product(coded, range(h), range(w)) if (i + j) % 2 == half]
            level = {place: sum(seen(v, *place, sides)) >> (p + 2) for place in of_half}
            spread = {place: max(seen(v, *place, sides)) - min(seen(v, *place, sides)) >> (p + 1) for place in of_half}
            found, signs, refined = [], {}, {}
            for k, i, j in of_half:
                if (k, i, j) in were:
                    continue
                near = 2 * sum(seen(n, k, i, j, sides)) + sum(seen(n, k, i, j, corners))
                busy = 4 * everything[0, i, j] + sum(seen(everything, 0, i, j, sides))
                a, b = bisect_right([1, 2, 3, 5, 7, 10, 16], near), bisect_right([1, 8, 16, 32, 64, 128, 256], busy)
                if g < 2:
                    a, b = min((abs(level[k, i, j]) + 1) >> 1, 7), min(spread[k, i, j], 7)
                if bit(64 * (5 * g + top[k] - 1 - p) + 8 * b + a):
                    found.append((k, i, j))
            for k, i, j in found:
                across, along = (int(np.sign(sum(seen(s, k, i, j, sides[o : o + 2])))) for o in (0, 2))
                signs[k, i, j] = 1 - 2 * bit(2560 + 9 * min(k, 24) + 3 * (across + 1) + along + 1)
            for place in of_half:
                if place in were:
                    t = min(spread[place], 4) >> 1 if g < 2 else min(m[place] >> (p + 1), 4) >> 1
                    d = min(max((s[place] * level[place] - 2 * (m[place] >> p) + 5) >> 1, 0), 6)
                    refined[place] = m[place] + (bit(2785 + 21 * g + 7 * t + d) << p)
            s.update(signs)
            m.update(dict.fromkeys(found, 2**p) | refined)
            u.update(dict.fromkeys(of_half, p))
    assert coder.is_whole()
    assert zlib.crc32(bytes(check)) & 0xFFFF == int.from_bytes(stream[1:3], "little")
    values = [s[place] * (m[place] + (2 ** u[place] - 1) / 2) if m[place] else 0 for place in m]
    return np.array(values).reshape(shape)


def decode_alone(model: stranger.Model, coded: list[bytes], shape: tuple[int, int], level: int) -> np.ndarray:
    rows, columns = (2 * -(-length // 16) for length in shape)
    q = symbols_alone(model.starts, coded[0], (model.constants["latents"], rows, columns))
    pixels = model.run("synthesis", q=q[None], level=np.full((1, 1, 1, 1), level))["pixels"]
    return pixels[0, : shape[0], : shape[1]]


@pytest.mark.parametrize("quality", [1, 5.6, 10])
def test_the_format_is_enough_to_decode(quality: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stranger.PLAIN, "rippel2017", decode_alone)
    whole = encoded(MODEL, photo_like(40, 70, 4, seed=3), "RGBA", quality=quality)
    check_format(whole, inspection.cut(whole, len(whole) - 30), in_tiles(MODEL, photo_like(30, 150), 128, 400))


@pytest.mark.parametrize(
    ("shape", "spread"), [((96, 2, 2), 3), ((96, 5, 7), 12), ((5, 3, 3), 2), ((1, 1, 1), 9), ((96, 4, 4), 0)]
)
def test_symbols_come_back(shape: tuple[int, int, int], spread: float) -> None:
    q = laplacian(shape, spread)
    found = bitplanes.unpack(FLAT, bitplanes.pack(FLAT, q), shape)
    np.testing.assert_array_equal(found.symbols(), q)
    np.testing.assert_array_equal(found.values(), q)


def test_of_any_beginning_each_symbol_is_in_the_middle_of_what_it_can_be() -> None:
    q = laplacian((24, 6, 5), 9)
    stream, errors = bitplanes.pack(FLAT, q), []
    for size in range(len(stream) + 1):
        try:
            values = bitplanes.unpack(FLAT, memoryview(stream)[:size], q.shape, cut=True).values()
        except LicDamagedError:
            assert not errors
            continue
        assert (values * q >= 0).all()
        errors.append(float(np.square(values - q).mean()))
    assert len(errors) > 0.8 * len(stream)
    assert errors[0] == pytest.approx(np.square(q.astype(float)).mean())
    assert errors[-1] == 0
    assert np.diff(errors).max() < 0.05 * errors[0]


def test_a_shortened_stream_is_the_first_pairs_and_can_be_shortened_again() -> None:
    q = laplacian((96, 6, 5), 9)
    whole = bitplanes.unpack(FLAT, bitplanes.pack(FLAT, q), q.shape)
    for size in (150, 400, 800):
        short = bitplanes.shortened(FLAT, whole, size)
        assert 0.9 * size < len(short) <= size
        kept = bitplanes.unpack(FLAT, short, q.shape)
        pairs = 96 * (4 - np.arange(5)[::-1, None]) + np.arange(96) < kept.end
        for plane in range(5):
            bit = (np.abs(q) >> plane & 1) * pairs[4 - plane][:, None, None]
            np.testing.assert_array_equal(np.abs(kept.symbols()) >> plane & 1, bit)
        assert bitplanes.shortened(FLAT, kept, len(short)) == short
    with pytest.raises(ValueError, match=r"size of a tile must be at least \d+ bytes, got 9"):
        bitplanes.shortened(FLAT, whole, 9)


def test_more_pairs_than_there_are_is_refused() -> None:
    coder = bits.Encoder(FLAT)
    coder.write(np.ones(10, np.uint8), np.arange(bitplanes.END, bitplanes.CONTEXTS).astype(np.uint16))
    with pytest.raises(LicDamagedError, match="at most 480, got 1023"):
        bitplanes.unpack(FLAT, coder.stream(), (96, 2, 2))


def test_damaged_streams_are_refused_or_read() -> None:
    """And nothing else is raised. In a whole stream the check finds what was changed, but for one of 65536."""
    q, rng = laplacian((96, 4, 4), 6), np.random.default_rng(1)
    stream, refused = bitplanes.pack(MODEL.starts, q), 0
    for _ in range(300):
        changed = bytearray(stream)
        for at in rng.integers(0, len(stream), rng.integers(1, 4)):
            changed[at] = rng.integers(0, 256)
        wrong = bytes(changed[: rng.integers(1, len(stream) + 1)]) + bytes(int(rng.integers(0, 3)))
        for cut in (False, True):
            try:
                bitplanes.unpack(MODEL.starts, wrong, q.shape, cut=cut)
            except LicError:
                refused += not cut
    assert refused >= 298


def test_a_cut_file_is_valid_and_near_its_size() -> None:
    data, reached = encoded(MODEL, cat(), quality=8), []
    for share in (0.2, 0.45, 0.7, 0.95):
        size = int(share * len(data))
        smaller = pillow_lic.cut(data, size)
        assert 0.9 * size <= len(smaller) <= size
        inspection.verify(smaller)
        reached.append(metrics.ms_ssim(cat(), codec.decode(smaller)[1]))
        assert pillow_lic.cut(data, len(smaller)) == smaller
    assert reached == sorted(reached)
    assert reached[0] > 0.5


def test_any_beginning_shows_all_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    data, reached = encoded(MODEL, cat(), quality=8), []
    for share in (0.1, 0.4, 0.9):
        with pillow_lic.open(data, bytes=int(share * len(data))) as im:
            reached.append(metrics.ms_ssim(cat(), np.asarray(im)))
    assert reached == sorted(reached)
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    with Image.open(io.BytesIO(data[: int(0.9 * len(data))])) as im:
        assert metrics.ms_ssim(cat(), np.asarray(im)) == pytest.approx(reached[-1], abs=0.01)
    with Image.open(io.BytesIO(data[:33])) as im:
        assert set(np.asarray(im).ravel()) == {families.MISSING}


def test_latents_that_are_no_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [np.full((1, 96, 2, 2), np.nan, np.float32)]
    monkeypatch.setattr(runtime, "run", lambda *_, **__: made)
    with pytest.raises(LicRuntimeError, match="the engine failed"):
        encoded(MODEL, photo_like(16, 16))
