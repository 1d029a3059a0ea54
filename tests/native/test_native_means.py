"""The networks of means in native code: those of the graphs but for what whole numbers round."""

import dataclasses

import numpy as np
import pytest

from native import instead
from pillow_lic import _native
from pillow_lic.engine import models, runtime
from pillow_lic.engine.settings import settings
from pillow_lic.families.lic1 import means, passes

SPEC = models.choose("lic2")
STAGES = range(SPEC.constants["stages"])
NUMBERS = np.frombuffer(SPEC.stored(means.NUMBERS).read(), np.uint8)
fast = pytest.mark.skipif(not _native.Means.fast(), reason="no kernels for this processor: the networks run")


def given(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return z_hat and levels, of which some are between anchors and some are the ends of the scale."""
    rng = np.random.default_rng(rows)
    level = rng.integers(0, 1025, (rows, columns)).astype(np.float32)
    level[0, :2] = 0, 1024
    return rng.integers(-9, 10, (64, rows // 4, columns // 4)).astype(np.float32), level


def known(stage: int, rows: int, columns: int) -> np.ndarray:
    """Return y_hat (384, h, w) of the passes before a stage, 0 elsewhere."""
    rng = np.random.default_rng(stage)
    y_hat = np.zeros((384, rows, columns), np.float32)
    for t in range(stage):
        count = passes.gather(y_hat, t, (rows, columns)).size
        passes.scatter(y_hat, t, (rows, columns), rng.normal(0, 20, count).astype(np.float32))
    return y_hat


@fast
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (8, 20), (4, 68), (12, 16), (20, 4)])
def test_native_layers_are_the_networks(stage: int, rows: int, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    z_hat, level = given(rows, columns)
    y_hat = known(stage, rows, columns)
    bare = dataclasses.replace(SPEC, extras={})
    expected = means.find(bare, stage, means.begin(bare, z_hat, level), y_hat)
    monkeypatch.setattr(runtime, "run", None)
    found = means.find(SPEC, stage, means.begin(SPEC, z_hat, level), y_hat)
    assert found.shape == (len(passes.of_stage(stage, len(STAGES))) * 384, rows // 2, columns // 2)
    most = np.abs(expected).max()
    assert most > 20
    np.testing.assert_allclose(found, expected, atol=4e-3 * most)
    assert np.sqrt(np.mean((found - expected) ** 2)) < 3e-4 * most


@fast
def test_latents_that_are_not_coded_yet_are_not_looked_at() -> None:
    z_hat, level = given(8, 8)
    features, y_hat = means.begin(SPEC, z_hat, level), known(1, 8, 8)
    later = y_hat.copy()
    passes.scatter(later, 1, (8, 8), np.full(384 * 16, 100, np.float32))
    np.testing.assert_array_equal(means.find(SPEC, 1, features, y_hat), means.find(SPEC, 1, features, later))
    assert not np.array_equal(means.find(SPEC, 2, features, y_hat), means.find(SPEC, 2, features, later))


@pytest.mark.parametrize(("providers", "bare"), [("cpu", True), ("cuda,cpu", False)])
def test_else_the_networks_run(providers: str, bare: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    roles = instead.roles_that_run(monkeypatch, "z_hat")
    spec = dataclasses.replace(SPEC, extras={}) if bare else SPEC
    with settings(providers=providers):
        features = means.begin(spec, *given(4, 4))
        monkeypatch.setattr(runtime, "run", lambda networks, role, feeds: (roles.append(role), [feeds["features"]])[1])
        for stage in STAGES:
            means.find(spec, stage, features, known(stage, 4, 4))
    assert roles == ["means_z", "means_0", "means_1", "means_2"]


def test_arrays_and_files_of_other_shapes_are_errors() -> None:
    for numbers, sizes in ((NUMBERS[:-1], (64, 384, 3)), (NUMBERS, (64, 384, 4)), (NUMBERS, (80, 384, 3))):
        with pytest.raises(ValueError, match="of the layers"):
            _native.Means(numbers, *sizes)
    for numbers, sizes in (
        (NUMBERS, (72, 384, 3)),
        (NUMBERS, (64, 380, 3)),
        (NUMBERS, (64, 384, 0)),
        (NUMBERS[:3], (64, 384, 3)),
    ):
        with pytest.raises(ValueError, match="multiples of 16"):
            _native.Means(numbers, *sizes)
    network = _native.Means(NUMBERS, 64, 384, 3)
    assert network.features == 96
    z_hat, level = given(8, 12)
    features, y_hat, found = (np.zeros(shape, np.float32) for shape in ((8, 12, 96), (384, 8, 12), (384, 4, 6)))
    for arguments, said in (
        ((z_hat[1:], level, features), "hyper-latents for every"),
        ((z_hat, level, features[..., 1:].copy()), "features for every"),
        ((z_hat, level[:6], features), "4x4 levels"),
        ((z_hat[:, :0], level[:0], features[:0]), "4x4 levels"),
    ):
        with pytest.raises(ValueError, match=said):
            network.begin(*arguments)
    for (*arrays, out), said in (
        ((3, features, y_hat, found), "below 3, got 3"),
        ((0, features[1:], y_hat, found), "cells of 2x2"),
        ((0, features, y_hat[1:], found), "latents of every place"),
        ((0, features, y_hat[..., 1:].copy(), found), "latents of every place"),
        ((2, features, y_hat, found), "each latent and pass"),
        ((1, features[..., 1:].copy(), y_hat, found), "features and latents"),
    ):
        with pytest.raises(ValueError, match=said):
            network.find(*arrays, out, 0, 4)
    for rows in ((0, 5), (2, 2), (3, 1)):
        with pytest.raises(ValueError, match=f"some of 4, got {rows[0]} to {rows[1]}"):
            network.find(1, features, y_hat, found, *rows)


@fast
def test_rows_are_those_of_the_whole() -> None:
    z_hat, level = given(40, 20)
    features = means.begin(SPEC, z_hat, level)
    for stage in STAGES:
        y_hat = known(stage, 40, 20)
        with settings(threads=1):
            whole = means.find(SPEC, stage, features, y_hat)
        with settings(threads=2):
            np.testing.assert_array_equal(means.find(SPEC, stage, features, y_hat), whole)
        assert features.layers is not None
        found = np.full_like(whole, 1e9)
        for first in range(20):
            features.layers.find(stage, features.array, y_hat, found, first, first + 1)
            assert (found[:, first + 1 :] == 1e9).all()
        np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize("stage", STAGES)
def test_kernels_find_the_same(stage: int) -> None:
    layers = _native.Means(NUMBERS, 64, 384, len(STAGES))
    (z_hat, level), y_hat = given(8, 20), known(stage, 8, 20)
    y_hat[:, 2, :4] = np.nan, np.inf, -np.inf, -1e30
    seen = []
    try:
        for name in _native.kernels():
            _native.use_kernels(name)
            features = np.empty((8, 20, layers.features), np.float32)
            layers.begin(z_hat, level, features)
            found = np.empty((len(passes.of_stage(stage, len(STAGES))) * 384, 4, 10), np.float32)
            layers.find(stage, features, y_hat, found, 0, 4)
            first = np.empty((len(found) // 4, 4, 10), np.float32)
            layers.draft(stage, features, y_hat, first, 0, 4)
            seen.append((name, features, found, first))
    finally:
        _native.use_kernels(_native.kernels()[0])
    for name, *arrays in seen[1:]:
        for array, expected in zip(arrays, seen[0][1:], strict=True):
            assert np.isfinite(array).all()
            np.testing.assert_array_equal(array, expected, err_msg=name)


def test_passes_that_code_a_place_twice_are_an_error() -> None:
    numbers = NUMBERS.copy()
    place = numbers.size - (4 + 96 * (4 + 2 * 96))
    numbers[place : place + 4] = np.array([(int(numbers[place]) + 1) % 4], "<i4").view(np.uint8)
    with pytest.raises(ValueError, match="another place"):
        _native.Means(numbers, 64, 384, 3)
