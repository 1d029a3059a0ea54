"""weights.pt -> ten ONNX graphs, the stored tables, their hashes in the manifest, and the proof of exactness.

python -m onnx_models.recipes.export WEIGHTS PATCHES_FOLDER --id 1 --name lic1
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from .complexity import kmac_per_pixel
from .data import Patches
from .levels import ANCHORS, SPACING, nearest_anchor
from .lic1 import SCALE_MIN, SCALE_STEP, SCALES, Lic1, Sizes
from .networks import graphs
from .tables import Table, pack, quantise

HERE = Path(__file__).resolve().parent.parent
PRIOR_WEIGHT = 2000
"""Observations that the Gaussian (or the trained prior of z) counts for beside the histogram of the training patches."""
SYMBOL_MAX, TAIL = 1200, 2.0**-13
"""Largest symbol a table may hold, and the probability outside a table, left to its escape."""

Counts = npt.NDArray[np.float64]


def histograms(net: Lic1, patches: list[npt.NDArray[np.uint8]]) -> tuple[list[Counts], Counts]:
    """What the encoder would code: per scale index the counts of |r| (0..SYMBOL_MAX), per anchor and channel the counts of z + 127."""
    r_counts = [np.zeros(SYMBOL_MAX + 1) for _ in range(SCALES)]
    z_counts = np.zeros((ANCHORS, net.sizes.z, 255))
    rng = np.random.default_rng(0)
    for patch in patches:
        x = torch.from_numpy(patch[:256, :256].copy()).permute(2, 0, 1)[None].float() / 255
        base = torch.tensor([float(rng.integers(0, SPACING * (ANCHORS - 1) + 1))])
        level = base.view(1, 1, 1, 1).expand(1, 1, x.shape[2] // 16, x.shape[3] // 16)
        r, index, z, _ = (v[0].long().numpy() for v in net.coded(x, level))
        for i in np.unique(index):
            r_counts[i] += np.bincount(np.minimum(np.abs(r[index == i]), SYMBOL_MAX), minlength=SYMBOL_MAX + 1)
        anchor = int(nearest_anchor(base))
        for c in range(net.sizes.z):
            z_counts[anchor, c] += np.bincount(z[c].ravel() + 127, minlength=255)
    return r_counts, z_counts


def gaussian(sigma: float) -> Counts:
    """Mass of |r| = 0..SYMBOL_MAX under a zero-mean Gaussian rounded to integers."""
    edges = torch.arange(SYMBOL_MAX + 2, dtype=torch.float64) - 0.5
    above = torch.special.erfc(edges / (sigma * 2**0.5))
    mass = (above[:-1] - above[1:]).numpy()
    mass[0] = 1 - above[1].item()
    return mass


def scale_table(i: int, counts: Counts) -> Table:
    """Lowest symbol and frequencies (the last is the escape) of scale index i: symmetric, a Gaussian corrected by what was seen."""
    p = counts + PRIOR_WEIGHT * gaussian(SCALE_MIN * np.exp(i * SCALE_STEP))
    p /= p.sum()
    outside = 1 - np.cumsum(p)
    top = max(1, int(np.argmax(outside <= TAIL)))
    side = p[1 : top + 1] / 2
    return -top, quantise(np.concatenate([side[::-1], p[:1], side, [max(outside[top], 2.0**-20)]]))


def z_table(net: Lic1, anchor: int, channel: int, counts: Counts) -> Table:
    """The same for one channel of z_hat near one anchor: the trained prior corrected by what was seen, without its empty ends."""
    values = torch.arange(-127, 128).float().view(1, 1, 1, -1).expand(1, net.sizes.z, 1, -1)
    with torch.no_grad():
        prior = torch.exp2(-net.prior.bits(values, torch.tensor([anchor])))[0, channel, 0].numpy().astype(np.float64)
    p = counts + PRIOR_WEIGHT / 10 * prior / prior.sum()
    inside = np.flatnonzero(p > p.sum() * 2e-5)
    low, high = int(inside[0]), int(inside[-1])
    escape = max(p.sum() - p[low : high + 1].sum(), 1e-3)
    kept = np.append(p[low : high + 1], escape)
    return low - 127, quantise(kept / kept.sum())


def write_tables(path: Path, tables: list[Table]) -> None:
    """u16 number of tables; for each i16 lowest symbol and u16 number of frequencies; then all frequencies, u16. Little-endian."""
    low, sizes, frequencies = pack(tables)
    heads = np.rec.fromarrays([low, sizes], dtype=np.dtype([("low", "<i2"), ("size", "<u2")]))
    path.write_bytes(len(tables).to_bytes(2, "little") + heads.tobytes() + frequencies.astype("<u2").tobytes())


def load(weights: Path) -> Lic1:
    """The network with the weights of a run, on the CPU, in evaluation mode."""
    state = torch.load(weights, map_location="cpu", weights_only=True)
    m = state["synthesis.linear.weight"].shape[1]
    net = Lic1(torch.zeros(768, 768), torch.ones(768), Sizes(m=m))
    net.load_state_dict({k: v.float() for k, v in state.items()})
    return net.eval()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("weights", type=Path)
    p.add_argument("patches", type=Path)
    p.add_argument("--id", type=int, required=True, help="never reuse the id of a released model")
    p.add_argument("--name", default="lic1")
    p.add_argument("--out", type=Path, default=HERE)
    p.add_argument("--samples", type=int, default=600, help="training patches whose symbols correct the tables")
    a = p.parse_args()
    net = load(a.weights)
    folder = a.out / f"{a.name}-{a.id}"
    folder.mkdir(parents=True, exist_ok=True)
    made = graphs(net)
    for role, model in made.items():
        (folder / f"{role}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    r_counts, z_counts = histograms(net, Patches(a.patches).some(a.samples))
    tables = [scale_table(i, c) for i, c in enumerate(r_counts)]
    tables += [z_table(net, anchor, c, z_counts[anchor, c]) for anchor in range(ANCHORS) for c in range(net.sizes.z)]
    write_tables(folder / "tables.bin", tables)
    files: dict[str, dict[str, object]] = {
        role: {"file": f"{folder.name}/{role}.onnx", "kmac_per_pixel": round(kmac_per_pixel(m), 3)}
        for role, m in made.items()
    }
    files["tables"] = {"file": f"{folder.name}/tables.bin"}
    digests = []
    for entry in files.values():
        digest = hashlib.sha256((a.out / str(entry["file"])).read_bytes())
        entry["sha256"] = digest.hexdigest()
        digests.append(digest.digest())
    spec = {
        "id": a.id,
        "name": a.name,
        "procedure": "lic1",
        "sha256": hashlib.sha256(b"".join(digests)).hexdigest(),
        "latents": net.sizes.m,
        "hyper_latents": net.sizes.z,
        "scales": SCALES,
        "anchors": ANCHORS,
        "files": files,
    }
    manifest = a.out / "manifest.json"
    models = json.loads(manifest.read_text())["models"] if manifest.exists() else []
    models = [m for m in models if m["id"] != a.id] + [spec]
    manifest.write_text(json.dumps({"models": sorted(models, key=lambda m: m["id"])}, indent=1) + "\n")
    size = sum((a.out / str(e["file"])).stat().st_size for e in files.values())
    print(
        f"{folder}: {size / 1e6:.1f} MB, headroom of the exact path {max(float(m.bounds().max()) for m in exact_layers(net)) / 2**24:.3f} of 1"
    )


def exact_layers(net: Lic1) -> list[torch.nn.Module]:
    return [*net.scales.enter, *(m for p in net.scales.passes for m in p)]


if __name__ == "__main__":
    main()
