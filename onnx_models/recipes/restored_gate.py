r"""The gate of `restored`: how much of what its network changes is shown, of every block of 8x8, in luma and in colours.

    decoded picture ─coefficients, edges of the range─▶ what is around (3 times 5x5 blocks) ─┐
    what the network changes ─coefficients in steps─▶ of the block itself ───────────────────┴─▶ 0..1 of luma, 0..1 of colours

A network that learned on photographs makes some gradients, drawings, screens and strong colours worse. Whether it does can be seen
better from what it changes than foretold while it does. The gate learns on pairs of pictures that the network restored: photographs
and what `common/grounds.py` and `common/patterns.py` make. Its loss counts dB of luma and of RGB, those lost many times. What each share
of a block's change makes of its error is counted before (`common/judged.py`), so that learning touches no pixel.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.restored_gate train PATCHES_FOLDER RUN_FOLDER --screens SCREENS_FOLDER --minutes 20
    python -m onnx_models.recipes.restored_gate export RUN_FOLDER/weights.pt --id 34
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor, nn

from pillow_lic.engine import models
from pillow_lic.engine.models import Model

from .common import command, training
from .common.data import Patches
from .common.depthwise import SLOPE
from .common.errors import errors_of
from .common.export import Network, Release
from .common.graph import Array, Graph, numpy
from .common.pairs import Pairs, made
from .common.restoring import BLOCK, COEFFICIENTS, FROM_RGB, TOLD, dct

RESTORED = 31
"""Number of the model whose network the gate is for."""
WIDTH, DEPTH = 48, 4
"""Features of a block, and layers that look at 5x5 blocks."""
REACH = 2 * DEPTH * BLOCK
"""Pixels around a block that the gate sees."""
LOW = [BLOCK * i + j for i in range(4) for j in range(4)]
ORDER = [*LOW, *(k for k in range(COEFFICIENTS) if k not in LOW)]
"""Frequencies in the order of the gate, the low ones first: of colours it sees no others."""
COARSE = len(LOW)
LEVELS = 0.02
"""Squared levels that are added to every error before it is counted in dB: what is nearer than 65 dB is as good as right."""
LOST, LOST_IN_PARTS, PARTS = 25.0, 1.5, 2
"""Weights of a dB that is lost, of a picture and in one of PARTS x PARTS of it, beside one that is gained."""
NOISE = 0.05
"""Deviation of noise that is added to what the gate sees while it learns, so that it knows fewer pictures by heart."""
SHUT = 0.06
"""Weight of how far the gate is shut, in the mean, beside a dB: what is shown as it is takes no time."""
MARGIN = 0.02
"""dB gained below which it counts as lost."""
LOSES = (0.05, 10.0)
"""dB gained without a gate, by luma or RGB, below which a picture is drawn so many times as often."""
MOST = 6.0
"""dB gained by a picture, or lost by a part of one, from which on more count nothing."""
HELD_OUT, ENLARGED = 20, 0.3
"""One pair in so many is held out; the share of photographs that are enlarged, as in `restored.py`."""
SPAN = 1.4
"""Range of the gate before it is cut off to 0..1, so that it can be quite shut and quite open."""


MEAN = COEFFICIENTS + 5 * COARSE
"""Place of the mean luma in what is seen of blocks."""
STEEP, LARGEST = 4, 10000.0
"""Steps, of the largest of the lowest three, between coefficients of the mean that no slope leads over; more than any of these has."""
STEPS = 4
"""Steps between shut and open: a block that is open but for less than half of one is left as it is, without any work."""


class Cut(torch.autograd.Function):
    """Cut off to 0..1, with the gradient of what is not cut off."""

    @staticmethod
    def forward(ctx, x):  # type: ignore[no-untyped-def]
        return x.clamp(0, 1)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        return grad


class Gate(nn.Module):
    def __init__(self, width: int = WIDTH, depth: int = DEPTH) -> None:
        super().__init__()
        c = width
        self.dct: Tensor
        self.register_buffer("dct", dct()[ORDER], persistent=False)
        around, own = COEFFICIENTS + 5 * COARSE + 3 + 6, COEFFICIENTS + 6 * COARSE
        self.told, self.films = nn.Conv2d(TOLD, 24, 1), nn.Conv2d(24, 4 * c, 1)
        self.films.weight.data.mul_(0.1)
        self.films.bias.data.zero_()
        self.around, self.own = nn.Conv2d(around, c, 1), nn.Conv2d(own, c, 1)
        self.spread = nn.ModuleList(nn.Conv2d(c, c, 5, padding=2, groups=c) for _ in range(depth))
        self.mixed = nn.ModuleList(nn.Conv2d(c, c, 1) for _ in range(depth))
        self.joined, self.leave = nn.Conv2d(2 * c, c, 1), nn.Conv2d(c, 2, 1)
        self.leave.weight.data.mul_(0.1)
        self.leave.bias.data.fill_(2.5)

    def coefficients(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Planes (B,3,H,W) -> coefficients of luma (B,64,h,w), and the lower ones of both colours (B,32,h,w)."""
        luma = F.conv2d(planes[:, :1], self.dct.view(-1, 1, BLOCK, BLOCK), stride=BLOCK)
        kernel = self.dct[:COARSE].view(-1, 1, BLOCK, BLOCK)
        colors = F.conv2d(planes[:, 1:], kernel.repeat(2, 1, 1, 1), stride=BLOCK, groups=2)
        return luma, colors

    def seen(self, decoded: Tensor, shown: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
        """Decoded and shown (B,3,H,W) RGB levels; steps (B,2,64) -> what is seen of blocks, what of the changes."""
        matrix = torch.tensor(FROM_RGB)[:, :, None, None]
        ycc = F.conv2d(decoded, matrix, torch.tensor([-128.0, 0, 0]))
        luma, colors = self.coefficients(ycc)
        steps_y = steps[:, 0, ORDER, None, None]
        steps_c = steps[:, 1, LOW].repeat(1, 2)[:, :, None, None]
        symbols, symbols_c = (luma / steps_y).clamp(-2.5, 2.5), (colors / steps_c).clamp(-2.5, 2.5)
        mean = torch.cat([luma[:, :1], colors[:, :1], colors[:, COARSE : COARSE + 1]], 1) / 512
        ends = torch.cat([(1 - decoded).clamp(0, 1), (decoded - 254).clamp(0, 1)], 1)
        levels = [(x.abs() + 1).log() / 4 for x in (luma[:, :COARSE], colors)]
        around = torch.cat([symbols.abs(), symbols_c.abs(), *levels, mean, F.avg_pool2d(ends, BLOCK)], 1)
        change, change_c = self.coefficients(F.conv2d(shown - decoded, matrix))
        q, q_c = (change / steps_y).clamp(-1.5, 1.5), (change_c / steps_c).clamp(-1.5, 1.5)
        same = [x * s.clamp(-1, 1) for x, s in ((q[:, :COARSE], symbols[:, :COARSE]), (q_c, symbols_c))]
        levels = [(x.abs() + 1).log() / 2 for x in (change[:, :COARSE], change_c)]
        own = torch.cat([q.abs(), *same, *levels], 1)
        return around, own

    def forward(self, decoded: Tensor, shown: Tensor, steps: Tensor, halved: Tensor) -> Tensor:
        """Return how much is shown, (B,2,h,w)."""
        around, own = self.seen(decoded, shown, steps)
        return self.decided(around, own, steps, halved) * ~edged(around, steps)

    def decided(self, around: Tensor, own: Tensor, steps: Tensor, halved: Tensor) -> Tensor:
        """Return how much is shown of blocks of which that is `seen`, (B,2,h,w), but for `edged` ones."""
        described = torch.cat([steps.log().flatten(1) / 2 - 1, halved], 1)[:, :, None, None]
        films = self.films(F.leaky_relu(self.told(described), SLOPE)).chunk(4, 1)
        t = F.leaky_relu(self.around(around) * (1 + films[0]) + films[1], SLOPE)
        for spread, mixed in zip(self.spread, self.mixed, strict=True):
            t = t + F.leaky_relu(mixed(spread(t)), SLOPE)
        o = F.leaky_relu(self.own(own) * (1 + films[2]) + films[3], SLOPE)
        t = F.leaky_relu(self.joined(torch.cat([t, o], 1)), SLOPE)
        opened: Tensor = Cut.apply(SPAN * torch.sigmoid(self.leave(t)) - (SPAN - 1) / 2)  # type: ignore[no-untyped-call]
        return whole(opened * STEPS) / STEPS


def edged(around: Tensor, steps: Tensor) -> Tensor:
    """Return which blocks (B,1,h,w) have one luma, as ones next to them whose luma is farther than any slope leads; of what is `seen`.

    A slope from one to the other would have left a coefficient in them. So what is shown are edges on the grid of blocks, as
    codes and pictures of large pixels have them, and JPEG may have them exactly.
    """
    flat = around[:, 1:COEFFICIENTS].amax(1, keepdim=True) < 0.5
    luma = around[:, MEAN : MEAN + 1] * 512
    far = STEEP * steps[:, 0, [0, 1, BLOCK]].amax(1)[:, None, None, None]

    def most(x: Tensor) -> Tensor:
        return F.max_pool2d(x, 3, 1, 1)

    above, below = (most(torch.where(flat, x, torch.full_like(x, -LARGEST))) - x for x in (luma, -luma))
    edge = flat & (torch.maximum(above, below) > far)
    return flat & (most(edge.float()) > 0)


def whole(x: Tensor) -> Tensor:
    """Round, with the gradient of what is not rounded."""
    return x + (x.detach().round() - x.detach())


def gains(gate: Tensor, errors: Tensor, parts: int = 1) -> Tensor:
    """Return the dB gained, (B * parts^2,2): of luma in whole levels, and of RGB, in each of parts x parts of the pictures.

    gate (B,2,h,w), multiples of 1 / STEPS; errors (B,h,w,STEPS+1,STEPS+1,2) as in `Judged`. The gradient is that of the errors at the
    shares next to these.
    """
    places = gate.movedim(1, 3) * STEPS
    at = places.detach().round().long()

    def found(shift_luma: int, shift_colors: int) -> tuple[Tensor, Tensor]:
        moved = (at + torch.tensor([shift_luma, shift_colors])).clamp(0, STEPS)
        index = moved[..., 0] * (STEPS + 1) + moved[..., 1]
        return moved, errors.flatten(3, 4).gather(3, index[..., None, None].expand(*index.shape, 1, 2))[..., 0, :]

    made = found(0, 0)[1]
    for axis, shift in enumerate(((1, 0), (0, 1))):
        (high, after), (low, before) = found(*shift), found(-shift[0], -shift[1])
        slope = (after - before) / (high - low)[..., axis, None]
        made = made + (places - places.detach())[..., axis, None] * slope
    scale = torch.tensor([1, 3]) * BLOCK**2

    def decibels(squares: Tensor) -> Tensor:
        means = F.avg_pool2d((squares / scale).movedim(3, 1), squares.shape[1] // parts)
        return 10 * torch.log10(means.movedim(1, 3).flatten(0, 2) + LEVELS)

    return decibels(errors[:, :, :, 0, 0]) - decibels(made)


def loss_of(gate: Tensor, errors: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss of a batch, and the dB gained (B,2).

    A dB lost of whole pictures weighs LOST times what one gained weighs; one lost in a part of it, LOST_IN_PARTS times.
    """
    gain, parts = gains(gate, errors), gains(gate, errors, PARTS)
    lost = LOST * (MARGIN - gain).clamp(min=0).mean() + LOST_IN_PARTS * (-parts).clamp(min=0, max=MOST).mean()
    return lost - gain.clamp(max=MOST).mean() + SHUT * (1 - gate).mean(), gain


def gate_graph(net: Gate) -> onnx.ModelProto:
    """Pixels decoded and shown (H,W,3) uint8, H and W multiples of 8; steps (1,128,1,1), halved (1,2,1,1) -> open (1,2,H/8,W/8) in 0..1."""
    g = Graph("gate", in_bytes=True)
    decoded, shown = (
        _levels(g, g.input(name, ["height", "width", 3], TensorProto.UINT8)) for name in ("decoded", "shown")
    )
    steps, halved = g.input("steps", [1, 2 * COEFFICIENTS, 1, 1]), g.input("halved", [1, 2, 1, 1])
    chosen = np.eye(2 * COEFFICIENTS, dtype=np.float32)[[*ORDER, *(2 * [COEFFICIENTS + k for k in LOW])]]
    ordered = g.conv(steps, chosen[:, :, None, None], fine=True)
    steps_y = g.slice(ordered, [0], [COEFFICIENTS], [1], [1])
    steps_c = g.slice(ordered, [COEFFICIENTS], [COEFFICIENTS + 2 * COARSE], [1], [1])
    basis = numpy(net.dct).reshape(-1, 1, BLOCK, BLOCK)
    planes = np.array(FROM_RGB, np.float32)[[*([0] * COEFFICIENTS), *([1] * COARSE), *([2] * COARSE)], :, None, None]
    kernel = g.op("Mul", g.constant(planes), g.constant(np.concatenate([basis, basis[:COARSE], basis[:COARSE]])))
    middle = np.zeros(len(planes), np.float32)
    middle[0] = -128 * BLOCK

    def coefficients(rgb: str, bias: Array) -> tuple[str, str]:
        found = g.op("Conv", rgb, kernel, g.constant(bias), kernel_shape=[BLOCK] * 2, strides=[BLOCK] * 2)
        return g.slice(found, [0], [COEFFICIENTS], [1], [1]), g.slice(found, [COEFFICIENTS], [len(planes)], [1], [1])

    def steps_of(x: str, step: str, most: float) -> str:
        return g.clip(g.op("Div", x, step), -most, most)

    def log(x: str, share: float) -> str:
        return g.op("Mul", g.op("Log", g.op("Add", g.op("Abs", x), g.constant(1.0))), g.constant(share))

    def is_none(x: str) -> str:
        """Return 1 where a sum that is not negative is 0, else 0."""
        return g.op("Sub", g.constant(1.0), g.clip(g.op("Mul", x, g.constant(LARGEST)), 0, 1))

    def larger(x: str, y: str) -> str:
        return g.op("Add", x, g.op("Relu", g.op("Sub", y, x)))

    luma, colors = coefficients(decoded, middle)
    symbols, symbols_c = steps_of(luma, steps_y, 2.5), steps_of(colors, steps_c, 2.5)
    firsts = [g.slice(x, [i], [i + 1], [1], [1]) for x, i in ((luma, 0), (colors, 0), (colors, COARSE))]
    means = g.op("Mul", g.op("Concat", *firsts, axis=1), g.constant(1 / 512))
    dark = g.clip(g.op("Sub", g.constant(1.0), decoded), 0, 1)
    bright = g.clip(g.op("Sub", decoded, g.constant(254.0)), 0, 1)
    ends = [g.op("AveragePool", x, kernel_shape=[BLOCK] * 2, strides=[BLOCK] * 2) for x in (dark, bright)]

    def low(x: str) -> str:
        return g.slice(x, [0], [COARSE], [1], [1])

    sizes = [g.op("Abs", symbols), g.op("Abs", symbols_c), log(low(luma), 1 / 4), log(colors, 1 / 4)]
    around = g.op("Concat", *sizes, means, *ends, axis=1)
    change, change_c = coefficients(g.op("Sub", shown, decoded), 0 * middle)
    q, q_c = steps_of(change, steps_y, 1.5), steps_of(change_c, steps_c, 1.5)
    same = [g.op("Mul", x, g.clip(s, -1, 1)) for x, s in ((low(q), low(symbols)), (q_c, symbols_c))]
    own = g.op("Concat", g.op("Abs", q), *same, log(low(change), 1 / 2), log(change_c, 1 / 2), axis=1)

    def conv(x: str, m: nn.Module, rows: slice = slice(None), offset: float = 0.0, **words: Any) -> str:
        assert isinstance(m, nn.Conv2d)
        assert m.bias is not None
        return g.conv(x, numpy(m.weight[rows]), numpy(m.bias[rows]) + np.float32(offset), **words)

    def leaky(x: str) -> str:
        return g.op("LeakyRelu", x, alpha=SLOPE)

    logs = g.op("Sub", g.op("Mul", g.op("Log", steps), g.constant(0.5)), g.constant(1.0))
    described = leaky(conv(g.op("Concat", logs, halved, axis=1), net.told))
    width = net.joined.out_channels
    films = [conv(described, net.films, slice(i * width, (i + 1) * width), 1.0 - i % 2) for i in range(4)]
    t = leaky(g.op("Add", g.op("Mul", conv(around, net.around), films[0]), films[1]))
    for spread, mixed in zip(net.spread, net.mixed, strict=True):
        t = g.op("Add", t, leaky(conv(conv(t, spread, pad=2, groups=width), mixed)))
    o = leaky(g.op("Add", g.op("Mul", conv(own, net.own), films[2]), films[3]))
    joined = leaky(conv(g.op("Concat", t, o, axis=1), net.joined))
    wide = g.op("Mul", g.op("Sigmoid", conv(joined, net.leave)), g.constant(SPAN))
    opened = g.clip(g.op("Sub", wide, g.constant((SPAN - 1) / 2)), 0, 1)
    every = g.constant(np.ones((1, COEFFICIENTS - 1, 1, 1), np.float32))
    coded = g.op("Relu", g.op("Sub", g.slice(sizes[0], [1], [COEFFICIENTS], [1], [1]), g.constant(0.5)))
    flat = is_none(g.op("Conv", coded, every, kernel_shape=[1, 1]))
    first, second, third = (g.slice(steps_y, [i], [i + 1], [1], [1]) for i in (0, 1, LOW.index(BLOCK)))
    far = larger(larger(first, second), third)
    around_one = np.eye(9, dtype=np.float32)[[0, 1, 2, 3, 5, 6, 7, 8]].reshape(8, 1, 3, 3)
    own_too = around_one.copy()
    own_too[:, :, 1, 1] = -1
    words = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    away = g.op("Abs", g.op("Conv", firsts[0], g.constant(own_too), **words))
    steep = g.op(
        "Sub", g.constant(1.0), is_none(g.op("Relu", g.op("Sub", away, g.op("Mul", far, g.constant(float(STEEP))))))
    )
    both = g.op("Mul", g.op("Mul", steep, g.op("Conv", flat, g.constant(around_one), **words)), flat)
    near = g.op("Conv", both, g.constant(np.ones((1, 8, 3, 3), np.float32)), **words)
    edge = g.op("Mul", g.clip(near, 0, 1), flat)
    opened = g.op("Mul", opened, g.op("Sub", g.constant(1.0), edge))
    stepped = g.op("Round", g.op("Mul", opened, g.constant(STEPS)))
    g.output(g.op("Mul", stepped, g.constant(1 / STEPS)), "open", [1, 2, "rows", "columns"])
    return g.model(named=True)


def _levels(g: Graph, pixels: str) -> str:
    """Turn pixels (H,W,3) uint8 into levels (1,3,H,W)."""
    levels = g.op("Cast", g.op("Transpose", pixels, perm=[2, 0, 1]), to=TensorProto.FLOAT)
    return g.op("Unsqueeze", levels, g.constant([0], np.int64))


def _restored() -> Model:
    return next(model for model in models.models() if model.number == RESTORED)


def export(a: argparse.Namespace) -> None:
    """Write the graph, and the entry of the manifest, which shares the network of RESTORED."""
    net = Gate().eval()
    net.load_state_dict(training.weights(a.weights))
    entry = _restored()
    release = Release(a.out, a.id, "restored", "restored", entry.constants | {"gate_margin": REACH})
    release.enter(
        release.shared(RESTORED, ["restore"]) | release.networks({"gate": Network(gate_graph(net), "decoder")})
    )


@dataclass(frozen=True)
class Judged:
    """What the gate decides on, and what comes of it, of N pairs.

    around, own: what `Gate.seen` returns, (N,C,h,w) in half precision. errors (N,h,w,STEPS+1,STEPS+1,2): `errors_of`. steps (N,2,64),
    halved (N,2), kinds (N,).
    """

    around: Tensor
    own: Tensor
    errors: Tensor
    steps: Tensor
    halved: Tensor
    kinds: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, pairs: Pairs, errors: npt.NDArray[np.float32]) -> Judged:
        net, parts = Gate(), list[tuple[Tensor, Tensor]]()
        for index in np.array_split(np.arange(len(pairs)), -(-len(pairs) // 50)):
            _, decoded, shown = pairs.pictures(index)
            around, own = net.seen(decoded, shown, pairs.told(index)[0])
            parts.append((around.half(), own.half()))
        around, own = (torch.cat(some) for some in zip(*parts, strict=True))
        told = pairs.told(np.arange(len(pairs)))
        return cls(around, own, torch.from_numpy(errors), *told, torch.from_numpy(pairs.kinds))

    def decided(self, net: Gate, index: npt.NDArray[np.int64]) -> Tensor:
        """Return what a gate decides of some pairs."""
        return net.decided(self.around[index].float(), self.own[index].float(), self.steps[index], self.halved[index])

    def loss(self, net: Gate, index: npt.NDArray[np.int64], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Return `loss_of` of some pairs, half of them turned over each way, with noise in what the gate sees."""
        axes = [axis for axis in (1, 2) if rng.random() < 0.5]
        seen = [x[index].float().flip([axis + 1 for axis in axes]) for x in (self.around, self.own)]
        seen = [x + NOISE * torch.randn_like(x) for x in seen]
        return loss_of(net.decided(*seen, self.steps[index], self.halved[index]), self.errors[index].flip(axes))

    def shares(self) -> npt.NDArray[np.float64]:
        """Return how often pairs are drawn, (N,): those that lose without a gate more, those that restoring left as they were seldom."""
        n, rows, columns = self.errors.shape[:3]
        gain = gains(torch.ones(1, 2, 1, 1).expand(n, 2, rows, columns), self.errors)
        least, most = gain.aminmax(dim=1)
        below, times = LOSES
        found = torch.where(least < below, times, 1.0)
        found[(least.abs() < 1e-6) & (most.abs() < 1e-6)] = 0.1
        return found.double().numpy()


@torch.no_grad()
def judgement(net: Gate, judged: Judged, held: npt.NDArray[np.int64]) -> str:
    """Return what the log says of held-out pairs: dB gained by photographs, share of all that lose more than 0.05, and the most lost."""
    found = [
        gains(judged.decided(net, index), judged.errors[index]) for index in np.array_split(held, -(-len(held) // 50))
    ]
    gain = torch.cat(found)
    photographs = gain[judged.kinds[held] == 0]
    rows = [photographs.mean(0), 100 * (gain < -0.05).float().mean(0), gain.amin(0)]
    words = ("photographs", "lose, %", "least")
    return "".join(f"  {word} {luma:.3f}/{rgb:.3f}" for word, (luma, rgb) in zip(words, rows, strict=True))


def train(a: argparse.Namespace) -> None:
    """Train, or go on with a run that was cut; its pairs and their errors are made first, and kept in its folder."""
    torch.manual_seed(0)
    a.run.mkdir(parents=True, exist_ok=True)
    path, counted = a.run / "pairs.npz", a.run / "errors.npy"
    if not path.exists():
        patches, rng = Patches(a.patches, ENLARGED), np.random.default_rng(1)
        made(_restored(), patches, a.screens, a.pairs, a.more, a.crop, rng).save(path)
    pairs, net = Pairs.load(path), Gate()
    if not counted.exists():
        np.save(counted, errors_of(pairs, STEPS))
    judged = Judged.of(pairs, np.load(counted))
    everything = np.arange(len(pairs))
    learnt, held = everything[everything % HELD_OUT > 0], everything[::HELD_OUT]
    shares = judged.shares()[learnt]
    shares /= shares.sum()

    def batch(rng: np.random.Generator, _: float) -> tuple[Tensor, dict[str, float]]:
        index = rng.choice(learnt, a.batch, p=shares)
        loss, gain = judged.loss(net, index, rng)
        lost = (-gain.detach()).clamp(min=0).mean()
        return loss, {"gained": gain.mean().item(), "lost": lost.item()}

    training.loop(net, ("log_",), a, lambda: None, batch, lambda average: judgement(average, judged, held))


def add_words(parser: argparse.ArgumentParser) -> None:
    """Set what `train` has beside the words of every recipe."""
    parser.set_defaults(batch=16, lr=2e-3, warm_up=50, every=100)
    parser.add_argument(
        "--screens", type=Path, help="folder of folders of pictures of screens; drawings instead of them if left out"
    )
    parser.add_argument("--pairs", type=int, default=6000, help="pictures that are restored to learn from")
    parser.add_argument("--more", type=int, default=9000, help="others, of which those are learnt from that lose")


if __name__ == "__main__":
    command.run(__doc__, train, export, add_words, counts=False)
