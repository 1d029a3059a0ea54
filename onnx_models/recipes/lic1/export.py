"""weights.pt -> fourteen ONNX graphs, the stored tables, their hashes in the manifest, and the proof of exactness.

python -m onnx_models.recipes.lic1.export WEIGHTS PATCHES_FOLDER --id 1 --name lic1
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from ..common import training
from ..common.data import Patches
from ..common.exact import EXACT_LIMIT
from ..common.export import ONNX_MODELS, Network, Placed, Release, Side
from ..common.levels import LAMBDA_MIN
from .histograms import Histograms, count, empty, tables_of
from .model import Lic1, Sizes
from .networks import graphs

SIDES: dict[str, Side] = {"analysis": "encoder", "latents": "encoder", "synthesis": "decoder", "detail": "decoder"}
"""Who runs a graph; all others run on both sides."""
BPP = (0.116, 1.66)
"""Bits per pixel of a photo at the ends of the scale of `lic1` (Kodak's mean)."""


def load(weights: Path) -> Lic1:
    """The network with the weights of a run, on the CPU, in evaluation mode."""
    state = training.weights(weights)
    m = state["synthesis.linear.weight"].shape[1]
    net = Lic1(torch.zeros(768, 768), torch.ones(768), Sizes(m=m))
    net.load_state_dict(state)
    return net.eval()


def constants_of(sizes: Sizes) -> dict[str, int]:
    """Return the constants of the family `lic1` that follow from a model's sizes (`families.lic1.geometry.Geometry`).

    A kernel reaches k // 2 places, at 1/8 half as many latents; `detail` reaches one latent. The halo leaves out the outermost three
    of eleven, which weigh next to nothing (measured on number 9).
    """
    each = sizes.k // 2
    reach = each * sizes.low + -(-each * sizes.synthesis // 2) + 1
    result = {
        "latents": sizes.m,
        "hyper_latents": sizes.z,
        "stride": 16,
        "hyper_stride": 4,
        "align": 64,
        "tile_pixels": 2**22,
        "analysis_halo": 64,
        "halo": -(-8 * reach // 11),
        "reach": reach,
        "means_reach": 2 * sizes.stages + 1,
        "detail_reach": 1,
        "stages": sizes.stages,
    }
    # A filter sees pixels of the next latent.
    return result | {"reach": reach + 1, "fraction": sizes.fraction} if sizes.fraction else result


def networks(net: Lic1) -> dict[str, Network]:
    """Return every graph of the model by its role, in manifest order."""
    return {
        role: Network(graph, SIDES.get(role, "both"), exact=role.startswith("scales"))
        for role, graph in graphs(net).items()
    }


def export(
    net: Lic1,
    patches: list[npt.NDArray[np.uint8]],
    out: Path,
    name: str,
    number: int,
    *,
    effort: int = 0,
    bpp: Sequence[float] = BPP,
) -> None:
    """Write the files of a model and its entry into the manifest of `out`; the symbols of patches (h,w,3) correct its tables.

    effort and bpp are those of `manifest.Entry`.
    """
    slopes = (LAMBDA_MIN, net.sizes.largest)
    release = Release(out, number, name, "lic1", constants_of(net.sizes), effort=effort, bpp=bpp, slopes=slopes)
    made = release.networks(networks(net))

    def with_tables(seen: Histograms) -> dict[str, Placed]:
        return made | {"tables": release.tables(tables_of(net, seen))}

    # The quantiser weighs the bits of the tables: what it chooses with the first ones corrects them, twice.
    files = with_tables(empty(net.sizes.z))
    for some in (patches[: len(patches) // 3], patches):
        files = with_tables(count(release.model(files), some))
    release.enter(files)
    size = sum((out / file.path).stat().st_size for file in files.values())
    headroom = max(float(m.bounds().max()) for m in exact_layers(net)) / EXACT_LIMIT
    print(f"{out / name}-{number}: {size / 1e6:.1f} MB, headroom of the exact path {headroom:.3f} of 1")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("weights", type=Path)
    p.add_argument("patches", type=Path)
    p.add_argument("--id", type=int, required=True, help="never reuse the id of a released model")
    p.add_argument("--name", default="lic1")
    p.add_argument("--out", type=Path, default=ONNX_MODELS)
    p.add_argument("--samples", type=int, default=600, help="training patches whose symbols correct the tables")
    a = p.parse_args()
    export(load(a.weights), Patches(a.patches).some(a.samples), a.out, a.name, a.id)


def exact_layers(net: Lic1) -> list[torch.nn.Module]:
    return [*net.scales.enter, *(m for p in net.scales.passes for m in p)]


if __name__ == "__main__":
    main()
