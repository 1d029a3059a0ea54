"""The exported graphs of codecs over block PCA compute what their networks compute; the parts of `agustsson2017`."""

from pathlib import Path
from types import ModuleType

import pytest
import torch
from exported import beside, check_released, check_transform, exported

from onnx_models.recipes import agustsson2017, autoencoder
from onnx_models.recipes.common import blockwise
from onnx_models.recipes.common.block_codec import BlockCodec
from onnx_models.recipes.common.data import Patches
from pillow_lic import families
from pillow_lic.engine import models

RECIPES = [
    (4_000_004, autoencoder, autoencoder.Autoencoder),
    (4_000_005, agustsson2017, agustsson2017.Agustsson2017),
]
"""With numbers that are no model's: sessions are kept by it."""
each_recipe = pytest.mark.parametrize(("number", "recipe", "kind"), RECIPES, ids=["autoencoder", "agustsson2017"])


@each_recipe
@torch.no_grad()
def test_the_exported_model_is_the_network(
    number: int, recipe: ModuleType, kind: type[BlockCodec], patches: Path, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    net = kind().eval()
    model = exported(recipe, net, number, patches, tmp_path)
    assert model.constants == models.choose(model.name).constants
    assert model.tables.count == 9 * recipe.LATENTS

    pixels = Patches(patches).some(1)[0][:96, :80]
    for level in (0, 300, 1024):
        check_transform(model, net, pixels, level)
        family = families.of(model)
        coded = [memoryview(stream) for stream in family.encode(model, pixels, level)]
        assert family.decode(model, coded, (96, 80), level).shape == (96, 80, 3)


@each_recipe
def test_released_graphs_are_those_of_the_weights_beside_the_recipe(
    number: int,
    recipe: ModuleType,
    kind: type[BlockCodec],
) -> None:
    net = kind().eval()
    net.load_state_dict(beside(recipe))
    check_released(recipe.__name__.rpartition(".")[2], analysis=net.analysis_graph(), synthesis=net.synthesis_graph())


@torch.no_grad()
def test_all_components_of_blocks_give_the_picture_back(patches: Path) -> None:
    torch.manual_seed(0)
    analysis, synthesis = blockwise.Analysis(192, 16, 1).eval(), blockwise.Synthesis(192, 16, 1).eval()
    blockwise.begin(analysis, synthesis, blockwise.principal(Patches(patches).some(4)), 0.1)
    for layer in (analysis.leave, synthesis.leave):
        layer.weight.zero_()
    x = torch.rand(1, 3, 32, 24) - 0.5
    torch.testing.assert_close(synthesis(analysis(x)[1]), x, atol=1e-5, rtol=0)


def test_assignments_harden_and_their_gradient_reaches_centres_and_latents() -> None:
    net = agustsson2017.Agustsson2017()
    y = torch.linspace(-3, 3, 4 * 64).view(1, 64, 2, 2).requires_grad_()
    nearest = net.centres[(y[..., None] - net.centres).abs().argmin(-1)]
    distances = [(net.shares(y, sigma) @ net.centres - nearest).abs().max().item() for sigma in (2.0, 20.0, 2000.0)]
    assert distances == sorted(distances, reverse=True)
    torch.testing.assert_close(net.shares(y, 2.0).sum(-1), torch.ones(1, 64, 2, 2))
    (net.shares(y, 2.0) @ net.centres).square().sum().backward()
    assert y.grad is not None
    assert net.centres.grad is not None
    assert y.grad.abs().min() > 0
    assert net.centres.grad.abs().max() > 0


@pytest.mark.parametrize("assignment", agustsson2017.ASSIGNMENTS)
def test_a_step_changes_what_it_should(assignment: str) -> None:
    torch.manual_seed(0)
    net = agustsson2017.Agustsson2017(assignment)
    net.progress = 0.5
    before = net.histogram.clone()
    loss, bpp, error = net.losses(torch.rand(2, 3, 128, 128), torch.tensor([0.0, 1024.0]))
    loss.mean().backward()
    assert loss.shape == bpp.shape == error.shape == (2,)
    assert not torch.equal(net.histogram[0], before[0])
    torch.testing.assert_close(net.histogram[4], before[4])
    torch.testing.assert_close(net.histogram.sum(-1), torch.ones(9, 64))
    assert net.analysis.linear.weight.grad is not None
    assert net.analysis.linear.weight.grad.abs().max() > 0
