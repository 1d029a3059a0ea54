"""Small tiles for tests, and the beginning of a tile's stream."""

import pytest

from pillow_lic.engine.entropy import LANES
from pillow_lic.fileformat.tiling import Tiling


def in_tiles(monkeypatch: pytest.MonkeyPatch, edge: int) -> None:
    """Have the encoder cut every picture into tiles of that edge."""
    monkeypatch.setattr("pillow_lic.families.lic1.writing.chosen_tiling", lambda w, h, _: Tiling(w, h, edge))


def stream_of(lanes: int, check: int, coded: bytes) -> bytes:
    """Return a stream with such a prefix."""
    return bytes([LANES.index(lanes)]) + check.to_bytes(2, "little") + coded
