"""One HTML document with its style, its script and its pictures inside, so that it can be kept, sent and opened offline.

A content security policy in the document forbids everything else: a name or a text that was not escaped could load
nothing and run nothing.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from PIL import Image

_FOLDER = Path(__file__).parent


def document(title: str, body: str, *, script: str = "") -> str:
    """Return a whole document in English with our style.

    title: plain text. body: HTML, which must not have attributes `style` or `on...`: the policy forbids them. script: of
    JavaScript, "" for none.
    """
    style = _source("style.css")
    policy = f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}"
    text = "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            f"<body>\n{body}",
            *([f"<script>{script}</script>"] if script else []),
            "</body>",
            "</html>",
            "",
        ]
    )
    return in_unicode(text)


def in_unicode(text: str) -> str:
    """Return text that UTF-8 can hold: names of files may be none, and their bytes are escapes in it."""
    return text.encode("utf-8", "backslashreplace").decode()


def compare_script() -> str:
    """Return the JavaScript that puts a slider before every row of `comparison`."""
    return _source("compare.js")


def lift_script() -> str:
    """Return the JavaScript that makes the buttons `lift_buttons` show one series of all charts before the others."""
    return _source("lift.js")


def lift_buttons(colors: Mapping[str, str]) -> str:
    """Return a button with a line of its colour for every series of charts; they do nothing without `lift_script`."""
    line = '<svg width="22" height="8" aria-hidden="true"><path d="M0 4h22" stroke="{}" stroke-width="3"/></svg>'
    buttons = [
        f'<button type="button" data-lift="{escape(name)}" aria-pressed="false">{line.format(color)} {escape(name)}</button>'
        for name, color in colors.items()
    ]
    return '<div class="lift">\n' + "\n".join(buttons) + "\n</div>"


def comparison(shots: Sequence[tuple[str, str, str]], left: int, right: int) -> str:
    """Return pictures of one place as a row: of each its name, a line of text, and its `img` element.

    left, right: indexes of the two that the slider shows at first.
    """
    figures = [
        f"<figure>{image}<figcaption><b>{escape(name)}</b> {escape(text)}</figcaption></figure>"
        for name, text, image in shots
    ]
    return f'<div class="shots" data-compare="{left} {right}">\n' + "\n".join(figures) + "\n</div>"


def picture(image: Image.Image, alt: str, *, exact: bool) -> str:
    """Return an `img` element that holds a picture of mode L, LA, RGB or RGBA, with its colour profile.

    As PNG where it must be exact or has alpha, else as JPEG of quality 95 without subsampling, which takes a tenth.
    """
    form, mime = ("PNG", "image/png") if exact or "A" in image.mode else ("JPEG", "image/jpeg")
    options = {"optimize": True} if form == "PNG" else {"quality": 95, "subsampling": "4:4:4"}
    buffer = io.BytesIO()
    image.save(buffer, form, icc_profile=image.info.get("icc_profile"), **options)
    data = base64.b64encode(buffer.getvalue()).decode()
    size = f'width="{image.width}" height="{image.height}"'
    return f'<img src="data:{mime};base64,{data}" alt="{escape(alt)}" {size}>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str, *, of_texts: bool = False) -> str:
    """Return a table that scrolls sideways where it is too wide, by keyboard too; the first cell of a row is its heading.

    of_texts: its cells are sentences, which break into lines; on a narrow screen a row is a list of its cells with their heads.
    """
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = [f'<tr><th scope="row">{escape(row[0])}</th>{_cells(head[1:], row[1:])}</tr>' for row in rows]
    named = f'role="region" tabindex="0" aria-label="{escape(caption)}"'
    return "\n".join(
        [
            f'<div class="wide{" texts" if of_texts else ""}" {named}><table><caption>{escape(caption)}</caption>',
            f"<thead><tr>{cells}</tr></thead>",
            "<tbody>",
            *lines,
            "</tbody></table></div>",
        ]
    )


def _cells(head: Sequence[str], texts: Sequence[str]) -> str:
    return "".join(
        f'<td data-head="{escape(name)}">{escape(text)}</td>' for name, text in zip(head, texts, strict=True)
    )


def _source(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


def _hash(text: str) -> str:
    """Return what allows exactly this text in a content security policy (CSP 3, 2.3.1), and for "" what allows none."""
    if not text:
        return "'none'"
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
