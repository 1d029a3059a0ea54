"""The networks of scale indexes in native code: the graphs' integers to the last bit, which is what streams rest on."""

import dataclasses

import numpy as np
import onnx
import pytest
from reference.exact_reference import evaluate

from pillow_lic import _native
from pillow_lic.engine import models, runtime
from pillow_lic.engine.settings import settings
from pillow_lic.families.lic1 import passes, scales

SPEC = models.choose("lic2")
STAGES = range(SPEC.constants["stages"])
NUMBERS = np.frombuffer(SPEC.stored(scales.NUMBERS).read(), np.uint8)
fast = pytest.mark.skipif(not _native.Scales.fast(), reason="no kernels for this processor: the networks run")


def given(stage: int, rows: int, columns: int, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return features, levels and magnitudes over their whole range: evenly, the ends alone, or few levels and small magnitudes.

    Magnitudes are those of the passes before a stage, 0 elsewhere.
    """
    rng = np.random.default_rng(stage)
    if kind == "ends":
        features, level = rng.choice([0, 255], (80, rows, columns)), rng.choice([0, 1024], (rows, columns))
        magnitudes = rng.choice([0, 8], (384, rows, columns))
    else:
        features, level = rng.integers(0, 256, (80, rows, columns)), rng.integers(0, 1025, (rows, columns))
        magnitudes = rng.integers(0, 9, (384, rows, columns))
    if kind == "flat":
        level, magnitudes = np.full((rows, columns), 300), np.minimum(magnitudes, 1)
    known = np.zeros(magnitudes.shape, np.uint8)
    for t in range(stage):
        passes.scatter(known, t, (rows, columns), passes.gather(magnitudes, t, (rows, columns)))
    return features.astype(np.float32), level.astype(np.float32), known if stage else None


@fast
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kind", ["even", "ends", "flat"])
@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (4, 4), (8, 20), (4, 68), (12, 14)])
def test_equal_to_the_graph_in_int64(
    stage: int, kind: str, rows: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, level, magnitudes = given(stage, rows, columns, kind)
    feeds = {"features": features[None], "level": level[None, None]}
    feeds |= {} if magnitudes is None else {"magnitudes": magnitudes[None].astype(np.float32)}
    expected = evaluate(onnx.load_from_string(SPEC.stored(f"scales_{stage}").read()), feeds)[0][0]
    monkeypatch.setattr(runtime, "run", None)
    found = scales.find(SPEC, stage, features, level, magnitudes)
    np.testing.assert_array_equal(found, expected)
    assert rows * columns < 16 or len(np.unique(expected)) > 20


@fast
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 2), (3, 5), (2, 17)])
@pytest.mark.parametrize("largest", [2, 127, 32767])
def test_features_are_equal_to_the_graph_in_int64(
    rows: int, columns: int, largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hyper-latents too that no encoder writes: the graph cuts them."""
    rng = np.random.default_rng(largest)
    z_hat = rng.integers(-largest - 1, largest + 1, (64, rows, columns)).astype(np.float32)
    graph = onnx.load_from_string(SPEC.stored("scales_z").read())
    expected = evaluate(graph, {"z_hat": z_hat[None]})[0][0]
    monkeypatch.setattr(runtime, "run", None)
    found = scales.begin(SPEC, z_hat)
    assert found.shape == (80, 4 * rows, 4 * columns)
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(expected)) > 20


@fast
def test_magnitudes_of_later_stages_are_not_looked_at() -> None:
    features, level, magnitudes = given(2, 8, 12, "even")
    every = np.full_like(magnitudes, 8)
    for t in range(2):
        passes.scatter(every, t, (8, 12), passes.gather(magnitudes, t, (8, 12)))
    np.testing.assert_array_equal(
        scales.find(SPEC, 2, features, level, every), scales.find(SPEC, 2, features, level, magnitudes)
    )


