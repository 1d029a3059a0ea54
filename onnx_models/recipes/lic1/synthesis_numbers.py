"""Graph `synthesis` of a model with lic2's trunk -> the numbers that native code takes (`families.lic1.synthesis`).

    python -m onnx_models.recipes.lic1.synthesis_numbers --id 16

They are the weights of the graph as it is released, as whole numbers of 16 bits (native/synthesis.hpp has their order); the file is an
extra of the entry, outside its hash. Features lie within -16 to 16 with steps of 2^-11: at all qualities 15.6 was the most, on training
patches, noise, chequers and screens, and no latent of a picture can be larger than 14.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import onnx

from pillow_lic.engine import models
from pillow_lic.families.lic1.synthesis import NUMBERS

from ..common.export import rewrite

Floats = npt.NDArray[np.float32]
Sizes = tuple[int, ...]

FEATURE, PICTURE = 11, 20
"""Bits after the point of features, and of the sums that are the picture, in levels."""
MOST_BITS = 6
"""Bits before the point of what comes out of a layer, its sign not among them: four times as much as a feature can be."""
ANCHORS = 9


def _block(channels: int) -> list[Sizes]:
    one, twice = (channels, channels, 1, 1), (2 * channels, channels, 1, 1)
    return [one, (channels, 1, 5, 5), one, twice, (channels, 2 * channels, 1, 1)]


LAYERS: list[Sizes] = [
    (384, ANCHORS, 1, 1),
    (128, 384, 1, 1),
    *_block(128),
    (256, 128, 1, 1),
    (64, ANCHORS, 1, 1),
    (64, 1, 1, 1),
    *_block(64),
    *_block(64),
    *_block(64),
    (192, 64, 1, 1),
    (384, 192, 2, 2),
    (16, ANCHORS, 1, 1),
    (16, 64, 1, 1),
]
"""Weights of the graph's layers in its order."""


def numbers(graph: bytes) -> bytes:
    """Return the file for a graph `synthesis`; ValueError for one with other layers, or weights that whole numbers cannot hold."""
    layers = _layers(graph)
    found = [weight.shape for weight, _ in layers]
    if found != LAYERS:
        raise ValueError(f"layers of synthesis must be {LAYERS}, got {found}")
    each = iter(layers)
    latents, entry = next(each)[0], next(each)
    coarse, wider, fine = [next(each) for _ in range(5)], next(each), next(each)[0]
    if not (next(each)[0] == 1).all():
        raise ValueError("the layer of the fine channels' own must be 1")
    blocks, last, straight = [next(each) for _ in range(15)], next(each), next(each)[0]
    context, to_context = next(each)[0], next(each)
    by_place = np.arange(256).reshape(64, 4).T.ravel()  # of DepthToSpace: channel, then place
    parts = [_floats(latents), _floats(fine), _floats(context), *(_layer(*one) for one in (entry, *coarse))]
    parts.append(_layer(wider[0][by_place], wider[1][by_place], rounded=False))
    parts += [_layer(*one) for one in blocks]
    parts += [_layer(*to_context, after=0, rounded=False), *_picture(last, straight)]
    return b"".join(parts)


def _layers(graph: bytes) -> list[tuple[Floats, Floats]]:
    """Return weights and biases of the layers in the graph's order; no bias is 0."""
    nodes = onnx.load_from_string(graph).graph
    if any(node.op_type == "LeakyRelu" for node in nodes.node):
        raise ValueError("layers of synthesis must be rectified to 0")
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor).astype(np.float32) for tensor in nodes.initializer}
    arrays |= {node.output[0]: arrays[node.input[0]] for node in nodes.node if node.op_type == "Cast"}

    def both() -> Iterator[tuple[Floats, Floats]]:
        for node in nodes.node:
            if node.op_type in ("Conv", "ConvTranspose"):
                weight = arrays[node.input[1]]
                yield weight, arrays[node.input[2]] if len(node.input) == 3 else np.zeros(len(weight), np.float32)

    return list(both())


def _floats(by_anchor: Floats) -> bytes:
    return by_anchor.reshape(-1, ANCHORS).T.astype("<f4").tobytes()


def _layer(weight: Floats, bias: Floats, *, after: int = FEATURE, rounded: bool = True) -> bytes:
    """Return biases, shifts and weights of a layer to so many bits after the point; `rounded` where a shift ends it.

    What comes out may be 2^MOST_BITS: sums beyond it wrap around.
    """
    flat = weight.reshape(len(weight), -1).astype(np.float64)
    fits = np.floor(np.log2((2**15 - 1) / np.abs(flat).max(1))).astype(np.int64)
    bits = np.minimum(fits, 31 - FEATURE - MOST_BITS)
    shift = bits + FEATURE - after
    whole = np.rint(flat * 2.0 ** bits[:, None])
    sums = np.rint(bias * 2.0 ** (bits + FEATURE)) + (2 ** (shift - 1) if rounded else 0)
    if (shift < 1).any() or (np.abs(sums) >= 2**30).any():
        raise ValueError(f"sums of a layer of {flat.shape} do not fit into 32 bits")
    return sums.astype("<i4").tobytes() + shift.astype("<i4").tobytes() + whole.astype("<i2").tobytes()


def _picture(last: tuple[Floats, Floats], straight: Floats) -> list[bytes]:
    """Return the biases of the picture, the weights of the last features (192, 64), and those of the latents (4, 192, 384)."""
    weights = [last[0][:, :, 0, 0], straight.transpose(2, 3, 1, 0).reshape(4, 192, 384)]
    whole = [np.rint(w * 2.0 ** (PICTURE - FEATURE)) for w in weights]
    if max(np.abs(w).max() for w in whole) >= 2**15:
        raise ValueError("weights of the picture do not fit into 16 bits")
    bias = np.rint(last[1].astype(np.float64) * 2.0**PICTURE)
    return [bias.astype("<i4").tobytes(), *(w.astype("<i2").tobytes() for w in whole)]


def main() -> None:
    rewrite(__doc__, NUMBERS, lambda number: numbers(models.choose(number).stored("synthesis").read()))


if __name__ == "__main__":
    main()
