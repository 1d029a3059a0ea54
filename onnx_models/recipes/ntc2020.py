"""Nonlinear Transform Coding on toy sources: Balle et al., "Nonlinear transform coding" (IEEE JSTSP 2020, arXiv 2007.03034).

    python -m onnx_models.recipes.ntc2020 toy.svg --minutes 4

Two sources that can be drawn: a Laplacian (1-D) and a banana (2-D: a Gaussian with deviations 3 and 0.5, bent by 0.1 x^2 and turned by 240
degrees). Three codes of each, for R + D (bits and squared error, lambda 1):

- linear: the orthonormal transform that decorrelates, one step for all coefficients, rounding, a linear synthesis;
- VQ: entropy-constrained vector quantisation (Chou, Lookabaugh and Gray 1989), which no block code of that dimension beats;
- NTC: analysis and synthesis are networks trained with a stand-in for rounding (`common/quantisers.py`), then rounding.

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

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from .common.factorised import Prior
from .common.quantisers import KINDS, quantised

Points = npt.NDArray[np.float64]

SAMPLES, BATCH = 200_000, 1024
WORDS = {"laplace": 128, "banana": 256}
"""Words that a vector quantiser begins with; most die."""
HIDDEN = {"laplace": 50, "banana": 100}
FAIR = {"laplace": 1.463, "banana": 3.30}
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
    """What a code does with samples: the number of its cell and the reconstruction of each, (n,) and (n, d)."""

    name: str
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
        return Code(self.name, numbered(indexes), indexes @ self.synthesis + self.mean)


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
        return Code(self.name, cells, self.words[cells])


class Ntc(nn.Module):
    """Two networks and a prior of their latents, as many as the source has dimensions."""

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

    def losses(self, x: Tensor, quantiser: str, progress: float) -> Tensor:
        """Samples (n, d) -> R + D of each, with a stand-in for rounding."""
        coded, shown = quantised(self.analysis(x), quantiser, training=True, progress=progress)
        bits = self.prior.bits(coded[..., None, None], torch.zeros(len(x), dtype=torch.int64)).sum((1, 2, 3))
        return bits + ((self.synthesis(shown) - x) ** 2).sum(1)

    @torch.no_grad()
    def code(self, samples: Points, quantiser: str = "mixed") -> Code:
        y = self.analysis(torch.from_numpy(samples).float())
        _, shown = quantised(y, quantiser, training=False)
        indexes = (shown.round() if quantiser != "dither" else y.round()).numpy().astype(np.int64)
        return Code("NTC", numbered(indexes), self.synthesis(shown).double().numpy())


def trained(name: str, quantiser: str, seconds: float) -> Ntc:
    """Return the networks of a source after that time of training."""
    torch.manual_seed(0)
    dimensions = source(name, 1, 0).shape[1]
    net = Ntc(dimensions, HIDDEN[name])
    optimizer = torch.optim.Adam(net.parameters())
    begun, number = time.time(), 0
    while (done := (time.time() - begun) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        number += 1
        samples = torch.from_numpy(source(name, BATCH, number)).float()
        optimizer.zero_grad()
        net.losses(samples, quantiser, done).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    print(f"{name}, {quantiser}: {number} steps", flush=True)
    return net


SIDE, SPAN = 300, {"laplace": 8.0, "banana": 11.0}
COLOURS = ("#4477aa", "#ee6677", "#228833")


def drawing(
    name: str, coders: list[Linear | VectorQuantiser | Ntc], costs: dict[str, tuple[float, float]]
) -> list[str]:
    """Return SVG elements of one row of the picture: the cells and reconstructions of each code side by side."""
    parts, span = [], SPAN[name]
    cells = 150
    middle = np.zeros(2) if name == "laplace" else source(name, 20_000, 1).mean(0)
    places = (np.arange(cells) + 0.5) / cells * 2 - 1
    for column, (coder, colour) in enumerate(zip(coders, COLOURS, strict=True)):
        left = column * (SIDE + 20)
        if name == "laplace":
            line = np.linspace(-span, span, 2001)[:, None]
            code = coder.code(line)
            edges = np.flatnonzero(np.diff(code.cells)) + 1
            height, upper = 60, 30
            parts.append(
                f'<line x1="{left}" x2="{left + SIDE}" y1="{upper + height}" y2="{upper + height}" stroke="#999"/>'
            )
            density = " ".join(
                f"{left + (v + span) / (2 * span) * SIDE:.1f},{upper + height - 100 * math.exp(-abs(v)) / 2:.1f}"
                for v in line[::10, 0]
            )
            parts.append(f'<polyline points="{density}" fill="none" stroke="#999"/>')
            for edge in edges:
                x = left + edge / 2000 * SIDE
                parts.append(
                    f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{upper + 10}" y2="{upper + height}" stroke="{colour}"/>'
                )
            for value in np.unique(np.round(code.shown[:, 0], 3)):
                x = left + (value + span) / (2 * span) * SIDE
                if 0 <= x - left <= SIDE:
                    parts.append(f'<circle cx="{x:.1f}" cy="{upper + height}" r="3" fill="{colour}"/>')
        else:
            grid = np.stack(np.meshgrid(places, places), -1).reshape(-1, 2) * span + middle
            code = coder.code(grid)
            table = code.cells.reshape(cells, cells)
            upper, size = 150, SIDE / cells
            path = []
            for i, j in zip(*np.nonzero(table[:, 1:] != table[:, :-1]), strict=True):
                path.append(f"M{left + (j + 1) * size:.1f} {upper + i * size:.1f}v{size:.1f}")
            for i, j in zip(*np.nonzero(table[1:] != table[:-1]), strict=True):
                path.append(f"M{left + j * size:.1f} {upper + (i + 1) * size:.1f}h{size:.1f}")
            some = source(name, 1500, 2)
            for x, y in (some - middle) / span:
                if max(abs(x), abs(y)) < 1:
                    parts.append(
                        f'<circle cx="{left + (x + 1) / 2 * SIDE:.1f}" cy="{upper + (y + 1) / 2 * SIDE:.1f}" r="1" fill="#bbb"/>'
                    )
            parts.append(f'<path d="{"".join(path)}" stroke="{colour}" fill="none"/>')
            used = np.unique(np.round(coder.code(source(name, 20_000, 3)).shown, 3), axis=0)
            for x, y in (used - middle) / span:
                if max(abs(x), abs(y)) < 1:
                    parts.append(
                        f'<circle cx="{left + (x + 1) / 2 * SIDE:.1f}" cy="{upper + (y + 1) / 2 * SIDE:.1f}" r="3" fill="{colour}"/>'
                    )
        kind = ("linear", "VQ", "NTC")[column]
        rate, error = costs[kind]
        top = 20 if name == "laplace" else 140
        parts.append(
            f'<text x="{left}" y="{top}">{name}, {kind}: R {rate:.3f}, D {error:.3f}, R + D {rate + error:.3f}</text>'
        )
    return parts


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out", type=Path, help="the picture, SVG")
    p.add_argument("--minutes", type=float, default=4, help="of training, both sources together")
    p.add_argument("--quantisers", nargs="+", choices=KINDS, default=["mixed"], help="the first one is drawn")
    a = p.parse_args()
    torch.set_num_threads(1)
    parts: list[str] = []
    shares = {"laplace": 0.3, "banana": 0.7}
    for name, share in shares.items():
        fitting, fresh = source(name, 40_000, 4), source(name, SAMPLES, 5)
        seconds = 60 * a.minutes * share / len(a.quantisers)
        nets = [trained(name, quantiser, seconds) for quantiser in a.quantisers]
        coders: list[Linear | VectorQuantiser | Ntc] = [Linear(fitting), VectorQuantiser(fitting, WORDS[name]), nets[0]]
        costs = {}
        for coder in coders:
            code = coder.code(fresh)
            costs[code.name] = code.rate(), code.error(fresh)
            print(
                f"{name}, {code.name}: R {code.rate():.4f} D {code.error(fresh):.4f} R + D {code.cost(fresh):.4f}",
                flush=True,
            )
        for quantiser, net in zip(a.quantisers, nets, strict=True):
            print(
                f"{name}, NTC trained with {quantiser}: R + D {net.code(fresh).cost(fresh):.4f} (asked: {FAIR[name]})",
                flush=True,
            )
        parts += drawing(name, coders, costs)
    width, height = 3 * SIDE + 40, 460
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
    a.out.write_text("\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>"]) + "\n")


if __name__ == "__main__":
    main()
