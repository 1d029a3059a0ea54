"""The gate of `restored`: it begins open, its graph is what was trained, losing costs more than gaining, and its pairs are those of a model."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor

from onnx_models.recipes import restored_gate
from onnx_models.recipes.common import grounds, pairs
from onnx_models.recipes.common.data import Patches
from onnx_models.recipes.common.pairs import Pairs
from pillow_lic.engine.models import models


@pytest.fixture(scope="module")
def made(patches: Path, tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    """A few pairs of number 31, saved and loaded."""
    path = tmp_path_factory.mktemp("run") / "pairs.npz"
    model = next(model for model in models() if model.number == restored_gate.RESTORED)
    pairs.made(model, Patches(patches), None, 8, 6, 64, np.random.default_rng(3)).save(path)
    return Pairs.load(path)


def seen_of(made: Pairs) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    index = np.arange(len(made))
    return *made.pictures(index), *made.told(index)


def test_pairs_are_restored_pictures_and_those_that_lose(made: Pairs) -> None:
    assert len(made) >= 8
    assert made.originals.shape == made.decoded.shape == made.shown.shape == (len(made), 64, 64, 3)
    assert (made.shown[:8] != made.decoded[:8]).any()
    for rows in zip(made.originals[8:], made.decoded[8:], made.shown[8:], strict=True):
        assert pairs._gained(*rows) < pairs.GAIN


def test_the_gate_begins_open_and_its_graph_is_the_network(made: Pairs) -> None:
    torch.manual_seed(0)
    net = restored_gate.Gate().eval()
    original, decoded, shown, steps, halved = seen_of(made)
    with torch.no_grad():
        assert (net(decoded, shown, steps, halved) == 1).all()
        for p in net.parameters():
            p.add_(0.1 * torch.randn_like(p))
        net.leave.bias.zero_()  # type: ignore[union-attr]
        expected = net(decoded, shown, steps, halved).numpy()
    assert np.mean(expected < 1) > 0.05
    session = onnxruntime.InferenceSession(restored_gate.gate_graph(net).SerializeToString())
    for i, opened in enumerate(expected):
        feeds = {"decoded": made.decoded[i], "shown": made.shown[i]}
        feeds |= {"steps": steps[i].reshape(1, -1, 1, 1).numpy(), "halved": halved[i].reshape(1, -1, 1, 1).numpy()}
        found = session.run(None, feeds)[0][0]
        assert found.shape == (2, 8, 8)
        assert np.abs(found - opened).mean() < 0.03


def test_no_block_sees_farther_than_the_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restored_gate, "STEPS", 2**16)
    torch.manual_seed(0)
    net = restored_gate.Gate().eval()
    decoded = torch.randint(0, 256, (1, 3, 160, 160)).float()
    shown, steps, halved = decoded.clone(), torch.full((1, 2, 64), 9.0), torch.ones(1, 2)
    net.leave.bias.data.zero_()
    with torch.no_grad():
        before = net(decoded, shown, steps, halved)
        far = decoded.clone()
        reach = restored_gate.REACH // 8
        far[:, :, :, : 8 * (10 - reach)] = 0
        after = net(far, torch.where(far == 0, far, shown), steps, halved)
        assert torch.equal(after[:, :, :, 10:], before[:, :, :, 10:])
        assert not torch.equal(after[:, :, :, 9], before[:, :, :, 9])
        other = shown.clone()
        other[:, :, 80:88, 80:88] += 20
        moved = net(decoded, other, steps, halved) != before
    assert moved[:, :, 10, 10].all()
    assert moved.sum() == 2


def test_a_loss_costs_more_than_a_gain(made: Pairs) -> None:
    original, decoded, shown, _, _ = seen_of(made)
    whole = torch.ones(len(made), 2, 8, 8)
    open_loss, gain = restored_gate.loss_of(whole, original, decoded, shown)
    shut_loss, none = restored_gate.loss_of(0 * whole, original, decoded, shown)
    assert none.abs().max() < 1e-4
    worse, lost = restored_gate.loss_of(whole, original, original, decoded)
    assert (lost <= 0).all()
    assert worse > shut_loss
    assert worse > -restored_gate.LOST / 2 * lost.mean()
    shares = restored_gate.shares_of(made)
    assert (shares[gain.amin(1).numpy() < -0.1] > 1).all()


def test_grounds_are_pictures_of_their_size() -> None:
    rng = np.random.default_rng(0)
    for make in (grounds.gradient, grounds.shapes, grounds.noise):
        some = np.stack([make(40, rng) for _ in range(12)])
        assert some.dtype == np.uint8
        assert some.shape == (12, 40, 40, 3)
        assert (np.ptp(some, (1, 2)).max(1) > 0).sum() > 8
    photograph = rng.integers(60, 190, (40, 40, 3), np.uint8)
    strong = np.stack([grounds.cloth(photograph, rng) for _ in range(12)]).astype(int)
    assert np.ptp(strong, -1).mean() > np.ptp(photograph.astype(int), -1).mean()
