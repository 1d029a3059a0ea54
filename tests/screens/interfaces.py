"""HTML pages of further kinds: letters on gradients and photographs, tables, maps with labels, papers, dashboards, dark pages."""

from __future__ import annotations

import argparse
import inspect
import math
import random
from collections.abc import Iterator

import pygments
from PIL import Image
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from .pages import Page, body, data_url, sentence


def interfaces(photos: list[Image.Image], seed: int = 21) -> Iterator[Page]:
    """Yield every page; `photos` are shown where a page has photographs."""
    rng = random.Random(seed)
    yield Page("gradient", "gradient-1x", _on_gradients(rng), (1100, 760), 1)
    yield Page("gradient", "gradient-2x", _on_gradients(rng), (550, 380), 2)
    yield Page("overlay", "banner-1x", _banner(rng, photos[0]), (1200, 720), 1)
    yield Page("overlay", "banner-2x", _banner(rng, photos[3]), (600, 360), 2)
    yield Page("editor", "editor-dracula-2x", _dark_editor(), (640, 440), 2)
    yield Page("table", "spreadsheet-1x", _spreadsheet(rng), (1200, 760), 1)
    yield Page("table", "spreadsheet-2x", _spreadsheet(rng), (600, 380), 2)
    yield Page("map", "map-labels-1x", _street_map(rng), (1024, 720), 1)
    yield Page("map", "map-labels-2x", _street_map(rng), (512, 360), 2)
    yield Page("interface", "settings-1x", _settings(rng), (1000, 760), 1)
    yield Page("interface", "settings-2x", _settings(rng), (500, 380), 2)
    yield Page("interface", "dashboard-dark-2x", _dashboard(rng), (640, 440), 2)
    yield Page("paper", "paper-8px", _paper(rng, 8), (820, 900), 1)
    yield Page("paper", "paper-11px", _paper(rng, 11), (820, 900), 1)
    yield Page("mixed", "feed-dark-1x", _feed(rng, photos), (720, 1000), 1)
    yield Page("slides", "slide-radial-2x", _radial_slide(rng, photos[2]), (640, 360), 2)


def _on_gradients(rng: random.Random) -> str:
    """Return cards whose letters of several colours and sizes lie on gradients."""
    pairs = (
        ("#ff9a9e", "#fad0c4", "#5a1020"),
        ("#0f2027", "#2c5364", "#e8f6ff"),
        ("#f7971e", "#ffd200", "#402000"),
        ("#ffffff", "#dfe9f3", "#223"),
        ("#654ea3", "#eaafc8", "#fff"),
        ("#11998e", "#38ef7d", "#022"),
    )
    cards = "".join(
        f"<div style='background:linear-gradient({30 * i}deg,{a},{b});color:{ink};padding:18px;border-radius:14px;"
        f"box-shadow:0 4px 14px #0004'><h2 style='margin:0'>{sentence(rng, 3)}</h2>"
        f"<p style='font-size:{12 + 2 * (i % 3)}px'>{sentence(rng, 34)}</p>"
        f"<span style='background:#0003;border-radius:9px;padding:4px 12px'>{rng.randint(2, 99)} %</span></div>"
        for i, (a, b, ink) in enumerate(pairs)
    )
    grid = f"<div style='display:grid;grid-template-columns:1fr 1fr;gap:18px;padding:18px'>{cards}</div>"
    return body(grid, "body{background:linear-gradient(#e9edf3,#c9d2e0)}")


def _banner(rng: random.Random, photo: Image.Image) -> str:
    """Return a photograph across the page with a heading, a panel one can see through, and text below it."""
    panel = (
        "position:absolute;right:30px;top:40px;width:280px;background:#000a;color:#eee;padding:14px;border-radius:6px"
    )
    top = (
        f"<div style='position:relative;height:420px;background:url({data_url(photo, 1200)});background-size:cover'>"
        f"<h1 style='position:absolute;left:30px;top:150px;width:55%;color:#fff;text-shadow:0 2px 8px #000;font-size:40px'>"
        f"{sentence(rng, 5)}</h1><div style='{panel}'>{sentence(rng, 40)}</div></div>"
    )
    return body(f"{top}<div style='columns:2;padding:20px'><p>{sentence(rng, 80)}</p><p>{sentence(rng, 70)}</p></div>")


def _dark_editor() -> str:
    shown = HtmlFormatter(
        style="dracula", noclasses=True, linenos="table", prestyles="font:12px/1.4 'Liberation Mono';color:#f8f8f2"
    )
    code = pygments.highlight(inspect.getsource(argparse.Action), PythonLexer(), shown)
    tabs = "".join(
        f"<span style='padding:6px 14px;background:#{c}'>{n}.py</span>"
        for n, c in (("json", "282a36"), ("io", "21222c"))
    )
    return body(f"<div style='padding:6px 0;color:#bbb'>{tabs}</div>{code}", "body{background:#282a36;font-size:12px}")


