"""The models of a release: their networks, costs and hashes, and which one a name, a number or a file means."""

import dataclasses
import hashlib
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from PIL import Image

import pillow_lic
from engine.released import models_of
from pillow_lic.engine import models
from pillow_lic.errors import LicRuntimeError, LicUnsupportedError

ALLOWED = {
    "Abs", "Add", "AveragePool", "Cast", "Clip", "Concat", "Conv", "ConvTranspose", "DepthToSpace", "Div", "Exp", "Floor", "LeakyRelu", "Log",
    "Mul", "Pad", "QuantizeLinear", "Relu", "Resize", "Round", "Sigmoid", "Slice", "SpaceToDepth", "Sqrt", "Sub", "Tanh",
    "Transpose", "Unsqueeze",
}  # fmt: skip
OF_MAPS = (models.importance(), models.semantic())
NETWORKS = [(s, r) for s in (*models.models(), *OF_MAPS) for r in s.files if s.stored(r).path.endswith(".onnx")]
SUPERSEDED = [model for model in models.models() if model.superseded_by]
LIC1_MULTIPLY_ADDS = {"analysis": 34_000, "latents": 6_000, "synthesis": 15_000, "detail": 5_000}
"""Upper bounds per pixel. Together analysis and `latents` may take 40,000; `detail`, the layers at 1/2, won 0.15 to 0.3 dB (LEVERS.md)."""

SUMS = {"latents": 1, "means_z": 1, "synthesis": 2, "detail": 2}
"""Those of two paths, which stand alone; every other network has none but those of its blocks."""


def ids(value: object) -> str:
    return (
        f"{getattr(value, 'name', 'importance')}-{value.number}" if isinstance(value, models.Networks) else str(value)
    )


@pytest.mark.parametrize(("spec", "role"), NETWORKS, ids=ids)
def test_networks_are_plain_and_self_contained(spec: models.Model, role: str) -> None:
    model = onnx.load_from_string(spec.stored(role).read())
    assert {n.op_type for n in model.graph.node} <= ALLOWED
    assert [o.version for o in model.opset_import] == [17]
    for tensor in model.graph.initializer:
        assert tensor.data_location == onnx.TensorProto.DEFAULT
        a = onnx.numpy_helper.to_array(tensor)
        if a.dtype.kind == "f":
            subnormal = (a != 0) & (abs(a) < np.finfo(a.dtype).tiny)
            assert not subnormal.any(), "subnormal numbers are slow on some processors"


