"""`lic bench times`: a table of seconds beside peers, and the mosaics that are timed."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pillow_lic.bench import peers, times


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, shade in (("a", 90), ("b", 180)):
        Image.fromarray(np.random.default_rng(shade).normal(shade, 9, (60, 80, 3)).clip(0, 255).astype(np.uint8)).save(
            tmp_path / f"{name}.png"
        )
    return tmp_path


def test_times_of_small_and_large_mosaics(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--megapixels", "0.01,0.02", "--quality", "3", "--threads", "1", "--models", "lic2", "--rounds", "1")
    assert times.main([str(folder), *arguments]) == 0
    shown = capsys.readouterr().out
    peer = sum(peers.is_available(name) for name in times.PEERS)
    cell = r"\d+\.\d\d \(" + ", ".join([r"\d+\.\d"] * peer) + r"\)"
    for title in ("0.01, 3, 1", "0.02, 3, 1", "median, 1"):
        assert re.search(rf"^\| {title} \| {cell} \| {cell} \|$", shown, re.MULTILINE)


def test_times_refuse_more_threads_than_processors(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert times.main([str(folder), "--megapixels", "0.01", "--threads", "1000", "--models", "lic2"]) == 1
    assert "threads must be at most" in capsys.readouterr().err


def test_a_mosaic_is_filled_by_pictures_side_by_side() -> None:
    pictures = [np.full((20, 30, 3), 1, np.uint8), np.full((30, 20, 3), 2, np.uint8)]
    found = times.mosaic(pictures, 0.003)
    assert found.shape == (47, 63, 3)
    assert (found[:20, :30] == 1).all()
    assert (found[:20, 30:60] == 2).all()
    assert (found[:20, 60:] == 1).all()
    assert set(np.unique(found)) == {1, 2}
