"""The training of the gate, and its export into a model that shares the network of RESTORED."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pillow_lic.engine import models
from pillow_lic.engine.models import Model

from .. import restored_gate
from ..common import command, training
from ..common.data import Patches
from ..common.errors import errors_of
from ..common.export import Network, Release
from ..common.pairs import Pairs, made
from .graph import gate_graph
from .judged import Judged, judgement
from .likeness import fit
from .network import REACH, STEPS, Gate

RESTORED = 31
"""Number of the model whose network the gate is for."""
HELD_OUT, ENLARGED = 20, 0.3
"""One pair in so many is held out; the share of photographs that are enlarged, as in `restored.py`."""


def _restored() -> Model:
    return next(model for model in models.models() if model.number == RESTORED)


def export(a: argparse.Namespace) -> None:
    """Write the graph, and the entry of the manifest, which shares the network of RESTORED."""
    net = Gate().eval()
    net.load_state_dict(training.weights(a.weights))
    entry = _restored()
    release = Release(a.out, a.id, "restored", "restored", entry.constants | {"gate_margin": REACH})
    release.enter(
        release.shared(RESTORED, ["restore"]) | release.networks({"gate": Network(gate_graph(net), "decoder")})
    )


def train(a: argparse.Namespace) -> None:
    """Train, or go on with a run that was cut; its pairs and their errors are made first, and kept in its folder."""
    torch.manual_seed(0)
    a.run.mkdir(parents=True, exist_ok=True)
    path, counted = a.run / "pairs.npz", a.run / "errors.npy"
    if not path.exists():
        patches, rng = Patches(a.patches, ENLARGED), np.random.default_rng(1)
        made(_restored(), patches, a.screens, a.pairs, a.more, a.crop, rng).save(path)
    pairs, net = Pairs.load(path), Gate()
    if not counted.exists():
        np.save(counted, errors_of(pairs, STEPS))
    judged = Judged.of(pairs, np.load(counted))
    everything = np.arange(len(pairs))
    learnt, held = everything[everything % HELD_OUT > 0], everything[::HELD_OUT]
    shares = judged.shares()[learnt]
    shares /= shares.sum()

    def batch(rng: np.random.Generator, _: float) -> tuple[Tensor, dict[str, float]]:
        index = rng.choice(learnt, a.batch, p=shares)
        loss, gain = judged.loss(net, index, rng)
        lost = (-gain.detach()).clamp(min=0).mean()
        return loss, {"gained": gain.mean().item(), "lost": lost.item()}

    training.loop(net, ("log_",), a, lambda: None, batch, lambda average: judgement(average, judged, held))
    net.load_state_dict(training.weights(a.run / "weights.pt"))
    fit(net, judged)
    torch.save(net.state_dict(), a.run / "weights.pt")


def add_words(parser: argparse.ArgumentParser) -> None:
    """Set what `train` has beside the words of every recipe."""
    parser.set_defaults(batch=16, lr=2e-3, warm_up=50, every=100)
    parser.add_argument(
        "--screens", type=Path, help="folder of folders of pictures of screens; drawings instead of them if left out"
    )
    parser.add_argument("--pairs", type=int, default=6000, help="pictures that are restored to learn from")
    parser.add_argument("--more", type=int, default=9000, help="others, of which those are learnt from that lose")


if __name__ == "__main__":
    command.run(restored_gate.__doc__, train, export, add_words, counts=False)
