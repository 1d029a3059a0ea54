"""Ink and cover: letters that blend with a ground which the networks draw."""

from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
from made.drawn_pages import AIM, aim, nothing, page, slide
from made.pictures import SAMPLE
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import pillow_lic
from pillow_lic import metrics
from pillow_lic.exact import glyphs, grounds, rough, square
from pillow_lic.fileformat.levels import quality_to_level

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


def glyphs_of(pixels: Pixels, taken: Mask | None) -> glyphs.Glyphs | None:
    """The glyphs of a tile in files of AIM."""
    return glyphs.paying(glyphs.searched(pixels, taken), pixels, taken, AIM, nothing)


@pytest.mark.parametrize(("model", "gain"), [("lic1", 6), ("lic2", 2)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_letters_on_a_gradient_blend_with_it(mode: str, model: str, gain: float) -> None:
    """gain: dB over the file without the layer, which has 4 dB more at this quality by lic2."""
    im = slide().convert(mode)
    with_layer, without = (pillow_lic.encode(im, quality=6, model=model, exact=exact) for exact in ("auto", False))
    assert len(with_layer) < 0.5 * len(without)
    whole, other = (np.asarray(pillow_lic.open(data)) for data in (with_layer, without))
    assert metrics.psnr(np.asarray(im), whole) > max(37, metrics.psnr(np.asarray(im), other) + gain)
    part = np.asarray(pillow_lic.open(with_layer).region((9, 7, 200, 90))).astype(int)
    assert np.abs(part - whole[7:90, 9:200]).max() <= 1


def test_glyphs_are_weighed_on_the_ground_beside_them() -> None:
    pixels = np.full((48, 48, 3), 100, np.uint8)
    cover = np.zeros((48, 48), np.uint8)
    cover[16:32, 16:32] = 64
    pixels[cover > 0] = 75  # a quarter black over 100
    black = np.zeros_like(pixels)
    assert glyphs._errors(black, cover, pixels, AIM)[0].max() <= 256
    pixels[cover > 0] = 112  # a quarter black over 150, which lies nowhere beside it
    errors, _ = glyphs._errors(black, cover, pixels, AIM)
    assert errors[1, 1] > 256 * 35**2
    assert errors.sum() == errors[1, 1]


def test_cover_fits_the_ground_beside_it() -> None:
    pixels, black = np.full((48, 96, 3), 100, np.uint8), np.zeros((48, 96, 3), np.uint8)
    cover = np.zeros((48, 96), np.uint8)
    cover[16:32, 16:32] = 64  # as on a plane of 133, which goes on from elsewhere
    cover[16:32, 64:80] = 200
    pixels[16:32, 64:80] = 50  # half black over 100
    fitted = glyphs._refitted(black, cover, pixels)
    assert not fitted[:, :48].any()
    assert (fitted[16:32, 64:80] == 128).all()


def test_glyphs_whose_ground_is_beneath_kept_blocks_are_none() -> None:
    pixels, white = np.full((48, 160, 3), 30, np.uint8), np.full((48, 160, 3), 255, np.uint8)
    pixels[:, 144:] = 200, 30, 30
    cover = np.zeros((48, 160), np.uint8)
    cover[16:32, 16:] = 64
    pixels[16:32, 16:144] = 86  # a quarter white over 30
    pixels[16:32, 144:] = 214, 86, 86  # and over red
    blocks = cover[8::16, 8::16] > 0
    even, worth = np.zeros_like(blocks), np.full(blocks.shape, 3e4, np.float32)
    found = glyphs.Glyphs(white, cover, blocks, even, 900.0, 0 * worth, worth, 0 * worth)
    kept = np.zeros_like(blocks)
    same = found.settled(pixels, kept, AIM)
    assert same is not None
    assert (same.blocks == blocks).all()
    kept[:, 9] = ~blocks[:, 9]
    fewer = found.settled(pixels, kept, AIM)
    assert fewer is not None
    assert np.argwhere(blocks & ~fewer.blocks).tolist() == [[1, 9]]


def sky(rows: int, columns: int) -> npt.NDArray[np.float64]:
    """A ground of so many blocks whose levels (h, w, 3) fall by a fifth a row."""
    levels = 180 - 0.2 * np.arange(16 * rows)[:, None, None]
    return np.broadcast_to(levels + np.array([0, 20, 40]), (16 * rows, 16 * columns, 3)).copy()


def test_a_plane_goes_on_under_letters_that_leave_little_of_it() -> None:
    pixels = sky(5, 6)
    for column in range(16, 80, 3):
        pixels[16:64, column : column + 2] = 255
    whole = np.rint(pixels).astype(np.uint8)
    found = grounds.smooth(whole, None)
    places = (np.arange(1, 4)[:, None] * 6 + np.arange(1, 5)).ravel()
    assert set(places) <= set(found.places)
    assert (
        np.abs(found.ground[:, :, 0] - pixels[:16, :16, 0].reshape(1, 256) + 3.2 * (found.places[:, None] // 6)).max()
        < 1
    )


def test_a_plane_does_not_go_on_over_another_ground() -> None:
    pixels = sky(4, 4)
    pixels[:, 32:] = np.random.default_rng(5).integers(0, 256, (64, 32, 3))
    pixels[20:28, 4:12] = 255
    assert grounds.smooth(np.rint(pixels).astype(np.uint8), None).places.tolist() == [4]


def test_inks_are_those_of_the_strongest_strokes() -> None:
    pixels = sky(4, 8)
    shades = np.random.default_rng(6).permutation(np.arange(24, 90, 1.5))
    for number, shade in enumerate(shades[:28]):  # many pixels of many pale shades, and few of one dark ink
        row, column = divmod(number, 7)
        pixels[16 * row + 2 : 16 * row + 7, 16 * column + 2 : 16 * column + 12] -= shade
    pixels[54:58, 118:122] = 20
    blocks = grounds.smooth(np.rint(pixels).astype(np.uint8), None)
    inks = glyphs._inks(blocks, glyphs._contrasts(blocks))
    assert [20, 20, 20] in inks.tolist()
    assert all(np.abs(inks[:place] - ink).max(1).min() > 8 for place, ink in enumerate(inks) if place)


def test_glyphs_make_room_for_exact_letters() -> None:
    blocks = np.ones((4, 4), np.bool_)
    taken = np.zeros((4, 4), np.bool_)
    taken[:2, 0] = True
    wrong = np.full((4, 4), 3, np.float32)
    planes = np.zeros((64, 64, 3), np.uint8), np.full((64, 64), 9, np.uint8)
    whole = glyphs.Glyphs(*planes, blocks, blocks, 160.0, wrong, wrong, wrong)
    assert whole.cost == 160 + 16 * 3
    left = whole.beside(taken)
    assert left is not None
    assert left.blocks.sum() == 14
    assert not left.cover[:32, :16].any()
    assert left.cover[32:, :16].all()
    assert left.cost == pytest.approx(140 + 14 * 3)
    assert whole.beside(blocks) is None


@pytest.mark.parametrize(("bits", "has_glyphs"), [(95, False), (85, True)])
def test_glyphs_take_the_place_of_blocks_where_they_cost_clearly_less(bits: float, *, has_glyphs: bool) -> None:
    none = np.zeros((4, 4), np.bool_)
    blocks = square.Part(~none, none, None)
    soft = square.Part(none, none, glyphs_of(np.asarray(slide()), None))
    pixels = np.zeros((64, 64, 3), np.uint8)
    with (
        mock.patch.object(square.Square, "left", return_value=0.0),
        mock.patch.object(square.Square, "cost", lambda _, part: (100 if part.glyphs is None else bits, 7)),
    ):
        chosen = square.Square(pixels, AIM, lambda: np.zeros((4, 4), np.float32)).cheapest([blocks, soft])
    assert (chosen.glyphs is not None) == has_glyphs
    assert chosen.bits == 7


def test_bits_are_not_counted_where_what_is_left_to_the_codec_decides() -> None:
    none = np.zeros((4, 4), np.bool_)
    parts = [square.Part(~none, none, None), square.Part(none, none, None)]
    with mock.patch.object(square.Square, "cost", return_value=(79.0, 7.0)) as counted:
        this = square.Square(np.zeros((64, 64, 3), np.uint8), AIM, lambda: np.full((4, 4), 5, np.float32))
        chosen = this.cheapest(parts)
    assert chosen.kept.all()
    assert counted.call_count == 1


def test_a_psnr_is_reached_with_glyphs() -> None:
    im = slide(128, 96)
    data = pillow_lic.encode(im, target_psnr=35)
    assert 34.9 < metrics.psnr(np.asarray(im), np.asarray(pillow_lic.open(data))) < 40


def test_glyphs_lie_beside_exact_pixels() -> None:
    im = slide(640, 256)
    im.paste(page(with_photo=False), (320, 0))
    again = np.asarray(pillow_lic.open(pillow_lic.encode(im, quality=5)))
    assert (again[:, 336:] == np.asarray(im)[:, 336:]).all()
    assert metrics.psnr(again[:, :304], np.asarray(im)[:, :304]) > 35


def test_a_silhouette_with_noise_behind_it_has_no_glyphs() -> None:
    pixels = np.asarray(slide()).astype(int)
    noisy = pixels + np.rint(np.random.default_rng(3).normal(0, 2, pixels.shape)).astype(int)
    assert glyphs_of(noisy.clip(0, 255).astype(np.uint8), None) is None
    assert glyphs_of(np.asarray(slide()), None) is not None
    everything = np.ones((16, 20), np.bool_)
    assert glyphs_of(np.asarray(slide()), everything) is not None
    assert glyphs_of(np.asarray(page(with_photo=False)), everything) is None
    assert [glyphs.degrees(aim(quality_to_level(quality))) for quality in (1, 3, 5, 7, 10)] == [3, 5, 8, 12, 24]


def title_on_a_photo() -> Image.Image:
    """Large white letters, without an outline, on a soft photograph."""
    with Image.open(SAMPLE) as photo:
        im = photo.convert("RGB").resize((320, 256)).filter(ImageFilter.GaussianBlur(1.5))
    draw, font = ImageDraw.Draw(im), ImageFont.load_default(44)
    for row, words in enumerate(("Letters over", "a photograph", "stay letters", "after a save")):
        draw.text((8, 4 + 62 * row), words, "white", font)
    return im


def test_letters_on_a_photograph_blend_with_it() -> None:
    im = title_on_a_photo()
    with_layer, without = (pillow_lic.encode(im, quality=5, exact=exact) for exact in ("auto", False))
    assert len(with_layer) < 0.97 * len(without)
    whole, other = (np.asarray(pillow_lic.open(data)) for data in (with_layer, without))
    assert metrics.psnr(np.asarray(im), whole) > metrics.psnr(np.asarray(im), other)


def test_what_is_clipped_in_a_photograph_is_no_ink() -> None:
    title = np.asarray(title_on_a_photo())
    nothing_else = np.zeros(0, np.intp)
    assert len(rough.found(title, nothing_else).places) > 40
    bright = np.full((64, 64, 3), 40.0)
    distance = np.hypot(*(np.indices((64, 64)) - 32))
    bright += np.clip(26 - distance, 0, 26)[:, :, None] * 14  # a lamp: every level between it and the dark around
    clipped = np.rint(bright.clip(0, 255)).astype(np.uint8)
    assert (clipped == 255).any()
    assert not len(rough.found(np.tile(clipped, (2, 2, 1)), nothing_else).places)


def test_a_shadow_is_no_glyph() -> None:
    cards = sky(8, 8)
    for y in (8, 72):
        for step in range(24):
            cards[y + 24 + step, 8:120] *= 0.52 + 0.02 * step
        cards[y : y + 24, 8:120] = 255
    shadows = (cards < 150).any(2)
    found = glyphs.searched(np.rint(cards).astype(np.uint8), None)
    assert found is None or not (found.cover[shadows] > 0).any()


def test_a_thin_bar_of_a_gradient_is_no_shadow() -> None:
    pixels = sky(8, 8)
    along = np.linspace(0, 1, 112)[:, None]
    for y in range(13, 120, 16):
        pixels[y : y + 6, 8:120] += along * (np.array([255, 80, 40]) - pixels[y : y + 6, 8:120])
    for y in range(2, 120, 16):
        pixels[y : y + 5, 8:120:7] = pixels[y : y + 5, 9:120:7] = (255, 80, 40)
    found = glyphs.searched(np.rint(pixels).astype(np.uint8), None)
    assert found is not None
    assert (found.cover[45:51, 64:112] > 0).mean() > 0.9
