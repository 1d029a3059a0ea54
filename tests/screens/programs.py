"""HTML pages of a third kind: programs of every day, letters of other languages, panels over photographs."""

from __future__ import annotations

import difflib
import html
import inspect
import random
import textwrap
from collections.abc import Iterator

from PIL import Image

from .pages import Page, body, data_url, sentence

SCRIPTS = {
    "cyrillic": "каждая буква этой страницы остаётся буквой после третьего сохранения дом где много комнат",
    "arabic": "كل حرف من هذه الصفحة يبقى حرفا بعد الحفظ الثالث بيت فيه غرف كثيرة",
    "greek": "κάθε γράμμα αυτής της σελίδας μένει γράμμα μετά την τρίτη αποθήκευση",
}
HAN = "今天天气很好我们一起去公园散步然后在湖边喝茶看书听音乐他说明天可能会下雨所以记得带伞谢谢你的照片非常漂亮"
EMOJI = "😀😂🎉👍🔥🌈🍕🐱✨🚗"


def programs(photos: list[Image.Image], seed: int = 22) -> Iterator[Page]:
    """Yield every page; `photos` are shown where a page has photographs."""
    rng = random.Random(seed)
    yield Page("language", "news-han-1x", _han_news(rng, photos[2]), (900, 700), 1)
    yield Page("language", "chat-arabic-2x", _bubbles(rng, SCRIPTS["arabic"], rtl=True), (420, 520), 2)
    yield Page("language", "cyrillic-9px", _small(rng, SCRIPTS["cyrillic"]), (760, 560), 1)
    yield Page("language", "greek-dark-1x", _paragraphs(rng, SCRIPTS["greek"]), (760, 560), 1)
    yield Page("program", "mail-1x", _mail(rng), (1100, 720), 1)
    yield Page("program", "mail-dark-2x", _mail(rng, dark=True), (620, 440), 2)
    yield Page("program", "calendar-1x", _calendar(rng), (1000, 700), 1)
    yield Page("program", "ide-dark-1x", _diff(dark=True), (1000, 700), 1)
    yield Page("program", "diff-2x", _diff(dark=False), (560, 420), 2)
    yield Page("program", "dialog-1x", _dialog(rng), (700, 540), 1)
    yield Page("program", "bubbles-2x", _bubbles(rng, "", rtl=False), (400, 520), 2)
    yield Page("dark", "metrics-1x", _metrics(rng), (1000, 640), 1)
    yield Page("dark", "player-2x", _player(rng, photos), (420, 480), 2)
    yield Page("panel", "glass-1x", _glass(rng, photos[4]), (1000, 640), 1)
    yield Page("panel", "cookies-1x", _cookies(rng, photos[0]), (1000, 640), 1)
    yield Page("panel", "slide-photo-1x", _photo_slide(rng, photos[3]), (1280, 720), 1)
    yield Page("panel", "slide-photo-2x", _photo_slide(rng, photos[2]), (560, 400), 2)
    yield Page("figure", "infographic-1x", _infographic(rng), (900, 700), 1)
    yield Page("figure", "infographic-2x", _infographic(rng), (480, 420), 2)
    yield Page("figure", "map-dark-1x", _dark_map(rng), (900, 640), 1)


def _words(rng: random.Random, stock: str, count: int) -> str:
    words = stock.split()
    return " ".join(rng.choice(words) for _ in range(count)) + "."


def _han(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(HAN) for _ in range(count)) + "。"


def _han_news(rng: random.Random, photo: Image.Image) -> str:
    items = "".join(
        f"<div><b style='font-size:17px;color:#1a4a8a'>{_han(rng, 14)}</b><p style='margin:3px 0'>{_han(rng, 90)}</p></div>"
        for _ in range(8)
    )
    picture = f"<img style='float:right;margin:0 0 8px 14px' src='{data_url(photo, 240)}'>"
    return body(f"<div style='padding:18px'>{picture}{items}</div>", "body{font:14px/1.5 'WenQuanYi Micro Hei'}")


