"""The recurrent codecs: the exported graphs compute what the networks compute; what its papers vary begins and learns."""

from pathlib import Path

import numpy as np
import pytest
import torch

from onnx_models.recipes.common.data import Patches
from onnx_models.recipes.recurrent import export
from onnx_models.recipes.recurrent.cells import Cell, bounded
from onnx_models.recipes.recurrent.network import PAPERS, Paper, Recurrent
from pillow_lic.engine import models
from pillow_lic.families.shared import recurrence

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


@pytest.mark.parametrize(
    ("cell", "kind"),
    [("gru", "additive"), ("lstm", "additive"), ("associative", "additive"), ("lstm", "one-shot"), ("lstm", "gain")],
)
def test_every_variant_begins_as_the_linear_codec_and_learns(cell: str, kind: str, patches: Path) -> None:
    """One-shot reconstruction needs a cell that gathers, which a GRU does not begin as."""
    torch.manual_seed(0)
    paper = Paper(steps=3, features=32, cell=cell, kind=kind)
    net, source = Recurrent(paper), Patches(patches)
    net.start(source)
    x = torch.from_numpy(np.stack([p[:64, :64] for p in source.some(4)])).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        errors = [float((x - 0.5 - shown).abs().mean()) for shown in net.pictures(x - 0.5)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[0] < 0.5 * float((x - 0.5).abs().mean())
    optimiser = torch.optim.Adam(net.parameters(), 1e-4)
    losses = []
    for _ in range(8):
        loss = net.losses(x, torch.full((4,), 512.0))[0].mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@torch.no_grad()
def test_an_associative_cell_finds_what_it_stored_under_a_key() -> None:
    """With the keys as they begin it gathers as an LSTM does; turned round by half, it finds the negative."""
    features = 8
    cell = Cell("associative", features, diffusion=False, gathers=True)
    for weight in (*cell.input[1:], *cell.hidden):
        weight.zero_()
    v = 0.3 * torch.randn(1, features, 2, 2)
    out, states = cell(v, torch.zeros(1, cell.states, 2, 2))
    assert torch.allclose(out, torch.tanh(v), atol=0.02)
    again, _ = cell(torch.zeros_like(v), states)
    assert torch.allclose(again, out, atol=0.02)
    cell.bias[-features:] *= -1  # the keys that read
    negative, _ = cell(torch.zeros_like(v), states)
    assert torch.allclose(negative, -out, atol=0.02)


def test_a_bounded_number_keeps_its_direction() -> None:
    z = torch.tensor([0.3 + 0.4j, 3 + 4j, 0j])
    assert torch.allclose(bounded(z), torch.tensor([0.3 + 0.4j, 0.6 + 0.8j, 0j]))


def test_no_graph_is_written_of_a_cell_that_no_model_has() -> None:
    net = Recurrent(Paper(cell="associative"))
    with pytest.raises(ValueError, match="no graph is written of an associative cell"):
        export.decoder_graph(net)
