"""The doors of progressive files, with a family that keeps the bits of pixels in planes: cut files, `bytes=`, `lic cut`, refusals."""

import gc
import io
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from made.pictures import photo_like
from PIL import Image, ImageFile

import pillow_lic
from pillow_lic import codec, families, inspecting
from pillow_lic.__main__ import main
from pillow_lic.engine import models
from pillow_lic.engine.models import Model
from pillow_lic.errors import LicDamagedError, LicLimitError, LicTruncatedError
from pillow_lic.fileformat import container
from pillow_lic.inspecting import dump
from pillow_lic.options import EncodeOptions

PLANES = 8
TOY = Model(
    number=4_000_003,
    files={},
    name="planes",
    procedure="planes",
    digest=bytes(range(32)),
    constants={"align": 8, "tile_pixels": 200 * 200, "tile_edge": 128, "margin": 0},
    levels=tuple(range(1025)),
    extras={},
)


def encode(model: Model, pixels: np.ndarray, level: int) -> list[bytes]:
    """The planes of all samples from the highest on, each a stream of its own behind its number of bits."""
    return [np.packbits(pixels >> (PLANES - 1 - plane) & 1).tobytes() for plane in range(PLANES)]


def decode_cut(model: Model, coded: Sequence[memoryview], shape: tuple[int, int], level: int) -> np.ndarray:
    pixels = np.zeros((*shape, 3), np.uint8)
    for plane, stream in enumerate(coded):
        bits = np.unpackbits(np.frombuffer(stream, np.uint8), count=min(8 * len(stream), pixels.size))
        pixels.reshape(-1)[: bits.size] |= bits << (PLANES - 1 - plane)
    return pixels


