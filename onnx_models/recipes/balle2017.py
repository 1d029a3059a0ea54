"""`balle2017`: Balle, Laparra and Simoncelli, "End-to-end optimized image compression" (ICLR 2017, arXiv 1611.01704).

    x ──conv 9x9 /4──GDN──conv 5x5 /2──GDN──conv 5x5 /2──▶ y,   q = round(y / step(level))      one stored table a channel codes q
    x_hat ◀──9x9 x4──IGDN──5x5 x2──IGDN──5x5 x2── q * step'(level)

The paper's idea: transforms are trained end to end for rate + lambda * distortion, with additive uniform noise in place of rounding so
that the rate has a slope, and divisive normalisation (GDN) instead of pointwise nonlinearities:

    GDN:  v_i = u_i / sqrt(beta_i + sum_j gamma_ij u_j^2)            IGDN:  u_i = v_i * sqrt(beta_i + sum_j gamma_ij v_j^2)

Kept: the three layers each way and their kernels and strides, GDN, squared error, no side information.
Changed, and why:
- 128 features and 256 latents (the paper: 192 of both, 256 at its two highest rates): two thirds of the work, and one model for all rates.
- Steps of the quantiser for each channel at nine levels, interpolated: one model instead of one for each lambda.
- A static integer table for each channel near each of the nine levels instead of an adaptive binary coder: nothing a file depends on
  is computed in floating point.
- Noise where the rate is estimated, rounding with a straight-through gradient where the picture is made (Minnen and Singh 2020).
- The transforms begin as a block PCA of three scales, GDN near the identity: hours of training instead of weeks.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.balle2017 train PATCHES_FOLDER RUN_FOLDER --minutes 105 --lr 2e-4

PATCHES_FOLDER holds the files of `common/data.py`. A run killed at any moment goes on from RUN_FOLDER/checkpoint.pt.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
import time
from collections import deque
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .common.data import Patches
from .common.exact import straight_through_round
from .common.levels import ANCHORS, LEVEL_MAX, SPACING, hats, nearest_anchor
from .common.pca import block_pca
from .common.soap import Soap

FEATURES, LATENTS, STRIDE = 128, 256, 16
LAMBDA_MIN, LAMBDA_MAX = 0.0008, 0.08
"""Weight of the squared error of 8-bit levels against bits per pixel, at levels 0 and 1024."""
FAST = ("log_", "prior")
"""Parameters that learn four times as fast: logarithms and the prior."""


def lambdas(level: Tensor) -> Tensor:
    """Return the weight of the squared error at levels 0..1024, log-spaced."""
    return LAMBDA_MIN * torch.exp(level * (math.log(LAMBDA_MAX / LAMBDA_MIN) / LEVEL_MAX))


class GDN(nn.Module):
    """Generalised divisive normalisation over channels, or its approximate inverse; beta and gamma are kept as logarithms."""

    def __init__(self, c: int, *, inverse: bool = False) -> None:
        super().__init__()
        self.inverse = inverse
        self.log_beta, self.log_gamma = nn.Parameter(torch.zeros(c)), nn.Parameter(torch.zeros(c, c, 1, 1))

    def start(self, power: Tensor) -> None:
        """Begin near the identity: what is added to 1 is a tenth of the power (c,) of the inputs, each in units of its mean."""
        self.log_gamma.data[:] = torch.log(0.1 / (len(power) * power.clamp_min(1e-5)))[None, :, None, None]

    def forward(self, x: Tensor) -> Tensor:
        energy = F.conv2d(x * x, self.log_gamma.exp(), self.log_beta.exp())
        return x * (energy.sqrt() if self.inverse else energy.rsqrt())


class Kernel5(nn.Module):
    """5x5 convolution with a stride of 2 from `fine` channels to `coarse` ones, or its transpose.

    Its weights (coarse, fine, 5, 5) are kept as 25 matrices (coarse, fine, 1, 1), which `Soap` takes.
    """

    def __init__(self, fine: int, coarse: int, *, transposed: bool = False) -> None:
        super().__init__()
        self.transposed = transposed
        self.taps = nn.ParameterList(torch.randn(coarse, fine, 1, 1) * 0.03 / math.sqrt(25 * fine) for _ in range(25))
        self.bias = nn.Parameter(torch.zeros(fine if transposed else coarse))

    def weight(self) -> Tensor:
        return torch.cat(list(self.taps), 3).unflatten(3, (5, 5)).squeeze(2)

    def forward(self, x: Tensor) -> Tensor:
        if self.transposed:
            return F.conv_transpose2d(x, self.weight(), self.bias, stride=2, padding=2, output_padding=1)
        return F.conv2d(x, self.weight(), self.bias, stride=2, padding=2)


class Kernel9(nn.Module):
    """9x9 convolution with a stride of 4 from pixels to FEATURES, or its transpose; it reaches 2 pixels before a block of 4x4 and 3 after it.

    Its weights (FEATURES, 3, 9, 9) are kept as a matrix. Computed as 3x3 over blocks of 4x4: with three channels alone it is slow.
    """

    def __init__(self, *, transposed: bool = False) -> None:
        super().__init__()
        self.transposed = transposed
        self.matrix = nn.Parameter(torch.randn(FEATURES, 243, 1, 1) * 0.005)
        self.bias = nn.Parameter(torch.zeros(3 if transposed else FEATURES))

    def weight(self) -> Tensor:
        return self.matrix.view(FEATURES, 3, 9, 9)

    def forward(self, x: Tensor) -> Tensor:
        blocks = F.pixel_unshuffle(F.pad(self.weight(), (2, 1, 2, 1)), 4)
        if self.transposed:
            return (
                F.pixel_shuffle(F.conv2d(x, blocks.transpose(0, 1).flip(2, 3), padding=1), 4) + self.bias[:, None, None]
            )
        return F.conv2d(F.pixel_unshuffle(x, 4), blocks, self.bias, padding=1)


def analysis() -> nn.Sequential:
    """Return x - 0.5 (B,3,H,W), H and W multiples of 16 -> y (B,LATENTS,H/16,W/16), not yet in steps."""
    return nn.Sequential(
        Kernel9(), GDN(FEATURES), Kernel5(FEATURES, FEATURES), GDN(FEATURES), Kernel5(FEATURES, LATENTS)
    )


def synthesis() -> nn.Sequential:
    """Return y_hat (B,LATENTS,h,w) -> x_hat - 0.5 (B,3,16h,16w), not clipped."""
    return nn.Sequential(
        Kernel5(FEATURES, LATENTS, transposed=True),
        GDN(FEATURES, inverse=True),
        Kernel5(FEATURES, FEATURES, transposed=True),
        GDN(FEATURES, inverse=True),
        Kernel9(transposed=True),
    )


class Gains(nn.Module):
    """A factor for each latent channel, interpolated between nine levels in the log domain."""

    def __init__(self, start: Tensor) -> None:
        """start: (ANCHORS,) logarithms, alike for all channels."""
        super().__init__()
        self.log_gain = nn.Parameter(start[:, None].repeat(1, LATENTS))

    def forward(self, level: Tensor) -> Tensor:
        """Levels (B,) -> (B,LATENTS,1,1)."""
        # No matrix product: autocast would round the logarithms to bfloat16.
        share = hats(level.view(-1, 1, 1, 1)) / SPACING
        return torch.exp((share.flatten(2) * self.log_gain).sum(1))[..., None, None]


class Prior(nn.Module):
    """The distribution of each latent channel near each of nine levels: a mixture of three logistics. It becomes the stored tables."""

    def __init__(self) -> None:
        super().__init__()
        self.centre, self.log_scale, self.logit = (nn.Parameter(torch.zeros(ANCHORS, 3, LATENTS)) for _ in range(3))

    def below(self, y: Tensor, anchor: Tensor) -> Tensor:
        """P(Y < y) for y (B,LATENTS,h,w); anchor (B,) int64, 0..8."""
        centre, scale = (v[anchor][..., None, None] for v in (self.centre, self.log_scale.exp()))
        share = torch.softmax(self.logit, 1)[anchor][..., None, None]
        return (share * torch.sigmoid((y[:, None] - centre) / scale)).sum(1)

    def bits(self, y: Tensor, anchor: Tensor) -> Tensor:
        """Bits of each y: those of the mass within half a step of it, at most 20."""
        return -torch.log2((self.below(y + 0.5, anchor) - self.below(y - 0.5, anchor)).clamp_min(1e-6))


class Balle2017(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.analysis, self.synthesis, self.prior = analysis(), synthesis(), Prior()
        # High-rate theory for an orthonormal transform: step^2 = 18 / (ln 2 * lambda) in squared 8-bit levels.
        fine = 0.5 * torch.log(math.log(2) * 65025 / 18 * lambdas(torch.arange(ANCHORS) * float(SPACING)))
        self.encoder_gains, self.decoder_gains = Gains(fine), Gains(-fine)

    def picture(self, q: Tensor, level: Tensor) -> Tensor:
        """Integers q (B,LATENTS,h,w), levels (B,) -> x_hat."""
        return self.synthesis(q * self.decoder_gains(level)).float() + 0.5

    def forward(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """X (B,3,H,W), levels (B,) -> x_hat, bits (B,). In training bits are of y with uniform noise, in evaluation of the integers."""
        y = self.analysis(x - 0.5).float() * self.encoder_gains(level)
        q = straight_through_round(y)
        coded = y + torch.empty_like(y).uniform_(-0.5, 0.5) if self.training else q
        return self.picture(q, level), self.prior.bits(coded, nearest_anchor(level)).sum((1, 2, 3))

    @torch.no_grad()
    def start(self, patches: Patches) -> None:
        """Begin as a linear transform: the strongest components of blocks of 16x16, by way of those of 8x8 and 4x4."""
        some = patches.some(1500)
        components, variance = (torch.from_numpy(v).clone() for v in block_pca(some))
        covariance = (components.T @ (variance[:, None] * components)).view(3, 16, 16, 3, 16, 16)

        def strongest(size: int, count: int) -> Tensor:
            block = covariance[:, :size, :size, :, :size, :size].reshape(3 * size**2, 3 * size**2)
            return torch.linalg.eigh(block.double()).eigenvectors.flip(1).T[:count].float()

        fine, coarse = strongest(4, 48), strongest(8, FEATURES)
        down, up = self.analysis, self.synthesis[::-1]
        for k in (down[0], up[0]):
            k.weight()[:48] = F.pad(fine.view(48, 3, 4, 4), (2, 3, 2, 3))
        for layer, blocks, parts in ((2, coarse, fine), (4, components[:LATENTS], coarse)):
            half = math.isqrt(blocks.shape[1] // 3) // 2
            quarters = F.unfold(blocks.view(-1, 3, 2 * half, 2 * half), half, stride=half).transpose(1, 2) @ parts.T
            for k in (down[layer], up[layer]):
                for i, tap in enumerate((12, 13, 17, 18)):
                    k.taps[tap][:, : len(parts), 0, 0] = quarters[:, i]

        u = torch.stack([torch.from_numpy(p[:128, :128].copy()) for p in some[::25]]).permute(0, 3, 1, 2) / 255 - 0.5
        for number, layer in enumerate(down):
            if isinstance(layer, GDN):
                layer.start(u.square().mean((0, 2, 3)))
                up[number].start(u.square().mean((0, 2, 3)))
            u = layer(u)
        spread = torch.log(u.square().mean((0, 2, 3)).sqrt()) + self.encoder_gains.log_gain
        self.prior.log_scale[:] = (spread[:, None] + torch.tensor([[-1.6], [-0.8], [0.0]])).clamp_min(-2)


def loss_of(net: nn.Module, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss, bits per pixel and squared error of each sample; every level weighs about the same in the loss."""
    x_hat, bits = net(x, level)
    bpp, error = bits / (x.shape[2] * x.shape[3]), ((x_hat - x) ** 2).mean((1, 2, 3))
    weight = lambdas(level) * 65025
    return (bpp + weight * error) * 6 / weight.sqrt(), bpp, error


