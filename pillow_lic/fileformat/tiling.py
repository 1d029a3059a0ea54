"""The tiles of a picture: squares from its top-left corner, in raster order, each coded alone; the standard library only."""

from collections.abc import Sequence
from dataclasses import dataclass

from .areas import Area, checked_box, padded
from .limits import MAX_TILE_EDGE, MIN_TILE_EDGE

__all__ = ["Tiling"]


@dataclass(frozen=True, slots=True)
class Tiling:
    """A picture of `width` x `height` pixels in square tiles of `edge`; those at the right and bottom end where it ends.

    edge is 0 (the picture is one tile) or a power of two in 128..8192; anything else, or an empty picture, is a ValueError.
    Inner edges of tiles are multiples of it.
    """

    width: int
    height: int
    edge: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            msg = f"picture must have at least one pixel, got {self.width}x{self.height}"
            raise ValueError(msg)
        power_of_two = self.edge > 0 and self.edge & (self.edge - 1) == 0
        if self.edge != 0 and not (power_of_two and MIN_TILE_EDGE <= self.edge <= MAX_TILE_EDGE):
            msg = f"tile edge must be 0 or a power of two in {MIN_TILE_EDGE}-{MAX_TILE_EDGE}, got {self.edge}"
            raise ValueError(msg)

    @property
    def whole(self) -> Area:
        """The picture."""
        return Area(0, 0, self.width, self.height)

    @property
    def columns(self) -> int:
        """Tiles in a row, >= 1."""
        return -(-self.width // self.edge) if self.edge else 1

    @property
    def count(self) -> int:
        """Tiles in all, >= 1."""
        return self.columns * -(-self.height // self.edge) if self.edge else 1

    @property
    def largest(self) -> tuple[int, int]:
        """Rows and columns of the largest tile."""
        if not self.edge:
            return (self.height, self.width)
        return (min(self.height, self.edge), min(self.width, self.edge))

    def largest_padded(self, align: int) -> int:
        """Return the pixels of the largest tile, its sides padded to multiples of `align`."""
        rows, columns = (padded(length, align) for length in self.largest)
        return rows * columns

    def tile(self, index: int) -> Area:
        """Return the tile with that raster index, 0..count - 1."""
        if not self.edge:
            return self.whole
        y, x = (self.edge * place for place in divmod(index, self.columns))
        return Area(x, y, min(x + self.edge, self.width), min(y + self.edge, self.height))

    def tiles(self) -> list[Area]:
        """Return all tiles in raster order; they cover every pixel once."""
        return [self.tile(index) for index in range(self.count)]

    def touching(self, box: Sequence[int]) -> list[int]:
        """Return the raster indexes of the tiles that share a pixel with `box` = (x0, y0, x1, y1), ascending.

        ValueError for a box that is empty or not inside the picture. Takes time in proportion to the answer.
        """
        x0, y0, x1, y1 = checked_box(box, self.width, self.height)
        if self.edge == 0:
            return [0]
        return [
            row * self.columns + column
            for row in range(y0 // self.edge, (y1 - 1) // self.edge + 1)
            for column in range(x0 // self.edge, (x1 - 1) // self.edge + 1)
        ]
