"""effort: the same picture in fewer bytes, by the encoder alone."""

from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from engine.released import models_of
from made.pictures import photo_like
from made.tiled import in_tiles
from PIL import Image

from pillow_lic import codec, metrics, saving
from pillow_lic.__main__ import main
from pillow_lic.engine import models
from pillow_lic.families import Request
from pillow_lic.families.lic1 import filtering, gradient, refinement, residuals, transforms
from pillow_lic.families.lic1.geometry import geometry
from pillow_lic.families.lic1.writing import Writer
from pillow_lic.fileformat import importance_map
from pillow_lic.fileformat.areas import Area
from pillow_lic.fileformat.limits import MAX_LEVEL
from pillow_lic.options import EncodeOptions

SCALE_DB = 40.17 - 27.84
"""PSNR between the ends of the scale of lic1 (its card)."""


def rate_and_quality(pixels: np.ndarray, **options: object) -> tuple[float, float]:
    """Bits per pixel, and dB of PSNR, of lic1, whose synthesis bends more, so that steps save more."""
    data = codec.encode(pixels, "RGB", EncodeOptions(model="lic1", **options))
    return 8 * len(data) / pixels.shape[0] / pixels.shape[1], metrics.psnr(pixels, codec.decode(data)[1])


def saved(plain: tuple[float, float], refined: tuple[float, float]) -> float:
    """Share of the bits that a refined file needs less for as many dB, by the slope of the scale."""
    lowest, highest = models.choose("lic1").bpp
    return 1 - refined[0] / plain[0] * np.exp(np.log(highest / lowest) / SCALE_DB * (plain[1] - refined[1]))


@pytest.mark.parametrize("quality", [1, 5, 9.5])
def test_every_effort_saves_more(cat: np.ndarray, quality: float) -> None:
    plain, *refined = (rate_and_quality(cat, quality=quality, effort=effort) for effort in (0, 1, 3, 6))
    shares = [saved(plain, one) for one in refined]
    print(quality, [f"{100 * share:.1f} %" for share in shares])
    assert shares[0] > 0.02
    assert shares == sorted(shares)


@pytest.mark.parametrize("size", [(1, 1), (17, 33), (130, 65)])
def test_any_size(size: tuple[int, int]) -> None:
    pixels = photo_like(*size)
    header, decoded = codec.decode(codec.encode(pixels, "RGB", EncodeOptions(quality=8, effort=2)))
    assert (header.height, header.width) == size
    assert metrics.psnr(pixels, decoded) > 28


