r"""`restored`: after Cavigelli, Hager and Benini, "CAS-CNN" (IJCNN 2017, arXiv 1611.07233): a network that undoes what JPEG did.

    x ─▶ features at 1/8 and 1/16 (common/restoring.py) ─┬─▶ a quarter of the picture (only while it learns)
    │                                                    ├─▶ coefficients of each block, in expected errors ─▶ x' = x + DCT^-1
    └──────────────── windows of 8x8 of x' ── + ◀────────┘
                                              └─ blocks at 1/4 ─▶ x'' = x' + pixels

The paper's idea: twelve convolutions at full, half and quarter resolution, with skips between the levels, and an output at each
level whose error the loss counts. Kept: levels with skips, outputs at three of them in the loss, the squared error, no normalisation.

Changed, and why:
- One network for every quality and for tables of any shape; the paper trains one for each quality.
- What is heavy runs on the JPEG's own grid of blocks, on their coefficients in steps and on windows around them, where a
  multiply-add finds most: hours of training on a processor, not days on a GPU.
- Corrections are counted in the error that the tables make expect, so that the network begins as "no change" at every quality.
- Colours are restored too.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.restored train PATCHES_FOLDER RUN_FOLDER --minutes 28 --lr 3e-3 --warm-up 20 \
        --batch 5 --crop 112 --decay-from 0.1 --every 200
    python -m onnx_models.recipes.restored export RUN_FOLDER/weights.pt --id 31
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor, nn

from pillow_lic.fileformat.limits import MAX_PIXELS

from .common import command, training
from .common.data import Patches
from .common.depthwise import Pointwise
from .common.export import Network, Release
from .common.graph import Graph
from .common.jpegs import Jpegs, batch_of
from .common.layers import blocks
from .common.restoring import (
    BLOCK,
    COEFFICIENTS,
    Features,
    Names,
    Trunk,
    Windows,
    block_layers,
    centred,
    pointwise_layer,
    rounded,
    to_rgb,
    trunk_layers,
    windows_layer,
)

WIDTH, LOW, FINE = 160, 192, 64
"""Features at 1/8, at 1/16 and at 1/4."""
DEPTH, FINE_DEPTH = (2, 2, 1), 2
QUARTER, CELL = 4, 4
"""The reduction of the coarsest output, and the pixels a side of a place at 1/4."""
SHARES = (0.3, 0.3, 1.0)
"""Weights of the outputs in the loss, the coarsest first."""
PLANES = (1.0, 0.25, 0.25)
"""Weights of the squared errors of Y, Cb and Cr in the loss."""
FAINT, CLEAR = 1.2, 2.0
"""Expected errors of luma, in levels, up to which a picture is left as it is and from which it is restored whole: those of qualities 96
and 92. Below, the error is near that of rounding to levels, of which the tables say nothing."""
FINE_STEPS, COARSE_STEPS = 3.0, 6.0
"""Expected errors of luma, in levels, up to which a drawing is left as it is and from which it is restored whole: those of qualities
86 and 58. Between edges a drawing is flat, and what JPEG adds at high quality is less than a network can tell from nothing."""
AROUND = 25
"""Blocks each way over which the share of flat ones is taken."""
PHOTOGRAPH, DRAWING = 0.005, 0.05
"""Shares of flat blocks, which have no coefficient but their mean, up to which a place counts as photograph and from which as drawing."""
ENLARGED = 0.3
"""Share of crops that are enlarged: patches were made smaller, and are sharper than the pictures of a camera as it saves them."""
JUDGED = (10, 20, 40, 60, 80)
"""Qualities that the log judges."""
CONSTANTS = {"scale": 1, "window": 1024, "margin": 144, "align": 16, "tile_pixels": MAX_PIXELS}
"""The constants of the family. No pixel has a part in one farther away than the margin."""


class Guesses(NamedTuple):
    """What the network says of a JPEG before its last layer.

    seen: what the trunk finds. quarter, change: what to add to a quarter of it (B,3,H/4,W/4), and to all of it. fine: features at 1/4.
    """

    seen: Features
    quarter: Tensor
    change: Tensor
    fine: Tensor


class Restored(nn.Module):
    def __init__(self, cell: int = CELL) -> None:
        """cell: pixels a side that a place at 1/4 gives."""
        super().__init__()
        self.cell = cell
        self.trunk = Trunk(WIDTH, LOW, DEPTH)
        self.leave_quarter, self.leave = Pointwise(LOW, 3 * QUARTER**2), Pointwise(WIDTH, 3 * COEFFICIENTS)
        self.up, self.windows = Pointwise(WIDTH, 4 * FINE), Windows(CELL, FINE)
        self.fine, self.leave_fine = blocks(FINE, FINE_DEPTH, 5), Pointwise(FINE, 3 * cell**2)
        for last in (self.leave_quarter, self.leave, self.leave_fine):
            last.weight.data.mul_(0.1)
            last.bias.data.zero_()  # type: ignore[union-attr]

    def guesses(self, x: Tensor, steps: Tensor, halved: Tensor) -> Guesses:
        """Y, Cb, Cr (B,3,H,W) around 0, H and W multiples of 16 -> all but the last layer."""
        f = self.trunk(x, steps, halved)
        quarter = F.pixel_shuffle(self.leave_quarter(f.pairs).float(), QUARTER) * f.scale
        coefficients = self.leave(f.blocks).float().unflatten(1, (3, COEFFICIENTS)).flatten(3)
        with torch.autocast("cpu", enabled=False):
            pixels = torch.einsum("fp,bcfn->bcpn", self.trunk.dct, coefficients * f.units[:, [0, 1, 1], :, None])
        rows, columns = f.blocks.shape[2:]
        change = F.pixel_shuffle(pixels.reshape(len(x), -1, rows, columns), BLOCK)
        fine = self.windows((x + change) / f.scale) + F.pixel_shuffle(self.up(f.blocks), BLOCK // CELL)
        return Guesses(f, quarter, change, self.fine(fine))

    def detail(self, g: Guesses) -> Tensor:
        """Return the last layer, (B,3,h,w), `cell` pixels a side for each place at 1/4."""
        return F.pixel_shuffle(self.leave_fine(g.fine).float(), self.cell) * g.seen.scale

    def forward(self, x: Tensor, steps: Tensor, halved: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Y, Cb, Cr (B,3,H,W) around 0, H and W multiples of 16 -> what to add: to a quarter of it, and twice to all of it."""
        g = self.guesses(x, steps, halved)
        used = strength(g.seen).repeat_interleave(BLOCK, 2).repeat_interleave(BLOCK, 3)
        return g.quarter, g.change, used * (g.change + self.detail(g))


