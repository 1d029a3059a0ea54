"""HTML pages for the browser: terminals, editors, chats, shops, newspapers, slides, and Debian's documentation."""

from __future__ import annotations

import base64
import html
import inspect
import io
import random
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pygments
from PIL import Image
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

DOCUMENTS = {
    "git-commit": "git/html/git-commit.html",
    "git-tutorial": "git/html/gittutorial.html",
    "git-first": "git/html/MyFirstContribution.html",
    "python-json": "python3-doc/html/library/json.html",
    "python-data": "python3-doc/html/tutorial/datastructures.html",
    "python-index": "python3-doc/html/genindex-S.html",
}
"""Pages of the packages git-doc and python3-doc below /usr/share/doc."""
MANUAL = {
    "gimp-windows": "gimp-concepts-main-windows.html",
    "gimp-modes": "gimp-concepts-layer-modes-legacy.html",
    "gimp-displace": "gimp-filter-displace.html",
}
"""Pages of the package gimp-help-en, which have screenshots in them, below /usr/share/gimp/2.0/help/en."""


class Page(NamedTuple):
    """A page to photograph: its class, name, content (HTML, or the path of a file), size in CSS pixels, and pixel ratio."""

    kind: str
    name: str
    content: str | Path
    size: tuple[int, int]
    ratio: int


