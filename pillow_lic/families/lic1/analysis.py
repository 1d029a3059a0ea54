"""The networks of an encoder, `analysis` (or a smaller one) and `latents`, or the same layers in whole numbers in native code.

    pixels (16h, 16w, 3)  ──analyse──▶  trunk  ──latents, level (h, w)──▶  y (M, h, w), z_hat (Z, h/4, w/4)

Native code (native/analysis.hpp) reads the weights of the graphs; its latents are some thousandths of a step beside theirs, the same ones
on every processor and with any number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...deadlines import check_time
from ...engine import graphs, workers
from ...engine.models import Model
from ...engine.native import Analysis, HyperAnalysis, Latents
from ...engine.settings import current_settings
from . import whole_numbers
from .geometry import geometry
from .whole_numbers import COARSE, LATENT, OUTPUTS, PIXEL, USUAL, Bits, Layer

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

QUICK = "analysis_quick"
"""The role of a smaller analysis that a model may have beside its own, for effort 0."""
LEAST_SQUARES = 2
"""Rows of hyper-latents that a thread has at least."""


class Trunk(NamedTuple):
    """The output of the analysis, which is the same for every quality.

    Of the network features (C, 2h, 2w) and the linear path (M, h, w); of native code features (2h, 2w, C) int16 of so many `bits` and
    (h, w, M).
    """

    features: npt.NDArray[np.float32 | np.int16]
    linear: Floats
    bits: Bits | None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the latents."""
        rows, columns = self.linear.shape[:2] if self.bits else self.linear.shape[1:]
        return rows, columns


def analyse(model: Model, pixels: Pixels, role: str = "analysis") -> Trunk:
    """Return the trunk of pixels (H, W, 3) uint8, H and W multiples of 64: the slow half; errors of `runtime.run`.

    role: "analysis", or QUICK where the model has it.
    """
    if not _chosen() or _analysis(model, role, USUAL) is None or _latent_weights(model) is None:
        features, linear = model.run(role, pixels=pixels)
        return Trunk(features[0], linear[0], None)
    given = np.ascontiguousarray(pixels)
    found = _run(model, role, USUAL, given)
    if USUAL.hold(found.features):
        return found
    return _run(model, role, COARSE, given)


