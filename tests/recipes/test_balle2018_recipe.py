"""`balle2018`: its transform rests, and its graphs compute what its networks compute."""

from pathlib import Path

import numpy as np
import torch
from exported import beside, check_released

from onnx_models.recipes import balle2017
from onnx_models.recipes import balle2018 as recipe
from onnx_models.recipes.common.data import Patches
from pillow_lic.engine import models


def test_the_transform_rests_and_is_no_part_of_the_state() -> None:
    transform = balle2017.load()
    net = recipe.Balle2018(transform)
    assert not any(name.startswith(("analysis", "synthesis", "_transform")) for name in net.state_dict())
    bits = net.train()(torch.rand(1, 3, 64, 64), torch.tensor([500.0]))[1]
    bits.sum().backward()
    assert all(p.grad is None for p in transform.parameters())
    assert all(p.grad is not None for p in net.parameters())


@torch.no_grad()
def test_released_graphs_are_those_of_the_weights_beside_the_recipe(patches: Path) -> None:
    net = recipe.Balle2018(balle2017.load()).eval()
    net.load_state_dict(beside(recipe))
    model = check_released(
        "balle2018", hyper_analysis=recipe.hyper_analysis_graph(net), scales=recipe.scales_graph(net)
    )
    for role in ("analysis", "synthesis"):
        assert model.files[role] == models.choose("balle2017").files[role]
    pixels = Patches(patches).some(1)[0][:128, :64]
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
    for level in (0, 300, 1024):
        y = net.transform.latents(x, torch.tensor([float(level)]))
        z = model.run("hyper_analysis", y=y.numpy())[0]
        wanted = net.hyper_analysis(y).round().clamp(-recipe.Z_MAX, recipe.Z_MAX).numpy()
        assert (z == wanted).mean() > 0.98
        index = model.run("scales", z_hat=z, level=np.full((1, 1, 1, 1), level, np.float32))[0]
        exact = recipe.whole(net.scales(torch.from_numpy(z), torch.tensor([float(level)])))
        np.testing.assert_array_equal(index, exact.numpy())
