"""ONNX graphs written node by node: fixed opset, an allow-list of operators, weights in half precision or in 8 bits.

A `Graph` is a list of nodes under construction; each method adds one operator and returns the name of its result. Names stand for
tensors of shape (1, channels, height, width) with dynamic height and width unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from torch import Tensor

OPSET = 17
OPERATORS = frozenset(
    {
        "Abs",
        "Add",
        "AveragePool",
        "Cast",
        "Clip",
        "Concat",
        "Conv",
        "ConvTranspose",
        "DepthToSpace",
        "Div",
        "Exp",
        "Floor",
        "LeakyRelu",
        "Log",
        "Mul",
        "Pad",
        "QuantizeLinear",
        "Relu",
        "Resize",
        "Round",
        "Sigmoid",
        "Slice",
        "SpaceToDepth",
        "Sqrt",
        "Sub",
        "Tanh",
        "Transpose",
        "Unsqueeze",
    }
)
Array = npt.NDArray[np.float32]
LONG_ROW = 32
"""Weights of a row, those of one place of a kernel, from which on it may be kept in 8 bits: of shorter ones the factor weighs too much."""


def numpy(x: Tensor) -> Array:
    """Return a tensor as an array in single precision."""
    a: Array = x.detach().float().cpu().numpy()
    return a


class Graph:
    def __init__(self, name: str, *, in_bytes: bool = False) -> None:
        """in_bytes: long rows of convolutions are kept in 8 bits, not in 16."""
        self.name, self.in_bytes, self.count = name, in_bytes, 0
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.names: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self.casts: dict[str, str] = {}
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, shape: Sequence[int | str], dtype: int = TensorProto.FLOAT) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, dtype, list(shape)))
        return name

    def output(self, value: str, name: str, shape: Sequence[int | str], dtype: int = TensorProto.FLOAT) -> None:
        """Give the result `value` its public name."""
        for node in self.nodes:
            node.input[:] = [name if v == value else v for v in node.input]
            node.output[:] = [name if v == value else v for v in node.output]
        self.outputs.append(helper.make_tensor_value_info(name, dtype, list(shape)))

    def op(self, kind: str, *inputs: str, **attributes: object) -> str:
        if kind not in OPERATORS:
            raise ValueError(f"operator must be one of {sorted(OPERATORS)}, got {kind}")
        self.count += 1
        result = f"{kind.lower()}{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [result], **attributes))
        return result

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """Return the name of a constant, which is stored once however often it is asked for."""
        a = np.ascontiguousarray(np.asarray(value, dtype))
        key = (a.dtype.str, a.shape, a.tobytes())
        if key not in self.names:
            self.count += 1
            self.names[key] = f"c{self.count}"
            self.constants.append(numpy_helper.from_array(a, self.names[key]))
        return self.names[key]

    def weight(self, value: Array) -> str:
        """Return the name of a weight in half precision, cast when a session loads; subnormal magnitudes become 0, because they are slow."""
        half = np.where(np.abs(value) < 6.2e-5, 0, value).astype(np.float16)
        name = self.constant(half, np.float16)
        if name not in self.casts:
            self.casts[name] = self.op("Cast", name, to=TensorProto.FLOAT)
        return self.casts[name]

    def rows(self, value: Array) -> str:
        """Return the name of a weight (o, i, k, k) in 8 bits: whole numbers times a factor for each row of i, which a session multiplies."""
        largest = np.abs(value).max(1, keepdims=True)
        factors = np.maximum(largest / 127, np.finfo(np.float32).tiny).astype(np.float32)
        whole = self.constant(np.rint(value / factors), np.int8)
        return self.op("Mul", self.op("Cast", whole, to=TensorProto.FLOAT), self.constant(factors))

    def conv(
        self,
        x: str,
        weight: Array,
        bias: Array | None = None,
        *,
        stride: int = 1,
        pad: int | Sequence[int] = 0,
        groups: int = 1,
        fine: bool = False,
    ) -> str:
        """Convolve with a weight (o, i/groups, k, k) and a bias (o,), which is kept in single precision.

        pad: zeros on all sides, or above, on the left, below and on the right. fine: the weight is never kept in 8 bits.
        """
        pads = [pad] * 4 if isinstance(pad, int) else list(pad)
        kept = self.rows(weight) if self.in_bytes and not fine and weight.shape[1] >= LONG_ROW else self.weight(weight)
        inputs = [x, kept] + ([self.constant(bias)] if bias is not None else [])
        return self.op(
            "Conv", *inputs, kernel_shape=list(weight.shape[2:]), strides=[stride] * 2, pads=pads, group=groups
        )

    def clip(self, x: str, low: float, high: float) -> str:
        return self.op("Clip", x, self.constant(low), self.constant(high))

    def enlarged(self, x: str, r: int) -> str:
        """Repeat every value as a square of r x r."""
        return self.op(
            "Resize",
            x,
            "",
            self.constant([1, 1, r, r]),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def blocked(self, x: str, channels: int) -> str:
        """Return x unchanged as the output of a convolution by 1, for speed alone.

        onnxruntime's convolutions have a layout of their own, and its optimiser joins to them a LeakyRelu that follows, or the sum of two
        tensors that both come from convolutions and surely have one shape. Everything else is converted there and back.
        """
        return self.conv(x, np.ones((channels, 1, 1, 1), np.float32), groups=channels)

    def unfolded(self, x: str, weight: Array) -> str:
        """Turn every position into a square of r x r by a matrix product: weight (i, o, r, r), (i, h, w) -> (o, r*h, r*w).

        Equal to a 1x1 convolution and `shuffle`, in three quarters of the time, but without a bias for each position in a square.
        """
        r = weight.shape[2]
        return self.op("ConvTranspose", x, self.weight(weight), kernel_shape=[r, r], strides=[r, r])

    def doubled(self, x: str, weight: Array, bias: Array) -> str:
        """Convolve transposed, with a stride of 2: weight (i, o, 5, 5), (i, h, w) -> (o, 2h, 2w), the middle of 5x5 at even places.

        Computed as one convolution for each place of the cells of 2x2, by the weights that reach it: as many multiply-adds as
        ConvTranspose has, in three quarters of the time, and without its copy of all products.
        """
        parts = []
        for row, column in np.ndindex(2, 2):
            taps = weight[:, :, row::2, column::2][:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
            parts.append(self.conv(x, taps, bias, pad=(1 - row, 1 - column, 1, 1)))
        return self.op("DepthToSpace", self.op("Concat", *parts, axis=1), blocksize=2, mode="DCR")

    def shuffle(self, x: str, r: int) -> str:
        """Shuffle (r*r*c, h, w) -> (c, r*h, r*w) as torch's PixelShuffle does."""
        return self.op("DepthToSpace", x, blocksize=r, mode="CRD")

    def repeated(self, x: str, by: int) -> str:
        """Repeat the edges of (1, c, h, w) on each side."""
        return self.op("Pad", x, self.constant([0, 0, by, by] * 2, np.int64), mode="edge")

    def slice(
        self, x: str, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int], steps: Sequence[int]
    ) -> str:
        """Slice as numpy's x[start:end:step] does, along some axes."""
        return self.op("Slice", x, *(self.constant(v, np.int64) for v in (starts, ends, axes, steps)))

    def model(self, *, named: bool = False) -> onnx.ModelProto:
        """Return the checked model; onnx.checker.ValidationError if it is none.

        named: its nodes have names. onnxruntime before 1.22 names each of the nodes that it makes of several slices after the
        nodes in whose place they come, and refuses two of one name; models from before this was known keep their hashes.
        """
        for number, node in enumerate(self.nodes if named else ()):
            node.name = f"{node.op_type}_{number}"
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="pillow-lic"
        )
        onnx.checker.check_model(model, full_check=True)
        return model