@torch.no_grad()
def judgement(net: Balle2017, pictures: Tensor) -> str:
    """Return the mean loss, and bpp/PSNR at five levels, of pictures (N,H,W,3) uint8, as the log says it."""
    net.eval()
    rows, losses = [], []
    for level in (64, 256, 512, 768, 960):
        parts = []
        for some in pictures.split(8):
            x = some.permute(0, 3, 1, 2).float() / 255
            parts.append(torch.stack(loss_of(net, x, torch.full((len(x),), float(level)))))
        loss, bpp, error = torch.cat(parts, 1)
        losses.append(loss.mean().item())
        rows.append(f"{bpp.mean():.3f}/{-10 * error.log10().mean():.2f}")
    net.train()
    return f"  validation {np.mean(losses):.4f} {' '.join(rows)}"


def train(a: argparse.Namespace) -> None:
    """Train for `a.minutes`, or what is left of them; `weights.pt` in the folder of the run are the averaged weights."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    amp = torch.autocast("cpu", dtype=torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported())
    data, checkpoint = Patches(a.patches), a.run / "checkpoint.pt"
    a.run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    net = Balle2017()
    if not checkpoint.exists():
        net.start(data)
    net = net.to(memory_format=torch.channels_last)
    named = list(net.named_parameters())
    fast = [v for name, v in named if any(f in name for f in FAST)]
    others = [v for name, v in named if not any(f in name for f in FAST)]
    optimizer = Soap([{"params": others}, {"params": fast, "factor": 4.0}], lr=a.lr)
    average = copy.deepcopy(net)
    step, spent, log = 0, 0.0, deque[list[float]](maxlen=a.every)
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        for part, state in ((net, "net"), (average, "average"), (optimizer, "optimizer")):
            part.load_state_dict(saved[state])
        step, spent = saved["step"], saved["seconds"]
    rng, begun = np.random.default_rng(step), time.time() - spent
    torch.manual_seed(step)

    def report(verdict: str = "") -> None:
        states = {"net": net.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict()}
        for name, content in (
            ("checkpoint.pt", states | {"step": step, "seconds": spent}),
            ("weights.pt", states["average"]),
        ):
            torch.save(content, a.run / "part")
            (a.run / "part").replace(a.run / name)
        loss, bpp, psnr = np.mean(log, 0) if log else [math.nan] * 3
        line = f"step {step}  {spent / 60:.1f} min  lr {optimizer.param_groups[0]['lr']:.2e}"
        line += f"  loss {loss:.4f}  bpp {bpp:.3f}  psnr {psnr:.2f}{verdict}"
        print(line, flush=True)
        with (a.run / "log.txt").open("a") as f:
            f.write(line + "\n")

    while (done := (spent := time.time() - begun) / (60 * a.minutes)) < 1:
        late = max(0.0, (done - a.decay_from) / (1 - a.decay_from))
        for group in optimizer.param_groups:
            rate = a.lr * min(1, (step + 1) / 200) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * late)))
            group["lr"] = rate * group.get("factor", 1.0)
        x = data.batch(a.batch, a.crop, rng).permute(0, 3, 1, 2).float().div_(255)
        x = x.contiguous(memory_format=torch.channels_last)
        # One level from each n-th of the scale, so that batches are alike.
        level = torch.from_numpy(np.floor((rng.permutation(a.batch) + rng.random(a.batch)) * (LEVEL_MAX + 1) / a.batch))
        with amp:
            losses, bpp, error = loss_of(net, x, level.float())
        loss = losses.mean()
        if not loss.isfinite():
            raise FloatingPointError(f"the loss left the numbers at step {step}; {checkpoint} is from before")
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(
                list(average.parameters()), list(net.parameters()), 1 - min(0.999, (1 + step) / (10 + step))
            )
        log.append([loss.item(), bpp.mean().item(), -10 * error.mean().log10().item()])
        if step % a.every == 0:
            report(judgement(average, data.validation()) if step % (8 * a.every) == 0 else "")
    report(judgement(average, data.validation()))


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = p.add_subparsers(required=True)
    t = commands.add_parser("train", help="train, or go on")
    t.add_argument("patches", type=Path)
    t.add_argument("run", type=Path)
    t.add_argument(
        "--minutes", type=float, default=100, help="wall-clock length of the schedule, all stretches together"
    )
    t.add_argument("--batch", type=int, default=8)
    t.add_argument("--crop", type=int, default=128, help="pixels a side, a multiple of 16")
    t.add_argument("--lr", type=float, default=2e-4)
    t.add_argument(
        "--decay-from", type=float, default=0.3, help="share of the schedule after which the learning rate falls"
    )
    t.add_argument("--every", type=int, default=500, help="steps between reports and checkpoints")
    t.set_defaults(command=train)
    return p.parse_args()


def main() -> None:
    a = arguments()
    a.command(a)


if __name__ == "__main__":
    main()
