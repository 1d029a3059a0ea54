"""Which exact pixels pay, by bits and error of whole files; the ground beneath them, and colours that are merged."""

from collections.abc import Callable
from itertools import product
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
from made.drawn_pages import AIM, LEVEL, WORDS, aim, page, sign_on_a_photo, slide, soft_lines
from made.pictures import SAMPLE, photo_like
from PIL import Image, ImageDraw, ImageFont

import pillow_lic
from pillow_lic.engine import models
from pillow_lic.exact import (
    aims,
    blockwise,
    choice,
    glyphs,
    ground,
    layer,
    margins,
    merging,
    pixelwise,
    search,
    square,
    whole,
)
from pillow_lic.families import Request
from pillow_lic.fileformat import exact_layer, vp8l
from pillow_lic.fileformat.areas import Area
from pillow_lic.fileformat.levels import quality_to_level
from pillow_lic.writing import trials
from pillow_lic.writing.forms import Coded, Picture

Pixels = npt.NDArray[np.uint8]


def cost(im: Image.Image, quality: float, **words: object) -> float:
    """The bits of a file of the default model, with its error at the slope of the level."""
    data = pillow_lic.encode(im, quality=quality, **words)
    error = np.square(np.asarray(im, np.float32) - np.asarray(pillow_lic.open(data))).mean(2).sum()
    return 8 * len(data) + models.choose(None).slope(quality_to_level(quality)) * float(error)


def test_where_bits_leave_doubt_the_error_of_the_codec_decides() -> None:
    pixels = soft_lines()
    blocks = blockwise.found(pixels)
    assert blocks is not None
    weighed = choice.weighed(pixels, blocks, AIM)
    assert not weighed.is_sure
    hard, easy = (np.full(blocks.cost.shape, bits, np.float32) for bits in (1e5, 0.0))
    assert not weighed.paying(easy).any()
    assert weighed.paying(hard)[blocks.within(choice.LIKELY)].all()
    mixed_cost = hard.copy()
    mixed_cost[:, 3:] = 0
    some = choice.weighed(pixels, blocks, aim(quality_to_level(4.9))).paying(mixed_cost)
    assert some[:, :3].any()
    assert not some[blocks.cost > 0][mixed_cost[blocks.cost > 0] == 0].any()


def test_blocks_are_weighed_with_the_colours_that_they_are_kept_with() -> None:
    """Lines that fade have a new colour in every pixel, until their colours are merged."""
    fade = np.linspace(1, 0.6, 256, dtype=np.float32)[None, :, None]
    pixels = np.rint(soft_lines() * fade + 240 * (1 - fade)).astype(np.uint8)
    blocks, rough = blockwise.measured(pixels), aim(quality_to_level(3))
    shown = blocks.contrast > 0
    few = blocks.within(choice.LIKELY)[shown].mean()
    assert choice.weighed(pixels, blocks, rough).likely[shown].mean() > few + 0.05
    assert choice.weighed(pixels, blocks, AIM).likely[shown].mean() == few


@pytest.mark.parametrize("quality", [2, 4, 5.5, 8])
@pytest.mark.parametrize("picture", [page, slide, sign_on_a_photo, lambda: Image.fromarray(soft_lines())])
def test_a_layer_never_costs_more_than_it_saves(picture: Callable[[], Image.Image], quality: float) -> None:
    assert cost(picture(), quality) <= 1.0001 * cost(picture(), quality, exact=False)


def test_error_is_weighed_by_the_slope_of_the_model() -> None:
    lic1, lic2 = (models.choose(name) for name in ("lic1", "lic2"))
    assert [lic1.slope(0), lic2.slope(0)] == [0.0016, 0.0016]
    assert [lic1.slope(1024), lic2.slope(1024)] == [pytest.approx(0.25), pytest.approx(2)]
    asked = list[tuple[float, bool]]()
    found = search.found

    def spy(colors: Pixels, level: int, aim: Callable[[int], aims.Aim], *trials: Any) -> layer.Layer | None:
        asked.append(aim(level))
        return found(colors, level, aim, *trials)

    with mock.patch.object(search, "found", spy):
        for model in (lic1, lic2):
            pillow_lic.encode(page(64, 64), quality=4, model=model.number)
            assert asked.pop() == (model.slope(quality_to_level(4)), False)


