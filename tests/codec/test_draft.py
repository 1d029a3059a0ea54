"""Drafts: smaller pictures that are near the averaged full ones, decoded without the costly networks."""

import dataclasses
import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from made.pictures import photo_like
from made.tiled import in_tiles
from PIL import Image

import pillow_lic
from pillow_lic import codec, families
from pillow_lic.engine import models, runtime
from pillow_lic.engine.settings import settings
from pillow_lic.errors import LicRuntimeError
from pillow_lic.families.lic1 import detail, drafting, means, synthesis
from pillow_lic.metrics import psnr
from pillow_lic.options import EncodeOptions

SPEC = models.choose(None)
SCALES = [8, 4, 2]

pytestmark = pytest.mark.skipif(not families.drafts(SPEC), reason="the newest model has no drafts")


@pytest.fixture(scope="module")
def cat(cat: np.ndarray) -> np.ndarray:
    return cat[:256, 40:400]


@pytest.fixture(scope="module")
def file(cat: np.ndarray) -> bytes:
    return codec.encode(cat, "RGB", EncodeOptions(quality=6), metadata={"xmp": b"<x/>"})


def averaged(pixels: np.ndarray, scale: int) -> np.ndarray:
    """The rounded mean of every square; the last row and column go on as they end."""
    filled = np.pad(pixels, ((0, -pixels.shape[0] % scale), (0, -pixels.shape[1] % scale), (0, 0)), "edge")
    h, w = filled.shape[0] // scale, filled.shape[1] // scale
    return np.rint(filled.reshape(h, scale, w, scale, -1).mean((1, 3))).astype(np.uint8)


