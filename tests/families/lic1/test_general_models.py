"""Both models for everything, the default one and `lic1`, do all that there is: sizes, modes, drafts, importance, effort, targets, tiles."""

import io

import numpy as np
import pytest
from engine.released import name_and_number
from made.pictures import photo_like
from made.tiled import in_tiles

import pillow_lic
from families.coded import encoded
from pillow_lic import codec, families
from pillow_lic.engine import models, runtime
from pillow_lic.engine.models import Model
from pillow_lic.engine.settings import settings
from pillow_lic.families.lic1 import analysis as networks
from pillow_lic.fileformat import container
from pillow_lic.metrics import psnr
from pillow_lic.options import EncodeOptions

FAST = models.choose("lic2")
SMALL = models.choose("lic1")


@pytest.fixture(scope="module", params=[FAST, SMALL], ids=name_and_number)
def spec(request: pytest.FixtureRequest) -> Model:
    return request.param


@pytest.fixture(scope="module")
def cat(cat: np.ndarray) -> np.ndarray:
    return cat[:256, 40:400]


@pytest.fixture(scope="module")
def file(spec: Model, cat: np.ndarray) -> bytes:
    return encoded(spec, cat, quality=4)


def bits_and_db(spec: Model, pixels: np.ndarray, **given: object) -> tuple[float, float]:
    data = encoded(spec, pixels, **given)
    return 8 * len(data) / pixels[:, :, 0].size, psnr(pixels, codec.decode(data)[1])


def test_the_default_one_decodes_with_a_third_of_the_work() -> None:
    assert models.choose(None) is FAST
    assert 3 * FAST.kmac_per_pixel("decoder") < SMALL.kmac_per_pixel("decoder") + 1


def test_without_options_the_effort_is_that_of_the_model(cat: np.ndarray) -> None:
    part = cat[:64, :96]
    plain, quick, large, small = (
        codec.encode(part, "RGB", EncodeOptions(quality=5, **given))
        for given in ({}, {"effort": 0}, {"effort": 1}, {"model": "lic1"})
    )
    assert plain == large != quick
    assert small == encoded(SMALL, part, quality=5, effort=0)


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (17, 33), (64, 64), (129, 65)])
def test_every_size(spec: Model, size: tuple[int, int]) -> None:
    pixels = photo_like(*size)
    header, decoded = codec.decode(encoded(spec, pixels, quality=7, exact=False))
    assert (header.height, header.width, header.model_id) == (*size, spec.number)
    assert psnr(pixels, decoded) > (30 if spec is FAST else 28)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_every_mode(spec: Model, mode: str) -> None:
    pixels = photo_like(50, 70, codec.CHANNELS[mode], seed=3)
    header, decoded = codec.decode(encoded(spec, pixels, mode, quality=6))
    assert header.mode == mode
    assert psnr(pixels, decoded) > 30
    if mode.endswith("A"):
        np.testing.assert_array_equal(decoded[..., -1], pixels[..., -1])


@pytest.mark.parametrize(("spec", "highest"), [(FAST, 43), (SMALL, 38)], indirect=["spec"], ids=name_and_number)
def test_its_scale_goes_from_small_files_to_nearly_what_was_there(spec: Model, highest: float, cat: np.ndarray) -> None:
    found = [bits_and_db(spec, cat, quality=quality) for quality in (1, 4, 7, 10)]
    assert found == sorted(found)
    assert found[0][0] < 0.3
    assert found[-1][1] > highest


def test_more_effort_is_better(spec: Model, cat: np.ndarray) -> None:
    """A tenth of the bits is worth about 0.5 dB."""
    found = [bits_and_db(spec, cat, quality=4, effort=effort) for effort in (0, 1, 4)]
    worth = [db - 5 * np.log(bits) for bits, db in found]
    assert worth == sorted(worth)


