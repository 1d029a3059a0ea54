"""A picture of many tiles in bounded memory."""

import gc
import time

import numpy as np
import pytest
from engine.released import models_of, name_and_number
from made.pictures import photo_like
from made.tiled import in_tiles

from pillow_lic import codec, families
from pillow_lic.engine import models, workers
from pillow_lic.engine.settings import settings
from pillow_lic.families import MISSING, Put, Request
from pillow_lic.families.lic1 import filtering, reading, residuals, scales, transforms
from pillow_lic.families.lic1.geometry import geometry
from pillow_lic.families.lic1.reading import Reader
from pillow_lic.fileformat import limits
from pillow_lic.fileformat.areas import Area
from pillow_lic.fileformat.tiling import Tiling
from pillow_lic.options import EncodeOptions

BOTH = pytest.mark.parametrize("spec", models_of("lic1"), ids=name_and_number)


def test_a_halo_reaches_into_the_next_row_of_tiles_only() -> None:
    assert all(geometry(m).halo * geometry(m).stride <= limits.MIN_TILE_EDGE for m in models_of("lic1"))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(640, 150), (129, 300), (650, 64)])
@BOTH
def test_latents_of_few_tiles_are_held(
    monkeypatch: pytest.MonkeyPatch, spec: models.Model, height: int, width: int, threads: int
) -> None:
    """And what the synthesis sees is what it would see of all latents at once."""
    monkeypatch.setattr(reading, "TOGETHER", 128)
    original = transforms.synthesis
    rng = np.random.default_rng(0)
    latents = rng.normal(0, 3, (spec.constants["latents"], -(-height // 16), -(-width // 16))).astype(np.float32)
    tiling, halo = Tiling(width, height, 128), geometry(spec).halo
    r = Reader(spec, tiling, 500)
    held: list[int] = []

    def counted(spec, y_hat, field, inside, reference):
        held.append(len(r._held))
        return original(spec, y_hat, field, inside=inside, reference=reference)

    def tile_latents(index: int, area: Area) -> reading.Found:
        tile = tiling.tile(index)
        assert area == tile.over(16)
        y, x = tile.y0 // 16, tile.x0 // 16
        part = latents[:, y : y + 8, x : x + 8]
        return reading.Found(
            np.pad(part, ((0, 0), (0, -part.shape[1] % 4), (0, -part.shape[2] % 4)), constant_values=9)
        )

    monkeypatch.setattr(transforms, "synthesis", counted)
    with settings(threads=threads):
        picture = np.empty((height, width, 3), np.uint8)
        r.synthesise(tile_latents, lambda area, pixels: picture.__setitem__(area.slices, pixels))
    assert not r._held
    assert len(held) == tiling.count
    columns = -(-width // 128)
    assert max(held) <= 2 * columns + 2 + (threads > 1) * (1 + workers.AHEAD) * threads
    for tile in tiling.tiles():
        y0, x0 = max(0, tile.y0 // 16 - halo), max(0, tile.x0 // 16 - halo)
        window = latents[:, y0 : -(-tile.y1 // 16) + halo, x0 : -(-tile.x1 // 16) + halo]
        whole = original(spec, window, np.full(window.shape[1:], 500, np.float32))
        y, x = tile.y0 - 16 * y0, tile.x0 - 16 * x0
        wanted = np.ascontiguousarray(whole[y : y + tile.height, x : x + tile.width])
        if geometry(spec).fraction:
            wanted = filtering.applied(wanted, Area(0, 0, tile.width, tile.height), filtering.NONE)
        found = picture[tile.y0 : tile.y1, tile.x0 : tile.x1].astype(int)
        assert np.abs(found - wanted).max() <= 1


def test_no_thread_waits_for_latents_that_another_is_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tile but those of the last row became ready by one that was just begun."""
    monkeypatch.setattr(reading, "TOGETHER", 128)
    spec = models.choose(None)
    r = Reader(spec, Tiling(1024, 256, 128), 500)
    waited: list[int] = []
    show = r._show

    def watched(part: reading._Part, put: Put) -> None:
        waited.extend(index for index in part.needs if not r._held[index]._finished.is_set())  # type: ignore[attr-defined]
        show(part, put)

    def latents(index: int, _: Area) -> reading.Found:
        time.sleep(0.05)
        return reading.Found(np.zeros((spec.constants["latents"], 8, 8), np.float32))

    def synthesis(
        spec: models.Model, y_hat: np.ndarray, field: np.ndarray, *, inside: Area, reference: bool
    ) -> np.ndarray:
        time.sleep(0.1)
        return np.zeros((16 * inside.height, 16 * inside.width, 3), np.uint8)

    monkeypatch.setattr(r, "_show", watched)
    monkeypatch.setattr(transforms, "synthesis", synthesis)
    with settings(threads=2):
        r.synthesise(latents, lambda _area, _pixels: None)
    assert len(waited) <= 1


@pytest.mark.parametrize("scale", [1, 2])
@BOTH
def test_small_tiles_are_synthesised_together(monkeypatch: pytest.MonkeyPatch, spec: models.Model, scale: int) -> None:
    """And give the pixels that each would have alone, up to one level in few samples; one that is missing is grey."""
    tiling = Tiling(1100, 300, 128)
    rng = np.random.default_rng(0)
    latents = rng.normal(0, 1, (spec.constants["latents"], 20, 72)).astype(np.float32)
    found = []
    for together in (128, 1024):
        monkeypatch.setattr(reading, "TOGETHER", together)
        reader = Reader(spec, tiling, 500, scale=scale)
        picture = np.empty((*reader.shape, 3), np.uint8)
        reader.synthesise(
            lambda index, area: None if index in (1, 26) else reading.Found(latents[:, *area.slices]),
            lambda area, pixels, picture=picture: picture.__setitem__(area.slices, pixels),
        )
        found.append(picture)
        work = reader.work
    assert work < 1.3 * 1104 * 304
    off = np.abs(found[0].astype(int) - found[1])
    assert off.max() <= 1
    assert (off > 0).mean() < (1e-2 if geometry(spec).fraction else 2e-3)
    for index in (1, 26):
        assert (found[1][tiling.tile(index).over(scale).slices] == MISSING).all()


def test_a_picture_of_many_rows_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = photo_like(520, 70, seed=2)
    whole = codec.decode(codec.encode(pixels, "RGB", EncodeOptions(quality=8)))[1].astype(int)
    in_tiles(monkeypatch, 128)
    tiled = codec.decode(codec.encode(pixels, "RGB", EncodeOptions(quality=8)))[1]
    assert np.abs(tiled - whole).mean() < 1.5


@pytest.mark.parametrize(("model", "share"), [("lic1", 1e-3), ("lic2", 3e-3)])
def test_pieces_of_several_threads_are_the_reference_up_to_one_level_in_few_samples(model: str, share: float) -> None:
    pixels = photo_like(272, 816, seed=5)
    data = codec.encode(pixels, "RGB", EncodeOptions(quality=4, model=model))
    decoded = []
    for threads in (1, 2, 5):
        with settings(threads=threads):
            decoded.append(codec.decode(data)[1].astype(int))
    for other in decoded[1:]:
        off = np.abs(other - decoded[0])
        assert off.max() <= 1
        assert np.count_nonzero(off) < share * off.size


@BOTH
def test_the_pixels_that_a_search_sees_are_the_same_with_every_number_of_threads(spec: models.Model) -> None:
    pixels = photo_like(272, 816, seed=5)
    found = set()
    for threads in (1, 2, 5):
        with settings(threads=threads):
            found.add(families.writer(spec, pixels, Request(effort=spec.effort)).tried(400).colors.tobytes())
    assert len(found) == 1


def test_the_arrays_of_a_tile_are_free_as_soon_as_it_is_read() -> None:
    """Without a look for cycles, which Python takes too seldom for arrays of some megabytes."""
    data = codec.encode(photo_like(64, 64), "RGB", EncodeOptions())
    codec.decode(data)
    gc.collect()
    gc.disable()
    try:
        codec.decode(data)
        left = {
            kind.__name__ for kind in map(type, gc.get_objects()) if issubclass(kind, (residuals.Means, scales.Scales))
        }
    finally:
        gc.enable()
    assert not left
