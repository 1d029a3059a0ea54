"""Rounding by rate and distortion: what it saves is more than what it costs."""

import numpy as np
import pytest
from pictures import SAMPLE
from PIL import Image

from pillow_lic import codec, models, rounding, transforms
from pillow_lic.metrics import psnr
from pillow_lic.options import EncodeOptions


def measured(pixels: np.ndarray, **options: float) -> tuple[float, float]:
    """PSNR and the logarithm of the bytes."""
    data = codec.encode(pixels, "RGB", EncodeOptions(**options))
    return psnr(pixels, codec.decode(data)[1]), float(np.log(len(data)))


@pytest.mark.parametrize("quality", [3, 6])
def test_files_are_smaller_at_equal_psnr(quality: float) -> None:
    with Image.open(SAMPLE) as im:
        pixels = np.asarray(im.convert("RGB"))[:192, :256]
    plain = [measured(pixels, quality=q, effort=0) for q in (quality - 1, quality)]
    reached, size = measured(pixels, quality=quality)
    assert plain[0][0] < reached < plain[1][0]
    assert size < np.interp(reached, *zip(*plain, strict=True)) - 0.005


def test_zones_are_widest_where_a_zero_is_nearly_free() -> None:
    zones = rounding.dead_zones(models.choose(None))
    assert zones.shape == (models.choose(None).scales,)
    assert zones.min() >= 0
    assert 0.1 < zones[0] < 0.5
    assert zones[0] > zones[8] > zones[16] > zones[32]


def test_no_symbol_is_left_inside_the_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 1 stands for a difference of 1/2 or more; with a zone, of 1/2 and the zone or more."""
    original = transforms.residuals
    seen: list[tuple[np.ndarray, ...]] = []

    def recorded(spec, z_hat, y, level, cells, *zone):
        r, y_hat = original(spec, z_hat, y, level, cells, *zone)
        seen.append((np.abs(y - (y_hat - r)), r, *zone))
        return r, y_hat

    monkeypatch.setattr(transforms, "residuals", recorded)
    with Image.open(SAMPLE) as im:
        codec.encode(np.asarray(im.convert("RGB"))[:64, :64], "RGB", EncodeOptions())
    _, (difference, r, zone) = seen
    assert (difference[r != 0] >= 0.5 + zone[r != 0] - 1e-3).all()
    assert (difference[(r == 0)] <= 0.5 + zone[r == 0] + 1e-3).all()
    assert zone.max() > 0.1
