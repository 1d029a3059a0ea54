"""`rippel2017`: Rippel and Bourdev, "Real-Time Adaptive Image Compression" (ICML 2017, arXiv 1705.05823).

    x ─/2─▶ x_1 ─/2─▶ x_2     features of each scale ──aligned to 1/8, summed, joint layers──▶ y ─round─▶ q: 5 planes of magnitudes, signs
    x_hat ◀── x2 ◀── x2 ◀── pictures of each scale ◀──aligned back── joint layers ◀── q

The paper's ideas: features of several scales of the picture, aligned and summed; a code of 6 bits whose bit planes are coded one after
another, each bit by what is known around it; and adaptive codelength regularisation: the logarithms of magnitudes and of differences
between neighbours stand for the length, and their weight is steered so that the length that the coder really gives meets a target.

Kept: those three, downsampling by learnt 4x4 kernels, a leak of 0.2, a loss by MS-SSIM.
Changed, and why:
- Three scales instead of six, and blocks of 1x1 and depthwise 5x5 convolutions at a quarter of each scale: 3.6 kMAC a pixel each way.
- One model for all rates: a target and a weight for each of nine levels, gains for each channel. The paper's models are one for each.
- It begins as block PCA beside the pyramid: an hour of one core instead of days of a GPU.
- Contexts of the bits are integers, counted while coding, instead of a network: no float decides what is read.
- No adversarial loss: the claim is MS-SSIM, and without it training is half as long.

    python -m onnx_models.recipes.rippel2017 train PATCHES_FOLDER RUN_FOLDER --minutes 60
    python -m onnx_models.recipes.rippel2017 export RUN_FOLDER/weights.pt PATCHES_FOLDER --id 25

`--without regularisation` trains by the distortion alone, `--without pyramid` without the coarser scales.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pillow_lic.families.shared import bitplanes

from .common import blockwise, command, contexts, contrast, training
from .common.block_codec import log_spaced
from .common.data import Patches
from .common.exact import straight_through_round
from .common.export import Network, Release
from .common.gains import Gains, gain, hats
from .common.graph import Graph, numpy
from .common.layer_graphs import blocks as blocks_graph
from .common.layer_graphs import conv
from .common.levels import ANCHORS, LEVEL_MAX, SPACING
from .common.levels import hats as hats_of
from .common.pyramid import CELL, LATENTS, WIDTHS, Analysis, Synthesis, aligned_graph
from .common.similarity import ms_ssim

WEIGHT_MIN, WEIGHT_MAX = 4.0, 130.0
"""Weight of 1 - MS-SSIM against bits per pixel, at levels 0 and 1024."""
BITS_OF_UNIT = 2.0
"""Bits that a unit of `codelength` takes, about."""
STEPS = tuple(0.05 * 1.5**i for i in range(9))
"""Steps that a coefficient may begin with, in pixel values of 0..1."""
SQUARED = 2.0
"""Weight of the mean squared error beside 1 - MS-SSIM: crops are too small for the coarsest scale."""
TARGET_MIN, TARGET_MAX = 0.1, 1.6
"""Bits per pixel of training crops that the regularisation is steered to, at levels 0 and 1024."""
STEERING = 0.002
"""Share of the logarithm of the miss by which a weight of the regularisation changes."""
MEMORY = 0.999
"""Share of the counts of bits that stays when a crop joins them."""
DROPPED = 0.15
"""Share of the crops of which the synthesis sees only the higher planes."""
FAST = ("log_",)
"""Parameters that learn four times as fast: logarithms."""
PARTS = ("regularisation", "pyramid")
CONSTANTS = {
    "latents": LATENTS,
    "stride": 16,
    "align": 16,
    "margin": 32,
    "tile_edge": 2048,
    "tile_pixels": 4194304,
}
"""The constants of the family."""
Counts = npt.NDArray[np.float64]


class Rippel2017(training.Codec):
    def __init__(self, without: str | None = None) -> None:
        """without: one of PARTS."""
        super().__init__()
        self.regularised, scales = without != "regularisation", 1 if without == "pyramid" else len(WIDTHS)
        self.analysis, self.synthesis = Analysis(scales), Synthesis(scales)
        self.contrast = contrast.Contrast(LATENTS)
        self.encoder_gains = Gains(torch.zeros(ANCHORS), LATENTS)
        self.decoder_gains = Gains(torch.zeros(ANCHORS), LATENTS)
        # Not learnt, but followed by averages as weights are.
        self.weight = nn.Parameter(torch.full((ANCHORS,), BITS_OF_UNIT), requires_grad=False)
        self.counts = nn.Parameter(torch.full((bitplanes.CONTEXTS, 2), 2.0), requires_grad=False)
        self.turn = 0

    def latents(self, x: Tensor, level: Tensor) -> Tensor:
        """X (B,3,H,W) in 0..1, levels (B,) -> y (B,LATENTS,h,w) in steps."""
        y: Tensor = self.contrast(self.analysis(x - 0.5)) * self.encoder_gains(level)
        return y

    def picture(self, q: Tensor, level: Tensor) -> Tensor:
        """Symbols q (B,LATENTS,h,w), levels (B,) -> x_hat."""
        x_hat: Tensor = self.synthesis(self.contrast.back(q * self.decoder_gains(level))) + 0.5
        return x_hat

    def forward(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """X (B,3,H,W), levels (B,) -> x_hat, bits (B,): in training the regularisation, else what the coder needs."""
        y = self.latents(x, level)
        q = straight_through_round(y.clamp(-bitplanes.LARGEST, bitplanes.LARGEST))
        symbols = q.detach().to(torch.int8).numpy()
        if not self.training:
            counts = self.counts.double().numpy()
            return self.picture(q, level), torch.tensor([length(s, counts)[0] for s in symbols]).float()
        units = codelength(y)
        weight = (hats_of(level.view(-1, 1, 1, 1))[..., 0, 0] / SPACING) @ self.weight
        self.steer(symbols[self.turn % len(x)], level[self.turn % len(x)].item(), x.shape[2] * x.shape[3])
        self.turn += 1
        return self.picture(shortened(q), level), (weight if self.regularised else 1e-6) * units

    @torch.no_grad()
    def steer(self, symbols: npt.NDArray[np.int8], level: float, pixels: int) -> None:
        """Move the weights of the regularisation near a level by what a crop of it takes, and count its bits."""
        bits, seen = length(symbols, self.counts.double().numpy())
        self.counts.mul_(MEMORY).add_(torch.from_numpy(seen))
        miss = np.log(bits / pixels / log_spaced(torch.tensor(level), TARGET_MIN, TARGET_MAX).item())
        share = hats_of(torch.tensor(level).view(1, 1, 1, 1)).flatten() / SPACING
        self.weight.mul_(torch.exp(STEERING * float(np.clip(miss, -1, 1)) * ANCHORS * share)).clamp_(0.2, 20)

    def losses(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss, bits per pixel and 1 - MS-SSIM of each sample; of crops below 176 pixels without the coarsest scale."""
        x_hat, bits = self(x, level)
        bpp = bits / (x.shape[2] * x.shape[3])
        x_hat = x_hat.float()
        error = 1 - ms_ssim(x_hat, x, range(5 if min(x.shape[2:]) >= 176 else 4))
        squared = (x_hat - x).square().mean((1, 2, 3))
        weight = log_spaced(level, WEIGHT_MIN, WEIGHT_MAX)
        return (bpp + weight * (error + SQUARED * squared)) * 3 / weight.sqrt(), bpp, error.clamp_min(1e-6)

    @torch.no_grad()
    def fit(self, patches: list[npt.NDArray[np.uint8]]) -> Tensor:
        """Make steps larger where more than one symbol in 2000 of patches (h,w,3) would not fit into 6 bits.

        A run's last step: what is clipped has no gradient, so that gains may grow beyond what a symbol can be. Return by how
        much the logarithms of steps rose, (ANCHORS,LATENTS).
        """
        found = [torch.from_numpy(p[:192, :192].copy()).permute(2, 0, 1)[None].float() / 255 for p in patches]
        c = torch.cat([self.contrast(self.analysis(x - 0.5)) for x in found]).abs().transpose(0, 1).flatten(1)
        largest = torch.quantile(c, 0.9995, dim=1).log()
        excess = (self.encoder_gains.log_gain + largest - np.log(bitplanes.LARGEST)).clamp_min(0)
        self.encoder_gains.log_gain -= excess
        self.decoder_gains.log_gain += excess
        return excess

    @torch.no_grad()
    def start(self, patches: Patches) -> None:
        """Begin as the principal components of blocks of 8x8, with steps by what MS-SSIM makes of them and gains that meet the targets."""
        some = patches.some(600)
        components = blockwise.principal(some)[:LATENTS]
        self.analysis.linear.weight.data = components.view(-1, 3, blockwise.SIZE, blockwise.SIZE).clone()
        self.synthesis.linear.weight.data = components.T.reshape(blockwise.VALUES, -1, 1, 1).clone()
        pictures = torch.stack([torch.from_numpy(p[:192, :192].copy()) for p in some[::100]]).permute(0, 3, 1, 2) / 255
        c = self.analysis(pictures - 0.5)
        z = self.contrast(c)
        finest = torch.maximum(z.abs().amax((0, 2, 3)) / bitplanes.LARGEST, torch.tensor(STEPS[0]))
        error, bits = costs(pictures, c, z, components, finest)
        pixels = pictures[:, 0].numel()
        for anchor in range(ANCHORS):
            target = log_spaced(torch.tensor(float(anchor * SPACING)), TARGET_MIN, TARGET_MAX).item() * pixels
            low, high = 0.0, 14.0
            for _ in range(20):
                middle = (low + high) / 2
                best = (bits / pixels + np.exp(middle) * error).argmin(1)
                low, high = (middle, high) if bits.gather(1, best[:, None]).sum() < target else (low, middle)
            self.encoder_gains.log_gain[anchor] = -torch.maximum(torch.tensor(STEPS)[best], finest).log()
        self.decoder_gains.log_gain[:] = -self.encoder_gains.log_gain
        for symbols, _ in samples(self, some[::10]):
            self.counts += torch.from_numpy(length(symbols, np.ones((bitplanes.CONTEXTS, 2)))[1])


