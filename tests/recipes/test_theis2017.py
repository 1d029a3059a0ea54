"""`theis2017`: its start, its unmasking, its two trainings, and its graphs."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from exported import beside, check_released, check_transform

from onnx_models.recipes import theis2017 as recipe
from onnx_models.recipes.common.data import Patches
from onnx_models.recipes.common.factorised import LARGEST, ScaleMixture
from pillow_lic.families.shared import factorised


@torch.no_grad()
def test_it_begins_as_a_linear_transform_that_keeps_the_picture(patches: Path) -> None:
    torch.manual_seed(0)
    net = recipe.Theis2017()
    net.start(Patches(patches))
    x = Patches(patches).validation().permute(0, 3, 1, 2) / 255 - 0.5
    error = (net.synthesis(net.analysis(x)) - x).square().mean()
    assert error < 0.02 * x.square().mean()


@torch.no_grad()
def test_coefficients_are_unmasked_one_after_another() -> None:
    net = recipe.Theis2017()
    seen = []
    for progress in np.linspace(0, recipe.UNMASKING, 2 * recipe.LATENTS):
        net.progress = float(progress)
        seen.append(net.unmasked)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (recipe.UNMASKED, recipe.LATENTS)
    assert set(np.diff(seen)) == {0, 1}
    net.progress, x = 0.0, torch.rand(1, 3, 32, 32)
    coded = []
    net.prior.bits = lambda y, _: coded.append(y) or torch.zeros_like(y)  # type: ignore[method-assign]
    net.train()(x, torch.tensor([1000.0]))
    assert coded[0][:, recipe.UNMASKED :].abs().max() <= 0.5


def test_a_run_that_goes_on_has_all_coefficients_from_the_beginning() -> None:
    net = recipe.Theis2017(masked=False)
    net.progress = 0.0
    assert net.unmasked == recipe.LATENTS


@torch.no_grad()
def test_it_judges_the_symbols_that_the_family_writes() -> None:
    torch.manual_seed(3)
    net = recipe.Theis2017().eval()
    net.prior.log_scale.data = torch.randn_like(net.prior.log_scale) * 0.3
    y, anchor = 2 * torch.randn(1, recipe.LATENTS, 6, 7), torch.tensor([4])
    symbols = torch.arange(-factorised.LARGEST, factorised.LARGEST + 1.0)
    costs = net.prior.bits(symbols.expand(1, recipe.LATENTS, 1, -1), anchor)[0, :, 0].numpy()
    rounded = y[0].numpy().round().astype(np.int16)
    chosen = net.symbols(y, anchor)[0].numpy()
    np.testing.assert_array_equal(chosen, factorised.cheaper(y[0].numpy(), rounded, costs, recipe.WORTH))
    assert (chosen != rounded).any()
    assert recipe.CONSTANTS["worth"] == recipe.WORTH
    coded = []
    net.prior.bits = lambda y, _: coded.append(y) or torch.zeros_like(y)  # type: ignore[method-assign]
    net(torch.rand(1, 3, 32, 32), torch.tensor([500.0]))
    torch.testing.assert_close(coded[-1], coded[-1].round(), atol=1e-4, rtol=0)


def test_scales_learn_from_noise_and_the_prior_from_what_is_written() -> None:
    torch.manual_seed(4)
    net = recipe.Theis2017(writes=True).train()
    torch.nn.init.constant_(net.decoder_gains.log_gain, -20)  # no picture, so no slope of its error
    x, level = torch.rand(1, 3, 32, 32), torch.tensor([600.0])
    symbols = net.symbols(net.latents(x, level), torch.tensor([5]))
    bits = net(x, level)[1].sum()
    written = net.prior.bits(symbols, torch.tensor([5])).sum()
    torch.testing.assert_close(bits, written)
    bits.backward()
    assert net.encoder_gains.log_gain.grad.abs().max() > 0
    found, net.prior.log_scale.grad = net.prior.log_scale.grad, None
    written.backward()
    torch.testing.assert_close(found, net.prior.log_scale.grad)


def test_the_network_rests_while_scales_are_tuned_and_the_other_way_round(patches: Path, tmp_path: Path) -> None:
    settings = argparse.Namespace(
        patches=patches, run=tmp_path / "network", minutes=0.03, steps=0, weights=None, batch=2, crop=32, lr=1e-3,
        decay_from=0.3, every=1000, quantiser="mixed", warm_up=1,
    )  # fmt: skip
    recipe.train(settings)
    first = torch.load(tmp_path / "network" / "weights.pt", weights_only=True)
    fresh = recipe.Theis2017().state_dict()
    assert all(torch.equal(first[name], fresh[name]) for name in fresh if "gains" in name)
    settings.run, settings.weights = tmp_path / "scales", tmp_path / "network" / "weights.pt"
    recipe.scales(settings)
    second = torch.load(tmp_path / "scales" / "weights.pt", weights_only=True)
    changed = {name.split(".")[0] for name in first if not torch.equal(first[name], second[name])}
    assert changed == {"encoder_gains", "decoder_gains", "prior"}


def test_clipping_passes_the_gradient_outside() -> None:
    net = recipe.Theis2017()
    q = torch.full((1, recipe.LATENTS, 2, 2), 50.0, requires_grad=True)
    torch.nn.init.constant_(net.synthesis[-1].bias, 5.0)
    x = net.picture(q, torch.tensor([0.0]))
    assert x.min() == x.max() == 1
    x.sum().backward()
    assert net.synthesis[-1].bias.grad.abs().min() > 0


def test_the_scale_mixture_is_a_distribution() -> None:
    torch.manual_seed(0)
    prior = ScaleMixture(2)
    prior.log_scale.data = torch.randn_like(prior.log_scale)
    shares = prior.probabilities(3)
    assert shares.shape == (2, 2 * LARGEST + 1)
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(shares, shares[:, ::-1], atol=1e-9)


@torch.no_grad()
def test_released_graphs_are_those_of_the_weights_beside_the_recipe(patches: Path) -> None:
    net = recipe.Theis2017().eval()
    net.load_state_dict(beside(recipe))
    model = check_released("theis2017", analysis=recipe.analysis_graph(net), synthesis=recipe.synthesis_graph(net))
    pixels = Patches(patches).some(1)[0][:96, :80]
    check_transform(model, net, pixels, 300)


def test_an_export_needs_patches() -> None:
    from onnx_models.recipes.common.factorised import histograms

    net = recipe.Theis2017()
    with pytest.raises(ValueError, match="at least one patch"):
        histograms(net.analysis, net.encoder_gains, [])
