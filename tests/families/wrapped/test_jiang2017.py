"""`jiang2017`: the tables of its JPEG, what the second network behind it does, and that a picture is the same in parts."""

import dataclasses

import numpy as np
from made.pictures import photo_like
from PIL import Image

import pillow_lic
from pillow_lic import metrics
from pillow_lic.engine import models
from pillow_lic.engine.models import Model
from pillow_lic.families.wrapped import restoration
from pillow_lic.families.wrapped.even import evened
from pillow_lic.fileformat import jpeg

MODEL = models.choose("jiang2017")


def decoded(model: Model, data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    """Return the picture (H, W, 3) of a JPEG file inside."""
    shown = np.zeros((*shape[:2], 3), np.uint8)

    def put(area, pixels) -> None:
        shown[area.slices] = pixels

    restoration.restored(model, restoration.decoded(model, data, jpeg.facts_of(data)), (shape[0], shape[1]), put)
    return shown


def test_tables_are_more_even_and_as_pillow_reads_them(cat: np.ndarray) -> None:
    for quality in (1, 30, 75, 100):
        before = jpeg.steps_of(quality)
        after = evened(before)
        assert np.ptp(np.log(after[0])) <= np.ptp(np.log(before[0]))
        assert np.ptp(np.log(after[0])) < 0.7 or quality == 100
        np.testing.assert_array_equal(after[1], before[1])
        np.testing.assert_array_equal(jpeg.facts_of(jpeg.write(cat, quality, after)).steps, after)
        grey = np.repeat(cat[:, :, :1], 3, 2)
        np.testing.assert_array_equal(jpeg.facts_of(jpeg.write(grey, quality, after)).steps[0], after[0])


def test_the_file_inside_has_such_tables(cat: np.ndarray) -> None:
    inside = pillow_lic.extract(pillow_lic.encode(Image.fromarray(cat), model="jiang2017", quality=4))
    np.testing.assert_array_equal(jpeg.facts_of(inside).steps, evened(jpeg.steps_of(40)))


def test_refining_brings_the_picture_nearer(cat: np.ndarray) -> None:
    data = pillow_lic.encode(Image.fromarray(cat), model="jiang2017", quality=4)
    without = dataclasses.replace(MODEL, files={k: v for k, v in MODEL.files.items() if k != "refine"})
    plain = decoded(without, pillow_lic.extract(data), cat.shape)
    assert metrics.psnr(cat, np.asarray(pillow_lic.open(data))) > metrics.psnr(cat, plain) + 0.03


def test_squares_meet_without_seams() -> None:
    pixels = photo_like(350, 420)
    data = jpeg.write(pixels, 20, evened(jpeg.steps_of(20)))
    whole, parts = (
        decoded(dataclasses.replace(MODEL, constants=MODEL.constants | {"window": window}), data, (700, 839))
        for window in (1024, 256)
    )
    assert np.abs(whole.astype(int) - parts).max() <= 1
    assert (whole != parts).mean() < 0.001
