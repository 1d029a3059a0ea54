"""Nonlinear Transform Coding on toy sources: Balle et al., "Nonlinear transform coding" (IEEE JSTSP 2020, arXiv 2007.03034).

    python -m onnx_models.recipes.ntc2020 toy.svg --minutes 4

Two sources that can be drawn: a Laplacian (1-D) and a banana (2-D: a Gaussian with deviations 3 and 0.5, bent by 0.1 x^2 and turned by 240
degrees). Three codes of each, for R + D (bits and squared error, lambda 1):

- linear: the orthonormal transform that decorrelates, one step for all coefficients, rounding, a linear synthesis;
- VQ: entropy-constrained vector quantisation (Chou, Lookabaugh and Gray 1989), which no block code of that dimension beats;
- NTC: analysis and synthesis are networks trained with a stand-in for rounding (`common/quantisers.py`), then rounding, with the mode of
  each latent at a whole number.

The paper's idea: with nonlinear transforms scalar rounding partitions the space nearly as freely as a vector quantiser. Rates here are
entropies of the indexes, errors are of the reconstructions, both over fresh samples. The picture is drawn from these numbers alone.

Kept: sources, networks (1-50-50-1 and 2-100-100-2 with softplus), batches of 1024, Adam. Changed: a prior of three logistics for each
latent; fewer steps, whose rate falls by cosine.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from .common.factorised import Prior
from .common.quantisers import KINDS, quantised
from .common.schedule import rate_at, set_rate

Points = npt.NDArray[np.float64]

SAMPLES, BATCH = 200_000, 1024
WORDS = {"laplace": 128, "banana": 256}
"""Words that a vector quantiser begins with; most die."""
HIDDEN = {"laplace": 50, "banana": 100}
MODE_EVERY = 100
"""Steps between looks at the modes of the prior."""
ANCHOR = torch.zeros(1, dtype=torch.int64)
"""The priors of the toy are those of the first anchor."""
ASKED = {"laplace": 1.463, "banana": 3.30}
"""R + D that NTC must reach to show the paper's claim."""


def source(name: str, count: int, seed: int) -> Points:
    """Return samples (count, 1) of the Laplacian or (count, 2) of the banana."""
    rng = np.random.default_rng(seed)
    if name == "laplace":
        return rng.laplace(size=(count, 1))
    x, y = 3 * rng.normal(size=count), 0.5 * rng.normal(size=count)
    angle = math.radians(240)
    turned = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.stack([x, y + 0.1 * x**2], 1) @ turned.T


@dataclass(frozen=True)
class Code:
    """Samples as a code has them: the number of the cell and the reconstruction of each, (n,) and (n, d)."""

    cells: npt.NDArray[np.int64]
    shown: Points

    def rate(self) -> float:
        """Return the entropy of the cells in bits."""
        shares = np.bincount(np.unique(self.cells, return_inverse=True)[1]) / len(self.cells)
        return float(-(shares * np.log2(shares)).sum())

    def error(self, samples: Points) -> float:
        """Return the mean squared error of a sample."""
        return float(((self.shown - samples) ** 2).sum(1).mean())

    def cost(self, samples: Points) -> float:
        return self.rate() + self.error(samples)


class Coder(Protocol):
    """A code of a source, by its name in the picture."""

    name: str

    def code(self, samples: Points) -> Code:
        """Return what becomes of samples (n, d)."""


