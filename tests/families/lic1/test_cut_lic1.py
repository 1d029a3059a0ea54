"""Files of `lic1` and `lic2` that were cut: whole files of fewer values (FORMAT.md, 8.8)."""

import io

import numpy as np
import pytest
from made.pictures import photo_like
from PIL import Image
from reference import stranger

import pillow_lic
from families.coded import cat, encoded, in_tiles
from pillow_lic import codec, inspecting, metrics
from pillow_lic.engine import models
from pillow_lic.engine.models import Model
from pillow_lic.errors import LicDamagedError, LicDesyncError
from pillow_lic.families.lic1 import payload as payloads
from pillow_lic.fileformat import container
from pillow_lic.fileformat.varint import write_varint
from pillow_lic.inspecting.dump import dump
from pillow_lic.options import EncodeOptions

MODELS = [models.choose("lic1"), models.choose("lic2")]
PIXELS = cat()[60:220, 100:340]


def tile_of(data: bytes) -> bytes:
    return bytes(container.unpack(data).tiles[0])


def with_tile(data: bytes, payload: bytes) -> bytes:
    return container.with_tiles(io.BytesIO(data), container.read_front(io.BytesIO(data)), [payload])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_cut_file_is_whole_and_near_its_size(model: Model) -> None:
    data = encoded(model, PIXELS, quality=7)
    reached = []
    for share in (0.35, 0.6, 0.85, 0.97):
        size = int(share * len(data))
        smaller = pillow_lic.cut(data, size)
        assert size - 8 <= len(smaller) <= size
        inspecting.verify(smaller)
        shown = codec.decode(smaller)[1]
        reached.append(metrics.psnr(PIXELS, shown))
        assert pillow_lic.cut(smaller, len(smaller)) == smaller
        with pillow_lic.open(data, bytes=size) as im:
            assert metrics.psnr(PIXELS, np.asarray(im)) == pytest.approx(reached[-1], abs=0.4)
    assert reached == sorted(reached)
    assert reached[0] > 14
    assert pillow_lic.cut(data, len(data)) == data


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_cut_file_can_be_cut_again(model: Model) -> None:
    data = encoded(model, PIXELS, quality=7)
    at_once, twice = (
        pillow_lic.cut(data, len(data) // 2),
        pillow_lic.cut(pillow_lic.cut(data, len(data) * 3 // 4), len(data) // 2),
    )
    assert len(twice) <= len(data) // 2
    np.testing.assert_array_equal(codec.decode(twice)[1], codec.decode(at_once)[1])


def test_what_no_pixels_are_of_stays_and_every_door_opens() -> None:
    """Tiles, alpha, a map of importance; regions, drafts, what a tile holds."""
    pixels = photo_like(150, 300, 4, seed=3)
    pixels[..., 3] = 200
    data = codec.encode(pixels, "RGBA", EncodeOptions(quality=5, roi=[(20, 20, 90, 90)]), metadata={"xmp": b"<x/>"})
    smaller = inspecting.cut(data, len(data) * 3 // 4)
    before, after = container.unpack(data), container.unpack(smaller)
    assert (after.header, after.metadata, after.alpha, after.importance) == (
        before.header,
        before.metadata,
        before.alpha,
        before.importance,
    )
    shown = codec.decode(smaller)[1]
    np.testing.assert_array_equal(shown[..., 3], pixels[..., 3])
    with pillow_lic.open(smaller) as im:
        part = np.asarray(im.region((100, 30, 180, 120))).astype(int)
        assert np.abs(part - shown[30:120, 100:180]).max() <= 1
    with Image.open(io.BytesIO(smaller)) as im:
        im.draft(None, (75, 37))
        assert im.size == (75, 38)
        im.load()
    assert "tile_0/residuals" in dump(smaller)


def test_every_tile_gives_its_share() -> None:
    data = in_tiles(MODELS[0], photo_like(150, 300, seed=4), 128, 500)
    smaller = inspecting.cut(data, len(data) // 2)
    whole, shorter = (container.unpack(file).tiles for file in (data, smaller))
    for before, after in zip(whole, shorter, strict=True):
        assert len(before) * 0.4 - 8 < len(after) < len(before) * 0.5 + 30
    assert len(data) // 2 - 8 <= len(smaller) <= len(data) // 2
    codec.decode(smaller)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_format_is_enough_to_decode(model: Model) -> None:
    whole = encoded(model, photo_like(40, 56, seed=3), quality=5)
    for share in (0.5, 0.8):
        data = inspecting.cut(whole, int(share * len(whole)))
        ours, theirs = codec.decode(data)[1], stranger.decode(data)
        assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_least_size_is_named_and_works(model: Model) -> None:
    data = encoded(model, PIXELS, quality=5)
    with pytest.raises(ValueError, match=r"size of the coded pixels must be at least (\d+) bytes, got \d+") as said:
        inspecting.cut(data, 60)
    least = int(str(said.value).split()[9]) + len(data) - len(tile_of(data))
    codec.decode(inspecting.cut(data, least))
    with pytest.raises(ValueError, match="must be at least"):
        inspecting.cut(data, least - 1)


def test_damage_is_found() -> None:
    data = inspecting.cut(encoded(MODELS[0], PIXELS, quality=5), 2000)
    payload = tile_of(data)
    stream, count = payloads.parse(payload)
    assert count
    rest = bytes(stream)[3:]

    def marked(count: int, rest: bytes = rest, prefix: bytes = payload[:3]) -> bytes:
        return with_tile(data, prefix + write_varint(count) + rest)

    codec.decode(marked(count))
    for wrong in (
        marked(count + 2000),
        marked(10**9),
        marked(count - 300),
        marked(count, rest[: len(rest) // 2]),
        marked(count, prefix=bytes([payload[0], payload[1] ^ 1, payload[2]])),
    ):
        with pytest.raises(LicDesyncError):
            codec.decode(wrong)
    for wrong in (
        payload[:3],
        payload[:3] + b"\xff" * 6,
        payload[:4] + b"\1",
        bytes([payload[0] | 0x40]) + payload[1:],
    ):
        with pytest.raises((LicDamagedError, pillow_lic.LicUnsupportedError)):
            inspecting.verify(with_tile(data, wrong))


def test_a_number_of_values_beyond_the_tile_is_refused() -> None:
    """Even where all of them are there, and right."""
    data = encoded(MODELS[0], photo_like(32, 32), quality=5)
    payload = tile_of(data)
    every = 2 * 2 * MODELS[0].constants["latents"]
    codec.decode(with_tile(data, payloads.cut(payload, every, int.from_bytes(payload[1:3], "little"))))
    with pytest.raises(LicDamagedError, match=f"says that {every + 1} of its values are there, it has {every}"):
        codec.decode(with_tile(data, payloads.cut(payload, every + 1, int.from_bytes(payload[1:3], "little"))))


def test_the_beginning_of_a_cut_file_shows_something(monkeypatch: pytest.MonkeyPatch) -> None:
    data = inspecting.cut(encoded(MODELS[0], PIXELS, quality=5), 3000)
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    with Image.open(io.BytesIO(data[:2500])) as im:
        assert metrics.psnr(PIXELS, np.asarray(im)) > 14
