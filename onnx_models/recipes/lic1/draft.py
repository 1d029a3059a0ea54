"""Small graphs beside a model for pictures at 1/2, 1/4 and 1/8, with which a thumbnail takes a third of the time of a decode.

    python -m onnx_models.recipes.lic1.draft WEIGHTS PATCHES_FOLDER --id N

| graph | in | out |
|---|---|---|
| draft_means | z_hat, v, level, cells | y_hat (1,M/4,h,w) of the first channel group |
| draft_2, draft_4, draft_8 | y_hat (1,M,h,w), level | pixels (1,H/s,W/s,3) uint8 |

What remains of a picture after averaging s x s pixels is in the linear path of the synthesis and in its first channels, which PCA began
with the smooth components. So:

* the means are predicted for the first channel group only, by the model's own weights. A pass codes one place of every 2x2 cell of it,
  so that all behind the depthwise convolution runs at a quarter of the places; the other groups' y_hat is taken to be r, and the last
  ones are not looked at as context;
* a head is the linear path averaged over s x s pixels, and a least-squares fit of what the network would have added to it, from the
  latents at the same place and the first channels of its neighbours.

They are listed as `extras` of the model in the manifest, outside its hash: no file's meaning depends on them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor

from pillow_lic.families.lic1.passes import ORDER, of_stage

from ..common.data import Patches
from ..common.depthwise import SLOPE, Depthwise
from ..common.export import ONNX_MODELS, Network, add_extras
from ..common.gains import gain
from ..common.gains import hats as hats_of
from ..common.graph import Array, Graph, numpy
from ..common.layer_graphs import conv
from ..common.layers import Block, gain_field
from ..common.levels import LEVEL_MAX, hats
from .export import load
from .model import Lic1
from .networks import mean_features
from .passes import merged, split

SCALES = (2, 4, 8)
NEIGHBOURS = 48
"""Channels of the eight neighbours that a head looks at."""
CONTEXT_GROUPS = 2
"""Channel groups that the draft's means look at."""
SHRINKAGE = 0.003
"""Ridge of the fit, as a part of every feature's variance: a weight of little use stays near 0."""


def strided(g: Graph, x: str, m: Depthwise, place: tuple[int, int]) -> str:
    """Add a depthwise convolution at one place of every 2x2 cell."""
    reach = m.kernel_size[0] // 2
    pads = [reach - place[0], reach - place[1], reach - 1 + place[0], reach - 1 + place[1]]
    size = list(m.kernel_size)
    inputs = [x, g.weight(numpy(m.weight)), g.constant(numpy(m.bias))]
    return g.op("Conv", *inputs, kernel_shape=size, strides=[2, 2], pads=pads, group=m.groups)


def quarter(g: Graph, x: str, b: Block, place: tuple[int, int]) -> str:
    """Add a block at one place of every 2x2 cell: (1,C,h,w) -> (1,C,h/2,w/2)."""
    inner = strided(g, g.op("LeakyRelu", conv(g, x, b.a), alpha=SLOPE), b.dw, place)
    far = np.iinfo(np.int64).max
    x = g.op("Add", conv(g, inner, b.b), g.slice(x, place, [far, far], [2, 3], [2, 2]))
    return g.op("Add", conv(g, g.op("LeakyRelu", conv(g, x, b.f1), alpha=SLOPE), b.f2), x)