def test_a_page_that_is_whole_has_fewer_colours_where_its_layer_would_have_holes() -> None:
    pixels = soft_lines()
    kept = np.ones((12, 16), np.bool_)
    kept[:, 5:] = False
    made = layer.of_blocks(pixels, kept, kept, np.zeros_like(kept), aim, None)
    everywhere = layer.of_blocks(pixels, np.ones_like(kept), np.ones_like(kept), np.zeros_like(kept), aim, None)
    assert aim(LEVEL).is_exact
    assert (made.whole(LEVEL) == everywhere.whole(LEVEL)).all()
    assert not (made.whole(LEVEL)[:, 80:] == pixels[:, 80:]).all()


@pytest.mark.parametrize(("dearer", "codec", "are_soft"), [(1.1, 100, False), (3, 100, True), (3, 200, False)])
def test_exact_letters_may_cost_more_than_fewer_colours(dearer: float, codec: float, are_soft: bool) -> None:
    """A fifth, or whatever leaves them far below what the codec spends."""
    shape = (12, 16)
    letters = np.zeros(shape, np.bool_)
    letters[:, :5] = True
    spent = np.full(shape, codec, np.float32)

    def weighed(colors: Pixels, blocks: blockwise.Blocks, aim: aims.Aim) -> choice.Weighed:
        every = np.ones(shape, np.bool_)
        return choice.Weighed(every, np.full(shape, 50, np.float32), np.ones(shape, np.float32), is_sure=False)

    def cost(this: square.Square, part: square.Part) -> tuple[float, float]:
        exact = part.kept & ~part.soft & ~_flat(soft_lines())
        return float(np.where(exact, 50 * dearer, np.where(part.kept, 50, this.worth)).sum()), 1.0

    with (
        mock.patch.object(choice, "weighed", weighed),
        mock.patch.object(choice, "letters", return_value=letters),
        mock.patch.object(choice, "CLEAR_LETTERS", -1),
        mock.patch.object(glyphs, "searched", return_value=None),
        mock.patch.object(square.Square, "cost", cost),
    ):
        part = square.chosen(soft_lines(), AIM, lambda: spent)
        assert part.kept.all()
        assert (part.soft == (~letters | are_soft) & ~_flat(soft_lines())).all()
        found = search.found(soft_lines(), LEVEL, aim, lambda _: spent)
    assert found is not None
    assert found.has_letters
    assert found.reach(LEVEL)
    assert found.kind(LEVEL) != found.kind(LEVEL - 1)
    shown = found.whole(LEVEL)
    assert (shown[:, :80] == soft_lines()[:, :80]).all() == (not are_soft)
    assert not (shown[:, 80:] == soft_lines()[:, 80:]).all()
    assert not (found.whole(LEVEL - 1)[:, :80] == soft_lines()[:, :80]).all()


def _flat(pixels: Pixels) -> npt.NDArray[np.bool_]:
    """The blocks that cost nothing, which are exact whatever letters are."""
    blocks = blockwise.found(pixels)
    assert blocks is not None
    return blocks.within(-1)


def test_what_an_area_costs_counts_exact_blocks_glyphs_and_the_codec() -> None:
    glyph_blocks, none = np.array([[True, False, False]]), np.zeros((1, 3), np.bool_)
    ink, wrong, left = np.zeros((16, 48, 3), np.uint8), np.float32([[5, 70, 900]]), np.float32([[0.25, 1, 1]])
    part = square.Part(
        np.array([[False, True, False]]),
        none,
        glyphs.Glyphs(ink, ink[:, :, 0], glyph_blocks, none, 30.0, wrong, wrong, left),
    )
    spent = np.float32([[100, 200, 300]])
    pixels = np.full((16, 48, 3), 90, np.uint8)
    layered = exact_layer.bits(pixels, np.uint8([[0, 255, 0]]).repeat(16, 0).repeat(16, 1))
    cost = square.Square(pixels, AIM, lambda: spent).cost(part)
    assert cost == (pytest.approx(layered + 5 + 25 + 300), layered)


