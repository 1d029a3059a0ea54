"""The fast model is as small as it must be, begins with what `lic1` knows, and its training comes back when it has left the rails."""

import itertools
import math
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from onnx_models.recipes.common import progress
from onnx_models.recipes.common.complexity import kmac_per_pixel
from onnx_models.recipes.common.levels import LAMBDA_MAX, anchor_lambdas, hats, lambdas
from onnx_models.recipes.common.schedule import rate_at
from onnx_models.recipes.lic1.model import Lic1, Sizes
from onnx_models.recipes.lic1.networks import graphs
from onnx_models.recipes.lic2 import teacher, train
from onnx_models.recipes.lic2.guard import Guard
from onnx_models.recipes.lic2.model import GROUPS, LIC2, component_order, load, untrained
from onnx_models.recipes.lic2.narrowing import kept
from onnx_models.recipes.lic2.teacher import Scale

TINY = replace(LIC2, a=32, a2=32, c=16, c2=16, d=16, m=64, z=8, h=16, p=16, s=16, k=3, analysis=1, synthesis=1)
TEACHER = Sizes(a=32, a2=32, c=16, c2=16, d=16, m=32, z=8, h=16, p=16, s=16, k=3, analysis=1, synthesis=2)


@pytest.fixture(scope="module")
def pca() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.linalg.qr(torch.randn(768, 768))[0], torch.logspace(-1, -5, 768)


@pytest.fixture(scope="module")
def lic1(pca: tuple[torch.Tensor, torch.Tensor]) -> Lic1:
    net = Lic1(*pca, TEACHER).eval()
    for p in net.parameters():
        p.data += 0.05 * torch.randn_like(p) * (p.data.abs().mean() + 0.1)
    return net


def test_a_pixel_costs_no_more_than_was_decided(pca: tuple[torch.Tensor, torch.Tensor]) -> None:
    cost = {role: kmac_per_pixel(model) for role, model in graphs(untrained(*pca).eval()).items()}
    entropy_model = sum(v for role, v in cost.items() if role.startswith(("means", "scales")))
    assert entropy_model <= 2.2
    assert entropy_model + cost["synthesis"] + cost["detail"] <= 6.5


def test_sums_of_the_exact_path_stay_exact(pca: tuple[torch.Tensor, torch.Tensor]) -> None:
    scales = untrained(*pca).scales
    layers = [*scales.enter, *(layer for stage in scales.passes for layer in stage)]
    assert max(float(layer.bounds().max()) for layer in layers) < 2**24


def test_every_quarter_of_the_latents_holds_that_of_lic1() -> None:
    order = component_order(48, 32)
    assert sorted(order.tolist()) == list(range(48))
    for group, quarter in enumerate(order.view(GROUPS, -1).tolist()):
        assert quarter[:8] == list(range(8 * group, 8 * group + 8))
        assert quarter[8:] == list(range(32 + 4 * group, 36 + 4 * group))


def test_the_scale_goes_on_where_that_of_lic1_ends() -> None:
    own = torch.arange(0.0, 1025, 128)
    same = Scale.level_of_lic1(own, LIC2.largest)
    torch.testing.assert_close(lambdas(own, LIC2.largest), lambdas(same))
    finer = Scale(LIC2.largest).finer
    assert finer[0] == 0
    assert finer[-1].item() == pytest.approx(0.5 * math.log(LIC2.largest / LAMBDA_MAX), rel=1e-4)
    assert anchor_lambdas(LIC2.largest)[-1] == pytest.approx(LIC2.largest, rel=1e-5)


def test_tables_of_the_level_are_those_of_the_same_lambda(lic1: Lic1) -> None:
    level = Scale.level_of_lic1(torch.tensor(128.0), LIC2.largest).view(1, 1, 1, 1)
    table = lic1.latents.gain_t.detach()
    wanted = (hats(level)[0, :, 0, 0] / 128) @ table
    torch.testing.assert_close(Scale(LIC2.largest).rows(table)[1], wanted, rtol=1e-4, atol=1e-5)
    weight = torch.randn(5, 12, 1, 1)
    ours, theirs = hats(torch.full((1, 1, 1, 1), 128.0)), hats(level)
    turned = Scale(LIC2.largest).columns(weight, 2)
    torch.testing.assert_close(turned[:, 2:11, 0, 0] @ ours.flatten(), weight[:, 2:11, 0, 0] @ theirs.flatten())
    torch.testing.assert_close(turned[:, [0, 1, 11]], weight[:, [0, 1, 11]])


@torch.no_grad()
def test_it_begins_with_the_latents_and_predictions_of_its_teacher(
    lic1: Lic1, pca: tuple[torch.Tensor, torch.Tensor]
) -> None:
    """As wide and with as many stages, it is its teacher."""
    net = untrained(*pca, replace(TINY, p=TEACHER.p, s=TEACHER.s, m=TEACHER.m, stages=4)).eval()
    x, level = torch.rand(2, 3, 64, 128), torch.full((2, 1, 4, 8), 256.0)
    net.load_state_dict(teacher.taught(net, lic1, [(torch.rand(4, 3, 128, 128), torch.full((4, 1, 8, 8), 500.0))]))
    wanted = lic1.coded(x, Scale.level_of_lic1(level, TINY.largest))
    found = net.coded(x, level)
    torch.testing.assert_close(found.z_hat, wanted.z_hat)
    assert (found.index == wanted.index).float().mean() > 0.9
    assert (found.r == wanted.r).float().mean() > 0.9
    torch.testing.assert_close(found.y_hat, wanted.y_hat, rtol=0.05, atol=1.5)


