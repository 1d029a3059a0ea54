"""The places of a picture that a caller names: boxes, masks, and the strength of an automatic map; the standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..arguments import number, shown

Box = tuple[float, ...]

SEMANTIC = "semantic"
"""The importance of the things that a picture is of."""

LEGAL_ROI = "a picture-sized mask or boxes (left, upper, right, lower[, weight])"
LEGAL_PLACES = "a picture-sized mask or boxes (left, upper, right, lower)"


def is_map(value: object) -> bool:
    """Whether ``value`` looks like a two-dimensional array (anything with a ``shape`` of length 2)."""
    return len(getattr(value, "shape", ())) == 2


def are_boxes(array: Any) -> bool:
    """Whether the rows of a two-dimensional array are boxes: 4 or 5 numbers each, not all of them 0-1, and not uint8 or bool.

    The size of the picture has no say. A box in pixels has a number above 1; what may be a mask is none, so that a mask of a
    wrong size is named and not read as boxes.
    """
    if array.shape[1] not in (4, 5) or array.dtype.name == "uint8" or array.dtype.kind not in "iufO":
        return False
    return array.dtype.kind == "O" or bool((array > 1).any())


def box_shown(box: Sequence[float]) -> str:
    """Return a box as its numbers were written: whole ones without a fraction."""
    return f"({', '.join(f'{side:.15g}' for side in box)})"


def strength(name: str, value: object, legal: str) -> float | None:
    """Return the strength of an automatic map, "auto" being 1; None for 0, ValueError naming ``legal`` for what is none."""
    if isinstance(value, str) and value == "auto":
        return 1.0
    msg = f"{name} must be {legal}, got {shown(value)}"
    if hasattr(value, "shape") and value.shape:
        raise ValueError(msg)
    found = number(name, value, legal)
    if not 0 <= found <= 1:
        raise ValueError(msg)
    return found or None


def _as_rows(value: object) -> object:
    """A box or boxes given as arrays of one dimension as lists; anything else as it is."""
    if len(getattr(value, "shape", ())) == 1:
        return value.tolist()  # type: ignore[attr-defined]  # what has a shape has that
    if not isinstance(value, (list, tuple)):
        return value
    rows = [_as_rows(row) if hasattr(row, "shape") else row for row in value]
    return tuple(rows) if isinstance(value, tuple) else rows


def importance(name: str, value: object, legal: str) -> object:
    """Return a map or SEMANTIC as it is, else the strength of an automatic map as `strength` does."""
    if is_map(value) or (isinstance(value, str) and value == SEMANTIC):
        return value
    return strength(name, value, legal)


def boxes(name: str, value: object, legal: str, *, weighted: bool = True) -> tuple[Box, ...]:
    """Return boxes as tuples (left, upper, right, lower[, weight]); ValueError naming ``legal`` for anything else.

    weighted: a box may have a weight.
    """
    value = _as_rows(value)
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or not value:
        msg = f"{name} must be {legal}, got {shown(value)}"
        raise ValueError(msg)
    rows: Sequence[Any] = value if isinstance(value[0], Sequence) else [value]
    found = []
    for row in rows:
        if not isinstance(row, Sequence) or isinstance(row, (str, bytes)) or not 4 <= len(row) <= 4 + weighted:
            msg = f"{name} must be {legal}, got {shown(row)}"
            raise ValueError(msg)
        box = tuple(number(name, side, legal) for side in row)
        if box[2] <= box[0] or box[3] <= box[1]:
            msg = f"{name} box must have right > left and lower > upper, got {box_shown(box[:4])}"
            raise ValueError(msg)
        if len(box) == 5 and not 0 <= box[4] <= 1:
            msg = f"the weight of a {name} box must be 0-1, got {box[4]:g}"
            raise ValueError(msg)
        found.append(box)
    return tuple(found)
