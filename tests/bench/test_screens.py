"""The comparison over pictures of screens, `python -m tests.screens.compare`: what it looks at, and the arithmetic of its table."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from screens import compare, lossless

import pillow_lic
from pillow_lic.bench.samples import Cache

AVIF = [(100, 30.0), (400, 40.0), (1600, 50.0)]


def test_the_middle_of_a_picture_counts_and_alpha_lies_on_white(tmp_path: Path) -> None:
    (tmp_path / "logo").mkdir()
    clear = np.zeros((400, 600, 4), np.uint8)
    clear[8, 44] = 255, 0, 0, 255
    Image.fromarray(clear).save(tmp_path / "logo" / "a.png")
    ((name, pixels),) = compare.pictures(tmp_path)
    assert name == "logo/a"
    assert pixels.shape == (384, 512, 3)
    assert pixels[0, 0].tolist() == [255, 0, 0]
    assert (pixels[1:] == 255).all()


def test_bytes_are_those_of_the_smallest_file_that_reaches_a_quality() -> None:
    assert compare.bytes_at(AVIF, 35) == pytest.approx(200)
    assert compare.bytes_at([*AVIF, (150, 60.0)], 35) == 150
    assert compare.bytes_at(AVIF, 51) == math.inf


def test_a_rate_is_the_mean_over_what_both_reach() -> None:
    half = [(size / 2, value) for size, value in AVIF]
    assert compare.rate(AVIF, half, (30, 50)) == pytest.approx(math.log(0.5))
    assert compare.rate(AVIF, [(50, 40.0), (800, 60.0)], (30, 50)) < 0
    assert math.isnan(compare.rate(AVIF, [(9, 60.0), (10, 70.0)], (30, 50)))


def test_samples_of_a_name_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(compare, "METRICS", ("psnr",))
    monkeypatch.setattr(compare, "QUALITIES", {"lic": (2, 5)})
    pixels = np.full((32, 32, 3), 90, np.uint8)
    first = compare.samples("a", pixels, Cache(tmp_path / "cache.json"), ["lic"], "one")
    monkeypatch.setattr(compare, "measure", None)
    again = compare.samples("a", pixels, Cache(tmp_path / "cache.json"), ["lic"], "one")
    assert [sample.bytes for sample in again["lic"]] == [sample.bytes for sample in first["lic"]]
    assert [sample.quality for sample in first["lic"]] == [2, 5]


def test_no_model_is_named_so_that_one_colour_needs_no_network() -> None:
    pixels = np.full((384, 512, 3), 40, np.uint8)
    assert len(compare.ours().encode(pixels, 5)) < 100


def test_lossless_files_are_checked_to_be_that() -> None:
    pixels = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    size, *_, equal = lossless.measured(pixels, "lic")
    assert size == len(pillow_lic.encode(Image.fromarray(pixels), lossless=True))
    assert equal