@torch.no_grad()
def test_it_begins_narrower_with_nothing_in_what_is_new(lic1: Lic1, pca: tuple[torch.Tensor, torch.Tensor]) -> None:
    torch.manual_seed(0)
    x, level = torch.rand(2, 3, 64, 128), torch.full((2, 1, 4, 8), 256.0)
    sizes = replace(TINY, p=TEACHER.p - 8, s=TEACHER.s - 8)
    net = untrained(*pca, sizes).eval()
    state = teacher.taught(net, lic1, [(x, level)])
    net.load_state_dict(state)
    order = component_order(sizes.m, TEACHER.m)
    assert not state["latents.leave.weight"][order >= TEACHER.m].any()
    assert state["latents.leave.weight"][order < TEACHER.m].any()


def test_what_reads_fewer_channels_is_fitted_anew() -> None:
    torch.manual_seed(0)
    rows = torch.randn(200, 3) @ torch.randn(3, 8)
    weight = torch.randn(5, 8)
    stay, found = kept(weight, (rows.t() @ rows).double(), 4)
    assert stay.tolist() == sorted(stay.tolist())
    torch.testing.assert_close(rows[:, stay] @ found.t(), rows @ weight.t(), rtol=0.01, atol=0.05)


def test_the_guard_sees_a_jump_and_forgets_it() -> None:
    guard = Guard(jump=1.2, remembered=2)
    assert [guard.jumped(v) for v in (1.0, 1.1, 1.3, math.nan, 1.15, 1.2, 1.3)] == [0, 0, 1, 1, 0, 0, 0]
    with pytest.raises(ValueError, match="jump must be above 1, got 1"):
        Guard(jump=1.0)


def test_what_moves_when() -> None:
    net = untrained(torch.linalg.qr(torch.randn(768, 768))[0], torch.logspace(-1, -5, 768), TINY)
    moving = []
    for done in (0.0, 0.2, 0.8):
        train.freeze(net, done, 0.1, 0.6)
        moving.append({n for n, v in net.named_parameters() if v.requires_grad})
    assert not any(n.startswith(train.ENCODER) for n in moving[0])
    assert {"latents.leave.weight", "analysis.linear.weight"} <= moving[1] - moving[0]
    assert all(n.startswith(train.TRUNK) for n in moving[2] - moving[1])
    assert len(moving[2]) == len(list(net.named_parameters()))
    assert rate_at(0.0, 0, 0.5) < 0.01
    assert rate_at(0.5, 1000, 0.5) == pytest.approx(1)
    assert rate_at(1.0, 1000, 0.5) == pytest.approx(0.01)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, patches: Path, tmp_path: Path, lic1: Lic1):  # type: ignore[no-untyped-def]
    """Return what trains tiny networks for so many minutes of a clock on which every step takes 0.4 seconds, and gives the log."""
    seconds = itertools.count()
    monkeypatch.setattr(train, "time", SimpleNamespace(time=lambda: 0.4 * next(seconds)))
    monkeypatch.setattr(train, "LIC2", TINY)
    monkeypatch.setattr(train, "load_lic1", lambda _: lic1)
    monkeypatch.setattr(train, "WATCHED_CROP", 64)

    def trained(minutes: float) -> list[str]:
        options = ["--minutes", f"{minutes}", "--batch", "2", "--crop", "64", "--structure", "0"]
        options += ["--every", "4", "--judge", "8"]
        monkeypatch.setattr(sys, "argv", ["train", f"{patches}", f"{tmp_path}", *options])
        train.main()
        return (tmp_path / "log.txt").read_text().splitlines()

    return trained


def test_it_learns_and_goes_on_where_it_was(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    first = run(0.16)
    step = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"]
    assert step > 8
    assert "validation" in first[-1]
    again = run(0.32)
    assert again[: len(first)] == first
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] > step
    assert all(v.isfinite().all() for v in torch.load(tmp_path / "weights.pt", weights_only=True).values())


def test_it_comes_back_at_a_lower_rate(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    verdicts = iter([False, True])
    monkeypatch.setattr(Guard, "jumped", lambda self, mean: next(verdicts, False))
    log = run(0.12)
    assert [int(line.split()[1]) for line in log[:3]] == [4, 8, 8]
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["rate"] == pytest.approx(Guard.BACK)


@pytest.mark.parametrize("name", ["lic2", "next"])
def test_the_weights_and_the_log_that_are_kept_can_be_read(name: str) -> None:
    folder = Path(train.__file__).parent
    net = load(folder / f"{name}.pt")
    assert net.sizes == LIC2
    assert all(v.isfinite().all() for v in net.state_dict().values())
    entries = progress.read((folder / f"{name}.log").read_text().splitlines())
    assert entries[-1].step > entries[0].step