def _bubbles(rng: random.Random, stock: str, *, rtl: bool) -> str:
    """Return a chat whose bubbles have round corners and soft shadows, on a light gradient."""
    bubbles = "".join(
        "<div style='border-radius:18px;padding:9px 14px;margin:9px;width:fit-content;max-width:70%;"
        "box-shadow:0 3px 10px #0003;"
        + (
            "margin-left:auto;background:linear-gradient(135deg,#7b5cff,#4f8cff);color:#fff'>"
            if i % 3 == 0
            else "background:#fff'>"
        )
        + f"{_words(rng, stock, rng.randint(4, 14)) if stock else sentence(rng, rng.randint(4, 16))} {rng.choice(EMOJI)}"
        "<div style='font-size:10px;opacity:.6'>10:42 ✓✓</div></div>"
        for i in range(9)
    )
    direction = "rtl" if rtl else "ltr"
    style = "body{background:linear-gradient(#f3f0ff,#e2ecff);min-height:100vh;font-family:'DejaVu Sans','Noto Color Emoji'}"
    return body(f"<div dir={direction} style='padding:6px'>{bubbles}</div>", style)


def _small(rng: random.Random, stock: str) -> str:
    columns = "".join(f"<p>{_words(rng, stock, 60)}</p>" for _ in range(14))
    return body(
        f"<div style='columns:3;padding:12px'>{columns}</div>", "body{font:9px/1.3 'Liberation Sans'}p{margin:4px 0}"
    )


def _paragraphs(rng: random.Random, stock: str) -> str:
    parts = "".join(
        f"<h3 style='color:#ffb86c'>{_words(rng, stock, 5)}</h3><p>{_words(rng, stock, 45)}</p>" for _ in range(4)
    )
    return body(
        f"<div style='padding:22px'>{parts}</div>", "body{background:#282a36;color:#f8f8f2;font-family:'DejaVu Serif'}"
    )


def _mail(rng: random.Random, *, dark: bool = False) -> str:
    ground, pane, line, ink, pale = (
        ("#1f1f1f", "#292929", "#3b3b3b", "#eee", "#999") if dark else ("#fff", "#f3f2f1", "#e1dfdd", "#201f1e", "#666")
    )
    colors = ("#0078d4", "#c239b3", "#107c10", "#d83b01", "#5c2e91")
    rows = "".join(
        f"<div style='display:flex;gap:10px;padding:8px;border-bottom:1px solid {line};{'background:#0078d433' if i == 2 else ''}'>"
        f"<div style='width:30px;height:30px;border-radius:15px;background:{colors[i % 5]};color:#fff;text-align:center;"
        f"line-height:30px;font-size:12px'>{chr(65 + i)}{chr(75 + i)}</div><div style='white-space:nowrap;overflow:hidden'>"
        f"<b>{sentence(rng, 2)}</b><br><span style='font-size:12px;color:{pale}'>{sentence(rng, 9)}</span></div></div>"
        for i in range(11)
    )
    text = "".join(f"<p>{sentence(rng, 40)}</p>" for _ in range(5))
    quote = f"<blockquote style='border-left:3px solid {pale};padding-left:10px;color:{pale}'>{sentence(rng, 40)}</blockquote>"
    content = (
        f"<div style='background:linear-gradient(#0f6cbd,#0c5aa0);color:#fff;padding:9px 14px'>{sentence(rng, 2)}</div>"
        f"<div style='display:flex'><div style='flex:0 0 280px;background:{pane};height:100vh;overflow:hidden'>{rows}</div>"
        f"<div style='padding:16px'><h2>{sentence(rng, 4)}</h2>{text}{quote}</div></div>"
    )
    return body(content, f"body{{background:{ground};color:{ink};font:14px/1.4 'Liberation Sans'}}")


