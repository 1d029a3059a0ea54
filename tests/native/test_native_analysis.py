"""The networks of an encoder in native code: those of the graphs but for what whole numbers round, with any number of threads."""

import itertools

import numpy as np
import onnx
import pytest
from made.pictures import photo_like

from native import instead
from pillow_lic import _native
from pillow_lic.engine import graphs, models, runtime
from pillow_lic.engine.settings import settings
from pillow_lic.families.lic1 import analysis, whole_numbers

SPEC = models.choose("lic2")
ROLES = [("lic2", "analysis"), ("lic2", analysis.QUICK), ("lic1", "analysis")]
fast = pytest.mark.skipif(
    not (_native.Analysis.fast() and _native.HyperAnalysis.fast()), reason="the networks are as quick here"
)


def levels(rows: int, columns: int, *, flat: bool) -> np.ndarray:
    """Return a field of one level, or of many, some of them between anchors and some at the ends of the scale."""
    if flat:
        return np.full((rows, columns), 300, np.float32)
    found = np.random.default_rng(rows).integers(0, 700, (rows, columns)).astype(np.float32)
    found[0, :2] = 0, 1024
    return found


def found_by(model: models.Model, role: str, pixels: np.ndarray, level: np.ndarray, providers: str = "cpu") -> tuple:
    with settings(providers=providers):
        return analysis.latents(model, analysis.analyse(model, pixels, role), level)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Networks run where native code could."""
    monkeypatch.setattr(analysis, "_chosen", lambda: False)
    return monkeypatch


@fast
@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (4, 20), (12, 8)])
@pytest.mark.parametrize(("name", "role"), ROLES)
def test_native_layers_are_the_networks(
    name: str, role: str, rows: int, columns: int, flat: bool, networks: pytest.MonkeyPatch
) -> None:
    model, pixels, level = models.choose(name), photo_like(16 * rows, 16 * columns), levels(rows, columns, flat=flat)
    y, z_hat = found_by(model, role, pixels, level)
    networks.undo()
    networks.setattr(runtime, "run", None)
    found, hyper = found_by(model, role, pixels, level)
    assert found.shape == y.shape
    assert y.std() > 0.5
    assert np.sqrt(np.mean((found - y) ** 2)) < 0.02
    assert np.abs(found - y).max() < 0.3
    assert hyper.shape == z_hat.shape
    assert np.abs(z_hat).max() > 3
    assert np.mean(hyper != z_hat) < 0.02
    assert np.abs(hyper - z_hat).max() <= 1


@fast
@pytest.mark.parametrize(("name", "role"), ROLES)
def test_pieces_change_nothing(name: str, role: str) -> None:
    """To the last bit, whatever the threads: a piece sees all around it that decides it."""
    model, pixels, level = models.choose(name), photo_like(16 * 36, 64), levels(36, 4, flat=False)
    with settings(threads=1):
        once = found_by(model, role, pixels, level)
    for threads in (2, 3, 4):
        with settings(threads=threads):
            for one, other in zip(once, found_by(model, role, pixels, level), strict=True):
                np.testing.assert_array_equal(one, other)


def striped(edge: int, *colours: tuple[int, int, int]) -> np.ndarray:
    """Return stripes of so many pixels, in colours that take turns."""
    rows = np.array(colours, np.uint8)[np.arange(128) // edge % len(colours)]
    return np.ascontiguousarray(np.broadcast_to(rows, (128, 128, 3)))


@fast
@pytest.mark.parametrize("level", [300, 800])
@pytest.mark.parametrize(("name", "role"), ROLES)
def test_pictures_of_large_features_are_near_the_networks(
    name: str, role: str, level: int, networks: pytest.MonkeyPatch
) -> None:
    """Most of them, and all that are as large as photographs', fit into 16 bits; where some do not, others hold them."""
    model, field = models.choose(name), np.full((8, 8), level, np.float32)
    rng = np.random.default_rng(0)
    squares = np.repeat(np.repeat(rng.integers(0, 2, (16, 16, 3)), 8, 0), 8, 1) * 255
    chequers = np.repeat((np.add.outer(np.arange(128) // 2, np.arange(128) // 2) % 2)[..., None], 3, 2) * 255
    red, green, blue, purple = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 255)
    stripes = [striped(3, red, blue), striped(4, purple, green), striped(5, red, green, blue)]
    pictures = [*stripes, squares.astype(np.uint8), chequers.astype(np.uint8)]
    expected = [found_by(model, role, pixels, field)[0] for pixels in pictures]
    networks.undo()
    for number, (pixels, other) in enumerate(zip(pictures, expected, strict=True)):
        trunk = analysis.analyse(model, pixels, role)
        off = analysis.latents(model, trunk, field)[0] - other
        assert np.sqrt(np.mean(off**2)) < 0.05 * other.std(), number
        if number < len(stripes):
            assert trunk.bits == whole_numbers.COARSE
    assert analysis.analyse(model, photo_like(128, 128), role).bits == whole_numbers.USUAL


@fast
def test_kernels_find_the_same() -> None:
    pixels, level = photo_like(64, 128), levels(4, 8, flat=False)
    expected = found_by(SPEC, analysis.QUICK, pixels, level)
    try:
        for name in _native.kernels():
            _native.use_kernels(name)
            for one, other in zip(found_by(SPEC, analysis.QUICK, pixels, level), expected, strict=True):
                np.testing.assert_array_equal(one, other, err_msg=name)
    finally:
        _native.use_kernels(_native.kernels()[0])


def test_else_the_networks_run(monkeypatch: pytest.MonkeyPatch) -> None:
    roles = instead.roles_that_run(monkeypatch, "pixels", "pixels")
    with settings(providers="cuda,cpu"):
        trunk = analysis.analyse(SPEC, np.zeros((64, 64, 3), np.uint8))
        monkeypatch.setattr(runtime, "run", lambda networks, role, feeds: (roles.append(role), [feeds["level"]] * 2)[1])
        analysis.latents(SPEC, trunk, np.zeros((4, 4), np.float32))
    assert trunk.bits is None
    assert roles == ["analysis", "latents"]


@pytest.mark.parametrize("role", ["analysis", "latents", analysis.QUICK])
def test_weights_of_a_graph_are_read(role: str) -> None:
    data = SPEC.stored(role).read()
    expected = [
        onnx.numpy_helper.to_array(tensor)
        for tensor in onnx.load_from_string(data).graph.initializer
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    ]
    found = graphs.weights(data)
    assert len(found) == len(expected) > 10
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        np.testing.assert_array_equal(one, other.astype(np.float32))


def test_what_is_no_graph_is_an_error() -> None:
    data = SPEC.stored(analysis.QUICK).read()
    for cut in (data[:1000], data[:-1], b"\xff" * 20, b"\x3b\x01"):
        with pytest.raises(ValueError, match="a field of a graph"):
            graphs.weights(cut)


def arrays(rows: int = 4, columns: int = 8) -> dict[str, np.ndarray]:
    return {
        "pixels": np.zeros((16 * rows, 16 * columns, 3), np.uint8),
        "trunk": np.zeros((2 * rows, 2 * columns, 16), np.int16),
        "linear": np.zeros((rows, columns, 32), np.float32),
        "level": np.zeros((rows, columns), np.float32),
        "y": np.zeros((32, rows, columns), np.float32),
        "hyper_latents": np.zeros((16, rows // 4, columns // 4), np.float32),
    }


def layer_bytes(inputs: int, outputs: int) -> int:
    return outputs * (8 + 2 * inputs)


def real_bytes(inputs: int, outputs: int) -> int:
    return outputs * (4 + 2 * inputs)


def test_arrays_and_files_of_other_shapes_are_errors() -> None:
    body = [(16, 16), (16, 16), (16, 32), (32, 16)]
    block = sum(itertools.starmap(layer_bytes, [*body, (25, 16)]))
    sizes = {
        _native.Analysis: (layer_bytes(192, 16) + block + layer_bytes(768, 32), (16, 1, 16, 32)),
        _native.Latents: (36 * 48 + layer_bytes(64, 16) + 2 * block + layer_bytes(16, 32), (16, 16, 32)),
        _native.HyperAnalysis: (
            sum(itertools.starmap(real_bytes, [(32, 16), *body, (9, 16), (64, 16), (64, 16)])),
            (32, 16, 16),
        ),
    }
    made = {kind: kind(np.zeros(size, np.uint8), *counts) for kind, (size, counts) in sizes.items()}
    for kind, (size, counts) in sizes.items():
        with pytest.raises(ValueError, match=f"but {size} of the layers"):
            kind(np.zeros(size + 1, np.uint8), *counts)
        for wrong in ((8, *counts[1:]), (*counts[:-1], 0), (*counts[:-1], 4112)):
            with pytest.raises(ValueError, match="multiples of 16 up to 4096"):
                kind(np.zeros(size, np.uint8), *wrong)
    with pytest.raises(ValueError, match="no more than 64"):
        _native.Analysis(np.zeros(9, np.uint8), 16, 65, 16, 16)
    taken = {
        _native.Analysis: ("pixels", "trunk", "linear"),
        _native.Latents: ("trunk", "linear", "level", "y"),
        _native.HyperAnalysis: ("y", "hyper_latents"),
    }
    for kind, names in taken.items():
        good = arrays()
        made[kind].run(*(good[name] for name in names), 0, 4)
        for rows in ((4, 0), (0, 8), (4, 8)):
            with pytest.raises(ValueError, match="there must be rows"):
                made[kind].run(*(good[name] for name in names), *rows)
        with pytest.raises(ValueError, match="there must be rows"):
            made[kind].run(*(arrays(0)[name] for name in names), 0, 0)
        for name, axis in itertools.product(names, range(3)):
            if axis < good[name].ndim:
                wrong = good | {name: np.repeat(good[name], 2, axis)}
                with pytest.raises(ValueError, match="there must be"):
                    made[kind].run(*(wrong[other] for other in names), 0, 4)
    with pytest.raises(ValueError, match="whole squares of 4"):
        made[_native.HyperAnalysis].run(*(arrays()[name] for name in taken[_native.HyperAnalysis]), 2, 4)
