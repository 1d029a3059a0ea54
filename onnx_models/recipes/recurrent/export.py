"""Graphs and contexts of a recurrent codec -> its files and its entry in the manifest.

python -m onnx_models.recipes.recurrent.export toderici2017 onnx_models/recipes/recurrent/toderici2017.pt PATCHES --id 27
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch

from pillow_lic.engine.models import Model
from pillow_lic.families.shared.sign_streams import Signs

from ..common import training
from ..common.data import Patches
from ..common.export import ONNX_MODELS, Network, Placed, Release
from ..common.graph import Graph, numpy
from . import thumbnails
from .cells import Cell
from .network import BITS, BLOCK, PAPERS, Paper, Recurrent, decoder_cell, encoder_cell, kernel4
from .tiled import STRIP, TILE, Predictor, Tiled
from .train import network

CLASSES, CONTEXTS = 7, 512
"""Classes of the signs, and contexts of each; class 7 is that of the step counts."""
WORTH = 4.0
"""Signs that the mean of a class is worth beside those counted in a context."""
GROUP = 4
"""Tiles each way that are predicted from each other: 1,000 in a chain let differences between machines grow to 4 levels."""
Counts = npt.NDArray[np.float64]


def constants(paper: Paper) -> dict[str, int]:
    """Return the constants of the family."""
    return {
        "steps": paper.steps,
        "bits": BITS,
        "priming": paper.priming,
        "encoder_states": encoder_cell(paper).states,
        "decoder_states": decoder_cell(paper).states,
        "align": TILE if paper.tiled else BLOCK,
        "margin": 0 if paper.tiled else BLOCK,
        "tile_edge": 1024,
        "tile_pixels": 2097152,
        **({"tile": TILE} if paper.tiled else {}),
        **({"group": GROUP} if paper.context else {}),
    }


def cell(g: Graph, v: str, states: str, layer: Cell) -> tuple[str, str]:
    """Write the cell of an input and states (n,F,h,w); return its output and states. ValueError for an associative one.

    What it sees is never weighted in 8 bits: its states add up what that loses.
    """
    if layer.kind == "associative":
        raise ValueError("no graph is written of an associative cell: no model has one")
    f, lstm = layer.features, layer.kind == "lstm"

    def part(x: str, index: int) -> str:
        return g.slice(x, [index * f], [(index + 1) * f], [1], [1])

    h = part(states, 0) if lstm else states
    if layer.kernel is not None:
        h = g.conv(h, numpy(layer.kernel), pad=1, groups=f)
    inputs = g.conv(v, numpy(torch.cat(list(layer.input))), numpy(layer.bias), fine=True)
    hidden = g.conv(h, numpy(torch.cat(list(layer.hidden))))

    def gate(index: int) -> str:
        return g.op("Sigmoid", g.op("Add", part(inputs, index), part(hidden, index)))

    if lstm:
        n = g.op("Tanh", g.op("Add", part(inputs, 0), part(hidden, 0)))
        c = g.op("Add", g.op("Mul", gate(2), part(states, 1)), g.op("Mul", gate(1), n))
        out = g.op("Mul", gate(3), g.op("Tanh", c))
        return out, g.op("Concat", out, c, axis=1)
    n = g.op("Tanh", g.op("Add", part(inputs, 0), g.op("Mul", gate(2), part(hidden, 0))))
    out = g.op("Add", states, g.op("Mul", gate(1), g.op("Sub", n, states)))
    return out, out


def encoder_graph(net: Recurrent) -> onnx.ModelProto:
    """Residual (n,3,16h,16w), state (n,S,h,w) -> codes of all steps (n,steps*BITS,h,w), of which those of this one count; state."""
    g, e = Graph("encoder_step", in_bytes=True), net.encoder
    residual = g.input("residual", ["n", 3, "height", "width"])
    state = g.input("state", ["n", e.cell.states, "h", "w"])
    u = g.conv(g.op("SpaceToDepth", residual, blocksize=8), place_first(e.narrow))
    h, after = cell(g, g.conv(u, numpy(kernel4(e.down)), stride=2, pad=1), state, e.cell)
    # In 8 bits the steps find less of what is left: 5 to 7 % more bytes.
    codes = g.conv(h, numpy(torch.cat(list(e.codes))), numpy(e.offsets.flatten()), fine=True)
    g.output(codes, "codes", ["n", net.paper.steps * BITS, "h", "w"])
    g.output(g.op("Mul", after, g.constant(1.0)), "state_after", ["n", e.cell.states, "h", "w"])
    return g.model(named=True)


def decoder_graph(net: Recurrent) -> onnx.ModelProto:
    """Signs of all steps, 0 but for this one, and which one it is (n,steps*(BITS+1),h,w), state -> change (n,3,16h,16w), state."""
    g, d = Graph("decoder_step"), net.decoder
    signs = g.input("signs", ["n", net.paper.steps * (BITS + 1), "h", "w"])
    state = g.input("state", ["n", d.cell.states, "h", "w"])
    weight = torch.cat([*d.codes, d.offsets.t()[:, :, None, None]], 1)
    h, after = cell(g, g.conv(signs, numpy(weight)), state, d.cell)
    up = g.weight(numpy(kernel4(d.up)))
    u = g.op("ConvTranspose", h, up, kernel_shape=[4, 4], strides=[2, 2], pads=[1, 1, 1, 1])
    g.output(g.shuffle(g.conv(u, numpy(d.widen)), 8), "change", ["n", 3, "height", "width"])
    g.output(g.op("Mul", after, g.constant(1.0)), "state_after", ["n", d.cell.states, "h", "w"])
    return g.model(named=True)


def predict_graph(predictor: Predictor) -> onnx.ModelProto:
    """The graph of `Predictor`: the pixels around tiles (n,3,8,72) -> the tiles (n,3,32,32)."""
    g, side = Graph("predict"), TILE // STRIP
    seen = g.input("seen", ["n", 3, STRIP, STRIP * len(predictor.near)])
    u = g.conv(g.op("SpaceToDepth", seen, blocksize=STRIP), place_first(predictor.narrow))
    z = g.conv(u, numpy(torch.cat(list(predictor.near), 3)))
    hidden = g.op("Tanh", g.conv(z, numpy(predictor.first), numpy(predictor.bias)))
    z = g.op("Add", z, g.conv(hidden, numpy(predictor.last)))
    spread = numpy(torch.stack([far[:, :, 0, 0] for far in predictor.far], 1).flatten(0, 1)[:, :, None, None])
    v = g.shuffle(g.conv(z, spread), side)
    g.output(g.shuffle(g.conv(v, numpy(predictor.widen)), STRIP), "tiles", ["n", 3, TILE, TILE])
    return g.model()


def place_first(narrow: torch.Tensor) -> npt.NDArray[np.float32]:
    """Return a weight (o,3*64,1,1) for what SpaceToDepth gives, which has the place first; pixel_unshuffle has the colour first."""
    return numpy(narrow).reshape(-1, 3, 64).transpose(0, 2, 1).reshape(-1, 192, 1, 1)


def contexts_of(planes: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Return the contexts without classes (FORMAT.md 7.4) of planes (planes,channels,rows,columns) of 0 and 1."""
    rows, columns = planes.shape[2:]
    padded = np.pad(planes.astype(np.int64), ((1, 0), (0, 0), (1, 1), (1, 1)))
    here, before = padded[1:], padded[:-1]
    places = [(here, 1, 0), (here, 0, 0), (here, 0, 1), (here, 0, 2)]
    places += [(before, 1, 1), (before, 0, 1), (before, 1, 0), (before, 1, 2), (before, 2, 1)]
    return sum(a[:, :, y : y + rows, x : x + columns] << k for k, (a, y, x) in enumerate(places))  # type: ignore[return-value]


