"""The recurrent residual codec, and what its papers vary.

    encoder step    r ─blocks of 8─1x1─▶ 96 at 1/8 ─4x4 /2─▶ F at 1/16 ─cell─▶ h ─1x1 of the step─▶ 32 at 1/16 ─sign─▶ b
    decoder step    b ─1x1 of the step─▶ F at 1/16 ─cell─▶ h ─4x4 x2─▶ 96 at 1/8 ─1x1, blocks of 8─▶ dx;   x_hat = x_hat + dx

Kept of the papers: one pair of networks for all steps, whose cells remember; 32 signs for every 16x16 pixels a step, an eighth of
a bit for each pixel; all steps trained at once by the error that each of them leaves.
Changed, and why:
- One cell each way, at 1/16, instead of three and four, and narrow: the papers' 540 kMAC a pixel and step are weeks of a GPU.
- Each step has its own 1x1 before and after the signs. So the codec can begin as the successive signs of the strongest block
  components (`start`), and needs minutes, where one that begins at random needs days.
- Hidden kernels of 3x3 (Johnston's diffusion) are a depthwise 3x3 and a 1x1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..common import training
from ..common.data import Patches
from ..common.depthwise import pointwise
from ..common.exact import straight_through
from ..common.levels import LEVEL_MAX
from ..common.pca import block_pca
from ..common.similarity import MARGIN, maps
from .cells import OPEN, Cell, Kind, matrix

Array = npt.NDArray[Any]

BITS, BLOCK, INNER = 32, 16, 96
"""Signs of a block in a step, pixels of a block each way, channels at 1/8."""
SPREAD = 0.25
"""Size that the strongest inputs of a cell have at the start, where tanh is nearly straight."""


@dataclass(frozen=True)
class Paper:
    """The properties by which one paper's codec differs from another's.

    features: F. cell: an associative one is the decoder's, beside an LSTM in the encoder. diffusion: hidden kernels are 3x3.
    priming: steps that both cells run before the first one that counts. ssim: the error of each place is weighed by its
    dissimilarity. similarity: share of the logarithm of 1 - SSIM in the loss, beside that of the error. adaptive: blocks that are
    good enough send no more signs. tiled: tiles are coded apart (`tiled`). context: and predicted by what is decoded before them.
    """

    steps: int = 8
    features: int = 128
    cell: Kind = "gru"
    kind: Literal["additive", "one-shot", "gain"] = "additive"
    diffusion: bool = False
    priming: int = 0
    ssim: bool = False
    similarity: float = 0.0
    adaptive: bool = False
    tiled: bool = False
    context: bool = False


PAPERS = {
    "toderici2015": Paper(cell="lstm", diffusion=True, similarity=0.5, tiled=True),
    "toderici2017": Paper(adaptive=True),
    "minnen2017": Paper(diffusion=True, tiled=True, context=True),
    "johnston2018": Paper(diffusion=True, priming=3, ssim=True, adaptive=True),
}
"""The models that are shipped."""


def encoder_cell(paper: Paper) -> Cell:
    """Return the encoder's cell."""
    return Cell("lstm" if paper.cell == "associative" else paper.cell, paper.features, diffusion=paper.diffusion)


def decoder_cell(paper: Paper) -> Cell:
    """Return the decoder's cell."""
    return Cell(paper.cell, paper.features, diffusion=paper.diffusion, gathers=paper.kind == "one-shot")


class Encoder(nn.Module):
    """A step from the residual (B,3,H,W) and states to what the signs are of, (B,BITS,h,w), and states."""

    def __init__(self, paper: Paper) -> None:
        super().__init__()
        self.narrow = matrix(INNER, 192, 1)
        self.down = nn.ParameterList(matrix(paper.features, INNER, 0.02) for _ in range(16))
        self.cell = encoder_cell(paper)
        self.codes = nn.ParameterList(matrix(BITS, paper.features, 1) for _ in range(paper.steps))
        self.offsets = nn.Parameter(torch.zeros(paper.steps, BITS))

    def forward(self, r: Tensor, states: Tensor, step: int) -> tuple[Tensor, Tensor]:
        u = pointwise(F.pixel_unshuffle(r, 8), self.narrow, None)
        h, states = self.cell(F.conv2d(u, kernel4(self.down), stride=2, padding=1), states)
        return pointwise(h, self.codes[step], self.offsets[step]).float(), states


class Decoder(nn.Module):
    """A step from signs (B,BITS,h,w), 0 where none were sent, and states to a picture (B,3,H,W), or what is added to one, and states."""

    def __init__(self, paper: Paper) -> None:
        super().__init__()
        self.codes = nn.ParameterList(matrix(paper.features, BITS, 0.1) for _ in range(paper.steps))
        self.offsets = nn.Parameter(torch.zeros(paper.steps, paper.features))
        self.cell = decoder_cell(paper)
        self.up = nn.ParameterList(matrix(paper.features, INNER, 0.02) for _ in range(16))
        self.widen = matrix(192, INNER, 1)

    def forward(self, b: Tensor, states: Tensor, step: int) -> tuple[Tensor, Tensor]:
        h, states = self.cell(pointwise(b, self.codes[step], self.offsets[step]), states)
        u = F.conv_transpose2d(h, kernel4(self.up), stride=2, padding=1)
        return F.pixel_shuffle(pointwise(u, self.widen, None).float(), 8), states


