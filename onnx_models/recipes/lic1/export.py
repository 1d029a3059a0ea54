"""weights.pt -> fourteen ONNX graphs, the stored tables, their hashes in the manifest, and the proof of exactness.

python -m onnx_models.recipes.lic1.export WEIGHTS PATCHES_FOLDER --id 1 --name lic1
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ..common.data import Patches
from ..common.export import ONNX_MODELS, Network, Placed, Release, Side
from .histograms import Histograms, count, empty, tables_of
from .model import Lic1, Sizes
from .networks import graphs

GEOMETRY = {
    "stride": 16,
    "hyper_stride": 4,
    "align": 64,
    "tile_pixels": 4194304,
    "analysis_halo": 64,
    "halo": 8,
    "reach": 11,
    "means_reach": 9,
    "detail_reach": 1,
}
"""The constants of `families.lic1.geometry.Geometry` beside the channels."""
SIDES: dict[str, Side] = {"analysis": "encoder", "latents": "encoder", "synthesis": "decoder", "detail": "decoder"}
"""Who runs a graph; all others run on both sides."""


def load(weights: Path) -> Lic1:
    """The network with the weights of a run, on the CPU, in evaluation mode."""
    state = torch.load(weights, map_location="cpu", weights_only=True)
    m = state["synthesis.linear.weight"].shape[1]
    net = Lic1(torch.zeros(768, 768), torch.ones(768), Sizes(m=m))
    net.load_state_dict({k: v.float() for k, v in state.items()})
    return net.eval()


def networks(net: Lic1) -> dict[str, Network]:
    """Return every graph of the model by its role, in manifest order."""
    return {
        role: Network(graph, SIDES.get(role, "both"), exact=role.startswith("scales"))
        for role, graph in graphs(net).items()
    }


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("weights", type=Path)
    p.add_argument("patches", type=Path)
    p.add_argument("--id", type=int, required=True, help="never reuse the id of a released model")
    p.add_argument("--name", default="lic1")
    p.add_argument("--out", type=Path, default=ONNX_MODELS)
    p.add_argument("--samples", type=int, default=600, help="training patches whose symbols correct the tables")
    a = p.parse_args()
    net = load(a.weights)
    constants = {"latents": net.sizes.m, "hyper_latents": net.sizes.z} | GEOMETRY
    release = Release(a.out, a.id, a.name, "lic1", constants)
    made = release.networks(networks(net))
    patches = Patches(a.patches).some(a.samples)

    def with_tables(seen: Histograms) -> dict[str, Placed]:
        return made | {"tables": release.tables(tables_of(net, seen))}

    # The quantiser weighs the bits of the tables: what it chooses with the first ones corrects them, twice.
    files = with_tables(empty(net.sizes.z))
    for some in (patches[: len(patches) // 3], patches):
        files = with_tables(count(release.model(files), some))
    release.enter(files)
    size = sum((a.out / file.path).stat().st_size for file in files.values())
    headroom = max(float(m.bounds().max()) for m in exact_layers(net)) / 2**24
    print(f"{a.out / a.name}-{a.id}: {size / 1e6:.1f} MB, headroom of the exact path {headroom:.3f} of 1")


def exact_layers(net: Lic1) -> list[torch.nn.Module]:
    return [*net.scales.enter, *(m for p in net.scales.passes for m in p)]


if __name__ == "__main__":
    main()
