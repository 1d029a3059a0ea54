"""Screens as they are passed on: saved as JPEG and opened again, scaled, scanned; letters over photographs; codes and sprites."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from .drawn import Drawn
from .overlays import FONTS

SAVED = (
    ("program/mail-1x", 85, 2),
    ("program/calendar-1x", 92, 2),
    ("program/ide-dark-1x", 88, 0),
    ("language/news-han-1x", 90, 2),
    ("panel/cookies-1x", 95, 0),
)
"""Screenshots that were saved as JPEG: name, quality, subsampling as Pillow counts it."""
SCALED = (
    ("program/mail-1x", 1.25),
    ("program/diff-2x", 0.8),
    ("figure/infographic-2x", 0.67),
    ("program/calendar-1x", 0.8),
)
"""Screenshots that were scaled by Lanczos: name, factor."""
_WORDS = "the form of every letter was cut in steel, struck in copper and cast in lead; what is left of it is a grid of small squares"


def worn(photos: list[Image.Image], folder: Path, seed: int = 23) -> Iterator[Drawn]:
    """Yield every picture; some are made of the screenshots in `folder`, as `__main__` makes them."""
    rng = np.random.default_rng(seed)
    for name, quality, subsampling in SAVED:
        file = io.BytesIO()
        Image.open(folder / f"{name}.png").save(file, "JPEG", quality=quality, subsampling=subsampling)
        yield "saved", f"{Path(name).name}-{quality}", Image.open(file).convert("RGB")
    for name, factor in SCALED:
        with Image.open(folder / f"{name}.png") as image:
            size = (round(image.width * factor), round(image.height * factor))
            yield "scaled-2", f"{Path(name).name}-{factor}", image.resize(size, Image.Resampling.LANCZOS)
    for dpi in (100, 150):
        yield "print", f"article-{dpi}", _article(dpi)
    for name, noise, blur, gamma in (("fax", 0.0, 0.0, 1.0), ("grey", 2.0, 0.7, 1.0), ("photo", 5.0, 1.1, 1.3)):
        yield "scan-2", f"letter-{name}", _letter(rng, noise, blur, gamma)
    yield "caption", "meme-outline", _meme(photos[1].convert("RGB"))
    yield "caption", "subtitle-film", _subtitle(photos[4].convert("RGB"))
    yield "caption", "game-hud", _hud(rng, photos[3].convert("RGB"))
    yield "code", "matrix", _matrix(rng)
    yield "code", "label", _label(rng)
    for factor in (2, 3):
        yield "sprites", f"sprites-{factor}", _sprites(rng, factor)
    yield "sprites", "icons-alpha", _icons(rng)


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / name, size)


def _article(dpi: int) -> Image.Image:
    """Return a page of an article in two columns, with formulas and a small plot, as viewers of PDF draw it."""
    figure = plt.figure(figsize=(7, 7), dpi=dpi)
    figure.text(0.5, 0.95, "On the cost of small letters", ha="center", fontsize=15, family="serif")
    for column in (0.06, 0.53):
        for row in range(4):
            text = "\n".join(textwrap.wrap(_WORDS * 3, 58))
            figure.text(column, 0.91 - 0.23 * row, text, va="top", fontsize=7.5, family="serif")
            formula = r"$R(D) = \min\; I(X;\hat{X}) + \lambda \sum_{i=1}^{n} (x_i - \hat{x}_i)^2$"
            figure.text(column + 0.04, 0.79 - 0.23 * row, formula, fontsize=9)
    axes = figure.add_axes((0.57, 0.04, 0.36, 0.15))
    x = np.linspace(0, 6, 90)
    for k in range(3):
        axes.plot(x, np.exp(-x / (k + 1)), lw=1, label=f"n = {k}")
    axes.legend(fontsize=6)
    axes.tick_params(labelsize=6)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    plt.close(figure)
    return Image.open(file).convert("RGB")


def _letter(rng: np.random.Generator, noise: float, blur: float, gamma: float) -> Image.Image:
    """Return a printed letter as a machine sees it: a fax of two levels, a grey scan, or a photo in yellow light."""
    page = Image.new("L", (800, 900), 250)
    draw, font = ImageDraw.Draw(page), _font("liberation/LiberationSerif-Regular.ttf", 19)
    for row, line in enumerate(textwrap.wrap(_WORDS * 9, 72)):
        draw.text((60, 50 + 27 * row), line, 15, font)
    soft = page.rotate(-0.5, Image.Resampling.BICUBIC, fillcolor=250).filter(ImageFilter.GaussianBlur(blur))
    levels = np.asarray(soft, np.float32)
    if not noise:
        return Image.fromarray(np.where(levels > 150, 255, 0).astype(np.uint8))
    light = 1 - 0.25 * (gamma - 1) * np.hypot(*np.meshgrid(np.linspace(-1, 1, 800), np.linspace(-1, 1, 900)))
    grain = rng.normal(0, noise, levels.shape)
    if gamma == 1:
        return Image.fromarray((levels + grain).clip(0, 255).astype(np.uint8))
    tinted = (levels * light + grain)[:, :, None] * np.array([1, 0.95, 0.82])
    return Image.fromarray(tinted.clip(0, 255).astype(np.uint8))


def _meme(photo: Image.Image) -> Image.Image:
    """Return a photograph with large white letters in thick black outlines."""
    image = photo.resize((800, 800 * photo.height // photo.width), Image.Resampling.LANCZOS)
    draw, font = ImageDraw.Draw(image), _font("liberation/LiberationSans-Bold.ttf", 58)
    for y, words in ((80, "WHAT IS LEFT OF IT"), (image.height - 170, "SMALL SQUARES")):
        draw.text((400, y), words, "#fff", font, "ma", stroke_width=5, stroke_fill="#000")
    return image


def _subtitle(photo: Image.Image) -> Image.Image:
    """Return a frame of a film, dark and soft, with two lines of subtitles in a half-transparent box."""
    image = ImageEnhance.Brightness(photo.resize((1280, 720)).filter(ImageFilter.GaussianBlur(1))).enhance(0.7)
    box = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(box)
    draw.rectangle((330, 420, 950, 510), (0, 0, 0, 150))
    for row, line in enumerate(textwrap.wrap(_WORDS, 44)[:2]):
        draw.text((640, 425 + 40 * row), line, "#fff", _font("liberation/LiberationSans-Regular.ttf", 30), "ma")
    return Image.alpha_composite(image.convert("RGBA"), box).convert("RGB")


def _hud(rng: np.random.Generator, photo: Image.Image) -> Image.Image:
    """Return a game: bars, numbers, a round map and a list of items over a scene."""
    image = photo.resize((1024, 640), Image.Resampling.LANCZOS).convert("RGBA")
    over = Image.new("RGBA", image.size)
    draw, font = ImageDraw.Draw(over), _font("dejavu/DejaVuSans-Bold.ttf", 16)
    for row, (name, color) in enumerate((("HP", "#e53935"), ("MP", "#1e88e5"), ("XP", "#fdd835"))):
        y = 140 + 34 * row
        draw.rounded_rectangle((280, y, 560, y + 24), 6, (10, 10, 20, 170), "#c8b070", 2)
        draw.rectangle((284, y + 4, 284 + int(rng.integers(60, 270)), y + 20), color)
        draw.text(
            (290, y + 2), f"{name} {rng.integers(100, 999)} / 999", "#fff", font, stroke_width=1, stroke_fill="#000"
        )
    draw.ellipse((600, 140, 740, 280), (20, 40, 30, 200), "#c8b070", 4)
    for place in rng.uniform(630, 710, (9, 2)):
        draw.ellipse((*(place - (0, 460)), *(place - (0, 460) + 6)), "#ffee58")
    for slot in range(8):
        left = 290 + 56 * slot
        draw.rectangle((left, 440, left + 50, 490), (0, 0, 0, 140), "#888", 2)
        draw.text((left + 4, 444), str(slot + 1), "#ffee58", font)
    return Image.alpha_composite(image, over).convert("RGB")


def _matrix(rng: np.random.Generator) -> Image.Image:
    """Return a two-dimensional code, made of squares of 9 pixels, with the caption of a poster."""
    cells = rng.integers(0, 2, (33, 33), np.uint8)
    for y, x in ((0, 0), (0, 26), (26, 0)):
        cells[y : y + 7, x : x + 7] = 1
        cells[y + 1 : y + 6, x + 1 : x + 6] = 0
        cells[y + 2 : y + 5, x + 2 : x + 5] = 1
    image = Image.new("RGB", (640, 480), "#fff8e7")
    image.paste(Image.fromarray(255 - 255 * cells).resize((297, 297), Image.Resampling.NEAREST), (60, 60))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(textwrap.wrap(_WORDS, 18)):
        draw.text((390, 60 + 34 * row), line, "#5d4037", _font("dejavu/DejaVuSerif-Bold.ttf", 22))
    return image


def _label(rng: np.random.Generator) -> Image.Image:
    """Return a shipping label: bars of several widths and large digits, slightly turned, as a camera of a shop sees it."""
    page = Image.new("L", (1200, 900), 252)
    draw, x = ImageDraw.Draw(page), 120
    while x < 1050:
        wide = int(rng.integers(1, 5)) * 4
        draw.rectangle((x, 120, x + wide - 1, 480), 8)
        x += wide + int(rng.integers(1, 5)) * 4
    draw.text((140, 500), "4 006381 333931", 8, _font("dejavu/DejaVuSansMono.ttf", 90))
    draw.text((140, 640), "FRAGILE 12 kg", 8, _font("liberation/LiberationSans-Bold.ttf", 100))
    turned = page.rotate(1.2, Image.Resampling.BICUBIC, fillcolor=252).resize((600, 450), Image.Resampling.BOX)
    return turned.convert("RGB")


def _sprites(rng: np.random.Generator, factor: int) -> Image.Image:
    """Return a scene of sprites whose palette has ramps, scaled by a whole factor."""
    height, width = 480 // factor, 720 // factor
    hues = rng.integers(40, 256, (6, 1, 3))
    ramps = (hues * np.linspace(0.25, 1, 5)[:, None]).astype(np.uint8)
    scene = np.zeros((height, width, 3), np.uint8) + ramps[0, 1]
    y, x = np.indices((height, width))
    ground = y > height * 0.6 + 6 * np.sin(x / 17)
    scene[ground] = ramps[1, (x + y)[ground] // 3 % 5]
    for _ in range(40):
        top, left, size = int(rng.integers(0, height - 20)), int(rng.integers(0, width - 20)), int(rng.integers(5, 10))
        disc = np.hypot(y - top - size, x - left - size)
        shade = (disc / size * 5).astype(int).clip(0, 4)
        inside = disc < size
        scene[inside] = ramps[int(rng.integers(2, 6)), 4 - shade[inside]]
    return Image.fromarray(scene.repeat(factor, 0).repeat(factor, 1))


def _icons(rng: np.random.Generator) -> Image.Image:
    """Return glossy icons with shadows on a transparent ground."""
    image = Image.new("RGBA", (512, 384))
    for row in range(3):
        for column in range(4):
            left, top = 20 + 124 * column, 16 + 124 * row
            shadow = Image.new("L", image.size)
            ImageDraw.Draw(shadow).rounded_rectangle((left, top + 4, left + 96, top + 100), 22, fill=130)
            image.alpha_composite(
                Image.merge("RGBA", (*[Image.new("L", image.size)] * 3, shadow.filter(ImageFilter.GaussianBlur(5))))
            )
            one, other = rng.integers(30, 256, (2, 3))
            ramp = np.linspace(one, other, 384)[:, None].repeat(512, 1)
            wide = Image.new("L", (2048, 1536))
            ImageDraw.Draw(wide).rounded_rectangle((4 * left, 4 * top, 4 * left + 384, 4 * top + 384), 88, fill=255)
            face = Image.fromarray(
                np.dstack([ramp, np.asarray(wide.resize(image.size, Image.Resampling.BOX))]).astype(np.uint8)
            )
            image.alpha_composite(face)
            letter = chr(int(rng.integers(65, 91)))
            ImageDraw.Draw(image).text(
                (left + 48, top + 16), letter, "#fff", _font("dejavu/DejaVuSans-Bold.ttf", 56), "ma"
            )
    return image
