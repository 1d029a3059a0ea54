"""The entropy model of `lic1`: means and scale indexes of the latents, predicted pass by pass, and the bits they then cost.

The networks run once for every pass, or once for the last two of the four: `stages` is how often, 4 or 3.

Means are real numbers and move pictures; scales are integers throughout and decide what the coder reads (exact.py).
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pillow_lic.engine.entropy import STEP
from pillow_lic.families.lic1.passes import PASSES, of_stage
from pillow_lic.families.lic1.quantiser import MAGNITUDE_MAX, Quantiser, steps
from pillow_lic.families.lic1.symbols import Z_MAX

from ..common.depthwise import SLOPE, Pointwise, in_full
from ..common.exact import ACTIVATION_MAX, UNIT, ExactConv, straight_through, straight_through_round
from ..common.layers import Block, up
from ..common.levels import ANCHORS, SPACING, hats
from .passes import of_pass
from .scale_tables import SCALES, gaussian_tables


def whole_index(index16: Tensor) -> Tensor:
    """Return the whole scale index, 0..SCALES-1, that the coder uses, for one in sixteenths, not clipped."""
    return torch.floor((index16 + UNIT / 2) / UNIT).clamp(0, SCALES - 1)


@torch.no_grad()
def quantised(residual: Tensor, index16: Tensor) -> Tensor:
    """Return residuals (B,M,h/2,w/2) of the latents of a pass as the encoder's trellis quantises them, in steps.

    It weighs bits by the tables of Gaussians, and every channel group of a pass begins in state 0.
    """
    residuals, indexes = (v.reshape(4 * len(v), -1) for v in (residual.float(), whole_index(index16).to(torch.int16)))
    if residual.is_cuda:
        from ..common.kernels_cuda import chosen

        return chosen(residuals, indexes).view(residual.shape).to(residual.dtype)
    rows = zip(residuals.numpy(), indexes.numpy().astype(np.uint16), strict=True)
    values = [Quantiser(gaussian_tables()).choose(r, i).values for r, i in rows]
    return torch.from_numpy(steps(np.stack(values))).view(residual.shape).to(residual.dtype)


def magnitudes(r: Tensor) -> Tensor:
    """Return the magnitudes of residuals in steps, as `pillow_lic.families.lic1.quantiser.magnitudes`: input of later scales."""
    return torch.floor(((STEP * r.detach().abs()).round() + STEP // 2) / STEP).clamp(max=MAGNITUDE_MAX)


class Means(nn.Module):
    """The network of the means: z_hat, level and y_hat of earlier stages -> mu of the passes of a stage, each (B,M,h/2,w/2)."""

    def __init__(self, m: int, z: int, p: int, stages: int = PASSES) -> None:
        super().__init__()
        self.stages = stages
        self.enter = nn.Sequential(up(z, p), nn.LeakyReLU(SLOPE), up(p, p))
        self.level = Pointwise(ANCHORS, p)
        self.first = Block(p, 3)
        self.context = nn.ModuleList([Pointwise(p + m, p) for _ in range(stages - 1)])
        self.body = Block(p, 5)
        self.leave = nn.ModuleList([Pointwise(p, m) for _ in range(stages)])
        for v in self.leave:
            v.weight.data.mul_(0.1)
            nn.init.zeros_(v.bias)

    def start(self, z_hat: Tensor, level: Tensor) -> Tensor:
        with in_full(z_hat):
            return self.first(self.enter(z_hat) + self.level(hats(level) / SPACING))

    def means(self, stage: int, features: Tensor, y_hat: Tensor) -> list[Tensor]:
        """Return mu of every pass of a stage; y_hat (B,M,h,w): 0 where no earlier stage has coded."""
        leave = self.leave[stage]
        with in_full(y_hat):
            h = features if stage == 0 else self.context[stage - 1](torch.cat([features, y_hat], 1))
            h = self.body(h)
            return [of_pass(t, h, leave.weight, leave.bias) for t in of_stage(stage, self.stages)]


class Scales(nn.Module):
    """The exact path: z_hat, magnitudes, level -> scale index. Integers throughout (exact.py); 1x1 and depthwise convolutions only."""

    def __init__(self, start: Tensor, z: int, s: int, stages: int = PASSES) -> None:
        super().__init__()
        self.stages = stages
        m = start.shape[1]
        self.enter = nn.ModuleList(
            [
                ExactConv(z, 64, 1, 4 * Z_MAX),
                ExactConv(64, 64, 3, ACTIVATION_MAX),
                ExactConv(64, 256, 1, ACTIVATION_MAX),
                ExactConv(64, 64, 3, ACTIVATION_MAX),
                ExactConv(64, 4 * s, 1, ACTIVATION_MAX),
            ]
        )
        self.passes = nn.ModuleList()
        for stage in range(stages):
            limits = [ACTIVATION_MAX] * s + [SPACING] * ANCHORS + [UNIT * MAGNITUDE_MAX] * (m if stage else 0)
            self.passes.append(
                nn.ModuleList(
                    [
                        ExactConv(len(limits), s, 1, limits),
                        ExactConv(s, s, 3, ACTIVATION_MAX),
                        ExactConv(s, s, 1, ACTIVATION_MAX),
                        ExactConv(s, s, 3, ACTIVATION_MAX),
                        ExactConv(s, m, 1, ACTIVATION_MAX, signed=True),
                    ]
                )
            )
            self.passes[stage][0].weight.data[:, s : s + ANCHORS] *= 0.1
            self.passes[stage][-1].weight.data.mul_(0.1)
        self.table = nn.Parameter(start)

    def start(self, z_hat: Tensor) -> Tensor:
        """Return features (B,S,h,w), integers 0..255, for z_hat (B,Z,h/4,w/4), integers."""
        a = self.enter[1](self.enter[0](4 * z_hat.clamp(-Z_MAX, Z_MAX)))
        a = self.enter[3](F.pixel_shuffle(self.enter[2](a), 2))
        return F.pixel_shuffle(self.enter[4](a), 2)

    def index16(self, stage: int, features: Tensor, magnitudes: Tensor, level: Tensor) -> list[Tensor]:
        """Return the scale index in sixteenths, not clipped, of the latents of every pass of a stage, each (B,M,h/2,w/2).

        magnitudes (B,M,h,w): 0 where no earlier stage has coded.
        """
        hat = hats(level)
        a = torch.cat([features, hat, UNIT * magnitudes] if stage else [features, hat], 1)
        *inner, last = self.passes[stage]
        for conv in inner:
            a = conv(a)
        table = self.start_table()
        found = []
        for t in of_stage(stage, self.stages):
            start = of_pass(t, hat / SPACING, table, table.new_zeros(len(table)))
            found.append(last(a, partial(of_pass, t)) + straight_through(torch.floor(start), start))
        return found

    def start_table(self) -> Tensor:
        """Return the first guess of the index in sixteenths at every anchor, (M,ANCHORS,1,1); integer-valued, straight through."""
        table = self.table.t()[:, :, None, None] * UNIT
        return straight_through_round(table)


class FactorizedPrior(nn.Module):
    """The prior of z: per anchor and channel a mixture of three logistics, exported as one stored table each."""

    def __init__(self, z: int) -> None:
        super().__init__()
        self.mu = nn.Parameter((torch.randn(1, z, 3) * 0.5).repeat(ANCHORS, 1, 1))
        self.log_s = nn.Parameter(torch.full((ANCHORS, z, 3), 0.7))
        self.w = nn.Parameter(torch.zeros(ANCHORS, z, 3))

    def cdf(self, x: Tensor, anchor: Tensor) -> Tensor:
        """Return P(z <= x) for x (B,Z,h,w) at the anchor (B,)."""
        mu, log_s, w = (p[anchor][:, :, None, None] for p in (self.mu, self.log_s, self.w))
        return (torch.softmax(w, -1) * torch.sigmoid((x.unsqueeze(-1) - mu) * torch.exp(-log_s))).sum(-1)

    def bits(self, z: Tensor, anchor: Tensor) -> Tensor:
        return -torch.log2((self.cdf(z + 0.5, anchor) - self.cdf(z - 0.5, anchor)).clamp_min(1e-6))
