"""A model of a few rates: every way to ask for a rate gives one of them, and says so where it cannot."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made.pictures import photo_like
from PIL import Image

from pillow_lic import codec
from pillow_lic.__main__ import main
from pillow_lic.bench import measurement
from pillow_lic.engine import models
from pillow_lic.fileformat.header import Header
from pillow_lic.options import EncodeOptions

LEVELS = [0, 256, 640]


@pytest.fixture(autouse=True)
def _stepped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Balle2017 with three rates."""
    found = tuple(replace(model, levels=LEVELS) if model.name == "balle2017" else model for model in models.models())
    monkeypatch.setattr(models, "models", lambda: found)


def sized(**options: object) -> tuple[Header, int]:
    data = codec.encode(photo_like(64, 96, 3, seed=1), "RGB", EncodeOptions(model="balle2017", **options))
    return codec.decode(data)[0], len(data)


def test_a_quality_is_the_nearest_rate() -> None:
    assert [sized(quality=quality)[0].level for quality in (1, 2, 3, 4, 7, 10)] == [0, 0, 256, 256, 640, 640]


def test_a_target_is_the_largest_rate_that_fits() -> None:
    sizes = [sized(quality=quality)[1] for quality in (1, 3, 8)]
    assert sizes == sorted(set(sizes))
    for level, size, larger in zip(LEVELS, sizes, [*sizes[1:], 10**6], strict=True):
        for wanted in (size, larger - 1):
            assert sized(target_size=wanted) == (sized(target_size=size)[0], size)
            header, found = sized(target_bpp=8 * wanted / (64 * 96))
            assert (header.level, found) == (level, size)
    with pytest.raises(ValueError, match=f"target_size must be at least {sizes[0]} bytes, the size at quality 1"):
        sized(target_size=sizes[0] - 1)


def test_a_psnr_is_the_lowest_rate_that_reaches_it() -> None:
    assert sized(target_psnr=1)[0].level == 0
    with pytest.raises(ValueError, match="the PSNR at quality 6.625, got 90"):
        sized(target_psnr=90)


def test_more_than_there_is_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(photo_like(64, 96, 3, seed=1)).save(tmp_path / "a.png")
    words = ["encode", str(tmp_path / "a.png"), str(tmp_path / "a.lic"), "--model", "balle2017"]
    assert main([*words, "--target-bpp", "20"]) == 0
    assert "target_bpp=20 is more than the scale has: at quality 6.62, its end" in capsys.readouterr().err


def test_the_benchmark_measures_the_rates() -> None:
    stepped = measurement.our_codec("balle2017")
    np.testing.assert_allclose(stepped.qualities, [1, 3.25, 6.625])
    assert measurement.our_codec("lic").qualities == tuple(range(1, 11))
