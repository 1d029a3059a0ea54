"""The exact path: the same integers at every optimisation level, thread count and against int64 arithmetic."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from engine.released import models_of, name_and_number
from reference.exact_reference import evaluate

from pillow_lic.engine import models
from pillow_lic.families.lic1 import quantiser, scales

LEVELS = (
    ort.GraphOptimizationLevel.ORT_DISABLE_ALL,
    ort.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    ort.GraphOptimizationLevel.ORT_ENABLE_ALL,
)
EXACT = [(spec, role) for spec in models_of("lic1") for role, file in spec.files.items() if file.exact]


def feeds_of(model: onnx.ModelProto, seed: int) -> dict[str, np.ndarray]:
    """Random inputs over their whole legal range; extreme values often."""
    rng, h, w = np.random.default_rng(seed), 8, 12
    feeds = {}
    for value in model.graph.input:
        channels = value.type.tensor_type.shape.dim[1].dim_value
        shape = (1, channels, h // 4, w // 4) if value.name == "z_hat" else (1, channels, h, w)
        low, high = {"z_hat": (-127, 127), "features": (0, 255), "magnitudes": (0, 8), "level": (0, 1024)}[value.name]
        drawn = rng.integers(low, high + 1, shape)
        drawn[rng.random(shape) < 0.2] = high
        feeds[value.name] = drawn.astype(np.float32)
    return feeds


def run(data: bytes, feeds: dict[str, np.ndarray], level: ort.GraphOptimizationLevel, threads: int) -> np.ndarray:
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"]).run(None, feeds)[0]


@pytest.mark.parametrize(("spec", "role"), EXACT, ids=name_and_number)
def test_equal_to_int64_at_every_level_and_thread_count(spec: models.Model, role: str) -> None:
    data = spec.stored(role).read()
    model = onnx.load_from_string(data)
    for seed in range(3):
        feeds = feeds_of(model, seed)
        expected = evaluate(model, feeds)[0]
        assert expected.max() > expected.min()
        for level in LEVELS:
            for threads in (1, 2):
                got = run(data, feeds, level, threads)
                np.testing.assert_array_equal(got.astype(np.int64), expected)


@pytest.mark.parametrize(("spec", "role"), EXACT, ids=name_and_number)
def test_proof_no_sum_can_leave_the_exact_range(spec: models.Model, role: str) -> None:
    """max|x| * sum|w| + |b| < 2^24 for every output channel of every convolution, from the stored weights alone."""
    model = onnx.load_from_string(spec.stored(role).read())
    constants = {t.name: onnx.numpy_helper.to_array(t).astype(np.float64) for t in model.graph.initializer}
    casts = {
        n.output[0]: constants[n.input[0]] for n in model.graph.node if n.op_type == "Cast" and n.input[0] in constants
    }
    convolutions = 0
    for node in model.graph.node:
        if node.op_type != "Conv":
            continue
        convolutions += 1
        weight = {**constants, **casts}[node.input[1]]
        assert np.array_equal(weight, np.rint(weight))
        bias = np.abs(constants[node.input[2]]) if len(node.input) > 2 else 0
        largest = 1024 if np.abs(weight).max() > 127 else 4 * 127
        assert (np.abs(weight).sum((1, 2, 3)) * largest + bias).max() < 2**24
    assert convolutions >= 5


@pytest.mark.parametrize("spec", models_of("lic1"), ids=name_and_number)
def test_every_network_that_decides_what_is_read_is_exact(spec: models.Model) -> None:
    roles = [role for tested, role in EXACT if tested is spec]
    assert roles == ["scales_z", *(f"scales_{stage}" for stage in range(spec.constants["stages"]))]


def test_sums_near_the_limit_are_caught_by_the_reference() -> None:
    """The reference would notice a graph whose sums are not exact."""
    spec = models.choose(None)
    model = onnx.load_from_string(spec.stored("scales_z").read())
    feeds = {k: v * 100_000 for k, v in feeds_of(model, 0).items()}
    model.graph.node[[n.op_type for n in model.graph.node].index("Clip")].op_type = "Abs"
    with pytest.raises(AssertionError):
        evaluate(model, feeds)


def test_z_indexes_take_the_nearest_anchor() -> None:
    spec = models.choose(None)
    for level, anchor in ((0, 0), (63, 0), (64, 1), (512, 4), (959, 7), (960, 8), (1024, 8)):
        index = scales.z_indexes(level, (spec.constants["hyper_latents"], 2, 3))
        first = quantiser.SCALES + anchor * spec.constants["hyper_latents"]
        assert index.tolist() == np.repeat(np.arange(first, first + spec.constants["hyper_latents"]), 6).tolist()
