"""A plain family, `encode` and `decode` alone, through the whole codec: seams, regions, damage, grey, alpha, levels, refusals.

The family here keeps pixels as they are, packed by zlib, and blurs them when it decodes: what a tile shows at its border
depends on REACH pixels of its neighbours, so that a tile without its margin would show another border.
"""

import dataclasses
import io
import zlib
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from made.pictures import photo_like

from pillow_lic import codec, families, inspecting, metrics
from pillow_lic.engine import models
from pillow_lic.engine.models import Model
from pillow_lic.engine.settings import settings
from pillow_lic.errors import LicDamagedError, LicLimitError, LicTruncatedError
from pillow_lic.families import Request
from pillow_lic.families.shared import tilewise
from pillow_lic.fileformat import container, streams
from pillow_lic.fileformat.header import CHANNELS
from pillow_lic.options import EncodeOptions

REACH = 5
KEPT = {0: 0xC0, 512: 0xF0, 1024: 0xFF}
"""Bits of a sample that are coded, by level."""
TOY = Model(
    number=4_000_001,
    files={},
    name="toy",
    procedure="toy",
    digest=bytes(range(32)),
    constants={"align": 8, "tile_pixels": 200 * 200, "tile_edge": 128, "margin": REACH},
    levels=tuple(KEPT),
    extras={},
)


