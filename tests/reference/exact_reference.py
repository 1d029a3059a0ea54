"""Evaluates an exact graph in int64: the arithmetic FORMAT.md demands, with no float anywhere.

A value is a pair (integers, shift): the number integers / 2^shift. Only Floor gives up bits.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

LIMIT = 2**24


def _fixed_point(c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A constant as integers / 2^shift."""
    c = np.asarray(c, np.float64)
    shift = 0
    while not np.array_equal(np.ldexp(c, shift), np.floor(np.ldexp(c, shift))):
        shift += 1
        assert shift <= 24, "a constant of an exact graph must be an integer times a power of two"
    return np.ldexp(c, shift).astype(np.int64), np.int64(shift)


def _conv(x: np.ndarray, w: np.ndarray, b: np.ndarray, groups: int) -> np.ndarray:
    n, c, height, width = x.shape
    k = w.shape[2]
    if k == 1:
        parts = zip(np.split(w[:, :, 0, 0], groups), np.split(x[0], groups), strict=True)
        out = np.concatenate([np.tensordot(weight, part, 1) for weight, part in parts])[None]
    else:
        assert groups == c
        p = np.pad(x, ((0, 0), (0, 0), (k // 2,) * 2, (k // 2,) * 2))
        out = sum(
            p[:, :, i : i + height, j : j + width] * w[None, :, 0, i, j, None, None] for i in range(k) for j in range(k)
        )
    return out + b[None, :, None, None]


def evaluate(model: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Outputs of the graph as int64. AssertionError where a value is not an integer, or a sum may reach 2^24."""
    values = {name: (np.asarray(v, np.int64), np.int64(0)) for name, v in feeds.items()}
    for tensor in model.graph.initializer:
        values[tensor.name] = _fixed_point(numpy_helper.to_array(tensor))
    for node in model.graph.node:
        args = [values[name] for name in node.input]
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        x, s = args[0]
        match node.op_type:
            case "Cast":
                result = (x, s)
            case "Conv":
                assert not s.any()
                w, ws = args[1]
                assert not ws.any()
                b = args[2][0] if len(args) > 2 else np.zeros(len(w), np.int64)
                result = (_conv(x, w, b, attributes.get("group", 1)), np.int64(0))
                assert np.abs(result[0]).max() < LIMIT
            case "Mul":
                result = (x * args[1][0], s + args[1][1])
            case "Add" | "Sub":
                assert not s.any()
                assert not args[1][1].any()
                result = (x + args[1][0] if node.op_type == "Add" else x - args[1][0], np.int64(0))
            case "Floor":
                result = (x >> s, np.int64(0))
            case "Clip":
                result = (np.clip(x, args[1][0], args[2][0]), s)
            case "Abs":
                result = (np.abs(x), s)
            case "Relu":
                result = (np.maximum(x, 0), s)
            case "Concat":
                assert not any(a[1].any() for a in args)
                result = (np.concatenate([a[0] for a in args], 1), np.int64(0))
            case "DepthToSpace":
                r, (n, c, h, w) = attributes["blocksize"], x.shape
                blocks = x.reshape(n, c // r**2, r, r, h, w).transpose(0, 1, 4, 2, 5, 3)
                result = (blocks.reshape(n, c // r**2, h * r, w * r), s)
            case "SpaceToDepth":
                r, (n, c, h, w) = attributes["blocksize"], x.shape
                cells = x.reshape(n, c, h // r, r, w // r, r).transpose(0, 3, 5, 1, 2, 4)
                result = (cells.reshape(n, c * r**2, h // r, w // r), s)
            case "Slice":
                start, end, axis, step = (a[0].tolist() for a in args[1:])
                assert (axis, step) == ([1], [1])
                result = (x[:, start[0] : end[0]], s)
            case other:
                raise AssertionError(f"{other} has no exact meaning")
        values[node.output[0]] = result
    return [values[o.name][0] for o in model.graph.output]
