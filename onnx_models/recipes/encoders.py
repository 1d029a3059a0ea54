"""The graphs that only encoders run, of models that were released with them in half precision, written anew in 8 bits.

    python -m onnx_models.recipes.encoders

A file is read without them, so they are extras of the model: its hash goes on counting those it was released with. They are made of the
weights beside the recipes, by the recipes' own functions, which write them in 8 bits for new numbers too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import onnx
import torch

from . import agustsson2017, autoencoder, rippel2017
from .common import training
from .common.block_codec import BlockCodec
from .common.export import ONNX_MODELS, Network, replace_encoders
from .recurrent import export as recurrent

RECIPES = Path(__file__).parent


def _weights(path: str) -> dict[str, torch.Tensor]:
    return training.weights(RECIPES / f"{path}.pt")


def _of_blocks(net: BlockCodec, name: str) -> dict[str, onnx.ModelProto]:
    net.load_state_dict(_weights(name))
    return {"analysis": net.eval().analysis_graph()}


def _of_rippel2017() -> dict[str, onnx.ModelProto]:
    net = rippel2017.Rippel2017().eval()
    net.load_state_dict(_weights("rippel2017"))
    return {"analysis": rippel2017.analysis_graph(net)}


def _of_steps(name: str) -> dict[str, onnx.ModelProto]:
    net = recurrent.load(name, RECIPES / f"recurrent/{name}.pt")
    return {"encoder_step": recurrent.encoder_graph(net)}


GRAPHS: Mapping[int, Callable[[], dict[str, onnx.ModelProto]]] = {
    23: lambda: _of_blocks(autoencoder.Autoencoder(), "autoencoder"),
    24: lambda: _of_blocks(agustsson2017.Agustsson2017(), "agustsson2017"),
    25: _of_rippel2017,
    26: lambda: _of_steps("toderici2015"),
    28: lambda: _of_steps("johnston2018"),
    29: lambda: _of_steps("minnen2017"),
    30: lambda: _of_steps("toderici2017"),
}
"""What makes the graphs of a number, by role."""


@torch.no_grad()
def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=Path, default=ONNX_MODELS)
    a = p.parse_args()
    for number, graphs in GRAPHS.items():
        replace_encoders(a.out, number, {role: Network(graph, "encoder") for role, graph in graphs().items()})


if __name__ == "__main__":
    main()