def kernel4(taps: nn.ParameterList) -> Tensor:
    """Return the weight (F,INNER,4,4) of 16 matrices."""
    return torch.cat(list(taps), 3).unflatten(3, (4, 4)).squeeze(2)


def everywhere(blocks: Tensor) -> Tensor:
    """Return a value of each block (B,1,h,w) at each of its pixels, (B,1,H,W)."""
    return F.interpolate(blocks, scale_factor=BLOCK, mode="nearest")


class Gain(nn.Module):
    """The factor of a residual before it is coded, by the picture so far: (B,3,H,W) -> (B,1,H,W), alike in a block."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = matrix(32, 192, 1), nn.Parameter(torch.zeros(1, 32, 1, 1))

    def forward(self, x_hat: Tensor) -> Tensor:
        seen = torch.tanh(pointwise(F.pixel_unshuffle(x_hat, 8), self.first, None))
        log = F.avg_pool2d(pointwise(seen, self.last, None).float(), 2)
        return everywhere(torch.exp(log.clamp(-3, 3)))


class Recurrent(training.Codec):
    """The codec of a paper."""

    def __init__(self, paper: Paper) -> None:
        super().__init__()
        self.paper = paper
        self.encoder, self.decoder = Encoder(paper), Decoder(paper)
        self.gain = Gain() if paper.kind == "gain" else None

    def pictures(self, x: Tensor, target: Tensor | None = None, beginning: Tensor | None = None) -> list[Tensor]:
        """Return x_hat - 0.5 of x - 0.5 (B,3,H,W) after every step.

        target (B,): mean absolute error of a block from which on it sends no more signs; none does if left out. beginning: x_hat
        before the first step, 0 if left out.
        """
        rows, columns = x.shape[2] // BLOCK, x.shape[3] // BLOCK
        e, d = (x.new_zeros(len(x), net.cell.states, rows, columns) for net in (self.encoder, self.decoder))
        x_hat, shown = torch.zeros_like(x) if beginning is None else beginning, []
        active = x.new_ones(len(x), 1, rows, columns)
        for _ in range(self.paper.priming):
            _, e = self.encoder(x - x_hat, e, 0)
        for step in range(self.paper.steps):
            gain = 1.0 if self.gain is None else self.gain(x_hat)
            c, e = self.encoder((x - x_hat) * gain, e, step)
            b = straight_through(torch.sign(c), torch.tanh(c)) * active
            if step == 0:
                for _ in range(self.paper.priming):
                    _, d = self.decoder(b, d, 0)
            dx, d = self.decoder(b, d, step)
            after = dx if self.paper.kind == "one-shot" else x_hat + dx / gain
            x_hat = after if target is None else torch.where(everywhere(active) > 0, after, x_hat)
            shown.append(x_hat)
            if target is not None:
                error = F.avg_pool2d((x - x_hat).detach().abs().mean(1, keepdim=True), BLOCK)
                active = active * (error > target[:, None, None, None])
        return shown

    def losses(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the loss over all steps, and the raw bits a pixel and the squared error of the step that the level means, all (B,).

        The loss is the mean over steps of the logarithm of the mean absolute error of the batch, so that every step weighs alike.
        """
        x = x - 0.5
        target = None
        if self.training and self.paper.adaptive:  # half of the pictures stop at an error of 1 to 12 levels
            target = torch.exp(torch.empty(len(x)).uniform_(math.log(1 / 255), math.log(12 / 255)))
            target = target * (torch.rand(len(x)) < 0.5)
        return self.judged(
            x, self.pictures(x, target), torch.round(level * ((self.paper.steps - 1) / LEVEL_MAX)).long()
        )

    def judged(self, x: Tensor, shown: list[Tensor], last: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `losses` does, by the pictures after every step (and before the first one, if that is one) and the last steps (B,)."""
        errors = [torch.log(self.weighed(x, x_hat) + 1e-4) for x_hat in shown]
        if share := self.paper.similarity:
            unlike = [torch.log(self.dissimilarity(x, x_hat) + 1e-3) for x_hat in shown]
            errors = [(1 - share) * e + share * u for e, u in zip(errors, unlike, strict=True)]
        squared = torch.stack([(x_hat - x).square().mean((1, 2, 3)) for x_hat in shown[-self.paper.steps :]])
        chosen = squared[last, torch.arange(len(x))]
        return torch.stack(errors).mean().expand(len(x)), (last + 1) * (BITS / BLOCK**2), chosen

    def dissimilarity(self, x: Tensor, x_hat: Tensor) -> Tensor:
        """Return 1 - SSIM, with a gradient."""
        with torch.autocast("cpu", enabled=False):
            return 1 - maps(x_hat.float() + 0.5, x.float() + 0.5, [0])[0].mean()

    def weighed(self, x: Tensor, x_hat: Tensor) -> Tensor:
        """Return the mean absolute error; with `ssim` places weigh by 1 - SSIM, which has no gradient."""
        error = (x_hat - x).abs()
        if not self.paper.ssim:
            return error.mean()
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            similar = maps(x_hat.clamp(-0.5, 0.5) + 0.5, x + 0.5, [0])[0]
            weight = F.pad((1 - similar).clamp(0, 1).mean(1, keepdim=True), [MARGIN] * 4, mode="replicate") + 0.02
        return (error * weight).mean() / weight.mean()

    @staticmethod
    def components(some: list[Array]) -> tuple[Tensor, Tensor, Tensor]:
        """Return the components (768,768) of blocks of 16x16 of patches, their variances, and the strongest (INNER,192) of 8x8."""
        components, variance = (torch.from_numpy(v).clone() for v in block_pca(some))
        covariance = (components.T @ (variance[:, None] * components)).view(3, 16, 16, 3, 16, 16)
        quarter = covariance[:, :8, :8, :, :8, :8].reshape(192, 192)
        return components, variance, torch.linalg.eigh(quarter.double()).eigenvectors.flip(1).T[:INNER].float()

    @torch.no_grad()
    def start(self, patches: Patches) -> None:
        """Begin as a linear codec: each step sends on which side of BITS thresholds the strongest components of 16x16 blocks are."""
        features = self.paper.features
        some = patches.some(800)
        side = min(some[0].shape[:2])
        if side < 2 * BLOCK:
            raise ValueError(f"patches must have at least {2 * BLOCK} pixels a side, got {side}")
        components, variance, fine = self.components(some)
        parts = F.unfold(components[:features].view(-1, 3, 16, 16), 8, stride=8).transpose(1, 2) @ fine.T
        size = variance[:features].sqrt()[:, None]
        self.encoder.narrow[:, :, 0, 0], self.decoder.widen[:, :, 0, 0] = fine, fine.T
        for i, tap in enumerate((5, 6, 9, 10)):
            self.encoder.down[tap][:, :, 0, 0] = SPREAD * parts[:, i] / size
            self.decoder.up[tap][:, :, 0, 0] = size / SPREAD * parts[:, i]

        # The residuals of the components in blocks of the patches, step by step.
        rng, blocks = np.random.default_rng(1), []
        for patch in some:
            for y, x in rng.integers(0, side - BLOCK + 1, (8, 2)):
                blocks.append(patch[y : y + BLOCK, x : x + BLOCK].transpose(2, 0, 1).ravel())
        left = ((torch.from_numpy(np.stack(blocks)).float() / 255 - 0.5) @ components[:features].T).numpy()
        open_share = 1 / (1 + math.exp(-OPEN))
        for step in range(self.paper.steps):
            self.encoder.codes[step].mul_(0.05)
            self.decoder.codes[step].mul_(0.05)
            k = 0
            for c, cut, levels in quantisers(left, BITS):
                spread = SPREAD / size[c, 0].item()
                steep = 1 / (float(left[:, c].std()) * spread)
                for threshold, jump in zip(cut, np.diff(levels), strict=True):
                    self.encoder.codes[step][k, c] = steep / open_share
                    self.encoder.offsets.data[step, k] = -steep * math.tanh(threshold * spread)
                    self.decoder.codes[step][c, k] = float(jump) / 2 * spread / open_share
                    k += 1
                self.decoder.offsets.data[step, c] = float(levels[0] + levels[-1]) / 2 * spread / open_share
                left[:, c] -= np.tanh(spread * levels[np.searchsorted(cut, left[:, c])]) / spread


def quantisers(values: Array, count: int) -> list[tuple[int, Array, Array]]:
    """Return the scalar quantisers (component, thresholds, levels) of values (N,C) that take `count` thresholds in all.

    Each next threshold goes to the component whose squared error it lowers most; levels are the means (Lloyd and Max).
    """
    values = np.sort(values, 0)
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, 0, dtype=np.float64)])

    def quantiser(c: int, n: int) -> tuple[Array, Array, float]:
        ends = np.linspace(0, len(values), n + 2).astype(int)
        for _ in range(12):
            levels = np.diff(total[ends, c]) / np.maximum(np.diff(ends), 1)
            cut = (levels[1:] + levels[:-1]) / 2
            ends = np.concatenate([[0], np.searchsorted(values[:, c], cut), [len(values)]])
        levels = np.diff(total[ends, c]) / np.maximum(np.diff(ends), 1)
        return cut, levels, float((np.diff(ends) * levels**2).sum())

    found = [(np.zeros(0), np.zeros(1), 0.0)] * values.shape[1]
    more = [quantiser(c, 1) for c in range(values.shape[1])]
    for _ in range(count):
        c = int(np.argmax([after[2] - before[2] for before, after in zip(found, more, strict=True)]))
        found[c], more[c] = more[c], quantiser(c, len(found[c][0]) + 2)
    return [(c, cut, levels) for c, (cut, levels, _) in enumerate(found) if len(cut)]
