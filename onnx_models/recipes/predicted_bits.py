"""Bits of a code by a network that predicts them, beside contexts of neighbours.

    planes before ─3x3─┬─1x1─▶ hidden ─1x1─▶ index of this bit ─▶ one of 64 probabilities of a 1
    first half of this ┘                 all integers (`common/exact.py`)

Li 2018 and Toderici 2017 let a network predict each bit from bits before it. Here a plane is a bit of the code for all places, and
goes in two halves, as a chessboard has black and white. A bit sees all planes before its own, at its place and the eight around
it; one of the second half sees the first half of its own plane at its four sides too. Nothing is computed in floating point that
could differ: the index is that of an integer.

    python -m onnx_models.recipes.predicted_bits toderici2017 PATCHES PICTURES --steps 300

learns from the codes of patches and prints the bits of the codes of pictures: in the contexts that ship, by the 64 probabilities as
they were counted in the patches, and by 64 that follow what they code (7.4 of FORMAT.md) from there on.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pillow_lic.engine import bits, models
from pillow_lic.engine.models import Model
from pillow_lic.families import li2018
from pillow_lic.families.shared import recurrence, sign_streams, transform

from .common import contexts
from .common.data import Patches, whole_pictures
from .common.exact import ACTIVATION_MAX, UNIT, ExactConv, proved

TABLES, WIDTH = 64, 4
"""Probabilities to choose from; how far one is from the next, in sixteenths of a natural logarithm of odds."""
HIDDEN = 4
"""Hidden channels of a plane."""
CONTEXTS = {"li2018": 22, "toderici2017": 27}
"""Numbers of the models that code in contexts of neighbours, by name."""
LEVELS = {"li2018": (146, 512, 777, 1024), "toderici2017": (0, 146, 439, 1024)}
"""The levels that are measured; codes to learn from are of all levels."""
Pixels = npt.NDArray[np.uint8]


def with_contexts(number: int) -> Model:
    """Return a model that codes in contexts of neighbours, which may be superseded by one that predicts: StopIteration if there is none."""
    return next(model for model in models.models() if model.number == number)


class Code(NamedTuple):
    """Bits of a picture in the order of its stream, (planes, h, w) of 0 and 1, those that are coded, and what they take as it ships."""

    bits: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]
    shipped: float


def code_of(model: Model, pixels: Pixels, level: int) -> Code:
    """Return the code of pixels (h, w, 3) by a model of LEVELS; the map of li2018 and the counts of toderici2017 do not count."""
    if model.procedure == "li2018":
        height, width = (v // 8 * 8 for v in pixels.shape[:2])
        run = model.run("analysis", pixels=pixels[:height, :width], level=transform.as_input(level))
        codes, need = (v[0] for v in run)
        share = 1 / (1 + np.exp(-need[0].astype(np.float64)))
        found = list(li2018.parts(model, codes > 0, np.rint(share * (li2018.MAP_LEVELS - 1)).astype(np.int64), level))
        chains = [(planes, classes, mask) for planes, classes, mask in found if mask is not None]
        starts = model.starts
    else:
        writes = models.choose(model.name)  # with the networks of the superseded one, whose encoder is not kept
        signs, own = recurrence.everywhere(writes, pixels, level), sign_streams.coder(model)
        chains = [((signs.values > 0).astype(np.uint8), own.classes, signs.values != 0)]
        starts = own.starts
    coder = bits.Encoder(starts)
    for planes, classes, mask in chains:
        coder.write_planes(planes, classes, mask)
    shape = (-1, *chains[0][0].shape[2:])
    return Code(
        np.concatenate([planes.reshape(shape) for planes, _, _ in chains]),
        np.concatenate([mask.reshape(shape) for _, _, mask in chains]),
        coder.cost(),
    )


class Predictor(nn.Module):
    """Bits (B,P,h,w) as -UNIT, UNIT, 0 where none is coded -> sixteenths of their logarithms of odds, whole numbers (B,P,h,w)."""

    def __init__(self, planes: int) -> None:
        super().__init__()
        self.planes = planes
        self.around = ExactConv(planes, planes, 3, UNIT, signed=True)
        self.beside = ExactConv(planes, planes, 3, UNIT, signed=True)
        seen = 3 * planes + 1
        limits = [UNIT] * planes + [ACTIVATION_MAX] * (2 * planes) + [UNIT]
        self.enter = ExactConv(seen, HIDDEN * planes, 1, limits)
        self.leave = ExactConv(
            seen + HIDDEN * planes, planes, 1, [*limits, *[ACTIVATION_MAX] * (HIDDEN * planes)], signed=True
        )

        earlier = torch.tril(torch.ones(planes, planes), -1)
        sees = torch.cat([earlier, earlier, torch.eye(planes), torch.ones(planes, 1)], 1)
        own = torch.eye(planes).repeat_interleave(HIDDEN, 1)
        cross = torch.tensor([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])
        centre = torch.ones(3, 3)
        centre[1, 1] = 0
        nn.init.normal_(self.around.weight, 1 / 8, 0.05)
        nn.init.normal_(self.beside.weight, 1 / 4, 0.05)
        nn.init.normal_(self.enter.weight, 0, planes**-0.5)
        nn.init.normal_(self.leave.weight, 0, 0.01)
        only(self.around, centre)
        only(self.beside, cross)
        only(self.enter, sees.repeat_interleave(HIDDEN, 0)[:, :, None, None])
        only(self.leave, torch.cat([sees, own], 1)[:, :, None, None])
        for layer in (self.around, self.beside, self.enter, self.leave):
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        second = torch.tensor(np.indices(x.shape[2:]).sum(0) % 2, dtype=x.dtype)
        around = self.around(x).clamp(-ACTIVATION_MAX, ACTIVATION_MAX)
        beside = self.beside(x * (1 - second)).clamp(-ACTIVATION_MAX, ACTIVATION_MAX) * second
        seen = torch.cat([x, around, beside, (UNIT * second).expand(len(x), 1, -1, -1)], 1)
        odds: Tensor = self.leave(torch.cat([seen, self.enter(seen)], 1))
        return odds

    def check(self) -> None:
        """Raise ValueError where a sum could leave the whole numbers that float32 holds (`exact.proved`)."""
        for layer in (self.around, self.beside, self.enter, self.leave):
            proved(layer)

    def macs(self) -> int:
        """Return the multiply-adds of a place for all planes, those of weights that are always 0 not counted."""
        layers = (self.around, self.beside, self.enter, self.leave)
        return int(sum(layer.kept.expand_as(layer.weight).sum() for layer in layers))


def only(layer: ExactConv, mask: Tensor) -> None:
    """Keep the weights of a layer at 0 where a mask that broadcasts to them is 0."""
    layer.register_buffer("kept", mask)
    layer.weight.data.mul_(mask)
    layer.weight.register_hook(lambda gradient: gradient * mask)


def index_of(odds: Tensor) -> Tensor:
    """Return the numbers, 0 to TABLES - 1, of the probabilities for sixteenths of logarithms of odds, whole numbers."""
    return torch.floor((odds + WIDTH / 2) / WIDTH).add(TABLES // 2).clamp(0, TABLES - 1)


def inputs(code: Code) -> Tensor:
    """Return a code as `Predictor` takes it, (1,P,h,w)."""
    return torch.from_numpy(np.where(code.mask, UNIT * (2 * code.bits.astype(np.float32) - 1), 0).astype(np.float32))[
        None
    ]


def learn(net: Predictor, codes: list[Code], steps: int, batch: int, rate: float) -> None:
    """Train by the bits of `batch` codes a step, all of one size."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    optimiser = torch.optim.Adam(net.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps)
    for step in range(steps):
        some = [codes[i] for i in rng.integers(0, len(codes), batch)]
        x = torch.cat([inputs(code) for code in some])
        odds = net(x) / UNIT
        nats = F.softplus(torch.where(x > 0, -odds, odds)) * (x != 0)
        loss = nats.sum() / np.log(2) / (x != 0).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % 50 == 49:
            print(f"step {step + 1}  {loss.item():.4f} bits for a bit", flush=True)


