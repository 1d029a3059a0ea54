"""`li2018`: Li, Zuo, Gu, Zhao and Zhang, "Learning Convolutional Networks for Content-weighted Image Compression" (CVPR 2018).

    x ──analysis──▶ c ──encoder──▶ e ──binariser──▶ n codes ──mask: the first depth of them──▶ u ──decoder──▶ c_hat ──synthesis──▶ x_hat
            └──importance map p in 0..1, 16 levels──▶ depth = round(p * n(level))

The paper's ideas: a code of bits, whose rounding passes the gradient of a proxy; and a map, learnt with it, that says how many of
them each place needs. The sum of the map stands for the rate, so no entropy has to be estimated while it learns. What is coded is
coded in contexts afterwards.

Kept: the binariser and its proxy, the map of 16 levels that masks the code, its gradient spread over three levels, the sum of the
map as rate, 1/8 of the resolution. (arXiv 1703.10553, sections 3.1 to 3.3.)
Changed, and why:
- One model for all rates: n(level) of the 160 codes may be used. The paper's are one for each rate.
- Squared error; the paper adds its own term for textures at its lowest rates.
- Blocks of 1x1 and depthwise 5x5 convolutions instead of two of 3x3: a sixth of the work.
- It begins as thresholds of block PCA (`common/thresholds.py`): minutes of training instead of days.
- Codes are coded in contexts of their neighbours that adapt, not by a network: nothing a file depends on is computed in floating point.

    python -m onnx_models.recipes.li2018 train PATCHES_FOLDER RUN_FOLDER --minutes 12
    python -m onnx_models.recipes.li2018 export RUN_FOLDER/weights.pt PATCHES_FOLDER --id 22

`--flat 0.45` trains without a map: everywhere round(0.45 * n(level)) codes.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import onnx
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pillow_lic.engine import bits
from pillow_lic.families import li2018 as family

from .common import blockwise, command, contexts, thresholds, training
from .common.data import Patches
from .common.depthwise import Depthwise, Pointwise, in_full
from .common.exact import straight_through
from .common.export import Network, Release
from .common.gains import hats
from .common.graph import Graph, numpy
from .common.layer_graphs import conv
from .common.levels import ANCHORS, LEVEL_MAX, SPACING
from .common.levels import hats as hats_of

COEFFICIENTS, WIDTH, BLOCKS = 96, 128, 3
CODES, MAP_LEVELS = 160, 16
CODES_AT = (16, 21, 28, 38, 51, 67, 90, 120, 160)
"""Codes that may be used at each anchor of the level."""
HIDDEN_ENCODER, HIDDEN_DECODER, HIDDEN_MAP = 512, 1024, 64
UNIT = 16 / 255
"""What the coefficients are counted in."""
COST = 0.5
"""Bits that a code is taken to cost: what is coded in contexts takes about half of a bit."""
LAMBDA_MIN, LAMBDA_MAX = 0.0012, 0.06
"""Weight of the squared error of 8-bit levels against bits per pixel, at levels 0 and 1024."""
FAST = ("analysis", "synthesis", "decoder", "depth")
"""Parameters that learn four times as fast: all but the layers of thresholds, whose sums of large terms cancel."""
CONSTANTS = {
    "codes_at": list(CODES_AT),
    "stride": blockwise.SIZE,
    "align": blockwise.SIZE,
    "margin": 32,
    "tile_edge": 2048,
    "tile_pixels": 4194304,
    "level_spacing": SPACING,
}
"""The constants of the family but for `chains` and `classes`."""
Bits = npt.NDArray[np.uint8]
Depths = npt.NDArray[np.int64]


class Binarise(torch.autograd.Function):
    """B(v) = 1 for v > 0.5, else 0; its gradient is that of the proxy min(max(v, 0), 1) (section 3.2)."""

    @staticmethod
    def forward(ctx, v):  # type: ignore[no-untyped-def]
        ctx.save_for_backward((v >= 0) & (v <= 1))
        return (v > 0.5).to(v.dtype)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        (inside,) = ctx.saved_tensors
        return grad * inside


def binarise(v: Tensor) -> Tensor:
    """Return `Binarise` of v."""
    b: Tensor = Binarise.apply(v)  # type: ignore[no-untyped-call]
    return b


def codes_at(level: Tensor) -> Tensor:
    """Return n(level), the number of codes that may be used at whole levels 0..1024 (B,): interpolated, rounded half up."""
    share = hats_of(level.view(-1, 1, 1, 1))[..., 0, 0]
    return torch.floor(share @ torch.tensor(CODES_AT, dtype=share.dtype) / SPACING + 0.5)


def mask_of(p: Tensor, n: Tensor) -> Tensor:
    """Return the mask (B,CODES,h,w) of a map p (B,1,h,w) in 0..1 at n codes (B,): 1 for the codes below round(p' n), p' of 16 levels.

    Its gradient is that of a slope from 0 to 1 over three levels of the map (section 3.3).
    """
    n, k = n.view(-1, 1, 1, 1), torch.arange(CODES).view(1, -1, 1, 1)
    depth = torch.floor(torch.round(p * (MAP_LEVELS - 1)) / (MAP_LEVELS - 1) * n + 0.5)
    around = (3 * n / (MAP_LEVELS - 1)).clamp_min(1)
    return straight_through((k < depth).float(), ((p * n - k - 0.5) / around + 0.5).clamp(0, 1))


class Depth(nn.Module):
    """Coefficients (B,K,h,w), trunk (B,C,h,w), levels (B,) -> the map p (B,1,h,w) in 0..1."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.trunk = Pointwise(COEFFICIENTS, HIDDEN_MAP), Pointwise(WIDTH, HIDDEN_MAP)
        self.around, self.leave = Depthwise(HIDDEN_MAP, 5), Pointwise(HIDDEN_MAP, 1)
        self.bias = nn.Parameter(torch.zeros(ANCHORS, 1))

    def begin(self, c: Tensor) -> None:
        """Begin as a rising function of the magnitudes of the strongest coefficients, of which c (N,K) are some."""
        half = HIDDEN_MAP // 2
        for v in (self.enter.weight, self.enter.bias, self.trunk.bias, self.around.weight, self.around.bias):
            assert v is not None
            nn.init.zeros_(v)
        blockwise.quieten(self.trunk)
        scale = c[:, 1 : half + 1].abs().mean(0)
        for i in range(half):
            self.enter.weight.data[i, i + 1], self.enter.weight.data[half + i, i + 1] = 1 / scale[i], -1 / scale[i]
        self.around.weight.data[:] = 0.02
        self.around.weight.data[:, :, 2, 2] = 0.52
        self.leave.weight.data[:] = 1.2 / half
        assert self.leave.bias is not None
        self.leave.bias.data[:] = -0.8

    def forward(self, c: Tensor, trunk: Tensor, level: Tensor) -> Tensor:
        share = hats_of(level.view(-1, 1, 1, 1)) / SPACING
        bias = (share.flatten(2) * self.bias).sum(1)[..., None, None]
        h = F.relu(self.enter(c) + self.trunk(trunk))
        return torch.sigmoid(self.leave(F.relu(self.around(h))).float() + bias)


class Li2018(training.Codec):
    def __init__(self, flat: float | None = None) -> None:
        """flat: this share of the codes everywhere, and no map."""
        super().__init__()
        self.flat = flat
        self.analysis = blockwise.Analysis(COEFFICIENTS, WIDTH, BLOCKS)
        self.synthesis = blockwise.Synthesis(COEFFICIENTS, WIDTH, BLOCKS)
        self.direct = Pointwise(COEFFICIENTS, CODES)
        self.encoder = nn.ModuleList([Pointwise(COEFFICIENTS, HIDDEN_ENCODER), Pointwise(HIDDEN_ENCODER, CODES)])
        self.decoder = nn.ModuleList([Pointwise(CODES, HIDDEN_DECODER), Pointwise(HIDDEN_DECODER, COEFFICIENTS)])
        self.depth = Depth()
        self.coefficient: Tensor
        self.register_buffer("coefficient", torch.zeros(CODES, dtype=torch.int64))

    @staticmethod
    def lambdas(level: Tensor) -> Tensor:
        """Return the weight of the squared error at levels 0..1024, log-spaced."""
        return LAMBDA_MIN * torch.exp(level * (math.log(LAMBDA_MAX / LAMBDA_MIN) / LEVEL_MAX))

    def coded(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """X (B,3,H,W) in 0..1, levels (B,) -> e (B,CODES,h,w), of which those above 0 are ones, and the map p (B,1,h,w)."""
        trunk, c = self.analysis(x - 0.5)
        with in_full(c):
            e = self.direct(c) + self.encoder[1](F.relu(self.encoder[0](c)))
        p = self.depth(c, trunk, level) if self.flat is None else torch.full_like(c[:, :1], self.flat)
        return e, p

    def picture(self, u: Tensor) -> Tensor:
        """Codes u (B,CODES,h,w), 1 or -1, 0 where they are masked -> x_hat."""
        x_hat: Tensor = self.synthesis(self.decoder[1](F.relu(self.decoder[0](u))).float()) + 0.5
        return x_hat

    def forward(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """X (B,3,H,W), levels (B,) -> x_hat, bits (B,) by the sum of the map."""
        e, p = self.coded(x, level)
        n = codes_at(level)
        if self.flat is None:
            mask = mask_of(p, n)
        else:
            mask = (torch.arange(CODES).view(1, -1, 1, 1) < torch.round(self.flat * n).view(-1, 1, 1, 1)).float()
        u = mask * (2 * binarise(torch.sigmoid(e)) - 1)
        used = p.mean((1, 2, 3)) * n if self.training else mask.sum(1).mean((1, 2))
        return self.picture(u), COST * used * (p.shape[2] * p.shape[3])

    @torch.no_grad()
    def start(self, patches: Patches) -> None:
        """Begin as thresholds of the principal components of blocks of 8x8."""
        some = patches.some(1500)
        blockwise.begin(self.analysis, self.synthesis, blockwise.principal(some), UNIT)
        found = []
        for patch in some[::6]:
            x = torch.from_numpy(patch.copy()).permute(2, 0, 1)[None].float() / 255 - 0.5
            c = F.conv2d(x, self.analysis.linear.weight, stride=blockwise.SIZE)[0].flatten(1).T
            found.append(c[:: len(c) // 100])
        c = torch.cat(found)
        # A few blocks hold most of the squared error: each counts by its own power, so that the others have a say.
        weights = 1 / ((c[:, 1:].double() ** 2).sum(1) / 192 + 1.5)
        self.coefficient[:] = torch.tensor(
            thresholds.begin(
                c.double().numpy(),
                (weights / weights.mean()).numpy(),
                self.direct,
                (self.encoder[0], self.encoder[1]),  # type: ignore[arg-type]
                (self.decoder[0], self.decoder[1]),  # type: ignore[arg-type]
            )
        )
        self.depth.begin(c)


def analysis_graph(net: Li2018) -> onnx.ModelProto:
    """Pixels (H,W,3) uint8, H and W multiples of 8; level (1,1,1,1) -> codes e (1,CODES,h,w), need (1,1,h,w): the map before its sigmoid."""
    g, d = Graph("analysis"), net.depth
    trunk, c = blockwise.analysis_graph(g, blockwise.pixels_graph(g), net.analysis)
    h = conv(g, g.op("Relu", conv(g, c, net.encoder[0])), net.encoder[1])
    codes = g.op("Add", conv(g, c, net.direct), h)
    hat = g.op("Mul", hats(g, g.input("level", [1, 1, 1, 1])), g.constant(1 / SPACING))
    bias = g.op("Conv", hat, g.constant(numpy(d.bias).T[:, :, None, None]), kernel_shape=[1, 1])
    h = g.op("Relu", g.op("Add", conv(g, c, d.enter), conv(g, trunk, d.trunk)))
    need = g.op("Add", conv(g, g.op("Relu", conv(g, h, d.around)), d.leave), bias)
    g.output(codes, "codes", [1, CODES, "h8", "w8"])
    g.output(need, "need", [1, 1, "h8", "w8"])
    return g.model()


def synthesis_graph(net: Li2018) -> onnx.ModelProto:
    """Codes (1,CODES,h,w) float32, 1, -1 or 0 -> pixels (1,8h,8w,3) uint8."""
    g = Graph("synthesis")
    u = g.input("codes", [1, CODES, "h8", "w8"])
    c = conv(g, g.op("Relu", conv(g, u, net.decoder[0])), net.decoder[1])
    blockwise.synthesis_graph(g, c, net.synthesis)
    return g.model()


@torch.no_grad()
def samples(net: Li2018, patches: Iterable[npt.NDArray[np.uint8]]) -> Iterator[tuple[Bits, Depths, int]]:
    """Yield the bits (CODES,h,w) of patches (h,w,3), 16 levels of the map (h,w), and a level, which runs through the scale."""
    for number, patch in enumerate(patches):
        level = 97 * number % (LEVEL_MAX + 1)
        x = torch.from_numpy(patch.copy()).permute(2, 0, 1)[
            None, :, : patch.shape[0] // 8 * 8, : patch.shape[1] // 8 * 8
        ]
        e, p = net.coded(x.float() / 255, torch.tensor([float(level)]))
        yield (e[0] > 0).numpy().astype(np.uint8), (p[0, 0] * (MAP_LEVELS - 1)).round().numpy().astype(np.int64), level


def classes_of(chains: list[int], ones: npt.NDArray[np.float64]) -> list[int]:
    """Return the class of every code by its place in its chain, first or later, and by how often it is 1, (CODES,): 0, 1; 2, 3, 4."""
    result = np.zeros(len(chains), np.int64)
    first = np.array([k == chains.index(chain) for k, chain in enumerate(chains)])
    for some, lowest, count in ((first, 0, 2), (~first, 2, 3)):
        members = np.flatnonzero(some)
        order = np.argsort(ones[members], kind="stable")
        result[members[order]] = lowest + np.arange(len(members)) * count // len(members)
    return [int(v) for v in result]


def export(a: argparse.Namespace) -> None:
    """Write graphs, start values and the entry of the manifest."""
    net = Li2018().eval()
    net.load_state_dict(training.weights(a.weights))
    found = list(samples(net, Patches(a.patches).some(a.samples)))
    order = net.coefficient.tolist()
    chains = [sorted(set(order)).index(one) for one in order]
    ones = np.mean([codes.mean((1, 2)) for codes, _, _ in found], 0)
    constants = CONSTANTS | {"chains": chains, "classes": classes_of(chains, ones)}
    release = Release(a.out, a.id, "li2018", "li2018", constants)
    files = release.networks(
        {"analysis": Network(analysis_graph(net), "encoder"), "synthesis": Network(synthesis_graph(net), "decoder")}
    )
    counts = np.zeros((bits.CLASSES * bits.CONTEXTS_OF_A_CLASS, 2))
    model = release.model(files)
    for codes, need, level in found:
        for planes, classes, mask in family.parts(model, codes, need, level):
            contexts.count(planes, classes, mask, counts)
    release.enter(files | {"starts": release.data("starts.bin", contexts.stored(counts))})


def train(a: argparse.Namespace) -> None:
    """Train, or go on with a run that was cut."""
    torch.manual_seed(0)
    training.train(Li2018(a.flat), FAST, a)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what `train` knows beside the words of every recipe."""
    parser.add_argument("--flat", type=float, help="share of the codes that is used everywhere, without a map")


if __name__ == "__main__":
    command.run(__doc__, train, export, add_words)
