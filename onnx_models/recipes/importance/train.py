"""The training of the network behind `importance="auto"`: where a picture deserves a finer step, for fewer bits at equal MS-SSIM.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.importance.train PATCHES_FOLDER RUN_FOLDER --minutes 40

After Li 2018 (a small network beside the encoder gives every place its share of the code; the map is coded and counted) and Balle-Li.
The codec is the released one, frozen. Every patch is coded flat at six levels, which gives for every latent a curve of bits and one of
MS-SSIM lost over the level (`Curves`). The network is trained to choose a level for every place on these curves:

    loss = ln(bits + map) + s ln(1 - MS-SSIM)

with s the rate at which the patch trades one for the other when the level changes at *all* places. So the loss falls only as far as
the map beats a change of the quality. The result needs no decoder: a file carries the map, whatever made it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor, nn

from pillow_lic.engine import models
from pillow_lic.engine.entropy import Tables
from pillow_lic.families.lic1 import analysis, passes, residuals, transforms
from pillow_lic.families.lic1.geometry import geometry
from pillow_lic.families.lic1.quantiser import Chosen

from ..common.complexity import kmac_per_pixel
from ..common.data import Patches
from ..common.exact import straight_through_round
from ..common.gaussian import Clip
from ..common.graph import Graph
from ..common.layer_graphs import block, conv
from ..common.layers import Block
from ..common.levels import LEVEL_MAX
from ..common.schedule import rate_at, set_rate
from ..common.similarity import ms_ssim

HERE = Path(__file__).resolve().parents[2]
SIDE, CELLS = 256, 16
"""Pixels and latents of a patch, each way."""
LEVELS, SPACING = 6, 192
"""The number of levels that a patch is coded at, from 0 on, and the spacing of them."""
REACH = 256
"""The levels that an output of 1 adds."""
STEP = 32
"""Levels between two values of the map in training; the format has steps of 8."""
UNEVEN = 0.17
"""The cost of an uneven field, of which the curves know nothing: ln(bits) at equal MS-SSIM, per REACH of the root mean square
difference between neighbours. Measured with random fields of cells of 1, 2, 4 and 8 latents (0.13-0.20)."""
COARSE = range(1, 5)
"""Scales of MS-SSIM that count: the finest has 4 % of the weight and most of the time."""
CONTRAST = 24.0
"""The first filters start zero-mean and this much larger than usual, so that ln(1 + |response|) bends where contrast is just visible."""


class Importance(nn.Module):
    """x (B,3,H,W) in [0,1] -> (B,1,H/16,W/16) in [-1,1]. Contrast in ratios (the logarithm), then what surrounds it."""

    def __init__(self, a: int = 24, b: int = 40, c: int = 48) -> None:
        super().__init__()
        self.enter, self.down, self.low = nn.Conv2d(3, a, 8, 4, 2), nn.Conv2d(a, b, 4, 2, 1), nn.Conv2d(b, c, 2, 2)
        self.body, self.leave = nn.Sequential(Block(c, 5), Block(c, 5)), nn.Conv2d(c, 1, 1)
        w = self.enter.weight.data
        w.sub_(w.mean((2, 3), keepdim=True)).mul_(CONTRAST)
        self.leave.weight.data.mul_(0.1)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.log(1 + self.enter(x - 0.5).abs())
        x = F.leaky_relu(self.low(F.leaky_relu(self.down(x), 0.1)), 0.1)
        value: Tensor = Clip.apply(self.leave(self.body(x)), -1.0, 1.0)  # type: ignore[no-untyped-call]
        return value


class Curves(NamedTuple):
    """Patches (N,256,256,3) uint8, and for each of 6 levels and 16x16 places bits and shares of 1 - MS-SSIM, (N,6,16,16)."""

    pixels: Tensor
    bits: Tensor
    losses: Tensor


def bits_of(tables: Tables, chosen: Sequence[Chosen], shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Return the bits of every latent (M,h,w), for the choices of each pass."""
    result = np.zeros(shape, np.float32)
    for t, part in enumerate(chosen):
        kinds, which = np.unique(np.stack([part.symbols, part.numbers.astype(np.int16)]), axis=1, return_inverse=True)
        costs = [tables.cost(kind[:1], kind[1:].astype(np.uint16)) for kind in kinds.T.copy()]
        passes.scatter(result, t, (shape[1], shape[2]), np.array(costs, np.float32)[which.ravel()])
    return result


