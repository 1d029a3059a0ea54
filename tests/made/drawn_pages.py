"""Pictures with letters and lines, and what files of lic1 aim at, for the tests of exact pixels."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from made.pictures import SAMPLE
from pillow_lic.engine import models
from pillow_lic.exact import aims
from pillow_lic.fileformat.levels import quality_to_level

Pixels = npt.NDArray[np.uint8]

LEVEL = quality_to_level(5)
WORDS = "Letters stay letters, and lines stay lines."


def aim(level: int) -> aims.Aim:
    """What files of lic1 aim at."""
    return aims.aim(models.choose("lic1").slope(level), level)


AIM = aim(LEVEL)


def page(width: int = 320, height: int = 256, *, with_photo: bool = True) -> Image.Image:
    """A page of text; its right half is a photograph if asked for."""
    im = Image.new("RGB", (width, height), "#fdfdf8")
    draw = ImageDraw.Draw(im)
    for row in range(height // 18):
        draw.text((6, 2 + 18 * row), WORDS, "#203040", ImageFont.load_default(13))
    if with_photo:
        with Image.open(SAMPLE) as photo:
            im.paste(photo.convert("RGB").resize((width // 2, height)), (width // 2, 0))
    return im


def text_of(im: Image.Image) -> Pixels:
    """The left half of a page, up to the block that the photograph begins in."""
    return np.asarray(im)[:, : im.width // 2 - 16]


def slide(width: int = 320, height: int = 256) -> Image.Image:
    """White and yellow letters on a gradient."""
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    im = Image.fromarray(np.rint(np.stack([30 + 90 * across, 60 + 70 * down, 170 - 50 * across], 2)).astype(np.uint8))
    draw = ImageDraw.Draw(im)
    for row in range(height // 24):
        draw.text((6, 2 + 24 * row), WORDS, ("#ffffff", "#ffe060")[row % 2], ImageFont.load_default(15))
    return im


def soft_lines(width: int = 256, height: int = 192) -> Pixels:
    """Lines of three colours at every angle, drawn large and made small, as on a map."""
    im = Image.new("RGB", (2 * width, 2 * height), "#f2efe9")
    draw, rng = ImageDraw.Draw(im), np.random.default_rng(5)
    for number in range(30):
        ends = [tuple(point) for point in rng.uniform(0, 2 * width, (2, 2)).tolist()]
        draw.line(ends, ("#ffffff", "#e892a2", "#444444")[number % 3], 9)
    return np.asarray(im.resize((width, height), Image.Resampling.BOX))


def sign_on_a_photo() -> Image.Image:
    """Letters with soft edges on a photograph, as on a banner."""
    with Image.open(SAMPLE) as photo:
        im = photo.convert("RGB").resize((320, 256))
    ImageDraw.Draw(im).text(
        (10, 90), "SALE 50 %\nonly today", "white", ImageFont.load_default(48), stroke_width=2, stroke_fill="#333333"
    )
    return im


def nothing() -> Pixels:
    """Stands for what the codec would lose, where nobody may ask for it."""
    raise AssertionError
