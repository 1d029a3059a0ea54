"""The layers that see single pixels, in native code and as the network."""

import dataclasses

import numpy as np
import onnx
import pytest

from native import instead
from pillow_lic import _native
from pillow_lic.engine import models, runtime
from pillow_lic.engine.settings import settings
from pillow_lic.families.lic1 import detail, transforms
from pillow_lic.fileformat.areas import Area

SPEC = models.choose("lic2")
NUMBERS = np.frombuffer(SPEC.stored(detail.NUMBERS).read(), "<f4").astype(np.float32)
fast = pytest.mark.skipif(not _native.Detail.fast(), reason="no kernels for this processor: the network runs")


def window(rows: int, columns: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a picture, a context and a level field of so many latents: flat ground, edges and noise."""
    rng = np.random.default_rng(seed)
    ground = rng.uniform(-10, 265, (3, 2 * rows, 2 * columns)).repeat(4, 0).repeat(4, 1).repeat(4, 2)
    picture = (ground + rng.normal(0, 6, (12, 8 * rows, 8 * columns))).astype(np.float32)
    context = rng.normal(0, 1, (16, 2 * rows, 2 * columns)).astype(np.float32)
    return picture, context, rng.uniform(0, 1024, (rows, columns)).astype(np.float32)


def drawn(made: tuple[np.ndarray, ...], inside: Area, *, reference: bool = False) -> np.ndarray:
    out = np.full((16 * inside.height, 16 * inside.width, 3), 9, np.uint16)
    detail.draw(SPEC, *made, inside, out, reference=reference)
    return out


def test_the_numbers_are_those_of_the_graph() -> None:
    tensors = onnx.load_from_string(SPEC.stored("detail").read()).graph.initializer
    arrays = [onnx.numpy_helper.to_array(tensor).astype(np.float32) for tensor in tensors]
    shapes = [(16, 12, 3, 3), (16,), (16, 16, 3, 3), (16,), (12, 16, 1, 1), (12,)]
    error = [a for a in arrays if a.shape == (1, 9, 1, 1)][-1]
    order = [i for i, a in enumerate(arrays) if a.shape in shapes]
    assert [arrays[i].shape for i in order] == shapes
    np.testing.assert_array_equal(NUMBERS, np.concatenate([a.ravel() for a in (error, *(arrays[i] for i in order))]))


@fast
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 5), (4, 2), (3, 33), (2, 67)])
def test_native_layers_are_the_network(rows: int, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made, whole = window(rows, columns), Area(0, 0, columns, rows)
    expected = drawn(made, whole, reference=True).astype(int)
    monkeypatch.setattr(runtime, "run", None)
    off = drawn(made, whole) - expected
    assert np.abs(off).max() <= 2
    assert (off != 0).mean() < 0.15
    assert (np.abs(off) > 1).mean() < 2e-4
    assert abs(off.mean()) < 0.02
    assert len(np.unique(expected)) > 100


@fast
@pytest.mark.parametrize(
    "corners", [(0, 0, 1, 1), (1, 1, 4, 3), (2, 0, 40, 1), (33, 2, 40, 5), (0, 4, 40, 5), (39, 0, 40, 5)]
)
def test_a_part_is_that_of_the_whole(corners: tuple[int, int, int, int]) -> None:
    """And where its rows lie apart, nothing between them is written."""
    made, inside = window(5, 40, 1), Area(*corners)
    whole = drawn(made, Area(0, 0, 40, 5))
    around = np.full((16 * inside.height + 2, 16 * inside.width + 3, 3), 9, np.uint16)
    detail.draw(SPEC, *made, inside, around[1:-1, 2:-1], reference=False)
    np.testing.assert_array_equal(around[1:-1, 2:-1], whole[inside.times(16).slices])
    around[1:-1, 2:-1] = 9
    assert (around == 9).all()


@pytest.mark.parametrize("corners", [(0, 0, 3, 40), (1, 3, 2, 38)])
def test_strips_of_the_network_are_that_of_the_whole(
    corners: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, inside = window(40, 3, 2), Area(*corners)
    found = drawn(made, inside, reference=True).astype(int)
    monkeypatch.setattr(detail, "STRIP_ROWS", 40)
    whole = drawn(made, Area(0, 0, 3, 40), reference=True)[inside.times(16).slices]
    assert np.abs(found - whole).max() <= 1


@fast
def test_what_is_no_number_becomes_a_colour() -> None:
    picture, context, level = window(2, 3)
    picture[:, 5, 6], picture[:, 9, 3], context[:, 3, 5] = np.nan, np.inf, -np.inf
    found = drawn((picture, context, level), Area(0, 0, 3, 2))
    assert found.max() <= 4080
    assert (found[10:12, 12:14] == 0).all()


@instead.CASES
def test_else_the_network_runs(reference: bool, providers: str, bare: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    roles = instead.roles_that_run(monkeypatch, "picture")
    spec = dataclasses.replace(SPEC, extras={}) if bare else SPEC
    out = np.empty((16, 16, 3), np.uint16)
    with settings(providers=providers):
        detail.draw(spec, *window(1, 1), Area(0, 0, 1, 1), out, reference=reference)
    assert roles == ["detail"]


@fast
@pytest.mark.skipif(not _native.Synthesis.fast(), reason="no kernels for this processor: the synthesis is a network")
def test_readers_do_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "run", None)
    y_hat = np.zeros((SPEC.constants["latents"], 3, 2), np.float32)
    transforms.synthesis(SPEC, y_hat, np.full((3, 2), 300, np.float32))


def test_arrays_of_other_shapes_are_errors() -> None:
    with pytest.raises(ValueError, match="4277 of the layers"):
        _native.Detail(NUMBERS[1:])
    layers, (picture, context, level) = _native.Detail(NUMBERS), window(2, 3)
    out = np.empty((32, 48, 3), np.uint16)
    for arguments, said in (
        ((picture[:, 8:].copy(), context, level, (0, 0, 2, 3), out), "8x8 cells"),
        ((picture[1:], context, level, (0, 0, 2, 3), out), "12 channels"),
        ((picture, context[:, :, 1:].copy(), level, (0, 0, 2, 3), out), "2x2"),
        ((picture, context, level, (1, 0, 2, 3), out), "inside"),
        ((picture, context, level, (0, 2**63, 2, 3), out), "inside"),
        ((picture, context, level, (0, 0, 1, 3), out), "16 times"),
        ((picture, context, level, (0, 0, 2, 1), out[:, ::3]), "lie together"),
        ((picture, context, level, (0, 0, 2, 3), out[::-1]), "lie together"),
    ):
        with pytest.raises(ValueError, match=said):
            layers.draw(*arguments)