def test_tiles_see_their_neighbours(cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    in_tiles(monkeypatch, 128)
    plain, refined = (rate_and_quality(cat, quality=5, effort=effort) for effort in (0, 3))
    assert saved(plain, refined) > 0.03


def test_a_map_of_importance_is_kept(cat: np.ndarray) -> None:
    options = {"quality": 5, "roi": (100, 50, 250, 200)}
    plain, refined = (rate_and_quality(cat, effort=effort, **options) for effort in (0, 3))
    assert saved(plain, refined) > 0.015


def test_a_target_is_never_exceeded(cat: np.ndarray) -> None:
    data = codec.encode(cat, "RGB", EncodeOptions(target_size=6000, effort=1))
    assert 5900 < len(data) <= 6000


def test_strips_have_the_gradient_of_the_whole(cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, level = models.choose("lic1"), importance_map.level_field(500, None, (16, 28), 0, 0)
    pixels = cat[:256, :448]
    rng = np.random.default_rng(0)
    y_hat = rng.normal(size=(spec.constants["latents"], 16, 28)).astype(np.float32)
    whole = refinement.error_gradient(spec, y_hat, level, pixels)
    monkeypatch.setattr(refinement, "STRIP_LATENTS", 28 * (4 + 2 * refinement.STRIP_HALO))
    strips = refinement.error_gradient(spec, y_hat, level, pixels)
    assert not np.array_equal(whole, strips)
    assert np.abs(strips - whole).mean() < 0.03 * np.abs(whole).mean()


@pytest.mark.parametrize(("name", "largest", "near"), [("lic1", 0.25, 0.15), ("lic2", 2.0, 0.25)])
def test_a_step_goes_downhill(name: str, largest: float, near: float, cat: np.ndarray) -> None:
    """A small move against the gradient takes away what it says of the error, by the networks: decoders take the smallest latents to be 0.

    largest: lambda at the end of the scale. near: of the path alone it is as good as that of all layers, but another.
    """
    spec, field = models.choose(name), importance_map.level_field(500, None, (16, 28), 0, 0)
    pixels, grid = np.ascontiguousarray(cat[:256, :448]), geometry(spec).grid(256, 448)
    writer = Writer(spec, pixels, Request())
    y_hat = writer.code(500, writer.tiling.whole)[1].y_hat
    assert y_hat.shape[1:] == grid.inside
    unit = filtering.UNIT if geometry(spec).fraction else 1

    def error(latents: np.ndarray) -> np.ndarray:
        return transforms.synthesis(spec, latents, field, reference=True).astype(float) / unit - pixels

    def cost(latents: np.ndarray) -> float:
        return 0.0016 * (largest / 0.0016) ** (500 / MAX_LEVEL) * (error(latents) ** 2).sum() / 3

    if refinement.has_graph(spec):
        slope = refinement.error_gradient(spec, y_hat, field, pixels)
    else:
        slope = gradient.find(spec, np.rint(pixels + error(y_hat)).astype(np.uint8), pixels, field)
    small = 0.02 * slope / refinement.CURVATURE
    promised = (slope.astype(float) * small).sum()
    assert cost(y_hat) - cost(y_hat - small) == pytest.approx(promised, rel=near)


@pytest.mark.parametrize("quality", [5, 8])
def test_the_error_is_that_of_filtered_pixels(cat: np.ndarray, quality: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth more bytes are worth 0.38 dB at least; a step that looks at what the filter will make of it gains beside one that does not."""
    pixels = np.ascontiguousarray(cat[:256, :448])

    def score() -> float:
        data = codec.encode(pixels, "RGB", EncodeOptions(model="lic2", quality=quality, effort=3))
        return metrics.psnr(pixels, codec.decode(data)[1]) - 4 * np.log(len(data))

    through = score()
    own = Writer._path_gradient

    def unfiltered(self: Writer, tile: Area, made: np.ndarray, _filter: Any, *arguments: Any) -> np.ndarray:
        return own(self, tile, made, filtering.NONE, *arguments)

    monkeypatch.setattr(Writer, "_path_gradient", unfiltered)
    assert through > score() + 0.01


@pytest.mark.parametrize("name", ["lic1", "lic2"])
def test_steps_shrink_to_nothing(name: str) -> None:
    spec, level = models.choose(name), np.array([[0, 1024]], np.float32)
    assert refinement.parts(spec, 0, level) == []
    (once,) = refinement.parts(spec, 1, level)
    np.testing.assert_allclose(once[0], refinement.FIRST_PARTS if name == "lic1" else refinement.FIRST_OF_PATH)
    steps, first = np.array(refinement.parts(spec, 4, level)), once if name == "lic1" else once / np.sqrt(2)
    np.testing.assert_allclose(steps[0], first, rtol=1e-6)
    np.testing.assert_allclose(np.diff(steps, axis=0), -np.stack([first / 4] * 3), rtol=1e-5)


def test_what_is_chosen_says_its_scale_indexes(cat: np.ndarray) -> None:
    spec, field = models.choose(None), importance_map.level_field(500, None, (4, 4), 0, 0)
    y, z_hat = (
        np.zeros((spec.constants["latents"], 4, 4), np.float32),
        np.zeros((spec.constants["hyper_latents"], 1, 1), np.float32),
    )
    chosen, _ = residuals.Choice(spec, z_hat, field, geometry(spec).grid(64, 64)).of(y)
    for one in chosen:
        assert one.indexes.shape == one.symbols.shape
        assert one.indexes.max() < 64


def test_pillow_imageio_and_the_command_take_an_effort(tmp_path: Path) -> None:
    source, target = tmp_path / "a.png", tmp_path / "a.lic"
    image = Image.fromarray(photo_like(64, 96))
    image.save(source)
    wanted = saving.encode(image, quality=5, effort=2)
    assert wanted != saving.encode(image, quality=5)
    assert main(["encode", str(source), str(target), "-q", "5", "--effort", "2"]) == 0
    assert target.read_bytes() == wanted
    image.save(target, quality=5, effort=2)
    assert target.read_bytes() == wanted
    assert iio.imwrite("<bytes>", np.asarray(image), extension=".lic", quality=5, effort=2) == wanted


def test_models_that_bend_have_the_graph() -> None:
    assert [spec.name for spec in models_of("lic1") if refinement.has_graph(spec)] == ["lic1"]
