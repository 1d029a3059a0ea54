"""The importance network learns on the curves of the codec, and is exported as it was trained."""

import itertools
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime as ort
import pytest
import torch

pytest.importorskip("pillow_lic._native", reason="the codec must be built")

from onnx_models.recipes.importance import train
from pillow_lic import metrics


def test_one_run(monkeypatch: pytest.MonkeyPatch, patches: Path, tmp_path: Path) -> None:
    options = [
        "--coded",
        "2",
        "--held",
        "1",
        "--minutes",
        "0.05",
        "--batch",
        "2",
        "--every",
        "2",
        "--out",
        str(tmp_path),
    ]
    tenths = itertools.count()  # a step takes one
    monkeypatch.setattr(train, "time", SimpleNamespace(time=lambda: next(tenths) / 10))
    monkeypatch.setattr(sys, "argv", ["importance", str(patches), str(tmp_path), *options])
    train.main()
    lines = (tmp_path / "log.txt").read_text().splitlines()
    assert float(lines[-1].split("loss ")[1].split()[0]) < 0.05
    entry = json.loads((tmp_path / "importance.json").read_text())
    assert entry["kmac_per_pixel"] < 1
    assert (tmp_path / entry["file"]).exists()
    assert set(torch.load(tmp_path / "importance.pt")) == set(train.Importance().state_dict())


def test_the_graph_computes_what_was_trained() -> None:
    torch.manual_seed(0)
    net = train.Importance()
    for p in net.parameters():
        p.data += 0.05 * torch.randn_like(p)
    session = ort.InferenceSession(train.graph(net).SerializeToString(), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    with torch.no_grad():
        expected = net(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255)
    got = session.run(None, {"pixels": pixels})[0]
    assert got.shape == (1, 1, 4, 6)
    np.testing.assert_allclose(got, expected, atol=0.01)


def test_values_are_read_off_between_levels() -> None:
    values = torch.exp(torch.arange(train.LEVELS).float()).view(1, -1, 1, 1)
    level = torch.full((1, 1, 1, 1), 1.5 * train.SPACING, requires_grad=True)
    got = train.read_off(values, level)
    assert got.item() == pytest.approx(np.exp(1.5))
    got.sum().backward()
    assert level.grad.item() == pytest.approx(np.exp(1.5) / train.SPACING)


def test_a_uniform_change_of_the_level_gains_nothing() -> None:
    torch.manual_seed(0)
    rise = torch.arange(train.LEVELS).float().view(1, -1, 1, 1)
    bits, losses = (
        100 * torch.rand(1, 1, 16, 16) * torch.exp(0.5 * rise),
        torch.rand(1, 1, 16, 16) * torch.exp(-0.4 * rise),
    )
    base = torch.tensor([500.0])
    flat, _ = train.change(bits, losses, base, torch.zeros(1, 1, 16, 16))
    shifted, _ = train.change(bits, losses, base, torch.full((1, 1, 16, 16), 50.0))
    assert shifted.item() == pytest.approx(flat.item(), abs=2e-3)


def test_the_metric_is_the_runtime_s_but_for_the_finest_scale() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (16, 16, 3)).repeat(16, 0).repeat(16, 1).astype(np.uint8)
    b = (a + rng.normal(0, 12, (32, 32, 3)).repeat(8, 0).repeat(8, 1)).clip(0, 255).astype(np.uint8)
    planes = (torch.from_numpy(v).permute(2, 0, 1)[None].float() / 255 for v in (b, a))
    ours = train.ms_ssim(*planes, train.COARSE)
    assert 1 - ours.item() == pytest.approx(1 - metrics.ms_ssim(a, b), rel=0.2)