def costs(x: Tensor, c: Tensor, z: Tensor, components: Tensor, finest: Tensor) -> tuple[Tensor, Tensor]:
    """Return how much 1 - MS-SSIM rises and how many bits are needed where one coefficient has one of STEPS, (K,STEPS) each.

    x: pictures (B,3,H,W). c, z: their coefficients, without and with `contrast.Contrast`. finest: the least step of each (K,).
    """
    error, bits = torch.zeros(LATENTS, len(STEPS)), torch.zeros(LATENTS, len(STEPS))
    for k, one in enumerate(components.view(-1, 1, 3, blockwise.SIZE, blockwise.SIZE)):
        for i, step in enumerate(STEPS):
            q = torch.round(z[:, k : k + 1] / max(step, float(finest[k])))
            shown = q * max(step, float(finest[k])) * (c[:, k : k + 1] / z[:, k : k + 1])
            noise = F.conv_transpose2d(shown - c[:, k : k + 1], one, stride=blockwise.SIZE)
            share = torch.unique(q, return_counts=True)[1] / q.numel()
            error[k, i], bits[k, i] = (1 - ms_ssim(x + noise, x)).mean(), -(share * share.log2()).sum() * q.numel()
    return error, bits


def codelength(y: Tensor) -> Tensor:
    """Return the regularisation of y (B,C,h,w) in steps: half logarithms of magnitudes, half of differences of neighbours, (B,)."""
    near = [y[..., 1:] - y[..., :-1], y[..., 1:, :] - y[..., :-1, :]]
    near += [y[..., 1:, 1:] - y[..., :-1, :-1], y[..., 1:, :-1] - y[..., :-1, 1:]]
    size = y[0].numel()
    differences = sum(torch.log2(1 + d.abs()).mean((1, 2, 3)) for d in near) / len(near)
    return size * (torch.log2(1 + y.abs()).mean((1, 2, 3)) + differences) / 2


