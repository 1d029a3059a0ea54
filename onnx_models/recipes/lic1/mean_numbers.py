"""Graphs `means_z`, `means_0` and so on of a model like lic1 or lic2 -> the numbers that native code takes (`families.lic1.means`).

    python -m onnx_models.recipes.lic1.mean_numbers --id 16

They are the weights of the graphs as they are released (native/means.hpp has their order); the file is an extra of the entry, outside
its hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import onnx

from pillow_lic.engine import models
from pillow_lic.families.lic1.means import NUMBERS
from pillow_lic.families.lic1.passes import of_stage, places

from ..common.depthwise import SLOPE
from ..common.export import rewrite

Array = npt.NDArray[np.float16 | np.float32]
Layer = tuple[Array, Array]
Sizes = tuple[int, ...]

ANCHORS, GROUPS = 9, 4


def numbers(begin: bytes, stages: Sequence[bytes]) -> bytes:
    """Return the file for a graph `means_z` and those of all stages; ValueError for others, or weights of more than half precision."""
    enter, second, level, *start = _layers(begin, "means_z")
    features = len(level[0])
    hyper_latents = enter[0].shape[1]
    _require(
        "means_z",
        [enter, second, level, *start],
        [(4 * features, hyper_latents, 1, 1), (4 * features, features, 1, 1), (features, ANCHORS, 1, 1)]
        + _block(features, 3),
    )
    parts = [np.array([features], "<u4").tobytes(), *_by_place(*enter), *_by_place(*second)]
    table = level[0].reshape(features, ANCHORS).T.astype("<f4") + level[1]  # shares of anchors are 1 together
    parts += [table.tobytes(), *(_layer(*one) for one in start)]
    return b"".join([*parts, *(_stage(graph, stage, len(stages), features) for stage, graph in enumerate(stages))])


def _block(channels: int, side: int) -> list[Sizes]:
    one, twice = (channels, channels, 1, 1), (2 * channels, channels, 1, 1)
    return [one, (channels, 1, side, side), one, twice, (channels, 2 * channels, 1, 1)]


def _stage(graph: bytes, stage: int, stages: int, features: int) -> bytes:
    name, passes = f"means_{stage}", of_stage(stage, stages)
    layers = _layers(graph, name)
    outputs = len(layers[-1][0])
    latents = outputs // len(passes)
    context = [(features, features + latents, 1, 1)] if stage else []
    _require(name, layers, [*context, *_block(features, 5), (outputs, features, 1, 1)])
    *inner, (weight, bias) = layers
    parts = [_layer(*one) for one in inner]
    size = latents // GROUPS
    for turn, t in enumerate(passes):
        for place in places(t):
            first = size * (len(passes) * place + turn)  # as `networks` orders them
            rows = slice(first, first + size)
            parts += [np.array([place], "<i4").tobytes(), _layer(weight[rows], bias[rows])]
    return b"".join(parts)


def _require(name: str, layers: Sequence[Layer], shapes: Sequence[Sizes]) -> None:
    found = [weight.shape for weight, _ in layers]
    if found != shapes:
        raise ValueError(f"layers of {name} must be {shapes}, got {found}")


def _layers(graph: bytes, name: str) -> list[Layer]:
    """Return weights, in half precision, and biases of the layers in the graph's order, but for those that do nothing; no bias is 0."""
    nodes = onnx.load_from_string(graph).graph
    slopes = {float(node.attribute[0].f) for node in nodes.node if node.op_type == "LeakyRelu"}
    if slopes != {float(np.float32(SLOPE))}:
        raise ValueError(f"layers of {name} must be bent by {SLOPE}, got {slopes}")
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in nodes.initializer}
    arrays |= {node.output[0]: arrays[node.input[0]] for node in nodes.node if node.op_type == "Cast"}

    def both() -> Iterator[Layer]:
        for node in nodes.node:
            if node.op_type == "Conv":
                weight = arrays[node.input[1]]
                alone = weight.shape[1:] == (1, 1, 1)
                if alone and len(node.input) == 2 and (weight == 1).all():
                    continue
                yield weight, arrays[node.input[2]] if len(node.input) == 3 else np.zeros(len(weight), np.float32)

    return list(both())


def _by_place(weight: Array, bias: Array) -> Iterator[bytes]:
    """Yield the layers of the places that DepthToSpace puts the outputs at."""
    for place in range(4):
        yield _layer(weight[place::4], bias[place::4])


def _layer(weight: Array, bias: Array) -> bytes:
    """Return biases and weights of a layer."""
    halves = weight.astype("<f2")
    if (halves != weight).any():
        raise ValueError(f"weights of {weight.shape} must be of half precision")
    return bias.astype("<f4").tobytes() + halves.tobytes()


def of_model(model: models.Model) -> bytes:
    """Return the file for a model."""
    stages = [model.stored(f"means_{stage}").read() for stage in range(model.constants["stages"])]
    return numbers(model.stored("means_z").read(), stages)


def main() -> None:
    rewrite(__doc__, NUMBERS, lambda number: of_model(models.choose(number)))


if __name__ == "__main__":
    main()
