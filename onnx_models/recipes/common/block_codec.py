"""A codec of one model for all rates over `blockwise`: latents in steps of the level, which a family quantises and codes its own way.

x ──analysis──▶ c * gain(level) = y          q * gain'(level) ──synthesis──▶ x_hat
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor

from . import blockwise, training
from .gains import Gains, gain, hats
from .graph import Graph
from .levels import ANCHORS, LEVEL_MAX, SPACING

LAMBDA_MIN, LAMBDA_MAX = 0.0008, 0.08
"""Weight of the squared error of 8-bit levels against bits per pixel, at levels 0 and 1024."""


def log_spaced(level: Tensor, first: float, last: float) -> Tensor:
    """Return what rises from `first` at level 0 to `last` at level 1024 by equal factors."""
    return first * torch.exp(level * (math.log(last / first) / LEVEL_MAX))


def constants(latents: int) -> dict[str, int]:
    """Return the constants of a family that codes so many latents for a block, with one table for each near every anchor."""
    size = {"stride": blockwise.SIZE, "align": blockwise.SIZE, "margin": 16, "tile_edge": 2048, "tile_pixels": 4194304}
    return {"latents": latents, **size, "level_spacing": SPACING}


class BlockCodec(training.Codec):
    """Analysis, synthesis, and factors for each latent that depend on the level."""

    def __init__(self, latents: int, width: int, blocks: int) -> None:
        super().__init__()
        self.analysis = blockwise.Analysis(latents, width, blocks)
        self.synthesis = blockwise.Synthesis(latents, width, blocks)
        # High-rate theory for an orthonormal transform: step^2 = 18 / (ln 2 * lambda) in squared 8-bit levels.
        levels = torch.arange(ANCHORS) * float(SPACING)
        fine = 0.5 * torch.log(math.log(2) * 65025 / 18 * log_spaced(levels, LAMBDA_MIN, LAMBDA_MAX))
        self.encoder_gains, self.decoder_gains = Gains(fine, latents), Gains(-fine, latents)

    def lambdas(self, level: Tensor) -> Tensor:
        """Return the weight of the squared error at levels 0..1024, log-spaced."""
        return log_spaced(level, LAMBDA_MIN, LAMBDA_MAX)

    def latents(self, x: Tensor, level: Tensor) -> Tensor:
        """X (B,3,H,W) in 0..1, levels (B,) -> latents (B,C,h,w) in steps."""
        y: Tensor = self.analysis(x - 0.5)[1] * self.encoder_gains(level)
        return y

    def picture(self, q: Tensor, level: Tensor) -> Tensor:
        """Quantised latents q (B,C,h,w), levels (B,) -> x_hat."""
        x_hat: Tensor = self.synthesis(q * self.decoder_gains(level)) + 0.5
        return x_hat

    def begin(self, patches: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
        """Begin as the principal components of blocks of patches (h,w,3); return the mean square of every coefficient, (C,)."""
        blockwise.begin(self.analysis, self.synthesis, blockwise.principal(patches), 1.0)
        some = [
            torch.from_numpy(patch[:256, :256].copy()).permute(2, 0, 1)[None].float() / 255 for patch in patches[::25]
        ]
        return torch.stack([self.analysis(x - 0.5)[1].square().mean((0, 2, 3)) for x in some]).mean(0)

    def analysis_graph(self) -> onnx.ModelProto:
        """Pixels (H,W,3) uint8, H and W multiples of 8; level (1,1,1,1) -> y (1,C,H/8,W/8) in steps."""
        g = Graph("analysis", in_bytes=True)
        x = blockwise.pixels_graph(g)
        factors = gain(g, hats(g, g.input("level", [1, 1, 1, 1])), self.encoder_gains.log_gain)
        c = blockwise.analysis_graph(g, x, self.analysis)[1]
        g.output(g.op("Mul", c, factors), "y", [1, self.encoder_gains.log_gain.shape[1], "h8", "w8"])
        return g.model()

    def synthesis_graph(self) -> onnx.ModelProto:
        """Quantised latents q (1,C,h,w) float32; level (1,1,1,1) -> pixels (1,8h,8w,3) uint8."""
        g = Graph("synthesis")
        q = g.input("q", [1, self.decoder_gains.log_gain.shape[1], "h8", "w8"])
        factors = gain(g, hats(g, g.input("level", [1, 1, 1, 1])), self.decoder_gains.log_gain)
        blockwise.synthesis_graph(g, g.op("Mul", q, factors), self.synthesis)
        return g.model()
