"""Tile grid and halo arithmetic: integers only, the standard library only.

A picture is cut into square tiles of `tile_edge` pixels from its top-left corner, in raster order; those at the right
and bottom end where the picture ends. Each tile is coded alone. To hide the seams the transforms look at a *window*:
the tile and a halo of its neighbours' pixels, cut where the picture ends.

    +---------------- window ---+      every edge is a multiple of 64 pixels, except where
    |   halo                    |      the picture itself ends: there the edge is the picture's,
    |   +------- tile ----+     |      and who runs a network pads to 64 on its own account
    |   |                 |     |
"""

import operator
from collections.abc import Sequence
from dataclasses import dataclass

from .limits import MAX_TILE_EDGE, MIN_TILE_EDGE, TILE_ALIGN

__all__ = [
    "Tile",
    "Window",
    "checked_box",
    "choose_tile_edge",
    "count",
    "grid",
    "largest_tile_pixels",
    "padded",
    "tiles_touching",
    "with_halo",
]

ONE_TILE_PIXELS = 2**21
"""Largest padded picture written as one tile: 1920x1080 is one; encoding takes some 120 bytes a pixel of a tile."""

DEFAULT_TILE_EDGE = 1024
"""Edge of the tiles of a picture too large for one: 1 MP each, so two cores share even a 5 MP picture evenly."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of pixels (or of latents), `x0 <= x < x1`, `y0 <= y < y1`, never empty."""

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
    def corners(self) -> tuple[int, int, int, int]:
        """(x0, y0, x1, y1), as Pillow writes a box."""
        return (self.x0, self.y0, self.x1, self.y1)

    def intersection(self, other: "Tile") -> "Tile":
        """What two rectangles that overlap have in common."""
        return Tile(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1))

    def hull(self, other: "Tile") -> "Tile":
        """The smallest rectangle that two lie in."""
        return Tile(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def over(self, stride: int) -> "Tile":
        """The rectangle of squares of `stride` pixels that these pixels lie in."""
        return Tile(self.x0 // stride, self.y0 // stride, -(-self.x1 // stride), -(-self.y1 // stride))

    def widened(self, by: int, width: int, height: int) -> "Tile":
        """The rectangle and `by` more on each side, as far as (0, 0, width, height) goes."""
        return Tile(max(0, self.x0 - by), max(0, self.y0 - by), min(width, self.x1 + by), min(height, self.y1 + by))


@dataclass(frozen=True, slots=True)
class Window:
    """A tile with its halo: `area` in the picture, `crop` the tile's place inside that area."""

    area: Tile
    crop: Tile


def padded(length: int) -> int:
    """Return the smallest multiple of 64 that is >= `length`."""
    return -(-length // TILE_ALIGN) * TILE_ALIGN


def choose_tile_edge(width: int, height: int) -> int:
    """Return 0 (one tile) when the padded picture has at most `ONE_TILE_PIXELS`, else 1024."""
    _check_picture(width, height)
    return 0 if padded(width) * padded(height) <= ONE_TILE_PIXELS else DEFAULT_TILE_EDGE


def count(width: int, height: int, tile_edge: int) -> int:
    """Return the number of tiles in the grid; see `grid` for the arguments."""
    _check(width, height, tile_edge)
    return -(-width // tile_edge) * -(-height // tile_edge) if tile_edge else 1


def largest_tile_pixels(width: int, height: int, tile_edge: int) -> int:
    """Return the padded area of the largest tile of the grid, which the format bounds by `limits.MAX_TILE_PIXELS`."""
    _check(width, height, tile_edge)
    wide, high = padded(width), padded(height)
    return min(wide, tile_edge) * min(high, tile_edge) if tile_edge else wide * high


def grid(width: int, height: int, tile_edge: int) -> list[Tile]:
    """Cut a picture into tiles, in raster order.

    `tile_edge` is 0 (the picture is one tile) or a power of two in 128..8192; anything else, or an empty picture, is a
    ValueError. The tiles cover every pixel once; inner edges are multiples of `tile_edge`.
    """
    _check(width, height, tile_edge)
    if tile_edge == 0:
        return [Tile(0, 0, width, height)]
    return [
        Tile(x, y, min(x + tile_edge, width), min(y + tile_edge, height))
        for y in range(0, height, tile_edge)
        for x in range(0, width, tile_edge)
    ]


def with_halo(tile: Tile, halo: int, width: int, height: int) -> Window:
    """Widen a tile by at least `halo` pixels on each side where the picture goes on.

    The halo is rounded up to a multiple of 64 (0 stays 0), so that the window starts on the grid of the latents. A tile
    that does not lie inside the picture, or a negative halo, is a ValueError.
    """
    _check_picture(width, height)
    if halo < 0:
        msg = f"halo must be 0 or more pixels, got {halo}"
        raise ValueError(msg)
    if not (0 <= tile.x0 < tile.x1 <= width and 0 <= tile.y0 < tile.y1 <= height):
        msg = f"tile must lie inside the picture of {width}x{height} pixels, got {tile}"
        raise ValueError(msg)
    reach = padded(halo)
    area = Tile(
        max(0, tile.x0 - reach) // TILE_ALIGN * TILE_ALIGN,
        max(0, tile.y0 - reach) // TILE_ALIGN * TILE_ALIGN,
        min(width, padded(tile.x1 + reach)),
        min(height, padded(tile.y1 + reach)),
    )
    crop = Tile(tile.x0 - area.x0, tile.y0 - area.y0, tile.x1 - area.x0, tile.y1 - area.y0)
    return Window(area, crop)


def tiles_touching(box: Sequence[int], width: int, height: int, tile_edge: int) -> list[int]:
    """Return the raster indexes of the tiles that share a pixel with `box` = (x0, y0, x1, y1), ascending.

    The box must be non-empty and inside the picture, otherwise ValueError. Takes time in proportion to the answer.
    """
    _check(width, height, tile_edge)
    x0, y0, x1, y1 = checked_box(box, width, height)
    if tile_edge == 0:
        return [0]
    columns = -(-width // tile_edge)
    return [
        row * columns + column
        for row in range(y0 // tile_edge, (y1 - 1) // tile_edge + 1)
        for column in range(x0 // tile_edge, (x1 - 1) // tile_edge + 1)
    ]


def checked_box(box: Sequence[int], width: int, height: int) -> tuple[int, int, int, int]:
    """Return a box as four integers (x0, y0, x1, y1); ValueError unless it is one, not empty, and inside the picture."""
    legal = f"four whole numbers (x0, y0, x1, y1) with 0 <= x0 < x1 <= {width} and 0 <= y0 < y1 <= {height}"
    msg = f"box must be {legal}, got {box!r}"
    try:
        x0, y0, x1, y1 = (operator.index(corner) for corner in box)
    except (TypeError, ValueError):
        raise ValueError(msg) from None
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise ValueError(msg)
    return x0, y0, x1, y1


def _check_picture(width: int, height: int) -> None:
    if width < 1 or height < 1:
        msg = f"picture must have at least one pixel, got {width}x{height}"
        raise ValueError(msg)


def _check(width: int, height: int, tile_edge: int) -> None:
    _check_picture(width, height)
    power_of_two = tile_edge > 0 and tile_edge & (tile_edge - 1) == 0
    if tile_edge != 0 and not (power_of_two and MIN_TILE_EDGE <= tile_edge <= MAX_TILE_EDGE):
        msg = f"tile edge must be 0 or a power of two in {MIN_TILE_EDGE}-{MAX_TILE_EDGE}, got {tile_edge}"
        raise ValueError(msg)
