"""Charts, maps, pixel art, scans and logos, drawn by matplotlib and Pillow."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Drawn = tuple[str, str, Image.Image]
"""A class, a name and a picture."""

mpl.use("agg")


def drawings(seed: int = 20) -> Iterator[Drawn]:
    """Yield every drawn picture."""
    rng = np.random.default_rng(seed)
    for name, draw in (("line", _line), ("bars", _bars), ("scatter", _scatter), ("heat", _heat), ("contour", _contour)):
        yield "chart", f"chart-{name}", _chart(rng, draw, 100)
    yield "chart", "chart-line-2x", _chart(rng, _line, 200)
    for number in range(3):
        yield "map", f"map-{number}", _map(rng, number)
    for number, factor in enumerate((1, 2, 4, 8)):
        yield "pixel-art", f"pixel-art-{factor}", _pixel_art(rng, factor, number)
    for name, noise, blur in (("clean", 1.0, 0.5), ("soft", 3.0, 0.9), ("grainy", 8.0, 0.7)):
        yield "scan", f"scan-{name}", _scan(rng, noise, blur)
    yield "logo", "logo-alpha", _logo()


def _chart(rng: np.random.Generator, draw: Callable[[np.random.Generator, Axes], None], dpi: int) -> Image.Image:
    figure, axes = plt.subplots(figsize=(8, 6), dpi=dpi)
    draw(rng, axes)
    axes.set_title("Measured, and what was expected")
    axes.set_xlabel("time (s)")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    plt.close(figure)
    return Image.open(file).convert("RGB")


def _line(rng: np.random.Generator, axes: Axes) -> None:
    for number in range(5):
        axes.plot(np.cumsum(rng.normal(size=200)), label=f"run {number}")
    axes.grid(visible=True)
    axes.legend()


def _bars(rng: np.random.Generator, axes: Axes) -> None:
    axes.bar([f"group {i}" for i in range(8)], rng.uniform(1, 9, 8), color=plt.get_cmap("tab10")(range(8)))


def _scatter(rng: np.random.Generator, axes: Axes) -> None:
    axes.scatter(*rng.normal(size=(2, 800)), c=rng.uniform(size=800), s=rng.uniform(5, 90, 800), alpha=0.6)


def _heat(rng: np.random.Generator, axes: Axes) -> None:
    axes.figure.colorbar(axes.imshow(rng.uniform(size=(24, 24)), cmap="viridis"))


def _contour(rng: np.random.Generator, axes: Axes) -> None:
    x, y = np.meshgrid(np.linspace(-3, 3, 120), np.linspace(-3, 3, 120))
    height = sum(np.exp(-((x - a) ** 2) - (y - b) ** 2) for a, b in rng.uniform(-2, 2, (5, 2)))
    axes.figure.colorbar(axes.contourf(x, y, height, 40, cmap="terrain"))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _map(rng: np.random.Generator, number: int) -> Image.Image:
    """Return streets, water, parks and names, drawn at twice the size and made small, so that edges are soft."""
    width, height = 2048, 1536
    image = Image.new("RGB", (width, height), "#f2efe9")
    draw = ImageDraw.Draw(image)
    for color, count, size in (("#aad3df", 6, 420), ("#c8facc", 14, 200), ("#d9d0c9", 200, 40)):
        for center in rng.uniform(0, (width, height), (count, 2)):
            angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
            radii = rng.uniform(0.4, 1, 9) * size
            draw.polygon(
                [tuple(p) for p in center + np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None]], color
            )
    for color, edge, count, wide in (("#ffffff", "#cccccc", 50, 10), ("#fcd6a4", "#c09050", 8, 22)):
        roads = [rng.uniform(0, (width, height), 2) + np.cumsum(rng.normal(0, 120, (12, 2)), 0) for _ in range(count)]
        for pen, more in ((edge, 4), (color, 0)):
            for road in roads:
                draw.line([tuple(p) for p in road], pen, wide + more, "curve")
    image = image.resize((width // 2, height // 2), Image.Resampling.BOX)
    draw = ImageDraw.Draw(image)
    for index in range(40 + 20 * number):
        place = tuple(rng.uniform(0, (width / 2 - 90, height / 2 - 20)))
        draw.text(
            place,
            f"{['Lime', 'Oak', 'Mill', 'North', 'Castle', 'Station'][index % 6]} Street {index}",
            "#333",
            _font(12),
        )
    return image


def _pixel_art(rng: np.random.Generator, factor: int, number: int) -> Image.Image:
    """Return a landscape of sprites in 16 colours, each pixel `factor` wide."""
    palette = rng.integers(0, 256, (16, 3), np.uint8)
    scene = np.zeros((768 // factor, 1024 // factor), np.uint8) + number
    horizon = scene.shape[0] * 2 // 3
    scene[horizon:] = np.indices(scene[horizon:].shape).sum(0) % 3 + 4
    sprites = [np.concatenate([half, half[:, ::-1]], 1) for half in rng.integers(0, 16, (6, 16, 8), np.uint8)]
    for _ in range(60):
        top, left = (int(rng.integers(0, side - 16)) for side in scene.shape)
        sprite = sprites[int(rng.integers(6))]
        area = scene[top : top + 16, left : left + 16]
        area[sprite > 6] = sprite[sprite > 6]
    return Image.fromarray(palette[scene].repeat(factor, 0).repeat(factor, 1))


def _scan(rng: np.random.Generator, noise: float, blur: float) -> Image.Image:
    """Return a typed page as a scanner sees it: paper that darkens to one side, soft edges and noise."""
    page = Image.new("L", (900, 1100), 245)
    draw = ImageDraw.Draw(page)
    words = ["the", "letters", "of", "a", "page", "that", "was", "typed,", "printed", "and", "laid", "on", "glass"]
    for row in range(38):
        draw.text((70, 60 + 26 * row), " ".join(rng.choice(words, 13)), 25, _font(17))
    soft = np.asarray(
        page.rotate(0.4, Image.Resampling.BICUBIC, fillcolor=245).filter(ImageFilter.GaussianBlur(blur)), np.float32
    )
    shade = np.linspace(0, 14, 900, dtype=np.float32)
    grain = rng.normal(0, noise, (*soft.shape, 3)) + np.array([0, -2, -8])
    return Image.fromarray((soft[:, :, None] - shade[:, None] + grain).clip(0, 255).astype(np.uint8))


def _logo() -> Image.Image:
    """Return letters and a disc on a transparent ground, with soft edges."""
    image = Image.new("RGBA", (1600, 800))
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 100, 700, 700), "#e4572e")
    draw.text((740, 250), "Letters", "#17324d", _font(220))
    return image.resize((800, 400), Image.Resampling.LANCZOS)
