"""The gradient of a picture's error by its latents, in native code: what its formula says, with any number of threads."""

import numpy as np
import pytest
from made.pictures import photo_like

from pillow_lic import _native
from pillow_lic.engine import graphs, models
from pillow_lic.engine.settings import settings
from pillow_lic.families.lic1 import gradient

NAMES = ["lic1", "lic2"]


def pair(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture and one that is a little beside it, with a few pixels far off."""
    wanted = photo_like(height, width)
    noise = np.random.default_rng(height).normal(0, 4, wanted.shape)
    noise[:1, :1] = 255
    return (wanted + noise).clip(0, 255).astype(np.uint8), wanted


def levels(height: int, width: int) -> np.ndarray:
    found = np.random.default_rng(width).integers(0, 1025, (-(-height // 16), -(-width // 16))).astype(np.float32)
    found[0, 0] = 1024
    return found


def expected(model: models.Model, shown: np.ndarray, wanted: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return the gradient in float64: errors, less a part of what stands out of their mean over 7x7, through what latents add to pixels."""
    rows, columns = level.shape
    errors = np.zeros((16 * rows, 16 * columns, 3))
    errors[: shown.shape[0], : shown.shape[1]] = shown.astype(float) - wanted
    around = np.pad(errors, ((3, 3), (3, 3), (0, 0)))
    mean = np.lib.stride_tricks.sliding_window_view(around, (7, 7), (0, 1)).mean((-1, -2))
    part = np.interp(level, (0, 1024), gradient.LEFT_OUT).repeat(16, 0).repeat(16, 1)[..., None]
    seen = (errors - part * (errors - mean)).reshape(rows, 16, columns, 16, 3)
    arrays = graphs.weights(model.stored("synthesis").read())
    latents = model.constants["latents"]
    (gains,) = (a.reshape(latents, 9) for a in arrays if a.shape == (latents, 9, 1, 1))
    (path,) = (a for a in arrays if a.shape == (latents, 192, 2, 2))
    adds = path.reshape(latents, 3, 2, 2, 4, 4, 2, 2).transpose(0, 6, 4, 2, 7, 5, 3, 1).reshape(latents, 16, 16, 3)
    slopes = 2 / 3 * np.vectorize(lambda one: model.slope(int(one)))(level)
    factors = np.exp([np.interp(level, np.linspace(0, 1024, 9), row) for row in gains]) * slopes
    return np.einsum("hawbc,mabc->mhw", seen, adds, optimize=True) * factors


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (16, 33), (50, 100), (70, 16)])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_that_of_the_formula(name: str, size: tuple[int, int]) -> None:
    model, (shown, wanted), level = models.choose(name), pair(*size), levels(*size)
    found = gradient.find(model, shown, wanted, level)
    wanted_gradient = expected(model, shown, wanted, level)
    assert found.shape == wanted_gradient.shape
    scale = np.sqrt(np.mean(wanted_gradient**2, (1, 2), keepdims=True)) + wanted_gradient.std() / 4
    assert np.sqrt(np.mean(((found - wanted_gradient) / scale) ** 2)) < 0.03


@pytest.mark.parametrize("name", NAMES)
def test_no_sum_overflows(name: str) -> None:
    """Whatever the errors: those that a latent's own pixels add up to most are as far off as can be."""
    model, level = models.choose(name), np.full((1, 1), 1024, np.float32)
    latents = model.constants["latents"]
    (path,) = (a for a in graphs.weights(model.stored("synthesis").read()) if a.shape == (latents, 192, 2, 2))
    for latent in np.abs(path).reshape(latents, -1).sum(1).argsort()[-3:]:
        adds = path[latent].reshape(3, 2, 2, 4, 4, 2, 2).transpose(5, 3, 1, 6, 4, 2, 0).reshape(16, 16, 3)
        shown = np.where(adds > 0, 255, 0).astype(np.uint8)
        for one, other in ((shown, 255 - shown), (255 - shown, shown)):
            found, true = gradient.find(model, one, other, level), expected(model, one, other, level)
            assert found[latent] == pytest.approx(true[latent], rel=0.01)


@pytest.mark.parametrize("threads", [2, 3])
def test_pieces_change_nothing(threads: int) -> None:
    model, (shown, wanted), level = models.choose("lic2"), pair(150, 40), levels(150, 40)
    with settings(threads=1):
        once = gradient.find(model, shown, wanted, level)
    with settings(threads=threads):
        np.testing.assert_array_equal(gradient.find(model, shown, wanted, level), once)


def test_kernels_find_the_same() -> None:
    model, (shown, wanted), level = models.choose("lic2"), pair(40, 130), levels(40, 130)
    once = gradient.find(model, shown, wanted, level)
    try:
        for name in _native.kernels():
            _native.use_kernels(name)
            np.testing.assert_array_equal(gradient.find(model, shown, wanted, level), once, err_msg=name)
    finally:
        _native.use_kernels(_native.kernels()[0])


def test_wrong_arrays_are_refused() -> None:
    layer = gradient._layer(models.choose("lic2"))
    pixels, level, out = (
        np.zeros((17, 16, 3), np.uint8),
        np.zeros((2, 1), np.float32),
        np.zeros((384, 2, 1), np.float32),
    )
    layer.run(pixels, pixels, level, out, 0, 2)
    for arrays in (
        (pixels[:16], pixels, level, out),
        (pixels, pixels, level[:1], out),
        (pixels, pixels, level, out[:, :1].copy()),
        (pixels[:0], pixels[:0], level[:0], out[:, :0].copy()),
    ):
        with pytest.raises(ValueError, match="there must be"):
            layer.run(*arrays, 0, 2)
    with pytest.raises(ValueError, match="there must be rows"):
        layer.run(pixels, pixels, level, out, 1, 3)
    with pytest.raises(ValueError, match="multiples of 16"):
        _native.ErrorGradient(np.zeros(4, np.uint8), 8)
