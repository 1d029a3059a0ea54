"""Checks of arguments: an error names the argument, the legal values and the one given; the standard library only."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Sequence

from .errors import let_pass


def number(name: str, value: object, legal: str) -> float:
    """Return ``value`` as a finite float; ValueError naming ``legal`` otherwise.

    A bool is not a number here, nor is text, or what `float` reads as such (any buffer); numpy's are known by their kind.
    """
    msg = f"{name} must be {legal}, got {shown(value)}"
    kind = getattr(getattr(value, "dtype", None), "kind", "f")
    if (
        isinstance(value, (bool, str))
        or not (hasattr(value, "__float__") or hasattr(value, "__index__"))
        or kind not in "iuf"
    ):
        raise ValueError(msg)
    try:
        found = float(value)  # type: ignore[arg-type]  # what has none of both was refused above
    except (TypeError, ValueError, ArithmeticError) as error:
        let_pass(error)
        raise ValueError(msg) from None
    if not math.isfinite(found):
        raise ValueError(msg)
    return found


def positive(name: str, value: object, legal: str) -> float:
    """Return ``value`` as a finite float above 0; ValueError naming ``legal`` otherwise."""
    found = number(name, value, legal)
    if found <= 0:
        msg = f"{name} must be {legal}, got {value!r}"
        raise ValueError(msg)
    return found


def shown(value: object) -> str:
    """Return a value as messages show it: of an array of several numbers the shape, of anything long its beginning."""
    shape = getattr(value, "shape", None)
    return f"an array of shape {shape}" if shape else reprlib.repr(value)


def close_match(name: str, known: Sequence[str]) -> str | None:
    """Return the one of ``known`` that a mistyped option most likely meant, or None."""
    import difflib  # only mistakes need it

    matches = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return matches[0] if matches else None
