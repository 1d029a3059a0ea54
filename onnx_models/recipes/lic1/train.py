"""The training of `lic1`: one loop, resumable. Run it as

    OMP_NUM_THREADS=1 torchrun --nproc_per_node=2 -m onnx_models.recipes.lic1.train PATCHES_FOLDER RUN_FOLDER --minutes 120

PATCHES_FOLDER: the .npy files of `data.py`. Two processes of one thread survive a busy machine; two OpenMP threads do not (20 times
slower, measured). A run killed at any moment goes on from RUN_FOLDER/checkpoint.pt.

On a GPU, which needs nvcc and Triton, leave torchrun out and give `--batch 64 --crop 256 192 --workers 10`: an H100 takes 60 ms a step,
130 times as many pixels as two cores. On a CPU set MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=100000000000, so that
glibc keeps the memory of tensors: 4 % of a step.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ..common.data import Patches, whole_pictures
from ..common.levels import LAMBDA_MAX, LEVEL_MAX, lambdas
from ..common.pca import block_pca
from ..common.replay import Replayed
from ..common.schedule import rate_at, set_rate
from ..common.similarity import dissimilarity
from ..common.soap import Soap
from ..common.training import CHECKPOINT
from .model import Lic1, Sizes
from .state import State
from .widening import widened

FLAT_FIELDS = 0.6
"""Share of the samples whose level is the same at every place; the others get a random importance field."""
FAST = ("gain", "table", "prior")
"""Parameters that learn four times as fast: each sample moves two of nine anchors."""
JUDGED = (64, 256, 512, 768, 960)
"""Levels at which the averaged weights are judged."""


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("patches", type=Path)
    p.add_argument("run", type=Path)
    p.add_argument("--minutes", type=float, default=60, help="wall-clock length of this stretch of the schedule")
    p.add_argument(
        "--weights",
        type=Path,
        help="weights to start from, of these networks or narrower ones, when the run has no checkpoint yet",
    )
    p.add_argument("--batch", type=int, default=8, help="samples of one process")
    p.add_argument(
        "--crop", type=int, nargs="+", default=[128], help="pixels a side, in turn where several: equal pixels a batch"
    )
    p.add_argument("--workers", type=int, default=0, help="processes that cut the samples, for a GPU")
    p.add_argument("--lr", type=float, default=8e-4)
    p.add_argument("--linear", type=float, default=0.1, help="factor on the learning rate of the linear path")
    p.add_argument(
        "--decay-from",
        type=float,
        default=0.4,
        help="share of the stretch after which the learning rate falls (cosine)",
    )
    p.add_argument(
        "--structure",
        type=float,
        default=0.0,
        help="share of structural dissimilarity in what counts as error, 0-1; the rest is squared error",
    )
    p.add_argument(
        "--every", type=int, default=500, help="steps between reports and checkpoints, which take two processes 8 s"
    )
    p.add_argument(
        "--pictures", type=Path, help="folder of pictures to judge by (Kodak, say); default the patches held out"
    )
    p.add_argument("--judge", type=int, default=2000, help="steps between judgements of the averaged weights")
    return p.parse_args()


def exchange(level: Tensor) -> Tensor:
    """Return the MSE of pictures in [0,1] for which number 5 loses one unit of MS-SSIM, by level; measured on patches, within 4 %."""
    return 0.0195 * torch.exp(-0.49 * level / LEVEL_MAX)


def random_level(n: int, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return base levels (n,), one from each n-th of the scale so that batches are alike, and level fields (n,1,size,size).

    Fields are flat, coarse noise, or a rectangle that matters more or less.
    """
    base = torch.from_numpy(np.floor((rng.permutation(n) + rng.random(n)) * (LEVEL_MAX + 1) / n)).float()
    field = base.view(n, 1, 1, 1).repeat(1, 1, size, size)
    for f in field[:, 0]:
        kind, strength = rng.random(), rng.uniform(0, 256)
        if kind < FLAT_FIELDS:
            continue
        if kind < (1 + FLAT_FIELDS) / 2:
            cell = int(rng.choice([1, 2, 4]))
            coarse = torch.from_numpy(rng.normal(0, strength / 2, (-(-size // cell),) * 2)).float()
            f += coarse.repeat_interleave(cell, 0).repeat_interleave(cell, 1)[:size, :size]
        else:
            (top, bottom), (left, right) = np.sort(rng.integers(0, size + 1, (2, 2)), 1)
            f[top:bottom, left:right] += strength * rng.choice([-1, 1])
    return base, field.clamp(0, LEVEL_MAX).round()


class Samples(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """An endless set of batches: pictures (n,crop,crop,3) uint8, base levels (n,), level fields (n,1,crop/16,crop/16).

    Crops are of each size in turn, of the first `batch`, of others as many as have as many pixels; neighbouring workers begin with
    neighbouring sizes.
    """

    def __init__(self, data: Patches, crops: list[int], batch: int, seed: tuple[int, ...]) -> None:
        self.data, self.seed = data, seed
        self.kinds = [(crop, max(1, round(batch * (crops[0] / crop) ** 2))) for crop in crops]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        worker = get_worker_info()
        rng = np.random.default_rng(self.seed if worker is None else (*self.seed, worker.id))
        first = worker.id if worker else 0
        for crop, n in itertools.islice(itertools.cycle(self.kinds), first % len(self.kinds), None):
            yield self.data.batch(n, crop, rng), *random_level(n, crop // 16, rng)


def loss_of(
    net: torch.nn.Module,
    x: Tensor,
    base: Tensor,
    level: Tensor,
    structure: float = 0.0,
    largest: float = LAMBDA_MAX,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return weighted loss per sample, and unweighted bpp and MSE per sample. Every level weighs about the same.

    structure: share of the error that is 1 - MS-SSIM, in units that make it as large as the squared error of number 5.
    """
    x_hat, y_bits, z_bits = net(x, level, base)
    bpp = (y_bits + z_bits) / (x.shape[2] * x.shape[3])
    squares = ((x_hat - x) ** 2).mean(1, keepdim=True)
    weight = lambdas(level, largest) * 65025
    error = (torch.nn.functional.interpolate(weight, scale_factor=16.0, mode="nearest") * squares).mean((1, 2, 3))
    if structure:
        error = torch.lerp(error, dissimilarity(x_hat, x, weight * exchange(level)), structure)
    return (bpp + error) * 6 / (lambdas(base, largest) * 65025).sqrt(), bpp, squares.mean((1, 2, 3))


@torch.no_grad()
def validate(
    net: Lic1,
    pictures: Iterable[Tensor],
    amp: contextlib.AbstractContextManager[object],
    structure: float = 0.0,
    levels: Sequence[int] = JUDGED,
) -> tuple[float, list[tuple[float, float]]]:
    """Return the mean loss over some levels and [(bpp, PSNR)] per level on pictures (N,H,W,3) uint8, H and W multiples of 64."""
    net.eval()
    rows, losses = [], []
    device = next(net.parameters()).device
    batches = [batch for some in pictures for batch in some.split(8)]
    for level in levels:
        parts = []
        for batch in batches:
            x = batch.to(device).permute(0, 3, 1, 2).float() / 255
            base = torch.full((len(x),), float(level), device=device)
            field = base.view(-1, 1, 1, 1).expand(-1, 1, x.shape[2] // 16, x.shape[3] // 16)
            with amp:
                parts.append(torch.stack(loss_of(net, x, base, field, structure, net.sizes.largest)))
        loss, bpp, mse = torch.cat(parts, 1)
        rows.append((bpp.mean().item(), -10 * mse.log10().mean().item()))
        losses.append(loss.mean().item())
    net.train()
    return float(np.mean(losses)), rows


def has_bfloat16(device: torch.device) -> bool:
    """Whether bf16 is in hardware: where it is emulated a step takes twice as long as in float32 (measured, Ice Lake)."""
    return device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()


def begun(a: argparse.Namespace, data: Patches, device: torch.device) -> Lic1:
    """Return the networks as a run without a checkpoint begins: from the block PCA of the patches, or with the weights given."""
    torch.manual_seed(0)
    components, variance = block_pca(data.some(1500))
    net = Lic1(torch.from_numpy(components), torch.from_numpy(variance).clamp_min(1e-8), Sizes())
    net = net.to(device, memory_format=torch.channels_last)
    if a.weights and not (a.run / CHECKPOINT).exists():
        net.load_state_dict(widened(torch.load(a.weights, map_location=device), net))
    return net


def groups_of(net: Lic1, linear: float) -> list[dict[str, object]]:
    """Return the parameters by the factor on their learning rate; checkpoints count on the order of the groups."""
    named = list(net.named_parameters())
    fast = [v for n, v in named if any(f in n for f in FAST)]
    slow = [v for n, v in named if "linear" in n]
    skip = {id(v) for v in fast + slow}
    others = [v for _, v in named if id(v) not in skip]
    return [{"params": others}, {"params": fast, "factor": 4.0}, {"params": slow, "factor": linear}]


def learner(
    net: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    amp: contextlib.AbstractContextManager[object],
    structure: float,
    device: torch.device,
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return a function of pictures (n,h,w,3) uint8, base levels and level fields: `gradients` of their loss."""

    def learn(pictures: Tensor, base: Tensor, level: Tensor) -> Tensor:
        x = (pictures.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last)
        with amp:
            losses, bpp, mse = loss_of(net, x, base, level, structure)
        return gradients(optimizer, losses, bpp, mse)

    return Replayed(learn, list(net.parameters()), device) if device.type == "cuda" else learn


def gradients(optimizer: torch.optim.Optimizer, losses: Tensor, bpp: Tensor, mse: Tensor) -> Tensor:
    """Leave the gradients of the mean loss of samples in the parameters, and return (3,) mean loss, bpp and PSNR."""
    optimizer.zero_grad()
    losses.mean().backward()  # type: ignore[no-untyped-call]
    return torch.stack([losses.mean(), bpp.mean(), -10 * mse.mean().log10()]).detach()


def train(a: argparse.Namespace, rank: int, world: int) -> None:
    """Train for `a.minutes`, as process `rank` of `world`; the first one judges, and saves what all of them know."""
    device = torch.device("cuda" if world == 1 and torch.cuda.is_available() else "cpu")
    amp = torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bfloat16(device))
    data = Patches(a.patches)
    judges = whole_pictures(a.pictures) if a.pictures else [data.validation()]
    a.run.mkdir(parents=True, exist_ok=True)
    net = begun(a, data, device)
    groups = groups_of(net, a.linear)
    optimizer = ZeroRedundancyOptimizer(groups, Soap, lr=a.lr) if world > 1 else Soap(groups, lr=a.lr)
    state = State(a.run, net, optimizer)
    shared = torch.nn.parallel.DistributedDataParallel(net, gradient_as_bucket_view=True) if world > 1 else net
    samples = DataLoader(
        Samples(data, a.crop, a.batch, (state.step, rank)),
        batch_size=None,
        num_workers=a.workers,
        pin_memory=device.type == "cuda",
    )
    torch.manual_seed(1000 * state.step + rank)
    learn = learner(shared, optimizer, amp, a.structure, device)
    start, before, log = time.time(), state.seconds, deque[Tensor](maxlen=a.every)

    def keep(lr: float, *, judged: bool) -> None:
        state.gather()
        if rank == 0:
            state.save()
            state.report(lr, log, judgement(net, state.average, judges, amp, a.structure) if judged else "")

    for pictures, base, level in samples:
        state.seconds = before + time.time() - start
        done = torch.tensor(state.seconds / (a.minutes * 60))
        if world > 1:
            dist.broadcast(done, 0)
        if done.item() >= 1:
            break
        lr = a.lr * rate_at(done.item(), state.step, a.decay_from)
        set_rate(optimizer, lr)
        log.append(learn(pictures, base, level))
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        state.count_step()
        if state.step % a.every == 0:
            if not torch.stack(list(log)).isfinite().all():
                raise FloatingPointError(
                    f"the loss left the numbers before step {state.step}; {state.checkpoint} is from before"
                )
            keep(lr, judged=state.step % a.judge == 0)
    keep(0.0, judged=True)


def main() -> None:
    a = arguments()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    torch.backends.cudnn.allow_tf32 = False
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if world > 1:
        dist.init_process_group("gloo")
    train(a, rank, world)
    if world > 1:
        dist.barrier()
        dist.destroy_process_group()


def judgement(
    net: Lic1,
    ema: Mapping[str, Tensor],
    pictures: Iterable[Tensor],
    amp: contextlib.AbstractContextManager[object],
    structure: float,
    levels: Sequence[int] = JUDGED,
) -> str:
    """Return the words of the log on the averaged weights: loss, then bpp/PSNR at some levels. `net` is left as it was."""
    trained = {k: v.clone() for k, v in net.state_dict().items()}
    net.load_state_dict(ema)
    loss, rows = validate(net, pictures, amp, structure, levels)
    net.load_state_dict(trained)
    return f"  validation {loss:.4f} " + " ".join(f"{b:.3f}/{p:.2f}" for b, p in rows)


if __name__ == "__main__":
    main()
