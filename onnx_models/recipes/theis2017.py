"""`theis2017`: Theis, Shi, Cunningham and Huszar, "Lossy image compression with compressive autoencoders" (ICLR 2017, arXiv 1703.00395).

    x ──conv 5x5 /2──conv 5x5 /2──3 residual blocks──conv 5x5 /2──▶ y,   q = round(y * scale(level))     one stored table a channel codes q
    x_hat ◀──sub-pixel x2──sub-pixel x2──3 residual blocks──sub-pixel x2── q * scale'(level)

The paper's idea: rounding is only given an identity for its gradient where the picture is made, and left out (uniform noise in its place)
where the rate is bounded, by a mixture of Gaussian scales for each channel; coefficients are unmasked little by little; other rates come
from the same network, by scales of the coefficients that are tuned while the network rests.

Kept: the layers and their strides, sub-pixel convolutions, identity gradients of rounding and of clipping, Gaussian scale mixtures of six
scales, incremental unmasking, scales fine-tuned for each rate with the network fixed and interpolated between, stored histograms.
Changed, and why:
- 32, 64 and 64 features (the paper: 64, 128 and 96): a quarter of the work.
- One network for all rates instead of three: while it learns, the scales of a level are alike for all coefficients.
- A symbol may be written one nearer to 0 than rounding has it, where that saves more bits than its error is worth; scales and prior
  are tuned with these symbols, the analysis' scales still by the bits that noise takes.
- One coefficient after another is unmasked by the schedule, not when the error has stopped to fall: the length of a run is known before.
- The transforms begin as a block PCA of two scales, each feature with its negative where a rectifier follows: minutes of training
  instead of days.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.theis2017 train PATCHES_FOLDER NETWORK_FOLDER --minutes 8
    OMP_NUM_THREADS=1 python -m onnx_models.recipes.theis2017 scales PATCHES_FOLDER SCALES_FOLDER --weights NETWORK_FOLDER/weights.pt
    python -m onnx_models.recipes.theis2017 export SCALES_FOLDER/weights.pt PATCHES_FOLDER --id 37
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor, nn

from .common import command, training
from .common.data import Patches
from .common.exact import straight_through
from .common.export import Network, Release
from .common.factorised import ScaleMixture, histograms, tables_of
from .common.gains import Gains, gain, hats
from .common.graph import Graph
from .common.levels import ANCHORS, LEVEL_MAX, SPACING, nearest_anchor
from .common.pca import SmallerBlocks, in_quarters
from .common.taps import Conv, written

FINE, FEATURES, LATENTS, STRIDE = 32, 64, 64, 8
BLOCKS = 3
SLOPE = 0.2
"""Slope of the leaky rectifiers for values below 0."""
LAMBDA_MIN, LAMBDA_MAX = 0.0008, 0.08
"""Weight of the squared error of 8-bit levels against bits per pixel, at levels 0 and 1024."""
UNMASKED, UNMASKING = 2, 0.1
"""Coefficients that are there at the beginning, and the share of the schedule after which all are."""
WORTH = 30
"""Bits that a squared error of one step is worth where a symbol may be made smaller; 6 / ln 2 by theory, where a synthesis sees no error."""
FAST = ("log_", "prior")
"""Parameters that learn four times as fast: logarithms and the prior."""
CONSTANTS = {
    "latents": LATENTS,
    "stride": STRIDE,
    "align": 16,
    "margin": 32,
    "tile_edge": 2048,
    "tile_pixels": 4194304,
    "level_spacing": SPACING,
    "worth": WORTH,
}
"""The constants of the family."""


class Residual(nn.Module):
    """Two 3x3 convolutions with a rectifier between them, added to what they see."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Conv(FEATURES, FEATURES, 3), Conv(FEATURES, FEATURES, 3)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.leaky_relu(self.first(x), SLOPE))