def test_effort_0_runs_the_quick_analysis(cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    roles: list[str] = []
    run = runtime.run
    monkeypatch.setattr(runtime, "run", lambda s, role, *a, **k: roles.append(role) or run(s, role, *a, **k))
    monkeypatch.setattr(networks, "_chosen", lambda: False)
    for effort, analysis in ((0, networks.QUICK), (1, "analysis"), (3, "analysis")):
        roles.clear()
        encoded(FAST, cat[:64, :64], effort=effort)
        assert [role for role in roles if role.startswith("analysis")] == [analysis]


def test_tiles_regions_and_threads(spec: Model, cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    in_tiles(monkeypatch, 128)
    data = encoded(spec, cat, quality=5, roi=[(0, 0, 100, 90)])
    whole = codec.decode(data)[1]
    assert psnr(cat, whole) > (33 if spec is FAST else 31)
    for box in ((0, 0, 1, 1), (100, 100, 200, 180), (120, 0, 130, 256)):
        part = codec.decode_region(io.BytesIO(data), box)
        x0, y0, x1, y1 = box
        assert np.abs(part.astype(int) - whole[y0:y1, x0:x1]).max() <= 1
    with settings(threads=1):
        one = codec.decode(data)[1]
    with settings(threads=3):
        np.testing.assert_array_equal(codec.decode(data)[1], one)


def test_importance_moves_bits(spec: Model, cat: np.ndarray) -> None:
    place = (100, 80, 200, 180)
    given = encoded(spec, cat, target_size=6000, roi=[place])
    plain = encoded(spec, cat, target_size=6000)
    assert len(given) <= 6000 >= len(plain) > 5500
    x0, y0, x1, y1 = place
    inside = [psnr(cat[y0:y1, x0:x1], codec.decode(data)[1][y0:y1, x0:x1]) for data in (given, plain)]
    assert inside[0] > inside[1] + 0.5
    assert container.unpack(encoded(spec, cat, importance="auto")).importance is not None


def test_targets_are_met(spec: Model, cat: np.ndarray) -> None:
    assert psnr(cat, codec.decode(encoded(spec, cat, target_psnr=38))[1]) == pytest.approx(38, abs=0.3)
    data = encoded(spec, cat, target_bpp=1.0)
    assert 0.95 < 8 * len(data) / cat[:, :, 0].size <= 1.0


@pytest.mark.parametrize("quality", [1, 5, 10])
def test_a_draft_is_near_the_averaged_picture(spec: Model, cat: np.ndarray, quality: float) -> None:
    assert list(families.drafts(spec)) == [8, 4, 2]
    data = encoded(spec, cat, quality=quality)
    full = codec.decode(data)[1]
    for scale in families.drafts(spec):
        found = codec.decode(data, scale=scale)[1]
        h, w = found.shape[:2]
        means = full.reshape(h, scale, w, scale, 3).mean((1, 3))
        assert psnr(np.rint(means).astype(np.uint8), found) > (32.5 if quality == 1 else 37) - 0.5 * (spec is SMALL)


def test_a_thumbnail_runs_no_costly_network(file: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    roles: list[str] = []
    run = runtime.run
    monkeypatch.setattr(runtime, "run", lambda s, role, *a, **k: roles.append(role) or run(s, role, *a, **k))
    with pillow_lic.open(file) as im:
        im.thumbnail((40, 40))
        assert im.size == (40, 28)
    assert not {"means_z", "synthesis", "detail"} & set(roles)


def test_a_file_that_ends_early_shows_what_is_there(file: bytes) -> None:
    _, whole = codec.decode(file)
    _, cut = codec.decode(file[: len(file) // 2], strict=False)
    assert cut.shape == whole.shape
    assert 18 < psnr(whole, cut) < 50


def test_info_says_the_model_and_save_keeps_it(spec: Model, file: bytes) -> None:
    with pillow_lic.open(file) as im:
        assert im.info["lic_model"] == spec.name
        again = pillow_lic.encode(im, **im.info)
    with pillow_lic.open(again) as im:
        assert im.info["lic_model"] == spec.name
