"""A picture in doubt is settled square by square: what is tried, how often, and what is never coded twice."""

import threading
from collections.abc import Callable
from typing import Any, cast
from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
from made.drawn_pages import aim, soft_lines
from made.pictures import photo_like
from PIL import Image

import pillow_lic
from pillow_lic.engine import models
from pillow_lic.exact import layer, square, whole
from pillow_lic.families import Request
from pillow_lic.families.lic1.writing import Writer
from pillow_lic.fileformat import vp8l
from pillow_lic.fileformat.areas import Area
from pillow_lic.fileformat.levels import quality_to_level
from pillow_lic.writing import trials as trying
from pillow_lic.writing.forms import Coded, Picture
from pillow_lic.writing.trials import Trials

Pixels = npt.NDArray[np.uint8]

LEVEL = quality_to_level(5)
SIDE = 256
AREA = Area(0, 0, 256, 192)


@pytest.fixture
def small_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Squares of SIDE pixels, so that a small picture has several."""
    monkeypatch.setattr(layer, "_SQUARES", SIDE)


def collage() -> Pixels:
    """Three squares of grain, which shows nothing drawn, and one that is in doubt."""
    grain = np.random.default_rng(2).normal(120, 9, (2 * SIDE, 2 * SIDE, 3))
    pixels = np.rint(grain).clip(0, 255).astype(np.uint8)
    pixels[SIDE:, SIDE:] = photo_like(SIDE, SIDE, 3)
    return pixels


def coded_by(encode: Callable[[], bytes]) -> list[tuple[int, ...]]:
    """The shapes of the pictures whose tiles are coded."""
    return _shapes("code", encode)


def _shapes(name: str, encode: Callable[[], bytes]) -> list[tuple[int, ...]]:
    """The shapes of the pictures whose writers are asked for something."""
    shapes = []
    method = getattr(Writer, name)

    def spy(writer: Writer, *place: object) -> object:
        shapes.append(writer.tiling.whole.shape)
        return method(writer, *place)

    with mock.patch.object(Writer, name, spy):
        encode()
    return shapes


@pytest.mark.usefixtures("small_squares")
def test_only_squares_in_doubt_are_tried_and_the_picture_is_coded_once() -> None:
    im = Image.fromarray(collage())

    def encode() -> bytes:
        return pillow_lic.encode(im, quality=5, effort=0, model="lic2")

    assert coded_by(encode) == [(2 * SIDE, 2 * SIDE)]
    tried = _shapes("guessed", encode)
    assert 1 <= tried.count((SIDE, SIDE)) == len(tried) <= 2


@pytest.mark.usefixtures("small_squares")
def test_threads_search_squares_at_once_for_the_same_file() -> None:
    im = Image.fromarray(np.concatenate([collage(), collage()], 1))
    names: set[str] = set()
    chosen = square.chosen

    def spy(*arguments: Any) -> square.Part:
        names.add(threading.current_thread().name)
        return chosen(*arguments)

    files = []
    for threads in (1, 3):
        with pillow_lic.settings(threads=threads), mock.patch.object(square, "chosen", spy):
            files.append(pillow_lic.encode(im, quality=5, effort=0, model="lic2"))
    assert files[0] == files[1]
    assert len(names) > 1


def test_trials_code_nothing() -> None:
    """But the file, and what a square costs is found once."""
    im = Image.fromarray(soft_lines())
    assert len(coded_by(lambda: pillow_lic.encode(im, quality=4, effort=0, model="lic2"))) <= 1
    trials, area = Trials(Picture(soft_lines(), "RGB", None), models.choose("lic2"), Request(), LEVEL), AREA
    spent = trials.spent(area)
    with mock.patch.object(Writer, "guessed", side_effect=AssertionError("a square was tried again")):
        assert trials.spent(area) is spent
    assert trials.form(None).is_drawn


@pytest.mark.parametrize(("bits", "is_tried"), [(0.1, False), (0.85, True), (1.3, False)])
def test_a_layer_is_tried_where_it_may_or_may_not_pay(bits: float, is_tried: bool) -> None:
    """bits: of a layer that covers most of a picture, for one bit of what the codec spends on it."""
    picture, model = Picture(soft_lines(), "RGB", None), models.choose("lic2")
    level, area = quality_to_level(4), Area(0, 0, 256, 192)
    trials = Trials(picture, model, Request(), level)
    places = np.ones((192, 256), np.bool_)
    places[:16] = False
    made = layer.named(picture.colors, places, aim)
    assert made is not None
    covered = float((trials.spent(area) * (1 - made.left())).sum())
    with (
        mock.patch.object(layer.Layer, "bits", return_value=bits * covered),
        mock.patch.object(Coded, "guessed", return_value=1.0) as cost,
    ):
        assert trials.pays(area, lambda: made) == (bits < 1)
    assert bool(cost.call_count) == is_tried


@pytest.mark.parametrize(
    ("guessed", "coded", "is_kept"), [(1.05, 0.9, True), (0.98, 1.1, False), (0.9, None, True), (1.2, None, False)]
)
def test_what_guesses_leave_open_is_coded(guessed: float, coded: float | None, is_kept: bool) -> None:
    """guessed, coded: what a file with a layer costs for one bit without; None: it is not coded."""
    picture, model, level = Picture(soft_lines(), "RGB", None), models.choose("lic2"), quality_to_level(4)
    tried = Trials(picture, model, Request(), level)
    tried.spent(AREA)
    places = np.ones((192, 256), np.bool_)
    places[:, :64] = False
    made = layer.named(picture.colors, places, aim)
    costs = mock.Mock(side_effect=[1.0, coded])
    with (
        mock.patch.object(Coded, "guessed", lambda form, _: 1.0 if form._kept is None else guessed),
        mock.patch.object(Coded, "cost", costs),
        mock.patch.object(trying, "DEARER", 1e6),
    ):
        assert tried.pays(AREA, lambda: cast("layer.Layer", made)) == is_kept
    assert costs.call_count == (0 if coded is None else 2)


def test_a_square_beyond_doubt_is_neither_tried_nor_weighed() -> None:
    trials = Trials(Picture(soft_lines(), "RGB", None), models.choose("lic2"), Request(), LEVEL)
    assert trials.pays(Area(0, 0, 256, 192), mock.Mock(side_effect=AssertionError("a layer was made")))
    assert not trials.form(None).is_drawn


def test_photographs_end_the_lossless_search_of_what_is_drawn_in_part() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (256, 256, 3), np.uint8)
    pixels = np.concatenate([noise, np.full((256, 768, 3), 250, np.uint8)], 1)
    few = noise[:, :, :1].repeat(3, 2) & np.uint8(0xF0)
    with mock.patch.object(vp8l, "bits", return_value=0) as counted:
        assert not whole.may_be_within(pixels, 5.0 * noise[:, :, 0].size, lambda: vp8l.bits(pixels), is_drawn=True)
        counted.assert_not_called()
        assert whole.may_be_within(pixels, 24.0 * noise[:, :, 0].size, lambda: vp8l.bits(pixels), is_drawn=True)
        assert whole.may_be_within(
            few, 0.0, lambda: vp8l.bits(few), is_drawn=True
        )  # a palette of 16 colours, whatever their differences are


@pytest.mark.usefixtures("small_squares")
def test_the_ground_under_glyphs_is_not_what_the_codec_spent_on_them() -> None:
    cover = np.zeros((192, 256), np.uint8)
    cover[:, 20] = 128
    nothing = np.zeros((12, 16), np.bool_)
    made = layer.of_blocks(soft_lines(), nothing, nothing, nothing, aim, (soft_lines(), cover))
    left = made.left()
    assert (left[:, 1] == 0).all()
    assert left.sum() == 12 * 15