def decode(model: Model, coded: Sequence[memoryview], shape: tuple[int, int], level: int) -> np.ndarray:
    if any(len(stream) != -(-shape[0] * shape[1] * 3 // 8) for stream in coded):
        raise LicDamagedError("the planes are damaged")
    return decode_cut(model, coded, shape, level)


def cut(model: Model, coded: Sequence[memoryview], shape: tuple[int, int], level: int, size: int) -> list[bytes]:
    kept = size // len(coded[0])
    if not kept:
        raise ValueError(f"size must be at least {len(coded[0])}, got {size}")
    return [bytes(stream) for stream in coded[:kept]]


@pytest.fixture(autouse=True)
def family(monkeypatch: pytest.MonkeyPatch) -> None:
    """The family of planes beside those of this release."""
    words = {"encode": encode, "decode": decode, "decode_cut": decode_cut, "cut": cut}
    planes = SimpleNamespace(NAME="planes", MODES={"RGB"}, OPTIONS=frozenset(), **words)
    of, released = families.of, models.models()
    monkeypatch.setattr(families, "of", lambda model: planes if model.procedure == "planes" else of(model))
    monkeypatch.setattr(models, "models", lambda: (*released, TOY))


def written(pixels: np.ndarray, mode: str = "RGB", model: str = "planes", **metadata: bytes) -> bytes:
    """Return a file without an exact layer, which would count in full in a file that is cut."""
    return codec.encode(pixels, mode, EncodeOptions(model=model, exact=False), metadata=metadata)


@pytest.mark.parametrize(("height", "width"), [(90, 120), (200, 260)])
def test_a_cut_file_is_a_whole_one(height: int, width: int) -> None:
    pixels = photo_like(height, width, 4, seed=1)
    data = written(pixels, "RGBA", xmp=b"<x/>")
    size = int(len(data) * 0.6)
    smaller = inspecting.cut(data + b"behind", size)
    assert len(smaller) <= size
    inspecting.verify(smaller)
    header, shown = codec.decode(smaller)
    assert header == codec.decode(data)[0]
    before, after = container.unpack(data), container.unpack(smaller)
    assert (after.metadata, after.alpha, after.trailing) == (before.metadata, before.alpha, 0)
    np.testing.assert_array_equal(shown[..., 3], pixels[..., 3])
    error = np.abs(shown[..., :3].astype(int) - pixels[..., :3])
    assert 0 < error.max() < 32


def test_a_file_that_is_small_enough_stays_as_it_is() -> None:
    data = written(photo_like(40, 50))
    assert inspecting.cut(data, len(data)) == inspecting.cut(data + b"behind", 10**9) == data
    assert pillow_lic.cut(io.BytesIO(data), len(data)) == data


@pytest.mark.parametrize("size", [0, -5, True, "20k", None, float("nan"), float("inf"), [1]])
def test_a_size_that_is_none_is_named(size: object) -> None:
    data = written(photo_like(40, 50))
    with pytest.raises(ValueError, match="^size must be a positive number of bytes, got "):
        pillow_lic.cut(data, size)
    if size is not None:
        with pytest.raises(ValueError, match="^bytes must be a positive number of bytes, got "):
            pillow_lic.open(data, bytes=size)
    with pytest.raises(
        ValueError, match="^size must be more than the 29 bytes that .* beside its coded pixels, got 20"
    ):
        pillow_lic.cut(data, 20.5)


def test_the_limit_of_pixels_holds_where_networks_may_run() -> None:
    data = codec.encode(photo_like(64, 64), "RGB", EncodeOptions())
    with pillow_lic.settings(max_pixels=64 * 64):
        assert pillow_lic.cut(data, len(data) - 9)
        dump.dump(data)
    with pillow_lic.settings(max_pixels=4000):
        for door in (lambda: pillow_lic.cut(data, len(data) - 9), lambda: dump.dump(data)):
            with pytest.raises(LicLimitError, match="picture has 64x64 pixels, more than the 4000 that settings"):
                door()


def test_what_cannot_be_cut_is_refused() -> None:
    data = written(photo_like(64, 64))
    with pytest.raises(ValueError, match="size must be at least 1536"):
        inspecting.cut(data, 600)
    other = written(photo_like(64, 64), model="balle2017")
    with pytest.raises(ValueError, match=r"a model that can be \(.*planes\), got one of balle2017"):
        inspecting.cut(other, len(other) - 1)
    with pytest.raises(LicTruncatedError):
        inspecting.cut(data[:-100], 2000)


@pytest.mark.parametrize(("height", "width"), [(90, 120), (200, 260)])
def test_bytes_of_a_file_show_all_of_the_picture(height: int, width: int, tmp_path: Path) -> None:
    """Each tile has its share, as far as 60 % go: whole planes to the fourth, and some of the fifth."""
    pixels = photo_like(height, width, seed=2)
    data = written(pixels)
    (tmp_path / "a.lic").write_bytes(data)
    for source in (data, tmp_path / "a.lic", io.BytesIO(data)):
        with pillow_lic.open(source, bytes=int(len(data) * 0.6)) as im:
            part = np.asarray(im.region((3, 5, 60, 70)))
            shown = np.asarray(im)
        np.testing.assert_array_equal(part, shown[5:70, 3:60])
        error = np.abs(shown.astype(int) - pixels)
        assert 0 < error.max() < 16
    with pillow_lic.open(data, bytes=len(data)) as im:
        np.testing.assert_array_equal(np.asarray(im), pixels)


def test_the_beginning_of_a_file_shows_its_last_tile_coarser(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = photo_like(90, 120, seed=3)
    data = written(pixels)
    beginning = data[: len(data) // 2]
    with Image.open(io.BytesIO(beginning)) as im, pytest.raises(OSError, match="file ends"):
        im.load()
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with Image.open(io.BytesIO(beginning)) as im:
        assert 0 < np.abs(np.asarray(im).astype(int) - pixels).max() < 32
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    with pillow_lic.open(beginning, bytes=len(beginning)) as im:
        assert 0 < np.abs(np.asarray(im).astype(int) - pixels).max() < 32


def test_bytes_that_leave_nothing_are_refused() -> None:
    data = written(photo_like(40, 50))
    with pytest.raises(
        ValueError, match="bytes must be more than the 29 that this file has beside its coded pixels, got 20"
    ):
        pillow_lic.open(data, bytes=20)


def test_a_refused_file_is_closed_unless_it_is_the_callers(tmp_path: Path) -> None:
    path = tmp_path / "a.lic"
    path.write_bytes(written(photo_like(40, 50)))
    with pytest.raises(ValueError, match="bytes must be more than"):
        pillow_lic.open(path, bytes=20)
    gc.collect()  # a file that is left open warns here, which pytest makes an error
    with path.open("rb") as own:
        with pytest.raises(ValueError, match="bytes must be more than"):
            pillow_lic.open(own, bytes=20)
        assert not own.closed


def test_lic1_shows_what_its_passes_allow() -> None:
    pixels = photo_like(96, 128, seed=4)
    data = written(pixels, model="lic1")
    with pillow_lic.open(data, bytes=int(len(data) * 0.8)) as im:
        coarser = np.asarray(im).astype(int)
    whole = codec.decode(data)[1].astype(int)
    assert np.square(whole - pixels).mean() < np.square(coarser - pixels).mean() < 600


def test_a_family_without_parts_shows_grey() -> None:
    data = written(photo_like(64, 64), model="balle2017")
    with pillow_lic.open(data, bytes=len(data) - 5) as im:
        assert set(np.asarray(im).ravel()) == {families.MISSING}


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = written(photo_like(64, 64))
    (tmp_path / "a.lic").write_bytes(data)
    words = ["cut", str(tmp_path / "a.lic"), str(tmp_path / "b.lic"), "--size", "8k"]
    assert main(words) == 0
    smaller = (tmp_path / "b.lic").read_bytes()
    assert smaller == pillow_lic.cut(tmp_path / "a.lic", 8000)
    assert f"{len(smaller):,} bytes of {len(data):,}" in capsys.readouterr().out
    assert main([*words[:2], str(tmp_path / "c.lic"), "--size", "1k"]) == 1
    assert "size must be at least 1536" in capsys.readouterr().err
    assert main([*words[:2], str(tmp_path / "d.png"), "--size", "8k"]) == 2
    assert not (tmp_path / "d.png").exists()