def shortened(q: Tensor) -> Tensor:
    """Return symbols q (B,C,h,w), of a share of the crops only what their higher planes say."""
    planes = torch.randint(1, bitplanes.PLANES - 1, (len(q), 1, 1, 1)) * (torch.rand(len(q), 1, 1, 1) < DROPPED)
    step = torch.exp2(planes.float())
    size = torch.floor(q.detach().abs() / step) * step
    middle = torch.where(size > 0, size + (step - 1) / 2, size) * q.detach().sign()
    return q + (middle - q).detach()


def length(q: npt.NDArray[np.int8], counts: Counts) -> tuple[float, Counts]:
    """Return the bits that q (C,h,w) takes by counts (CONTEXTS,2) of zeros and ones, and its own counts."""
    found = list(bitplanes.parts(q))
    bits, of = np.concatenate([b for b, _ in found]), np.concatenate([c for _, c in found])
    seen = np.bincount(2 * of.astype(np.int64) + bits, minlength=2 * bitplanes.CONTEXTS).reshape(-1, 2)
    return float(-(seen * np.log2(counts / counts.sum(1, keepdims=True))).sum()), seen.astype(np.float64)


@torch.no_grad()
def samples(net: Rippel2017, patches: list[npt.NDArray[Any]]) -> Iterator[tuple[npt.NDArray[np.int8], int]]:
    """Yield the symbols (C,h,w) of patches (h,w,3), and their level, which runs through the scale."""
    for number, patch in enumerate(patches):
        level = 97 * number % (LEVEL_MAX + 1)
        x = torch.from_numpy(patch.copy()).permute(2, 0, 1)[
            None, :, : patch.shape[0] // 16 * 16, : patch.shape[1] // 16 * 16
        ]
        y = net.latents(x.float() / 255, torch.tensor([float(level)]))[0]
        yield y.round().clamp(-bitplanes.LARGEST, bitplanes.LARGEST).to(torch.int8).numpy(), level


