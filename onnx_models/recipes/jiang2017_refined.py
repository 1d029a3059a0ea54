r"""`jiang2017`, number 36: the networks of number 21 (recipes/jiang2017.py), which rest, and one more behind them.

    x ─ComCNN─▶ half size ─JPEG of even tables─▶ half size ─RecCNN─▶ x' ─refine─▶ x_hat

`refine` belongs to RecCNN: it learns from pictures that came through all that is before it. The tables of the JPEG are more even than the
standard's (pillow_lic/families/wrapped/even.py), which number 21 learned with. What `refine` computes:

    coefficients of a block in steps ─blocks at 1/8─▶ change of the small picture ─bicubic─▶ + what RecCNN shows
                                          └─────────▶ features of every place ─┐               │
    small picture less the shown one made small ───────────────────────────────┴─ + ─◀─ windows of 4x4
                                                                                  └─blocks at the small size─▶ + four pixels each

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.jiang2017_refined train PATCHES_FOLDER RUN_FOLDER --minutes 38 --lr 2e-3 \
        --warm-up 20 --batch 5 --crop 192 --decay-from 0.1 --every 25
    python -m onnx_models.recipes.jiang2017_refined export RUN_FOLDER/weights.pt --id 36

The weights of number 21 are those beside this file.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto
from PIL import Image
from torch import Tensor, nn

from pillow_lic.families.wrapped.even import EVEN, FINER, evened

from . import jiang2017
from .common import command, training
from .common.data import Patches
from .common.depthwise import Pointwise
from .common.export import Network, Release
from .common.graph import Graph, numpy
from .common.jpegs import coded, standard
from .common.layers import blocks
from .common.resizing import SCALE, enlarged, enlarged_layers
from .common.restoring import (
    BLOCK,
    COEFFICIENTS,
    Trunk,
    Windows,
    block_layers,
    centred,
    dct,
    exact_conv,
    levels_layers,
    pointwise_layer,
    pointwise_rows,
    rounded,
    to_rgb,
    units_layers,
    windows_layer,
)
from .jiang2017 import Jiang2017, compact
from .restored import PLANES

FIRST = Path(__file__).with_name("jiang2017.pt")
WIDTH, DEPTH = 128, 2
"""Features at 1/8 of the small picture, and blocks."""
FINE, FINE_DEPTH = 32, 4
"""Features at the small size, and blocks."""
GIVEN = 8
"""Features that a block gives each of its places."""
CLIPPED = 2.5
"""Steps beyond which a coefficient is no more told apart."""
ENLARGED = 0.6
"""Share of crops that are enlarged: patches were made smaller, and are sharper than the pictures of a camera as it saves them."""
EVENS, CHROMA, CHROMA_FINER = (0.6, 1.0), (0.0, 1.0), (-0.8, 0.0)
"""How even the tables are in training: luma, chroma; and the logarithm of the factor of chroma's steps where they are EVEN."""
LOWEST, SPAN, POWER = 8, 80, 1.3
"""Qualities in training are LOWEST + SPAN u^POWER, u in 0..1."""
JUDGED = (20, 35, 50, 70)
"""Qualities that the log judges."""
CONSTANTS = jiang2017.CONSTANTS | {"margin": 176}
"""The constants of the family; as those of number 21, with what `refine` sees around."""

Tables = npt.NDArray[np.float64]


class Refine(nn.Module):
    """What the first network shows (B,3,2h,2w), the small picture (B,3,h,w), both of Y, Cb and Cr around 0 -> a better one."""

    def __init__(self) -> None:
        super().__init__()
        self.dct: Tensor
        self.register_buffer("dct", dct(), persistent=False)
        self.coefficients, self.told = Pointwise(COEFFICIENTS, WIDTH), Pointwise(COEFFICIENTS, 2 * WIDTH)
        self.trunk = blocks(WIDTH, DEPTH, 5)
        self.leave_blocks = Pointwise(WIDTH, COEFFICIENTS)
        self.up, self.spread = Pointwise(WIDTH, BLOCK**2 * GIVEN), Pointwise(GIVEN, FINE)
        self.windows, self.inner = Windows(SCALE, FINE), Pointwise(3, FINE)
        self.body, self.leave = blocks(FINE, FINE_DEPTH, 5), Pointwise(FINE, 3 * SCALE**2)
        for layer, size in ((self.leave, 0.05), (self.leave_blocks, 0.05), (self.told, 0.1)):
            layer.weight.data.mul_(size)
            layer.bias.data.zero_()  # type: ignore[union-attr]

    def forward(self, shown: Tensor, inner: Tensor, scale: Tensor, steps: Tensor) -> Tensor:
        """Return it; scale (B,3,1,1): the deviations expected of pixels; steps (B,64): of luma; h and w are multiples of 8."""
        luma = torch.einsum("fp,bphw->bfhw", self.dct, F.pixel_unshuffle(inner[:, :1], BLOCK))
        symbols = (luma / steps[:, :, None, None]).clamp(-CLIPPED, CLIPPED)
        factor, offset = self.told((steps.log() / 2 - 1)[:, :, None, None]).chunk(2, 1)
        t = self.trunk(self.coefficients(symbols) * (1 + factor) + offset)
        change = torch.einsum("fp,bfhw->bphw", self.dct, self.leave_blocks(t))
        lighter = enlarged(F.pixel_shuffle(change, BLOCK) * scale[:, :1])
        base = torch.cat([shown[:, :1] + lighter, shown[:, 1:]], 1)
        f = self.windows(base / scale) + self.inner((inner - F.avg_pool2d(shown, SCALE)) / scale)
        f = f + self.spread(F.pixel_shuffle(self.up(t), BLOCK))
        return base + F.pixel_shuffle(self.leave(self.body(f)), SCALE) * scale


