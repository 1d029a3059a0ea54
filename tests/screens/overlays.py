"""Letters laid over photographs, letters on subpixels, and screenshots that JPEG or a smaller size has damaged."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .drawn import Drawn

FONTS = Path("/usr/share/fonts/truetype")
_WORDS = ("when", "every", "letter", "of", "the", "page", "is", "still", "a", "letter", "after", "the", "third", "save")


def overlays(photos: list[Image.Image], folder: Path) -> Iterator[Drawn]:
    """Yield every picture; the damaged ones are made of screenshots in `folder`, as `__main__` makes them."""
    for number, photo in enumerate(photos[:3]):
        yield "overlay", f"meme-{number}", _meme(photo.convert("RGB"))
    yield "overlay", "subtitles", _subtitles(photos[3].convert("RGB"))
    for name, ink, ground in (("light", "#202020", "#ffffff"), ("dark", "#e6e6e6", "#1e1e1e")):
        yield "subpixel", f"subpixel-{name}", _subpixel(ink, ground)
    for name, quality in (("document-1x/git-commit", 75), ("mixed/chat-1x", 85), ("slides/slide-plain", 90)):
        file = io.BytesIO()
        Image.open(folder / f"{name}.png").save(file, "JPEG", quality=quality)
        yield "jpeg", f"{Path(name).name}-{quality}", Image.open(file).convert("RGB")
    with Image.open(folder / "document-2x/git-first.png") as page:
        yield "scaled", "git-first-0.6", page.resize((864, 648), Image.Resampling.BICUBIC)


def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / name, size)


def _meme(photo: Image.Image) -> Image.Image:
    """Return a photograph 720 pixels wide with white letters in a black outline at its top and bottom."""
    image = photo.resize((720, 720 * photo.height // photo.width), Image.Resampling.LANCZOS)
    draw, font = ImageDraw.Draw(image), _font("dejavu/DejaVuSansCondensed-Bold.ttf", 44)
    for y, words in ((10, _WORDS[:5]), (image.height - 64, _WORDS[9:])):
        draw.text((360, y), " ".join(words).upper(), "#fff", font, "ma", stroke_width=3, stroke_fill="#000")
    return image


def _subtitles(photo: Image.Image) -> Image.Image:
    """Return a frame of a film with two lines of subtitles and a small clock."""
    image = photo.resize((1024, 1024 * photo.height // photo.width), Image.Resampling.LANCZOS).crop((0, 0, 1024, 576))
    draw = ImageDraw.Draw(image)
    for y, words in ((490, _WORDS[:7]), (530, _WORDS[7:])):
        draw.text(
            (512, y),
            " ".join(words),
            "#ffffa0",
            _font("liberation/LiberationSans-Regular.ttf", 28),
            "ma",
            stroke_width=1,
            stroke_fill="#000",
        )
    draw.rectangle((900, 16, 1004, 44), "#202020")
    draw.text((910, 18), "00:41:07", "#fff", _font("dejavu/DejaVuSansMono.ttf", 18))
    return image


def _subpixel(ink: str, ground: str) -> Image.Image:
    """Return lines of text whose red, green and blue are a third of a pixel apart, filtered over five thirds as FreeType does."""
    width, height = 900, 640
    wide = Image.new("L", (3 * width, 3 * height))
    draw = ImageDraw.Draw(wide)
    for row, size in enumerate((12, 12, 13, 13, 14, 14, 15, 16, 18, 20) * 3):
        line = " ".join(_WORDS[(row + i) % len(_WORDS)] for i in range(17))
        draw.text(
            (30, 12 + 62 * row),
            line,
            255,
            _font("dejavu/DejaVuSans.ttf" if row % 2 else "liberation/LiberationSerif-Regular.ttf", 3 * size),
        )
    cover = np.asarray(wide, np.float32).reshape(height, 3, 3 * width).mean(1) / 255
    padded = np.pad(cover, ((0, 0), (2, 2)))
    soft = sum(weight * padded[:, i : i + 3 * width] for i, weight in enumerate((1 / 9, 2 / 9, 3 / 9, 2 / 9, 1 / 9)))
    shares = np.asarray(soft).reshape(height, width, 3)
    inks, grounds = (np.asarray(Image.new("RGB", (1, 1), color), np.float32)[0, 0] for color in (ink, ground))
    return Image.fromarray(np.rint(grounds + shares * (inks - grounds)).astype(np.uint8))