@pytest.mark.parametrize("stage", STAGES)
def test_without_numbers_the_network_runs(stage: int) -> None:
    features, level, magnitudes = given(stage, 8, 12, "even")
    bare = dataclasses.replace(SPEC, extras={})
    z_hat = np.arange(64, dtype=np.float32).reshape(64, 1, 1)
    np.testing.assert_array_equal(scales.begin(bare, z_hat), scales.begin(SPEC, z_hat))
    np.testing.assert_array_equal(
        scales.find(bare, stage, features, level, magnitudes), scales.find(SPEC, stage, features, level, magnitudes)
    )


def test_arrays_of_other_shapes_are_errors() -> None:
    with pytest.raises(ValueError, match="of the layers"):
        _native.Scales(NUMBERS[1:], 3)
    with pytest.raises(ValueError, match="of the layers"):
        _native.Scales(NUMBERS, 2)
    for stages in (0, 5):
        with pytest.raises(ValueError, match=f"1 to 4, got {stages}"):
            _native.Scales(NUMBERS, stages)
    layers, index = _native.Scales(NUMBERS, len(STAGES)), np.empty((384, 4, 6), np.uint8)
    features, level, magnitudes = given(1, 8, 12, "even")
    for arguments, said in (
        ((np.zeros((63, 2, 3), np.float32), features), "64 hyper-latents"),
        ((np.zeros((64, 2, 2), np.float32), features), "4x4 of these"),
        ((np.zeros((64, 0, 3), np.float32), features), "must be hyper-latents"),
    ):
        with pytest.raises(ValueError, match=said):
            layers.begin(*arguments)
    both = np.empty((len(passes.of_stage(2, 3)) * 384, 4, 6), np.uint8)
    for (*given_arrays, found), said in (
        ((3, features, level, magnitudes, index), "below 3, got 3"),
        ((1, features[1:], level, magnitudes, index), "80 features"),
        ((1, features[:, 1:].copy(), level, magnitudes, index), "80 features"),
        ((1, features, level, magnitudes, index[:, 1:].copy()), "an index of each"),
        ((1, features, level, magnitudes, both), "an index of each"),
        ((2, features, level, magnitudes, index), "an index of each"),
        ((1, features, level, None, index), "384 magnitudes"),
        ((0, features, level, magnitudes, index), "none in the first"),
        ((1, features, level, magnitudes[:, :, 1:].copy(), index), "384 magnitudes"),
        ((1, features[:, 1:].copy(), level[1:].copy(), magnitudes[:, 1:].copy(), index), "whole cells"),
        ((1, features[:, :0], level[:0], magnitudes[:, :0], index[:, :0]), "whole cells"),
    ):
        with pytest.raises(ValueError, match=said):
            layers.find(*given_arrays, found, 0, 4)
    for rows in ((0, 5), (2, 2), (3, 1)):
        with pytest.raises(ValueError, match=f"some of 4, got {rows[0]} to {rows[1]}"):
            layers.find(1, features, level, magnitudes, index, *rows)


@fast
def test_rows_are_those_of_the_whole() -> None:
    for stage in STAGES:
        features, level, magnitudes = given(stage, 40, 20, "even")
        with settings(threads=1):
            whole = scales.find(SPEC, stage, features, level, magnitudes)
        with settings(threads=2):
            np.testing.assert_array_equal(scales.find(SPEC, stage, features, level, magnitudes), whole)
        layers, found = _native.Scales(NUMBERS, len(STAGES)), np.full_like(whole, 99)
        for first in range(20):
            layers.find(stage, features, level, magnitudes, found, first, first + 1)
            assert (found[:, first + 1 :] == 99).all()
        np.testing.assert_array_equal(found, whole)


def test_passes_that_code_a_place_twice_are_an_error() -> None:
    numbers = NUMBERS.copy()
    place = numbers.size - 2 * 4 * 384 * 9 - (4 + 96 * (8 + 2 * 80))
    numbers[place : place + 4] = np.array([(int(numbers[place]) + 1) % 4], "<i4").view(np.uint8)
    with pytest.raises(ValueError, match="another place"):
        _native.Scales(numbers, 3)