class Seen(NamedTuple):
    """What `refine` sees of a batch: arguments of its `forward`."""

    shown: Tensor
    inner: Tensor
    scale: Tensor
    steps: Tensor


def first() -> Jiang2017:
    """Return the networks of number 21."""
    net = Jiang2017()
    net.load_state_dict(training.weights(FIRST))
    return net.eval().requires_grad_(False)


def tables(quality: int, even: float, chroma: float, finer: float) -> Tables:
    """Return tables (2, 64) that are more even than those of a quality, as `evened` makes them, and others around these.

    even, chroma: 0 as they are, 1 quite even. finer: logarithm of the factor of chroma's steps where it is EVEN.
    """
    logs, how = np.log(standard(quality)), np.array([[even], [chroma]])
    factors = np.array([[np.log(FINER)], [finer]]) * how / EVEN
    return np.clip(np.rint(np.exp((1 - how) * logs + how * logs.mean(1, keepdims=True) + factors)), 1, 255)


@torch.no_grad()
def seen_of(net: Jiang2017, originals: Tensor, told: Tables) -> Seen:
    """Return what `refine` sees of originals (B,H,W,3) uint8; told (B,2,64): the tables."""
    small, steps = compact(net, originals).numpy(), torch.from_numpy(told).float()
    found = [coded(picture, some, halved=True)[0] for picture, some in zip(small, told, strict=True)]
    inner = centred(torch.from_numpy(np.stack(found)))
    scale = net.rec.trunk.units(steps).square().mean(2).sqrt()[:, [0, 1, 1], None, None]
    return Seen(net.rec(inner, steps, torch.ones(len(told), 2)), inner, scale, steps[:, 0])