def counted(signs: Signs, of_signs: Counts, of_counts: Counts) -> None:
    """Add how often each bit occurs in each context to counts (steps,BITS,CONTEXTS,2) and (CONTEXTS,2)."""
    steps = len(signs.values)
    planes = (signs.values > 0).astype(np.uint8)
    step, channel, *_ = index = np.nonzero(signs.values)
    np.add.at(of_signs, (step, channel, contexts_of(planes)[index], planes[index]), 1)
    parts = (signs.counts > np.arange(steps)[:, None, None, None].reshape(-1, 1, 1)).astype(np.uint8)[:, None]
    np.add.at(of_counts, (contexts_of(parts), parts), 1)


def probabilities(counts: Counts) -> Counts:
    """Return the probability of a 1 in each context, by counts (...,CONTEXTS,2) and a little of the mean of all contexts."""
    total = counts.sum(-2, keepdims=True)
    mean = (total[..., 1:] + 1) / (total.sum(-1, keepdims=True) + 2)
    found: Counts = (counts[..., 1:] + WORTH * mean) / (counts.sum(-1, keepdims=True) + WORTH)
    return found[..., 0]


def classified(counts: Counts) -> tuple[npt.NDArray[np.uint8], Counts]:
    """Return the classes (steps,BITS) of the signs, and the probabilities (CLASSES,CONTEXTS) that cost the fewest bits: k-means."""
    flat = counts.reshape(-1, CONTEXTS, 2)
    p = probabilities(flat)
    own = -(flat[..., 1] * np.log2(p) + flat[..., 0] * np.log2(1 - p)).sum(1) / flat.sum((1, 2)).clip(1)
    classes = np.argsort(np.argsort(own)) * CLASSES // len(own)
    for _ in range(20):
        p = probabilities(np.stack([flat[classes == c].sum(0) for c in range(CLASSES)]))
        bits = -(flat[..., 1] @ np.log2(p).T + flat[..., 0] @ np.log2(1 - p).T)
        classes = bits.argmin(1)
    return classes.reshape(counts.shape[:2]).astype(np.uint8), p


