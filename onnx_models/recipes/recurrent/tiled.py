"""Codecs of tiles: those of Toderici 2015, and those of Minnen 2017, predicted from what is decoded above and on the left.

    nine blocks of 8x8 around a tile ─1x1─▶ 96 each ─▶ K ─two 1x1 beside it─▶ K ─▶ 96 at each of 4x4 ─1x1, blocks of 8─▶ 32x32 pixels

Tiles go in waves along diagonals: those of a wave know nothing of each other. A tile is what it shows when it stops, and so the
next ones see it, rounded as pixels are. It begins as linear regression of a tile on the blocks around it, of low rank.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..common.data import Patches
from ..common.depthwise import pointwise
from ..common.levels import LEVEL_MAX
from .cells import matrix
from .network import INNER, Paper, Recurrent

TILE, STRIP = 32, 8
"""Pixels of a tile each way, and of what is seen of its neighbours."""
RANK, HIDDEN = 64, 128
"""Numbers by which a tile is predicted, and channels of the network beside the linear way."""
AROUND, INSIDE = 1 + 2 * TILE // STRIP, (TILE // STRIP) ** 2
"""Blocks of 8x8 that are seen around a tile, and that it has."""
RIDGE = 1e-3


def waves(rows: int, columns: int) -> list[list[tuple[int, int]]]:
    """Return the places of tiles, diagonal by diagonal."""
    return [[(i, d - i) for i in range(rows) if 0 <= d - i < columns] for d in range(rows + columns - 1)]


def around(canvas: Tensor, i: int, j: int) -> Tensor:
    """Return what is seen around a tile in a canvas (B,3,H,W) about 0: (B,3,8,72), corner, four blocks above, four on the left.

    Blocks outside of the canvas are as the mean of the others, 0 where there are none.
    """
    y, x, n = TILE * i, TILE * j, len(canvas)
    above = canvas[:, :, y - STRIP : y, x : x + TILE] if i else None
    left = canvas[:, :, y : y + TILE, x - STRIP : x] if j else None
    if left is not None:
        left = left.unflatten(2, (-1, STRIP)).transpose(2, 3).flatten(3)
    known = [part for part in (above, left) if part is not None]
    mean = torch.cat(known, 3).mean((2, 3), keepdim=True) if known else canvas.new_zeros(n, 3, 1, 1)
    corner = canvas[:, :, y - STRIP : y, x - STRIP : x] if i and j else mean.expand(n, 3, STRIP, STRIP)
    missing = mean.expand(n, 3, STRIP, TILE)
    return torch.cat([corner, missing if above is None else above, missing if left is None else left], 3)


class Predictor(nn.Module):
    """The pixels around tiles (n,3,8,72) -> the tiles (n,3,32,32), both about 0."""

    def __init__(self) -> None:
        super().__init__()
        self.narrow, self.widen = matrix(INNER, 3 * STRIP**2, 1), matrix(3 * STRIP**2, INNER, 1)
        self.near = nn.ParameterList(matrix(RANK, INNER, 0.1) for _ in range(AROUND))
        self.first, self.last = matrix(HIDDEN, RANK, 1), matrix(RANK, HIDDEN, 0.02)
        self.bias = nn.Parameter(torch.zeros(HIDDEN))
        self.far = nn.ParameterList(matrix(INNER, RANK, 0.1) for _ in range(INSIDE))

    def forward(self, seen: Tensor) -> Tensor:
        u = pointwise(F.pixel_unshuffle(seen, STRIP), self.narrow, None)
        z = F.conv2d(u, torch.cat(list(self.near), 3))
        z = z + pointwise(torch.tanh(pointwise(z, self.first, self.bias)), self.last, None)
        v = F.conv_transpose2d(z, self.tiles()).float()
        return F.pixel_shuffle(pointwise(v, self.widen, None).float(), STRIP)

    def tiles(self) -> Tensor:
        """Return the weight (RANK,INNER,4,4) that spreads z over a tile."""
        side = TILE // STRIP
        return torch.cat([far.transpose(0, 1) for far in self.far], 3).unflatten(3, (side, side)).squeeze(2)

    @torch.no_grad()
    def start(self, patches: list[npt.NDArray[np.uint8]], fine: Tensor) -> None:
        """Begin as the regression of low rank of tiles of patches on what is around them, by components (INNER,192) of blocks of 8x8."""
        rng, seen, tiles = np.random.default_rng(2), [], []
        for patch in patches:
            x = torch.from_numpy(patch.transpose(2, 0, 1)[None].astype(np.float32)) / 255 - 0.5
            for _ in range(16):
                at = rng.integers(STRIP, min(patch.shape[:2]) - TILE + 1, 2)
                y, x0 = (int(v) for v in at)
                part = F.pad(x[:, :, y - STRIP : y + TILE, x0 - STRIP : x0 + TILE], (TILE - STRIP, 0, TILE - STRIP, 0))
                i, j = rng.choice([(1, 1), (1, 1), (1, 1), (1, 0), (0, 1)])
                seen.append(around(part[:, :, TILE * (1 - i) :, TILE * (1 - j) :], int(i), int(j)))
                tiles.append(x[:, :, y : y + TILE, x0 : x0 + TILE])
        blocks = [F.pixel_unshuffle(torch.cat(v), STRIP).flatten(2) for v in (seen, tiles)]
        given, wanted = (torch.einsum("kc,ncp->npk", fine, v).flatten(1).double() for v in blocks)
        square = given.T @ given / len(given)
        slope = torch.linalg.solve(square + RIDGE * square.diagonal().mean() * torch.eye(len(square)), given.T @ wanted)
        slope /= len(given)
        strongest = torch.linalg.eigh(slope.T @ square @ slope).eigenvectors.flip(1)[:, :RANK]
        into = slope @ strongest
        spread = (given @ into).std()
        for near, part in zip(self.near, (into / spread).float().split(INNER), strict=True):
            near[:, :, 0, 0] = part.T
        for far, part in zip(self.far, (strongest * spread).float().split(INNER), strict=True):
            far[:, :, 0, 0] = part
        self.narrow[:, :, 0, 0], self.widen[:, :, 0, 0] = fine, fine.T


class Remainders(Patches):
    """The patches of a folder, of which `some` are what their own surroundings do not predict of them, about 128."""

    def __init__(self, patches: Patches, predictor: Predictor | None) -> None:
        super().__init__(patches.folder)
        self._predictor = predictor

    @torch.no_grad()
    def some(self, n: int) -> list[npt.NDArray[np.uint8]]:
        """Return n patches spread evenly over the files, as far as whole tiles go."""
        found = []
        for patch in super().some(n):
            rows, columns = patch.shape[0] // TILE, patch.shape[1] // TILE
            x = torch.from_numpy(patch[: TILE * rows, : TILE * columns].astype(np.float32)).permute(2, 0, 1)[None]
            x = x / 255 - 0.5
            if self._predictor is not None:
                places = [place for wave in waves(rows, columns) for place in wave]
                predicted = self._predictor(torch.cat([around(x, i, j) for i, j in places]))
                for (i, j), tile in zip(places, predicted, strict=True):
                    x[:, :, TILE * i : TILE * (i + 1), TILE * j : TILE * (j + 1)] -= tile
            found.append((x[0].permute(1, 2, 0) * 255 + 128).round().clamp(0, 255).byte().numpy())
        return found


class Tiled(Recurrent):
    """The codec of a paper whose tiles are predicted, or, without `context`, each coded alone."""

    def __init__(self, paper: Paper) -> None:
        super().__init__(paper)
        self.predictor = Predictor() if paper.context else None

    def losses(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `Recurrent.losses`; in training each tile stops at an error of its picture, else after the steps of the level."""
        x = x - 0.5
        last = torch.round(level * ((self.paper.steps - 1) / LEVEL_MAX)).long()
        target = None
        if self.training:  # root of the mean square of 2 to 24 levels
            target = torch.exp(torch.empty(len(x)).uniform_(math.log(2 / 255), math.log(24 / 255)))
        return self.judged(x, self.tiles(x, last, target), last)

    def tiles(self, x: Tensor, last: Tensor, target: Tensor | None) -> list[Tensor]:
        """Return x_hat - 0.5 of x - 0.5 (B,3,H,W) as predicted, where it is, and after every step.

        Neighbours see a tile as it is after its step `last` (B,), or the first one whose root of the mean square error is at most
        `target` (B,).
        """
        n, rows, columns = len(x), x.shape[2] // TILE, x.shape[3] // TILE
        canvas, parts = torch.zeros_like(x), {}
        for wave in waves(rows, columns):
            boxes = [(slice(TILE * i, TILE * i + TILE), slice(TILE * j, TILE * j + TILE)) for i, j in wave]
            tiles = torch.cat([x[:, :, box[0], box[1]] for box in boxes])
            beginning = torch.zeros_like(tiles)
            if self.predictor is not None:
                beginning = self.predictor(torch.cat([around(canvas, i, j) for i, j in wave]))
            shown = self.pictures(tiles, beginning=beginning)
            with torch.no_grad():
                stop = last.repeat(len(wave))
                if target is not None:
                    error = torch.stack([(s - tiles).square().mean((1, 2, 3)).sqrt() for s in shown])
                    good = error <= target.repeat(len(wave))
                    stop = torch.where(good.any(0), good.int().argmax(0), self.paper.steps - 1)
                final = torch.stack(shown)[stop, torch.arange(len(stop))]
                final = ((final + 0.5) * 255).round().clamp(0, 255) / 255 - 0.5
            if self.predictor is not None:
                shown = [beginning, *shown]
            for k, (place, box) in enumerate(zip(wave, boxes, strict=True)):
                canvas[:, :, box[0], box[1]] = final[k * n : (k + 1) * n]
                parts[place] = [s[k * n : (k + 1) * n] for s in shown]
        count = len(parts[0, 0])
        lines = [[torch.cat([parts[i, j][s] for j in range(columns)], 3) for i in range(rows)] for s in range(count)]
        return [torch.cat(line, 2) for line in lines]

    @torch.no_grad()
    def start(self, patches: Patches) -> None:
        """Begin as the regression of tiles, and as the linear codec of what it leaves."""
        if self.predictor is not None:
            some = patches.some(800)
            self.predictor.start(some, self.components(some)[2])
        super().start(Remainders(patches, self.predictor))
