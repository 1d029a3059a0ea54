"""Graphs `scales_z`, `scales_0` and so on of a model with lic2's widths -> the numbers that native code takes (`families.lic1.scales`).

    python -m onnx_models.recipes.lic1.scale_numbers --id 16

They are the weights of the graphs as they are released, which are whole numbers (native/scales.hpp has their order); the file is an
extra of the entry, outside its hash, and what it finds is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx

from pillow_lic.engine import models
from pillow_lic.families.lic1.passes import of_stage, places
from pillow_lic.families.lic1.scales import NUMBERS

from ..common.export import rewrite

Floats = npt.NDArray[np.float64]

HYPER_LATENTS, WIDTH, FEATURES, ANCHORS, LATENTS, GROUPS = 64, 64, 80, 9, 384, 4


def numbers(begin: bytes, stages: Sequence[bytes]) -> bytes:
    """Return the file for `scales_z` and the graphs of all stages; ValueError for others than lic2's, or weights that are no whole numbers."""
    return b"".join([_hyper(begin), *(_stage(graph, stage, len(stages)) for stage, graph in enumerate(stages))])


def _hyper(graph: bytes) -> bytes:
    around = (WIDTH, 1, 3, 3)
    layers = _required(
        graph,
        "scales_z",
        [(WIDTH, HYPER_LATENTS, 1, 1), around, (4 * WIDTH, WIDTH, 1, 1), around, (4 * FEATURES, WIDTH, 1, 1)],
    )
    parts: list[bytes] = []
    for layer in layers:
        several = len(layer[0]) // WIDTH > 1  # at 2x2 places, as DepthToSpace has them
        parts += [_layer(*(part[place::4] for part in layer)) for place in range(4)] if several else [_layer(*layer)]
    return b"".join(parts)


def _stage(graph: bytes, stage: int, stages: int) -> bytes:
    passes = of_stage(stage, stages)
    outputs = len(passes) * LATENTS
    before = FEATURES + ANCHORS
    shapes = [
        (FEATURES, before + (LATENTS if stage else 0), 1, 1),
        (FEATURES, 1, 3, 3),
        (FEATURES, FEATURES, 1, 1),
        (FEATURES, 1, 3, 3),
        (outputs, FEATURES, 1, 1),
        (outputs, ANCHORS, 1, 1),
    ]
    entry, around, between, again, last, anchors = _required(graph, f"scales_{stage}", shapes)
    parts = [_layer(np.insert(entry[0], before, 0, axis=1), *entry[1:])]
    parts += [_layer(*layer) for layer in (around, between, again)]
    size = LATENTS // GROUPS
    chosen: list[slice] = []
    for turn, t in enumerate(passes):
        for place in places(t):
            first = size * (len(passes) * place + turn)  # as `networks` orders them
            chosen.append(slice(first, first + size))
            parts += [np.array([place], "<i4").tobytes(), _layer(*(part[chosen[-1]] for part in last))]
    return b"".join([*parts, *(anchors[0][part].astype("<i4").tobytes() for part in chosen)])


def _required(graph: bytes, name: str, shapes: Sequence[tuple[int, ...]]) -> list[tuple[Floats, Floats, Floats]]:
    """Return the layers of a graph, which must have these weights."""
    layers = _layers(graph)
    found = [weight.shape for weight, _, _ in layers]
    if found != shapes:
        raise ValueError(f"layers of {name} must be {shapes}, got {found}")
    return layers


def _layers(graph: bytes) -> list[tuple[Floats, Floats, Floats]]:
    """Return weights, biases and shifts of the layers in the graph's order; no bias is 0."""
    nodes = onnx.load_from_string(graph).graph.node
    arrays = {
        t.name: onnx.numpy_helper.to_array(t).astype(np.float64) for t in onnx.load_from_string(graph).graph.initializer
    }
    arrays |= {
        node.output[0]: arrays[node.input[0]] for node in nodes if node.op_type == "Cast" and node.input[0] in arrays
    }
    factors = {
        node.input[0]: arrays[node.input[1]] for node in nodes if node.op_type == "Mul" and node.input[1] in arrays
    }
    found = []
    for node in nodes:
        if node.op_type == "Conv":
            weight = arrays[node.input[1]]
            bias = arrays[node.input[2]] if len(node.input) == 3 else np.zeros(len(weight))
            found.append((weight, bias, -np.log2(np.broadcast_to(factors[node.output[0]].ravel(), len(weight)))))
    return found


def _layer(weight: Floats, bias: Floats, shift: Floats) -> bytes:
    """Return biases, shifts and weights of a layer."""
    if (
        any((part != np.rint(part)).any() for part in (weight, bias, shift))
        or np.abs(weight).max() >= 2**15
        or shift.min() < 0
    ):
        raise ValueError(f"a layer of {weight.shape} is not of whole numbers")
    return bias.astype("<i4").tobytes() + shift.astype("<i4").tobytes() + weight.astype("<i2").tobytes()


def of_model(model: models.Model) -> bytes:
    """Return the file for a model."""
    stages = [model.stored(f"scales_{stage}").read() for stage in range(model.constants["stages"])]
    return numbers(model.stored("scales_z").read(), stages)


def main() -> None:
    rewrite(__doc__, NUMBERS, lambda number: of_model(models.choose(number)))


if __name__ == "__main__":
    main()
