"""Rectangles, their halos, and their places in one another: integers only, the standard library only.

The halo of an area is what networks see around it so that no seam shows. Models name its width `halo`, in latents, or `margin`, in
pixels.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..errors import let_pass

__all__ = ["Area", "Window", "checked_box", "onto", "padded", "with_halo"]


class Area(NamedTuple):
    """A rectangle of pixels (or of latents), `x0 <= x < x1`, `y0 <= y < y1`, never empty; as a tuple a box of Pillow."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """Columns, >= 1."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Rows, >= 1."""
        return self.y1 - self.y0

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (self.height, self.width)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns as an index into an array."""
        return (slice(self.y0, self.y1), slice(self.x0, self.x1))

    @property
    def area(self) -> int:
        """Rows times columns."""
        return self.height * self.width

    def meets(self, other: "Area") -> bool:
        """Whether two rectangles overlap."""
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1

    def intersection(self, other: "Area") -> "Area":
        """Return the part that two rectangles which overlap have in common."""
        return Area(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1))

    def hull(self, other: "Area") -> "Area":
        """Return the smallest rectangle that two lie in."""
        return Area(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def within(self, other: "Area") -> "Area":
        """Return the same rectangle seen from the corner of another."""
        return Area(self.x0 - other.x0, self.y0 - other.y0, self.x1 - other.x0, self.y1 - other.y0)

    def over(self, stride: int) -> "Area":
        """Return the rectangle of squares of `stride` pixels that these pixels lie in."""
        return Area(self.x0 // stride, self.y0 // stride, -(-self.x1 // stride), -(-self.y1 // stride))

    def times(self, stride: int) -> "Area":
        """Return the rectangle of pixels that these squares of `stride` pixels cover."""
        return Area(self.x0 * stride, self.y0 * stride, self.x1 * stride, self.y1 * stride)

    def widened(self, by: int, width: int, height: int) -> "Area":
        """Return the rectangle and `by` more on each side, as far as (0, 0, width, height) goes."""
        return Area(max(0, self.x0 - by), max(0, self.y0 - by), min(width, self.x1 + by), min(height, self.y1 + by))


class Window(NamedTuple):
    """An area with its halo: `area` is both in the picture, `crop` the place without the halo inside that."""

    area: Area
    crop: Area


def padded(length: int, align: int) -> int:
    """Return the smallest multiple of `align` that is >= `length`."""
    return -(-length // align) * align


def with_halo(area: Area, halo: int, align: int, width: int, height: int) -> Window:
    """Widen an area by at least `halo` pixels on each side where the picture goes on.

    Edges of the window are multiples of `align` pixels, except where the picture itself ends: there they are the picture's,
    and who runs a network pads on its own account. ValueError for an area that does not lie inside the picture, or a
    negative halo.

        +---------------- window ---+
        |   halo                    |
        |   +------- area ----+     |
        |   |                 |     |
    """
    if halo < 0:
        msg = f"halo must be 0 or more pixels, got {halo}"
        raise ValueError(msg)
    if not (0 <= area.x0 < area.x1 <= width and 0 <= area.y0 < area.y1 <= height):
        msg = f"area must lie inside the picture of {width}x{height} pixels, got {area}"
        raise ValueError(msg)
    reach = padded(halo, align)
    window = Area(
        max(0, area.x0 - reach) // align * align,
        max(0, area.y0 - reach) // align * align,
        min(width, padded(area.x1 + reach, align)),
        min(height, padded(area.y1 + reach, align)),
    )
    return Window(window, area.within(window))


def onto(picture: Any) -> Callable[[Area, Any], None]:
    """Return a function that writes the pixels (h, w, C) of an area into the array (H, W, C) of a picture."""

    def put(area: Area, pixels: Any) -> None:
        picture[area.slices] = pixels

    return put


def checked_box(box: Sequence[int], width: int, height: int) -> tuple[int, int, int, int]:
    """Return a box as four integers (x0, y0, x1, y1); ValueError unless it is one, not empty, and inside the picture."""
    legal = f"four whole numbers (x0, y0, x1, y1) with 0 <= x0 < x1 <= {width} and 0 <= y0 < y1 <= {height}"
    msg = f"box must be {legal}, got {box!r}"
    try:
        x0, y0, x1, y1 = (operator.index(corner) for corner in box)
    except (TypeError, ValueError) as error:
        let_pass(error)
        raise ValueError(msg) from None
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise ValueError(msg)
    return x0, y0, x1, y1
