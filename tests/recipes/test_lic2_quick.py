"""The small analysis of `lic2` fits in its budget, gives what the large one gives, and learns from it."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from onnx_models.recipes.common.complexity import kmac_per_pixel
from onnx_models.recipes.lic1.model import Lic1, Sizes
from onnx_models.recipes.lic1.networks import latents
from onnx_models.recipes.lic2 import quick
from onnx_models.recipes.lic2.model import LIC2, load, untrained

TINY = replace(LIC2, a=32, a2=32, c=16, c2=16, d=16, m=64, z=8, h=16, p=16, s=16, k=3, analysis=1, synthesis=1)


def net_of(sizes: Sizes) -> Lic1:
    """Return untrained networks."""
    torch.manual_seed(0)
    return untrained(torch.linalg.qr(torch.randn(768, 768))[0], torch.logspace(-1, -5, 768), sizes).eval()


def test_the_encoder_of_effort_0_costs_no_more_than_was_decided() -> None:
    net = net_of(LIC2)
    small = quick.QuickAnalysis(net.analysis)
    assert kmac_per_pixel(quick.graph(net, small)) + kmac_per_pixel(latents(net)) <= 12


@torch.no_grad()
def test_its_graph_has_the_outputs_of_the_large_one() -> None:
    net = net_of(TINY)
    small = quick.QuickAnalysis(net.analysis, 16, 1, 3)
    session = ort.InferenceSession(quick.graph(net, small).SerializeToString(), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).integers(0, 256, (64, 128, 3)).astype(np.uint8)
    found = session.run(None, {"pixels": pixels})
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
    for a, b, c in zip(found, small(x), net.analysis(x), strict=True):
        np.testing.assert_allclose(a, b, atol=0.01)
        assert a.shape == c.shape
    assert [v.name for v in session.get_outputs()] == ["trunk", "linear"]


def run(monkeypatch: pytest.MonkeyPatch, patches: Path, folder: Path, options: list[str]) -> tuple[Lic1, list[str]]:
    """Train in a folder with some options; return the networks it was taught by, and the lines of its log."""
    net = net_of(TINY)
    with torch.no_grad():
        net.latents.leave.weight.mul_(100)  # Else untrained latents hardly depend on a trunk.
    torch.save(net.state_dict(), folder / "weights.pt")
    monkeypatch.setattr(quick, "load", lambda path: load(path, TINY))
    options = ["--batch", "2", "--crop", "64", "--every", "20", "--lr", "1e-2", *options]
    monkeypatch.setattr(sys, "argv", ["quick", f"{patches}", f"{folder / 'weights.pt'}", f"{folder}", *options])
    quick.main()
    return net, (folder / "quick.txt").read_text().splitlines()


def test_it_learns_the_latents_of_the_large_one(monkeypatch: pytest.MonkeyPatch, patches: Path, tmp_path: Path) -> None:
    net, lines = run(monkeypatch, patches, tmp_path, ["--steps", "60"])
    losses = [float(line.split()[-1]) for line in lines]
    assert len(losses) == 3
    assert losses[-1] < losses[0]
    small = quick.load_quick(net, tmp_path / "quick.pt")
    assert torch.equal(small.linear.weight, net.analysis.linear.weight)
    assert "linear.weight" not in quick.weights_of(small)


def test_it_learns_by_the_loss_of_lic2(monkeypatch: pytest.MonkeyPatch, patches: Path, tmp_path: Path) -> None:
    """The judgement on patches held out falls, and nothing but the small analysis has moved."""
    net, lines = run(monkeypatch, patches, tmp_path, ["--steps", "60", "--judge", "20", "--structure", "0"])
    judged = [float(line.split("validation ")[1].split()[0]) for line in lines]
    assert len(judged) == 3
    assert judged[-1] < judged[0]
    small = quick.load_quick(net, tmp_path / "quick.pt")
    assert torch.equal(small.linear.weight, net.analysis.linear.weight)
