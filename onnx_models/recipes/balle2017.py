"""`balle2017`: Balle, Laparra and Simoncelli, "End-to-end optimized image compression" (ICLR 2017, arXiv 1611.01704).

    x ──conv 9x9 /4──GDN──conv 5x5 /2──GDN──conv 5x5 /2──▶ y,   q = round(y / step(level))      one stored table a channel codes q
    x_hat ◀──9x9 x4──IGDN──5x5 x2──IGDN──5x5 x2── q * step'(level)

The paper's idea: transforms are trained end to end for rate + lambda * distortion, with additive uniform noise in place of rounding so
that the rate has a slope, and divisive normalisation (GDN) instead of pointwise nonlinearities:

Kept: the three layers each way and their kernels and strides, GDN, squared error, no side information.
Changed, and why:
- 128 features and 256 latents (the paper: 192 of both, 256 at its two highest rates): two thirds of the work, and one model for all rates.
- Steps of the quantiser for each channel at nine levels, interpolated: one model instead of one for each lambda.
- A static integer table for each channel near each of the nine levels instead of an adaptive binary coder: nothing a file depends on
  is computed in floating point.
- Noise where the rate is estimated, rounding with a straight-through gradient where the picture is made (Minnen and Singh 2020).
- The transforms begin as a block PCA of three scales, GDN near the identity: hours of training instead of weeks.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.balle2017 train PATCHES_FOLDER RUN_FOLDER --minutes 105 --decay-from 0.2
    python -m onnx_models.recipes.balle2017 export RUN_FOLDER/weights.pt PATCHES_FOLDER --id 14
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor, nn

from .common import command, training
from .common.data import Patches
from .common.export import Network, Release
from .common.factorised import Prior, histograms, tables_of
from .common.gains import Gains, gain, hats
from .common.gdn import GDN, Kernel5, gdn, kernel5
from .common.graph import Graph, numpy
from .common.levels import ANCHORS, LEVEL_MAX, SPACING, nearest_anchor
from .common.pca import SmallerBlocks, in_quarters

FEATURES, LATENTS, STRIDE = 128, 256, 16
LAMBDA_MIN, LAMBDA_MAX = 0.0008, 0.08
"""Weight of the squared error of 8-bit levels against bits per pixel, at levels 0 and 1024."""
FAST = ("log_", "prior")
"""Parameters that learn four times as fast: logarithms and the prior."""
CONSTANTS = {
    "latents": LATENTS,
    "stride": STRIDE,
    "align": STRIDE,
    "margin": 16,
    "tile_edge": 2048,
    "tile_pixels": 4194304,
    "level_spacing": SPACING,
}
"""The constants of the family. A pixel depends on latents up to 28 pixels away, and those on pixels as far from them."""


class Kernel9(nn.Module):
    """9x9 convolution with a stride of 4 from pixels to FEATURES, or its transpose; it reaches 2 pixels before a block of 4x4 and 3 after it.

    Its weights (FEATURES, 3, 9, 9) are kept as a matrix. Computed as 3x3 over blocks of 4x4: with three channels alone it is slow.
    """

    def __init__(self, *, transposed: bool = False) -> None:
        super().__init__()
        self.transposed = transposed
        self.matrix = nn.Parameter(torch.randn(FEATURES, 243, 1, 1) * 0.005)
        self.bias = nn.Parameter(torch.zeros(3 if transposed else FEATURES))

    def weight(self) -> Tensor:
        return self.matrix.view(FEATURES, 3, 9, 9)

    def forward(self, x: Tensor) -> Tensor:
        blocks = F.pixel_unshuffle(F.pad(self.weight(), (2, 1, 2, 1)), 4)
        if self.transposed:
            return (
                F.pixel_shuffle(F.conv2d(x, blocks.transpose(0, 1).flip(2, 3), padding=1), 4) + self.bias[:, None, None]
            )
        return F.conv2d(F.pixel_unshuffle(x, 4), blocks, self.bias, padding=1)


def analysis() -> nn.Sequential:
    """Return x - 0.5 (B,3,H,W), H and W multiples of 16 -> y (B,LATENTS,H/16,W/16), not yet in steps."""
    return nn.Sequential(
        Kernel9(), GDN(FEATURES), Kernel5(FEATURES, FEATURES), GDN(FEATURES), Kernel5(FEATURES, LATENTS)
    )


def synthesis() -> nn.Sequential:
    """Return y_hat (B,LATENTS,h,w) -> x_hat - 0.5 (B,3,16h,16w), not clipped."""
    return nn.Sequential(
        Kernel5(FEATURES, LATENTS, transposed=True),
        GDN(FEATURES, inverse=True),
        Kernel5(FEATURES, FEATURES, transposed=True),
        GDN(FEATURES, inverse=True),
        Kernel9(transposed=True),
    )


class Balle2017(training.Codec):
    def __init__(self) -> None:
        super().__init__()
        self.analysis, self.synthesis, self.prior = analysis(), synthesis(), Prior(LATENTS)
        # High-rate theory for an orthonormal transform: step^2 = 18 / (ln 2 * lambda) in squared 8-bit levels.
        fine = 0.5 * torch.log(math.log(2) * 65025 / 18 * self.lambdas(torch.arange(ANCHORS) * float(SPACING)))
        self.encoder_gains, self.decoder_gains = Gains(fine, LATENTS), Gains(-fine, LATENTS)

    @staticmethod
    def lambdas(level: Tensor) -> Tensor:
        """Return the weight of the squared error at levels 0..1024, log-spaced."""
        return LAMBDA_MIN * torch.exp(level * (math.log(LAMBDA_MAX / LAMBDA_MIN) / LEVEL_MAX))

    def latents(self, x: Tensor, level: Tensor) -> Tensor:
        """X (B,3,H,W) in 0..1, levels (B,) -> y (B,LATENTS,h,w) in steps."""
        return self.analysis(x - 0.5).float() * self.encoder_gains(level)

    def picture(self, q: Tensor, level: Tensor) -> Tensor:
        """Integers q (B,LATENTS,h,w), levels (B,) -> x_hat."""
        return self.synthesis(q * self.decoder_gains(level)).float() + 0.5

    def forward(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """X (B,3,H,W), levels (B,) -> x_hat, bits (B,)."""
        coded, shown = self.quantised(self.latents(x, level))
        return self.picture(shown, level), self.prior.bits(coded, nearest_anchor(level)).sum((1, 2, 3))

    @torch.no_grad()
    def start(self, patches: Patches) -> None:
        """Begin as a linear transform: the strongest components of blocks of 16x16, by way of those of 8x8 and 4x4."""
        some = patches.some(1500)
        blocks = SmallerBlocks(some)
        fine, coarse, largest = (
            blocks.strongest(size, count) for size, count in ((4, 48), (8, FEATURES), (16, LATENTS))
        )
        down, up = self.analysis, self.synthesis[::-1]
        for k in (down[0], up[0]):
            k.weight()[:48] = F.pad(fine.view(48, 3, 4, 4), (2, 3, 2, 3))
        for layer, components, parts in ((2, coarse, fine), (4, largest, coarse)):
            quarters = in_quarters(components, parts)
            for k in (down[layer], up[layer]):
                for i, tap in enumerate((12, 13, 17, 18)):
                    k.taps[tap][:, : len(parts), 0, 0] = quarters[:, i]

        u = torch.stack([torch.from_numpy(p[:128, :128].copy()) for p in some[::25]]).permute(0, 3, 1, 2) / 255 - 0.5
        for number, layer in enumerate(down):
            if isinstance(layer, GDN):
                layer.start(u.square().mean((0, 2, 3)))
                up[number].start(u.square().mean((0, 2, 3)))
            u = layer(u)
        spread = torch.log(u.square().mean((0, 2, 3)).sqrt()) + self.encoder_gains.log_gain
        self.prior.log_scale[:] = (spread[:, None] + torch.tensor([[-1.6], [-0.8], [0.0]])).clamp_min(-2)


WEIGHTS = Path(__file__).with_suffix(".pt")
"""Those of the released model, number 14."""


def load(path: Path = WEIGHTS) -> Balle2017:
    """Return the network with the weights of a file, in evaluation."""
    net = Balle2017().eval()
    net.load_state_dict(training.weights(path))
    return net


def analysis_graph(net: Balle2017) -> onnx.ModelProto:
    """Pixels (H,W,3) uint8, H and W multiples of 16; level (1,1,1,1) -> y (1,LATENTS,H/16,W/16) in steps."""
    g = Graph("analysis")
    pixels = g.input("pixels", ["height", "width", 3], TensorProto.UINT8)
    factors = gain(g, hats(g, g.input("level", [1, 1, 1, 1])), net.encoder_gains.log_gain)
    x = g.op("Transpose", g.op("Cast", pixels, to=TensorProto.FLOAT), perm=[2, 0, 1])
    x = g.op("Unsqueeze", g.op("Sub", g.op("Mul", x, g.constant(1 / 255)), g.constant(0.5)), g.constant([0], np.int64))
    first, *layers = net.analysis
    x = g.conv(x, numpy(first.weight()), numpy(first.bias), stride=4, pad=(2, 2, 3, 3))
    for layer in layers:
        x = gdn(g, x, layer) if isinstance(layer, GDN) else kernel5(g, x, layer)
    g.output(g.op("Mul", x, factors), "y", [1, LATENTS, "h", "w"])
    return g.model()


def synthesis_graph(net: Balle2017) -> onnx.ModelProto:
    """Symbols q (1,LATENTS,h,w) float32; level (1,1,1,1) -> pixels (1,16h,16w,3) uint8."""
    g = Graph("synthesis")
    q = g.input("q", [1, LATENTS, "h", "w"])
    x = g.op("Mul", q, gain(g, hats(g, g.input("level", [1, 1, 1, 1])), net.decoder_gains.log_gain))
    *layers, last = net.synthesis
    for layer in layers:
        x = gdn(g, x, layer) if isinstance(layer, GDN) else kernel5(g, x, layer)
    weight, bias = g.weight(255 * numpy(last.weight())), g.constant(255 * (numpy(last.bias) + 0.5))
    x = g.op("ConvTranspose", x, weight, bias, kernel_shape=[9, 9], strides=[4, 4], pads=[2, 2, 3, 3])
    x = g.op("QuantizeLinear", x, g.constant(1.0), g.constant(0, np.uint8))
    g.output(g.op("Transpose", x, perm=[0, 2, 3, 1]), "pixels", [1, "height", "width", 3], TensorProto.UINT8)
    return g.model()


def export(a: argparse.Namespace) -> None:
    """Write graphs, tables and the entry of the manifest."""
    net = load(a.weights)
    release = Release(a.out, a.id, "balle2017", "balle2017", CONSTANTS)
    files = release.networks(
        {"analysis": Network(analysis_graph(net), "encoder"), "synthesis": Network(synthesis_graph(net), "decoder")}
    )
    seen = histograms(net.analysis, net.encoder_gains, Patches(a.patches).some(a.samples))
    release.enter(files | {"tables": release.tables(tables_of(net.prior, seen))})


def train(a: argparse.Namespace) -> None:
    """Train, or go on with a run that was cut."""
    torch.manual_seed(0)
    training.train(Balle2017(), FAST, a)


if __name__ == "__main__":
    command.run(__doc__, train, export)