class SubPixel(Conv):
    """3x3 convolution that gives the features of each place of a 2x2 cell: twice the resolution."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__(i, 4 * o, 3)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(super().forward(x), 2)


def analysis() -> nn.Sequential:
    """Return x - 0.5 (B,3,H,W), H and W multiples of 8 -> y (B,LATENTS,H/8,W/8), not yet in steps."""
    return nn.Sequential(
        Conv(3, FINE, 5, 2),
        nn.LeakyReLU(SLOPE),
        Conv(FINE, FEATURES, 5, 2),
        *(Residual() for _ in range(BLOCKS)),
        Conv(FEATURES, LATENTS, 5, 2),
    )


def synthesis() -> nn.Sequential:
    """Return y_hat (B,LATENTS,h,w) -> x_hat - 0.5 (B,3,8h,8w), not clipped."""
    return nn.Sequential(
        SubPixel(LATENTS, FEATURES),
        *(Residual() for _ in range(BLOCKS)),
        SubPixel(FEATURES, FINE),
        nn.LeakyReLU(SLOPE),
        SubPixel(FINE, 3),
    )


class Theis2017(training.Codec):
    """The codec.

    masked: it begins to learn with few coefficients. writes: synthesis and prior learn with the symbols that are written, not with
    those that rounding and noise make.
    """

    def __init__(self, *, masked: bool = True, writes: bool = False) -> None:
        super().__init__()
        self.masked, self.writes = masked, writes
        self.analysis, self.synthesis, self.prior = analysis(), synthesis(), ScaleMixture(LATENTS)
        # High-rate theory for an orthonormal transform: step^2 = 18 / (ln 2 * lambda) in squared 8-bit levels.
        fine = 0.5 * torch.log(math.log(2) * 65025 / 18 * self.lambdas(torch.arange(ANCHORS) * float(SPACING)))
        self.encoder_gains, self.decoder_gains = Gains(fine, LATENTS), Gains(-fine, LATENTS)

    @staticmethod
    def lambdas(level: Tensor) -> Tensor:
        """Return the weight of the squared error at levels 0..1024, log-spaced."""
        return LAMBDA_MIN * torch.exp(level * (math.log(LAMBDA_MAX / LAMBDA_MIN) / LEVEL_MAX))

    @property
    def unmasked(self) -> int:
        """The number of coefficients that are not kept at 0: all but at the beginning of a training."""
        share = min(1.0, self.progress / UNMASKING) if self.masked else 1.0
        return UNMASKED + int((LATENTS - UNMASKED) * share)

    def latents(self, x: Tensor, level: Tensor) -> Tensor:
        """X (B,3,H,W) in 0..1, levels (B,) -> y (B,LATENTS,h,w) in steps."""
        return self.analysis(x - 0.5).float() * self.encoder_gains(level)

    def picture(self, q: Tensor, level: Tensor) -> Tensor:
        """Integers q (B,LATENTS,h,w), levels (B,) -> x_hat, clipped to 0..1 with the gradient of what is not clipped."""
        x = self.synthesis(q * self.decoder_gains(level)).float() + 0.5
        return straight_through(x.clamp(0, 1), x)

    def forward(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """X (B,3,H,W), levels (B,) -> x_hat, bits (B,)."""
        y = self.latents(x, level)
        if self.training and self.unmasked < LATENTS:
            y = y * (torch.arange(LATENTS) < self.unmasked)[:, None, None]
        anchor = nearest_anchor(level)
        coded, shown = self.quantised(y)
        if not self.writes and self.training:
            return self.picture(shown, level), self.prior.bits(coded, anchor).sum((1, 2, 3))
        written = self.symbols(y, anchor)
        bits = self.prior.bits(written, anchor).sum((1, 2, 3))
        if self.training:
            # The prior learns from what is written, the scales from noise: a symbol that is 0 does not tell what finer steps would cost.
            with_noise = self.prior.bits_of_resting(coded, anchor).sum((1, 2, 3))
            bits = straight_through(bits.detach(), with_noise) + bits - bits.detach()
        return self.picture(straight_through(written, y), level), bits

    @torch.no_grad()
    def symbols(self, y: Tensor, anchor: Tensor) -> Tensor:
        """Return what is written of y (B,LATENTS,h,w): the nearest integers, or those next to them towards 0 where that saves enough bits."""
        near = y.round()
        less = near - near.sign()
        saved = self.prior.bits(near, anchor) - self.prior.bits(less, anchor)
        return torch.where(saved > WORTH * ((y - less) ** 2 - (y - near) ** 2), less, near)

    @torch.no_grad()
    def start(self, patches: Patches) -> None:
        """Begin as a linear transform: the strongest components of blocks of 8x8, by way of all of those of 4x4 and 2x2."""
        some = patches.some(1500)
        blocks = SmallerBlocks(some)
        finest, middle, coarse = (blocks.strongest(size, n) for size, n in ((2, 12), (4, 48), (8, LATENTS)))
        down, up = self.analysis, self.synthesis
        both = torch.cat([finest, -finest])  # a rectifier of v and of -v: their difference is (1 + SLOPE) v
        fine_parts = torch.cat([in_quarters(middle, finest), -in_quarters(middle, finest)], 2) / (1 + SLOPE)
        coarse_parts = in_quarters(coarse, middle)
        cells = [(row, column) for row in range(2) for column in range(2)]
        first_layer = both.view(24, 3, 2, 2)
        for quarter, (row, column) in enumerate(cells):
            tap = 5 * (2 + row) + 2 + column  # of the kernel, which begins two places before the cell
            down[0].taps[tap][:24, :, 0, 0] = first_layer[:, :, row, column]
            down[2].taps[tap][:48, :24, 0, 0] = fine_parts[:, quarter]
            down[-1].taps[tap][:, :48, 0, 0] = coarse_parts[:, quarter]
            place = torch.arange(FEATURES)[:48] * 4 + quarter
            up[0].taps[4][place, :, 0, 0] = coarse_parts[:, quarter].T
            parts = in_quarters(middle, finest)[:, quarter].T
            place = torch.arange(24) * 4 + quarter
            up[-3].taps[4][place, :48, 0, 0] = torch.cat([parts, -parts])
            place = torch.arange(3) * 4 + quarter
            up[-1].taps[4][place, :24, 0, 0] = first_layer[:, :, row, column].T / (1 + SLOPE)

        u = torch.stack([torch.from_numpy(p[:128, :128].copy()) for p in some[::25]]).permute(0, 3, 1, 2) / 255 - 0.5
        spread = torch.log(self.analysis(u).square().mean((0, 2, 3)).sqrt()) + self.encoder_gains.log_gain
        self.prior.log_scale[:] = (spread[:, None] + torch.linspace(-2.5, 1, 6)[:, None]).clamp_min(-2)


def write(g: Graph, x: str, layers: Sequence[nn.Module]) -> str:
    """Write layers one after another."""
    for layer in layers:
        if isinstance(layer, Residual):
            x = g.op("Add", x, write(g, x, [layer.first, nn.LeakyReLU(SLOPE), layer.second]))
        elif isinstance(layer, nn.LeakyReLU):
            x = g.op("LeakyRelu", x, alpha=SLOPE)
        else:
            assert isinstance(layer, Conv)
            x = written(g, x, layer)
            x = g.shuffle(x, 2) if isinstance(layer, SubPixel) else x
    return x


def analysis_graph(net: Theis2017) -> onnx.ModelProto:
    """Pixels (H,W,3) uint8, H and W multiples of 8; level (1,1,1,1) -> y (1,LATENTS,H/8,W/8) in steps."""
    g = Graph("analysis", in_bytes=True)
    pixels = g.input("pixels", ["height", "width", 3], TensorProto.UINT8)
    factors = gain(g, hats(g, g.input("level", [1, 1, 1, 1])), net.encoder_gains.log_gain)
    x = g.op("Transpose", g.op("Cast", pixels, to=TensorProto.FLOAT), perm=[2, 0, 1])
    x = g.op("Unsqueeze", g.op("Sub", g.op("Mul", x, g.constant(1 / 255)), g.constant(0.5)), g.constant([0], np.int64))
    g.output(g.op("Mul", write(g, x, list(net.analysis)), factors), "y", [1, LATENTS, "h8", "w8"])
    return g.model()


def synthesis_graph(net: Theis2017) -> onnx.ModelProto:
    """Symbols q (1,LATENTS,h,w) float32; level (1,1,1,1) -> pixels (1,8h,8w,3) uint8."""
    g = Graph("synthesis", in_bytes=True)
    q = g.input("q", [1, LATENTS, "h8", "w8"])
    x = g.op("Mul", q, gain(g, hats(g, g.input("level", [1, 1, 1, 1])), net.decoder_gains.log_gain))
    x = write(g, x, list(net.synthesis))
    x = g.op("Add", g.op("Mul", x, g.constant(255.0)), g.constant(127.5))
    x = g.op("QuantizeLinear", x, g.constant(1.0), g.constant(0, np.uint8))
    g.output(g.op("Transpose", x, perm=[0, 2, 3, 1]), "pixels", [1, "height", "width", 3], TensorProto.UINT8)
    return g.model()


def train(a: argparse.Namespace) -> None:
    """Train the network while the scales rest, at first alike for all coefficients, or go on with a run that was cut."""
    torch.manual_seed(0)
    net = Theis2017(masked=a.weights is None)
    for gains in (net.encoder_gains, net.decoder_gains):
        gains.requires_grad_(False)
    training.train(net, FAST, a)


def scales(a: argparse.Namespace) -> None:
    """Tune the scales and the prior of every rate; the network rests."""
    net = Theis2017(writes=True)
    for part in (net.analysis, net.synthesis):
        part.requires_grad_(False)
    training.train(net, FAST, a)


def export(a: argparse.Namespace) -> None:
    """Write graphs, tables and the entry of the manifest."""
    net = Theis2017().eval()
    net.load_state_dict(training.weights(a.weights))
    release = Release(a.out, a.id, "theis2017", "theis2017", CONSTANTS)
    files = release.networks(
        {"analysis": Network(analysis_graph(net), "encoder"), "synthesis": Network(synthesis_graph(net), "decoder")}
    )
    seen = histograms(net.analysis, net.encoder_gains, Patches(a.patches).some(a.samples), net.symbols)
    release.enter(files | {"tables": release.tables(tables_of(net.prior, seen))})


if __name__ == "__main__":
    command.run(__doc__, train, export, further={"scales": scales})
