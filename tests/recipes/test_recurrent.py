"""The recurrent codecs: the exported graphs compute what the networks compute."""

from pathlib import Path

import numpy as np
import pytest
import torch

from onnx_models.recipes.recurrent import export
from onnx_models.recipes.recurrent.network import PAPERS
from pillow_lic.engine import models
from pillow_lic.families import recurrence

WEIGHTS = Path(export.__file__).parent
RELEASED = [name for name in PAPERS if (WEIGHTS / f"{name}.pt").exists()]


@pytest.mark.parametrize("name", RELEASED)
def test_released_graphs_are_those_of_the_weights_beside_the_recipe(name: str) -> None:
    model = models.choose(name)
    net = export.load(name, WEIGHTS / f"{name}.pt")
    assert dict(model.constants) == export.constants(net.paper)
    for role, network in export.graphs(net).items():
        assert network.graph.SerializeToString(deterministic=True) == model.stored(role).read()


@pytest.mark.parametrize("name", RELEASED)
@torch.no_grad()
def test_the_family_shows_what_the_network_shows(name: str) -> None:
    """But for weights in half precision: a tenth of the error that the picture has. Of a model of tiles the picture is one."""
    side = models.choose(name).constants.get("tile", 64)
    pixels = (
        np.random.default_rng(0).integers(0, 256, (side // 16, side // 16, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    )
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255 - 0.5
    wanted = export.load(name, WEIGHTS / f"{name}.pt").pictures(x)[-1]
    model = models.choose(name)
    signs = recurrence.chosen(model, pixels, model.constants["steps"])
    shown = recurrence.shown(model, signs, (side, side)).astype(float) / 255 - 0.5
    seen = wanted[0].clamp(-0.5, 0.5).permute(1, 2, 0).numpy()
    assert np.abs(shown - seen).mean() < 0.1 * np.abs(seen - x[0].permute(1, 2, 0).numpy()).mean() + 0.004