def _spreadsheet(rng: random.Random) -> str:
    letters = "".join(f"<th>{chr(65 + i)}</th>" for i in range(12))
    rows = []
    for row in range(1, 40):
        cells = [f"<th>{row}</th><td>{sentence(rng, 2)}</td>"]
        for column in range(11):
            value = rng.uniform(-900, 9000)
            warm = "background:#ffe0b2;" if rng.random() < 0.08 else "background:#e8f5e9;" if column == 5 else ""
            cells.append(f"<td style='{warm}text-align:right{';color:#c00' if value < 0 else ''}'>{value:,.2f}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    style = (
        "table{border-collapse:collapse;font:12px 'Liberation Sans'}td,th{border:1px solid #d0d0d0;padding:1px 6px;"
        "white-space:nowrap}th{background:#f3f3f3;color:#555;font-weight:normal}"
    )
    return body(f"<table><tr><th></th>{letters}</tr>{''.join(rows)}</table>", style)


def _street_map(rng: random.Random) -> str:
    """Return an SVG map: land, water, roads with edges, and names with a halo, some of them turned."""
    shapes = ["<rect width='1024' height='720' fill='#f5f3ee'/>"]
    for color, count, size in (("#b5d9e8", 4, 150), ("#cfe8c6", 9, 90), ("#e3dcd2", 130, 18)):
        for _ in range(count):
            x, y = rng.uniform(0, 1024), rng.uniform(0, 720)
            turns = sorted(rng.uniform(0, 2 * math.pi) for _ in range(8))
            corners = [
                (x + math.cos(t) * size * rng.uniform(0.5, 1), y + math.sin(t) * size * rng.uniform(0.5, 1))
                for t in turns
            ]
            shapes.append(f"<polygon fill='{color}' points='{' '.join(f'{a:.1f},{b:.1f}' for a, b in corners)}'/>")
    roads = [
        "M" + " ".join(f"{i * 110 + rng.uniform(-30, 30):.1f} {y + rng.uniform(-45, 45):.1f}" for i in range(-1, 11))
        for y in range(20, 720, 55)
    ]
    roads += [
        "M" + " ".join(f"{x + rng.uniform(-40, 40):.1f} {i * 90 + rng.uniform(-30, 30):.1f}" for i in range(-1, 9))
        for x in range(30, 1024, 90)
    ]
    for pen, more in (("#c9bfae", 2.5), ("#ffffff", 0.0)):
        for number, road in enumerate(roads):
            wide = (10 if number % 5 == 0 else 5) + more
            ink = "#fbd38a" if pen == "#ffffff" and number % 5 == 0 else pen
            shapes.append(
                f"<path d='{road}' fill='none' stroke='{ink}' stroke-width='{wide}' stroke-linejoin='round'/>"
            )
    for number in range(60):
        x, y, turn = rng.uniform(0, 960), rng.uniform(10, 710), rng.choice((0, 0, -8, 14, 80))
        shapes.append(
            f"<text x='{x:.1f}' y='{y:.1f}' transform='rotate({turn} {x:.1f} {y:.1f})' font-size='{rng.choice((10, 12, 15))}' "
            f"fill='#444' stroke='#fff' stroke-width='3' paint-order='stroke'>{sentence(rng, 2)[:-1]} {number}</text>"
        )
    return body(f"<svg width='1024' height='720' font-family='Liberation Sans'>{''.join(shapes)}</svg>")


def _settings(rng: random.Random) -> str:
    """Return rounded cards with shadows, switches, sliders and buttons with gradients."""
    rows = []
    for number in range(9):
        on = rng.random() < 0.5
        ground = "linear-gradient(#4ea1ff,#1769d1)" if on else "#ccd2da"
        knob = f"position:absolute;top:2px;{'right' if on else 'left'}:2px;width:18px;height:18px;border-radius:9px"
        knob += ";background:#fff;box-shadow:0 1px 3px #0006"
        switch = f"position:relative;width:40px;height:22px;border-radius:11px;background:{ground}"
        icon = (
            f"<svg width=26 height=26><circle cx=13 cy=13 r=12 fill='hsl({40 * number},65%,55%)'/>"
            "<path d='M7 14l4 4 8-9' stroke='#fff' stroke-width=2.5 fill='none'/></svg>"
        )
        rows.append(
            f"<div style='display:flex;gap:12px;align-items:center;padding:9px 14px;border-bottom:1px solid #eee'>{icon}"
            f"<div style='flex:1'><b>{sentence(rng, 3)}</b><br><small style='color:#777'>{sentence(rng, 9)}</small></div>"
            f"<span style='{switch}'><i style='{knob}'></i></span></div>"
        )
    button = "border:1px solid #1257ad;border-radius:7px;padding:7px 22px;color:#fff;background:linear-gradient(#5aaeff,#1b6fd8)"
    card = "background:#fff;border-radius:16px;box-shadow:0 10px 34px #0003;margin:24px;padding:10px"
    return body(
        f"<div style='{card}'>{''.join(rows)}<div style='padding:14px;text-align:right'><span style='{button}'>Save</span></div></div>",
        "body{background:linear-gradient(160deg,#dfe7f1,#f4eef6)}",
    )


