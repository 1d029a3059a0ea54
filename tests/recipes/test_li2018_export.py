"""The recipe of `li2018`: its binariser, its map, the code it begins with, and the exported graphs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from exported import beside, check_released, exported

from onnx_models.recipes import li2018 as recipe
from onnx_models.recipes.common import contexts
from onnx_models.recipes.common.data import Patches
from pillow_lic.engine import bits, models
from pillow_lic.families import li2018

NUMBER = 4_000_003
"""No model's: sessions are kept by it."""


def test_the_binariser_rounds_and_passes_the_gradient_of_its_proxy() -> None:
    """The proxy is min(max(v, 0), 1): its finite differences are the gradient, except at its two bends."""
    v = torch.tensor(
        [-0.7, -0.01, 0.01, 0.3, 0.499, 0.501, 0.9, 0.99, 1.01, 3.0], dtype=torch.float64, requires_grad=True
    )
    b = recipe.binarise(v)
    assert b.tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    weight = torch.linspace(1, 2, len(v), dtype=torch.float64)
    (b * weight).sum().backward()
    step = 1e-4
    with torch.no_grad():
        difference = ((v + step).clamp(0, 1) - (v - step).clamp(0, 1)) / (2 * step)
    torch.testing.assert_close(v.grad, difference * weight)


def test_the_mask_is_that_of_the_format() -> None:
    model = models.choose("li2018")
    for level in (0, 77, 512, 1024):
        n = recipe.codes_at(torch.tensor([float(level)]))
        p = (torch.arange(16) / 15).view(1, 1, 1, 16)
        mask = recipe.mask_of(p, n)
        assert mask[0, :, 0].sum(0).tolist() == li2018.depths_of(model, level).tolist()


def test_the_gradient_of_the_mask_adds_up_to_the_codes_that_are_gained() -> None:
    p = torch.full((1, 1, 1, 1), 0.5, requires_grad=True)
    recipe.mask_of(p, torch.tensor([90.0])).sum().backward()
    assert p.grad is not None
    assert p.grad.item() == pytest.approx(90, rel=0.06)


def test_contexts_are_those_of_the_coder() -> None:
    rng = np.random.default_rng(0)
    planes = (rng.random((3, 2, 5, 7)) < 0.4).astype(np.uint8)
    classes = np.array([[0, 1], [2, 3], [7, 7]], np.uint8)
    starts = rng.integers(100, 65000, 4096).astype(np.uint16)
    one, other = bits.Encoder(starts), bits.Encoder(starts)
    one.write_planes(planes, classes)
    other.write(planes, contexts.contexts_of(planes, classes).astype(np.uint16))
    assert one.stream() == other.stream()


@pytest.mark.slow
@torch.no_grad()
def test_the_exported_model_is_the_network(patches: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = recipe.Li2018().eval()
    model = exported(recipe, net, NUMBER, patches, tmp_path)
    assert set(model.constants) == set(models.choose("li2018").constants)

    pixels = Patches(patches).some(1)[0][:96, :80]
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
    for level in (0, 300, 1024):
        codes, need = model.run("analysis", pixels=pixels, level=np.full((1, 1, 1, 1), level, np.float32))
        e, p = net.coded(x, torch.tensor([float(level)]))
        assert ((codes > 0) == (e > 0).numpy()).mean() > 0.97
        np.testing.assert_allclose(1 / (1 + np.exp(-need)), p, atol=0.02)
        coded = [memoryview(stream) for stream in li2018.encode(model, pixels, level)]
        u = li2018._read(model, coded, (96, 80), level)[None].astype(np.float32)
        shown = li2018.decode(model, coded, (96, 80), level)
        picture = net.picture(torch.from_numpy(u))[0].permute(1, 2, 0)
        assert np.abs(shown - (255 * picture).clamp(0, 255).numpy()).mean() < 1


def test_released_graphs_are_those_of_the_weights_beside_the_recipe() -> None:
    net = recipe.Li2018().eval()
    net.load_state_dict(beside(recipe))
    check_released("li2018", analysis=recipe.analysis_graph(net), synthesis=recipe.synthesis_graph(net))