@torch.no_grad()
def picked(net: Predictor, code: Code) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint8]]:
    """Return the indexes of the bits that are coded, and the bits: plane by plane, the first half of each before the second."""
    second = np.indices(code.bits.shape[1:]).sum(0) % 2

    def in_order(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate([values[:, second == 0], values[:, second == 1]], 1)

    index = index_of(net(inputs(code)))[0].numpy().astype(np.uint16)
    coded = in_order(code.mask)
    return in_order(index)[coded], in_order(code.bits)[coded]


def counted(net: Predictor, codes: list[Code]) -> npt.NDArray[np.uint16]:
    """Return the 64 probabilities of a 1, in 65536ths, as they are in codes."""
    counts = np.zeros((TABLES, 2))
    for code in codes:
        np.add.at(counts, picked(net, code), 1)
    return bits.stored_starts(contexts.stored(counts))


def predicted(net: Predictor, tables: npt.NDArray[np.uint16], code: Code) -> tuple[float, float]:
    """Return the bits that a code takes by the probabilities `tables`, and by such that begin there and follow what they code."""
    index, ones = picked(net, code)
    share = tables[index] / 65536
    fixed = -np.log2(np.where(ones > 0, share, 1 - share)).sum()
    coder = bits.Encoder(tables)
    coder.write(ones, index)
    return float(fixed), coder.cost()


def codes_of(model: Model, patches: list[Pixels]) -> Iterator[Code]:
    """Yield the codes of the upper left 256x256 pixels of patches, at levels that run through the scale."""
    for number, patch in enumerate(patches):
        yield code_of(model, np.ascontiguousarray(patch[:256, :256]), 97 * number % 1025)


def add_schedule(p: argparse.ArgumentParser) -> None:
    """Add what a training takes."""
    p.add_argument("--samples", type=int, default=300, help="patches whose codes are learnt from")
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("--batch", type=int, default=4, help="patches of a step")
    p.add_argument("--rate", type=float, default=0.02, help="the highest learning rate")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", choices=LEVELS)
    p.add_argument("patches", type=Path)
    p.add_argument("pictures", type=Path)
    add_schedule(p)
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    model = with_contexts(CONTEXTS[a.model])
    codes = list(codes_of(model, Patches(a.patches).some(a.samples)))
    net = Predictor(len(codes[0].bits))
    learn(net, codes, a.steps, a.batch, a.rate)
    net.check()
    print(f"{net.macs()} multiply-adds for a place of {len(codes[0].bits)} planes")
    tables = counted(net, codes)
    pictures = [picture[0].numpy() for picture in whole_pictures(a.pictures)]
    for level in LEVELS[a.model]:
        rows = []
        for picture in pictures:
            code = code_of(model, picture, level)
            rows.append((code.mask.sum(), code.shipped, *predicted(net, tables, code)))
        raw, shipped, fixed, adaptive = np.sum(rows, 0)
        print(
            f"level {level}: {raw:.0f} bits raw, {shipped:.0f} in contexts of neighbours; predicted {100 * (fixed / shipped - 1):+.1f} %, "
            f"and adaptive {100 * (adaptive / shipped - 1):+.1f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