def _run(model: Model, role: str, bits: Bits, pixels: Pixels) -> Trunk:
    """Return the trunk that native code makes of pixels."""
    check_time()
    layers, sizes = _analysis(model, role, bits), geometry(model)
    assert layers is not None
    rows, columns = (length // sizes.stride for length in pixels.shape[:2])
    made = np.empty((2 * rows, 2 * columns, layers.features), np.int16)
    straight = np.empty((rows, columns, sizes.latents), np.float32)
    workers.in_rows(layers.run, pixels, made, straight, rows=rows, least=LEAST_SQUARES, each=sizes.hyper_stride)
    return Trunk(made, straight, bits)


def latents(model: Model, trunk: Trunk, level: Floats) -> tuple[Floats, Floats]:
    """Return y (M, h, w) in quantiser steps and z_hat (Z, h/4, w/4), integers -127..127, of a trunk at a level field (h, w)."""
    layers = _latents(model, trunk.bits, trunk.bits.fine(float(level.min()))) if trunk.bits else None
    if layers is None:
        z_hat, y = model.run("latents", trunk=trunk.features[None], linear=trunk.linear[None], level=level[None, None])
        return y[0], z_hat[0]
    check_time()
    sizes, (rows, columns) = geometry(model), trunk.shape
    y = np.empty((sizes.latents, rows, columns), np.float32)
    z_hat = np.empty((sizes.hyper_latents, rows // sizes.hyper_stride, columns // sizes.hyper_stride), np.float32)
    field = np.ascontiguousarray(level, np.float32)
    in_rows = partial(workers.in_rows, rows=rows, least=LEAST_SQUARES, each=sizes.hyper_stride)
    in_rows(layers[0].run, trunk.features, trunk.linear, field, y)
    in_rows(layers[1].run, y, z_hat)
    return y, z_hat


def _chosen() -> bool:
    """Return whether native code is to run under the current settings."""
    return Analysis.fast() and HyperAnalysis.fast() and current_settings().uses_native_code


@cache
def _analysis(model: Model, role: str, bits: Bits) -> Analysis | None:
    _, _, *body, straight = graphs.weights(model.stored(role).read())
    if not (_known([*body, straight], {5}) and _are_pairs(body)):
        return None
    enter, *layers = _pairs(body)
    blocks, leave = layers[: len(layers) // 5 * 5], layers[len(layers) // 5 * 5 :]
    channels, count = len(enter[0]), len(blocks) // 5
    parts = [whole_numbers.layer(whole_numbers.of_pixels(enter[0]), enter[1], PIXEL, bits.trunk)]
    parts += [whole_numbers.block(blocks[5 * k : 5 * k + 5], bits.trunk, bits.inside) for k in range(count)]
    parts += [whole_numbers.layer(*one, bits.trunk, bits.trunk) for one in leave]
    no_bias = np.zeros(len(straight), np.float32)
    parts.append(whole_numbers.layer(whole_numbers.of_pixels(straight), no_bias, PIXEL, None, LATENT))
    features = len(leave[0][0]) if leave else channels
    return Analysis(_bytes(parts), channels, count, features, len(straight))


@cache
def _latent_weights(model: Model) -> list[Floats] | None:
    """Return the weights of `latents` in the order of its graph, None where native code has no layers of such shapes."""
    arrays = [array for array in graphs.weights(model.stored("latents").read()) if array.size > whole_numbers.ANCHORS]
    is_known = _known(arrays, {3, 5}) and _are_pairs(arrays[1:25]) and _are_pairs(arrays[26:])
    return arrays if is_known else None


@cache
def _latents(model: Model, bits: Bits, fine: int) -> tuple[Latents, HyperAnalysis] | None:
    if (weights := _latent_weights(model)) is None:
        return None
    trunk, *rest = weights
    enter, *layers = _pairs(rest[:24])
    blocks, (leave,) = layers[:10], layers[10:]
    factors, (first, *between, halve, last) = rest[24], _pairs(rest[25:])
    parts = [whole_numbers.logs(trunk, fine - bits.trunk), whole_numbers.logs(factors)]
    parts.append(whole_numbers.layer(whole_numbers.by_row(enter[0]), enter[1], fine, fine))
    parts += [whole_numbers.block(blocks[k : k + 5], fine, fine) for k in (0, 5)]
    parts.append(whole_numbers.layer(*leave, fine, None, LATENT))
    after = [whole_numbers.real(*one) for one in (first, *between)]
    after += [whole_numbers.real(whole_numbers.by_row(weight), bias) for weight, bias in (halve, last)]
    return (
        Latents(_bytes(parts), len(trunk), len(enter[0]), len(factors)),
        HyperAnalysis(_bytes(after), len(factors), len(first[0]), len(last[0])),
    )


def _known(weights: Sequence[Floats], sides: set[int]) -> bool:
    """Return whether native code has layers of so many outputs, and depthwise ones of such sides."""
    depthwise = {array.shape[2] for array in weights if array.ndim == 4 and array.shape[1] == 1}
    return depthwise == sides and all(len(array) % OUTPUTS == 0 for array in weights)


def _are_pairs(arrays: Sequence[Floats]) -> bool:
    """Return whether these are layers, weights and biases by turns."""
    sizes = [len(array) for array in arrays]
    return sizes[::2] == sizes[1::2] and all(bias.ndim == 1 for bias in arrays[1::2])


def _pairs(arrays: Sequence[Floats]) -> list[Layer]:
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def _bytes(parts: Sequence[bytes]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(parts), np.uint8)
