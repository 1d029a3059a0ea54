r"""`jiang2017`: two networks around an ordinary codec; number 36 has a third one behind them (recipes/jiang2017_refined.py).

Jiang, Tao, Liu, Ren, Guo and Zhao, "An End-to-End Compression Framework Based on Convolutional Neural Networks" (arXiv 1708.00838).

    x ─ComCNN─▶ half size ─JPEG─▶ half size ─restore (recipes/restored.py)─▶ bicubic x2 ─ + detail at 1/4 of the half size ─▶ x_hat

The paper's idea: a network before the codec makes a picture of half size that codes well and from which a network behind it makes the
whole one again; they are trained in turns, and the codec, which has no slope, is skipped when the first one learns.

Kept: both networks, half size, JPEG between them, bicubic enlargement and a residual on it, the squared error, training in turns with
the codec skipped in the gradient of the first.

Changed, and why:
- ComCNN has 24 features instead of 64 and adds to the mean of 2x2 pixels: the encoder stays small, and begins as a plain reduction.
- RecCNN is the network of `restored`, which works on the JPEG's own blocks, with a last layer that gives four pixels for one; it
  begins with that network's weights. The paper's has 20 layers of 64 features at full size, 140 times as many multiply-adds.
- One pair of networks for every quality of the JPEG; the paper trains one for each.
- What ComCNN changes is held small (HELD): with the codec skipped nothing else tells it that detail costs bits.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.jiang2017 train PATCHES_FOLDER RUN_FOLDER --restored restored.pt --minutes 8 \
        --lr 2e-3 --warm-up 20 --batch 5 --crop 192 --decay-from 0.1 --every 100
    python -m onnx_models.recipes.jiang2017 export RUN_FOLDER/weights.pt --id 21
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor, nn

from pillow_lic.fileformat.limits import MAX_PIXELS

from .common import command, training
from .common.data import Patches
from .common.export import Network, Release
from .common.graph import Graph, numpy
from .common.jpegs import Jpegs, batch_of
from .common.resizing import SCALE, enlarged, enlarged_layers
from .common.restoring import centred, rounded, to_rgb
from .restored import CELL, PLANES, Restored, restore_layers

FEATURES = 24
HELD = 0.2
"""Weight in the loss of what ComCNN changes: its mean square, in units of 4 levels."""
COM_TURN = 4
"""Every so many steps ComCNN learns, in the others RecCNN."""
JUDGED = (20, 50, 80)
"""Qualities of the JPEG that the log judges."""
CONSTANTS = {"scale": SCALE, "window": 512, "margin": 160, "compact_margin": 16, "align": 16, "tile_pixels": MAX_PIXELS}
"""The constants of the family; window and margin in pixels of half size. No pixel has a part in one farther away than a margin."""


class Com(nn.Module):
    """ComCNN: pixels (B,3,H,W) of R, G, B in levels, H and W even -> (B,3,H/2,W/2) in levels, not rounded."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(3, FEATURES, 3, padding=1)
        self.down = nn.Conv2d(FEATURES, FEATURES, 3, stride=2, padding=1)
        self.leave = nn.Conv2d(FEATURES, 3, 3, padding=1)
        self.leave.weight.data.mul_(0.1)
        assert self.leave.bias is not None
        self.leave.bias.data.zero_()

    def forward(self, x: Tensor) -> Tensor:
        t = F.relu(self.down(F.relu(self.enter(x / 128 - 1))))
        change: Tensor = self.leave(t)
        return F.avg_pool2d(x, SCALE) + 32 * change.float()


class Rec(Restored):
    """RecCNN: an inner picture of Y, Cb, Cr (B,3,h,w) around 0 -> the picture (B,3,2h,2w)."""

    def __init__(self) -> None:
        super().__init__(SCALE * CELL)

    def forward(self, x: Tensor, steps: Tensor, halved: Tensor) -> Tensor:  # type: ignore[override]
        g = self.guesses(x, steps, halved)
        detail = self.detail(g)
        with torch.autocast("cpu", enabled=False):
            return enlarged(x + g.change) + detail