def _calendar(rng: random.Random) -> str:
    colors = (
        "#d2e3fc;color:#174ea6",
        "#ceead6;color:#0d652d",
        "#fad2cf;color:#a50e0e",
        "#feefc3;color:#7a4b00",
        "#e9d2fd;color:#5b0f9a",
    )
    cells = "".join(
        f"<div style='border:1px solid #dadce0;min-height:104px;padding:3px;font-size:11px'>{1 + i % 31}"
        + "".join(
            f"<div style='background:{rng.choice(colors)};border-radius:4px;padding:1px 5px;margin-top:2px;white-space:nowrap;"
            f"overflow:hidden'>{rng.randint(8, 18)}:30 {sentence(rng, 3)}</div>"
            for _ in range(rng.randint(0, 4))
        )
        + "</div>"
        for i in range(42)
    )
    return body(
        f"<h2 style='margin:8px 14px;font-weight:400'>November</h2><div style='display:grid;grid-template-columns:repeat(7,1fr)'>{cells}</div>"
    )


def _diff(*, dark: bool) -> str:
    old = inspect.getsource(textwrap).splitlines()[40:]
    rng, new = random.Random(4), list(old)
    for _ in range(70):
        place = rng.randrange(len(new))
        if rng.random() < 0.5:
            new[place] += "  # " + sentence(rng, 3)
        else:
            new.insert(place, "    " + sentence(rng, 4))
    grounds = {
        "+": ("#e6ffec", "#12361e"),
        "-": ("#ffebe9", "#45171c"),
        " ": ("#ffffff", "#1b1f27"),
        "@": ("#ddf4ff", "#12233f"),
    }
    keys = {
        "def": "#c678dd",
        "return": "#c678dd",
        "if": "#c678dd",
        "self": "#e5c07b",
        "the": "#98c379",
        "for": "#61afef",
    }
    rows = "".join(
        f"<div style='background:{grounds[line[0]][dark]}'><span style='color:#7d8590;display:inline-block;width:50px'>{i}</span>"
        + " ".join(
            f"<span style='color:{keys[word]}'>{word}</span>" if word in keys else html.escape(word)
            for word in line.split(" ")
        )
        + "</div>"
        for i, line in enumerate(list(difflib.unified_diff(old, new, lineterm=""))[2:60])
    )
    ink, ground = ("#d7dae0", "#1b1f27") if dark else ("#1f2328", "#fff")
    return body(rows, f"body{{background:{ground};color:{ink};font:12px/19px 'Liberation Mono';white-space:pre}}")


def _dialog(rng: random.Random) -> str:
    """Return a window of settings as systems of 2005 draw it: bevels, and buttons with gradients."""
    button = "border:1px solid #7a8;border-radius:4px;padding:5px 18px;background:linear-gradient(#fdfdfd,#dcdcdc 50%,#c9c9c9)"
    rows = "".join(
        f"<div style='margin:9px 0'><input type={'radio' if i % 2 else 'checkbox'} {'checked' if i % 3 else ''}>"
        f" {sentence(rng, 6)} <span style='{button};float:right'>{sentence(rng, 1)}</span></div>"
        for i in range(8)
    )
    tabs = "".join(
        f"<span style='{button};border-radius:6px 6px 0 0;margin-right:2px'>{sentence(rng, 1)}</span>" for _ in range(4)
    )
    return body(
        f"<div style='margin:30px;border:1px solid #456;border-radius:8px 8px 0 0;box-shadow:3px 5px 18px #0007;background:#ece9d8'>"
        f"<div style='background:linear-gradient(#3f8cf3,#0a53c8);color:#fff;padding:6px 12px;border-radius:7px 7px 0 0;"
        f"font-weight:bold'>{sentence(rng, 3)}</div><div style='padding:14px'>{tabs}<div style='border:1px solid #999;padding:12px;"
        f"background:#fcfcfb'>{rows}</div><p style='text-align:right'><span style='{button}'>OK</span> "
        f"<span style='{button}'>Cancel</span></div></div>",
        "body{background:linear-gradient(#5a7edc,#3a6ea5);font:12px 'DejaVu Sans';min-height:100vh}",
    )


