"""Multiply-adds of a graph per picture pixel, from its convolutions and the resolution each one runs at."""

from __future__ import annotations

import math

import numpy as np
import onnx

STRIDES = {"height": 1, "h2": 2, "h8": 8, "h": 16, "h4": 64}
"""Pixels of one row of a tensor, by the name that `networks.py` gives its height."""


def kmac_per_pixel(model: onnx.ModelProto) -> float:
    """Return the multiply-adds of all convolutions per picture pixel, in thousands."""
    constants = {t.name: t for t in model.graph.initializer}
    weights = {name: list(t.dims) for name, t in constants.items()}
    stride: dict[str, float] = {}
    for value in model.graph.input:
        rows = [STRIDES[d.dim_param] for d in value.type.tensor_type.shape.dim if d.dim_param in STRIDES]
        if rows:
            stride[value.name] = float(rows[0])
    if not stride:
        return _of_tiles(model)
    total = 0.0
    for node in model.graph.node:
        if node.op_type in ("Cast", "Mul", "Transpose") and node.input[0] in weights:
            factors = [weights[v] for v in node.input if v in weights]
            weights[node.output[0]] = list(np.broadcast_shapes(*factors))
            continue
        now = min((stride[v] for v in node.input if v in stride), default=None)
        if now is None:
            continue
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type in ("Conv", "AveragePool"):
            now *= attributes.get("strides", [1])[0]
        if node.op_type == "Conv":
            total += math.prod(weights[node.input[1]]) / now**2
        if node.op_type == "ConvTranspose":
            total += math.prod(weights[node.input[1]]) / now**2
            now /= attributes["strides"][0]
        if node.op_type == "Slice":
            now *= max(onnx.numpy_helper.to_array(constants[node.input[4]]))
        if node.op_type == "Resize":
            now /= float(onnx.numpy_helper.to_array(constants[node.input[2]])[-1])
        if node.op_type == "SpaceToDepth":
            now *= attributes["blocksize"]
        if node.op_type == "DepthToSpace":
            now /= attributes["blocksize"]
        stride |= dict.fromkeys(node.output, now)
    return total / 1000


def _of_tiles(model: onnx.ModelProto) -> float:
    """Return the same of a graph that makes tiles (n, 3, H, W) of one size, whose tensors all have fixed rows and columns."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in (*inferred.value_info, *inferred.output)
    }
    weights = {t.name: list(t.dims) for t in inferred.initializer}
    total = 0
    for node in inferred.node:
        if node.op_type in ("Cast", "Mul", "Transpose") and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
        if node.op_type == "Conv":
            total += math.prod(weights[node.input[1]]) * math.prod(shapes[node.output[0]][2:])
    return total / math.prod(shapes[inferred.output[0].name][2:]) / 1000