def test_a_smooth_ground_of_few_colours_costs_more_than_its_squared_error() -> None:
    ramp = np.full((64, 64, 3), 100, np.uint8)
    ramp[:, :, :2] += (np.indices((64, 64)) // 2).astype(np.uint8).transpose(1, 2, 0)
    kept, low = np.ones((4, 4), np.bool_), aim(quality_to_level(2))
    _, wrong = choice._bits(ramp, kept, low)
    shown = merging.merged(ramp, np.ones((64, 64), np.bool_), merging.reach(low))
    assert wrong.sum() > 1.5 * low.slope * np.square(shown.astype(int) - ramp).mean(2).sum() > 0


def test_letters_on_a_page_of_little_else_are_exact_even_where_the_codec_is_cheaper() -> None:
    """Pale letters cost the codec less than exact ones do, and are letters."""
    im = Image.new("RGB", (512, 384), "#1e2433")
    with Image.open(SAMPLE) as photo:
        im.paste(photo.convert("RGB").resize((512, 256)))
    draw = ImageDraw.Draw(im)
    for row in range(5):
        draw.text((8, 276 + 20 * row), WORDS, "#f0f0f0", ImageFont.load_default(13))
        draw.text((300, 276 + 20 * row), "pale labels", "#586070", ImageFont.load_default(13))
    pixels = np.asarray(im)
    blocks = blockwise.found(pixels)
    assert blocks is not None
    assert choice.letters(pixels, blocks)[18:, 19:].any()
    again = np.asarray(pillow_lic.open(pillow_lic.encode(im, quality=5)))
    assert (again[272:] == pixels[272:]).all()
    assert not (again[:240] == pixels[:240]).all()


@pytest.mark.parametrize(("quality", "dearer", "is_layered"), [(4.9, 1.05, False), (5, 1.05, True), (5, 1.3, False)])
def test_a_file_with_letters_may_cost_more_from_quality_5_on(quality: float, dearer: float, is_layered: bool) -> None:
    im, level = page(192, 128), quality_to_level(quality)
    model = models.choose(None)
    plain = Coded(Picture(np.asarray(im), "RGB", None), model, Request())
    letters = np.zeros((128, 192), np.bool_)
    letters[:, :80] = True

    kept = layer.named(np.asarray(im), letters, plain.aim)
    assert kept is not None
    tried = trials.Trials(Picture(np.asarray(im), "RGB", None), model, Request(), level)
    area = Area(0, 0, 192, 128)
    tried.spent(area)

    def as_dear(form: Coded, _: int) -> float:
        return 1.0 if form._kept is None else dearer

    patched = mock.patch.multiple(Coded, guessed=as_dear, cost=as_dear)
    with patched, mock.patch.object(trials, "DEARER", 1e6):
        assert tried.pays(area, lambda: kept) == is_layered


def test_a_step_is_seen_in_any_channel_once() -> None:
    rows = np.random.default_rng(8).integers(0, 256, (5, 33, 3), np.uint8)
    for apart in (1, 2):
        differences = np.abs(rows[:, apart:].astype(int) - rows[:, :-apart]).max(2)
        row, column = blockwise.stepping(rows, apart, 120)
        assert (np.stack([row, column]) == np.nonzero(differences >= 120)).all()


def test_the_commonest_colour_of_a_block() -> None:
    pixels = np.arange(20 * 36, dtype=np.uint16).reshape(20, 36)
    colors = np.stack([pixels >> 8, pixels & 255, pixels * 0], 2).astype(np.uint8)
    colors[:16, 16:32] = 7
    colors[3, 20] = 9
    among = np.ones((2, 3), np.bool_)
    among[1, 0] = False
    share = blockwise.commonest(colors, among)
    assert share[0, 1] == 255 / 256
    assert share[0, 0] == 1 / 256
    assert share[1, 0] == 0


def test_letters_beyond_doubt_stay_exact_beside_doubtful_ones() -> None:
    """Of a slide and a page side by side the page's letters are no glyphs, whatever the slide's cost."""
    im = slide(640, 256)
    im.paste(page(with_photo=False), (320, 0))
    pixels = np.asarray(im)
    blocks = blockwise.found(pixels)
    assert blocks is not None
    clear = blocks.within(choice.CLEAR_LETTERS)
    part = square.chosen(pixels, AIM, lambda: np.full(blocks.cost.shape, 2e4, np.float32))
    assert clear[:, 21:][blocks.contrast[:, 21:] > 0].all()
    assert (part.kept & ~part.soft)[clear].all()


def test_a_photograph_is_no_case_for_the_lossless_search() -> None:
    with Image.open(SAMPLE) as photo:
        pixels = np.asarray(photo.convert("RGB"))
    with mock.patch.object(vp8l, "bits", side_effect=AssertionError("it was searched")):
        assert not whole.may_be_within(
            pixels, 3.0 * pixels.shape[0] * pixels.shape[1], lambda: vp8l.bits(pixels), is_drawn=False
        )


def test_what_a_block_costs_the_codec_grows_with_quality() -> None:
    one = np.ones((1, 1), np.float32)
    values = [float(choice.by_contrast(one, aim(quality_to_level(quality)))[0, 0]) for quality in (1, 3, 5, 7, 10)]
    assert values == sorted(values)


def test_merging_moves_no_colour_far_and_grounds_not_at_all() -> None:
    pixels = np.asarray(page(with_photo=False))
    every = np.ones(pixels.shape[:2], np.bool_)
    assert merging.reach(AIM) == 0 < merging.reach(aim(quality_to_level(4.9))) < merging.reach(aim(0)) == 48
    for within in (4, 20, 48):
        fewer = merging.merged(pixels, every, within)
        moved = np.square(fewer.astype(float) - pixels).mean(2)
        assert moved.max() <= within**2
        assert (fewer[0, 0] == pixels[0, 0]).all()
        assert len(np.unique(pixelwise.packed(fewer))) < len(np.unique(pixelwise.packed(pixels)))
    assert merging.merged(pixels, every, 0) is pixels


def test_colours_beyond_a_palette_move_a_little_further_and_rare_ones_do_not_go_far() -> None:
    steps = range(100, 149, 7)
    colors = np.array(
        [(255, 255, 255)] * 400
        + 2 * [(*rest, blue) for rest in product(steps, steps) for blue in steps]
        + [(255, 0, 0)],
        np.uint8,
    )
    pixels = colors[None]
    fewer = merging.merged(pixels, np.ones(pixels.shape[:2], np.bool_), 3)
    assert len(np.unique(pixelwise.packed(pixels))) > merging.PALETTE >= len(np.unique(pixelwise.packed(fewer)))
    assert np.abs(fewer.astype(int) - pixels).max() <= 7
    assert (fewer[0, -1] == (255, 0, 0)).all()


def test_the_ground_is_smooth_and_the_rest_stays() -> None:
    pixels = photo_like(200, 1100, 3)
    gone = np.zeros((200, 1100), np.bool_)
    gone[30:150, 900:1080] = True
    made = ground.continued(pixels, lambda area: gone[area.slices])
    assert (made[~gone] == pixels[~gone]).all()
    inside = made[30:150, 900:1080].astype(int)
    assert max(np.abs(np.diff(inside, axis=axis)).max() for axis in (0, 1)) <= 16
    nothing = ground.continued(pixels, lambda area: np.ones(area.shape, np.bool_))
    assert (nothing == 128).all()


def test_the_ground_around_a_photograph_is_exact_up_to_its_edge() -> None:
    im = Image.new("RGB", (320, 256), "#fdfdf8")
    with Image.open(SAMPLE) as photo:
        im.paste(photo.convert("RGB").resize((150, 120)), (155, 121))
    for row in range(12):
        ImageDraw.Draw(im).text((6, 2 + 20 * row), WORDS[:18], "#203040", ImageFont.load_default(13))
    pixels = np.asarray(im)
    again = np.asarray(pillow_lic.open(pillow_lic.encode(im, quality=4)))
    beside = (slice(121, 241), slice(145, 155))
    assert (again[beside] == pixels[beside]).all()
    assert not (again[121:241, 155:305] == pixels[121:241, 155:305]).all()


def test_margins_are_flat_squares_of_a_kept_ground() -> None:
    pixels = np.full((64, 64, 3), 200, np.uint8)
    pixels[:, 40:] = np.random.default_rng(1).integers(0, 255, (64, 24, 3))
    pixels[20:24, 16:40] = 90
    exact, none = np.zeros((2, 64, 64), np.bool_)
    exact[:, :16] = True
    found = margins.found(pixels, exact, none)
    assert found[:20, 16:40].all()
    assert not found[20:24].any()
    assert not found[:, 40:].any()
    assert not (found & exact).any()
    taken = none.copy()
    taken[:, 30:] = True
    assert not margins.found(pixels, exact, taken)[:, 30:].any()
