"""The training of the network behind `importance="semantic"`: which order of places gains most inside boxes drawn by hand.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.importance.semantic PICTURES_FOLDER RUN_FOLDER
    OMP_NUM_THREADS=1 python -m onnx_models.recipes.importance.semantic PICTURES_FOLDER RUN_FOLDER --fold 0

After MS-ROI (Prakash and others 2017, arXiv 1612.08712). `semantic_boxes.txt` names public pictures (owner/name of a GitHub
repository or deb-NAME for a Debian package, and the path there) and what they are of, in boxes that were drawn by eye. Of each there
is a file PICTURES_FOLDER/owner/name/path. The network sees the features of `pillow_lic.importance.cues`, not pixels.

What counts of a map is the order of its places. The loss is minus the dB that it gains inside the boxes at equal bytes, in a `.lic` file
and, with less weight, in a JPEG (`gains`), percentiles being those of a normal distribution; and a share of the usual loss of a
classifier, which knows no other aim than the boxes. With `--fold`, a fifth of the pictures is held out, and nothing is exported.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor, nn

from pillow_lic.importance import cues
from pillow_lic.importance.percentiles import percentiles

from ..common.graph import Graph, numpy
from ..common.layer_graphs import conv
from ..common.schedule import rate_at, set_rate
from .gains import FAINT, LATENT, Curves, curves, in_jpeg, in_lic, total
from .train import write

HERE = Path(__file__).resolve().parents[2]
BOXES = Path(__file__).with_name("semantic_boxes.txt")
GRID = cues.LONGEST // LATENT
"""Latents of the longer side, each of which is a cell of the network; smaller pictures and parts are filled up to squares of so many."""
PARTS = 2
"""Views of a picture besides the whole one, each with 0.7 to 1 of both sides."""
CODED = (3.0, 6.0)
"""The qualities of the files that gain, give or take half a point."""
DILATIONS = (1, 2, 4)
SMOOTHED = 2
"""How often scores are averaged with their 8 neighbours: a smooth map costs fewer bytes, and small files hold no other."""
SLOPE = 0.1
CUES = 3
"""The feature that is the weighted sum of the cues, which the network begins with."""

Box = tuple[float, ...]


class Labelled(NamedTuple):
    """A picture of the list: its source, its path there, and boxes (left, upper, right, lower) in shares of its sides."""

    source: str
    path: str
    boxes: Sequence[Box]


class Views(NamedTuple):
    """Views of pictures, filled up to (N,...,GRID,GRID).

    Features, bits and errors of `Curves`, the share of each cell in boxes, its variance of luma, and 1 where there is a picture.
    """

    features: Tensor
    bits: Tensor
    errors: Tensor
    inside: Tensor
    variance: Tensor
    there: Tensor


class Semantic(nn.Module):
    """Features (B,FEATURES,h,w) -> scores (B,h,w), of which only the order in a picture counts."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(cues.FEATURES))
        self.register_buffer("deviation", torch.ones(cues.FEATURES))
        self.enter = nn.Conv2d(cues.FEATURES, width, 1)
        self.body = nn.ModuleList(nn.Conv2d(width, width, 3, dilation=d) for d in DILATIONS)
        self.leave = nn.Conv2d(width, 1, 1)
        self.straight = nn.Conv2d(cues.FEATURES, 1, 1, bias=False)
        nn.init.zeros_(self.straight.weight)
        self.straight.weight.data[:, CUES] = 1

    def normalised(self, features: Tensor) -> Tensor:
        return (features - self.mean[:, None, None]) / self.deviation[:, None, None]

    def forward(self, x: Tensor) -> Tensor:
        """Take features as `normalised` gives them."""
        y = F.leaky_relu(self.enter(x), SLOPE)
        for d, layer in zip(DILATIONS, self.body, strict=True):
            y = y + F.leaky_relu(layer(F.pad(y, (d, d, d, d), mode="replicate")), SLOPE)
        value: Tensor = self.leave(y) + self.straight(x)
        for _ in range(SMOOTHED):
            value = F.avg_pool2d(F.pad(value, (1, 1, 1, 1), mode="replicate"), 3, 1)
        return value[:, 0]


