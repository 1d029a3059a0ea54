"""Letters on subpixels: they are found by their fringes, and are exact from quality 5 on."""

import numpy as np
import pytest
from made.drawn_pages import WORDS, page
from PIL import Image, ImageDraw, ImageFont

import pillow_lic
from pillow_lic.exact import aims, blockwise, choice, square

FILTER = (1, 2, 3, 2, 1)


def subpixel_text(ink: int, ground: int, size: int = 36, apart: int = 60) -> Image.Image:
    """A page of text whose red, green and blue are a third of a pixel apart, filtered over five thirds as FreeType does.

    size, apart: of its rows, in thirds of a pixel.
    """
    rng, wide, words = np.random.default_rng(size), Image.new("L", (3 * 512, 3 * 384)), 3 * WORDS.split()
    draw = ImageDraw.Draw(wide)
    for row in range(3 * 384 // apart):
        line = " ".join(rng.permutation(words))
        draw.text((9 + row, 6 + apart * row), line, 255, ImageFont.load_default(size + row % 8))
    cover = np.asarray(wide, np.float32).reshape(384, 3, 3 * 512).mean(1) / 255
    soft = sum(weight * np.roll(cover, step, 1) for step, weight in enumerate(FILTER, -2)) / sum(FILTER)
    return Image.fromarray(np.rint(ground + (ink - ground) * np.asarray(soft)).astype(np.uint8).reshape(384, 512, 3))


@pytest.mark.parametrize(("ink", "ground"), [(230, 30), (32, 255)])
@pytest.mark.parametrize(("size", "apart"), [(36, 60), (30, 42)])
def test_letters_on_subpixels_are_exact_from_quality_5_on(ink: int, ground: int, size: int, apart: int) -> None:
    im = subpixel_text(ink, ground, size, apart)
    files = [pillow_lic.encode(im, quality=quality, effort=0) for quality in (4, 5, 6)]
    assert [bool((np.asarray(pillow_lic.open(file)) == np.asarray(im)).all()) for file in files] == [False, True, True]
    assert len(files[1]) == len(files[2])


def test_they_are_exact_up_to_all_that_the_codec_spends() -> None:
    pixels, aim = np.asarray(subpixel_text(32, 255)), aims.Aim(0.038, is_exact=True)
    blocks, none = blockwise.measured(pixels), np.zeros((24, 32), np.bool_)
    cost, _ = square.Square(pixels, aim, lambda: none.astype(np.float32)).cost(square.Part(~none, none, None))
    found = []
    for share in (0.8, 1.2):
        spent = np.full((24, 32), cost / share / (24 * 32), np.float32)
        this = square.Square(pixels, aim, lambda spent=spent: spent)
        found.append(bool(this.with_letters(blocks).soft.any()))
    assert found == [False, True]


def test_letters_lie_on_subpixels_where_red_and_blue_step_apart_and_those_of_scaled_pages_do_not() -> None:
    scaled = page(307, 204, with_photo=False).resize((384, 256), Image.Resampling.LANCZOS)
    grey = np.asarray(scaled.convert("L"))[:, :, None]
    assert [
        choice.are_on_subpixels(pixels) for pixels in (np.asarray(subpixel_text(230, 30)), np.asarray(scaled), grey)
    ] == [
        True,
        False,
        False,
    ]
