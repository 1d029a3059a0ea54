"""Sheets for model cards: captioned rows of pictures side by side, rows under one another."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

LABEL = 16
"""Height of a line of captions, pixels."""


def captioned(pictures: Sequence[Image.Image], captions: Sequence[str]) -> Image.Image:
    """Return RGB pictures of one size side by side under a line of captions; caption i starts above picture i."""
    width, height = pictures[0].size
    row = Image.new("RGB", (len(pictures) * width, height + LABEL), "white")
    for i, picture in enumerate(pictures):
        row.paste(picture, (i * width, LABEL))
    for i, caption in enumerate(captions):
        ImageDraw.Draw(row).text((i * width + 4, 2), caption, fill="black")
    return row


def stacked(rows: Sequence[Image.Image]) -> Image.Image:
    """Return the rows under one another, as wide as the widest."""
    sheet = Image.new("RGB", (max(r.width for r in rows), sum(r.height for r in rows)), "white")
    for i, row in enumerate(rows):
        sheet.paste(row, (0, sum(above.height for above in rows[:i])))
    return sheet
