"""The binary code that a network of binary codes begins with: thresholds of principal components, and layers that compute it.

    c ──Pointwise, ReLU, Pointwise──▶ e,  channel k of the code is [e_k > 0]      u = 1, -1, or 0 where masked ──▶ c_hat

Channels are chosen one after another, each time those that lower the squared error of c most for a bit; so any first channels
are a code of their own. Strong coefficients are halved again and again, in Gray's order (one channel each time); weak ones get
pairs of thresholds, one on each side of 0, so that their channels are mostly 0 and cost few bits. Both layers are piecewise linear,
which ReLUs give exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from .depthwise import Pointwise

Array = npt.NDArray[np.float64]
Cells = npt.NDArray[np.int64]

STRONG = 3.5
"""Standard deviation, in units of the coefficients, from which one is halved."""
FINEST = 0.5
"""The smallest threshold of a pair, in units of the coefficients."""
BEND = 0.5
"""Halving is uniform in asinh(c / b), b this many standard deviations."""
NARROWEST = 1.2
"""Cells below this width, in units of the coefficients, are not halved."""
STEEP = 2.0
"""What e reaches between two thresholds."""


@dataclass
class Coefficient:
    """The code of one coefficient so far: values (N,), their weights (N,), and the cell of each."""

    values: Array
    weights: Array
    cells: Cells
    halvings: int = 0
    pairs: list[float] = field(default_factory=list)
    error: float = 0.0

    @property
    def strong(self) -> bool:
        return bool(self.values.std() > STRONG)

    def edges(self, halvings: int) -> Array:
        """Return the edges of the cells after so many halvings, (2^halvings + 1,)."""
        bend = BEND * self.values.std()
        reach = np.arcsinh(np.quantile(np.abs(self.values), 0.9999) / bend)
        edges: Array = bend * np.sinh(np.linspace(-reach, reach, 2**halvings + 1))
        return edges

    def mean(self, inside: npt.NDArray[np.bool_], otherwise: float = 0.0) -> float:
        weights = self.weights[inside]
        return float((self.values[inside] * weights).sum() / weights.sum()) if weights.size else otherwise

    def error_of(self, cells: Cells) -> float:
        """Return the weighted squared error when each value is replaced by the mean of its cell."""
        cell = np.unique(cells, return_inverse=True)[1]
        total = np.bincount(cell, self.weights)
        mean = np.bincount(cell, self.weights * self.values) / total
        return float((self.weights * (self.values - mean[cell]) ** 2).mean())

    def options(self) -> list[tuple[float, int, float, Cells]]:
        """Return what may come next: error saved for a channel, channels, threshold of a pair (0: a halving), cells."""
        if self.strong:
            if np.diff(self.edges(self.halvings)).min() < NARROWEST:
                return []
            cells = np.searchsorted(self.edges(self.halvings + 1)[1:-1], self.values)
            return [(self.error - self.error_of(cells), 1, 0.0, cells)]
        spread = float(self.values.std())
        wanted = (
            [min(self.pairs) / 2, max(self.pairs) * 2]
            if self.pairs
            else [max(FINEST, share * spread) for share in (0.6, 0.9, 1.3)]
        )
        found = []
        for t in wanted:
            if t >= FINEST and (self.values > t).any() and len(self.pairs) < 6:
                cells = self.cells * 3 + np.where(self.values > t, 1, np.where(self.values < -t, 2, 0))
                found.append(((self.error - self.error_of(cells)) / 2, 2, t, cells))
        return found


class Layers:
    """Rows of a first layer with ReLU, and of the second that adds its outputs up; built unit by unit."""

    def __init__(self) -> None:
        self.first: list[tuple[dict[int, float], float]] = []
        self.second: list[dict[int, float]] = []

    def unit(self, weights: dict[int, float], bias: float, to: dict[int, float]) -> int:
        self.first.append((weights, bias))
        self.second.append(to)
        return len(self.first) - 1

    def write(self, first: Pointwise, second: Pointwise) -> None:
        """Set the layers; units beyond those built begin small."""
        assert first.bias is not None
        used = len(self.first)
        if used > first.weight.shape[0]:
            raise ValueError(f"the code needs {used} hidden units, there are {first.weight.shape[0]}")
        for weight, bias in ((first.weight, first.bias), (second.weight, second.bias)):
            nn.init.normal_(weight, std=0.01)
            nn.init.zeros_(bias)
        first.weight.data[:used], second.weight.data[:, :used] = 0, 0
        for row, ((weights, bias), to) in enumerate(zip(self.first, self.second, strict=True)):
            first.bias.data[row] = bias
            for column, value in weights.items():
                first.weight.data[row, column, 0, 0] = value
            for column, value in to.items():
                second.weight.data[column, row, 0, 0] = value


def chosen(c: Array, weights: Array, channels: int) -> tuple[list[Coefficient], list[tuple[int, float, int]]]:
    """Return the coefficients of c (N,K), and for each channel its coefficient, threshold (0: a halving) and side (0, 1)."""
    coefficients = []
    for values in c.T:
        one = Coefficient(values, weights, np.zeros(len(values), np.int64))
        one.error = float((weights * values**2).mean())
        coefficients.append(one)
    nothing = (-1.0, 0, 0.0, np.zeros(0, np.int64))
    best = [max(one.options(), key=lambda o: o[0], default=nothing) for one in coefficients]
    order: list[tuple[int, float, int]] = []
    while len(order) < channels:
        i = max(range(len(best)), key=lambda i: best[i][0])
        _, count, threshold, cells = best[i]
        one = coefficients[i]
        one.cells, one.error = cells, one.error_of(cells)
        if threshold:
            one.pairs.append(threshold)
        else:
            one.halvings += 1
        order += [(i, threshold, side) for side in range(count)]
        best[i] = max(one.options(), key=lambda o: o[0], default=nothing)
    return coefficients, order[:channels]


def begin(
    c: Array,
    weights: Array,
    direct: Pointwise,
    encoder: tuple[Pointwise, Pointwise],
    decoder: tuple[Pointwise, Pointwise],
) -> list[int]:
    """Set the layers of encoder and decoder to the code of c (N,K) with weights (N,); return the coefficient of every channel.

    e = direct(c) + encoder[1](relu(encoder[0](c))), c_hat = decoder[1](relu(decoder[0](u))).
    """
    coefficients, order = chosen(c, weights, direct.weight.shape[0])
    ahead, back = Layers(), Layers()
    assert direct.bias is not None
    assert decoder[1].bias is not None
    direct.weight.data.zero_()
    direct.bias.data.zero_()
    means = [one.mean(np.ones(len(c), bool)) for one in coefficients]
    units: dict[tuple[int, float], int] = {}
    channel_of: dict[tuple[int, float, int], int] = {}
    halvings = [0] * len(coefficients)
    for k, (i, threshold, side) in enumerate(order):
        one = coefficients[i]
        if threshold:
            sign = 1.0 - 2.0 * side
            direct.weight.data[k, i], direct.bias.data[k] = STEEP * sign / threshold, -STEEP
            _pair(one, i, k, threshold, side, sign, channel_of, back)
            channel_of[i, threshold, side] = k
            continue
        halvings[i] += 1
        edges = one.edges(halvings[i])
        nodes = STEEP * np.where(np.arange(edges.size) % 2, 0, np.where(np.arange(edges.size) % 4, 1, -1))
        slopes = np.diff(nodes) / np.diff(edges)
        # Hidden units of the order of 1: the encoder is not to change faster where coefficients are large.
        spread = float(one.values.std())
        direct.weight.data[k, i], direct.bias.data[k] = float(slopes[0]), float(nodes[0] - slopes[0] * edges[0])
        for edge, turn in zip(edges[1:-1], np.diff(slopes), strict=True):
            key = (i, round(float(edge), 6))
            if key not in units:
                units[key] = ahead.unit({i: 1 / spread}, -float(edge) / spread, {})
            ahead.second[units[key]][k] = float(turn) * spread
        channel_of[i, 0.0, halvings[i]] = k
        _halved(one, i, halvings[i], means[i], channel_of, back)
    ahead.write(*encoder)
    back.write(*decoder)
    decoder[1].bias.data[:] = torch.tensor(
        [m if one.halvings else 0.0 for m, one in zip(means, coefficients, strict=True)]
    )
    return [i for i, _, _ in order]


def _halved(
    one: Coefficient, i: int, halvings: int, overall: float, channel_of: dict[tuple[int, float, int], int], back: Layers
) -> None:
    """Add a unit for each cell after `halvings`, which is 1 where all its bits are, and moves c_hat from the mean of its parent."""
    edges, parents = one.edges(halvings), one.edges(halvings - 1)
    cell, parent = np.searchsorted(edges[1:-1], one.values), np.searchsorted(parents[1:-1], one.values)
    for q in range(2**halvings):
        middle = (edges[q] + edges[q + 1]) / 2
        above = one.mean(parent == q // 2, (parents[q // 2] + parents[q // 2 + 1]) / 2) if halvings > 1 else overall
        weights = {
            channel_of[i, 0.0, j]: 1.0 if ((q >> (halvings - j)) + 1) >> 1 & 1 else -1.0 for j in range(1, halvings + 1)
        }
        back.unit(weights, 1.0 - halvings, {i: one.mean(cell == q, middle) - above})


def _pair(
    one: Coefficient,
    i: int,
    k: int,
    threshold: float,
    side: int,
    sign: float,
    channel_of: dict[tuple[int, float, int], int],
    back: Layers,
) -> None:
    """Add the units of a threshold: 1 beyond it and before the next one, or before it and beyond the last one."""
    known = [t for (coefficient, t, s) in channel_of if coefficient == i and s == side]
    lower = max((t for t in known if t < threshold), default=0.0)
    upper = min((t for t in known if t > threshold), default=np.inf)
    values = sign * one.values

    def mean(low: float, high: float) -> float:
        return one.mean((values > low) & (values <= high), sign * low) if low else 0.0

    before = mean(lower, upper)
    beyond = mean(threshold, upper) - before
    if np.isinf(upper):
        back.unit({k: 1.0}, 0.0, {i: beyond})
    else:
        back.unit({k: 1.0, channel_of[i, upper, side]: -1.0}, -1.0, {i: beyond})
    if lower:
        back.unit({k: -1.0, channel_of[i, lower, side]: 1.0}, -1.0, {i: mean(lower, threshold) - before})