def loss_of(net: Refine, originals: Tensor, seen: Seen) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of a batch: its squared error in parts of that of what the first networks show; and the dB gained over it in luma."""
    x, planes = centred(originals), torch.tensor(PLANES)
    after, before = ((shown - x).square().mean((2, 3)) for shown in (net(*seen), seen.shown))
    loss = ((after * planes).sum(1) / ((before + 2) * planes).sum(1)).mean()
    gain = 10 * torch.log10((before[:, 0] + 0.05) / (after.detach()[:, 0] + 0.05)).mean()
    return loss, {"gain": gain.item()}


def held_out(data: Patches) -> Tensor:
    """Return held-out patches (N,256,256,3): first soft ones, enlarged by 16/11, then as many as they are."""
    some = data.validation()[::3].numpy()
    soft = [
        np.asarray(Image.fromarray(p[40:216, 40:216]).resize((256, 256), Image.Resampling.LANCZOS)) for p in some[::2]
    ]
    return torch.from_numpy(np.concatenate([np.stack(soft), some[1::2][: len(soft)]]))


@torch.no_grad()
def judgement(net: Refine, resting: Jiang2017, pictures: Tensor) -> str:
    """Return the mean PSNR of luma, and the dB gained over the first networks, of `held_out` pictures."""
    rows = []
    for quality in JUDGED:
        found = []
        for some in pictures.split(9):
            told = np.stack([evened(standard(quality).astype(np.float32)).astype(np.float64)] * len(some))
            seen, x = seen_of(resting, some, told), centred(some)
            found.append(torch.stack([(shown - x)[:, 0].square().mean((1, 2)) for shown in (net(*seen), seen.shown)]))
        after, before = 10 * torch.log10(255**2 / torch.cat(found, 1))
        soft, sharp = (after - before).view(2, -1).mean(1).tolist()
        rows.append(f"{after.mean():.2f} soft{soft:+.3f} sharp{sharp:+.3f}")
    return f"  validation {' | '.join(rows)}"


def train(a: argparse.Namespace) -> None:
    """Train `refine`, or go on with a run that was cut."""
    torch.manual_seed(0)
    data, resting, net = Patches(a.patches, ENLARGED), first(), Refine()
    pictures = held_out(data)

    def batch(rng: np.random.Generator, _: float) -> tuple[Tensor, dict[str, float]]:
        originals = data.batch(a.batch, a.crop, rng)
        spread = [LOWEST + SPAN * ((i + rng.random()) / a.batch) ** POWER for i in range(a.batch)]
        told = np.stack(
            [tables(round(q), *(rng.uniform(*ends) for ends in (EVENS, CHROMA, CHROMA_FINER))) for q in spread]
        )
        return loss_of(net, originals, seen_of(resting, originals, told))

    training.loop(net, ("log_",), a, lambda: None, batch, lambda average: judgement(average, resting, pictures))


def refine_graph(net: Refine, trunk: Trunk) -> onnx.ModelProto:
    """Shown (2h,2w,3) uint8, pixels (h,w,3) uint8, h and w multiples of 8, steps (1,128,1,1) -> refined (1,2h,2w,3) uint8.

    trunk: of the first network, whose expected deviations are the scale.
    """
    g = Graph("refine", in_bytes=True)
    first = g.input("shown", ["height", "width", 3], TensorProto.UINT8)
    pixels = g.input("pixels", ["h2", "w2", 3], TensorProto.UINT8)
    steps = g.input("steps", [1, 2 * COEFFICIENTS, 1, 1])
    (rgb, shown), (_, inner) = levels_layers(g, first), levels_layers(g, pixels)
    _, scale = units_layers(g, trunk, steps)
    basis = numpy(net.dct).reshape(COEFFICIENTS, 1, BLOCK, BLOCK)
    luma_steps = g.slice(steps, [0], [COEFFICIENTS], [1], [1])
    luma = exact_conv(g, g.slice(inner, [0], [1], [1], [1]), basis, stride=BLOCK)
    symbols = g.clip(g.op("Div", luma, luma_steps), -CLIPPED, CLIPPED)
    logs = g.op("Sub", g.op("Mul", g.op("Log", luma_steps), g.constant(0.5)), g.constant(1.0))
    factor = pointwise_rows(g, logs, net.told, 0, WIDTH, offset=1.0)
    offset = pointwise_rows(g, logs, net.told, WIDTH, 2 * WIDTH)
    t = g.op("Add", g.op("Mul", pointwise_layer(g, symbols, net.coefficients), factor), offset)
    t = block_layers(g, t, net.trunk)
    change = g.op(
        "ConvTranspose",
        pointwise_layer(g, t, net.leave_blocks),
        g.constant(basis),
        kernel_shape=[BLOCK] * 2,
        strides=[BLOCK] * 2,
    )
    lighter = enlarged_layers(g, g.op("Mul", change, g.slice(scale, [0], [1], [1], [1])), 1)
    base = g.op(
        "Concat",
        g.op("Add", g.slice(shown, [0], [1], [1], [1]), lighter),
        g.slice(shown, [1], [3], [1], [1]),
        axis=1,
    )
    small = g.op("AveragePool", shown, kernel_shape=[SCALE] * 2, strides=[SCALE] * 2)
    f = g.op(
        "Add",
        windows_layer(g, g.op("Div", base, scale), net.windows),
        pointwise_layer(g, g.op("Div", g.op("Sub", inner, small), scale), net.inner),
    )
    f = g.op("Add", f, pointwise_layer(g, g.shuffle(pointwise_layer(g, t, net.up), BLOCK), net.spread))
    detail = g.op("Mul", g.shuffle(pointwise_layer(g, block_layers(g, f, net.body), net.leave), SCALE), scale)
    better = g.op("Add", g.op("Add", rgb, lighter), to_rgb(g, detail))
    g.output(rounded(g, better), "refined", [1, "height", "width", 3], TensorProto.UINT8)
    return g.model(named=True)


def export(a: argparse.Namespace) -> None:
    """Write the graph and the entry of the manifest; the networks of number 21 are named, not written again."""
    refine = Refine()
    refine.load_state_dict(training.weights(a.weights))
    release = Release(a.out, a.id, "jiang2017", "jiang2017", CONSTANTS)
    made = {"refine": Network(refine_graph(refine, first().rec.trunk), "decoder")}
    release.enter(release.shared(21, ("compact", "restore")) | release.networks(made))


if __name__ == "__main__":
    command.run(__doc__, train, export, counts=False)