@pytest.mark.parametrize(("quality", "at_least"), [(1, 33.4), (6, 38), (10, 39)])
def test_a_draft_is_near_the_averaged_picture(cat: np.ndarray, quality: float, at_least: float) -> None:
    data = codec.encode(cat, "RGB", EncodeOptions(quality=quality))
    full = codec.decode(data)[1]
    for scale in SCALES:
        found = codec.decode(data, scale=scale)[1]
        assert psnr(averaged(full, scale), found) > at_least
        assert np.abs(found.astype(int) - averaged(full, scale)).max() < 60, "no blotch"


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("size", [(1, 1), (1, 200), (17, 33), (129, 65)])
def test_every_size(size: tuple[int, int], scale: int) -> None:
    pixels = photo_like(*size)
    data = codec.encode(pixels, "RGB", EncodeOptions(quality=8, exact=False))
    found = codec.decode(data, scale=scale)[1]
    assert found.shape == (-(-size[0] // scale), -(-size[1] // scale), 3)
    assert psnr(averaged(codec.decode(data)[1], scale), found) > 26


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_every_mode(mode: str) -> None:
    pixels = photo_like(90, 110, codec.CHANNELS[mode], seed=3)
    data = codec.encode(pixels, mode, EncodeOptions(quality=7, exact=False))
    for scale in SCALES:
        found = codec.decode(data, scale=scale)[1]
        wanted = averaged(codec.decode(data)[1], scale)
        assert found.shape == wanted.shape
        assert psnr(wanted, found) > 30
        if mode.endswith("A"):
            np.testing.assert_allclose(found[:-1, :-1, -1], wanted[:-1, :-1, -1], atol=1)


def test_alpha_of_the_last_squares_is_the_mean_of_what_is_there() -> None:
    plane = np.arange(35, dtype=np.uint8).reshape(5, 7)
    np.testing.assert_array_equal(codec.alpha.averaged(plane, 4), [[12, 16], [30, 33]])
    np.testing.assert_array_equal(codec.alpha.averaged(np.full((9, 9), 255, np.uint8), 8), np.full((2, 2), 255))


def test_tiles_importance_and_threads(cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    options = EncodeOptions(quality=5, roi=[(0, 0, 100, 90)])
    in_tiles(monkeypatch, 128)
    data = codec.encode(cat, "RGB", options)
    full = codec.decode(data)[1]
    for scale in SCALES:
        with settings(threads=1):
            found = codec.decode(data, scale=scale)[1]
        assert psnr(averaged(full, scale), found) > 36
        with settings(threads=3):
            np.testing.assert_array_equal(codec.decode(data, scale=scale)[1], found)


def test_costly_networks_do_not_run(file: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither they nor what native code has in their place; else only the networks of drafts."""
    for module, name in ((means, "find"), (synthesis, "draw"), (synthesis, "paint"), (detail, "draw")):
        monkeypatch.setattr(module, name, None)
    roles: list[str] = []
    original = runtime.run
    monkeypatch.setattr(runtime, "run", lambda s, role, *a, **k: roles.append(role) or original(s, role, *a, **k))
    for is_native in (True, False):
        if not is_native:
            monkeypatch.setattr(means, "layers", lambda _: None)
            monkeypatch.setattr(drafting, "_head", lambda *_: None)
        with Image.open(io.BytesIO(file)) as im:
            im.thumbnail((16, 16))
            assert not im.tile
    assert {"draft_means", "draft_8"} <= set(roles)
    assert not {"means_z", "synthesis"} & set(roles)


def test_pillows_contract(file: bytes) -> None:
    with pillow_lic.open(file) as im:
        info = dict(im.info)
        assert im.draft("L", (90, 64)) == ("RGB", (0, 0, 90, 64))
        assert im.size == (90, 64)
        assert im.tile
        assert im.draft(None, (10, 10)) is None, "once only"
        im.load()
        assert (im.size, im.mode, im.info) == ((90, 64), "RGB", info)
        assert np.asarray(im).shape == (64, 90, 3)
        assert im.draft(None, (10, 10)) is None
        with pytest.raises(ValueError, match="a draft of it at 1/4 was loaded: open it again"):
            im.region((0, 0, 5, 5))
    with pillow_lic.open(file) as im:
        np.testing.assert_array_equal(np.asarray(im), codec.decode(file)[1])


@pytest.mark.parametrize(
    ("size", "scale"),
    [((360, 256), 1), ((181, 1), 1), ((180, 128), 2), ((91, 64), 2), ((90, 64), 4), ((46, 1), 4), ((45, 32), 8),
     ((1, 1), 8), ((0, 0), 8), ((1000, 5), 1)],
)  # fmt: skip
def test_the_scale_is_the_smallest_picture_that_is_large_enough(file: bytes, size: tuple[int, int], scale: int) -> None:
    with pillow_lic.open(file) as im:
        found = im.draft(None, size)
        assert im.size == (-(-360 // scale), -(-256 // scale))
        assert found == (None if scale == 1 else ("RGB", (0, 0, 360 / scale, 256 / scale)))


@pytest.mark.parametrize("size", [(16, 16), (40, 40), (60, 100), (150, 150), (359, 256)])
def test_thumbnail_looks_like_that_of_the_loaded_picture(file: bytes, size: tuple[int, int]) -> None:
    with pillow_lic.open(file) as slow, pillow_lic.open(file) as quick:
        slow.load()
        slow.thumbnail(size)
        quick.thumbnail(size)
        assert (quick.size, quick.mode) == (slow.size, slow.mode)
        assert psnr(np.asarray(slow), np.asarray(quick)) > 37


def test_a_draft_can_be_verified_pickled_copied_and_saved(file: bytes, tmp_path: Path) -> None:
    with pillow_lic.open(file) as im:
        im.draft(None, (50, 50))
        im.verify()
    broken = file[:-20] + bytes([file[-20] ^ 1]) + file[-19:]
    with pillow_lic.open(broken) as im:
        im.draft(None, (50, 50))
        with pytest.raises(OSError, match="damaged"):
            im.verify()
    with pillow_lic.open(broken) as im, pytest.raises(OSError, match="damaged"):
        im.thumbnail((50, 50))
    with pillow_lic.open(file) as im:
        im.draft(None, (50, 50))
        again = pickle.loads(pickle.dumps(im))
        assert again.size == im.size == (90, 64)
        np.testing.assert_array_equal(np.asarray(again), np.asarray(im))
        assert again.draft(None, (5, 5)) is None
        for other in (again, pickle.loads(pickle.dumps(again))):
            with pytest.raises(ValueError, match="a draft of it at 1/4 was loaded: open it again"):
                other.region((0, 0, 5, 5))
        im.copy().save(tmp_path / "small.lic")
    with Image.open(tmp_path / "small.lic") as im:
        assert im.size == (90, 64)


def test_region_before_a_draft_is_loaded_is_of_the_whole_picture(file: bytes) -> None:
    with pillow_lic.open(file) as im:
        im.draft(None, (50, 50))
        part = np.asarray(im.region((300, 200, 350, 250)), int)
    assert np.abs(part - codec.decode(file)[1][200:250, 300:350]).max() <= 1


def test_a_model_without_drafts_decodes_in_full(file: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = dataclasses.replace(SPEC, extras={})
    monkeypatch.setattr(models, "named", lambda *_: bare)
    with pillow_lic.open(file) as im:
        assert im.draft(None, (10, 10)) is None
        im.thumbnail((20, 20))
        assert im.size == (20, 14)


def test_an_altered_network_is_refused(file: bytes) -> None:
    file = SPEC.stored("draft_8")
    with pytest.raises(LicRuntimeError, match=r"draft_8\.onnx was altered"):
        dataclasses.replace(file, sha256=file.sha256[::-1]).read()


def test_imageio_reads_in_full_after_properties(file: bytes) -> None:
    import imageio.v3 as iio

    assert iio.improps(file, extension=".lic").shape == iio.imread(file, extension=".lic").shape == (256, 360, 3)
