"""Graph `detail` of a model with layers of 16 features -> the numbers that native code takes (`families.lic1.detail`).

    python -m onnx_models.recipes.lic1.detail_numbers --id 16

They are the weights of the graph as it is released, in half precision as there; the file is an extra of the entry, outside its hash.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx

from pillow_lic.engine import models
from pillow_lic.families.lic1.detail import NUMBERS

from ..common.export import rewrite

SHAPES = ((1, 9, 1, 1), (16, 12, 3, 3), (16,), (16, 16, 3, 3), (16,), (12, 16, 1, 1), (12,))
"""Those of the numbers: log of the expected error by anchor, then weights and biases of three layers."""


def numbers(graph: bytes) -> bytes:
    """Return the file for a graph `detail`; ValueError for one whose layers are of other sizes or not rectified."""
    nodes = onnx.load_from_string(graph).graph
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in nodes.initializer}
    cast = {node.output[0]: node.input[0] for node in nodes.node if node.op_type == "Cast"}
    layers = [node for node in nodes.node if node.op_type == "Conv" and len(node.input) == 3]
    error = [node for node in nodes.node if node.op_type == "Conv" and node.input[1] in arrays][-1]
    names = [error.input[1], *(name for node in layers for name in (cast.get(node.input[1], ""), node.input[2]))]
    found = [arrays.get(name, np.empty(0)) for name in names]
    if tuple(a.shape for a in found) != SHAPES or any(node.op_type == "LeakyRelu" for node in nodes.node):
        raise ValueError(f"layers of detail must be {SHAPES} and ReLU, got {[a.shape for a in found]}")
    joined: npt.NDArray[np.float32] = np.concatenate([a.ravel() for a in found]).astype("<f4")
    return joined.tobytes()


def main() -> None:
    rewrite(__doc__, NUMBERS, lambda number: numbers(models.choose(number).stored("detail").read()))


if __name__ == "__main__":
    main()
