"""FORMAT.md is complete: a decoder written from it alone gives what pillow-lic gives."""

from dataclasses import replace

import make_golden
import numpy as np
import pytest
from made.pictures import photo_like
from made.tiled import in_tiles
from reference import stranger

from pillow_lic import codec
from pillow_lic.engine import models
from pillow_lic.families import Request
from pillow_lic.families.lic1.writing import Writer
from pillow_lic.fileformat import alpha, container, importance_map
from pillow_lic.fileformat.container import Header
from pillow_lic.fileformat.tiling import Tiling
from pillow_lic.options import EncodeOptions

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def agree(data: bytes) -> None:
    ours, theirs = codec.decode(data)[1], stranger.decode(data)
    assert ours.shape == theirs.shape
    assert (np.abs(ours.astype(int) - theirs) <= 1).mean() >= 0.999


@pytest.mark.parametrize(
    ("mode", "height", "width", "quality"),
    [("RGB", 48, 80, 1), ("RGBA", 33, 17, 4), ("L", 1, 1, 10), ("LA", 5, 70, 7), ("RGB", 65, 66, 10)],
)
def test_one_tile(mode: str, height: int, width: int, quality: float) -> None:
    pixels = photo_like(height, width, CHANNELS[mode], seed=height)
    agree(codec.encode(pixels, mode, EncodeOptions(quality=quality), metadata={"exif": b"II*\0"}))


@pytest.mark.parametrize(("mode", "height", "width", "edge"), [("RGB", 40, 70, 0), ("LA", 20, 135, 128)])
def test_the_fast_model(mode: str, height: int, width: int, edge: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three stages, and a smaller halo."""
    if edge:
        in_tiles(monkeypatch, edge)
    pixels = photo_like(height, width, CHANNELS[mode], seed=height)
    agree(codec.encode(pixels, mode, EncodeOptions(quality=4, model="lic2")))


@pytest.mark.parametrize("kind", ["filter", "filter-extended", "filter-fixed"])
def test_every_kind_of_filter(kind: str) -> None:
    """Files as they were written once, and as they are."""
    agree((make_golden.FOLDER / f"lic2-{kind}" / "file.lic").read_bytes())


def test_constant_alpha() -> None:
    pixels = photo_like(20, 30, 4)
    pixels[..., 3] = 77
    agree(codec.encode(pixels, "RGBA", EncodeOptions(quality=3)))


def test_tiles_and_importance() -> None:
    """Small tiles and a map, which the encoder does not make by itself."""
    pixels, spec, level = photo_like(150, 270), models.choose(None), 300
    rng = np.random.default_rng(0)
    deltas = rng.integers(-40, 90, (10, 17)).astype(np.int8)
    writer = Writer(spec, pixels, Request(deltas))
    writer.tiling = Tiling(270, 150, 128)
    header = Header("RGBA", 270, 150, 128, spec.number, spec.hash, level)
    plane = rng.integers(0, 256, (150, 270)).astype(np.uint8)
    data = container.pack(
        header, writer.payloads(level), importance=importance_map.pack(deltas), alpha=alpha.pack(plane)
    )
    agree(data)
    assert (stranger.decode(data)[..., 3] == plane).all()


@pytest.mark.parametrize("name", ["exact", "exact-l", "exact-tiles", "exact-widest", "equal-channels"])
def test_exact_pixels_and_equal_channels(name: str) -> None:
    agree(make_golden.CASES[name]())


@pytest.mark.parametrize("mode", CHANNELS)
def test_lossless(mode: str) -> None:
    pixels = photo_like(20, 9000 if mode == "L" else 30, CHANNELS[mode])
    data = codec.encode(pixels, mode, EncodeOptions(lossless=True))
    assert (stranger.decode(data) == pixels).all()


def test_the_stranger_notices_other_tables() -> None:
    """That the two agree is no accident of a decoder that never looks: with another level it loses the stream."""
    data = codec.encode(photo_like(64, 64), "RGB", EncodeOptions(quality=5))
    parts = container.unpack(data)
    other = container.pack(replace(parts.header, level=1024), [bytes(parts.tiles[0])])
    with pytest.raises((AssertionError, StopIteration)):
        stranger.decode(other)
