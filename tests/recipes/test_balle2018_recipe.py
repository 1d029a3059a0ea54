"""`balle2018`: its transform rests, and its graphs compute what its networks compute."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from exported import beside, check_released

from onnx_models.recipes import balle2017
from onnx_models.recipes import balle2018 as recipe
from onnx_models.recipes.common import hyperprior
from onnx_models.recipes.common.data import Patches
from pillow_lic.engine import models


def test_the_transform_rests_and_is_no_part_of_the_state() -> None:
    transform = balle2017.load()
    net = recipe.Balle2018(transform)
    assert not any(name.startswith(("analysis", "synthesis", "_transform")) for name in net.state_dict())
    side, bits = net.train()(3 * torch.randn(2, 256, 8, 8), torch.tensor([500.0, 20.0]))
    (side + bits).sum().backward()
    assert all(p.grad is None for p in transform.parameters())
    assert all(p.grad is not None for p in net.parameters())


def test_training_lowers_the_loss(patches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On stored latents, with tables that are counted on the way, and a run that was cut goes on."""
    monkeypatch.setattr(recipe, "COUNT_EVERY", 2)
    monkeypatch.setattr(recipe, "TABLES_EVERY", 4)
    words = argparse.Namespace(patches=patches, run=tmp_path / "latents")
    recipe.latents(words)
    words = argparse.Namespace(patches=words.run, run=tmp_path / "run", steps=12, minutes=0, weights=None)
    for name, value in {"batch": 2, "lr": 1e-3, "decay_from": 0.5, "warm_up": 2, "every": 1}.items():
        setattr(words, name, value)
    recipe.train(words)
    log = (tmp_path / "run" / "log.txt").read_text().splitlines()
    first, last = (float(line.split("validation")[1].split()[0]) for line in (log[7], log[-1]))
    assert last < first
    words.steps = 14
    recipe.train(words)
    assert (tmp_path / "run" / "log.txt").read_text().splitlines()[len(log)].startswith("step 13 ")


@torch.no_grad()
def test_released_graphs_are_those_of_the_weights_beside_the_recipe(patches: Path) -> None:
    net = recipe.Balle2018(balle2017.load()).eval()
    net.load_state_dict(beside(recipe))
    graphs = {"hyper_analysis": net.hyper_analysis_graph(), "scales": hyperprior.scales_graph(net.scales)}
    model = check_released("balle2018", **graphs)
    for role in ("analysis", "synthesis"):
        assert model.files[role] == models.choose("balle2017").files[role]
    pixels = Patches(patches).some(1)[0][:128, :64]
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
    for number in (0, 300, 1024):
        level, field = torch.tensor([float(number)]), np.full((1, 1, 1, 1), number, np.float32)
        y = net.transform.analysis(x - 0.5)
        z = model.run("hyper_analysis", y=(y * net.transform.encoder_gains(level)).numpy(), level=field)[0]
        wanted = net.hyper_latents(y, level).round().clamp(-hyperprior.Z_MAX, hyperprior.Z_MAX).numpy()
        assert (z == wanted).mean() > 0.9
        index, centre = model.run("scales", z_hat=z, level=field)
        indexes, centres = net.scales(torch.from_numpy(z), level)
        np.testing.assert_array_equal(index, hyperprior.whole(indexes).numpy())
        np.testing.assert_array_equal(centre, hyperprior.nearest_step(centres).numpy())