class Jiang2017(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.com, self.rec = Com(), Rec()

    def start(self, restored: Path) -> None:
        """Begin RecCNN with the weights of `restored`, but for its last layer, which begins near zero."""
        state = training.weights(restored)
        missing = self.rec.load_state_dict(
            {k: v for k, v in state.items() if not k.startswith("leave_fine")}, strict=False
        )
        assert all(name.startswith("leave_fine") for name in missing.missing_keys)


def compact(net: Jiang2017, originals: Tensor) -> Tensor:
    """Return the half-size pictures (B,h,w,3) uint8 of originals (B,H,W,3) uint8."""
    with torch.no_grad():
        small: Tensor = net.com(originals.permute(0, 3, 1, 2).float())
    return small.round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()


def error_of(net: Jiang2017, x: Tensor, seen: Tensor, jpegs: Jpegs) -> tuple[Tensor, Tensor]:
    """Return the squared errors (B,3) of Y, Cb and Cr, of what RecCNN makes of half-size pictures and of bicubic enlargement alone.

    x (B,3,H,W) and seen (B,3,h,w): Y, Cb and Cr around 0.
    """
    made = net.rec(seen, jpegs.steps, jpegs.halved)
    return (made - x).square().mean((2, 3)), (enlarged(seen) - x).square().mean((2, 3)).detach()


def loss_of(
    net: Jiang2017, originals: Tensor, rng: np.random.Generator, *, com: bool
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss of a batch, and the dB gained in luma over bicubic enlargement; com: in ComCNN's turn, which skips the codec."""
    small = compact(net, originals)
    small, jpegs = batch_of(small, rng, [int(q) for q in rng.integers(8, 96, len(originals))])
    net.com.requires_grad_(com)
    net.rec.requires_grad_(not com)
    planes = torch.tensor(PLANES)
    held = torch.zeros(())
    seen = centred(jpegs.pixels)
    if com:
        x = originals.permute(0, 3, 1, 2).float()
        made = net.com(x)
        held = HELD / 16 * (made - F.avg_pool2d(x, SCALE)).square().mean()
        seen = centred(made.permute(0, 2, 3, 1))
    after, before = error_of(net, centred(originals), seen, jpegs)
    expected = net.rec.trunk.units(jpegs.steps).detach().square().mean(2)[:, [0, 1, 1]]
    weight = 2 / ((before + expected) * planes).sum(1)
    loss = ((after * planes).sum(1) * weight).mean() + held
    gain = 10 * torch.log10(before[:, 0].clamp_min(0.05) / after.detach()[:, 0].clamp_min(0.05)).mean().item()
    return loss, {"gain": gain, "com": float(com)}


@torch.no_grad()
def judgement(net: Jiang2017, pictures: Tensor) -> str:
    """Return the mean PSNR of luma at three qualities, and in how far it is above bicubic enlargement, as the log says it."""
    rows, rng = [], np.random.default_rng(0)
    for quality in JUDGED:
        found = []
        for some in pictures.split(16):
            small, jpegs = batch_of(compact(net, some), rng, [quality] * len(some))
            found.append(torch.stack([v[:, 0] for v in error_of(net, centred(some), centred(jpegs.pixels), jpegs)]))
        after, before = (10 * torch.log10(255**2 / torch.cat(found, 1))).mean(1).tolist()
        rows.append(f"{after:.2f}/{after - before:+.2f}")
    return f"  validation {' '.join(rows)}"


def compact_graph(net: Jiang2017) -> onnx.ModelProto:
    """Pixels (H,W,3) uint8, H and W even -> small (1,H/2,W/2,3) uint8."""
    g = Graph("compact")
    pixels = g.input("pixels", ["height", "width", 3], TensorProto.UINT8)
    x = g.op("Transpose", g.op("Cast", pixels, to=TensorProto.FLOAT), perm=[2, 0, 1])
    x = g.op("Unsqueeze", x, g.constant([0], np.int64))
    t = g.op("Sub", g.op("Mul", x, g.constant(1 / 128)), g.constant(1.0))
    for layer in (net.com.enter, net.com.down):
        assert layer.bias is not None
        t = g.op("Relu", g.conv(t, numpy(layer.weight), numpy(layer.bias), stride=layer.stride[0], pad=1))
    last = net.com.leave
    assert last.bias is not None
    change = g.conv(t, 32 * numpy(last.weight), 32 * numpy(last.bias), pad=1)
    mean = g.op("AveragePool", x, kernel_shape=[SCALE] * 2, strides=[SCALE] * 2)
    g.output(rounded(g, g.op("Add", mean, change)), "small", [1, "h2", "w2", 3], TensorProto.UINT8)
    return g.model(named=True)


def restore_graph(net: Jiang2017) -> onnx.ModelProto:
    """Pixels (h,w,3) uint8 of a JPEG of half size, h and w multiples of 16; steps, halved -> shown (1,2h,2w,3) uint8."""
    g = Graph("restore")
    f, change, detail = restore_layers(g, net.rec)
    large = enlarged_layers(g, g.op("Add", f.rgb, to_rgb(g, change)), 3)
    shown = g.op("Add", large, to_rgb(g, detail))
    g.output(rounded(g, shown), "shown", [1, "height2", "width2", 3], TensorProto.UINT8)
    return g.model(named=True)


def export(a: argparse.Namespace) -> None:
    """Write the graphs and the entry of the manifest."""
    net = Jiang2017().eval()
    net.load_state_dict(training.weights(a.weights))
    release = Release(a.out, a.id, "jiang2017", "jiang2017", CONSTANTS)
    made = {"compact": Network(compact_graph(net), "encoder"), "restore": Network(restore_graph(net), "decoder")}
    release.enter(release.networks(made))


def train(a: argparse.Namespace) -> None:
    """Train in turns, or go on with a run that was cut."""
    torch.manual_seed(0)
    net, data = Jiang2017(), Patches(a.patches)
    steps = 0

    def batch(rng: np.random.Generator, _: float) -> tuple[Tensor, dict[str, float]]:
        nonlocal steps
        steps += 1
        return loss_of(net, data.batch(a.batch, a.crop, rng), rng, com=steps % COM_TURN == 0)

    training.loop(
        net,
        ("log_",),
        a,
        lambda: net.start(a.restored),
        batch,
        lambda average: judgement(average, data.validation()),
    )


def add_words(parser: argparse.ArgumentParser) -> None:
    """Set what `train` has beside the words of every recipe; its learning rate rises in 20 steps."""
    parser.add_argument(
        "--restored", type=Path, required=True, help="weights of the recipe restored, which RecCNN begins with"
    )
    parser.set_defaults(warm_up=20)


if __name__ == "__main__":
    command.run(__doc__, train, export, add_words, counts=False)