def _dashboard(rng: random.Random) -> str:
    """Return dark tiles with figures and curves filled by gradients."""
    tiles = []
    for number in range(6):
        heights = [60.0]
        for _ in range(40):
            heights.append(min(95.0, max(8.0, heights[-1] + rng.gauss(0, 9))))
        line = " ".join(f"{i * 4.6:.1f},{h:.1f}" for i, h in enumerate(heights))
        hue = 55 * number
        tiles.append(
            f"<div style='background:#1c2333;border-radius:10px;padding:12px;color:#dfe6f5'><small style='color:#8b96b0'>"
            f"{sentence(rng, 2)}</small><div style='font-size:24px'>{rng.randint(100, 99999):,}</div>"
            f"<svg width=184 height=100><defs><linearGradient id=g{number} x2=0 y2=1><stop stop-color='hsl({hue},80%,60%)' stop-opacity=.7 />"
            f"<stop offset=1 stop-color='hsl({hue},80%,60%)' stop-opacity=0 /></linearGradient></defs>"
            f"<polygon points='0,100 {line} 184,100' fill='url(#g{number})'/><polyline points='{line}' fill=none "
            f"stroke='hsl({hue},80%,65%)' stroke-width=1.6 />"
            f"</svg></div>"
        )
    return body(
        f"<div style='display:grid;grid-template-columns:repeat(3,1fr);gap:10px;padding:10px'>{''.join(tiles)}</div>",
        "body{background:#0e1320;font-size:13px}",
    )


def _paper(rng: random.Random, size: int) -> str:
    """Return a page of a paper in two columns of small serif letters, with formulas and footnotes."""
    paragraphs = "".join(
        f"<p style='margin:.4em 0;text-align:justify'>{sentence(rng, 70)} <i>x</i><sub>{i}</sub> = &sum; <i>a</i><sub>k</sub>"
        f"<i>y</i><sup>{i + 1}</sup> &minus; {rng.random():.3f}. {sentence(rng, 40)}</p>"
        for i in range(16 if size > 9 else 28)
    )
    return body(
        f"<div style='padding:48px 56px'><h3 style='text-align:center'>{sentence(rng, 7)}</h3><div style='columns:2'>{paragraphs}</div></div>",
        f"body{{font:{size}px/1.2 'Liberation Serif'}}",
    )


def _feed(rng: random.Random, photos: list[Image.Image]) -> str:
    """Return a dark feed of posts with avatars and photographs."""
    posts = "".join(
        f"<div style='display:flex;gap:10px;padding:12px;border-bottom:1px solid #2f3336'>"
        f"<img style='width:40px;height:40px;border-radius:20px' src='{data_url(photos[i % len(photos)].crop((0, 0, 300, 300)), 80)}'>"
        f"<div><b>{sentence(rng, 2)[:-1]}</b> <span style='color:#71767b'>@user{i} · {rng.randint(1, 23)}h</span><br>{sentence(rng, 22)}"
        + (
            f"<img style='width:100%;border-radius:14px' src='{data_url(photos[i % len(photos)], 560)}'>"
            if i % 2
            else ""
        )
        + f"<div style='color:#71767b'>♡ {rng.randint(1, 900)} &nbsp; ↻ {rng.randint(1, 90)}</div></div></div>"
        for i in range(7)
    )
    return body(posts, "body{background:#000;color:#e7e9ea;font-size:14px}")


def _radial_slide(rng: random.Random, photo: Image.Image) -> str:
    points = "".join(f"<li>{sentence(rng, 6)}</li>" for _ in range(4))
    image = f"<img style='position:absolute;right:24px;bottom:24px;border:3px solid #fff' src='{data_url(photo, 220)}'>"
    return body(
        f"<div style='padding:30px;font-size:17px'><h2>{sentence(rng, 4)}</h2><ul>{points}</ul>{image}</div>",
        "body{background:radial-gradient(circle at 30% 30%,#fffbe9,#f0c27b 60%,#a8652c);color:#301800;min-height:100vh}",
    )
