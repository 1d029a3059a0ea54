"""A recurrent codec whose signs a network predicts: the graphs of a model that is there, and the predictor instead of its contexts.

    python -m onnx_models.recipes.recurrent.predicted 27 PATCHES --steps 600 --id 30

learns `predicted_bits.Predictor` from the signs of patches and writes it as the file `predictor` (FORMAT.md 14.15).
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from pillow_lic.engine import bits
from pillow_lic.engine.models import Model
from pillow_lic.families.shared import recurrence, sign_streams

from ..common.data import Patches
from ..common.exact import ExactConv, proved
from ..common.export import Release, add_destination
from ..predicted_bits import HIDDEN, Predictor, add_schedule, codes_of, counted, learn, with_contexts

Integers = npt.NDArray[np.int32]


def numbers(net: Predictor) -> bytes:
    """Return the numbers of a predictor as a model stores them; ValueError where a sum could leave 24 bits."""
    planes, layers = net.planes, (net.around, net.beside, net.enter, net.leave)
    biases, shifts = zip(*(each_of_plane(layer, planes) for layer in layers), strict=True)
    around, beside, enter, leave = (proved(layer)[0].numpy().astype(np.int8) for layer in layers)
    weights = [around.reshape(-1), beside.reshape(-1)]
    for plane in range(planes):
        seen = np.arange(plane).repeat(2) + np.tile([0, planes], plane)
        own = np.array([2 * planes + plane, 3 * planes])
        hidden = 3 * planes + 1 + HIDDEN * plane + np.arange(HIDDEN)
        weights += [enter[HIDDEN * plane + k, np.concatenate([seen, own]), 0, 0] for k in range(HIDDEN)]
        weights.append(leave[plane, np.concatenate([seen, own, hidden]), 0, 0])
    whole = np.concatenate(biases).astype("<i4").tobytes() + np.concatenate(shifts).astype(np.uint8).tobytes()
    return whole + np.concatenate(weights).tobytes()


def each_of_plane(layer: ExactConv, planes: int) -> tuple[Integers, Integers]:
    """Return the biases and shifts of a layer: those of the first output of each plane, then those of the second, and so on."""
    _, bias, factor = proved(layer)
    found = (v.numpy().reshape(planes, -1).T.reshape(-1) for v in (bias, -torch.log2(factor)))
    bias_of, shift_of = (v.astype(np.int32) for v in found)
    return bias_of, shift_of


def parts_of(model: Model) -> Iterator[np.uint16]:
    """Yield the start values of the planes that say how many steps a block takes part in."""
    own = sign_streams.coder(model)
    yield from own.starts[512 * own.counts : 512 * (own.counts + 1)]


def release(out: Path, number: int, base: Model, net: Predictor, tables: bits.Starts) -> None:
    """Write a model of the graphs of `base` and a predictor, whose probabilities begin as `tables`, and enter it into the manifest."""
    new = Release(out, number, base.name, base.procedure, base.constants, recurrence.LEVELS)
    starts = np.array([*parts_of(base), *tables], "<u2")
    stored = new.stored("predictor.bin", starts.tobytes() + numbers(net))
    kmac = round(net.macs() / sign_streams.BLOCK**2 / 1000, 3)
    graphs = new.shared(base.number, ("encoder_step", "decoder_step"))
    new.enter(graphs | {"predictor": replace(stored, exact=True, kmac_per_pixel=kmac)})


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("base", type=int, help="number of the model with contexts")
    p.add_argument("patches", type=Path)
    add_schedule(p)
    add_destination(p)
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    base = with_contexts(a.base)
    codes = list(codes_of(base, Patches(a.patches).some(a.samples)))
    net = Predictor(len(codes[0].bits))
    learn(net, codes, a.steps, a.batch, a.rate)
    release(a.out, a.id, base, net, counted(net, codes))


if __name__ == "__main__":
    main()
