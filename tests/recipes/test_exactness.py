"""The price of integers is the price of rounding, and of nothing else."""

from pathlib import Path

import numpy as np
import torch
from test_train import TINY

from onnx_models.recipes.common.data import Patches
from onnx_models.recipes.lic1 import exactness
from onnx_models.recipes.lic1.model import Lic1


def test_integers_cost_little_beside_real_numbers(patches: Path) -> None:
    torch.manual_seed(0)
    net = Lic1(torch.linalg.qr(torch.randn(768, 768))[0], torch.logspace(0, -4, 768), TINY).eval()
    data = Patches(patches)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    found = exactness.cost(net, data, samples=6, steps=4, judges=1)
    assert len(found) == len(exactness.LEVELS)
    assert np.abs(found).max() < 5
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())

    held = exactness.frozen(net, [data.validation()[0].numpy()], [512])
    real = exactness.in_real_numbers(net.scales)
    whole, free = (exactness.bits(s, held, whole=False).item() for s in (net.scales, real))
    assert whole != free
    assert abs(whole / free - 1) < 0.05


def test_training_saves_bits(patches: Path) -> None:
    torch.manual_seed(0)
    net = Lic1(torch.linalg.qr(torch.randn(768, 768))[0], torch.logspace(-2, -2, 768), TINY).eval()
    data = exactness.frozen(net, Patches(patches).some(4), [100, 400, 600, 900])
    before = sum(exactness.bits(net.scales, [s], whole=True).item() for s in data)
    scales = exactness.trained(net.scales, data, 20)
    assert sum(exactness.bits(scales, [s], whole=True).item() for s in data) < before