def contexts_file(model: Model, samples: list[npt.NDArray[np.uint8]]) -> bytes:
    """Return the classes and start values of a model by what it codes of patches at random levels."""
    family, rng = importlib.import_module(f"pillow_lic.families.{model.procedure}"), np.random.default_rng(0)
    of_signs = np.zeros((model.constants["steps"], BITS, CONTEXTS, 2))
    of_counts = np.zeros((CONTEXTS, 2))
    for patch in samples:
        signs = family.signs(model, patch, int(rng.integers(0, 1025)))
        counted(signs, of_signs, of_counts)
    classes, p = classified(of_signs)
    starts = np.concatenate([p, probabilities(of_counts)[None]]) * 65536
    return classes.tobytes() + np.rint(starts).clip(32, 65504).astype("<u2").tobytes()


def load(name: str, weights: Path) -> Recurrent:
    """Return the network of a paper with stored weights."""
    net = network(PAPERS[name]).eval()
    net.load_state_dict(training.weights(weights))
    return net


@torch.no_grad()
def graphs(net: Recurrent) -> dict[str, Network]:
    """Return the graphs by role."""
    made = {
        "encoder_step": Network(encoder_graph(net), "encoder"),
        "decoder_step": Network(decoder_graph(net), "both"),
    }
    if isinstance(net, Tiled) and net.predictor is not None:
        made["predict"] = Network(predict_graph(net.predictor), "both")
    return made


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("paper", choices=PAPERS)
    p.add_argument("weights", type=Path)
    p.add_argument("patches", type=Path)
    p.add_argument("--id", type=int, required=True, help="never reuse the id of a released model")
    p.add_argument("--out", type=Path, default=ONNX_MODELS)
    p.add_argument("--samples", type=int, default=300, help="training patches whose signs are counted for the contexts")
    a = p.parse_args()
    net = load(a.paper, a.weights)
    family = importlib.import_module(f"pillow_lic.families.{a.paper}")
    release = Release(a.out, a.id, a.paper, a.paper, constants(net.paper), family.LEVELS)
    files: dict[str, Placed] = release.networks(graphs(net))
    samples = Patches(a.patches).some(a.samples)
    if a.paper == "toderici2015":
        samples = [thumbnails.pieces(picture[None, : thumbnails.SIDE, : thumbnails.SIDE])[0] for picture in samples]
    stored = contexts_file(release.model(files), samples)
    release.enter(files | {"contexts": release.stored("contexts.bin", stored)})


if __name__ == "__main__":
    main()
