"""Values as they are written on a command line. ValueError names what is legal; the standard library only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any


def typed(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return `parse` as argparse wants it, which shows only its own kind of error."""

    def parsed(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            from argparse import ArgumentTypeError  # `save` reads its options from this module, and no command line

            raise ArgumentTypeError(str(error)) from None

    return parsed


def number(text: str) -> float:
    """Return the number that was written, as int if it is whole: JPEG and AVIF take no other quality."""
    return int(text) if text.isdecimal() else real(text)


def real(text: str) -> float:
    """Return a number as float."""
    try:
        return float(text)
    except ValueError:
        msg = f"must be a number, got {text!r}"
        raise ValueError(msg) from None


def above_zero(text: str) -> float:
    """Return a finite number above 0."""
    if not 0 < (found := real(text)) < float("inf"):
        msg = f"must be a number above 0, got {text!r}"
        raise ValueError(msg)
    return found


def count(text: str, least: int = 1) -> int:
    """Return a whole number, `least` or more."""
    if not text.isdecimal() or int(text) < least:
        msg = f"must be a whole number, at least {least}, got {text!r}"
        raise ValueError(msg)
    return int(text)


def byte_count(text: str) -> float:
    """Return a number of bytes written as 40000, 200k, 1.5M or 5GB."""
    found = re.fullmatch(r"([0-9]+\.?[0-9]*)([kMG]?)B?", text, re.IGNORECASE)
    if found is None:
        msg = f"must be a number of bytes such as 40000, 200k, 1.5M or 5GB, got {text!r}"
        raise ValueError(msg)
    return float(found[1]) * {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}[found[2].lower()]


def box(text: str) -> tuple[float, ...]:
    """Return the numbers between the commas; how many there must be is checked with the other options."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        msg = f"must be the numbers left,upper,right,lower[,weight], got {text!r}"
        raise ValueError(msg) from None


def importance(text: str) -> str | float:
    """Return auto and semantic as they are, anything else as a number."""
    try:
        return text if text in ("auto", "semantic") else float(text)
    except ValueError:
        msg = f"must be auto, semantic or a strength 0-1, got {text!r}"
        raise ValueError(msg) from None


def exact_places(text: str) -> str | bool | tuple[float, ...]:
    """Return auto as it is, off as False, anything else as a box."""
    if text == "off":
        return False
    try:
        return text if text == "auto" else box(text)
    except ValueError:
        msg = f"must be auto, off or the numbers left,upper,right,lower, got {text!r}"
        raise ValueError(msg) from None


def preview(text: str) -> str | bool:
    """Return auto as it is, on and off as True and False."""
    words: dict[str, str | bool] = {"auto": "auto", "on": True, "off": False}
    if text not in words:
        msg = f"must be auto, on or off, got {text!r}"
        raise ValueError(msg)
    return words[text]


def name_or_number(text: str) -> str | int:
    """Return a whole number as int, anything else as it is."""
    return int(text) if text.isdecimal() else text