def draft_means(net: Lic1) -> onnx.ModelProto:
    g, a, s = Graph("draft_means"), net.means, net.sizes
    z_hat, v = g.input("z_hat", [1, s.z, "h4", "w4"]), g.input("v", [1, s.m, "h", "w"])
    level, cells = g.input("level", [1, 1, "h", "w"]), g.input("cells", [1, 4, "h", "w"])
    n, seen = s.m // 4, CONTEXT_GROUPS * s.m // 4
    features = mean_features(g, net, z_hat, level)
    near = g.slice(v, [0], [seen], [1], [1])
    inside = g.conv(cells, np.ones((1, 4, 1, 1), np.float32))
    mean = ""
    for stage in range(s.stages):
        x, ts = features, of_stage(stage, s.stages)
        if stage:
            coded = np.zeros((CONTEXT_GROUPS, 4), np.float32)
            for group in range(CONTEXT_GROUPS):
                coded[group, list(ORDER[group][: ts[0]])] = 1
            known = g.op("Mul", near, g.conv(cells, np.repeat(coded, n, 0)[:, :, None, None]))
            first = g.op("Add", g.slice(known, [0], [n], [1], [1]), mean)
            rest = g.slice(known, [n], [seen], [1], [1])
            weight = numpy(a.context[stage - 1].weight)[:, : s.p + seen]
            x = g.conv(g.op("Concat", x, first, rest, axis=1), weight, numpy(a.context[stage - 1].bias))
        for t in ts:
            place = ORDER[0][t]
            at_place = quarter(g, x, a.body, divmod(place, 2))
            mu = g.conv(at_place, numpy(a.leave[stage].weight)[:n], numpy(a.leave[stage].bias)[:n])
            none = g.op("Mul", mu, g.constant(0.0))
            spread = g.op("Concat", *(mu if i == place else none for i in range(4)), axis=1)
            spread = g.op("Mul", g.op("DepthToSpace", spread, blocksize=2, mode="DCR"), inside)
            mean = g.op("Add", mean, spread) if t else spread
    g.output(g.op("Add", g.slice(v, [0], [n], [1], [1]), mean), "y_hat", [1, n, "h", "w"])
    return g.model(named=True)


@torch.no_grad()
def draft_latents(net: Lic1, r: Tensor, z_hat: Tensor, level: Tensor) -> Tensor:
    """Return y_hat of all groups, as `draft_means` predicts it from the symbols r (1,M,h,w)."""
    m = net.sizes.m
    group = torch.arange(m).view(1, m, 1, 1) // (m // 4)
    features, parts, y_hat = net.means.start(z_hat, level), split(r), list[Tensor]()
    for stage in range(net.sizes.stages):
        known = merged(y_hat) if y_hat else torch.zeros_like(r)
        means = net.means.means(stage, features, known * (group < CONTEXT_GROUPS))
        y_hat += [parts[t] + mu * (group == 0) for t, mu in zip(of_stage(stage, net.sizes.stages), means, strict=True)]
    return merged(y_hat)


