"""The export of `lic1`: weights.pt -> fourteen ONNX graphs, the stored tables, their hashes in the manifest, the proof of exactness.

python -m onnx_models.recipes.lic1.export WEIGHTS PATCHES_FOLDER --id 1 --name lic1
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch

from pillow_lic.engine.models import Model

from ..common.complexity import kmac_per_pixel
from ..common.data import Patches
from ..common.levels import ANCHORS
from ..common.tables import Table, pack
from .histograms import Histograms, count, empty, tables_of
from .model import Lic1, Sizes
from .networks import graphs
from .scale_tables import SCALES

HERE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, eq=False)
class Exported(Model):
    """A model as the runtime sees it, with files in a folder that may still change."""

    folder: Path

    def read(self, role: str) -> bytes:
        return (self.folder / self.place(role)[0]).read_bytes()


def write_tables(path: Path, tables: list[Table]) -> None:
    """Write tables as FORMAT.md, section 7.1, has them."""
    low, sizes, frequencies = pack(tables)
    heads = np.rec.fromarrays([low, sizes], dtype=np.dtype([("low", "<i2"), ("size", "<u2")]))
    path.write_bytes(len(tables).to_bytes(2, "little") + heads.tobytes() + frequencies.astype("<u2").tobytes())


def load(weights: Path) -> Lic1:
    """Return the network with the weights of a run, on the CPU, in evaluation mode."""
    state = torch.load(weights, map_location="cpu", weights_only=True)
    m = state["synthesis.linear.weight"].shape[1]
    net = Lic1(torch.zeros(768, 768), torch.ones(768), Sizes(m=m))
    net.load_state_dict({k: v.float() for k, v in state.items()})
    return net.eval()


def with_hash(path: Path, file: str) -> tuple[str, str]:
    return file, hashlib.sha256((path / file).read_bytes()).hexdigest()


def add_extras(out: Path, number: int, made: Mapping[str, onnx.ModelProto]) -> None:
    """Write graphs that no file's meaning depends on beside a model of the manifest, by role; ValueError if it is not there."""
    path = out / "manifest.json"
    manifest = json.loads(path.read_text())
    entries = {entry["id"]: entry for entry in manifest["models"]}
    if number not in entries:
        raise ValueError(f"--id must be one of {', '.join(map(str, entries))}, got {number}")
    entry = entries[number]
    for role, model in made.items():
        name, content = f"{entry['name']}-{number}/{role}.onnx", model.SerializeToString(deterministic=True)
        (out / name).write_bytes(content)
        kmac = round(kmac_per_pixel(model), 3)
        entry.setdefault("extras", {})[role] = {
            "file": name,
            "kmac_per_pixel": kmac,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        print(f"{out / name}: {len(content) / 1e6:.2f} MB, {kmac} kMAC a pixel")
    path.write_text(json.dumps(manifest, indent=1) + "\n")


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
    kmac = {role: round(kmac_per_pixel(model), 3) for role, model in made.items()}
    patches = Patches(a.patches).some(a.samples)

    def written(seen: Histograms) -> Exported:
        write_tables(folder / "tables.bin", tables_of(net, seen))
        files = {role: with_hash(a.out, f"{folder.name}/{role}.onnx") for role in made}
        files["tables"] = with_hash(a.out, f"{folder.name}/tables.bin")
        digest = hashlib.sha256(b"".join(bytes.fromhex(sha256) for _, sha256 in files.values()))
        return Exported(a.id, files, kmac, a.name, "lic1", digest.digest(), net.sizes.m, net.sizes.z, {}, a.out)

    spec = written(empty(net.sizes.z))
    for some in (patches[: len(patches) // 3], patches):
        spec = written(count(spec, some))
    entry = {
        "id": spec.number,
        "name": spec.name,
        "procedure": spec.procedure,
        "sha256": spec.digest.hex(),
        "latents": spec.constants["latents"],
        "hyper_latents": spec.constants["hyper_latents"],
        "scales": SCALES,
        "anchors": ANCHORS,
        "files": {
            role: {"file": file, "sha256": sha256} | ({"kmac_per_pixel": kmac[role]} if role in kmac else {})
            for role, (file, sha256) in spec.files.items()
        },
    }
    manifest = a.out / "manifest.json"
    models = json.loads(manifest.read_text())["models"] if manifest.exists() else []
    models = [m for m in models if m["id"] != a.id] + [entry]
    manifest.write_text(json.dumps({"models": sorted(models, key=lambda m: m["id"])}, indent=1) + "\n")
    size = sum((a.out / file).stat().st_size for file, _ in spec.files.values())
    print(
        f"{folder}: {size / 1e6:.1f} MB, headroom of the exact path {max(float(m.bounds().max()) for m in exact_layers(net)) / 2**24:.3f} of 1"
    )


def exact_layers(net: Lic1) -> list[torch.nn.Module]:
    return [*net.scales.enter, *(m for p in net.scales.passes for m in p)]


if __name__ == "__main__":
    main()