def blurred(pixels: np.ndarray) -> np.ndarray:
    """Return the means of the pixels up to REACH away, those of the edge standing for what is beyond it."""
    size, around = 2 * REACH + 1, np.pad(pixels.astype(np.uint32), ((REACH, REACH), (REACH, REACH), (0, 0)), "edge")
    rows = sum(around[i : i + pixels.shape[0]] for i in range(size))
    both = sum(rows[:, i : i + pixels.shape[1]] for i in range(size))
    return (both // size**2).astype(np.uint8)


def encode(model: Model, pixels: np.ndarray, level: int) -> list[bytes]:
    return [bytes([pixels.shape[2]]), zlib.compress((pixels & KEPT[level]).tobytes())]


def decode(model: Model, coded: Sequence[memoryview], shape: tuple[int, int], level: int) -> np.ndarray:
    try:
        kept = np.frombuffer(zlib.decompress(coded[1]), np.uint8).reshape(*shape, coded[0][0])
    except (zlib.error, ValueError, IndexError) as error:
        raise LicDamagedError("the pixels are damaged") from error
    return blurred(kept)


@pytest.fixture(autouse=True)
def family(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The toy beside the models of this release."""
    toy = SimpleNamespace(NAME="toy", MODES={"L", "RGB"}, OPTIONS=frozenset(), encode=encode, decode=decode)
    of, released = families.of, models.models()
    monkeypatch.setattr(families, "of", lambda model: toy if model.procedure == "toy" else of(model))
    monkeypatch.setattr(models, "models", lambda: (*released, TOY))
    return toy


def written(pixels: np.ndarray, mode: str = "RGB", **options: object) -> bytes:
    return codec.encode(pixels, mode, EncodeOptions(**{"model": "toy", "exact": False} | options))


def expected(pixels: np.ndarray, level: int = 1024) -> np.ndarray:
    return blurred(pixels & KEPT[level])


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 300), (200, 200), (201, 200), (300, 260), (700, 130)])
def test_tiles_show_the_pixels_of_the_whole(width: int, height: int) -> None:
    pixels = photo_like(height, width)
    header, got = codec.decode(written(pixels, quality=10))
    assert header.tile_edge == (128 if width * height > 40_000 else 0)
    np.testing.assert_array_equal(got, expected(pixels))


def test_without_a_margin_they_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = dataclasses.replace(TOY, constants=TOY.constants | {"margin": 0})
    monkeypatch.setattr(models, "models", lambda: (bare,))
    pixels = photo_like(260, 300)
    wrong = (codec.decode(written(pixels, quality=10))[1] != expected(pixels)).any(2)
    assert wrong[:, 128 - REACH : 128 + REACH].any()
    assert not wrong[: 128 - REACH, : 128 - REACH].any()


@pytest.mark.parametrize("threads", [1, 3])
def test_regions_read_the_tiles_they_touch(threads: int) -> None:
    pixels = photo_like(260, 300)
    data, whole = written(pixels, quality=10), expected(pixels)
    with settings(threads=threads):
        for box in ((0, 0, 300, 260), (127, 127, 129, 129), (130, 10, 140, 20), (299, 259, 300, 260)):
            part = codec.decode_region(io.BytesIO(data), box)
            np.testing.assert_array_equal(part, whole[box[1] : box[3], box[0] : box[2]])
    header = container.unpack(data).header
    assert families.reader(TOY, header.tiling, 1024, area=None).needed == list(range(9))


@pytest.mark.parametrize("mode", CHANNELS)
def test_modes(mode: str) -> None:
    pixels = photo_like(150, 270, CHANNELS[mode])
    _, got = codec.decode(written(pixels, mode, quality=10))
    colours = 1 if mode in ("L", "LA") else 3
    np.testing.assert_array_equal(got[..., :colours], expected(pixels[..., :colours]))
    np.testing.assert_array_equal(got[..., colours:], pixels[..., colours:])


def test_grey_comes_as_three_channels_where_the_family_has_no_other(family: SimpleNamespace) -> None:
    family.MODES = {"RGB"}
    pixels = photo_like(150, 270, 1)
    _, got = codec.decode(written(pixels, "L", quality=10))
    np.testing.assert_array_equal(got, expected(pixels))


def test_levels_are_those_of_the_model() -> None:
    pixels = photo_like(90, 120)
    for quality, level in ((1, 0), (3, 0), (5, 512), (8, 1024)):
        assert container.unpack(written(pixels, quality=quality)).header.level == level
    sizes = [len(written(pixels, quality=quality)) for quality in (1, 5.5, 10)]
    assert len(written(pixels, target_size=sizes[1] + 1)) == sizes[1]
    with pytest.raises(ValueError, match=f"at least {sizes[0]} bytes"):
        written(pixels, target_size=sizes[0] - 1)
    writer = families.writer(TOY, pixels, Request())
    reached = [metrics.psnr(pixels, writer.tried(level).colors) for level in TOY.levels]
    header = container.unpack(written(pixels, target_psnr=reached[1] - 0.01)).header
    assert header.level == next(level for level, db in zip(TOY.levels, reached, strict=True) if db > reached[1] - 0.01)


def test_a_damaged_or_cut_tile_is_grey_or_refused() -> None:
    pixels = photo_like(260, 300)
    data, whole = bytearray(written(pixels, quality=10)), expected(pixels)
    second = container.read_front(io.BytesIO(data)).sections[1]
    data[second.offset + 20] ^= 1
    with pytest.raises(LicDamagedError):
        codec.decode(bytes(data))
    _, got = codec.decode(bytes(data), strict=False)
    assert (got[:128, 128:256] == families.MISSING).all()
    got[:128, 128:256] = whole[:128, 128:256]
    np.testing.assert_array_equal(got, whole)
    cut = bytes(data[: second.offset + second.length // 2])
    with pytest.raises(LicTruncatedError):
        codec.decode(cut)
    _, got = codec.decode(cut, strict=False)
    np.testing.assert_array_equal(got[:128, :128], whole[:128, :128])
    assert (got[128:] == families.MISSING).all()
    assert (got[:, 128:] == families.MISSING).all()


def test_a_payload_that_its_checksum_vouches_for_may_still_be_none() -> None:
    """Framing is checked without decoding; what is inside is the family's to refuse."""
    pixels = photo_like(40, 50)
    data = written(pixels, quality=10)
    header = container.unpack(data).header
    unframed, unpacked = (container.pack(header, [p]) for p in (b"\2\x09abc", streams.pack([b"\3", b"no zlib"])))
    inspecting.verify(data)
    inspecting.verify(unpacked)
    with pytest.raises(LicDamagedError, match="short of its 2 streams"):
        inspecting.verify(unframed)
    for wrong in (unframed, unpacked):
        with pytest.raises(LicDamagedError):
            codec.decode(wrong)
        assert (codec.decode(wrong, strict=False)[1] == families.MISSING).all()


@pytest.mark.parametrize("option", [{"effort": 1}, {"roi": [(0, 0, 9, 9)]}, {"importance": "auto"}])
def test_options_of_other_families_are_refused(option: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(option))} must be left out for model toy: it has no such option"):
        written(photo_like(20, 20), **option)


def test_tiles_larger_than_the_model_takes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(photo_like(200, 200))
    small = dataclasses.replace(TOY, constants=TOY.constants | {"tile_pixels": 100 * 100})
    monkeypatch.setattr(models, "models", lambda: (small,))
    with pytest.raises(LicLimitError, match="tile of 40000 pixels .* limit of 10000 of model toy"):
        codec.decode(data)


def test_no_drafts() -> None:
    assert tuple(families.drafts(TOY)) == ()
    assert tilewise.chosen_tiling(TOY, 200, 200).count == 1