@torch.no_grad()
def full_and_draft(net: Lic1, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    """Return the full decode of a picture (1,3,H,W), and the latents y (1,M,h,w) of its draft in units of the picture."""
    coded = net.coded(x, level)
    gains = gain_field(net.synthesis.gain_y, hats(level))
    full = net.synthesis(coded.y_hat, level).clamp(0, 1)
    return full, draft_latents(net, coded.r, coded.z_hat, level) * gains


def averaged(net: Lic1, s: int) -> Array:
    """Return the linear path of the synthesis averaged over s x s pixels, (3 * (16/s)^2, M), rows by channel, row, column."""
    side = 16 // s
    weight = numpy(net.synthesis.linear.weight).reshape(3, side, s, side, s, net.sizes.m)
    result: Array = weight.mean((2, 4)).reshape(3 * side * side, net.sizes.m)
    return result


def features(y: Tensor) -> Tensor:
    """Return the features of every latent (1,M,h,w) but the outermost, (n, M + 9 * NEIGHBOURS + 1): itself, its neighbours, and 1."""
    around = F.unfold(y[:, :NEIGHBOURS], 3)[0].t()
    here = y[0, :, 1:-1, 1:-1].flatten(1).t()
    return torch.cat([here, around, torch.ones(len(here), 1)], 1)


def targets(picture: Tensor, s: int) -> Tensor:
    """Return the averaged picture (1,3,H,W) at the latents of `features`, (n, 3 * (16/s)^2)."""
    side = 16 // s
    small = F.pixel_unshuffle(F.avg_pool2d(picture, s), side)
    return small[0, :, 1:-1, 1:-1].flatten(1).t()


def fit(net: Lic1, patches: list[npt.NDArray[np.uint8]]) -> dict[int, Array]:
    """Return for every scale the head's weights on `features`: the averaged linear path and a ridge regression of what it lacks."""
    rng = np.random.default_rng(0)
    size = net.sizes.m + 9 * NEIGHBOURS + 1
    gram = np.zeros((size, size))
    cross = {s: np.zeros((size, 3 * (16 // s) ** 2)) for s in SCALES}
    start = {}
    for s in SCALES:
        start[s] = np.zeros((size, 3 * (16 // s) ** 2))
        start[s][: net.sizes.m] = averaged(net, s).T
        start[s][-1] = 0.5
    for patch in patches:
        x = torch.from_numpy(patch[:256, :256].copy()).permute(2, 0, 1)[None].float() / 255
        level = torch.full((1, 1, x.shape[2] // 16, x.shape[3] // 16), float(rng.integers(0, LEVEL_MAX + 1)))
        picture, y = full_and_draft(net, x, level)
        known = features(y).double().numpy()
        gram += known.T @ known
        for s in SCALES:
            cross[s] += known.T @ (targets(picture, s).double().numpy() - known @ start[s])
    gram += np.diag(SHRINKAGE * np.diag(gram) + 1e-9)
    return {s: (start[s] + np.linalg.solve(gram, cross[s])).astype(np.float32) for s in SCALES}


def head(net: Lic1, s: int, weights: Array) -> onnx.ModelProto:
    g, m, side = Graph(f"draft_{s}"), net.sizes.m, 16 // s
    y_hat = g.input("y_hat", [1, m, "h", "w"])
    hat = hats_of(g, g.input("level", [1, 1, "h", "w"]))
    y = g.op("Mul", y_hat, gain(g, hat, net.synthesis.gain_y))
    here = 255 * weights[:m].T[:, :, None, None]
    around = 255 * weights[m:-1].T.reshape(-1, NEIGHBOURS, 3, 3)
    x = g.op("Add", g.conv(y, here, 255 * weights[-1]), g.conv(g.slice(y, [0], [NEIGHBOURS], [1], [1]), around, pad=1))
    x = g.op("QuantizeLinear", g.shuffle(x, side), g.constant(1.0), g.constant(0, np.uint8))
    g.output(g.op("Transpose", x, perm=[0, 2, 3, 1]), "pixels", [1, "small_h", "small_w", 3], TensorProto.UINT8)
    return g.model(named=True)


def quality(net: Lic1, patches: Tensor, heads: dict[int, Array]) -> str:
    """Return the PSNR in dB of the drafts against the averaged full decode, at five levels; of the averaged linear path in brackets."""
    lines = []
    for level in (0, LEVEL_MAX // 4, LEVEL_MAX // 2, 3 * LEVEL_MAX // 4, LEVEL_MAX):
        field = torch.full((1, 1, 16, 16), float(level))
        errors: dict[int, list[tuple[float, float]]] = {s: [] for s in SCALES}
        for patch in patches:
            picture, y = full_and_draft(net, patch.permute(2, 0, 1)[None].float() / 255, field)
            for s in SCALES:
                wanted, known = targets(picture, s), features(y)
                plain = known[:, : net.sizes.m] @ torch.from_numpy(averaged(net, s).T) + 0.5
                found = (known @ torch.from_numpy(heads[s]), plain)
                mse = [float(((v.clamp(0, 1) - wanted) ** 2).mean()) for v in found]
                errors[s].append((mse[0], mse[1]))
        db = {s: -10 * np.log10(np.mean(errors[s], 0)) for s in SCALES}
        lines.append(f"level {level:4}: " + ", ".join(f"1/{s} {db[s][0]:.1f} ({db[s][1]:.1f})" for s in SCALES))
    return "\n".join(lines)


def networks(net: Lic1, heads: dict[int, Array]) -> dict[str, Network]:
    """Return the graphs of drafts by role, the heads with these weights."""
    made = {"draft_means": draft_means(net)} | {f"draft_{s}": head(net, s, heads[s]) for s in SCALES}
    return {role: Network(graph, "decoder") for role, graph in made.items()}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("weights", type=Path)
    p.add_argument("patches", type=Path)
    p.add_argument("--id", type=int, required=True, help="a model that is in the manifest")
    p.add_argument("--out", type=Path, default=ONNX_MODELS)
    p.add_argument("--samples", type=int, default=240, help="training patches that the heads are fitted to")
    a = p.parse_args()
    net = load(a.weights)
    data = Patches(a.patches)
    heads = fit(net, data.some(a.samples))
    add_extras(a.out, a.id, networks(net, heads))
    print(quality(net, data.validation()[:12], heads))


if __name__ == "__main__":
    main()