def analysis_graph(net: Rippel2017) -> onnx.ModelProto:
    """Pixels (H,W,3) uint8, H and W multiples of 16; level (1,1,1,1) -> y (1,LATENTS,H/8,W/8) in steps."""
    g, a = Graph("analysis", in_bytes=True), net.analysis
    x = blockwise.pixels_graph(g)
    linear = g.conv(x, numpy(a.linear.weight), stride=blockwise.SIZE)
    total = ""
    for scale in range(len(a.body)):
        if scale:
            x = g.conv(x, numpy(a.down[scale - 1]), stride=2, pad=1)
        enter = a.enter[scale]
        h = g.conv(x, numpy(enter.weight).reshape(-1, 3, CELL, CELL), numpy(enter.bias), stride=CELL)
        h = aligned_graph(g, blocks_graph(g, h, a.body[scale]), a.aligned[scale])
        total = g.op("Add", total, h) if total else h
    h = conv(g, blocks_graph(g, total, a.joint), a.leave)
    factors = gain(g, hats(g, g.input("level", [1, 1, 1, 1])), net.encoder_gains.log_gain)
    c = g.op("Add", linear, h)
    g.output(g.op("Mul", contrast.forward_graph(g, c, net.contrast), factors), "y", [1, LATENTS, "h8", "w8"])
    return g.model()


def synthesis_graph(net: Rippel2017) -> onnx.ModelProto:
    """Symbols q (1,LATENTS,h,w) float32; level (1,1,1,1) -> pixels (1,8h,8w,3) uint8."""
    g, s = Graph("synthesis"), net.synthesis
    q = g.input("q", [1, LATENTS, "h8", "w8"])
    z = g.op("Mul", q, gain(g, hats(g, g.input("level", [1, 1, 1, 1])), net.decoder_gains.log_gain))
    c = contrast.back_graph(g, z, net.contrast)
    h, x = blocks_graph(g, conv(g, c, s.enter), s.joint), ""
    for scale in range(len(s.leave) - 1, -1, -1):
        here = blocks_graph(g, aligned_graph(g, h, s.aligned[scale]), s.body[scale])
        here = g.shuffle(conv(g, here, s.leave[scale]), CELL)
        if x:
            kernel = g.weight(4 * numpy(s.up[scale]))
            larger = g.op("ConvTranspose", x, kernel, kernel_shape=[4, 4], strides=[2, 2], pads=[1, 1, 1, 1])
            here = g.op("Add", here, larger)
        x = here
    x = g.op("Add", g.shuffle(conv(g, c, s.linear), blockwise.SIZE), x)
    x = g.op("Mul", g.op("Add", x, g.constant(0.5)), g.constant(255.0))
    x = g.op("QuantizeLinear", x, g.constant(1.0), g.constant(0, np.uint8))
    g.output(g.op("Transpose", x, perm=[0, 2, 3, 1]), "pixels", [1, "height", "width", 3], onnx.TensorProto.UINT8)
    return g.model()


def export(a: argparse.Namespace) -> None:
    """Write graphs, start values and the entry of the manifest."""
    net = Rippel2017().eval()
    net.load_state_dict(training.weights(a.weights))
    release = Release(a.out, a.id, "rippel2017", "rippel2017", CONSTANTS)
    files = release.networks(
        {"analysis": Network(analysis_graph(net), "encoder"), "synthesis": Network(synthesis_graph(net), "decoder")}
    )
    counts, rng = np.zeros((bitplanes.CONTEXTS, 2)), np.random.default_rng(0)
    for symbols, _ in samples(net, Patches(a.patches).some(a.samples)):
        end = int(rng.integers(1, bitplanes.PLANES * LATENTS)) if rng.random() < 0.1 else None
        for bits, of in bitplanes.parts(symbols, end):
            np.add.at(counts, (of, bits), 1)
    release.enter(files | {"starts": release.data("starts.bin", contexts.stored(counts))})


def train(a: argparse.Namespace) -> None:
    """Train, or go on with a run that was cut."""
    torch.manual_seed(0)
    training.train(Rippel2017(a.without), FAST, a)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what `train` knows beside the words of every recipe."""
    parser.add_argument("--without", choices=PARTS, help="the part that is left out")


if __name__ == "__main__":
    command.run(__doc__, train, export, add_words)
