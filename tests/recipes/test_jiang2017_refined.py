"""The second network of `jiang2017`: it learns, begins as almost no change, and its graph is what was trained."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from exported import beside, check_released
from torch import Tensor

from onnx_models.recipes import jiang2017_refined as recipe
from onnx_models.recipes.common.data import Patches
from onnx_models.recipes.common.restoring import FROM_RGB, centred
from onnx_models.recipes.jiang2017 import Jiang2017
from pillow_lic.engine import models


def originals(patches: Path) -> Tensor:
    return Patches(patches).batch(2, 64, np.random.default_rng(0))


def told(*qualities: int) -> np.ndarray:
    return np.stack([recipe.tables(quality, 0.8, 0.0, 0.0) for quality in qualities])


def first(patches: Path) -> Jiang2017:
    torch.manual_seed(0)
    net = Jiang2017().eval().requires_grad_(False)
    net.rec.trunk.start(Patches(patches))
    return net


def test_even_tables_are_those_of_the_package() -> None:
    for quality in (10, 40, 80):
        ours = recipe.tables(quality, 0.8, 0.0, 0.0)
        np.testing.assert_array_equal(ours, recipe.evened(recipe.standard(quality).astype(np.float32)))


def test_refining_begins_as_almost_no_change_and_learns(patches: Path) -> None:
    net, rested = recipe.Refine(), first(patches)
    x = originals(patches)
    seen = recipe.seen_of(rested, x, told(20, 60))
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    losses = []
    for _ in range(12):
        loss, _ = recipe.loss_of(net, x, seen)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] < 1.05


def test_the_graph_is_the_network(patches: Path) -> None:
    rested, net = first(patches), recipe.Refine()
    torch.manual_seed(1)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.02 * torch.randn_like(p))
    x, tables = originals(patches)[:1], told(30)
    seen = recipe.seen_of(rested, x, tables)
    rng = np.random.default_rng(0)
    shown, pixels = (rng.integers(0, 256, (side, side, 3), np.uint8) for side in (64, 32))
    feeds = {"shown": shown, "pixels": pixels, "steps": tables.astype(np.float32).reshape(1, 128, 1, 1)}
    session = onnxruntime.InferenceSession(recipe.refine_graph(net, rested.rec.trunk).SerializeToString())
    made = session.run(None, feeds)[0][0]
    around_0 = (centred(torch.from_numpy(picture)[None]) for picture in (shown, pixels))
    with torch.no_grad():
        ycc = net(*around_0, seen.scale, seen.steps)[0]
    ycc[0] += 128
    expected = torch.einsum("ij,jhw->hwi", torch.linalg.inv(torch.tensor(FROM_RGB)), ycc)
    np.testing.assert_allclose(made, expected.clamp(0, 255).numpy(), atol=2.5)


def test_the_released_graph_is_of_the_weights_beside_the_recipe_and_the_others_are_those_of_number_21() -> None:
    net = recipe.Refine()
    net.load_state_dict(beside(recipe))
    model = check_released("jiang2017", refine=recipe.refine_graph(net, recipe.first().rec.trunk))
    (before,) = (some for some in models.models() if some.number == 21)
    assert all(model.files[role] == before.files[role] for role in ("compact", "restore"))
    assert model.constants == recipe.CONSTANTS