def _metrics(rng: random.Random) -> str:
    """Return a dark dashboard of tiles with lines, bars and rings."""
    colors = ("#73bf69", "#f2cc0c", "#5794f2", "#ff780a", "#b877d9", "#e02f44")
    tiles = ""
    for i in range(6):
        color, points, y = colors[i], [], 60.0
        for x in range(0, 290, 6):
            y = min(105.0, max(15.0, y + rng.uniform(-14, 14)))
            points.append(f"{x},{y:.1f}")
        line = f"<polyline fill='none' stroke='{color}' stroke-width='1.5' points='{' '.join(points)}'/>"
        area = f"<polygon fill='{color}' fill-opacity='.15' points='0,115 {' '.join(points)} 288,115'/>"
        tiles += (
            f"<div style='background:#181b1f;border:1px solid #24272c;border-radius:3px;padding:8px'><small style='color:#ccccdc'>"
            f"{sentence(rng, 3)}</small><div style='font-size:26px;color:{color}'>{rng.uniform(1, 999):.1f} ms</div>"
            f"<svg width=290 height=118>{area}{line}</svg></div>"
        )
    return body(
        f"<div style='display:grid;grid-template-columns:repeat(3,1fr);gap:8px;padding:8px'>{tiles}</div>",
        "body{background:#111217;color:#ccccdc;font-size:13px}",
    )


def _player(rng: random.Random, photos: list[Image.Image]) -> str:
    rows = "".join(
        "<div style='display:flex;gap:12px;align-items:center;padding:7px 14px'>"
        f"<img style='border-radius:6px' src='{data_url(photos[i % 5], 48)}'>"
        f"<div><b>{sentence(rng, 3)}</b><br><small style='color:#b3b3b3'>{sentence(rng, 3)}</small></div>"
        f"<span style='margin-left:auto;color:#b3b3b3'>{rng.randint(1, 5)}:{rng.randint(10, 59)}</span></div>"
        for i in range(5)
    )
    bar = (
        "<div style='height:4px;background:#4d4d4d;border-radius:2px;margin:14px'><div style='width:38%;height:4px;border-radius:2px;"
        "background:linear-gradient(90deg,#1db954,#9cf29c)'></div></div>"
    )
    return body(
        f"<h2 style='padding:18px 14px 0;margin:0'>{sentence(rng, 2)}</h2>{rows}{bar}",
        "body{background:linear-gradient(#3a2b5c,#121212 60%);color:#fff;font-size:14px;min-height:100vh}",
    )


def _glass(rng: random.Random, photo: Image.Image) -> str:
    """Return panels that let a photograph through, blurred and pale or dark."""
    panels = "".join(
        f"<div style='background:{ground};backdrop-filter:blur(14px);color:{ink};border-radius:16px;padding:18px;border:1px solid #fff4;"
        f"box-shadow:0 8px 24px #0005'><h3 style='margin:0'>{sentence(rng, 3)}</h3><p>{sentence(rng, 30)}</p></div>"
        for ground, ink in (
            ("#ffffff55", "#112"),
            ("#00000077", "#fff"),
            ("#ffffffcc", "#223"),
            ("#10204099", "#e8f0ff"),
        )
    )
    return body(
        f"<div style='display:grid;grid-template-columns:1fr 1fr;gap:26px;padding:40px'>{panels}</div>",
        f"body{{background:url({data_url(photo, 1000)});background-size:cover;min-height:100vh}}",
    )


def _cookies(rng: random.Random, photo: Image.Image) -> str:
    """Return a page under a half-transparent veil, with a dialog over it."""
    page = f"<h1>{sentence(rng, 4)}</h1><img src='{data_url(photo, 300)}' style='float:left;margin-right:12px'>{sentence(rng, 260)}"
    dialog = (
        "<div style='position:fixed;left:250px;top:180px;width:480px;background:#fff;border-radius:12px;padding:22px;"
        "box-shadow:0 10px 50px #000a'>"
        f"<h2>{sentence(rng, 4)}</h2><p>{sentence(rng, 40)}</p><span style='background:#1a73e8;color:#fff;border-radius:18px;padding:9px 22px'>"
        f"{sentence(rng, 2)}</span></div>"
    )
    return body(
        f"<div style='padding:20px'>{page}</div><div style='position:fixed;inset:0;background:#0008'></div>{dialog}"
    )