def pages(photos: list[Image.Image], seed: int = 20) -> Iterator[Page]:
    """Yield every page; `photos` are shown where a page has photographs."""
    rng = random.Random(seed)
    folder, manual = Path("/usr/share/doc"), Path("/usr/share/gimp/2.0/help/en")
    for name, path in DOCUMENTS.items():
        yield Page("document-1x", name, folder / path, (1280, 800), 1)
    for name, path in list(DOCUMENTS.items())[1:5]:
        yield Page("document-2x", name, folder / path, (720, 540), 2)
    for name, path in MANUAL.items():
        yield Page("mixed", name, manual / path, (1024, 900), 1)
    sources = [inspect.getsource(module) for module in (textwrap, html, base64)]
    for number, (style, ratio) in enumerate((("default", 1), ("monokai", 1), ("solarized-dark", 2))):
        size = (1280 // ratio, 800 // ratio)
        yield Page("editor", f"editor-{style}", _editor(sources[number], style), size, ratio)
    yield Page("terminal", "terminal-dark", _terminal(rng, "#101418", "#d0d0d0"), (1000, 700), 1)
    yield Page("terminal", "terminal-light", _terminal(rng, "#fdf6e3", "#586e75"), (640, 480), 2)
    for number, ratio in enumerate((1, 2)):
        size = (1200 // ratio, 900 // ratio)
        yield Page("mixed", f"chat-{ratio}x", _chat(rng, photos[number:]), size, ratio)
        yield Page("mixed", f"shop-{ratio}x", _shop(rng, photos), size, ratio)
        yield Page("mixed", f"news-{ratio}x", _news(rng, photos[2 + number :]), size, ratio)
        yield Page("slides", f"slide-{ratio}x", _slide(rng, photos[number]), (1280 // ratio, 720 // ratio), ratio)
    yield Page("slides", "slide-plain", _slide(rng, None), (1280, 720), 1)
    yield Page("mixed", "desktop", _desktop(rng, sources[0], photos[-1]), (1366, 768), 1)


def sentence(rng: random.Random, words: int) -> str:
    """Return so many words as a sentence."""
    stock = [
        "a",
        "house",
        "of",
        "many",
        "rooms",
        "keeps",
        "every",
        "letter",
        "where",
        "the",
        "reader",
        "left",
        "it",
        "and",
        "no",
        "line",
        "is",
        "lost",
        "on",
        "the",
        "way",
        "home",
    ]
    return " ".join(rng.choice(stock) for _ in range(words)).capitalize() + "."


def data_url(photo: Image.Image, width: int) -> str:
    """Return a photograph of that width as the URL of a JPEG, as pages have them."""
    small = photo.convert("RGB").resize((width, width * photo.height // photo.width), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def body(content: str, style: str = "") -> str:
    """Return a page of that content, with more style."""
    base = "body{font:15px/1.5 'DejaVu Sans','Liberation Sans',sans-serif;margin:0}" + style
    return f"<!doctype html><meta charset=utf-8><style>{base}</style><body>{content}"


def _code(source: str, style: str) -> str:
    shown = HtmlFormatter(style=style, noclasses=True, linenos="table", prestyles="font:13px/1.35 'DejaVu Sans Mono'")
    return str(pygments.highlight(source, PythonLexer(), shown))


def _editor(source: str, style: str) -> str:
    files = "".join(f"<div>▸ {name}.py</div>" for name in ("codec", "color", "container", "header", "limits", "tiles"))
    bar = f"<div style='flex:0 0 180px;background:#2d2d30;color:#ccc;padding:10px;height:100vh'>{files}</div>"
    return body(f"<div style='display:flex;height:100vh;overflow:hidden'>{bar}<div>{_code(source, style)}</div></div>")


def _terminal(rng: random.Random, ground: str, ink: str) -> str:
    colors = ("#4ec9b0", "#569cd6", "#ce9178", "#c586c0", ink, ink, ink)
    lines = (
        f"<span style='color:#6a9955'>user@host</span>:~$ ls -l {rng.randint(1, 99)}<br>"
        + "".join(
            f"-rw-r--r-- 1 user user {rng.randint(100, 99999):>6} Nov {rng.randint(1, 28):>2} "
            f"<span style='color:{rng.choice(colors)}'>{sentence(rng, 2).replace(' ', '_')}</span><br>"
            for _ in range(9)
        )
        for _ in range(6)
    )
    return body(
        f"<pre>{''.join(lines)}",
        f"body{{background:{ground};color:{ink}}}pre{{font:14px 'DejaVu Sans Mono';margin:8px}}",
    )


def _chat(rng: random.Random, photos: list[Image.Image]) -> str:
    bubbles = []
    for number in range(14):
        mine = number % 3 == 0
        inside = (
            f"<img src='{data_url(photos[number // 4 % len(photos)], 340)}'>"
            if number % 4 == 2
            else sentence(rng, rng.randint(4, 24))
        )
        place = "margin-left:auto;background:#d9fdd3" if mine else "background:#fff"
        bubbles.append(
            f"<div style='{place};border-radius:10px;padding:9px;margin-top:9px;width:fit-content;max-width:60%;"
            f"box-shadow:0 1px 2px #0003'>{inside}</div>"
        )
    return body(f"<div style='padding:16px'>{''.join(bubbles)}</div>", "body{background:#efeae2}")


def _shop(rng: random.Random, photos: list[Image.Image]) -> str:
    card = "border:1px solid #ddd;border-radius:8px;padding:10px;background:#fff"
    cards = "".join(
        f"<div style='{card}'><img style='width:100%' src='{data_url(photos[i % len(photos)], 300)}'><b>{sentence(rng, 3)}</b>"
        f"<p style='color:#c00;margin:4px'>{rng.randint(5, 99)}.99 €</p>★★★★☆ ({rng.randint(3, 999)})</div>"
        for i in range(8)
    )
    grid = f"<div style='display:grid;grid-template-columns:repeat(4,1fr);gap:14px;padding:14px'>{cards}</div>"
    bar = "<div style='background:linear-gradient(#263238,#455a64);color:#fff;padding:14px;font-size:20px'>Shop</div>"
    return body(bar + grid, "body{background:#f5f5f5}")


def _news(rng: random.Random, photos: list[Image.Image]) -> str:
    words = "".join(f"<p>{sentence(rng, 60)}</p>" for _ in range(12))
    image = f"<img style='width:100%' src='{data_url(photos[0], 700)}'>"
    return body(
        f"<div style='padding:24px'><h1>{sentence(rng, 6)}</h1>{image}<div style='columns:3;font-size:13px'>{words}</div></div>",
        "body{font-family:'Liberation Serif'}",
    )


def _slide(rng: random.Random, photo: Image.Image | None) -> str:
    points = "".join(f"<li>{sentence(rng, 7)}</li>" for _ in range(5))
    image = "" if photo is None else f"<img style='float:right;margin:20px' src='{data_url(photo, 400)}'>"
    return body(
        f"<div style='padding:40px;font-size:26px'>{image}<h1>{sentence(rng, 4)}</h1><ul>{points}</ul></div>",
        "body{background:linear-gradient(135deg,#1a2980,#26d0ce);color:#fff;min-height:100vh}",
    )


def _desktop(rng: random.Random, source: str, photo: Image.Image) -> str:
    window = "position:absolute;background:#fff;border:1px solid #888;box-shadow:0 8px 30px #0008;overflow:hidden"
    code = f"<div style='{window};left:60px;top:50px;width:620px;height:420px'>{_code(source, 'default')}</div>"
    note = (
        f"<div style='{window};left:800px;top:300px;width:420px;height:360px;padding:12px'>{sentence(rng, 120)}</div>"
    )
    return body(code + note, f"body{{background:url({data_url(photo, 1366)});background-size:cover}}")
