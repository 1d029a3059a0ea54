"""The recipe of `rippel2017`: its contrast, its regularisation, what is left of shortened symbols, and the exported graphs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from exported import beside, check_released, exported

from onnx_models.recipes import rippel2017 as recipe
from onnx_models.recipes.common.contrast import Contrast
from onnx_models.recipes.common.data import Patches
from pillow_lic.engine import models
from pillow_lic.families import rippel2017
from pillow_lic.families.shared import bitplanes

NUMBER = 4_000_025
"""No model's: sessions are kept by it."""


@torch.no_grad()
def test_contrast_comes_back() -> None:
    contrast, c = (
        Contrast(recipe.LATENTS),
        torch.randn(2, recipe.LATENTS, 3, 4) * torch.tensor([0.1, 2.0]).view(2, 1, 1, 1),
    )
    z = contrast(c)
    torch.testing.assert_close(contrast.back(z), c, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(z[:, 0], c[:, 0])
    assert z[1, 1:].square().mean() / z[0, 1:].square().mean() < 0.2 * (2 / 0.1) ** 2


def test_shortened_symbols_are_what_the_decoder_shows_of_their_higher_planes() -> None:
    q = torch.arange(-31.0, 32).view(1, 1, 1, -1).repeat(64, 1, 1, 1)
    torch.manual_seed(0)
    shown, seen = recipe.shortened(q), set()
    for one in shown[:, 0, 0].numpy():
        for planes in range(bitplanes.PLANES):
            size = np.abs(q[0, 0, 0].numpy()) // 2**planes * 2**planes
            middle = np.sign(q[0, 0, 0].numpy()) * np.where(size > 0, size + (2**planes - 1) / 2, 0)
            if (one == middle).all():
                seen.add(planes)
                break
        else:
            pytest.fail("no number of planes gives these")
    assert {0, 1} < seen


def test_the_regularisation_rises_with_magnitudes_and_with_differences() -> None:
    flat = torch.full((1, 4, 6, 6), 3.0)
    assert recipe.codelength(flat).item() == pytest.approx(4 * 36 * 2 / 2)
    board = flat * (1 - 2 * ((torch.arange(6)[:, None] + torch.arange(6)) % 2))
    assert recipe.codelength(board) > recipe.codelength(flat)
    assert recipe.codelength(2 * flat) > recipe.codelength(flat)


def test_the_length_is_that_of_the_coder_with_the_counts() -> None:
    q = np.random.default_rng(0).integers(-3, 4, (8, 4, 5)).astype(np.int8)
    bits, counts = recipe.length(q, np.ones((bitplanes.CONTEXTS, 2)))
    assert bits == counts.sum() == sum(len(b) for b, _ in bitplanes.parts(q))
    assert recipe.length(q, counts + 0.1)[0] < bits


@pytest.mark.slow
@torch.no_grad()
def test_the_exported_model_is_the_network(patches: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = recipe.Rippel2017().eval()
    model = exported(recipe, net, NUMBER, patches, tmp_path)
    assert model.constants == models.choose("rippel2017").constants
    pixels = Patches(patches).some(1)[0][:96, :80]
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
    for level in (0, 300, 1024):
        (y,) = model.run("analysis", pixels=pixels, level=np.full((1, 1, 1, 1), level, np.float32))
        wanted = net.latents(x, torch.tensor([float(level)])).numpy()
        np.testing.assert_allclose(y, wanted, atol=0.02 * np.abs(wanted).max())
        coded = [memoryview(stream) for stream in rippel2017.encode(model, pixels, level)]
        q = rippel2017._read(model, coded, (96, 80)).values()[None]
        picture = net.picture(torch.from_numpy(q), torch.tensor([float(level)]))[0].permute(1, 2, 0)
        shown = rippel2017.decode(model, coded, (96, 80), level)
        assert np.abs(shown - (255 * picture).clamp(0, 255).numpy()).mean() < 1


def test_released_graphs_are_those_of_the_weights_beside_the_recipe() -> None:
    net = recipe.Rippel2017().eval()
    net.load_state_dict(beside(recipe))
    check_released("rippel2017", analysis=recipe.analysis_graph(net), synthesis=recipe.synthesis_graph(net))
