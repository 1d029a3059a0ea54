"""The gate of `restored`: it begins open, its graph is what was trained, losing costs more than gaining, and its pairs are those of a model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor

from onnx_models.recipes.common import composed, grounds, pairs, patterns
from onnx_models.recipes.common.data import Patches
from onnx_models.recipes.common.errors import errors_of
from onnx_models.recipes.common.pairs import Pairs
from onnx_models.recipes.restored_gate import __main__ as gate_command
from onnx_models.recipes.restored_gate import graph, judged, likeness, network
from pillow_lic.engine.models import models
from pillow_lic.families.wrapped import calm, gate
from pillow_lic.fileformat.areas import Area


@pytest.fixture(scope="module")
def made(patches: Path, tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    """A few pairs of number 31, saved and loaded."""
    path = tmp_path_factory.mktemp("run") / "pairs.npz"
    model = next(model for model in models() if model.number == gate_command.RESTORED)
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
    net = network.Gate().eval()
    original, decoded, shown, steps, halved = seen_of(made)
    with torch.no_grad():
        edged = network.edged(net.seen(decoded, shown, steps)[0], steps)
        assert edged.float().mean() < 0.1
        assert (net(decoded, shown, steps, halved) == (~edged).float()).all()
        for p in net.parameters():
            p.add_(0.1 * torch.randn_like(p))
        net.leave.bias.zero_()  # type: ignore[union-attr]
        net.likeness.bias.fill_(0.5)  # type: ignore[union-attr]
        expected = net(decoded, shown, steps, halved).numpy()
    assert np.mean(expected < 1) > 0.05
    session = onnxruntime.InferenceSession(graph.gate_graph(net).SerializeToString())
    for i, opened in enumerate(expected):
        feeds = {"decoded": made.decoded[i], "shown": made.shown[i]}
        feeds |= {"steps": steps[i].reshape(1, -1, 1, 1).numpy(), "halved": halved[i].reshape(1, -1, 1, 1).numpy()}
        found = session.run(None, feeds)[0][0]
        assert found.shape == (2, 8, 8)
        assert np.abs(found - opened).mean() < 0.03


def test_blocks_are_edged_by_one_luma_farther_than_a_slope_leads() -> None:
    net, steps = network.Gate(), torch.full((1, 2, 64), 16.0)
    decoded = torch.full((1, 3, 48, 64), 90.0)
    decoded[..., 32:] += 4 * 16 / 8 - 1
    with torch.no_grad():
        assert not network.edged(net.seen(decoded, decoded, steps)[0], steps).any()
        decoded[..., 32:] += 2
        found = network.edged(net.seen(decoded, decoded, steps)[0], steps)
    assert found[0, 0, 0].tolist() == [False, False, True, True, True, True, False, False]


def test_no_block_sees_farther_than_the_margin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "STEPS", 2**16)
    torch.manual_seed(0)
    net = network.Gate().eval()
    reach = network.REACH // 8
    decoded = torch.randint(0, 256, (1, 3, 96, 8 * (reach + 12))).float()
    shown, steps, halved = decoded.clone(), torch.full((1, 2, 64), 9.0), torch.ones(1, 2)
    net.leave.bias.data.zero_()
    for layer in (net.leave, net.wide, *net.spread):
        layer.weight.data.mul_(4)  # type: ignore[operator,union-attr]
    with torch.no_grad():
        before = net(decoded, shown, steps, halved)
        far = decoded.clone()
        far[:, :, :, :16] = 0
        after = net(far, torch.where(far == 0, far, shown), steps, halved)
        assert torch.equal(after[:, :, :, 2 + reach :], before[:, :, :, 2 + reach :])
        assert not torch.equal(after[:, :, :, 1 + reach], before[:, :, :, 1 + reach])
        other = shown.clone()
        other[:, :, 80:88, 80:88] += 20
        moved = net(decoded, other, steps, halved) != before
    assert moved[:, :, 10, 10].all()
    assert moved.sum() == 2


def test_errors_are_those_of_what_the_package_shows(made: Pairs) -> None:
    found = errors_of(made, network.STEPS)
    shares = network.STEPS + 1
    assert found.shape == (len(made), 8, 8, shares, shares, 2)
    luma = [np.asarray(calm.levels(calm.luma(p)), np.int64) for p in (made.originals, made.decoded, made.shown)]
    for at, pixels, levels in ((0, made.decoded, luma[1]), (-1, made.shown, luma[2])):
        rgb = np.square(made.originals.astype(int) - pixels)
        np.testing.assert_array_equal(found[..., at, at, 1].sum((1, 2), np.float64), rgb.sum((1, 2, 3)))
        np.testing.assert_array_equal(
            found[..., at, at, 0].sum((1, 2), np.float64), np.square(luma[0] - levels).sum((1, 2))
        )
    model = next(model for model in models() if "gate" in model.files)
    row = int(np.argmax((made.shown != made.decoded).mean((1, 2, 3))))
    shown, area = made.shown[row], Area(0, 0, 64, 64)
    told = {
        "steps": made.steps[row].reshape(1, 128, 1, 1).astype(np.float32),
        "halved": np.ones((1, 2, 1, 1), np.float32),
    }
    opened = gate.shares(model, shown, made.decoded[row], told, area)
    pixels = gate.gated(model, shown, made.decoded[row], told, area)
    index = np.rint(opened * network.STEPS).astype(int)
    expected = np.square(made.originals[row].astype(int) - pixels).reshape(8, 8, 8, 8, 3).sum((1, 3, 4))
    rows, columns = np.mgrid[:8, :8]
    np.testing.assert_array_equal(found[row, rows, columns, index[0], index[1], 1], expected)


def test_gains_follow_the_shares(made: Pairs) -> None:
    errors = torch.from_numpy(errors_of(made, network.STEPS))
    gate = torch.zeros(len(made), 2, 8, 8, requires_grad=True)
    gain = judged.gains(gate, errors)
    assert gain.abs().max() < 1e-4
    gain.sum().backward()
    assert gate.grad is not None
    nearer = (errors[..., 1, 0, 0] < errors[..., 0, 0, 0]) & (errors[..., 1, 0, 1] < errors[..., 0, 0, 1])
    assert nearer.any()
    assert (gate.grad[:, 0][nearer] > 0).all()
    halves = judged.gains(torch.full((len(made), 2, 8, 8), 0.5), errors, 2)
    assert halves.shape == (4 * len(made), 2)


def test_a_loss_costs_more_than_a_gain(made: Pairs) -> None:
    errors = torch.from_numpy(errors_of(made, network.STEPS))
    whole = torch.ones(len(made), 2, 8, 8)
    worth = torch.ones(len(made))
    shut_loss, none = judged.loss_of(0 * whole, errors, worth)
    assert none.abs().max() < 1e-4
    worse, lost = judged.loss_of(whole, errors.flip(3, 4), worth)
    assert lost.mean() < 0
    assert worse > shut_loss
    assert worse > judged.LOST / 2 * (-lost).clamp(min=0).mean() - lost.clamp(min=0).mean()
    pairs_judged = judged.Judged.of(made, errors.numpy())
    shares = pairs_judged.shares()
    gain = judged.gains(whole, errors)
    assert (shares[gain.amin(1).numpy() < -0.1] > 1).all()
    net = network.Gate()
    index = np.arange(len(made))
    assert (pairs_judged.decided(net, index) == ~network.edged(pairs_judged.around.float(), pairs_judged.steps)).all()


def test_pictures_unlike_photographs_show_half_of_it(made: Pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "STEPS", 150)
    torch.manual_seed(0)
    net, index, names = network.Gate(), np.arange(len(made)), list(pairs.KINDS)
    dark = made.decoded.copy()
    dark[::2] = dark[::2] // 16
    kinds = np.where(index % 2, names.index("photograph"), names.index("gradient"))
    seen = judged.Judged.of(replace(made, decoded=dark, kinds=kinds), errors_of(made, network.STEPS))
    with torch.no_grad():
        before = seen.decided(net, index)
    likeness.fit(net, seen)
    with torch.no_grad():
        after = seen.decided(net, index)
    assert (after[1::2] == before[1::2]).float().mean() > 0.95
    assert (after[::2][before[::2] == 1] == network.UNLIKE).float().mean() > 0.8


def test_a_gain_counts_by_what_it_is_worth_and_not_where_the_file_is_as_good_as_right(made: Pairs) -> None:
    errors = torch.from_numpy(errors_of(made, network.STEPS))
    whole, none = torch.ones(len(made), 2, 8, 8), torch.zeros(len(made))
    gain = judged.gains(whole, errors)

    def counted(errors: Tensor) -> Tensor:
        return judged.loss_of(whole, errors, none)[0] - judged.loss_of(whole, errors, none + 1)[0]

    assert (judged.quality(errors) < judged.CLEAR[0]).all()
    torch.testing.assert_close(counted(errors), gain.clamp(max=judged.MOST).mean())
    assert counted(errors / 1e4).abs() < 1e-5


def test_grounds_are_pictures_of_their_size() -> None:
    rng = np.random.default_rng(0)
    for make in pairs.MADE.values():
        some = np.stack([make(40, rng) for _ in range(12)])
        assert some.dtype == np.uint8
        assert some.shape == (12, 40, 40, 3)
        assert (np.ptp(some, (1, 2)).max(1) > 0).sum() > 8
    photograph = rng.integers(60, 190, (40, 40, 3), np.uint8)
    for change in (patterns.treated, composed.composed):
        changed = np.stack([change(photograph, rng) for _ in range(40)])
        assert changed.dtype == np.uint8
        assert changed.shape == (40, *photograph.shape)
        assert (np.ptp(changed, (1, 2)).max(1) > 0).sum() > 30
    strong = np.stack([grounds.cloth(photograph, rng) for _ in range(12)]).astype(int)
    assert np.ptp(strong, -1).mean() > np.ptp(photograph.astype(int), -1).mean()