def numbered(indexes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return one number for each row of whole numbers (n, d), the same for equal rows everywhere."""
    return ((indexes + 1000) * 2001 ** np.arange(indexes.shape[1])).sum(1)


class Linear:
    """The decorrelating transform with the best step of 81, and the linear synthesis with the least error."""

    name = "linear"

    def __init__(self, samples: Points) -> None:
        self.mean = samples.mean(0)
        self.axes = np.linalg.eigh(np.cov(samples.T).reshape(samples.shape[1], -1))[1]
        self.step, self.synthesis = 1.0, self.axes.T
        found = [self._fit(samples, step) for step in np.linspace(1.0, 5.0, 81)]
        self._fit(samples, min(found)[1])

    def _fit(self, samples: Points, step: float) -> tuple[float, float]:
        """Take a step and the synthesis that suits it; return R + D and the step."""
        self.step = float(step)
        indexes = self._indexes(samples)
        self.synthesis = np.linalg.lstsq(indexes.astype(float), samples - self.mean, rcond=None)[0]
        return self.code(samples).cost(samples), self.step

    def _indexes(self, samples: Points) -> npt.NDArray[np.int64]:
        return np.rint((samples - self.mean) @ self.axes / self.step).astype(np.int64)

    def code(self, samples: Points) -> Code:
        indexes = self._indexes(samples)
        return Code(numbered(indexes), indexes @ self.synthesis + self.mean)


class VectorQuantiser:
    """Words and their bits: each sample gets the word of the least bits + squared error, each word becomes the mean of its samples."""

    name = "VQ"

    def __init__(self, samples: Points, words: int, rounds: int = 200) -> None:
        rng = np.random.default_rng(0)
        self.words, self.bits = (
            samples[rng.choice(len(samples), words, replace=False)],
            np.full(words, math.log2(words)),
        )
        for _ in range(rounds):
            cells = self.code(samples).cells
            counts = np.bincount(cells, minlength=len(self.words))
            alive = counts > 0
            sums = np.stack([np.bincount(cells, column, len(self.words)) for column in samples.T], 1)
            self.words = sums[alive] / counts[alive, None]
            self.bits = -np.log2(counts[alive] / len(samples))

    def code(self, samples: Points) -> Code:
        cells = np.empty(len(samples), np.int64)
        for begin in range(0, len(samples), 4096):
            some = samples[begin : begin + 4096]
            distance = (some**2).sum(1)[:, None] - 2 * some @ self.words.T + (self.words**2).sum(1)
            cells[begin : begin + 4096] = (distance + self.bits).argmin(1)
        return Code(cells, self.words[cells])


class Ntc(nn.Module):
    """Two networks and a prior of their latents, as many as the source has dimensions."""

    name = "NTC"

    def __init__(self, dimensions: int, hidden: int) -> None:
        super().__init__()
        d = dimensions
        self.analysis, self.synthesis = (
            nn.Sequential(
                nn.Linear(d, hidden), nn.Softplus(), nn.Linear(hidden, hidden), nn.Softplus(), nn.Linear(hidden, d)
            )
            for _ in range(2)
        )
        self.prior = Prior(d)
        self.prior.centre.data[:] = torch.tensor([-2.0, 0.0, 2.0])[:, None]
        self.register_buffer("mode", torch.zeros(d))

    @torch.no_grad()
    def find_mode(self) -> None:
        """Move what is rounded to 0 to the most probable value of each latent: a peak between two whole numbers would cost a bit."""
        places = torch.linspace(-20, 20, 2001)[:, None].expand(-1, len(self.mode))
        density = self.prior.below(places[..., None, None] + 0.01, ANCHOR) - self.prior.below(
            places[..., None, None], ANCHOR
        )
        self.mode[:] = places[density[:, :, 0, 0].argmax(0), 0]

    def losses(self, x: Tensor, quantiser: str, progress: float) -> Tensor:
        """Samples (n, d) -> R + D of each, with a stand-in for rounding."""
        coded, shown = quantised(self.analysis(x) - self.mode, quantiser, training=True, progress=progress)
        bits = self.prior.bits((coded + self.mode)[..., None, None], ANCHOR).sum((1, 2, 3))
        return bits + ((self.synthesis(shown + self.mode) - x) ** 2).sum(1)

    @torch.no_grad()
    def code(self, samples: Points) -> Code:
        y = self.analysis(torch.from_numpy(samples).float()) - self.mode
        rounded = y.round()
        indexes = rounded.numpy().astype(np.int64)
        return Code(numbered(indexes), self.synthesis(rounded + self.mode).double().numpy())


def trained(name: str, quantiser: str, seconds: float) -> Ntc:
    """Return the networks of a source after that time of training."""
    torch.manual_seed(0)
    dimensions = source(name, 1, 0).shape[1]
    net = Ntc(dimensions, HIDDEN[name])
    optimizer = torch.optim.Adam(net.parameters())
    begun, number = time.time(), 0
    while (done := (time.time() - begun) / seconds) < 1:
        set_rate(optimizer, 3e-3 * rate_at(done, number, decay_from=0.0, warm_up=1))
        number += 1
        samples = torch.from_numpy(source(name, BATCH, number)).float()
        optimizer.zero_grad()
        net.losses(samples, quantiser, done).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if number % MODE_EVERY == 0:
            net.find_mode()
    print(f"{name}, {quantiser}: {number} steps", flush=True)
    return net


SIDE, GAP, TOP = 300, 20, 24
"""Width of a panel, between panels, and of the line of figures above each, in units of the picture."""
SPAN = {"laplace": 8.0, "banana": 11.0}
"""Half of what a panel shows of a source, in units of the source."""
HEIGHT = {"laplace": 90, "banana": SIDE}
COLORS = {"linear": "#4477aa", "VQ": "#ee6677", "NTC": "#228833"}


def dots(places: Points, colour: str, size: float) -> str:
    """Return places (n, 2) in units of a panel as one element of SVG; those outside are left out."""
    inside = places[((places > 0) & (places < SIDE)).all(1)]
    path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in inside)
    return f'<path d="{path}" stroke="{colour}" stroke-width="{size}" stroke-linecap="round"/>'


def laplace_panel(code: Coder) -> list[str]:
    """Return the density, the edges between cells and the reconstructions."""
    span, ground = SPAN["laplace"], HEIGHT["laplace"]
    line = np.linspace(-span, span, 2001)[:, None]
    made, x = code.code(line), (line[:, 0] + span) / (2 * span) * SIDE
    density = " ".join(
        f"{at:.0f},{ground - 35 * math.exp(-abs(v)):.1f}" for at, v in zip(x[::20], line[::20, 0], strict=True)
    )
    edges = "".join(f"M{at:.1f} {ground - 60}V{ground}" for at in x[1:][np.diff(made.cells) != 0])
    shown = np.unique(np.round(made.shown[:, 0], 2))
    return [
        f'<path d="M0 {ground}H{SIDE}" stroke="#999"/><polyline points="{density}" fill="none" stroke="#999"/>',
        f'<path d="{edges}" stroke="{COLORS[code.name]}"/>',
        dots(
            np.stack([(shown + span) / (2 * span) * SIDE, np.full(len(shown), ground - 1.0)], 1), COLORS[code.name], 6
        ),
    ]


def banana_panel(code: Coder) -> list[str]:
    """Return samples, the edges between cells and the reconstructions."""
    span, cells = SPAN["banana"], 100
    middle, size = source("banana", 20_000, 1).mean(0), SIDE / cells

    def on_panel(points: Points) -> Points:
        return ((points - middle) / span + 1) / 2 * SIDE

    places = ((np.arange(cells) + 0.5) / cells * 2 - 1) * span
    grid = np.stack(np.meshgrid(places, places), -1).reshape(-1, 2) + middle
    table = code.code(grid).cells.reshape(cells, cells)
    upright, level = (np.argwhere(np.diff(table, axis=axis) != 0) for axis in (1, 0))
    edges = "".join(f"M{(j + 1) * size:.0f} {i * size:.0f}v{size:.0f}" for i, j in upright)
    edges += "".join(f"M{j * size:.0f} {(i + 1) * size:.0f}h{size:.0f}" for i, j in level)
    words = np.unique(np.round(code.code(source("banana", 20_000, 3)).shown, 2), axis=0)
    return [
        dots(on_panel(source("banana", 600, 2)), "#bbb", 2),
        f'<path d="{edges}" stroke="{COLORS[code.name]}" fill="none" opacity="0.6"/>',
        dots(on_panel(words), COLORS[code.name], 6),
    ]


def picture(costs: dict[str, list[tuple[Coder, float, float]]]) -> str:
    """Return the SVG of rows of panels; costs: for each source its codes with rate and error."""
    parts, top = [], 0
    for name, codes in costs.items():
        for column, (code, rate, error) in enumerate(codes):
            words = f"{name}, {code.name}: R {rate:.3f}, D {error:.3f}, R + D {rate + error:.3f}"
            panel = laplace_panel(code) if name == "laplace" else banana_panel(code)
            place = f'<g transform="translate({column * (SIDE + GAP)} {top + TOP})">'
            parts += [place, f'<text y="-8">{words}</text>', *panel, "</g>"]
        top += HEIGHT[name] + TOP + GAP
    width = 3 * SIDE + 2 * GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" font-family="sans-serif" font-size="12">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>"]) + "\n"


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out", type=Path, help="the picture, SVG")
    p.add_argument("--minutes", type=float, default=4, help="of training, both sources together")
    p.add_argument("--quantisers", nargs="+", choices=KINDS, default=["soft"], help="the first one is drawn")
    a = p.parse_args()
    torch.set_num_threads(1)
    shares = {"laplace": 0.75, "banana": 0.25}
    found: dict[str, list[tuple[Coder, float, float]]] = {}
    for name, share in shares.items():
        fitting, fresh = source(name, 40_000, 4), source(name, SAMPLES, 5)
        seconds = 60 * a.minutes * share / len(a.quantisers)
        nets = [trained(name, quantiser, seconds) for quantiser in a.quantisers]
        coders: list[Coder] = [Linear(fitting), VectorQuantiser(fitting, WORDS[name]), nets[0]]
        made = [coder.code(fresh) for coder in coders]
        found[name] = [(coder, code.rate(), code.error(fresh)) for coder, code in zip(coders, made, strict=True)]
        for coder, rate, error in found[name]:
            print(f"{name}, {coder.name}: R {rate:.4f} D {error:.4f} R + D {rate + error:.4f}", flush=True)
        for quantiser, net in zip(a.quantisers, nets, strict=True):
            cost = net.code(fresh).cost(fresh)
            print(f"{name}, NTC trained with {quantiser}: R + D {cost:.4f} (asked: {ASKED[name]})", flush=True)
    a.out.write_text(picture(found))


if __name__ == "__main__":
    main()