def _photo_slide(rng: random.Random, photo: Image.Image) -> str:
    points = "".join(f"<li>{sentence(rng, 6)}</li>" for _ in range(4))
    return body(
        f"<div style='padding:8% 6%;background:linear-gradient(90deg,#000c,#0000 85%);min-height:100vh'><h1 style='font-size:42px;"
        f"text-shadow:0 2px 6px #000'>{sentence(rng, 4)}</h1><ul style='font-size:22px'>{points}</ul></div>",
        f"body{{background:url({data_url(photo, 1280)});background-size:cover;color:#fff}}",
    )


def _infographic(rng: random.Random) -> str:
    colors = ("#ef476f", "#f78c6b", "#ffd166", "#06d6a0", "#118ab2", "#073b4c")
    bars = "".join(
        f"<rect x='{20 + 62 * i}' y='{200 - (height := rng.randint(40, 170))}' width='44' height='{height}' rx='6' fill='{color}'/>"
        f"<text x='{42 + 62 * i}' y='{190 - height}' font-size='13' text-anchor='middle' fill='#333'>{height} %</text>"
        for i, color in enumerate(colors)
    )
    rings = "".join(
        f"<circle cx='{80 + 150 * i}' cy='290' r='48' fill='none' stroke='#e6e9ef' stroke-width='14'/><circle cx='{80 + 150 * i}' cy='290' "
        f"r='48' fill='none' stroke='{color}' stroke-width='14' stroke-linecap='round' stroke-dasharray='{rng.randint(60, 250)} 400'/>"
        f"<text x='{80 + 150 * i}' y='298' font-size='22' font-weight='bold' text-anchor='middle' fill='{color}'>{rng.randint(10, 99)}</text>"
        for i, color in enumerate(colors[:5])
    )
    notes = "".join(
        f"<div style='flex:1;border-top:5px solid {color};background:#fff;padding:10px;border-radius:0 0 8px 8px;box-shadow:0 2px 8px #0002'>"
        f"<b>{sentence(rng, 2)}</b><p style='font-size:12px'>{sentence(rng, 16)}</p></div>"
        for color in colors[:4]
    )
    return body(
        f"<h1 style='text-align:center;color:#073b4c;margin:8px'>{sentence(rng, 4)}</h1><svg width=800 height=350>{bars}{rings}</svg>"
        f"<div style='display:flex;gap:10px;padding:10px'>{notes}</div>",
        "body{background:#f4f7fb}",
    )


def _dark_map(rng: random.Random) -> str:
    """Return streets, water and names as maps have them at night."""

    def road(wide: float, color: str) -> str:
        x, y, places = rng.uniform(0, 900), rng.uniform(0, 640), []
        for _ in range(8):
            x, y = x + rng.uniform(-160, 160), y + rng.uniform(-120, 120)
            places.append(f"{x:.0f},{y:.0f}")
        return f"<polyline fill='none' stroke='{color}' stroke-width='{wide}' stroke-linejoin='round' points='{' '.join(places)}'/>"

    water = "".join(
        f"<ellipse cx='{rng.randint(0, 900)}' cy='{rng.randint(0, 640)}' rx='120' ry='60' fill='#17263c'/>"
        for _ in range(4)
    )
    roads = "".join(road(3, "#38414e") for _ in range(40)) + "".join(road(7, "#746855") for _ in range(6))
    names = "".join(
        f"<text x='{rng.randint(0, 820)}' y='{rng.randint(10, 630)}' font-size='{rng.choice((11, 12, 14))}' fill='#d59563' stroke='#242f3e' "
        f"stroke-width='3' paint-order='stroke'>{sentence(rng, 2)}</text>"
        for _ in range(45)
    )
    return body(
        f"<svg width=900 height=640 font-family='DejaVu Sans'>{water}{roads}{names}</svg>", "body{background:#242f3e}"
    )
