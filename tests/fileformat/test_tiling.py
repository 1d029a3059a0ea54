"""The tile grid: it covers the picture once, and halos stay on the grid of the latents."""

import pytest
from engine.released import models_of
from hypothesis import given
from hypothesis import strategies as st

from pillow_lic.families.lic1.writing import chosen_tiling
from pillow_lic.fileformat.areas import Area, padded, with_halo
from pillow_lic.fileformat.limits import MAX_SIDE
from pillow_lic.fileformat.tiling import Tiling

SIDES = st.integers(1, 3000)
EDGES = st.sampled_from([0, 128, 256, 512, 1024, 2048, 4096, 8192])


def tiles_of(width: int, height: int, edge: int) -> list[Area]:
    return Tiling(width, height, edge).tiles()


@given(SIDES, SIDES, EDGES)
def test_the_grid_covers_the_picture_once_in_raster_order(width: int, height: int, edge: int) -> None:
    cut = tiles_of(width, height, edge)
    assert len(cut) == Tiling(width, height, edge).count
    assert cut == sorted(cut, key=lambda tile: (tile.y0, tile.x0))
    assert sum(tile.width * tile.height for tile in cut) == width * height
    # Equal area and distinct grid cells: no overlap is possible.
    assert len({(tile.x0, tile.y0) for tile in cut}) == len(cut)
    for tile in cut:
        assert tile.width >= 1
        assert tile.height >= 1
        assert tile.x1 % 64 == 0 or tile.x1 == width
        assert tile.y1 % 64 == 0 or tile.y1 == height
        if edge:
            assert (tile.x0 % edge, tile.y0 % edge) == (0, 0)
            assert max(tile.width, tile.height) <= edge


@given(SIDES, SIDES, EDGES)
def test_the_largest_tile_is_one_of_them(width: int, height: int, edge: int) -> None:
    tiling = Tiling(width, height, edge)
    assert tiling.largest == max((tile.shape for tile in tiling.tiles()), key=lambda shape: shape[0] * shape[1])
    assert [tiling.tile(index) for index in range(tiling.count)] == tiling.tiles()


@given(st.integers(1, MAX_SIDE), st.integers(1, MAX_SIDE))
def test_the_chosen_edge_is_always_legal(width: int, height: int) -> None:
    rows, columns = (padded(length, 64) for length in chosen_tiling(width, height, 64).largest)
    assert rows * columns <= min(model.constants["tile_pixels"] for model in models_of("lic1"))


def test_one_tile_up_to_two_megapixels() -> None:
    assert chosen_tiling(1, 1, 64).edge == 0
    assert chosen_tiling(1920, 1080, 64).edge == 0
    assert chosen_tiling(2048, 1024, 64).edge == 0
    assert chosen_tiling(2049, 1024, 64).edge == 1024
    assert chosen_tiling(32768, 64, 64).edge == 0
    assert chosen_tiling(32768, 65, 64).edge == 1024


def test_grid_of_a_known_picture() -> None:
    assert tiles_of(300, 129, 128) == [
        Area(0, 0, 128, 128),
        Area(128, 0, 256, 128),
        Area(256, 0, 300, 128),
        Area(0, 128, 128, 129),
        Area(128, 128, 256, 129),
        Area(256, 128, 300, 129),
    ]


@given(st.integers(1, 1500), st.integers(1, 1500), st.sampled_from([0, 128, 256, 1024]), st.integers(0, 300))
def test_windows_are_aligned_clipped_and_wide_enough(width: int, height: int, edge: int, halo: int) -> None:
    for tile in tiles_of(width, height, edge):
        window = with_halo(tile, halo, 64, width, height)
        area, crop = window.area, window.crop
        assert (area.x0 % 64, area.y0 % 64) == (0, 0)
        assert area.x1 % 64 == 0 or area.x1 == width
        assert area.y1 % 64 == 0 or area.y1 == height
        assert (crop.x0 + area.x0, crop.y0 + area.y0) == (tile.x0, tile.y0)
        assert (crop.width, crop.height) == (tile.width, tile.height)
        assert area.x0 <= max(0, tile.x0 - halo)
        assert area.y0 <= max(0, tile.y0 - halo)
        assert min(width, tile.x1 + halo) <= area.x1 <= width
        assert min(height, tile.y1 + halo) <= area.y1 <= height
        # No more than asked for: the halo rounded up, and the tile rounded out.
        assert tile.x0 - area.x0 < halo + 64
        assert area.x1 - tile.x1 < halo + 128


def test_no_halo_is_the_tile_itself() -> None:
    for tile in tiles_of(300, 129, 128):
        assert with_halo(tile, 0, 64, 300, 129).area == tile


@given(st.data(), st.integers(1, 900), st.integers(1, 900), st.sampled_from([0, 128, 256, 1024]))
def test_touching_is_what_intersects(data: st.DataObject, width: int, height: int, edge: int) -> None:
    x0, y0 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    x1, y1 = data.draw(st.integers(x0 + 1, width)), data.draw(st.integers(y0 + 1, height))
    expected = [
        number
        for number, tile in enumerate(tiles_of(width, height, edge))
        if tile.x0 < x1 and x0 < tile.x1 and tile.y0 < y1 and y0 < tile.y1
    ]
    assert Tiling(width, height, edge).touching((x0, y0, x1, y1)) == expected


@pytest.mark.parametrize("edge", [-128, 1, 64, 127, 384, 16384])
def test_illegal_edges(edge: int) -> None:
    with pytest.raises(ValueError, match=f"power of two in 128-8192, got {edge}"):
        tiles_of(10, 10, edge)


def test_illegal_pictures_boxes_and_halos() -> None:
    with pytest.raises(ValueError, match="at least one pixel, got 0x5"):
        tiles_of(0, 5, 0)
    with pytest.raises(ValueError, match="at least one pixel, got 5x-1"):
        chosen_tiling(5, -1, 64)
    for box in [(0, 0, 0, 5), (-1, 0, 5, 5), (0, 0, 11, 5), (0, 5, 5, 5)]:
        with pytest.raises(ValueError, match="0 <= x0 < x1 <= 10 and 0 <= y0 < y1 <= 10"):
            Tiling(10, 10, 0).touching(box)
    with pytest.raises(ValueError, match="halo must be 0 or more pixels, got -1"):
        with_halo(Area(0, 0, 10, 10), -1, 64, 10, 10)
    with pytest.raises(ValueError, match="inside the picture of 10x10"):
        with_halo(Area(0, 0, 11, 10), 0, 64, 10, 10)