def curve(pixels: npt.NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
    """Return bits and shares of 1 - MS-SSIM of every place at every level, (6,16,16) each.

    1 - MS-SSIM is nearly a quadratic form of the error e, so that g e, with its gradient g, is the share of each place.
    """
    spec = models.choose(None)
    grid = geometry(spec).grid(SIDE, SIDE)
    trunk = analysis.analyse(spec, pixels)
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    bits, losses = torch.zeros(LEVELS, CELLS, CELLS), torch.zeros(LEVELS, CELLS, CELLS)
    for i in range(LEVELS):
        field = np.full(grid.shape, i * SPACING, np.float32)
        y, z_hat = analysis.latents(spec, trunk, field)
        chosen, y_hat = residuals.Choice(spec, z_hat, field, grid).of(y)
        bits[i] = torch.from_numpy(bits_of(spec.tables, chosen, y.shape)).sum(0)
        shown = torch.from_numpy(transforms.synthesis(spec, y_hat, field)).permute(2, 0, 1)[None].float() / 255
        shown.requires_grad_()
        loss = 1 - ms_ssim(shown, x, COARSE).mean()
        (gradient,) = torch.autograd.grad(loss, shown)
        part = F.avg_pool2d((gradient * (shown - x)).detach().sum(1), 16)[0].clamp_min(0)
        losses[i] = part * (loss.item() / part.sum().clamp_min(1e-12))
    return bits, losses


def curves(patches: list[npt.NDArray[np.uint8]], file: Path) -> Curves:
    """Return the curves of patches, from the file if it is there (coding them takes most of the time)."""
    if not file.exists():
        rows = [curve(patch) for patch in patches]
        made = [torch.from_numpy(np.stack(patches)), *(torch.stack([row[k] for row in rows]) for k in range(2))]
        torch.save(made, file)
    return Curves(*torch.load(file, weights_only=True))


def read_off(values: Tensor, level: Tensor) -> Tensor:
    """Return values (B,h,w) at levels (B,1,h,w), from values (B,6,h,w) at the six levels, linear in the logarithm."""
    place = (level / SPACING).clamp(0, LEVELS - 1)
    low = place.detach().floor().clamp(max=LEVELS - 2)
    ends = [torch.gather(values, 1, (low + i).long())[:, 0].clamp_min(1e-9).log() for i in range(2)]
    return torch.exp(torch.lerp(ends[0], ends[1], (place - low)[:, 0]))


def deltas(value: Tensor, base: Tensor) -> Tensor:
    """Return the rounded levels to add for a map (B,1,h,w) in [-1,1] and base levels (B,): their mean is 0, cells coarser in small files."""
    shift = REACH * (value - value.mean((2, 3), keepdim=True))
    parts = []
    for one, level in zip(shift.split(1), base.tolist(), strict=True):
        cell = 4 if level < LEVEL_MAX / 4 else 2 if level < LEVEL_MAX / 2 else 1
        coarse = F.interpolate(F.avg_pool2d(one, cell), scale_factor=float(cell), mode="nearest") if cell > 1 else one
        parts.append(STEP * straight_through_round(coarse / STEP))
    return torch.cat(parts)


def map_bits(delta: Tensor) -> Tensor:
    """Return a rough cost (B,) of the importance section in bits: the logarithms of the differences from the row above."""
    down = torch.diff(delta, dim=2) / STEP
    return torch.log2(1 + down.abs()).mul(2).sum((1, 2, 3)) + 16


def change(bits: Tensor, losses: Tensor, base: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    """Return ln of the bits with the map over those of the flat codec at equal MS-SSIM (B,), and the share of the map in them (B,)."""

    def ends(shift: float) -> tuple[Tensor, Tensor]:
        level = (base + shift).view(-1, 1, 1, 1).expand_as(delta)
        return tuple(read_off(v, level).sum((1, 2)).log() for v in (bits, losses))  # type: ignore[return-value]

    (rate, loss), low, high = ends(0), ends(-64), ends(64)
    exchange = (high[0] - low[0]) / (low[1] - high[1]).clamp_min(1e-3)
    level = base.view(-1, 1, 1, 1) + delta
    mapped, mapped_loss = (read_off(v, level).sum((1, 2)) for v in (bits, losses))
    cost = map_bits(delta)
    down, right = (torch.diff(delta, dim=axis).square().mean((1, 2, 3)) for axis in (2, 3))
    uneven = UNEVEN / REACH * (down + right + 1).sqrt()
    return torch.log(mapped + cost) - rate + exchange * (mapped_loss.log() - loss) + uneven, cost / mapped


@torch.no_grad()
def validate(net: Importance, held: Curves) -> str:
    """Return at four levels the mean change of the bits at equal MS-SSIM, the map's share, both in percent, and its deviation in levels."""
    value = net(held.pixels.permute(0, 3, 1, 2).float() / 255)
    rows = []
    for level in (128.0, 352.0, 576.0, 800.0):
        base = torch.full((len(value),), level)
        delta = deltas(value, base)
        gain, share = change(held.bits, held.losses, base, delta)
        rows.append(
            f"{100 * math.expm1(gain.mean().item()):+.2f}/{100 * share.mean().item():.2f}/{delta.std().item():.0f}"
        )
    return " ".join(rows)


def graph(net: Importance) -> onnx.ModelProto:
    """Return the graph: pixels (H,W,3) uint8, H and W multiples of 16 -> importance (1,1,H/16,W/16) in [-1,1]."""
    g = Graph("importance")
    pixels = g.input("pixels", ["height", "width", 3], TensorProto.UINT8)
    x = g.op("Transpose", g.op("Cast", pixels, to=TensorProto.FLOAT), perm=[2, 0, 1])
    x = g.op("Unsqueeze", g.op("Sub", g.op("Mul", x, g.constant(1 / 255)), g.constant(0.5)), g.constant([0], np.int64))
    x = g.op("Log", g.op("Add", g.op("Abs", conv(g, x, net.enter)), g.constant(1.0)))
    x = g.op("LeakyRelu", conv(g, x, net.down), alpha=0.1)
    x = g.op("LeakyRelu", conv(g, x, net.low), alpha=0.1)
    for part in net.body:
        x = block(g, x, part)
    g.output(g.clip(conv(g, x, net.leave), -1.0, 1.0), "importance", [1, 1, "h", "w"])
    return g.model()


def export(net: Importance, number: int, out: Path) -> None:
    """Write importance-<number>/importance.onnx and importance.json, which names it."""
    write(graph(net), "importance", number, out)


def write(model: onnx.ModelProto, name: str, number: int, out: Path, **also: str) -> None:
    """Write <name>-<number>/<name>.onnx and <name>.json, which names it and says what else is known of it."""
    path = out / f"{name}-{number}" / f"{name}.onnx"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
    entry = {
        "id": number,
        "file": path.relative_to(out).as_posix(),
        **also,
        "kmac_per_pixel": round(kmac_per_pixel(model), 3),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    (out / f"{name}.json").write_text(json.dumps(entry, indent=1) + "\n")


def turned(some: Curves, kind: int) -> Curves:
    """Return the patches and their curves, mirrored or transposed; kind 0..7."""
    pixels, bits, losses = some.pixels, some.bits, some.losses
    axes = [k for k in (1, 2) if kind & k]
    pixels, bits, losses = pixels.flip(axes), bits.flip([a + 1 for a in axes]), losses.flip([a + 1 for a in axes])
    if kind & 4:
        pixels, bits, losses = pixels.transpose(1, 2), bits.transpose(2, 3), losses.transpose(2, 3)
    return Curves(pixels, bits, losses)


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("patches", type=Path)
    p.add_argument("run", type=Path)
    p.add_argument("--coded", type=int, default=2000, help="patches to code")
    p.add_argument("--held", type=int, default=40, help="validation patches to code")
    p.add_argument("--minutes", type=float, default=15, help="of training, after the coding")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--every", type=int, default=100, help="steps between reports")
    p.add_argument("--id", type=int, default=1, help="never reuse the id of a released network")
    p.add_argument("--out", type=Path, default=HERE)
    return p.parse_args()


def train(known: Curves, held: Curves, a: argparse.Namespace, rng: np.random.Generator) -> Importance:
    """Return a network with the averaged weights of a training on known curves, judged by those held out."""
    net, averaged = Importance(), Importance()
    averaged.load_state_dict(net.state_dict())
    optimizer = torch.optim.Adam(net.parameters(), lr=a.lr)
    start, step, log = time.time(), 0, list[float]()
    while (done := (time.time() - start) / (60 * a.minutes)) < 1:
        set_rate(optimizer, a.lr * rate_at(done, step, decay_from=0.0, warm_up=50))
        some = torch.from_numpy(rng.integers(0, len(known.pixels), a.batch))
        pixels, bits, losses = turned(Curves(*(v[some] for v in known)), int(rng.integers(8)))
        base = torch.from_numpy(rng.integers(64, SPACING * (LEVELS - 1) - 63, a.batch)).float()
        value = net(pixels.permute(0, 3, 1, 2).float() / 255)
        loss = change(bits, losses, base, deltas(value, base))[0].mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        optimizer.step()
        step += 1
        with torch.no_grad():
            for kept, new in zip(averaged.parameters(), net.parameters(), strict=True):
                kept.lerp_(new, 1 - min(0.995, (1 + step) / (10 + step)))
        log.append(loss.item())
        if step % a.every == 0:
            means = f"loss {np.mean(log[-a.every :]):+.4f}  validation {validate(averaged, held)}"
            line = f"step {step}  {(time.time() - start) / 60:.1f} min  {means}"
            print(line, flush=True)
            with (a.run / "log.txt").open("a") as f:
                f.write(line + "\n")
    return averaged


def main() -> None:
    a = arguments()
    a.run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    rng, data = np.random.default_rng(0), Patches(a.patches)
    held = curves([v.numpy() for v in data.validation()[: a.held]], a.run / "held.pt")
    known = curves([data.batch(1, SIDE, rng)[0].numpy() for _ in range(a.coded)], a.run / "known.pt")
    net = train(known, held, a, rng)
    torch.save(net.state_dict(), a.run / "importance.pt")
    export(net, a.id, a.out)


if __name__ == "__main__":
    main()