def listed(file: Path) -> list[Labelled]:
    """Return the pictures of a list: a line has source, path and boxes, between tabs; a box is in percent, "; " between two."""
    found = []
    for line in file.read_text().splitlines():
        if line and not line.startswith("#"):
            source, path, boxes = line.split("\t")
            sides = tuple(tuple(float(side) / 100 for side in box.split(",")) for box in boxes.split("; "))
            found.append(Labelled(source, path, sides))
    return found


def marked(boxes: Sequence[Box], height: int, width: int) -> npt.NDArray[np.float32]:
    """Return the share in boxes of every 16x16 pixels of a picture of that size."""
    mask = np.zeros((height, width), np.float32)
    for left, upper, right, lower in boxes:
        mask[int(upper * height) : int(lower * height), int(left * width) : int(right * width)] = 1
    mask = np.pad(mask, ((0, -height % LATENT), (0, -width % LATENT)))
    rows, columns = (n // LATENT for n in mask.shape)
    means: npt.NDArray[np.float32] = mask.reshape(rows, LATENT, columns, LATENT).mean((1, 3))
    return means


def filled(rgb: npt.NDArray[np.uint8], some: Curves, inside: npt.NDArray[np.float32]) -> tuple[Tensor, ...]:
    """Return the fields of a view, without the batch: of pixels (H, W, 3), curves and the share in boxes (h, w) of all of them."""
    rows, columns = inside.shape
    features = cues.features(rgb, rows, columns)
    first = cues.PLACES + cues.COLORS
    variance = (np.exp(features[first : first + cues.OCTAVES]) - cues.DARK).clip(0).sum(0)
    end = (0, GRID - columns, 0, GRID - rows)
    edge = F.pad(torch.from_numpy(features)[None], end, mode="replicate")[0]
    known = [torch.from_numpy(v) for v in (inside, variance, np.ones_like(inside))]
    return (edge, F.pad(some.bits, end), *(F.pad(v, end) for v in (some.errors, *known)))


def views(one: Labelled, folder: Path, rng: np.random.Generator) -> list[tuple[Tensor, ...]]:
    """Return the views of a picture, the whole one first; of parts, cut between latents, those that a box fills to 2 to 92 %."""
    with Image.open(folder / one.source / one.path) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGB")
    image.thumbnail((cues.LONGEST, cues.LONGEST), Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    some, inside = curves(pixels), marked(one.boxes, *pixels.shape[:2])
    found = [filled(pixels, some, inside)]
    for _ in range(PARTS):
        sides = [max(1, round(rng.uniform(0.7, 1) * n)) for n in inside.shape]
        y, x = (slice(start, start + side) for side, n in zip(sides, inside.shape, strict=True)
                for start in [int(rng.integers(n - side + 1))])  # fmt: skip
        if 0.02 < inside[y, x].mean() < 0.92:
            part = np.ascontiguousarray(pixels[LATENT * y.start : LATENT * y.stop, LATENT * x.start : LATENT * x.stop])
            found.append(filled(part, Curves(*(v[:, y, x] for v in some)), inside[y, x]))
    return found


def gathered(known: Sequence[tuple[Tensor, ...]]) -> Views:
    """Return views as one."""
    return Views(*(torch.stack(tensors) for tensors in zip(*known, strict=True)))


def loss_of(scores: Tensor, v: Views, quality: Tensor, a: argparse.Namespace) -> tuple[Tensor, Tensor]:
    """Return the loss of scores (B,h,w), and minus the mean dB of a `.lic` file of that quality (B,), which is a part of it."""
    even = (scores - total(scores * v.there) / total(v.there)) * v.there
    percentile = torch.erf(even / ((total(even**2) / total(v.there)).sqrt() + 1e-3) / 2**0.5) * v.there
    gain = in_lic(percentile, Curves(v.bits, v.errors), v.inside, quality).mean()
    weight = (torch.log2(1 + v.variance / FAINT) + 0.3) * v.there
    shares = [w / total(w).clamp_min(1e-3) for w in (weight * v.inside, weight * (1 - v.inside))]
    wrong = F.binary_cross_entropy_with_logits(scores, v.inside, reduction="none")
    classified = total(wrong * (shares[0] + shares[1])).mean() / 2
    return a.classified * classified - gain - a.jpeg * in_jpeg(percentile, v.variance, v.inside).mean(), -gain


def varied(x: Tensor, deviation: float, dropped: float) -> Tensor:
    """Return features with colours and contrasts of another picture: scaled, shifted, and some kinds of them missing."""
    batch, count = x.shape[:2]
    first, last = cues.PLACES, cues.PLACES + cues.COLORS
    factors, shifts = torch.ones(batch, count, 1, 1), torch.zeros(batch, count, 1, 1)
    factors[:, first:] += 0.1 * torch.randn(batch, count - first, 1, 1)
    shifts[:, first:] = deviation * torch.randn(batch, count - first, 1, 1)
    x = x * factors + shifts
    kinds = (
        (0, 2),
        (2, CUES),
        (CUES, CUES + 1),
        (CUES + 1, first),
        (first, first + 3),
        (first + 3, last),
        (last, count),
    )
    kept = [(torch.rand(batch, 1, 1, 1) >= dropped).expand(batch, high - low, 1, 1) for low, high in kinds]
    return x * torch.cat(kept, 1)


def trained(known: Views, a: argparse.Namespace) -> Semantic:
    """Return a network trained on views."""
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    net = Semantic(a.width)
    cells = known.features.movedim(1, 0)[:, known.there > 0]
    net.mean[cues.PLACES :] = cells.mean(1)[cues.PLACES :]
    net.deviation[cues.PLACES :] = cells.std(1)[cues.PLACES :] + 1e-3
    optimizer = torch.optim.AdamW(net.parameters(), lr=a.lr, weight_decay=a.weight_decay)
    gains = 0.0
    for step in range(a.steps):
        set_rate(optimizer, a.lr * rate_at(step / a.steps, step, decay_from=0.0, warm_up=30))
        some = torch.from_numpy(rng.integers(0, len(known.there), a.batch))
        v = Views(*(t[some].flip(-1) if step % 2 else t[some] for t in known))
        scores = net(varied(net.normalised(v.features), 0.15, a.dropped))
        quality = torch.from_numpy(rng.choice(CODED, a.batch) + rng.uniform(-0.5, 0.5, a.batch)).float()
        loss, gain = loss_of(scores, v, quality, a)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimizer.step()
        gains -= gain.item()
        if (step + 1) % a.every == 0:
            print(f"step {step + 1}  gain {gains / a.every:+.3f} dB", flush=True)
            gains = 0.0
    return net.eval()


@torch.no_grad()
def scores_of(net: Semantic, features: Tensor) -> Tensor:
    """Return the scores (h,w) of features (FEATURES,h,w) and those of their mirror image, added."""
    both = net(net.normalised(torch.stack([features, features.flip(2)])))
    return both[0] + both[1].flip(1)


def judged(net: Semantic | None, v: Views) -> list[float]:
    """Return dB that one view gains, in `.lic` files of each of CODED and in a JPEG, by a network or, for None, by the cues."""
    rows, columns = (int(v.there[0].amax(axis).sum()) for axis in (1, 0))
    cut = Views(*(t[..., :rows, :columns] for t in v))
    scores = cut.features[0, CUES] if net is None else scores_of(net, cut.features[0])
    order = torch.from_numpy(percentiles(scores.numpy()))[None]
    gains = [in_lic(order, Curves(cut.bits, cut.errors), cut.inside, torch.tensor([q])).item() for q in CODED]
    return [*gains, in_jpeg(order, cut.variance, cut.inside).item()]


def graph(net: Semantic) -> onnx.ModelProto:
    """Return the graph: features (2,FEATURES,h,w) of a picture and its mirror image -> importance (2,1,h,w)."""
    g = Graph("semantic")
    x = g.input("features", [2, cues.FEATURES, "h", "w"])
    mean, factors = numpy(net.mean)[:, None, None], 1 / numpy(net.deviation)[:, None, None]
    x = g.op("Mul", g.op("Sub", x, g.constant(mean)), g.constant(factors))
    y = g.op("LeakyRelu", conv(g, x, net.enter), alpha=SLOPE)
    for d, layer in zip(DILATIONS, net.body, strict=True):
        inputs = [g.repeated(y, d), g.weight(numpy(layer.weight)), g.constant(numpy(layer.bias))]
        z = g.op("Conv", *inputs, kernel_shape=[3, 3], dilations=[d, d])
        y = g.op("Add", y, g.op("LeakyRelu", z, alpha=SLOPE))
    y = g.op("Add", conv(g, y, net.leave), conv(g, x, net.straight))
    for _ in range(SMOOTHED):
        y = g.op("AveragePool", g.repeated(y, 1), kernel_shape=[3, 3])
    g.output(y, "importance", [2, 1, "h", "w"])
    return g.model()


def export(net: Semantic, number: int, out: Path) -> None:
    """Write semantic-<number>/semantic.onnx and semantic.json, which names it."""
    write(graph(net), "semantic", number, out, side="encoder")


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("pictures", type=Path)
    p.add_argument("run", type=Path)
    p.add_argument("--boxes", type=Path, default=BOXES)
    p.add_argument(
        "--fold", type=int, help="0 to 4: hold out every fifth group of four pictures of the list, from here on"
    )
    p.add_argument("--steps", type=int, default=500)
    p.add_argument("--every", type=int, default=100, help="steps between reports")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--lr", type=float, default=5e-3)
    p.add_argument("--weight-decay", type=float, default=0.03)
    p.add_argument("--width", type=int, default=12, help="channels of the layers")
    p.add_argument("--dropped", type=float, default=0.1, help="the chance of a kind of feature to be missing")
    p.add_argument("--jpeg", type=float, default=0.3, help="the weight of the gain in a JPEG")
    p.add_argument("--classified", type=float, default=0.5, help="the weight of a classifier's loss")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--id", type=int, default=1, help="never reuse the id of a released network")
    p.add_argument("--out", type=Path, default=HERE)
    return p.parse_args()


def main() -> None:
    a = arguments()
    a.run.mkdir(parents=True, exist_ok=True)
    kept = a.run / "views.pt"
    if not kept.exists():  # coding the pictures takes most of the time
        rng = np.random.default_rng(a.seed)
        torch.save([views(one, a.pictures, rng) for one in listed(a.boxes)], kept)
    pictures = torch.load(kept, weights_only=True)
    held = [i // 4 % 5 == a.fold for i in range(len(pictures))]
    net = trained(gathered([v for one, out in zip(pictures, held, strict=True) if not out for v in one]), a)
    if a.fold is None:
        torch.save(net.state_dict(), a.run / "semantic.pt")
        export(net, a.id, a.out)
        return
    seen = [gathered(one[:1]) for one, out in zip(pictures, held, strict=True) if out]
    for name, judge in (("network", net), ("cues", None)):
        lic3, lic6, jpeg = np.mean([judged(judge, v) for v in seen], 0)
        print(f"held out: {len(seen)} pictures, {name}: .lic {lic3:+.3f} and {lic6:+.3f} dB, JPEG {jpeg:+.3f} dB")


if __name__ == "__main__":
    main()