@pytest.mark.parametrize(
    ("spec", "role"),
    [(m, r) for m in models_of("lic1") for r in m.files if not r.startswith(("scales", "tables"))],
    ids=ids,
)
def test_the_engine_joins_what_follows_a_convolution_of_lic1(spec: models.Model, role: str, tmp_path: Path) -> None:
    """Each one left alone is converted there and back: `Graph.blocked`."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(spec.stored(role).read(), options, providers=["CPUExecutionProvider"])
    count = Counter(n.op_type for n in onnx.load(tmp_path / "optimised.onnx").graph.node)
    if not count["ReorderOutput"]:
        pytest.skip("onnxruntime has no layout of its own for this processor's convolutions")
    assert count["Add"] <= SUMS.get(role, 0)
    assert count["LeakyRelu"] <= (role == "means_z")


def kmac(spec: models.Model, role: str) -> float:
    """Multiply-adds of a network per picture pixel, from its weights and the strides of its tensors."""
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(spec.stored(role).read()))
    constants = {t.name: t for t in model.graph.initializer}
    weights = {name: tuple(value.dims) for name, value in constants.items()}
    for n in model.graph.node:  # halves, bytes by a factor for each row, and products of two
        if n.op_type in ("Cast", "Mul") and all(v in weights for v in n.input):
            weights[n.output[0]] = np.broadcast_shapes(*(weights[v] for v in n.input))
    stride = {"pixels": 1, "h2": 2, "h": 16, "h4": 64, "h8": 8}
    shapes = {i.name: i.type.tensor_type.shape.dim for i in model.graph.input}
    sizes = {name: shape[0 if len(shape) == 3 else 2] for name, shape in shapes.items()}  # pictures are (H, W, 3)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    if len(dims) == 4 and dims[0].dim_param and dims[2].dim_value:
        values = [*model.graph.value_info, *model.graph.output]
        area = {v.name: np.prod([d.dim_value for d in v.type.tensor_type.shape.dim][2:]) for v in values}
        convs = [n for n in model.graph.node if n.op_type == "Conv"]
        macs = sum(np.prod(weights[n.input[1]]) * area[n.output[0]] for n in convs)
        return macs / area[model.graph.output[0].name]  # tiles of one size
    scale = {name: stride.get(size.dim_param, 1) for name, size in sizes.items() if size.dim_value != 1}
    total = 0.0
    for node in model.graph.node:
        inputs = [scale[v] for v in node.input if v in scale]
        factor = 1.0
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Conv" and inputs:
            factor = attributes.get("strides", [1])[0]
            total += np.prod(weights[node.input[1]]) / (inputs[0] * factor) ** 2
        if node.op_type == "AveragePool":
            factor = attributes.get("strides", [1])[0]
        if node.op_type == "ConvTranspose":
            total += np.prod(weights[node.input[1]]) / inputs[0] ** 2
            factor = 1 / attributes["strides"][0]
        if node.op_type in ("DepthToSpace", "SpaceToDepth"):
            factor = attributes["blocksize"] ** (1 if node.op_type == "SpaceToDepth" else -1)
        if node.op_type == "Resize":
            factor = 1 / onnx.numpy_helper.to_array(constants[node.input[2]])[-1]
        for out in node.output:
            scale[out] = (min(inputs) if inputs else np.inf) * factor  # once for a picture, if nothing has its size
    return total


@pytest.mark.parametrize(("spec", "role"), NETWORKS, ids=ids)
def test_multiply_adds_are_those_of_the_manifest(spec: models.Networks, role: str) -> None:
    half = getattr(spec, "constants", {}).get("scale", 1) if role == "restore" else 1
    assert kmac(spec, role) / half**2 / 1000 == pytest.approx(spec.files[role].kmac_per_pixel, abs=1e-3)


@pytest.mark.parametrize("spec", models_of("lic1"), ids=ids)
def test_multiply_adds_of_lic1_stay_within_the_budget(spec: models.Model) -> None:
    counts = {role: kmac(spec, role) for s, role in NETWORKS if s is spec}
    for role, most in LIC1_MULTIPLY_ADDS.items():
        assert 500 < counts[role] <= most, (role, counts[role])
    means, scales = (sum(v for r, v in counts.items() if r.startswith(part)) for part in ("means", "scales"))
    assert 500 < means <= 8_000
    entropy = means + scales
    assert entropy <= 8_000
    assert counts["synthesis"] + counts["detail"] + entropy <= 24_000


def test_the_importance_network_is_small() -> None:
    assert models.importance().files["importance"].kmac_per_pixel < 1


def test_the_semantic_network_is_tiny() -> None:
    assert len(models.semantic().files["semantic"].read()) < 100_000


@pytest.mark.parametrize("spec", models.models(), ids=ids)
def test_digest_covers_every_file(spec: models.Model) -> None:
    kept = [file for file in spec.files.values() if file.path]
    parts = [
        hashlib.sha256(file.read()).digest() if file in kept else bytes.fromhex(file.sha256)
        for file in spec.files.values()
    ]
    left_out = {role for role, file in spec.files.items() if not file.path}
    assert left_out <= set(spec.extras) or spec in SUPERSEDED
    assert hashlib.sha256(b"".join(parts)).digest() == spec.digest


@pytest.mark.parametrize("spec", models.models(), ids=ids)
def test_an_extra_stands_in_for_what_encoders_alone_run(spec: models.Model) -> None:
    for role in {*spec.files} & {*spec.extras}:
        released, now = spec.files[role], spec.extras[role]
        assert (released.path, released.side, released.kmac_per_pixel) == ("", "encoder", now.kmac_per_pixel)
        assert (now.side, spec.stored(role)) == ("encoder", now)
        assert spec not in SUPERSEDED


def test_numbers_are_unique_and_ascending() -> None:
    numbers = [s.number for s in models.models()]
    assert numbers == sorted(set(numbers))


def test_choosing() -> None:
    newest = models.models()[-1]
    assert models.choose(newest.name) is newest
    assert models.choose(newest.number) is newest
    assert models.choose(None) is [spec for spec in models.models() if spec.name == models.DEFAULT][-1]
    with pytest.raises(ValueError, match=f"one of .*{newest.name} .*, got 'bmshj2018'"):
        models.choose("bmshj2018")


@pytest.mark.parametrize("spec", models.models(), ids=ids)
def test_only_the_newest_of_a_name_writes(spec: models.Model) -> None:
    newest = [model for model in models.models() if model.name == spec.name][-1]
    assert models.choose(spec.name) is newest
    assert spec.superseded_by == (None if spec is newest else newest.number)


@pytest.mark.parametrize("spec", SUPERSEDED, ids=ids)
def test_a_superseded_number_opens_files_and_says_what_writes_instead(spec: models.Model, tmp_path: Path) -> None:
    said = (
        f"model {spec.number} \\({spec.name}\\) is only kept to open its files: write with number {spec.superseded_by}"
    )
    for save in (
        lambda: Image.new("RGB", (8, 8)).save(tmp_path / "x.lic", model=spec.number),
        lambda: pillow_lic.encode(Image.new("RGB", (8, 8)), model=spec.number),
    ):
        with pytest.raises(ValueError, match=said):
            save()
    assert not (tmp_path / "x.lic").exists()
    assert models.named(spec.number, spec.hash) is spec
    assert all(file.path for file in spec.files.values() if file.side != "encoder")
    with pytest.raises(ValueError, match="model must be the name or number of one of") as error:
        models.choose("bmshj2018")
    assert f"({spec.number})" not in str(error.value)


def test_the_models_of_papers_take_at_most_25_mb_of_a_wheel() -> None:
    """Deflated, each file once, as a wheel has them."""
    own = ("lic1", "lic2", "lossless")
    papers = [m for m in models.models() if m.name not in own]
    kept = {f.path for m in papers for f in (*m.files.values(), *m.extras.values()) if f.path}
    kept |= {file.path for networks in OF_MAPS for file in networks.files.values()}
    folder = Path(__file__).parents[2] / "onnx_models"
    assert sum(len(zlib.compress((folder / path).read_bytes())) for path in kept) <= 25_000_000


def test_files_name_models_by_number_and_hash() -> None:
    newest = models.models()[-1]
    assert models.named(newest.number, newest.hash) is newest
    with pytest.raises(LicUnsupportedError, match="needs model 9999, this release has"):
        models.named(9999, newest.hash)
    with pytest.raises(LicUnsupportedError, match="another model"):
        models.named(newest.number, b"\0\0\0\0")


def test_an_altered_or_missing_network_is_refused() -> None:
    spec = models.choose(None)
    file = spec.files["means_z"]
    with pytest.raises(LicRuntimeError, match="was altered"):
        dataclasses.replace(file, sha256="0" * 64).read()
    with pytest.raises(LicRuntimeError, match=r"nowhere.onnx is missing"):
        dataclasses.replace(file, path="nowhere.onnx").read()
