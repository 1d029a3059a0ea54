"""What every model of a published system that codes tiles alone must do, through Pillow and the codec."""

import io
from pathlib import Path

import numpy as np
import pytest
from made.pictures import photo_like
from PIL import Image

from families.coded import cat, check_size_and_mode, encoded, in_tiles
from pillow_lic import codec, inspecting, metrics
from pillow_lic.engine import models
from pillow_lic.engine.models import Model
from pillow_lic.engine.settings import settings
from pillow_lic.errors import LicDamagedError, LicLimitError, LicUnsupportedError
from pillow_lic.families.shared import tilewise
from pillow_lic.fileformat import container, streams
from pillow_lic.fileformat.header import CHANNELS, Header
from pillow_lic.fileformat.tiling import Tiling
from pillow_lic.inspecting.dump import dump

MODELS = [models.choose(name) for name in ("li2018", "autoencoder", "agustsson2017", "rippel2017")]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
OF_TRANSFORMS = [models.choose(name) for name in ("balle2017", "balle2018", "minnen2018-local", "theis2017")]
"""Those whose other tests are in test_transform_families."""
every_model = pytest.mark.parametrize("model", MODELS + OF_TRANSFORMS, ids=lambda model: model.name)


@each_model
def test_through_pillow(model: Model, tmp_path: Path) -> None:
    Image.fromarray(cat()).save(tmp_path / "cat.lic", model=model.name, quality=7)
    with Image.open(tmp_path / "cat.lic") as im:
        assert (im.format, im.size, im.info["lic_model"]) == ("LIC", (451, 300), model.name)
        assert metrics.psnr(cat(), np.asarray(im)) > 29
    inspecting.verify((tmp_path / "cat.lic").read_bytes())


@each_model
@pytest.mark.parametrize("mode", CHANNELS)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (17, 16), (130, 75)])
def test_sizes_and_modes(model: Model, height: int, width: int, mode: str) -> None:
    check_size_and_mode(model, height, width, mode, quality=9, most=12)


@each_model
def test_quality_raises_bytes_and_psnr(model: Model) -> None:
    files = [encoded(model, cat(), quality=quality) for quality in range(1, 11)]
    sizes, reached = [len(data) for data in files], [metrics.psnr(cat(), codec.decode(data)[1]) for data in files]
    assert sizes == sorted(sizes)
    assert reached == sorted(reached)
    assert reached[-1] > reached[0] + 6
    target = (sizes[5] + sizes[6]) // 2
    assert 0.9 * target < len(encoded(model, cat(), target_size=target)) <= target


def test_a_picture_of_more_than_four_megapixels() -> None:
    """By the model that takes least time: the other ones choose the same tiles, and take parts of them alike."""
    pixels = np.tile(photo_like(256, 263), (8, 8, 1))
    data = encoded(models.choose("agustsson2017"), pixels, quality=3)
    header, whole = codec.decode(data)
    assert (header.tile_edge, header.tile_count) == (2048, 2)
    assert metrics.psnr(pixels, whole) > 24
    part = codec.decode_region(io.BytesIO(data), (2040, 100, 2056, 120))
    assert np.abs(part.astype(int) - whole[100:120, 2040:2056]).max() <= 1


@every_model
def test_tiles_and_a_part_that_lies_in_two(model: Model) -> None:
    assert tilewise.chosen_tiling(model, 2104, 2048) == Tiling(2104, 2048, 2048)
    assert tilewise.chosen_tiling(model, 2048, 2048).count == 1
    data = in_tiles(model, cat(), 256, 300)
    whole = codec.decode(data)[1]
    assert metrics.psnr(cat(), whole) > 24
    part = codec.decode_region(io.BytesIO(data), (248, 100, 264, 120))
    assert np.abs(part.astype(int) - whole[100:120, 248:264]).max() <= 1


@each_model
def test_a_seam_shows_no_more_than_the_rest(model: Model) -> None:
    """Within 8 pixels of a border the error is that of the same places of the picture in one tile, to 0.1 dB."""
    for level in (0, 600):
        whole, tiled = (
            ((codec.decode(in_tiles(model, cat(), edge, level))[1].astype(float) - cat()) ** 2).mean(2)
            for edge in (0, 128)
        )
        near = np.zeros(whole.shape, bool)
        for border in range(128, 451, 128):
            near[border - 8 : border + 8] = near[:, border - 8 : border + 8] = True
        assert 10 * np.log10(tiled[near].mean() / whole[near].mean()) < 0.1


@every_model
@pytest.mark.parametrize(
    ("option", "name"),
    [({"effort": 3}, "effort"), ({"roi": [(0, 0, 9, 9)]}, "roi"), ({"importance": "auto"}, "importance")],
)
def test_options_of_other_models_are_refused(model: Model, option: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be left out for model {model.name}"):
        encoded(model, photo_like(20, 20), **option)


@each_model
def test_no_network_has_a_part_in_what_is_read(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(model, photo_like(90, 120, seed=5), quality=6)
    symbols = dump(data)["tile_0/symbols"]
    monkeypatch.setattr(Model, "run", lambda *_, **__: pytest.fail("a network was run"))
    np.testing.assert_array_equal(dump(data)["tile_0/symbols"], symbols)
    inspecting.verify(data)


@every_model
@pytest.mark.parametrize("threads", [1, 2])
def test_bytes_do_not_depend_on_threads(model: Model, threads: int) -> None:
    pixels = photo_like(140, 300)
    with settings(threads=1):
        alone = in_tiles(model, pixels, 128, 500)
    with settings(threads=threads):
        assert in_tiles(model, pixels, 128, 500) == alone


@each_model
def test_streams_of_another_picture_are_refused(model: Model) -> None:
    data = encoded(model, photo_like(64, 64), quality=5)
    header, (payload,) = (parts := container.unpack(data)).header, parts.tiles
    (stream,) = streams.unpack(payload)
    changed = bytearray(stream)
    changed[1] ^= 1
    smaller = Header("RGB", 48, 64, 0, model.number, model.hash, header.level)
    other_level = Header("RGB", 64, 64, 0, model.number, model.hash, 1000)
    damaged = [(header, [stream, b"more"]), (smaller, [stream]), (header, [stream[:-1]])]
    if model.name != "rippel2017":  # its streams are read alike at every level
        damaged.append((other_level, [stream]))
    for head, wrong in damaged:
        with pytest.raises(LicDamagedError):
            codec.decode(container.pack(head, [streams.pack(wrong)]))
    with pytest.raises(LicDamagedError, match="not those that were written"):
        codec.decode(container.pack(header, [streams.pack([bytes(changed)])]))


@each_model
def test_damage_ends_in_an_error_or_a_picture(model: Model) -> None:
    """Never in anything else, whatever bytes a stream has."""
    data = encoded(model, photo_like(40, 56), quality=6)
    header, (payload,) = (parts := container.unpack(data)).header, parts.tiles
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(30):
        wrong = bytearray(payload)
        for at in rng.integers(0, len(wrong), 3):
            wrong[at] = rng.integers(256)
        try:
            codec.decode(container.pack(header, [bytes(wrong)]))
        except (LicDamagedError, LicUnsupportedError):
            refused += 1
    assert refused > 20


@every_model
def test_a_tile_over_the_limit_of_the_model_is_refused(model: Model) -> None:
    header = Header("RGB", 4096, 2048, 4096, model.number, model.hash, 0)
    with pytest.raises(LicLimitError, match=f"limit of 4194304 of model {model.name}"):
        codec.decode(container.pack(header, [b""]))
