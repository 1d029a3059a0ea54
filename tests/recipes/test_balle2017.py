"""`balle2017`: its layers are the formulas of the paper, and a run that was cut goes on."""

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F

from onnx_models.recipes import balle2017
from onnx_models.recipes.common import progress
from onnx_models.recipes.common.data import Patches
from onnx_models.recipes.common.gdn import GDN


def test_gdn_divides_by_the_energy_of_all_channels() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 4, 3, 5)
    for inverse in (False, True):
        layer = GDN(4, inverse=inverse)
        layer.log_beta.data, layer.log_gamma.data = torch.randn(4), torch.randn(4, 4, 1, 1)
        beta, gamma = layer.log_beta.exp(), layer.log_gamma.exp()[:, :, 0, 0]
        expected = torch.empty_like(x)
        for i in range(4):
            root = torch.sqrt(beta[i] + sum(gamma[i, j] * x[:, j] ** 2 for j in range(4)))
            expected[:, i] = x[:, i] * root if inverse else x[:, i] / root
        torch.testing.assert_close(layer(x), expected)


def test_nine_by_nine_over_blocks_is_the_convolution_with_a_stride_of_four() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 3, 32, 48)
    down, up = balle2017.Kernel9(), balle2017.Kernel9(transposed=True)
    down.bias.data, up.bias.data = torch.randn(128), torch.randn(3)
    y = down(x)
    torch.testing.assert_close(y, F.conv2d(F.pad(x, (2, 3, 2, 3)), down.weight(), down.bias, 4), atol=1e-5, rtol=0)
    whole = F.conv_transpose2d(y, up.weight(), up.bias, 4)
    torch.testing.assert_close(up(y), whole[:, :, 2:-3, 2:-3], atol=1e-5, rtol=0)


def test_it_begins_as_a_linear_transform_that_keeps_the_picture(patches: Path) -> None:
    torch.manual_seed(0)
    net = balle2017.Balle2017()
    net.start(Patches(patches))
    x = Patches(patches).validation().permute(0, 3, 1, 2) / 255 - 0.5
    with torch.no_grad():
        error = (net.synthesis(net.analysis(x)) - x).square().mean()
    assert error < 0.1 * x.square().mean()


def test_a_run_that_was_cut_goes_on(patches: Path, tmp_path: Path) -> None:
    settings = argparse.Namespace(
        patches=patches,
        run=tmp_path,
        minutes=0.03,
        steps=0,
        weights=None,
        batch=2,
        crop=32,
        lr=1e-4,
        decay_from=0.3,
        every=1,
        quantiser="mixed",
        warm_up=200,
    )
    balle2017.train(settings)
    first = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    settings.minutes = 2 * first["seconds"] / 60
    balle2017.train(settings)
    second = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert second["step"] > first["step"] > 0
    assert second["seconds"] > first["seconds"]
    steps = [entry.step for entry in progress.read((tmp_path / "log.txt").read_text().splitlines())]
    assert steps == sorted(steps)
    weights = torch.load(tmp_path / "weights.pt", weights_only=True)
    balle2017.Balle2017().load_state_dict(weights)
    assert all(torch.equal(v, second["average"][k]) for k, v in weights.items())

    torch.save({k: v.half() for k, v in weights.items()}, tmp_path / "half.pt")
    settings.weights, settings.run, settings.minutes = tmp_path / "half.pt", tmp_path / "next", 1e-9
    balle2017.train(settings)
    begun = torch.load(tmp_path / "next" / "weights.pt", weights_only=True)
    assert all(torch.equal(begun[k], v.half().float()) for k, v in weights.items())
