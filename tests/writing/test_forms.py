"""The forms of a picture: a trial is the file, costs count error at the model's slope, and what is whole runs no network."""

import io
from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
from made.pictures import photo_like
from PIL import Image, ImageDraw, ImageFont

import pillow_lic
from pillow_lic import codec, families, metrics
from pillow_lic.engine import models
from pillow_lic.exact import aims, layer
from pillow_lic.families import Request
from pillow_lic.families.lic1 import analysis, detail, synthesis
from pillow_lic.fileformat import container, vp8l
from pillow_lic.fileformat.levels import quality_to_level
from pillow_lic.fileformat.limits import MAX_LEVEL
from pillow_lic.writing.forms import Alone, Coded, Picture

Pixels = npt.NDArray[np.uint8]

LEVEL = quality_to_level(5)
MODELS = ["lic1", "lic2", "balle2018", "restored"]


def page(width: int = 192, height: int = 128) -> Pixels:
    """A page of text."""
    im = Image.new("RGB", (width, height), "#fdfdf8")
    draw = ImageDraw.Draw(im)
    for row in range(height // 18):
        draw.text((6, 2 + 18 * row), "Letters stay letters.", "#203040", ImageFont.load_default(13))
    return np.asarray(im)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shape", [(80, 96), (37, 21)])
def test_a_trial_is_what_the_file_holds(name: str, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last few samples, and as the networks draw it, of which native layers have some one level off, as often up as down."""
    model, pixels = models.choose(name), photo_like(*shape, 3)
    level = model.nearest_level(LEVEL)
    writer = families.writer(model, pixels, Request(effort=model.effort))
    trial = writer.tried(level)
    assert list(map(bytes, trial.payloads)) == list(map(bytes, writer.payloads(level)))
    data = Coded(Picture(pixels, "RGB", None), model, Request(effort=model.effort)).file(level)
    off = np.abs(codec.decode(data)[1].astype(int) - trial.colors)
    assert off.max() <= 1
    assert np.count_nonzero(off) <= 0.005 * off.size
    for layers in (synthesis, detail):
        monkeypatch.setattr(layers, "_native", lambda model: None)
    off = codec.decode(data)[1].astype(int) - trial.colors
    assert np.abs(off).max() <= 1
    assert np.count_nonzero(off) <= 0.09 * off.size
    assert abs(off.mean()) <= 0.005


def test_a_file_whose_cost_is_known_is_not_coded_again() -> None:
    picture, model = Picture(photo_like(64, 64, 3), "RGB", {"exif": b"x" * 1000}), models.choose(None)
    form, other = (Coded(picture, model, Request()) for _ in range(2))
    assert not form.was_tried(LEVEL)
    cost = form.cost(LEVEL)
    assert form.was_tried(LEVEL)
    with mock.patch("pillow_lic.engine.runtime.run", side_effect=AssertionError("a network ran")):
        data = form.file(LEVEL)
        assert form.cost(LEVEL) == cost
    assert not form.was_tried(LEVEL + 1)
    assert data == other.file(LEVEL)
    error = np.square(codec.decode(data)[1].astype(float) - picture.pixels).mean(2).sum()
    assert cost == pytest.approx(8 * len(data) + model.slope(LEVEL) * error, rel=1e-3)
    assert form.psnr(LEVEL) == pytest.approx(metrics.psnr(codec.decode(data)[1], picture.pixels), abs=0.01)


@pytest.mark.parametrize(("name", "within"), [("lic1", 1e-3), ("lic2", 0.25), ("balle2018", 1e-3)])
def test_a_guess_is_near_what_is_coded(name: str, within: float) -> None:
    """Of a photograph; it is what a file costs where a family knows nothing quicker."""
    picture, model = Picture(photo_like(128, 192, 3), "RGB", {"exif": b"x" * 1000}), models.choose(name)
    level = model.nearest_level(LEVEL)
    form = Coded(picture, model, Request())
    trial = form.writer.tried(level)
    error = np.square(trial.colors.astype(float) - picture.pixels).mean(2).sum()
    cost = 8 * sum(map(len, trial.payloads)) + model.slope(level) * error  # no block pays for EXIF
    assert form.guessed(level) == pytest.approx(cost, rel=within)
    spent = form.spent(level)
    assert spent.shape == (8, 12)
    assert spent.sum() == pytest.approx(form.guessed(level), rel=1e-3)


def test_another_map_is_another_file() -> None:
    form = Coded(Picture(photo_like(64, 64, 3), "RGB", None), models.choose(None), Request())
    form.cost(LEVEL)
    form.deltas = np.full((4, 4), 3, np.int8)
    assert not form.was_tried(LEVEL)


@pytest.mark.parametrize("name", ["lic2", "balle2018"])
def test_a_grey_layer_over_networks_that_code_rgb_is_weighed(name: str) -> None:
    """A grey page is coded as RGB with a layer of one channel over it."""
    grey = Image.fromarray(page()).convert("L")
    rgb = grey.convert("RGB")
    model, marked = models.choose(name), np.zeros((128, 192), np.bool_)
    marked[:, :96] = True
    forms = []
    for im, mode in ((grey, "L"), (rgb, "RGB")):
        picture = Picture(np.asarray(im).reshape(128, 192, -1), mode, None)
        plain = Coded(picture, model, Request())
        kept = layer.named(picture.colors, marked, plain.aim)
        assert kept is not None
        forms.append(Coded(picture, model, Request(), kept))
    level = model.nearest_level(quality_to_level(3))
    assert forms[0].psnr(level) == pytest.approx(forms[1].psnr(level), abs=0.01)
    assert forms[0].guessed(level) == pytest.approx(forms[1].guessed(level), rel=0.05)
    again = codec.decode(forms[0].file(level))[1]
    assert metrics.psnr(again, np.asarray(grey)[:, :, None]) == pytest.approx(forms[0].psnr(level), abs=0.2)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_what_is_whole_runs_no_network(mode: str) -> None:
    pixels = np.asarray(Image.fromarray(page()).convert(mode)).reshape(128, 192, -1)
    picture = Picture(pixels, mode, None, MAX_LEVEL - 1)
    kept = layer.named(
        picture.colors, np.ones((128, 192), np.bool_), Coded(picture, models.choose(None), Request()).aim
    )
    assert kept is not None
    with mock.patch("pillow_lic.engine.runtime.run", side_effect=AssertionError("a network ran")):
        form = Alone(picture, models.choose(None), Request(), kept)
        data = form.file(MAX_LEVEL)
        assert form.cost(LEVEL) == 8 * len(form.file(LEVEL))
    assert container.read_front(io.BytesIO(data)).header.level == MAX_LEVEL - 1
    assert (codec.decode(data)[1] == pixels).all()


def test_a_page_with_little_else_needs_no_network() -> None:
    """Nine tenths are drawn, and the rest is no dearer than the hole that it would be."""
    pixels = page(512, 256).copy()
    pixels[64:96, 96:160] = np.arange(64)[None, :, None] + np.arange(32)[:, None, None] + np.uint8([90, 100, 110])
    with mock.patch("pillow_lic.engine.runtime.run", side_effect=AssertionError("a network ran")):
        data = pillow_lic.encode(Image.fromarray(pixels), quality=6)
    assert (np.asarray(pillow_lic.open(data)) == pixels).all()


def test_every_pixel_as_it_is_is_counted_and_written_once() -> None:
    pixels, model = page(), models.choose(None)
    picture = Picture(pixels, "RGB", None)
    kept = layer.named(pixels, np.ones(pixels.shape[:2], np.bool_), lambda level: aims.aim(model.slope(level), level))
    assert kept is not None
    with (
        mock.patch.object(vp8l, "bits", wraps=vp8l.bits) as counted,
        mock.patch.object(vp8l, "write", wraps=vp8l.write) as written,
    ):
        first, second = (Alone(picture, model, Request(), kept) for _ in range(2))
        assert first.expected(LEVEL) == second.expected(LEVEL) == picture.whole_bits
        assert first.file(LEVEL) == second.file(LEVEL)
    assert counted.call_count == 1
    assert written.call_count == 1


def test_a_file_goes_on_where_a_guess_ended() -> None:
    model, pixels = models.choose("lic2"), photo_like(80, 96, 3)
    anew = families.writer(model, pixels, Request()).payloads(LEVEL)
    writer = families.writer(model, pixels, Request(search=True))
    families.guessed(writer, LEVEL)
    with mock.patch.object(analysis, "latents", side_effect=AssertionError):
        assert list(map(bytes, writer.payloads(LEVEL))) == list(map(bytes, anew))
    writer.deltas = np.full((5, 6), 8, np.int8)
    assert list(map(bytes, writer.payloads(LEVEL))) != list(map(bytes, anew))
