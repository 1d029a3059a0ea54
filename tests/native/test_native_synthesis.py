"""The layers of lic2's synthesis in native code, in whole numbers, and as the network."""

import dataclasses

import numpy as np
import onnx
import pytest

from native import instead
from pillow_lic import _native
from pillow_lic.engine import models, runtime
from pillow_lic.engine.settings import settings
from pillow_lic.families.lic1 import detail, synthesis
from pillow_lic.fileformat.areas import Area

SPEC = models.choose("lic2")
NUMBERS = np.frombuffer(SPEC.stored(synthesis.NUMBERS).read(), np.uint8)
UNIT = 2**11
"""Units of a feature in 1."""
fast = pytest.mark.skipif(not _native.Synthesis.fast(), reason="no kernels for this processor: the network runs")


def factors(level: np.ndarray) -> np.ndarray:
    """Return what the network multiplies latents with, (384, h, w), at a level field."""
    tensors = onnx.load_from_string(SPEC.stored("synthesis").read()).graph.initializer
    logs = next(onnx.numpy_helper.to_array(t) for t in tensors if t.dims == [384, 9, 1, 1])[..., 0, 0]
    return np.exp([np.interp(level, range(0, 1025, 128), log) for log in logs]).astype(np.float32)


def latents(rows: int, columns: int, seed: int = 0, *, flat: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return y_hat and a level field of so many latents: noise, of which few channels are strong, 0 where it is next to nothing.

    flat: of one level.
    """
    rng = np.random.default_rng(seed)
    level = (
        np.full((rows, columns), 300, np.float32) if flat else rng.integers(0, 1025, (rows, columns)).astype(np.float32)
    )
    strength = np.geomspace(3, 0.003, 384)[rng.permutation(384), None, None]
    own = factors(level)
    noise = rng.normal(0, 0.15, (384, rows, columns)) * strength
    return np.where(np.abs(noise) < nothing(own) + 1 / UNIT, 0, noise / own).astype(np.float32), level


def nothing(own: np.ndarray) -> np.ndarray:
    """Return what latents times their factors must have, (h, w), or are taken to be 0, to a unit of a feature."""
    return own.min(0) / 32


def drawn(y_hat: np.ndarray, level: np.ndarray, *, reference: bool = False) -> tuple[np.ndarray, np.ndarray]:
    return synthesis.draw(SPEC, y_hat, level, reference=reference)


@fast
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 5), (4, 2), (3, 33), (2, 67), (9, 8), (13, 20)])
@pytest.mark.parametrize("flat", [False, True])
def test_native_layers_are_the_network(rows: int, columns: int, flat: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made = latents(rows, columns, flat=flat)
    picture, context = drawn(*made, reference=True)
    monkeypatch.setattr(runtime, "run", None)
    found, beside = drawn(*made)
    assert found.shape == picture.shape
    assert picture.std() > 10
    assert np.abs(found - picture).max() < 0.5
    assert np.sqrt(np.mean((found - picture) ** 2)) < 0.1
    assert np.abs(beside - context).max() < 0.1
    assert context.std() > 0.1


@fast
def test_latents_of_next_to_nothing_are_none() -> None:
    y_hat, level = latents(5, 14, flat=True)
    least = nothing(factors(level)) / factors(level)
    none = y_hat == 0
    assert 0.3 < none.mean() < 0.9
    little = np.random.default_rng(1).uniform(-0.8, 0.8, y_hat.shape) * least
    for one, other in zip(
        drawn(np.where(none, little, y_hat).astype(np.float32), level), drawn(y_hat, level), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    enough = np.where(none, 1.2 * least, y_hat).astype(np.float32)
    assert not np.array_equal(drawn(enough, level)[0], drawn(y_hat, level)[0])


@fast
def test_rows_out_of_reach_change_nothing() -> None:
    """To the last bit: sums are whole numbers, in whatever order."""
    y_hat, level = latents(24, 17, 1)
    whole, beside = drawn(y_hat, level)
    upper, above = drawn(y_hat[:, :17], level[:17])
    left, before = drawn(y_hat[:, :, :14], level[:, :14])
    np.testing.assert_array_equal(upper[:, : 8 * 10], whole[:, : 8 * 10])
    np.testing.assert_array_equal(above[:, : 2 * 10], beside[:, : 2 * 10])
    np.testing.assert_array_equal(left[..., : 8 * 7], whole[..., : 8 * 7])
    np.testing.assert_array_equal(before[..., : 2 * 7], beside[..., : 2 * 7])


@fast
def test_what_no_encoder_writes_becomes_a_picture() -> None:
    y_hat, level = latents(7, 9)
    y_hat[5, 2, 3], y_hat[7, 3, 3], y_hat[9, 4, 4], y_hat[11] = np.nan, np.inf, -np.inf, 1e30
    level[0, 0], level[1, 1], level[2, 2], level[3, 3] = np.nan, -5, 1e9, np.inf
    assert all(np.isfinite(made).all() for made in drawn(y_hat, level))


@instead.CASES
def test_else_the_network_runs(reference: bool, providers: str, bare: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    roles = instead.roles_that_run(monkeypatch, "y_hat", "level")
    spec = dataclasses.replace(SPEC, extras={}) if bare else SPEC
    with settings(providers=providers):
        synthesis.draw(spec, *latents(1, 1), reference=reference)
        assert synthesis.painter(spec, reference=reference) is None
    assert roles == ["synthesis"]


def painted(y_hat: np.ndarray, level: np.ndarray, inside: Area) -> np.ndarray:
    layers = synthesis.painter(SPEC, reference=False)
    assert layers is not None
    around = np.full((16 * inside.height + 2, 16 * inside.width + 3, 3), 9, np.uint16)
    synthesis.paint(SPEC, layers, y_hat, level, inside, around[1:-1, 2:-1])
    found = around[1:-1, 2:-1].copy()
    around[1:-1, 2:-1] = 9
    assert (around == 9).all()
    return found


@fast
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 9), (5, 2), (8, 13), (15, 20)])
def test_what_is_painted_is_the_detail_of_what_is_drawn(rows: int, columns: int) -> None:
    """Of every part, and with every latent that decides it at an edge of the part."""
    y_hat, level = latents(rows, columns)
    picture, context = drawn(y_hat, level)
    whole = np.empty((16 * rows, 16 * columns, 3), np.uint16)
    detail.draw(SPEC, picture, context, level, Area(0, 0, columns, rows), whole, reference=False)
    np.testing.assert_array_equal(painted(y_hat, level, Area(0, 0, columns, rows)), whole)
    rng = np.random.default_rng(rows)
    for _ in range(12):
        x0, y0 = int(rng.integers(columns)), int(rng.integers(rows))
        inside = Area(x0, y0, int(rng.integers(x0, columns)) + 1, int(rng.integers(y0, rows)) + 1)
        np.testing.assert_array_equal(painted(y_hat, level, inside), whole[inside.times(16).slices])
    assert len(np.unique(whole)) > 100


def test_who_paints() -> None:
    assert (synthesis.painter(SPEC, reference=False) is not None) == _native.Synthesis.fast()
    assert synthesis.painter(models.choose("lic1"), reference=False) is None


def test_arrays_of_other_shapes_are_errors() -> None:
    with pytest.raises(ValueError, match="1176384 of the layers"):
        _native.Synthesis(NUMBERS[1:])
    network, (y_hat, level) = _native.Synthesis(NUMBERS), latents(2, 3)
    picture, context = np.empty((12, 16, 24), np.float32), np.empty((16, 4, 6), np.float32)
    for arguments, said in (
        ((y_hat[1:], level, picture, context), "384 latents"),
        ((y_hat[:, :1].copy(), level, picture, context), "384 latents"),
        ((y_hat, level, picture[:, 1:].copy(), context), "12 channels"),
        ((y_hat, level, picture[1:], context), "12 channels"),
        ((y_hat, level, picture, context[..., 1:].copy()), "16 of 2x2"),
        ((y_hat[:, :0], level[:0], picture[:, :0], context[:, :0]), "must be latents"),
    ):
        with pytest.raises(ValueError, match=said):
            network.draw(*arguments)
    layers = _native.Detail(np.frombuffer(SPEC.stored(detail.NUMBERS).read(), "<f4"))
    pixels = np.empty((32, 48, 3), np.uint16)
    for place, out, said in (
        ((0, 0, 2, 4), pixels, "inside the picture"),
        ((1, 0, 2, 3), pixels, "inside the picture"),
        ((0, 0, 2, 3), pixels[1:], "16 times"),
        ((0, 0, 2, 3), pixels[:, :, ::-1], "16 times"),
    ):
        with pytest.raises(ValueError, match=said):
            network.paint(layers, y_hat, level, place, out)
    with pytest.raises(ValueError, match="384 for every level"):
        network.paint(layers, y_hat[1:], level, (0, 0, 2, 3), pixels)
