"""The exported graphs of `balle2017` compute what its network computes, and code."""

from pathlib import Path

import numpy as np
import pytest
import torch
from exported import beside, check_released, check_transform, exported

from onnx_models.recipes import balle2017 as recipe
from onnx_models.recipes.common.data import Patches
from pillow_lic.engine import models
from pillow_lic.families import balle2017

NUMBER = 4_000_002
"""No model's: sessions are kept by it."""


@pytest.mark.slow
@torch.no_grad()
def test_the_exported_model_is_the_network(patches: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = recipe.Balle2017().eval()
    model = exported(recipe, net, NUMBER, patches, tmp_path)
    assert set(model.constants) == set(models.choose("balle2017").constants)
    assert model.tables.count == 9 * 256

    pixels = Patches(patches).some(1)[0][:96, :80]
    for level in (0, 300, 1024):
        shown = check_transform(model, net, pixels, level)
        coded = [memoryview(stream) for stream in balle2017.encode(model, pixels, level)]
        np.testing.assert_array_equal(balle2017.decode(model, coded, (96, 80), level), shown)


def test_released_graphs_are_those_of_the_weights_beside_the_recipe() -> None:
    net = recipe.Balle2017().eval()
    net.load_state_dict(beside(recipe))
    check_released("balle2017", analysis=recipe.analysis_graph(net), synthesis=recipe.synthesis_graph(net))
