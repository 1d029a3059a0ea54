"""Weights of `lic2` -> its ONNX graphs, tables and entry in the manifest, as those of `lic1`, and what only encoders run.

    python -m onnx_models.recipes.lic2.export WEIGHTS PATCHES_FOLDER --id 16 --quick QUICK_WEIGHTS

The small analysis, the gradient behind `effort`, the graphs of drafts and the numbers of native layers are extras of the entry,
outside its hash: no file's meaning depends on them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pillow_lic.families.lic1 import detail, means, scales, synthesis

from ..common.data import Patches
from ..common.export import ONNX_MODELS, Network, add_extras
from ..lic1 import detail_numbers, draft, mean_numbers, scale_numbers, synthesis_numbers
from ..lic1.export import export
from .model import load
from .quick import graph, load_quick

NAME = "lic2"
EFFORT = 1
"""Of a picture for which none is asked: the large analysis and filters."""
BPP = (0.128, 3.795)
"""Bits per pixel of a photo at the ends of the scale (Kodak's mean, at EFFORT), as the card has them."""
DRAFTS_JUDGED = 12
"""Validation patches on which drafts are compared with the averaged full decode."""


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("weights", type=Path)
    p.add_argument("patches", type=Path)
    p.add_argument("--id", type=int, required=True, help="never reuse the id of a released model")
    p.add_argument("--quick", type=Path, help="weights of the small analysis, if there is one")
    p.add_argument("--out", type=Path, default=ONNX_MODELS)
    p.add_argument("--samples", type=int, default=600, help="training patches whose symbols correct the tables")
    p.add_argument(
        "--draft-samples", type=int, default=240, help="training patches that the heads of drafts are fitted to"
    )
    a = p.parse_args()
    net, data = load(a.weights), Patches(a.patches)
    export(net, data.some(a.samples), a.out, NAME, a.id, effort=EFFORT, bpp=BPP)
    extras: dict[str, Network | bytes] = {}
    if a.quick:
        extras["analysis_quick"] = Network(graph(net, load_quick(net, a.quick)), "encoder")
    heads = draft.fit(net, data.some(a.draft_samples))
    folder = a.out / f"{NAME}-{a.id}"
    extras[detail.NUMBERS] = detail_numbers.numbers((folder / "detail.onnx").read_bytes())
    extras[synthesis.NUMBERS] = synthesis_numbers.numbers((folder / "synthesis.onnx").read_bytes())
    for kind, module, made in ((scales, "scales", scale_numbers), (means, "means", mean_numbers)):
        begin, *stages = ((folder / f"{module}_{part}.onnx").read_bytes() for part in ("z", *range(net.sizes.stages)))
        extras[kind.NUMBERS] = made.numbers(begin, stages)
    add_extras(a.out, a.id, extras | draft.networks(net, heads))
    print(draft.quality(net, data.validation()[:DRAFTS_JUDGED], heads))


if __name__ == "__main__":
    main()
