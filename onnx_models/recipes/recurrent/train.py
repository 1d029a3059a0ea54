"""A training run of a recurrent codec, or of a variant of it for a comparison.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.recurrent.train toderici2017 PATCHES RUN --minutes 8
    OMP_NUM_THREADS=1 python -m onnx_models.recipes.recurrent.train johnston2018 PATCHES RUN --minutes 4 --weights WEIGHTS
    ... johnston2018 ... --set priming=0 ssim=False      what a variant changes

`--weights` may be those of another paper: what it has not (a diffusion kernel) keeps its start.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from ..common import training
from ..common.data import Patches
from .network import PAPERS, Paper, Recurrent
from .tiled import Tiled

FAST = ("codes", "offsets", "bias", "kernel")
"""Parameters that learn four times as fast."""


def varied(paper: Paper, changes: Sequence[str]) -> Paper:
    """Return a paper's codec with changes NAME=VALUE; ValueError for a name that it has not."""
    known = {field.name: field for field in dataclasses.fields(Paper)}
    values = dict(change.partition("=")[::2] for change in changes)
    if unknown := sorted(values.keys() - known.keys()):
        raise ValueError(f"--set must name one of {', '.join(known)}, got {', '.join(unknown)}")
    types = {name: type(getattr(paper, name)) for name in values}
    parsed = {
        name: text if types[name] is str else types[name](json.loads(text.lower())) for name, text in values.items()
    }
    return dataclasses.replace(paper, **parsed)


def network(paper: Paper) -> Recurrent:
    """Return the codec of a paper."""
    return Tiled(paper) if paper.tiled else Recurrent(paper)


def continued(net: Recurrent, weights: Path) -> Recurrent:
    """Return a codec that a new run begins with the weights of another one."""

    def start(patches: Patches) -> None:
        state = training.weights(weights)
        net.load_state_dict({**net.state_dict(), **{k: v.float() for k, v in state.items()}})

    net.start = start  # type: ignore[method-assign]
    return net


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("paper", choices=PAPERS)
    training.add_arguments(p)
    p.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="what a variant changes")
    p.set_defaults(crop=128, batch=4, lr=4e-4, every=100, warm_up=50)
    a = p.parse_args()
    torch.manual_seed(0)
    paper = varied(PAPERS[a.paper], a.set)
    a.run.mkdir(parents=True, exist_ok=True)
    (a.run / "paper.json").write_text(json.dumps(dataclasses.asdict(paper)))
    net = network(paper)
    if a.weights:
        net, a.weights = continued(net, a.weights), None
    training.train(net, FAST, a)


if __name__ == "__main__":
    main()