def strength(f: Features) -> Tensor:
    """Return how much of the correction is used, 0..1, of every block (B,1,h,w): none at the finest tables, nor at fine ones in drawings."""
    used = f.symbols[:, 1:].abs().round().clamp(0, 1).sum(1, keepdim=True).clamp(0, 1)
    flat = F.avg_pool2d(1 - used, AROUND, 1, AROUND // 2, count_include_pad=False)
    scale = f.scale[:, :1]
    drawn = ((flat - PHOTOGRAPH) / (DRAWING - PHOTOGRAPH)).clamp(0, 1)
    fine = ((COARSE_STEPS - scale) / (COARSE_STEPS - FINE_STEPS)).clamp(0, 1)
    return ((scale - FAINT) / (CLEAR - FAINT)).clamp(0, 1) * (1 - drawn * fine)


def strength_layers(g: Graph, f: Names) -> str:
    """Write `strength`, as one value for every pixel."""
    counted = np.ones((1, COEFFICIENTS, 1, 1), np.float32)
    counted[0, 0] = 0
    used = g.clip(g.conv(g.clip(g.op("Round", g.op("Abs", f.symbols)), 0.0, 1.0), counted), 0.0, 1.0)
    blocks_around = {"kernel_shape": [AROUND] * 2, "strides": [1, 1], "pads": [AROUND // 2] * 4}
    flat = g.op("Sub", g.constant(1.0), g.op("AveragePool", used, **blocks_around, count_include_pad=0))
    scale = g.slice(f.scale, [0], [1], [1], [1])

    def between(x: str, low: float, high: float) -> str:
        return g.clip(g.op("Mul", g.op("Sub", x, g.constant(low)), g.constant(1 / (high - low))), 0.0, 1.0)

    drawn = g.op("Mul", between(flat, PHOTOGRAPH, DRAWING), between(scale, COARSE_STEPS, FINE_STEPS))
    whole = g.op("Mul", between(scale, FAINT, CLEAR), g.op("Sub", g.constant(1.0), drawn))
    return g.enlarged(whole, BLOCK)


def outputs(net: Restored, originals: Tensor, jpegs: Jpegs) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Return what JPEG took from the originals, (B,3,H,W) of Y, Cb and Cr, and the network's guesses of it."""
    x = centred(jpegs.pixels)
    return centred(originals) - x, net(x, jpegs.steps, jpegs.halved)


def loss_of(net: Restored, originals: Tensor, jpegs: Jpegs) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of a batch, and the dB gained in luma and in chroma.

    The squared error of a picture is divided by the mean of two errors: that of its JPEG, and that which the tables make expect.
    """
    lost, guesses = outputs(net, originals, jpegs)
    planes = torch.tensor(PLANES)
    expected = net.trunk.units(jpegs.steps).detach().square().mean(2)[:, [0, 1, 1]]
    before = lost.square().mean((2, 3))
    weight = 2 / ((before + expected) * planes).sum(1)
    loss = torch.zeros(())
    for share, guess in zip(SHARES, guesses, strict=True):
        error = (F.avg_pool2d(lost, lost.shape[2] // guess.shape[2]) - guess).square().mean((2, 3))
        loss = loss + share * ((error * planes).sum(1) * weight).mean()
    after = (lost - guesses[-1]).detach().square().mean((2, 3))
    gain = 10 * torch.log10(before.clamp_min(0.05) / after.clamp_min(0.05)).mean(0)
    return loss, {"luma": gain[0].item(), "chroma": gain[1:].mean().item()}


@torch.no_grad()
def judgement(net: Restored, pictures: Tensor) -> str:
    """Return the mean and the least dB gained in luma at five qualities, of pictures (N,H,W,3) uint8, as the log says it."""
    rows, rng = [], np.random.default_rng(0)
    for quality in JUDGED:
        gains = []
        for some in pictures.split(16):
            lost, guesses = outputs(net, *batch_of(some, rng, [quality] * len(some)))
            before, after = (v[:, 0].square().mean((1, 2)) for v in (lost, lost - guesses[-1]))
            gains.append(10 * torch.log10(before / after))
        found = torch.cat(gains)
        rows.append(f"{found.mean():.3f}/{found.min():.2f}")
    return f"  validation {' '.join(rows)}"


def restore_layers(g: Graph, net: Restored) -> tuple[Names, str, str]:
    """Write all of the network, and its inputs; return the parts of the trunk, the change of all of the picture, and the detail."""
    f = trunk_layers(g, net.trunk)
    luma, chroma = (g.slice(f.units, [i * COEFFICIENTS], [(i + 1) * COEFFICIENTS], [1], [1]) for i in range(2))
    coefficients = g.op("Mul", pointwise_layer(g, f.blocks, net.leave), g.op("Concat", luma, chroma, chroma, axis=1))
    basis = np.tile(net.trunk.basis(), (3, 1, 1, 1))
    change = g.op(
        "ConvTranspose",
        coefficients,
        g.constant(basis),
        kernel_shape=[BLOCK] * 2,
        strides=[BLOCK] * 2,
        group=3,
    )
    seen = g.op("Div", g.op("Add", f.ycc, change), f.scale)
    fine = g.op(
        "Add",
        windows_layer(g, seen, net.windows),
        g.shuffle(pointwise_layer(g, f.blocks, net.up), BLOCK // CELL),
    )
    detail = g.shuffle(pointwise_layer(g, block_layers(g, fine, net.fine), net.leave_fine), net.cell)
    return f, change, g.op("Mul", detail, f.scale)


def restore_graph(net: Restored) -> onnx.ModelProto:
    """Pixels (H,W,3) uint8 of a JPEG, H and W multiples of 16; steps (1,128,1,1), halved (1,2,1,1) -> shown (1,H,W,3) uint8."""
    g = Graph("restore", in_bytes=True)
    f, change, detail = restore_layers(g, net)
    used = strength_layers(g, f)
    shown = g.op("Add", f.rgb, to_rgb(g, g.op("Mul", g.op("Add", change, detail), used)))
    g.output(rounded(g, shown), "shown", [1, "height", "width", 3], TensorProto.UINT8)
    return g.model(named=True)


def export(a: argparse.Namespace) -> None:
    """Write the graph and the entry of the manifest."""
    net = Restored().eval()
    net.load_state_dict(training.weights(a.weights))
    release = Release(a.out, a.id, "restored", "restored", CONSTANTS)
    release.enter(release.networks({"restore": Network(restore_graph(net), "decoder")}))


def train(a: argparse.Namespace) -> None:
    """Train, or go on with a run that was cut."""
    torch.manual_seed(0)
    net, data = Restored(), Patches(a.patches, ENLARGED)

    def batch(rng: np.random.Generator, _: float) -> tuple[Tensor, dict[str, float]]:
        return loss_of(net, *batch_of(data.batch(a.batch, a.crop, rng), rng, power=a.power))

    training.loop(
        net,
        ("log_",),
        a,
        lambda: net.trunk.start(data),
        batch,
        lambda average: judgement(average, data.validation()),
    )


def add_words(parser: argparse.ArgumentParser) -> None:
    """Set what `train` has beside the words of every recipe; its learning rate rises in 20 steps."""
    parser.set_defaults(warm_up=20)
    parser.add_argument(
        "--power", type=float, default=1.0, help="above 1 low qualities are drawn more often (common/jpegs.py)"
    )


if __name__ == "__main__":
    command.run(__doc__, train, export, add_words, counts=False)
