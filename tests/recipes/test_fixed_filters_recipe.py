"""The recipe of a model's fixed filters: what it finds on a few patches, and how it rounds."""

import numpy as np
import pytest
from made.pictures import SAMPLE
from PIL import Image

from onnx_models.recipes.lic1 import fixed_filters
from pillow_lic.engine import models
from pillow_lic.families.lic1 import filtering, fixed
from pillow_lic.fileformat.areas import Area
from pillow_lic.metrics import psnr

SPEC = models.choose("lic2")


def test_filters_bring_patches_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    with Image.open(SAMPLE) as im:
        cat = np.asarray(im.convert("RGB"))
    patches = [np.ascontiguousarray(cat[:128, x : x + 128]) for x in (60, 188)]
    monkeypatch.setattr(fixed_filters, "FILTERS", 2)
    found = fixed_filters.fitted(SPEC, patches)
    assert len(found) == 2
    assert found[0].threshold > found[1].threshold
    assert not any(one.taps[:, fixed_filters.SEEN :].any() for one in found)
    assert len(fixed.packed(found)) == 2 * fixed.RECORD
    for pixels in patches:
        for one, fine in zip(found, fixed_filters.drawn(SPEC, pixels, fixed_filters.levels(2)), strict=True):
            plain, shown = (filtering.applied(fine, Area(0, 0, 128, 128), f) for f in (filtering.NONE, one))
            assert psnr(pixels, shown) > psnr(pixels, plain) + 0.03


def test_a_coefficient_is_rounded_for_the_others() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(12, 200)) + rng.normal(size=200)
    gram, products = a @ a.T, a @ (a.T @ rng.normal(size=(12, 3)) + rng.normal(size=(200, 3)))
    real = np.linalg.solve(gram, products)

    def lost(taps: np.ndarray) -> float:
        return float(((taps - real) * (gram @ (taps - real))).sum())

    found = fixed_filters.rounded(real, gram, products)
    assert (found == np.rint(found)).all()
    assert lost(found) < 0.8 * lost(np.rint(real))


def test_the_middle_of_each_part_of_the_scale() -> None:
    assert fixed_filters.levels(8) == [64, 192, 320, 448, 576, 704, 832, 960]
    for number, level in enumerate(fixed_filters.levels(8)):
        assert filtering.named(fixed.stored(SPEC), level)[0] is fixed.stored(SPEC)[number]
