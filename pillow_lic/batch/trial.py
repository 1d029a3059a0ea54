"""Trials of a format on a picture of one pixel: which modes and which metadata Pillow's writer of it takes, and keeps."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from PIL import Image

from ..errors import let_pass


class Trial(NamedTuple):
    """The outcome: why it was not written ("" if it was), and the picture read back, if there is one."""

    refusal: str
    again: Image.Image | None


def write(name: str, mode: str, words: Mapping[str, Any]) -> Trial:
    """Write a black picture of one pixel in a format with these save options, and read it back."""
    return write_image(Image.new(mode, (1, 1)), name, words)


def write_image(im: Image.Image, name: str, words: Mapping[str, Any]) -> Trial:
    """Write a picture in a format with these save options, and read it back."""
    buffer = io.BytesIO()
    try:
        im.save(buffer, name, **words)
    except Exception as error:  # Pillow's writers raise what they come upon in metadata
        let_pass(error)
        return Trial(str(error) or type(error).__name__, None)
    try:
        with Image.open(buffer) as again:
            again.load()
    except Exception as error:  # formats that are only written
        let_pass(error)
        return Trial("", None)
    return Trial("", again)


@cache
def mode_kept(name: str, mode: str) -> str | None:
    """Return the mode in which a format keeps a picture of a mode, "" where that cannot be read back; None if it is not written."""
    trial = write(name, mode, {})
    if trial.refusal:
        return None
    return trial.again.mode if trial.again else ""
